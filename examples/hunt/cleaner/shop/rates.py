"""Exchange rates that were asked for once."""

from __future__ import annotations

RATES: dict[str, float] = {}


def remember(code: str, rate: float) -> None:
    """Keep a rate."""
    RATES[code] = rate


def known() -> list[str]:
    """The currencies whose rate is known."""
    return sorted(RATES)


def forget() -> None:
    """Keep no rate any longer."""
    RATES.clear()


def exchanged(cents: int, rate: float) -> int:
    """An amount in another currency."""
    return round(cents * rate)
