"""What bounds a run because of how its tests share the workers: long, few, late ones, files on one lane. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final, NamedTuple

from toxscreen.model import Bound, BoundKind
from toxscreen.plan.busy import Busy, longest_first
from toxscreen.plan.timely import listed, told, words_of

_ROUNDING: Final = 1e-9
_LISTED: Final = 10


class Held(NamedTuple):
    """A file whose tests all ran on one lane and took more than an even share of the work."""

    lane: str
    tests: int
    seconds: float


def held_together(seen: Busy) -> dict[str, Held]:
    """Files of which one lane ran all tests, and longer than an even share of the work takes.

    Args:
        seen: the run.
    """
    found: dict[str, Held | None] = {}
    for test, lane in zip(seen.tests, seen.lanes, strict=True):
        file = test.name.partition("::")[0]
        known = found.setdefault(file, Held(lane, 0, 0.0))
        if known is not None:
            found[file] = Held(lane, known.tests + 1, known.seconds + test.seconds) if known.lane == lane else None
    return {
        file: held
        for file, held in found.items()
        if held is not None and held.tests > 1 and seen.workers > 1 and held.seconds > seen.even
    }


def pieces(seen: Busy, held: Mapping[str, Held]) -> list[float]:
    """Seconds of what can be given to any worker: tests, and files that are held together.

    Args:
        seen: the run.
        held: of :func:`held_together`.
    """
    single = [test.seconds for test in seen.tests if test.name.partition("::")[0] not in held]
    return single + [each.seconds for each in held.values()]


def sharing(seen: Busy, held: Mapping[str, Held]) -> list[Bound | None]:
    """What bounds a run because of how its tests share the workers; nothing where there is one.

    Args:
        seen: the run.
        held: of :func:`held_together`.
    """
    if seen.workers == 1:
        return []
    long, few = _long(seen), _few(seen)
    # Both are about tests too big for the workers: of two reasons for one wait, the greater is told.
    bigger = few if long is None or few.gain >= long.gain - _ROUNDING else long
    return [bigger, _held(seen, held), _imbalance(seen, pieces(seen, held))]


def _long(seen: Busy) -> Bound | None:
    """Gain: from the makespan to an even share of the work.

    That a test is longer than that share is what makes it a bound; all that are have to be split for it.
    """
    over = sorted((each for each in seen.tests if each.seconds > seen.even), key=lambda each: -each.seconds)
    if not over:
        return None
    second = over[1].seconds if len(over) > 1 else 0.0
    alone = seen.makespan - max(second, seen.even)
    share = f"more than an even share of the work ({told(seen.even)})"
    if len(over) == 1:
        words, remedy = f"{words_of(over[0])} takes {share}", "split it, or make it faster"
    else:
        words = f"{len(over)} tests each take {share}: {listed([words_of(each) for each in over])}"
        remedy = f"split them, or make them faster; the longest alone: {told(alone)}"
    return Bound(
        BoundKind.LONG_TEST,
        words,
        remedy,
        seen.makespan - seen.even,
        {
            "tests": {each.name: each.seconds for each in over},
            "even_share_seconds": seen.even,
            "gain_of_longest_alone": alone,
        },
    )


def _few(seen: Busy) -> Bound:
    """Gain: what so many equally long tests would lose on so many workers, at most what the end's idleness costs."""
    number = len(seen.tests)
    lost = seen.total * (ceil(number / seen.workers) / number - 1 / seen.workers)
    return Bound(
        BoundKind.FEW_TESTS,
        f"{number} {'test does' if number == 1 else 'tests do'} not keep {seen.workers} workers busy to the end",
        "more and smaller tests would; with fewer workers it takes as long",
        max(0.0, min(seen.tail / seen.workers, lost)),
        {"tests": number, "workers": seen.workers, "idle_at_the_end_seconds": seen.tail},
    )


def _held(seen: Busy, held: Mapping[str, Held]) -> Bound | None:
    """Gain: from the makespan to an even share of the work, or to the longest test where that is more."""
    if not held:
        return None
    files = sorted(held, key=lambda file: -held[file].seconds)
    named = [f"{file} ({held[file].tests} tests on {held[file].lane}, {told(held[file].seconds)})" for file in files]
    share = f"more than an even share of the work ({told(seen.even)})"
    return Bound(
        BoundKind.HELD_TOGETHER,
        f"one worker ran all tests of a file, {share}: {listed(named)}",
        "let several workers run them: split the file, or drop what holds it together (--dist, xdist_group)",
        max(0.0, seen.makespan - max(seen.even, seen.longest)),
        {"files": {file: held[file].seconds for file in files}, "even_share_seconds": seen.even},
    )


def _imbalance(seen: Busy, work: list[float]) -> Bound:
    """Gain: from the makespan to what longest-first makes of the same work, or to an even share where that is more."""
    place = max(range(len(seen.tests)), key=lambda place: seen.tests[place].end)
    lane = seen.lanes[place]
    quiet = seen.first + min(seen.ends.values())
    late = [test for test, on in zip(seen.tests, seen.lanes, strict=True) if on == lane and test.end > quiet]
    late.sort(key=lambda test: -test.seconds)
    more = f" and {len(late) - 1} more" if len(late) > 1 else ""
    longest = f"{words_of(late[0])}{more}" if late else "its last test"
    return Bound(
        BoundKind.IMBALANCE,
        f"workers are idle for {told(seen.tail)} altogether at the end, while {lane} goes on with {longest}",
        "begin long tests first, and let idle workers take what waits behind them",
        max(0.0, seen.makespan - max(longest_first(work, seen.workers), seen.even)),
        {
            "idle_at_the_end_seconds": seen.tail,
            "lane": lane,
            "tests": {test.name: test.seconds for test in late[:_LISTED]},
        },
    )
