"""How the lanes of a timeline were used from the first test to the last, and what less work would make of it. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from toxscreen.model import Slice, SliceKind, Timeline, Track


@dataclass(frozen=True, slots=True)
class Busy:
    """Figures of a timeline, in seconds."""

    workers: int
    first: float
    makespan: float
    tests: tuple[Slice, ...]
    #: The lane of each of them.
    lanes: tuple[str, ...]
    #: All tests together.
    total: float
    longest: float
    #: What lanes were idle between their last test and that of the run, together.
    tail: float
    #: What each lane was idle between the run's first test and its own last one.
    gaps: Mapping[str, float]
    longest_gap: float
    #: When each lane had no more to do, since the first test.
    ends: Mapping[str, float]

    @property
    def even(self) -> float:
        """The makespan if all lanes came to their end at the same time."""
        return self.makespan - self.tail / self.workers

    def gain_without(self, removed: Mapping[int, float]) -> float:
        """As :meth:`gain_of`, where parts of some tests are gone.

        Args:
            removed: seconds by the test's place in ``tests``.
        """
        lanes: dict[str, float] = {}
        for place, seconds in removed.items():
            lanes[self.lanes[place]] = lanes.get(self.lanes[place], 0.0) + seconds
        left = (test.seconds - removed.get(place, 0.0) for place, test in enumerate(self.tests))
        return self.gain_of(lanes, max(left, default=0.0))

    def gain_of(self, removed: Mapping[str, float], longest: float) -> float:
        """Seconds by which the makespan would be shorter if work were gone from some lanes.

        The greater of two estimates: every test stays on its lane; or what is gone is shared by all lanes, while no
        test gets shorter for that.

        Args:
            removed: seconds by lane.
            longest: of the tests that are left, in seconds.
        """
        in_place = self.makespan - max((end - removed.get(lane, 0.0) for lane, end in self.ends.items()), default=0.0)
        shared = min(sum(removed.values()) / self.workers, self.makespan - longest)
        return min(self.makespan, max(0.0, in_place, shared))


def busy(timeline: Timeline) -> Busy:
    """The figures of a timeline.

    Args:
        timeline: of a run.
    """
    ran = [(test, track.lane) for track in timeline.tracks for test in track.tests]
    tail, longest_gap = 0.0, 0.0
    gaps: dict[str, float] = {}
    ends: dict[str, float] = {}
    for track in timeline.tracks:
        inside, at_end = _idle(track, timeline)
        tail += at_end
        gaps[track.lane] = sum(inside)
        longest_gap = max([longest_gap, *inside])
        end = track.slices[-1].end if track.slices else 0.0
        ends[track.lane] = max(0.0, min(timeline.last, end) - at_end - timeline.first)
    return Busy(
        workers=timeline.workers,
        first=timeline.first,
        makespan=timeline.makespan,
        tests=tuple(test for test, _ in ran),
        lanes=tuple(lane for _, lane in ran),
        total=sum(test.seconds for test, _ in ran),
        longest=max((test.seconds for test, _ in ran), default=0.0),
        tail=min(tail, timeline.makespan * timeline.workers),
        gaps=gaps,
        longest_gap=longest_gap,
        ends=ends,
    )


def _idle(track: Track, timeline: Timeline) -> tuple[list[float], float]:
    """Seconds of each idle slice between the run's first test and the lane's last, and seconds idle after that."""
    final = max((each.end for each in track.slices if each.kind in {SliceKind.TEST, SliceKind.FIXTURE}), default=-1.0)
    inside: list[float] = []
    at_end = 0.0
    for each in track.slices:
        if each.kind is not SliceKind.IDLE:
            continue
        seconds = max(0.0, min(each.end, timeline.last) - max(each.start, timeline.first))
        if each.start >= final:
            at_end += seconds
        else:
            inside.append(seconds)
    return inside, at_end


def longest_first(seconds: Iterable[float], workers: int) -> float:
    """Seconds that pieces of work take when the longest that is left always goes to the worker that is free first.

    At most 4/3 of the best there is (R. L. Graham, Bounds on multiprocessing timing anomalies, 1969).

    Args:
        seconds: of each piece.
        workers: how many, at least one.
    """
    loads = [0.0] * workers
    for each in sorted(seconds, reverse=True):
        heapq.heapreplace(loads, loads[0] + each)
    return max(loads)
