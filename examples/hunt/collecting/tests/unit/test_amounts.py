from __future__ import annotations

from shop.numbers import amount, parsed


def test_decimals_follow_a_point() -> None:
    assert amount(123456) == "1234.56"


def test_small_amounts_end_in_two_digits() -> None:
    assert amount(7)[-2:] == "07"


def test_parsed() -> None:
    assert parsed("12.50") == 1250


def test_parsed_without_cents() -> None:
    assert parsed("12") == 1200
