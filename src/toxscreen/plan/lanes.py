"""The queues of workers as far as they are known where tests are dealt out, and what can be asked of a worker.

A worker needs to know the next test before it runs one. So of what it was sent, the first runs, the second is committed
to it, and only what lies behind can be taken back.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

#: The one that runs, the one committed to come next, and one more, so that there always is a next one.
IN_FLIGHT: Final = 3
#: The running test and the committed one.
COMMITTED: Final = 2


class Send(NamedTuple):
    """Tests to be put at the end of a worker's queue."""

    lane: str
    tests: tuple[int, ...]


class Steal(NamedTuple):
    """Tests to be taken back from the end of a worker's queue: all of them, or none if one has begun."""

    lane: str
    tests: tuple[int, ...]


class Stop(NamedTuple):
    """Nothing more comes for a worker: it may run its last test, and go."""

    lane: str


Command = Send | Steal | Stop


class Lane:
    """A worker's queue as far as it is known here."""

    __slots__ = ("asked", "key", "last", "low", "name", "queue", "refill", "seconds", "since", "stopped")

    def __init__(self, name: str) -> None:
        self.name = name
        #: Tests sent and not yet done, in their order.
        self.queue: deque[int] = deque()
        #: Seconds that all of them take.
        self.seconds = 0.0
        #: When the first of them began, or when the one before it ended.
        self.since = 0.0
        #: Seconds that the last test took, with what the worker waited for before it.
        self.last = 0.0
        #: Seconds, and tests, in the queue below which it is filled up.
        self.refill, self.low = 0.0, IN_FLIGHT
        #: Key of the fixture that is set up when the queue comes to its end.
        self.key: str | None = None
        #: Tests that are being taken back.
        self.asked: tuple[int, ...] = ()
        self.stopped = False

    @property
    def waits(self) -> bool:
        """Whether nothing runs there: a worker does not begin its last test before it knows that it is the last."""
        return len(self.queue) < COMMITTED
