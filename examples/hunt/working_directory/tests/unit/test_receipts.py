from __future__ import annotations

from shop.receipts import listed, receipt


def test_receipt_of_two_things() -> None:
    assert receipt("Anna", ["tea", "cup"]) == "Bought by Anna: cup, tea"


def test_things_are_sorted() -> None:
    assert listed(["b", "a"]) == "a, b"


def test_no_things() -> None:
    assert listed([]) == "nothing"
