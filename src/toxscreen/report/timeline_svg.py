"""A timeline as an SVG picture: a row a lane, a box a test, and below it the longest tests and what bounds the run.

It needs nothing beside itself, follows the reader's choice of light or dark, and stays small: what is too narrow to be
seen is drawn as one with its neighbour, and only the longest tests and fixtures have words under the mouse.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Final

from toxscreen.model import Slice, SliceKind, Timeline
from toxscreen.report.drawing import box, fitted, number, text, text_of
from toxscreen.report.lane_svg import Row, seconds
from toxscreen.report.lane_svg import render as lane_svg

_WIDTH: Final = 1200.0
_LEFT, _RIGHT = 78.0, 62.0
_PLOT: Final = _WIDTH - _LEFT - _RIGHT
_MARGIN: Final = 14.0
_LINE: Final = 17.0
#: Up to so many lanes rows are so high and so far apart.
_ROWS: Final = ((6, 34.0, 6.0), (16, 24.0, 4.0), (32, 17.0, 3.0))
_MANY: Final = (12.0, 2.0)
#: So many tests and fixtures have words; so many tests are listed.
_TESTS, _FIXTURES, _LISTED = 1000, 300, 10
#: Pixels that can be told apart, and lanes from which on there is no room for them.
_GRAIN, _CROWDED = 0.5, 48
_TICKS: Final = 12
_STEPS: Final = (
    *(step * 10.0**power for power in range(-6, 1) for step in (1, 2, 5)),
    *(10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0),
)
_MINUTE, _HOUR = 60.0, 3600.0
_LEGEND: Final = (
    ("p", "passed"),
    ("k", "skipped, xfailed, not run"),
    ("r", "red"),
    ("s", "set-up, teardown"),
    ("f", "fixture"),
    ("u", "starting"),
    ("c", "collecting"),
    ("i", "idle"),
    ("a", "after the last test"),
)
_STYLE: Final = """\
text{font:11px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328}
.h{font-size:16px;font-weight:600}.m{fill:#59636e}.e{text-anchor:end}.t{text-anchor:middle;fill:#59636e}
.n{font-size:10px;fill:#fff;text-anchor:middle;pointer-events:none;paint-order:stroke;stroke:#000;stroke-opacity:.4;stroke-width:2px}
.b{fill:#fff}.g{stroke:#d5dbe1;stroke-width:1}.s{fill:#fff;fill-opacity:.32}.l{fill:#2a8260}
.p{fill:#2a8260;stroke:#2a8260}.k{fill:#b07d18;stroke:#b07d18}.r{fill:#cf2f3c;stroke:#cf2f3c}
.f{fill:#7a55cc;stroke:#7a55cc}.u{fill:#c0c8d1}.c{fill:#86aedb}.i{fill:#edf0f3}.a{fill:#dacdb4}
rect{stroke:none!important}path{fill:none!important}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.m,.t{fill:#9aa4af}.b{fill:#0d1117}.g{stroke:#2c333b}.n{fill:#fff}
.s{fill-opacity:.18}.u{fill:#515c68}.c{fill:#36618f}.i{fill:#1b2128}.a{fill:#5d5340}
.p{fill:#2f8f6b;stroke:#2f8f6b}.k{fill:#a87a1f;stroke:#a87a1f}.r{fill:#dd4651;stroke:#dd4651}
.f{fill:#9a7ae6;stroke:#9a7ae6}.l{fill:#2f8f6b}}
"""


def render(timeline: Timeline, notes: Sequence[str] = ()) -> str:
    """The picture.

    Args:
        timeline: of a run.
        notes: lines below it: what bounds the run; one that begins with a space belongs to the one before.
    """
    height, gap = next((row[1:] for row in _ROWS if len(timeline.tracks) <= row[0]), _MANY)
    top = 108.0
    foot = top + len(timeline.tracks) * (height + gap)
    tests = [each for track in timeline.tracks for each in track.tests]
    longest = heapq.nlargest(_LISTED, tests, key=lambda each: each.seconds)
    shapes = [
        *_head(timeline, len(tests)),
        *_axis(timeline.seconds, top, foot),
        *_lanes(timeline, longest, top, height, gap),
        *_longest(longest, timeline, foot + 44),
    ]
    end = foot + 44 + _LINE * (len(longest) + 2 if longest else 0)
    if notes:
        shapes.extend(_notes(notes, end))
    whole = end + _LINE * (len(notes) + 1 if notes else 0)
    name = text_of(f"timeline of run {timeline.run}")
    drawn = "\n".join(filter(None, shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {number(whole)}" width="{_WIDTH:g}"'
        f' height="{number(whole)}" role="img" aria-label="{name}">\n<title>{name}</title>\n'
        f"<style>\n{_STYLE}</style>\n{box('b', 0, 0, _WIDTH, round(whole, 2))}\n{drawn}\n</svg>\n"
    )


def _head(timeline: Timeline, tests: int) -> Iterator[str]:
    yield text(f"run {timeline.run}", _MARGIN, 28, "h")
    lanes = len(timeline.tracks)
    told = [
        f"{seconds(timeline.seconds)} altogether",
        f"{tests} {'test' if tests == 1 else 'tests'} on {lanes} {'lane' if lanes == 1 else 'lanes'}",
        f"the first test began after {seconds(timeline.first)}, the last ended after {seconds(timeline.last)}",
    ]
    yield text(" \N{MIDDLE DOT} ".join(told), _MARGIN, 48, "m")
    x = _MARGIN
    for style, words in _LEGEND:
        # A phase is a lighter part of a test.
        yield from (box(each, x, 61, 12, 12) for each in (("p", "s") if style == "s" else (style,)))
        yield text(words, x + 17, 71, "m")
        x += 17 + 6 * len(words) + 16


def _axis(whole: float, top: float, foot: float) -> Iterator[str]:
    scale = _scale(whole)
    step = next((each for each in _STEPS if whole / each <= _TICKS), _STEPS[-1])
    for tick in range(int(whole / step + 1e-9) + 1):
        x = _LEFT + tick * step * scale
        yield f'<path class="g" d="M{number(x)} {top - 8:g}V{number(foot)}"/>'
        for y in (top - 12, *((foot + 14,) if foot - top > 400 else ())):  # noqa: PLR2004 - taller than half a screen
            yield text(_tick(tick * step, step), x, y, "t")


def _tick(moment: float, step: float) -> str:
    if step >= _HOUR:
        return f"{moment / _HOUR:g} h"
    return f"{moment / _MINUTE:g} min" if step >= _MINUTE else f"{moment:g} s"


def _scale(whole: float) -> float:
    """Pixels of a second."""
    return _PLOT / whole if whole > 0 else 0.0


def _lanes(timeline: Timeline, longest: Sequence[Slice], top: float, height: float, gap: float) -> Iterator[str]:
    lanes = len(timeline.tracks)
    words = _with_words(timeline)
    marks = {id(each): place for place, each in enumerate(longest, 1)}
    whole = timeline.seconds
    for place, track in enumerate(timeline.tracks):
        y = top + place * (height + gap)
        row = Row(_LEFT, y, height, _scale(whole), _GRAIN * max(1.0, lanes / _CROWDED), marks, words)
        middle = y + height / 2 + 4
        yield text(fitted(track.lane, _LEFT - _MARGIN - 6, 11), _LEFT - 8, middle, "e")
        yield from lane_svg(track, row)
        busy = 100 * track.spent(SliceKind.TEST, SliceKind.FIXTURE) / whole if whole else 0.0
        yield text(f"{busy:.0f} %", _WIDTH - _MARGIN, middle, "e m")
    if lanes:
        yield text("busy", _WIDTH - _MARGIN, top - 12, "e m")


def _with_words(timeline: Timeline) -> frozenset[int]:
    """The longest tests and fixtures."""
    tests = (each for track in timeline.tracks for each in track.tests)
    parts = (
        part
        for track in timeline.tracks
        for each in track.slices
        for phase in (each, *each.parts)
        for part in (phase, *phase.parts)
        if part.kind is SliceKind.FIXTURE
    )
    chosen = (
        *heapq.nlargest(_TESTS, tests, key=lambda each: each.seconds),
        *heapq.nlargest(_FIXTURES, {id(part): part for part in parts}.values(), key=lambda each: each.seconds),
    )
    return frozenset(map(id, chosen))


def _notes(notes: Sequence[str], y: float) -> Iterator[str]:
    yield text("What bounds it", _MARGIN, y, "h")
    for note in notes:
        y += _LINE
        x = 2 * _MARGIN if note.startswith(" ") else _MARGIN
        yield text(fitted(note, _WIDTH - x - _MARGIN, 11), x, y)


def _longest(longest: Sequence[Slice], timeline: Timeline, y: float) -> Iterator[str]:
    if not longest:
        return
    yield text("Longest tests", _MARGIN, y, "h")
    lanes = {id(each): track.lane for track in timeline.tracks for each in track.tests}
    for place, each in enumerate(longest, 1):
        y += _LINE
        yield text(str(place), _MARGIN + 14, y, "e m")
        yield text(seconds(each.seconds), _MARGIN + 78, y, "e")
        yield text(f"{lanes[id(each)]} from {seconds(each.start)} on", _MARGIN + 90, y, "m")
        yield text(fitted(each.name, _WIDTH - 240 - _MARGIN, 11), 240, y)
