from __future__ import annotations

from shop.cart import Cart


def test_an_empty_cart_costs_nothing() -> None:
    assert Cart().total() == 0


def test_total_includes_tax() -> None:
    assert Cart().add(1000).add(500).total() == 1800


def test_books_are_taxed_less() -> None:
    Cart.tax_percent = 5
    assert Cart().add(1000).tax() == 50


def test_carts_are_separate() -> None:
    full, empty = Cart().add(100), Cart()
    assert len(full.prices) == 1
    assert empty.prices == []


def test_add_can_be_chained() -> None:
    assert Cart().add(1).add(2).prices == [1, 2]
