from __future__ import annotations

from shop.exports import line


def test_line_of_an_order() -> None:
    assert line(7, 1250) == "7;12.50"


def test_line_of_a_gift() -> None:
    assert line(8, 0) == "8;0.00"
