"""Which tests next, for which worker? Decided by what stands in books.py; the plugin tells pytest-xdist."""

from __future__ import annotations

from typing import Final

from toxscreen.plan.books import Books
from toxscreen.plan.lanes import COMMITTED, IN_FLIGHT, Command, Lane, Send, Steal, Stop
from toxscreen.plan.stealing import Loot
from toxscreen.plan.units import Unit, Units

#: Seconds of work that a worker should have in its queue, whatever keeps the process that deals from dealing; and the
#: part of the ideal time that this may be at most.
_LOW: Final = (0.1, 0.1)
#: Seconds of a test from which on a worker is given no more than it needs, where nothing is known.
_SLOW: Final = 0.1
#: How much more than everybody's share a worker may be given.
_SLACK: Final = 1.03
#: Seconds within which workers end together, and seconds that are soon.
_TOGETHER: Final = 0.03
_SOON: Final = 0.3

#: Seconds until each worker that takes more has done all that it was sent.
_Left = dict[Lane, float]


class Balancer(Books):
    """Deals the tests of one collection out to workers, and takes them back where others have nothing left to do.

    Long tests go first, the longest at the front, each to the worker that has the least to do (Graham's LPT rule,
    1969). The rest goes in collection order, in chunks that get smaller with what is left (guided self-scheduling,
    Polychronopoulos and Kuck 1987). Where nothing is known of durations, every test counts the same.
    """

    def __init__(self, units: Units) -> None:
        super().__init__(units)
        self._loot = Loot(self.seconds, self.unit_of)
        seconds, part = _LOW
        self._low = min(seconds, part * units.ideal)
        tests = sum(len(unit.tests) for unit in units.units)
        #: Whether there is nothing to go by: then it is done as by --dist load, but for what is taken back.
        self._blind = 2 * sum(len(unit.tests) for unit in units.units if unit.known) < tests
        self._tests = tests

    def decide(self, now: float) -> list[Command]:
        """What is to be sent now.

        Args:
            now: seconds on the clock of :meth:`done`.
        """
        left = {lane: self.left_of(lane, now) for lane in self.lanes.values() if not lane.stopped}
        commands = self._deal(left, now) if left else []
        if left and not self.backlog:
            commands.extend(self._settle(left, now))
        return commands

    def _deal(self, left: _Left, now: float) -> list[Command]:
        """Deal out until no worker needs more; who is stopped goes out of ``left``."""
        sent: dict[str, list[int]] = {}
        stops: list[Command] = []
        served: set[Lane] = set()
        while self.backlog and left:
            self._set_marks(left)
            needy = [lane for lane in left if self._needs(lane, left[lane]) and lane not in served]
            if not needy:
                break
            lane = min(needy, key=lambda each: (not each.waits, left[each]))
            units = self._next(lane, left)
            if units:
                sent.setdefault(lane.name, []).extend(self.put(lane, units, left, now))
            elif lane.waits:
                del left[lane]
                stops.append(self._stop(lane))
            else:
                served.add(lane)
        self._set_marks(left)
        return [*(Send(name, tuple(tests)) for name, tests in sent.items()), *stops]

    def _chunk(self, workers: int) -> float:
        """Seconds of work that a worker is given at a time."""
        return max(self._low, self.backlog.seconds / workers)

    def _set_marks(self, left: _Left) -> None:
        """Say below which marks a worker is given more."""
        seconds, tests = 0.0, IN_FLIGHT
        if self._blind:
            tests = max(COMMITTED, self.backlog.tests // len(left) // 4) if left else COMMITTED
        elif left:
            seconds = self._low if self.backlog.long_is_next else self._chunk(len(left)) / 2
        for lane in left:
            lane.refill, lane.low = seconds, tests

    def _needs(self, lane: Lane, seconds: float) -> bool:
        if self._blind:
            return lane.waits or (len(lane.queue) < lane.low and lane.last < _SLOW)
        return len(lane.queue) < lane.low or seconds < lane.refill

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
        elif self._blind and (found := backlog.some(0.0, max(1, self._handful(lane, len(left)) - len(lane.queue)))):
            return found
        elif not backlog.long_is_next and mine < self._chunk(len(left)):
            # The last few are for everybody.
            enough = min(IN_FLIGHT - len(lane.queue), max(1, backlog.tests // len(left)))
            return backlog.some(self._chunk(len(left)) - mine, enough)
        found = backlog.short(IN_FLIGHT - len(lane.queue), mine, self._room(mine, left))
        if found or not lane.waits or self._better_without(mine, left):
            return found
        return [backlog.take_shortest()]

    def _handful(self, lane: Lane, workers: int) -> int:
        """Tests that a worker has after it is given more, where nothing is known of them."""
        if self._tests < COMMITTED * workers:
            return 1
        # Less at first: there may be long ones among them.
        return max(COMMITTED, self.backlog.tests // workers // 2 if lane.last else self._tests // workers // 4)

    def _room(self, busy: float, left: _Left) -> float:
        """Seconds that a worker may be given without ending later than all can end."""
        return _SLACK * max(busy, *left.values(), (sum(left.values()) + self.backlog.seconds) / len(left)) - busy

    def _better_without(self, mine: float, left: _Left) -> bool:
        """Whether all end as early if a worker ends with what it has as if it got one test more."""
        shortest = self.backlog.shortest
        if not self.is_sure or len(left) == 1 or shortest is None:
            return False
        everything = sum(left.values()) + self.backlog.seconds
        without = max(*left.values(), (everything - mine) / (len(left) - 1))
        return without <= max(mine + shortest.seconds, everything / len(left))

    # the end, when all is dealt out

    def _settle(self, left: _Left, now: float) -> list[Command]:
        """Nothing is left to deal out: take tests back for those that wait, or let them go."""
        asked = sum(bool(lane.asked) for lane in left)
        if not asked and self.alone is None and self._ends_together(left):
            return [self._stop(lane) for lane in left]
        commands: list[Command] = []
        # For as many as were asked before, what comes back is meant.
        for lane in sorted((lane for lane in left if lane.waits), key=left.__getitem__)[asked:]:
            theft = self._theft(lane, left)
            if theft is not None:
                asked += 1
                commands.append(theft)
            elif not asked and self.alone is not None:
                alone, self.alone = self.alone, None
                commands.append(Send(lane.name, tuple(self.put(lane, [alone], left, now))))
            elif not asked:
                commands.append(self._stop(lane))
        return commands

    def _stop(self, lane: Lane) -> Stop:
        lane.stopped = True
        return Stop(lane.name)

    def _ends_together(self, left: _Left) -> bool:
        """Whether no worker will wait for another one, as far as one knows; then nobody need wait for us either."""
        if not self.is_sure:
            return False
        latest, earliest = max(left.values()), min(left.values())
        return latest - earliest <= _TOGETHER and latest <= _SOON

    def _theft(self, thief: Lane, left: _Left) -> Steal | None:
        """About half of the difference between a worker that waits and the one that has most to do."""
        victims = [lane for lane in left if len(lane.queue) > COMMITTED and not lane.asked and lane is not thief]
        for victim in sorted(victims, key=left.__getitem__, reverse=True):
            tests = self._loot.end_of(victim.queue, left[victim] - left[thief], thief.key, known=self.is_sure)
            if tests:
                victim.asked = tests
                return Steal(victim.name, tests)
        return None
