from __future__ import annotations

from shop import prices, settings


def test_the_separator_is_a_point() -> None:
    assert settings.CURRENCY["separator"] == "."


def test_prices_in_euros() -> None:
    settings.CURRENCY["code"] = "EUR"
    assert prices.price(1250) == "EUR 12.50"


def test_a_code_has_three_letters() -> None:
    assert len(settings.CURRENCY["code"]) == 3
