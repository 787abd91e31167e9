"""Which tests next, for which worker? The decision and its books; pytest-xdist's part of it is in the plugin."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from toxscreen.plan.backlog import Backlog
from toxscreen.plan.lanes import COMMITTED, IN_FLIGHT, Command, Lane, Send, Steal, Stop
from toxscreen.plan.stealing import Loot
from toxscreen.plan.units import Unit, Units, Why

#: Seconds of work that a worker should have in its queue, whatever keeps the process that deals from dealing.
_LOW: Final = 0.1
#: How much more than everybody's share a worker may be given.
_SLACK: Final = 1.03
#: Workers that end within so many seconds, or this part of the ideal, end together.
_TOGETHER: Final = (0.02, 0.02)
#: And so many seconds, or this part of the ideal, are soon.
_SOON: Final = (0.3, 0.05)


#: Seconds until each worker that takes more has done all that it was sent.
_Left = dict[Lane, float]


class Balancer:
    """Deals the tests of one collection out to workers, and takes them back where others have nothing left to do.

    Long tests go first, the longest at the front, each to the worker that has the least to do (Graham's LPT rule,
    1969). The rest goes in collection order, in chunks that get smaller with what is left (guided self-scheduling,
    Polychronopoulos and Kuck 1987). Where nothing is known of durations, every test counts the same.
    """

    def __init__(self, units: Units) -> None:
        self.backlog = Backlog(units)
        self._seconds = units.seconds
        #: Seconds of a test as it was sent last, with what it sets up.
        self._cost = list(units.seconds)
        self._ideal = units.ideal
        self._lanes: dict[str, Lane] = {}
        self._alone = units.alone
        self._unit_of = {test: unit for unit in units.units for test in unit.tests if len(unit.tests) > 1}
        if units.alone is not None:
            self._unit_of |= dict.fromkeys(units.alone.tests, units.alone)
        #: Tests not yet done of which nobody knows how long they take.
        self._guessed = {test for unit in units.units if not unit.known for test in unit.tests}
        self._loot = Loot(self._seconds, self._unit_of)
        some_known = any(unit.known for unit in units.units)
        self._low = _LOW if some_known else 0.0
        # Where nothing is known, as large a part as --dist load deals out: what is taken back takes its time.
        self._part = 1.0 if some_known else 0.5

    # what is known

    @property
    def has_pending(self) -> bool:
        """Whether any test is not yet done."""
        return bool(self.backlog) or self._alone is not None or any(lane.queue for lane in self._lanes.values())

    @property
    def is_finished(self) -> bool:
        """Whether no worker need be sent anything more: what is left runs as soon as they are told to stop."""
        lanes = self._lanes.values()
        return not self.backlog and self._alone is None and all(lane.waits and not lane.asked for lane in lanes)

    # what happens

    def join(self, name: str) -> None:
        """A worker is there and has collected."""
        self._lanes[name] = Lane(name)

    def stopped(self, name: str) -> None:
        """A worker takes nothing more."""
        self._lanes[name].stopped = True

    def done(self, name: str, test: int, now: float) -> bool:
        """A worker has run a test.

        Args:
            name: of the worker.
            test: its place in the collection.
            now: seconds on any clock that only goes forward.

        Returns:
            Whether :meth:`decide` should be asked.
        """
        lane = self._lanes[name]
        queue = lane.queue
        if queue and queue[0] == test:
            queue.popleft()
        else:
            queue.remove(test)
        lane.seconds -= self._cost[test]
        lane.since = now
        if self._guessed:
            self._guessed.discard(test)
        return len(queue) < IN_FLIGHT or lane.seconds < lane.refill or not self.backlog

    def gave_back(self, name: str, tests: Sequence[int]) -> None:
        """A worker answered: these of its tests were taken back; none, if one of them had begun."""
        lane = self._lanes[name]
        lane.asked = ()
        gone = set(tests)
        if gone:
            lane.queue = deque(test for test in lane.queue if test not in gone)
            lane.seconds -= sum(self._cost[test] for test in tests)
            last = self._unit_of.get(lane.queue[-1]) if lane.queue else None
            lane.key = last.key if last is not None else None
            self._take_in(tests)

    def leave(self, name: str) -> int | None:
        """A worker is gone; what it had in its queue is dealt out again.

        Returns:
            The test that it ran; None: it had none.
        """
        lane = self._lanes.pop(name)
        ran = lane.queue.popleft() if lane.queue else None
        self._take_in(lane.queue)
        return ran

    def recall(self, name: str) -> Steal | None:
        """Take back all that a worker has not begun: the run is to end early.

        Returns:
            What is to be sent, if anything.
        """
        lane = self._lanes[name]
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
            unit = self._unit_of.get(test)
            parts.setdefault(unit.tests if unit is not None else (test,), []).append(test)
        for part in parts.values():
            unit = self._unit_of.get(part[0], Unit((part[0],), 0.0, part[0] not in self._guessed))
            seconds = sum(self._seconds[test] for test in part) + unit.fixture
            made = unit._replace(tests=tuple(part), seconds=seconds)
            if made.why is Why.ALONE:
                self._alone = made
            else:
                self.backlog.put_back(made)

    # what to do

    def decide(self, now: float) -> list[Command]:
        """What is to be sent now.

        Args:
            now: seconds on the clock of :meth:`done`.
        """
        left = {lane: self._left(lane, now) for lane in self._lanes.values() if not lane.stopped}
        commands = self._deal(left, now) if left else []
        if left and not self.backlog:
            commands.extend(self._settle(left, now))
        return commands

    def _left(self, lane: Lane, now: float) -> float:
        if lane.waits:
            return lane.seconds
        # A test that takes longer than expected is expected to go on for as long as it is late.
        first = self._cost[lane.queue[0]]
        return lane.seconds - first + abs(first - (now - lane.since))

    def _deal(self, left: _Left, now: float) -> list[Command]:
        """Deal out until no worker needs more; who is stopped goes out of ``left``."""
        sent: dict[str, list[int]] = {}
        stops: list[Command] = []
        served: set[Lane] = set()
        while self.backlog and left:
            below = self._below(len(left))
            needy = [
                lane
                for lane, seconds in left.items()
                if (len(lane.queue) < IN_FLIGHT or seconds < below) and lane not in served
            ]
            if not needy:
                break
            lane = min(needy, key=lambda each: (not each.waits, left[each]))
            units = self._next(lane, left)
            if units:
                sent.setdefault(lane.name, []).extend(self._put(lane, units, left, now))
            elif lane.waits:
                lane.stopped = True
                del left[lane]
                stops.append(Stop(lane.name))
            else:
                served.add(lane)
        for lane in left:
            lane.refill = self._below(len(left))
        return [*(Send(name, tuple(tests)) for name, tests in sent.items()), *stops]

    def _chunk(self, workers: int) -> float:
        """Seconds of work that a worker is given at a time."""
        return max(self._low, self._part * self.backlog.seconds / workers)

    def _below(self, workers: int) -> float:
        """Seconds of work below which a worker is given more."""
        return self._low if self.backlog.long_is_next else self._chunk(workers) / 2

    def _put(self, lane: Lane, units: Iterable[Unit], left: _Left, now: float) -> list[int]:
        """Note that units are sent.

        Returns:
            Their tests.
        """
        if not lane.queue:
            lane.since = now
        before, cost = len(lane.queue), self._cost
        for unit in units:
            for test in unit.tests:
                cost[test] = self._seconds[test]
            if unit.key is None or unit.key != lane.key:
                cost[unit.tests[0]] += unit.fixture
            lane.key = unit.key
            lane.queue.extend(unit.tests)
            seconds = sum(cost[test] for test in unit.tests)
            lane.seconds += seconds
            left[lane] += seconds
        return list(lane.queue)[before:]

    def _next(self, lane: Lane, left: _Left) -> list[Unit]:
        """What a needy worker gets. Nothing: it has enough, or where it waits, everybody is better off without it."""
        backlog, mine = self.backlog, left[lane]
        waiting = sum(each.waits for each in left)
        if backlog.returned:
            if lane.waits or not waiting:
                return backlog.some(backlog.seconds / waiting if waiting else self._chunk(len(left)), 1)
        elif backlog.long_is_next and mine <= min(left.values()):
            unit = backlog.longest()
            if unit.seconds <= backlog.seconds / (4 * len(left)):
                return [unit]
            # The next one is committed to this worker for as long as this one takes.
            busy = mine + unit.seconds
            return [unit, *backlog.short(COMMITTED, busy, self._room(busy, left))]
        elif not backlog.long_is_next and mine < self._chunk(len(left)):
            # The last few are for everybody.
            enough = min(IN_FLIGHT - len(lane.queue), max(1, backlog.tests // len(left)))
            return backlog.some(self._chunk(len(left)) - mine, enough)
        found = backlog.short(IN_FLIGHT - len(lane.queue), mine, self._room(mine, left))
        if found or not lane.waits or self._better_without(mine, left):
            return found
        return [backlog.take_shortest()]

    def _room(self, busy: float, left: _Left) -> float:
        """Seconds that a worker may be given without ending later than all can end."""
        return _SLACK * max(busy, *left.values(), (sum(left.values()) + self.backlog.seconds) / len(left)) - busy

    def _better_without(self, mine: float, left: _Left) -> bool:
        """Whether all end as early if a worker ends with what it has as if it got one test more."""
        shortest = self.backlog.shortest
        if self._guessed or len(left) == 1 or shortest is None:
            return False
        everything = sum(left.values()) + self.backlog.seconds
        without = max(*left.values(), (everything - mine) / (len(left) - 1))
        return without <= max(mine + shortest.seconds, everything / len(left))

    # the end, when all is dealt out

    def _settle(self, left: _Left, now: float) -> list[Command]:
        """Nothing is left to deal out: take tests back for those that wait, or let them go."""
        commands: list[Command] = []
        asked = sum(bool(lane.asked) for lane in left)
        if not asked and self._alone is None and self._ends_together(left):
            waiting = list(left)
        else:
            waiting = sorted((lane for lane in left if lane.waits), key=left.__getitem__)[asked:]
            for lane in list(waiting):
                tests = self._theft(lane, left)
                if tests is not None:
                    commands.append(tests)
                    waiting.remove(lane)
                elif asked or commands:
                    # Something may be left of what comes back.
                    waiting.remove(lane)
                elif self._alone is not None:
                    alone, self._alone = self._alone, None
                    commands.append(Send(lane.name, tuple(self._put(lane, [alone], left, now))))
                    waiting.remove(lane)
        for lane in waiting:
            lane.stopped = True
            commands.append(Stop(lane.name))
        return commands

    def _ends_together(self, left: _Left) -> bool:
        """Whether no worker will wait for another one, as far as one knows; then nobody need wait for us either."""
        if self._guessed:
            return False
        latest, earliest = max(left.values()), min(left.values())
        together, soon = (max(seconds, part * self._ideal) for seconds, part in (_TOGETHER, _SOON))
        return latest - earliest <= together and latest <= soon

    def _theft(self, thief: Lane, left: _Left) -> Steal | None:
        """About half of the difference between a worker that waits and the one that has most to do."""
        victims = [lane for lane in left if len(lane.queue) > COMMITTED and not lane.asked and lane is not thief]
        for victim in sorted(victims, key=left.__getitem__, reverse=True):
            tests = self._loot.end_of(victim.queue, left[victim] - left[thief], thief.key, known=not self._guessed)
            if tests:
                victim.asked = tests
                return Steal(victim.name, tests)
        return None
