"""What is said of an earlier finding after what was seen of its test now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from toxscreen.model import Frame, Isolation, IsolationKind, Origin, Outcome, Sighting, Standing

#: A standing and why.
Ruled = tuple[Standing, str]

#: In which way a test of this kind fails, and in which it passes; nothing where there is no such way.
_WAYS: Final = {
    IsolationKind.VICTIM: ("after them", "alone"),
    IsolationKind.BRITTLE: ("alone", "after them"),
    IsolationKind.SELF_POLLUTING: ("the second time", "the first time"),
    IsolationKind.COLLECTION: ("collected together", "with its own file only"),
    IsolationKind.DETERMINISTIC: ("alone", ""),
    IsolationKind.CONFLICT: ("side by side", "alone"),
}
#: Outcomes that say nothing about a bug, in words.
_BLANK: Final = {
    Outcome.SKIPPED: "it is skipped now",
    Outcome.XFAILED: "it is expected to fail now",
    Outcome.NOT_RUN: "it was not reached",
}
#: What tells most, of several looks at one finding.
_RANK: Final = (Standing.STILL_THERE, Standing.CHANGED, Standing.UNJUDGED, Standing.FIXED)
#: What ended without an exception, as findings name it.
_ENDED: Final = frozenset({Outcome.TIMED_OUT.value, Outcome.CRASHED.value})


def rule(finding: Isolation, failing: Sequence[Sighting], passing: Sequence[Sighting]) -> Ruled:
    """What was seen of a test held against what was found then.

    Args:
        finding: as it was.
        failing: each time in the way in which it failed.
        passing: each time in the way in which it passed; nothing where there was no such way.

    Returns:
        The standing, and why.
    """
    fails, passes = _WAYS[finding.kind]
    red = [each for each in failing if each.outcome.red]
    wrong = [each for each in passing if each.outcome.red]
    if wrong:
        also = " as well" if red else ""
        return Standing.CHANGED, f"fails {passes}{also} now{_counted(wrong, passing)} ({where(wrong[0])})"
    blank = [_BLANK[each.outcome] for each in failing if each.outcome in _BLANK]
    blank += [_BLANK[each.outcome] for each in passing if each.outcome is Outcome.NOT_RUN]
    if not red:
        if blank:
            return Standing.UNJUDGED, f"{blank[0]}, which shows nothing"
        return Standing.FIXED, f"passes {fails}, {len(failing)} of {len(failing)} times"
    if len(red) < len(failing):
        return Standing.CHANGED, f"fails {fails}{_counted(red, failing)} now ({where(red[0])})"
    other = next((each for each in red if not is_same(finding, each)), None)
    if other is not None:
        return Standing.CHANGED, f"fails {fails} in another way: {where(other)}"
    if blank:
        return Standing.UNJUDGED, f"{blank[0]}, which shows nothing"
    return Standing.STILL_THERE, f"fails {fails}{_counted(red, failing)}{_moved(finding.origin, red[0].origin)}"


def rule_on_chance(finding: Isolation, seen: Sequence[Sighting]) -> Ruled:
    """The same for a test that failed by chance.

    Args:
        finding: as it was.
        seen: of the test, each time.
    """
    seen = [each for each in seen if each.outcome is not Outcome.NOT_RUN]
    red = [each for each in seen if each.outcome.red]
    if not red:
        blank = next((_BLANK[each.outcome] for each in seen if each.outcome in _BLANK), None)
        if blank is not None or not seen:
            return Standing.UNJUDGED, f"{blank or _BLANK[Outcome.NOT_RUN]}, which shows nothing"
        return Standing.FIXED, f"passes, {len(seen)} of {len(seen)} times; chance can be rarer than that"
    if len(red) == len(seen):
        return Standing.CHANGED, f"fails{_counted(red, seen)} now ({where(red[0])})"
    if any(is_same(finding, each) for each in red):
        return Standing.STILL_THERE, f"fails{_counted(red, seen)}"
    return Standing.CHANGED, f"fails in another way{_counted(red, seen)}: {where(red[0])}"


def rule_on_conflict(finding: Isolation, failures: Sequence[Sighting | None], alone: Sequence[Sighting]) -> Ruled:
    """The same for two tests that did not get along side by side.

    Args:
        finding: as it was.
        failures: each time the first failure of several rounds side by side, or None.
        alone: both tests, each time by themselves.
    """
    # Which of the two suffers is chance, and how the other one fails is not known.
    other = next((each for each in failures if each is not None and each.node_id != finding.node_id), None)
    own = Sighting(finding.node_id, Outcome.FAILED, finding.origin, finding.text)
    seen = [Sighting(finding.node_id, Outcome.PASSED) if each is None else each for each in failures]
    seen = [own if each is other or each.node_id != finding.node_id else each for each in seen]
    blank = next((each for each in alone if each.outcome in _BLANK), None)
    if blank is not None and not any(each.outcome.red for each in (*seen, *alone)):
        return Standing.UNJUDGED, f"{blank.node_id}: {_BLANK[blank.outcome]}, which shows nothing"
    standing, words = rule(finding, seen, alone)
    if standing is Standing.FIXED:
        return standing, f"neither fails side by side, {len(failures)} of {len(failures)} times"
    if standing is Standing.STILL_THERE and other is not None:
        words += f"; {other.node_id} failed this time"
    return standing, words


def weightiest(ruled: Sequence[Ruled]) -> Ruled:
    """Of several looks at one finding the one that counts: it is fixed only if no other look says otherwise."""
    return min(ruled, key=lambda each: _RANK.index(each[0]))


def is_same(finding: Isolation, seen: Sighting) -> bool:
    """Whether a failure is the one that was found then: lines may have moved, exceptions and files may not."""
    if finding.origin is not None and seen.origin is not None:
        return _without_lines(finding.origin) == _without_lines(seen.origin)
    ended = seen.outcome.value if seen.outcome.value in _ENDED else None
    return ended == (finding.text if finding.text in _ENDED else None)


def _without_lines(origin: Origin) -> list[tuple[str, str]]:
    links = (Frame(origin.exception, origin.file, origin.line), *origin.causes)
    return [(each.exception, each.file) for each in links]


def _moved(then: Origin | None, now: Origin | None) -> str:
    if then is None or now is None or then.line == now.line:
        return ""
    return f"; the line was {then.line} and is {now.line} now"


def _counted(some: Sequence[Sighting], of: Sequence[Sighting]) -> str:
    return f", {len(some)} of {len(of)} times"


def where(seen: Sighting) -> str:
    """What went wrong, and where."""
    return f"{seen.words}, {seen.origin.file}:{seen.origin.line}" if seen.origin else seen.words
