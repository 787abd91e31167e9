"""What bounds a run, and by how much it would be shorter without. Pure; docs/timeline.md has the rules in words.

Each gain is an estimate for one thing alone: gains do not add up, since two things can be to blame for the same wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from toxscreen.model import Bound, Bounded, BoundKind, Slice, SliceKind, Timeline
from toxscreen.plan.bounds_of_sharing import held_together, pieces, sharing
from toxscreen.plan.bounds_of_work import between, fixtures, sleeping
from toxscreen.plan.busy import Busy, busy, longest_first
from toxscreen.plan.timely import told

#: Share of a run from which on something is worth saying.
WORTH_SAYING: Final = 0.05
#: Seconds below which a gain is none, but what is left of rounding and of clocks.
_NOTHING: Final = 0.001


def bounds(timeline: Timeline, cores: int | None = None) -> Bounded:
    """What a run would be shorter without.

    Args:
        timeline: of the run.
        cores: of its machine, where that is known.

    Returns:
        Everything with a gain, from a millisecond on.
    """
    seen = busy(timeline)
    if not seen.tests:
        return Bounded((), 0.0, 0.0, "no test ran")
    held = held_together(seen)
    found = (
        *_before_tests(timeline),
        *sharing(seen, held),
        fixtures(seen),
        sleeping(seen),
        between(seen),
        _session_end(timeline),
    )
    gain, words = _one_more(seen, pieces(seen, held), cores)
    return Bounded(
        bounds=tuple(sorted((each for each in found if each and each.gain >= _NOTHING), key=lambda bound: -bound.gain)),
        ideal=max(seen.longest, seen.total / seen.workers),
        one_more=gain,
        one_more_words=words,
    )


def _before_tests(timeline: Timeline) -> list[Bound]:
    """Gain: all of the time. What is before the slowest worker is up is start-up, the rest collection."""
    at_first = [track for track in timeline.tracks if track.slices and track.slices[0].start <= 0]
    ups = {track.lane: track.spent(SliceKind.STARTING) for track in at_first}
    collecting = {track.lane: track.spent(SliceKind.COLLECTING) for track in at_first}
    up = min(timeline.first, max(ups.values(), default=0.0))
    rest = timeline.first - up
    workers, verb = ("the workers", "are") if len(timeline.tracks) > 1 else ("pytest", "is")
    slowest = max(collecting, key=lambda lane: collecting[lane], default="")
    took = f"; {slowest} collected for {told(collecting[slowest])}" if any(collecting.values()) else ""
    return [
        Bound(
            BoundKind.START_UP,
            f"{told(up)} pass until {workers} {verb} up" if took else f"{told(up)} pass before the first test",
            "look for plugins and imports of conftest.py that take long (python -X importtime -m pytest --version)",
            up,
            {"seconds": ups},
        ),
        Bound(
            BoundKind.COLLECTION,
            f"{told(rest)} pass from the start of {workers} to the first test{took}",
            "every worker imports all test files: look for imports and parameters that take long, or name fewer paths",
            rest,
            {"seconds": collecting},
        ),
    ]


def _session_end(timeline: Timeline) -> Bound:
    """Gain: all of the time."""
    after = timeline.seconds - timeline.last
    return Bound(
        BoundKind.SESSION_END,
        f"{told(after)} pass after the last test",
        "look at what plugins and conftest.py do when the session ends: reports, coverage data, services",
        after,
        {"seconds": after},
    )


def _one_more(seen: Busy, work: Sequence[float], cores: int | None) -> tuple[float, str]:
    """What one more worker gives: longest-first with both numbers, and never less than the cores need to compute."""
    computed = sum(map(_computed, seen.tests)) / cores if cores else 0.0
    now = max(longest_first(work, seen.workers), computed)
    then = max(longest_first(work, seen.workers + 1), computed)
    gain = max(0.0, min(seen.makespan, now - then))
    why = ""
    if gain < WORTH_SAYING * now:
        if then == computed:
            why = f": the tests compute for {told(computed)} on {cores} {'core' if cores == 1 else 'cores'}"
        elif then == max(work):
            why = f": the longest piece of work takes {told(then)}"
    return gain, f"one more worker would save {told(gain)}{why}"


def _computed(test: Slice) -> float:
    """Seconds of computing in a test; a short one, which nobody measured, did nothing else."""
    attempt = test.attempt
    if attempt is None or attempt.cpu is None:
        return test.seconds
    return attempt.cpu + (attempt.children or 0.0)
