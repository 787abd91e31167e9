"""Amounts of money, in hundredths."""

from __future__ import annotations

from shop import settings


def price(cents: int) -> str:
    """A price as the customer reads it."""
    whole, rest = divmod(cents, 100)
    return f"{settings.CURRENCY['code']} {whole}{settings.CURRENCY['separator']}{rest:02}"


def reduced(cents: int, percent: int) -> int:
    """A price after a reduction, rounded down."""
    return cents * (100 - percent) // 100
