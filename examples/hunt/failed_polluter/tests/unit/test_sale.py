from __future__ import annotations

from shop import sale


def test_half_price() -> None:
    sale.begin(50)
    assert sale.price(1000) == 500
    sale.end()


def test_price_is_rounded() -> None:
    sale.begin(50)
    assert sale.price(999) == 500
    sale.end()


def test_the_end_can_come_twice() -> None:
    sale.begin(10)
    sale.end()
    sale.end()
    assert sale.price(0) == 0
