from __future__ import annotations

from shop import sale


def test_price_of_every_day() -> None:
    assert sale.price(1000) == 1000


def test_gifts_cost_nothing() -> None:
    assert sale.price(0) == 0
