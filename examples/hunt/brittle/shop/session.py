"""Who is buying."""

from __future__ import annotations

CURRENT: dict[str, str] = {}


def login(customer: str) -> str:
    """Remember who is buying, and greet."""
    CURRENT["customer"] = customer
    return f"Hello {customer}"


def checkout(cents: int) -> str:
    """A bill for who is buying."""
    return f"{CURRENT['customer']} owes {cents / 100:.2f}"
