"""When a measuring process saves its coverage, so that its death costs little: a pure decision and a small account."""

from __future__ import annotations

import sys
import warnings
from typing import Final

from toxscreen.host import CLOCK, Clock

#: Seconds of saving that are always granted.
GRANT: Final = 2.0
#: Share of the time since the start that is granted on top.
SHARE: Final = 0.1


def due(spent: float, elapsed: float, last_cost: float) -> bool:
    """Whether another save fits into the budget.

    Args:
        spent: seconds that saving took so far.
        elapsed: seconds since the start.
        last_cost: seconds that the last save took; the next one is expected to take as long.
    """
    return spent + last_cost <= GRANT + SHARE * elapsed


class Checkpoints:
    """Saves coverage after tests as often as the budget allows."""

    def __init__(self, clock: Clock = CLOCK) -> None:
        self._clock = clock
        self._start = clock.elapsed()
        self._spent = 0.0
        self._last = 0.0

    def after_test(self) -> float | None:
        """Save now if it is due. Never raises.

        Returns:
            Seconds the save took; None when nothing was saved.
        """
        if "coverage" not in sys.modules or not due(self._spent, self._clock.elapsed() - self._start, self._last):
            return None
        cost = checkpoint(self._clock)
        if cost is not None:
            self._spent += cost
            self._last = cost
        return cost


def is_measured() -> bool:
    """Whether coverage measures this process now."""
    module = sys.modules.get("coverage")
    return module is not None and module.Coverage.current() is not None


def checkpoint(clock: Clock = CLOCK) -> float | None:
    """Write what this process has measured so far to its data file; costs nothing where coverage is not measuring.

    Never raises.

    Returns:
        Seconds it took; None when nothing was written.
    """
    module = sys.modules.get("coverage")
    if module is None:
        return None
    try:
        measuring = module.Coverage.current()
        if measuring is None:
            return None
        begun = clock.elapsed()
        # `get_data` flushes to the file as `save` does, but leaves the file's name alone. A name with a hash of data
        # that has grown since would be taken for a duplicate of a file with the same beginning, and skipped.
        # What it warns about (a package not imported so far) is only worth saying at the end, when coverage repeats it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            measuring.get_data()
        return clock.elapsed() - begun
    except Exception:  # noqa: BLE001 - a test must not fail because its coverage could not be saved early
        return None
