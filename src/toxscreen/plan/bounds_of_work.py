"""What bounds a run because of what fills its lanes: fixtures made again, sleeping, idleness between tests. Pure."""

from __future__ import annotations

from typing import NamedTuple

from toxscreen.model import Bound, BoundKind, SliceKind
from toxscreen.plan.busy import Busy
from toxscreen.plan.timely import fixture_words, listed, told

_LISTED = 10


class _Made(NamedTuple):
    """One set-up or teardown of a fixture."""

    start: float
    seconds: float
    #: Place of the test in which it was.
    place: int
    phase: SliceKind


def fixtures(seen: Busy) -> Bound | None:
    """Fixtures wider than a test that were made more than once.

    Gain: every set-up and teardown but the first of each fixture is gone.

    Args:
        seen: the run.
    """
    made: dict[str, list[_Made]] = {}
    for place, test in enumerate(seen.tests):
        for phase in test.parts:
            for part in phase.parts:
                made.setdefault(part.name, []).append(_Made(part.start, part.seconds, place, phase.kind))
    removed: dict[int, float] = {}
    costs: dict[str, float] = {}
    words: dict[str, str] = {}
    for key, each_made in made.items():
        repeated = _repeated(each_made)
        for each in repeated:
            removed[each.place] = removed.get(each.place, 0.0) + each.seconds
        if repeated:
            costs[key] = sum(each.seconds for each in repeated)
            times = sum(each.phase is SliceKind.SETUP for each in each_made)
            lanes = len({seen.lanes[each.place] for each in each_made})
            where = f"{lanes} workers" if lanes > 1 else "one worker"
            words[key] = f"{fixture_words(key)}, {times} times on {where}, {told(costs[key])} after the first"
    if not costs:
        return None
    dearest = sorted(costs, key=lambda key: -costs[key])
    return Bound(
        BoundKind.FIXTURES,
        f"fixtures are made more than once: {listed([words[key] for key in dearest])}",
        "make them cheaper, let workers share what they make, or keep their tests on one worker",
        seen.gain_without(removed),
        {"repeated_seconds": costs},
    )


def _repeated(made: list[_Made]) -> list[_Made]:
    """All but the first set-up and the first teardown."""
    firsts: dict[SliceKind, _Made] = {}
    for each in sorted(made):
        firsts.setdefault(each.phase, each)
    return [each for each in made if each is not firsts[each.phase]]


def sleeping(seen: Busy) -> Bound | None:
    """Tests that slept.

    Gain: what they slept is gone.

    Args:
        seen: the run.
    """
    slept = {
        place: min(test.attempt.slept, test.seconds)
        for place, test in enumerate(seen.tests)
        if test.attempt is not None and test.attempt.slept
    }
    if not slept:
        return None
    longest = sorted(slept, key=lambda place: -slept[place])
    named = [f"{seen.tests[place].name} ({told(slept[place])})" for place in longest]
    whole = sum(slept.values())
    return Bound(
        BoundKind.SLEEPING,
        f"tests sleep for {told(whole)} altogether: {listed(named)}",
        "wait for the thing itself, not for a time",
        seen.gain_without(slept),
        {"slept_seconds": whole, "tests": {seen.tests[place].name: slept[place] for place in longest[:_LISTED]}},
    )


def between(seen: Busy) -> Bound:
    """Idleness between tests.

    Gain: it is gone.

    Args:
        seen: the run.
    """
    idle = sum(seen.gaps.values())
    return Bound(
        BoundKind.BETWEEN_TESTS,
        f"workers are idle for {told(idle)} altogether between tests, for {told(seen.longest_gap)} at most",
        "under `tox -p` they wait for a core; else it is what the runner and plugins do between tests",
        seen.gain_of(seen.gaps, seen.longest),
        {"idle_seconds": dict(seen.gaps), "longest_seconds": seen.longest_gap},
    )
