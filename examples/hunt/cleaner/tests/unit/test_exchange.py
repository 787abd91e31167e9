from __future__ import annotations

from shop import rates


def test_half() -> None:
    assert rates.exchanged(1000, 0.5) == 500


def test_rate_is_kept() -> None:
    rates.remember("EUR", 0.92)
    assert "EUR" in rates.known()


def test_the_same_amount() -> None:
    assert rates.exchanged(1000, 1.0) == 1000
