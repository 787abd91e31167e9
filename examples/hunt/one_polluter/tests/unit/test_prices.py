from __future__ import annotations

from shop.prices import price, reduced


def test_price_names_the_currency() -> None:
    assert price(1250) == "USD 12.50"


def test_price_has_two_decimals() -> None:
    assert price(5).endswith("0.05")


def test_nothing_off() -> None:
    assert reduced(1000, 0) == 1000


def test_a_tenth_off() -> None:
    assert reduced(1000, 10) == 900


def test_reductions_are_rounded_down() -> None:
    assert reduced(999, 50) == 499
