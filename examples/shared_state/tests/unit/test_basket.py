"""Bystanders: no settings are involved."""

from __future__ import annotations

from shop import Basket


def test_a_new_basket_is_empty() -> None:
    assert Basket().total == 0


def test_a_basket_adds_up() -> None:
    basket = Basket([("tea", 250), ("cup", 499)])
    assert basket.total == 749


def test_baskets_are_separate() -> None:
    first, second = Basket(), Basket()
    first.add("tea", 250)
    assert second.things == []
