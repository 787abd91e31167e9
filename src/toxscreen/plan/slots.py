"""Who may run when: as many tests at once as there are cores, over all environments. It knows no clock and no process.

Whoever runs tests is a holder: it asks, is granted a slot, gives it back. An environment's other commands are held as
one slot, its blanket, as long as none of its tests are about.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import NamedTuple

from toxscreen.model import Stage


class Kind(StrEnum):
    """What a holder asks for."""

    #: One slot, for one test.
    SLOT = "slot"
    #: The machine: no other slot is held meanwhile.
    ALONE = "alone"
    #: One slot for all that an environment does besides tests.
    BLANKET = "blanket"


class _Request(NamedTuple):
    holder: int
    environment: str
    kind: Kind


class Stuck(NamedTuple):
    """Somebody waits who keeps what those who run may be waiting for."""

    #: Seconds for which nothing was granted or given back.
    seconds: float
    #: Whether one of the two is to be alone: who is let through is told that it shares the machine.
    alone: bool


@dataclass(slots=True)
class _Environment:
    #: Who of it has asked for a slot for a test, and has not left.
    testing: set[int] = field(default_factory=set)
    #: Whose blanket gave way to these tests.
    covered: int | None = None
    held: int = 0
    #: Seconds for which slots were held, all together, up to the last one that was given back.
    used: float = 0.0
    #: Number of the last grant; 0 is none.
    served: int = 0


class Slots:
    """The slots of one machine.

    Every method that can set slots free returns the holders that were granted what they had asked for.

    Args:
        total: how many tests may run at once.
    """

    def __init__(self, total: int) -> None:
        self.total = max(1, total)
        self._held: dict[int, _Request] = {}
        self._since: dict[int, float] = {}
        #: By holder: which slot it has for a test.
        self._numbers: dict[int, int] = {}
        self._now = 0.0
        #: Who has something between its tests that others may wait for: a fixture of its module, say.
        self._keeping: set[int] = set()
        #: Of those, whose tests go on although all slots are held.
        self._over: set[int] = set()
        #: Who runs beside somebody although one of the two was to be alone.
        self._sharing: set[int] = set()
        #: When something was last granted or given back.
        self._moved = 0.0
        #: Oldest first.
        self._queue: dict[int, _Request] = {}
        self._environments: dict[str, _Environment] = {}
        self._grants = 0

    # what is asked

    def at(self, now: float) -> None:
        """What follows happens at this moment.

        Args:
            now: seconds on any clock that only goes forward.
        """
        if not self._grants:
            self._moved = now
        self._now = now

    def ask(self, holder: int, environment: str, kind: Kind, *, keeps: bool = False) -> list[int]:
        """Ask for something; a holder that holds something or waits already asks in vain.

        Args:
            holder: who asks.
            environment: of what environment, for fairness between them.
            kind: what for.
            keeps: whether it has something from its tests before that is not yet torn down.
        """
        if holder in self._held or holder in self._queue:
            return []
        if kind is not Kind.BLANKET:
            self._uncover(environment)
            self._environment(environment).testing.add(holder)
        self._queue[holder] = _Request(holder, environment, kind)
        if keeps:
            self._keeping.add(holder)
        else:
            self._keeping.discard(holder)
            self._over.discard(holder)
        return self._grant()

    def stuck(self) -> Stuck | None:
        """For how long nothing has moved while somebody waited who keeps something; None where nobody does."""
        request = self._next_through()
        if request is None:
            return None
        return Stuck(self._now - self._moved, request.kind is Kind.ALONE or self._alone() is not None)

    def let_through(self) -> list[int]:
        """Let the oldest of those that keep something go on, although all slots are held.

        Those who hold them may wait for just what it keeps: a lock that a fixture of its module has, say. Its tests go
        on until one of them has given back. One that is to be alone begins beside them, and is told so.
        """
        request = self._next_through()
        if request is None:
            return []
        if request.kind is Kind.SLOT:
            self._over.add(request.holder)
        else:
            self._over.clear()
        del self._queue[request.holder]
        self._hold(request)
        return [request.holder, *self._grant()]

    def _next_through(self) -> _Request | None:
        """Who is let through next.

        A test before one that is to be alone, which may then be it. Where somebody is alone, or is to be, both have to
        be of one environment: what others keep they seldom keep from it, and what it measures is not to be disturbed.
        """
        alone = self._alone()
        keeping = [request for request in self._queue.values() if request.holder in self._keeping]
        for request in keeping:
            if request.kind is Kind.SLOT and alone in {None, request.environment}:
                return request
        testing = {held.environment for held in self._held.values() if held.kind is not Kind.BLANKET}
        return next((each for each in keeping if each.kind is Kind.ALONE and each.environment in testing), None)

    def _alone(self) -> str | None:
        """The environment that has the machine alone."""
        return next((held.environment for held in self._held.values() if held.kind is Kind.ALONE), None)

    def take(self, holder: int, environment: str) -> None:
        """Take a blanket without waiting, be there a slot or not."""
        if holder not in self._held:
            self._queue.pop(holder, None)
            self._hold(_Request(holder, environment, Kind.BLANKET))

    def give_back(self, holder: int) -> list[int]:
        """A test is over, or its holder waits no longer."""
        self._queue.pop(holder, None)
        self._drop(holder)
        return self._grant()

    def leave(self, holder: int) -> list[int]:
        """A holder runs no more tests, or is dead; after the last one, its environment is under its blanket again."""
        self._queue.pop(holder, None)
        self._drop(holder)
        self._keeping.discard(holder)
        self._over.discard(holder)
        for name, environment in list(self._environments.items()):
            if environment.covered == holder:
                environment.covered = None
            environment.testing.discard(holder)
            if not environment.testing and environment.covered is not None:
                covered, environment.covered = environment.covered, None
                self.take(covered, name)
        return self._grant()

    # what is known

    @property
    def used(self) -> int:
        """How many slots are held: more than there are after :meth:`take` and :meth:`let_through`."""
        return len(self._held)

    def number(self, holder: int) -> int | None:
        """Which slot a holder has for a test, counted from 0; None for other kinds, and when it has none."""
        return self._numbers.get(holder)

    def is_sharing(self, holder: int) -> bool:
        """Whether a holder runs beside another one although one of the two was to be alone."""
        return holder in self._sharing

    def holding(self, environment: str) -> list[Kind]:
        """What an environment holds."""
        return [held.kind for held in self._held.values() if held.environment == environment]

    def waiting(self, environment: str) -> list[Kind]:
        """What an environment waits for, the oldest first."""
        return [asked.kind for asked in self._queue.values() if asked.environment == environment]

    def testing(self, environment: str) -> int:
        """How many holders of an environment run tests, whether just now or not."""
        known = self._environments.get(environment)
        return len(known.testing) if known is not None else 0

    # the rules

    def _grant(self) -> list[int]:
        granted = []
        while (request := self._next()) is not None:
            del self._queue[request.holder]
            self._hold(request)
            granted.append(request.holder)
        return granted

    def _next(self) -> _Request | None:
        """Whose turn it is.

        That of the environment that holds least, of those the one that has used least time, so that an environment of
        short tests gets as much of the machine as one of long ones, and of those the one that was served longest ago.
        """
        for request in self._queue.values():
            if request.holder in self._over and request.kind is Kind.SLOT:
                return request
        kinds = {held.kind for held in self._held.values()}
        if Kind.ALONE in kinds:
            return None
        alone = next((request for request in self._queue.values() if request.kind is Kind.ALONE), None)
        fair = [request for request in self._queue.values() if request.kind is not Kind.ALONE]
        if alone is not None:
            # Who asked before it goes before it. Who asks after it waits, or it would never come to its turn; but as
            # long as commands are under way that may take any time, tests go on beside them.
            older = set(list(self._queue)[: list(self._queue).index(alone.holder)])
            beside = Kind.BLANKET in kinds
            fair = [each for each in fair if each.holder in older or (beside and each.kind is Kind.SLOT)]
            if not self._held and not fair:
                return alone
        if not fair or self.used >= self.total:
            return None
        # The first of those that are equal: an environment's own requests are served in their order.
        return min(fair, key=lambda request: self._rank(request.environment))

    def _rank(self, name: str) -> tuple[int, float, int]:
        environment = self._environment(name)
        return environment.held, self._used(name), environment.served

    def _used(self, name: str) -> float:
        """Seconds that an environment has used slots for, those included that it holds."""
        now = sum(self._now - self._since[each.holder] for each in self._held.values() if each.environment == name)
        return self._environments[name].used + now

    def _hold(self, request: _Request) -> None:
        environment = self._environment(request.environment)
        self._grants += 1
        self._moved = self._now
        environment.held += 1
        environment.served = self._grants
        beside = {held.kind for held in self._held.values()} - {Kind.BLANKET}
        self._held[request.holder] = request
        self._since[request.holder] = self._now
        if request.kind is not Kind.BLANKET and beside and Kind.ALONE in {request.kind, *beside}:
            self._sharing.add(request.holder)
        elif request.kind is Kind.SLOT:
            taken = set(self._numbers.values())
            self._numbers[request.holder] = next(number for number in count() if number not in taken)

    def _drop(self, holder: int) -> None:
        request = self._held.pop(holder, None)
        self._numbers.pop(holder, None)
        self._sharing.discard(holder)
        if request is not None:
            if holder not in self._over:
                self._over.clear()
            self._moved = self._now
            environment = self._environments[request.environment]
            environment.held -= 1
            environment.used += self._now - self._since.pop(holder)

    def _uncover(self, name: str) -> None:
        """The blanket of an environment gives way to its tests."""
        for request in self._held.values():
            if request.environment == name and request.kind is Kind.BLANKET:
                self._drop(request.holder)
                self._environment(name).covered = request.holder
                return

    def _environment(self, name: str) -> _Environment:
        known = self._environments.get(name)
        if known is None:
            # Who comes late is owed nothing for the time before.
            begins = min((self._used(each) for each in self._environments), default=0.0)
            known = self._environments[name] = _Environment(used=begins)
        return known


def stage_of(holding: Collection[str], waiting: Collection[str], tests: int) -> Stage:
    """What an environment is doing.

    Args:
        holding: what it holds, see :class:`Kind`.
        waiting: what it waits for.
        tests: how many it has, as far as is known.
    """
    if Kind.ALONE in holding:
        return Stage.ALONE
    if Kind.SLOT in holding:
        return Stage.TESTS
    if Kind.BLANKET in holding:
        return Stage.COMMANDS
    if waiting:
        return Stage.WAITING
    return Stage.TESTS if tests else Stage.SETTING_UP
