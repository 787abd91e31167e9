"""One lane of a timeline as a row of an SVG picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from toxscreen.model import Outcome, Slice, SliceKind, Track
from toxscreen.report.drawing import box, fitted, merged, number, strip, text_of

#: Pixels from which on a box gets words, a phase is shown, or a name is written.
_WORDS, _PHASE, _NAME, _PAUSE = 2.0, 1.5, 44.0, 8.0
_NARROW: Final = 2.0
#: Pixels that a red test has at least.
_SEEN: Final = 1.0
#: Pixels between two boxes that touch.
_EDGE: Final = 0.5
_FONT: Final = 10.0
#: Rows that are lower have no names in them.
_NAMES_FROM: Final = 16.0
#: Classes of the style sheet, from below to above: what is rare is not hidden.
_STYLES: Final = ("p", "k", "r")
_GROUND: Final = {SliceKind.STARTING: "u", SliceKind.COLLECTING: "c", SliceKind.AFTER: "a"}


@dataclass(frozen=True, slots=True)
class Row:
    """Where a lane is drawn, and what of it gets words; lengths are in pixels."""

    left: float
    top: float
    height: float
    #: Of one second.
    scale: float
    #: What is nearer than that is drawn as one.
    grain: float
    #: Numbers of the longest tests, by identity of their slice.
    marks: Mapping[int, int]
    #: Identities of slices of tests and fixtures that have words.
    with_words: frozenset[int]

    def x(self, seconds: float) -> float:
        """Where a moment is."""
        return self.left + seconds * self.scale

    def span(self, each: Slice) -> tuple[float, float]:
        """Left and right edge of a slice."""
        return self.x(each.start), self.x(each.end)


def render(track: Track, row: Row) -> Iterator[str]:
    """The shapes of a lane, lowest first: its ground, tests by outcome, fixtures, names.

    Args:
        track: the lane.
        row: where it is drawn.
    """
    yield from _ground(track, row)
    tests = track.tests
    yield from _tests(tests, track.lane, row)
    fixtures = [each for each in _flat(track.slices) if each.kind is SliceKind.FIXTURE]
    yield from _fixtures(fixtures, row)
    yield from _names(tests, row)


def _ground(track: Track, row: Row) -> Iterator[str]:
    """From when a lane begins to when it ends, it is idle where nothing else is drawn."""
    if track.slices:
        left, right = row.x(track.slices[0].start), row.x(track.slices[-1].end)
        yield box("i", left, row.top, right - left, row.height)
    for each in track.slices:
        left, right = row.span(each)
        style = _GROUND.get(each.kind)
        if style is not None:
            words = f"{track.lane}: {each.kind.value}, {seconds(each.seconds)}"
            yield box(style, left, row.top, right - left, row.height, words=words)
        elif each.kind is SliceKind.IDLE and right - left >= _PAUSE:
            words = f"{track.lane}: idle for {seconds(each.seconds)} from {seconds(each.start)} on"
            yield box("i", left, row.top, right - left, row.height, words=words)


def _tests(tests: Sequence[Slice], lane: str, row: Row) -> Iterator[str]:
    single: list[Slice] = []
    thin: list[Slice] = []
    for each in tests:
        left, right = row.span(each)
        (single if id(each) in row.with_words and right - left >= _WORDS else thin).append(each)
    for style in _STYLES:
        of_style = [row.span(each) for each in thin if _style(each) == style]
        wide = (span for span in merged(of_style, row.grain))
        shown = [(left, right - _EDGE if right - left > _NARROW else right) for left, right in wide]
        if style == "r":
            shown = [(left, max(right, left + _SEEN)) for left, right in shown]
        yield strip(style, shown, row.top + row.height / 2, row.height)
    for each in single:
        left, right = row.span(each)
        yield box(_style(each), left, row.top, right - left - _EDGE, row.height, words=words_of(each, lane))
        for part in each.parts:
            begin, end = row.span(part)
            if part.kind is not SliceKind.CALL and end - begin >= _PHASE:
                yield box("s", begin, row.top, min(end, right - _EDGE) - begin, row.height)


def _style(test: Slice) -> str:
    outcome = test.attempt.outcome if test.attempt else Outcome.PASSED
    if outcome.red:
        return "r"
    return "p" if outcome is Outcome.PASSED else "k"


def _fixtures(fixtures: Sequence[Slice], row: Row) -> Iterator[str]:
    height = max(2.0, round(row.height / 4))
    top = row.top + row.height - height
    thin = []
    for each in fixtures:
        left, right = row.span(each)
        if id(each) in row.with_words and right - left >= _WORDS:
            words = f"fixture {each.name}: {seconds(each.seconds)} from {seconds(each.start)} on"
            yield box("f", left, top, right - left, height, words=words)
        else:
            thin.append((left, right))
    yield strip("f", merged(sorted(thin), row.grain), top + height / 2, height)


def _names(tests: Sequence[Slice], row: Row) -> Iterator[str]:
    """The longest tests by number, and names where there is room for one."""
    if row.height < _NAMES_FROM:
        return
    foot = row.top + row.height / 2 + _FONT * 0.36
    for each in tests:
        if id(each) not in row.with_words:
            continue
        left, right = row.span(each)
        mark = row.marks.get(id(each))
        name = each.name.rpartition("::")[2] if right - left >= _NAME else ""
        words = fitted(" ".join(filter(None, [str(mark or ""), name])), right - left - 6, _FONT)
        if not words and mark is not None and right - left >= _FONT * 0.6 * len(str(mark)):
            words = str(mark)
        if words:
            middle = (left + right) / 2
            yield f'<text class="n" x="{number(middle)}" y="{number(foot)}">{text_of(words)}</text>'


def _flat(slices: Sequence[Slice]) -> Iterator[Slice]:
    for each in slices:
        yield each
        yield from _flat(each.parts)


def words_of(test: Slice, lane: str) -> str:
    """What is told of a test under the mouse.

    Args:
        test: its slice.
        lane: where it ran.
    """
    attempt = test.attempt
    if attempt is None:
        return test.name
    first = f"{attempt.outcome.value}, {seconds(test.seconds)} on {lane} from {seconds(test.start)} on"
    phases = (("set-up", attempt.setup), ("call", attempt.call), ("teardown", attempt.teardown))
    spent = (("computed", attempt.cpu), ("slept", attempt.slept), ("other programs", attempt.children))
    lines = [", ".join(f"{name} {seconds(took)}" for name, took in each if took) for each in (phases, spent)]
    return "\n".join([test.name, first, *filter(None, lines)])


def seconds(value: float) -> str:
    """Seconds for people, to the millisecond where they are few."""
    return f"{value:.1f} s" if value >= 100 else f"{value:.2f} s" if value >= 1 else f"{value:.3f} s"  # noqa: PLR2004
