"""Numbers as the customer is used to them."""

from __future__ import annotations

STYLE = {"point": "."}


def amount(cents: int) -> str:
    """An amount with its decimals."""
    whole, rest = divmod(cents, 100)
    return f"{whole}{STYLE['point']}{rest:02}"


def parsed(text: str) -> int:
    """The cents of an amount that was typed with a point."""
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + int(rest or 0)
