"""What is observed inside a test process: the calls it makes and the process state it leaves."""
