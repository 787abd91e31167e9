"""Sharing a bill."""

from __future__ import annotations


def shares(cents: int, people: int) -> list[int]:
    """A bill in equal parts; the first ones pay what is left over."""
    part, rest = divmod(cents, people)
    return [part + (number < rest) for number in range(people)]
