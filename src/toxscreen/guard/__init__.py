"""What goes on beside the tests: a process that ends what hangs, and services that come and go with a run.

Nothing here knows pytest. guard.process and guard.stop run in interpreters without site-packages.
"""
