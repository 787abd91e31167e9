from __future__ import annotations

from shop import numbers

# All letters of this file go to German customers.
numbers.STYLE["point"] = ","


def test_amount_in_a_letter() -> None:
    assert f"Summe: {numbers.amount(250000)} Euro" == "Summe: 2500,00 Euro"


def test_amount_of_nothing() -> None:
    assert numbers.amount(0) == "0,00"
