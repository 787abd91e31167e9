"""Which tests a worker with nothing left should take over from the end of another one's queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from toxscreen.plan.lanes import COMMITTED
from toxscreen.plan.units import Unit, Why

#: Seconds that have to be gained by taking tests back; it takes some milliseconds to do so.
_WORTH: Final = 0.005
#: Units that are never cut.
_WHOLE: Final = frozenset({Why.GROUP, Why.ALONE})


class Loot(NamedTuple):
    """What has to be known of tests to choose among them."""

    #: Of each test by its place, shared fixtures left out.
    seconds: Sequence[float]
    #: Where a test is one of several.
    unit_of: Mapping[int, Unit]

    def end_of(self, queue: Iterable[int], difference: float, key: str | None, *, known: bool) -> tuple[int, ...]:
        """The tests at the end of a queue that make up half of the difference: whole units, as far as possible.

        Args:
            queue: of the worker that has most to do.
            difference: seconds that it has to do more than the one that takes over.
            key: of the fixture that this one has set up.
            known: whether durations are, so that it can be said what is not worth it.
        """
        free = list(queue)[COMMITTED:]
        taken: list[int] = []
        seconds = 0.0
        while free and seconds < difference / 2:
            part, set_up = self._last(free, key)
            more = sum(self.seconds[test] for test in part) + set_up
            if part and more >= difference and not self._is_whole(part):
                part = self._half(part, difference - set_up)
                more = sum(self.seconds[test] for test in part) + set_up
            too_much = seconds + more > difference / 2 if taken else known and more > difference - _WORTH
            if not part or too_much:
                break
            taken[:0] = part
            seconds += more
            del free[len(free) - len(part) :]
        return tuple(taken)

    def _last(self, tests: Sequence[int], key: str | None) -> tuple[list[int], float]:
        """The tests at the end that belong together, none where they must not be taken; seconds of their fixture."""
        unit = self.unit_of.get(tests[-1])
        if unit is None:
            return [tests[-1]], 0.0
        together = set(unit.tests)
        first = len(tests)
        while first and tests[first - 1] in together:
            first -= 1
        part = list(tests[first:])
        if unit.why is Why.ALONE or (unit.why is Why.GROUP and len(part) < len(unit.tests)):
            return [], 0.0
        return part, unit.fixture if unit.key != key else 0.0

    def _is_whole(self, part: Sequence[int]) -> bool:
        unit = self.unit_of.get(part[0])
        return unit is None or unit.why in _WHOLE

    def _half(self, tests: Sequence[int], seconds: float) -> list[int]:
        """The last of some tests, of about half of so many seconds."""
        found: list[int] = []
        for test in reversed(tests):
            if seconds <= 0 or sum(self.seconds[each] for each in found) + self.seconds[test] / 2 > seconds / 2:
                break
            found.insert(0, test)
        return found
