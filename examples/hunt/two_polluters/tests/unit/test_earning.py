from __future__ import annotations

from shop.loyalty import earn


def test_a_small_purchase_earns_nothing() -> None:
    assert earn("ben", 99) == 0


def test_a_purchase_earns_points() -> None:
    assert earn("anna", 6000) == 60


def test_cents_earn_nothing() -> None:
    assert earn("anna", 7099) == 70


def test_one_point() -> None:
    assert earn("ben", 100) == 1
