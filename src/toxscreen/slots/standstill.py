"""When nothing goes on: those who hold the slots may wait for something that somebody has who waits for a slot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from toxscreen import host
from toxscreen.plan.slots import Stuck

#: Seconds between two looks.
LOOK: Final = 0.5
#: Seconds without a test begun or ended, on a machine that does nothing.
_SILENT: Final = 2.0
#: The same on a machine that does something, or does not tell, for the tests may just be long; and on one that does
#: nothing where one of them is to be alone, for it may just sleep, and must not be disturbed.
_LONG: Final = 30.0
#: Of one core; tox and those who look take some of it.
_NOTHING: Final = 0.3


class Standstill:
    """Tells a deadlock from tests that take their time.

    Args:
        busy: seconds that all cores together have computed since any moment; None where nobody knows.
    """

    def __init__(self, busy: Callable[[], float | None] = host.busy_seconds) -> None:
        self._busy = busy
        #: A moment, and what the cores had computed by then.
        self._since: tuple[float, float | None] | None = None

    def lasts(self, stuck: Stuck | None, now: float) -> bool:
        """Whether somebody who waits is to be let through.

        Args:
            stuck: what :meth:`toxscreen.plan.slots.Slots.stuck` says.
            now: seconds on a clock that only goes forward.
        """
        if stuck is None or stuck.seconds < LOOK:
            self._since = None
            return False
        if self._since is None:
            self._since = now, self._busy()
            return False
        began, before = self._since
        if now - began < (_LONG if stuck.alone else _SILENT) - LOOK:
            return False
        after = self._busy()
        self._since = now, after
        is_silent = before is not None and after is not None and after - before < _NOTHING * (now - began)
        return is_silent or (stuck.seconds >= _LONG and not stuck.alone)
