"""What is not yet dealt out, and in which order it goes: long tests, what nobody knows, then the rest as it came."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from toxscreen.plan.units import Unit, Units

#: From this part of the ideal time on, and from so many seconds on, a unit is long: its place in the order counts.
_BIG: Final = (0.005, 0.01)
#: From this part of the ideal time on, a unit goes before what nobody knows.
_HUGE: Final = 0.125
#: Durations that differ by less than this factor are taken for equal, and stay in collection order.
_ALIKE: Final = 1.1
#: What is to stand between two long units takes at most this part of what the worker has to do.
_SHORT: Final = 0.25


class Backlog:
    """Units in the order in which they are dealt out."""

    def __init__(self, units: Units) -> None:
        some_known = any(unit.known for unit in units.units)
        #: Sent once, and taken back.
        self.returned: deque[Unit] = deque()
        #: Longest first.
        self.big: deque[Unit] = deque()
        #: Of unknown duration where others are known: early, for one of them may turn out to be long.
        self.unknown: deque[Unit] = deque()
        #: All others, in collection order.
        self.small: deque[Unit] = deque()
        self._huge = _HUGE * units.ideal
        part, least = _BIG
        long = max(part * units.ideal, least if some_known else 0.0)
        big = []
        for unit in units.units:
            # Where nothing is known, a group still is as many tests.
            if unit.seconds > long and (unit.known or (not some_known and len(unit.tests) > 1)):
                big.append(unit)
            else:
                (self.small if unit.known or not some_known else self.unknown).append(unit)
        self.big.extend(sorted(big, key=lambda unit: -round(math.log(unit.seconds, _ALIKE))))
        #: Seconds of all of them, and how many tests they are.
        self.seconds = sum(unit.seconds for unit in units.units)
        self.tests = sum(len(unit.tests) for unit in units.units)

    def __bool__(self) -> bool:
        return bool(self.big or self.small or self.unknown or self.returned)

    def put_back(self, unit: Unit) -> None:
        """Take in what was sent before."""
        self.returned.append(unit)
        self.seconds += unit.seconds
        self.tests += len(unit.tests)

    def take_out(self, unit: Unit) -> Unit:
        """Take one of those that were taken in again."""
        self.returned.remove(unit)
        return self._out(unit)

    @property
    def long_is_next(self) -> bool:
        """Whether a long unit is to go next, and nothing else before it."""
        return bool(self.big) and (not self.unknown or self.big[0].seconds > self._huge)

    def longest(self) -> Unit:
        """Take the next of the long ones, of which there is one."""
        return self._out(self.big.popleft())

    def some(self, seconds: float, tests: int) -> list[Unit]:
        """Take what comes next and is not long, as it stands there: so many seconds and tests of it, or more."""
        source = self.returned or self.unknown or self.small
        found: list[Unit] = []
        while source and (seconds > 0 or tests > 0):
            unit = self._out(source.popleft())
            found.append(unit)
            seconds -= unit.seconds
            tests -= len(unit.tests)
        return found

    def short(self, number: int, busy: float, limit: float) -> list[Unit]:
        """Take what is short enough to stand behind something long.

        Args:
            number: of units, at most.
            busy: seconds that the worker has to do.
            limit: seconds that they may take together.
        """
        found: list[Unit] = []
        while len(found) < number:
            if self.small and self.small[0].seconds <= limit:
                unit = self.small.popleft()
            elif self.big and not self.small and self.big[-1].seconds <= min(limit, _SHORT * busy):
                unit = self.big.pop()
            else:
                break
            found.append(self._out(unit))
            limit -= unit.seconds
        return found

    @property
    def shortest(self) -> Unit | None:
        """What a worker would get that has enough, and still needs one more; None: there is nothing."""
        source = self.small or self.big or self.unknown or self.returned
        return source[-1 if source is self.big else 0] if source else None

    def take_shortest(self) -> Unit:
        """Take that."""
        source = self.small or self.big or self.unknown or self.returned
        return self._out(source.pop() if source is self.big else source.popleft())

    def _out(self, unit: Unit) -> Unit:
        self.seconds -= unit.seconds
        self.tests -= len(unit.tests)
        return unit
