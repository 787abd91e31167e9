"""Victims: every one expects the currency that the shop begins with."""

from __future__ import annotations

import pytest

from shop import price


@pytest.mark.parametrize(
    ("cents", "told"),
    [
        (0, "USD 0.00"),
        (1, "USD 0.01"),
        (99, "USD 0.99"),
        (100, "USD 1.00"),
        (250, "USD 2.50"),
        (1999, "USD 19.99"),
        (100000, "USD 1000.00"),
    ],
)
def test_price(cents: int, told: str) -> None:
    assert price(cents) == told
