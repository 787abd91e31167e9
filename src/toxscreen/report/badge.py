"""A badge: a label and a value, as a small SVG picture and as JSON for shields.io. Pure text."""

from __future__ import annotations

import json
from html import escape
from typing import Final

#: Width of a character in pixels at 11 pixels: Verdana, which most badges ask for. Others are as wide as a digit.
_WIDTHS: Final = {
    **dict.fromkeys("il.,:;'|! ", 3.9),
    **dict.fromkeys("frtjI()[]/-", 4.8),
    **dict.fromkeys("abcdeghknopqsuvxyz", 6.5),
    **dict.fromkeys("mwMW", 10.2),
    "%": 11.8,
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ", 7.8),
}
_DIGIT: Final = 7.0
_SPACE: Final = 6
_HEIGHT: Final = 20
_GREY: Final = "#555"
#: Colour words of shields.io, with their values there.
_COLOURS: Final = {"brightgreen": "#44cc11", "green": "#97ca00", "orange": "#fe7d37", "red": "#e05d44"}
#: Percentage points under a limit from which on it is missed by far.
_FAR: Final = 10.0


def colour(measured: float, limit: float) -> str:
    """The word for the colour of a percentage: bright green is all of it, red is far under the limit.

    Args:
        measured: in percent.
        limit: what is demanded, in percent.
    """
    if measured >= limit:
        return "brightgreen" if measured >= 100 else "green"  # noqa: PLR2004 - percent
    return "orange" if measured > limit - _FAR else "red"


def svg(label: str, value: str, word: str) -> str:
    """The picture.

    Args:
        label: the left part.
        value: the right part.
        word: a colour of :func:`colour`.
    """
    left, right = _width(label), _width(value)
    whole, title = left + right, f"{label}: {value}"
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" role="img" aria-label="{escape(title)}">
<title>{escape(title)}</title>
<clipPath id="edge"><rect width="{whole}" height="{_HEIGHT}" rx="3"/></clipPath>
<g clip-path="url(#edge)">
<rect width="{left}" height="{_HEIGHT}" fill="{_GREY}"/>
<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{_COLOURS[word]}"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
{_text(label, 0, left)}
{_text(value, left, right)}
</g>
</svg>
"""


def endpoint(label: str, value: str, word: str) -> str:
    """What an endpoint badge of shields.io reads.

    Args:
        label: the left part.
        value: the right part.
        word: a colour of :func:`colour`.
    """
    return json.dumps({"schemaVersion": 1, "label": label, "message": value, "color": word}, indent=1) + "\n"


def _width(text: str) -> int:
    """Pixels of a part: its text and the space around it."""
    return round(sum(_WIDTHS.get(character, _DIGIT) for character in text)) + 2 * _SPACE


def _text(text: str, start: int, width: int) -> str:
    # `textLength` makes the text fit also where another font takes its place.
    return f'<text x="{start + width / 2:g}" y="14" textLength="{width - 2 * _SPACE}">{escape(text)}</text>'
