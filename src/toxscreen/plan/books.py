"""The books of who was sent which tests, and did them: what was remembered of tests, and how far that was right."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from toxscreen.plan.backlog import Backlog
from toxscreen.plan.lanes import COMMITTED, Lane, Steal
from toxscreen.plan.units import Unit, Units, Why

#: A test that takes so many times as long as expected, and so many seconds more, is late.
_LATE: Final = (3.0, 0.01)
#: Expectations are not relied on where more than one test in so many is.
_RELIABLE: Final = 5


class Books:
    """Keeps what is known of each worker's queue. What is to be done is not decided here."""

    def __init__(self, units: Units) -> None:
        self.backlog = Backlog(units)
        self.seconds = units.seconds
        #: Seconds of a test as it was sent last, with what it sets up.
        self._cost = list(units.seconds)
        self.lanes: dict[str, Lane] = {}
        self.alone = units.alone
        self.unit_of = {test: unit for unit in units.units for test in unit.tests if len(unit.tests) > 1}
        if units.alone is not None:
            self.unit_of |= dict.fromkeys(units.alone.tests, units.alone)
        #: Tests not yet done of which nobody knows how long they take.
        self._guessed = {test for unit in units.units if not unit.known for test in unit.tests}
        #: How many tests were done, and how many of them took much longer than expected.
        self._done = self._late = 0

    # what is known

    @property
    def has_pending(self) -> bool:
        """Whether any test is not yet done."""
        return bool(self.backlog) or self.alone is not None or any(lane.queue for lane in self.lanes.values())

    @property
    def is_finished(self) -> bool:
        """Whether no worker need be sent anything more: what is left runs as soon as they are told to stop."""
        lanes = self.lanes.values()
        return not self.backlog and self.alone is None and all(lane.waits and not lane.asked for lane in lanes)

    @property
    def is_sure(self) -> bool:
        """Whether durations can be relied on: none is a guess, and so far they were right."""
        return not self._guessed and self._late * _RELIABLE <= self._done

    # what happens: workers are known by their names

    def join(self, name: str) -> None:
        """A worker is there and has collected."""
        self.lanes[name] = Lane(name)

    def stopped(self, name: str) -> None:
        """A worker takes nothing more."""
        self.lanes[name].stopped = True

    def done(self, name: str, test: int, now: float) -> bool:
        """A worker has run a test.

        Args:
            name: of the worker.
            test: its place in the collection.
            now: seconds on any clock that only goes forward.

        Returns:
            Whether there may be something to decide.
        """
        lane = self.lanes[name]
        queue = lane.queue
        if queue and queue[0] == test:
            queue.popleft()
        else:
            queue.remove(test)
        cost = self._cost[test]
        lane.seconds -= cost
        times, more = _LATE
        self._done += 1
        lane.last, lane.since = now - lane.since, now
        self._late += lane.last > times * cost + more
        if self._guessed:
            self._guessed.discard(test)
        return len(queue) < lane.low or lane.seconds < lane.refill or not self.backlog

    def gave_back(self, name: str, tests: Sequence[int]) -> None:
        """A worker answered: these of its tests were taken back; none, if one of them had begun."""
        lane = self.lanes[name]
        lane.asked = ()
        gone = set(tests)
        if gone:
            lane.queue = deque(test for test in lane.queue if test not in gone)
            lane.seconds -= sum(self._cost[test] for test in tests)
            last = self.unit_of.get(lane.queue[-1]) if lane.queue else None
            lane.key = last.key if last is not None else None
            self._take_in(tests)

    def leave(self, name: str) -> int | None:
        """A worker is gone; what it had in its queue is dealt out again.

        Returns:
            The test that it ran; None: it had none.
        """
        lane = self.lanes.pop(name)
        ran = lane.queue.popleft() if lane.queue else None
        self._take_in(lane.queue)
        return ran

    def recall(self, name: str) -> Steal | None:
        """Take back all that a worker has not begun: the run is to end early.

        Returns:
            What is to be sent, if anything.
        """
        lane = self.lanes[name]
        lane.stopped = True
        if lane.asked or len(lane.queue) <= COMMITTED:
            return None
        lane.asked = tuple(lane.queue)[COMMITTED:]
        return Steal(name, lane.asked)

    def again(self, test: int) -> None:
        """A test is to be run once more."""
        self._take_in((test,))

    def _take_in(self, tests: Iterable[int]) -> None:
        """Make units of tests that were already sent, whole ones as far as that is possible."""
        parts: dict[tuple[int, ...], list[int]] = {}
        for test in tests:
            unit = self.unit_of.get(test)
            parts.setdefault(unit.tests if unit is not None else (test,), []).append(test)
        for part in parts.values():
            unit = self.unit_of.get(part[0], Unit((part[0],), 0.0, part[0] not in self._guessed))
            seconds = sum(self.seconds[test] for test in part) + unit.fixture
            made = unit._replace(tests=tuple(part), seconds=seconds)
            if made.why is Why.ALONE:
                self.alone = made if self.alone is None else made.beside(self.alone)
            else:
                rest = [each for each in self.backlog.returned if self.unit_of.get(each.tests[0]) is unit]
                if made.why is Why.GROUP and rest:
                    made = made.beside(self.backlog.take_out(rest[0]))
                self.backlog.put_back(made)

    def left_of(self, lane: Lane, now: float) -> float:
        """Seconds until a worker has done all that it was sent."""
        if lane.waits:
            return lane.seconds
        # A test that takes longer than expected is expected to go on for as long as it is late.
        first = self._cost[lane.queue[0]]
        return lane.seconds - first + abs(first - (now - lane.since))

    def put(self, lane: Lane, units: Iterable[Unit], left: dict[Lane, float], now: float) -> list[int]:
        """Note that units are sent.

        Returns:
            Their tests.
        """
        if lane.waits:
            lane.since = now
        before, cost = len(lane.queue), self._cost
        for unit in units:
            for test in unit.tests:
                cost[test] = self.seconds[test]
            if unit.key is None or unit.key != lane.key:
                cost[unit.tests[0]] += unit.fixture
            lane.key = unit.key
            lane.queue.extend(unit.tests)
            seconds = sum(cost[test] for test in unit.tests)
            lane.seconds += seconds
            left[lane] += seconds
        return list(lane.queue)[before:]
