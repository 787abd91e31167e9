"""The badge: a picture that a parser of XML reads, whose parts are as wide as their text."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from toxscreen.report.badge import colour, endpoint, svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("measured", "limit", "word"),
    [
        (100.0, 90.0, "brightgreen"),
        (100.0, 100.0, "brightgreen"),
        (99.99, 90.0, "green"),
        (90.0, 90.0, "green"),
        (89.99, 90.0, "orange"),
        (80.01, 90.0, "orange"),
        (80.0, 90.0, "red"),
        (0.0, 90.0, "red"),
    ],
)
def test_the_colour_tells_on_which_side_of_the_limit_it_is(measured: float, limit: float, word: str) -> None:
    assert colour(measured, limit) == word


@pytest.mark.parametrize(("value", "right"), [("9%", 31), ("80.00%", 56), ("100%", 45), ("100.00%", 63)])
def test_the_parts_are_as_wide_as_their_text(value: str, right: int) -> None:
    top = ET.fromstring(svg("coverage", value, "green"))
    left = 62
    boxes = [(float(box.get("x", 0)), float(box.get("width", 0))) for box in top.findall(f"{SVG}g/{SVG}rect")]
    assert boxes == [(0, left), (left, right)]
    assert float(top.get("width", 0)) == left + right
    texts = top.findall(f"{SVG}g/{SVG}text")
    assert [text.text for text in texts] == ["coverage", value]
    # Each text stands in the middle of its box, with the same space on both sides.
    for text, (start, width) in zip(texts, boxes, strict=True):
        assert float(text.get("x", 0)) == start + width / 2
        assert float(text.get("textLength", 0)) == width - 12


def test_text_is_escaped() -> None:
    top = ET.fromstring(svg('a<b & "c"', "<1%", "red"))
    assert top.get("aria-label") == 'a<b & "c": <1%'
    assert [text.text for text in top.iter(f"{SVG}text")] == ['a<b & "c"', "<1%"]


def test_the_endpoint_is_what_shields_reads() -> None:
    assert json.loads(endpoint("coverage", "80.00%", "green")) == {
        "schemaVersion": 1,
        "label": "coverage",
        "message": "80.00%",
        "color": "green",
    }
