"""More victims, in another file."""

from __future__ import annotations

from shop import Basket, receipt


def test_receipt_of_nothing() -> None:
    assert receipt(Basket()) == ["total: USD 0.00"]


def test_receipt_of_one_thing() -> None:
    assert receipt(Basket([("tea", 250)])) == ["tea: USD 2.50", "total: USD 2.50"]


def test_receipt_adds_up() -> None:
    assert receipt(Basket([("tea", 250), ("cup", 499)]))[-1] == "total: USD 7.49"
