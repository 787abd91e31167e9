"""Points that customers collect; who has a hundred pays no delivery."""

from __future__ import annotations

POINTS: dict[str, int] = {}


def earn(customer: str, cents: int) -> int:
    """Give a customer one point for every whole 100 cents, and say how many these were."""
    points = cents // 100
    POINTS[customer] = POINTS.get(customer, 0) + points
    return points


def delivery(customer: str) -> int:
    """What delivery costs, in cents."""
    return 0 if POINTS.get(customer, 0) >= 100 else 499
