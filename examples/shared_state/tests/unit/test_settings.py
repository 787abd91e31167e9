"""The polluter: it changes the settings of the whole process and does not change them back."""

from __future__ import annotations

from shop import SETTINGS, price


def test_prices_in_euros() -> None:
    SETTINGS["currency"] = "EUR"
    assert price(1250) == "EUR 12.50"
