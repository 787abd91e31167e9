"""Slots between processes: a server that hands them out, and a client in each process that runs tests or commands.

What is said is lines of text over one connection a process; who may run when is decided in plan/slots.py. A slot dies
with its connection, whatever its process died of.
"""
