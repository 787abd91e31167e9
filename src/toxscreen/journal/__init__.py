"""The journal: append events, read them back, fold them into runs. It has no opinion on what it records."""
