"""Pieces of an SVG picture: escaped text that fits, boxes with words behind them, many thin boxes as one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final

from toxscreen.report.visible import visible

#: Pixels of a character at a font size of one pixel, about: sans-serif fonts differ, and none is loaded.
_CHARACTER: Final = 0.56
#: What XML cannot hold, and :func:`visible` leaves as it is.
_NO_XML: Final = re.compile("[\ufffe\uffff]")


def text_of(words: str) -> str:
    """Words as they can stand in a picture: escaped, on as many lines as they have."""
    return escape(_NO_XML.sub("\ufffd", visible(words)))


def fitted(words: str, width: float, size: float) -> str:
    """Words in one line, cut off so that they are about so wide; nothing where not even three characters are.

    Args:
        words: not escaped.
        width: in pixels.
        size: of the font, in pixels.
    """
    line = " ".join(visible(words).split())
    most = int(width / (size * _CHARACTER))
    if len(line) <= most:
        return line
    return f"{line[: most - 1]}\N{HORIZONTAL ELLIPSIS}" if most > 2 else ""  # noqa: PLR2004 - two would say nothing


def number(value: float) -> str:
    """Pixels with at most two digits behind the point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def text(words: str, x: float, y: float, style: str = "") -> str:
    """A line of text.

    Args:
        words: not escaped.
        x: in pixels.
        y: of its foot, in pixels.
        style: classes of the picture's style sheet.
    """
    classes = f' class="{style}"' if style else ""
    return f'<text x="{number(x)}" y="{number(y)}"{classes}>{text_of(words)}</text>'


def box(style: str, left: float, top: float, width: float, height: float, *, words: str = "") -> str:
    """A box, with words that a browser shows under the mouse.

    Args:
        style: class of the picture's style sheet.
        left: in pixels, like what follows.
        top: its upper edge.
        width: of it.
        height: of it.
        words: not escaped; nothing: no words.
    """
    shape = f'<rect class="{style}" x="{number(left)}" y="{number(top)}" width="{number(width)}" height="{height:g}"'
    return f"{shape}><title>{text_of(words)}</title></rect>" if words else f"{shape}/>"


def strip(style: str, spans: Iterable[tuple[float, float]], middle: float, height: float) -> str:
    """Many boxes without words in one row, as one broken line that is as thick as they are high.

    Args:
        style: class of the picture's style sheet.
        spans: left and right edge of each, in pixels, from left to right.
        middle: of the row, in pixels.
        height: of the boxes, in pixels.
    """
    # Moves are relative, and rounded so that their errors do not add up: two characters a move, not six.
    moves, now = [], 0
    for left, right in spans:
        begin, end = round(left * 10), round(right * 10)
        moves.append(f"m{_tenths(begin - now)} 0h{_tenths(end - begin)}")
        now = end
    path = f"M0 {number(middle)}{''.join(moves)}"
    return f'<path class="{style}" stroke-width="{height:g}" d="{path}"/>' if moves else ""


def _tenths(value: int) -> str:
    shown = f"{value / 10:g}"
    return shown[1:] if shown.startswith("0.") else shown


def merged(spans: Iterable[tuple[float, float]], least: float) -> list[tuple[float, float]]:
    """Spans that do not overlap, where what is narrower than that, or that near, is made one with its neighbour.

    Args:
        spans: left and right edge of each, in pixels, from left to right.
        least: in pixels.
    """
    found: list[tuple[float, float]] = []
    for left, right in spans:
        if found and left - found[-1][1] < least:
            found[-1] = (found[-1][0], max(right, found[-1][1]))
        else:
            found.append((left, max(right, left + least)))
    return found
