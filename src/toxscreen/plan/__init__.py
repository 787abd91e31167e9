"""Deciding what runs, where and in which order. Pure: time, cores and seeds arrive as arguments."""
