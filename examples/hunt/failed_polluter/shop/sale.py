"""The summer sale."""

from __future__ import annotations

STATE = {"percent": 0}


def begin(percent: int) -> None:
    """Sell everything for less."""
    STATE["percent"] = percent


def end() -> None:
    """Sell everything for its price again."""
    STATE["percent"] = 0


def price(cents: int) -> int:
    """What a thing costs today, in cents."""
    return cents * (100 - STATE["percent"]) // 100
