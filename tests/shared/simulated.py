"""Workers of pytest-xdist as a model: what they do with what they are sent, without processes and in no time."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from stock import Stock

from toxscreen.plan.balance import Balancer
from toxscreen.plan.lanes import Command, Send, Steal, Stop


@dataclass
class _Worker:
    """See xdist/remote.py: it takes its next test from the queue before it runs one."""

    queue: deque[int | None] = field(default_factory=deque)
    running: int | None = None
    next: int | None = None
    up: bool = True
    order: list[int] = field(default_factory=list)
    busy: float = 0.0
    last_end: float = 0.0
    #: Key of the fixture that is set up.
    key: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a simulated run."""

    #: When the last test ended.
    makespan: float
    #: Tests by worker, as they ran.
    lanes: dict[str, tuple[int, ...]]
    #: Tests that ended their workers.
    crashed: tuple[int, ...]
    messages: int
    #: How often which fixture was set up.
    set_up: dict[str, int]


class Simulation:
    """Runs a collection with a balancer; messages take a while both ways."""

    def __init__(
        self,
        balancer: Balancer | Stock,
        seconds: Sequence[float],
        workers: int,
        *,
        latency: float = 0.002,
        crashes: Sequence[int] = (),
        late: Mapping[int, float] | None = None,
        keys: Sequence[str | None] = (),
        fixtures: Mapping[str, float] | None = None,
        service: float = 0.0,
    ) -> None:
        self.balancer = balancer
        self.seconds = seconds
        self.latency = latency
        #: Seconds that the process which deals needs for each test that it hears of, one after the other.
        self.service, self.busy_until = service, 0.0
        self.crashes = set(crashes)
        self.keys, self.fixtures = keys, fixtures or {}
        self.workers: dict[str, _Worker] = {}
        self.names = count()
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.ticket = count()
        self.crashed: list[int] = []
        self.set_up: dict[str, int] = {}
        self.messages = 0
        self.told_to_stop = False
        self.makespan = 0.0
        #: pytest-xdist deals nothing out before all that it started at first have collected.
        self.expected = workers
        self.begun = 0.0
        for number in range(workers):
            self.start((late or {}).get(number, 0.0))

    def start(self, when: float) -> None:
        """A worker begins to collect; it is heard of when it has."""
        name = f"gw{next(self.names)}"
        self.at(when, lambda now: self.joined(name, now))

    def at(self, when: float, what: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (when, next(self.ticket), what))

    def run(self) -> Outcome:
        """Run to the end.

        Raises:
            AssertionError: all wait for each other.
        """
        while self.events:
            now, _, what = heapq.heappop(self.events)
            what(now)
        waiting = {name: worker for name, worker in self.workers.items() if worker.up}
        assert not waiting, f"nobody tells them to go on: {waiting}"
        lanes = {name: tuple(worker.order) for name, worker in self.workers.items()}
        return Outcome(self.makespan - self.begun, lanes, tuple(self.crashed), self.messages, self.set_up)

    # the controller

    def joined(self, name: str, now: float) -> None:
        self.workers[name] = _Worker()
        self.balancer.join(name)
        if len(self.workers) == self.expected:
            self.begun = now
        if len(self.workers) >= self.expected:
            self.act(now)

    def act(self, now: float) -> None:
        for command in self.balancer.decide(now):
            self.messages += 1
            self.at(now + self.latency, lambda then, it=command: self.received(it, then))  # type: ignore[misc]
        if self.balancer.is_finished and not self.told_to_stop:
            self.told_to_stop = True
            for name in self.workers:
                self.at(now + self.latency, lambda then, it=name: self.received(Stop(it), then))  # type: ignore[misc]

    def heard_done(self, name: str, test: int, now: float) -> None:
        if self.balancer.done(name, test, now) or self.balancer.is_finished:
            self.act(now)

    def heard_back(self, name: str, tests: Sequence[int], now: float) -> None:
        self.balancer.gave_back(name, tests)
        self.act(now)

    def heard_down(self, name: str, now: float) -> None:
        ran = self.balancer.leave(name)
        if ran is not None:
            self.crashed.append(ran)
            self.told_to_stop = False
            self.start(now + 0.5)
        self.act(now)

    # the workers

    def received(self, command: Command, now: float) -> None:
        worker = self.workers[command.lane]
        if not worker.up:
            return
        if isinstance(command, Send):
            worker.queue.extend(command.tests)
        elif isinstance(command, Stop):
            worker.queue.append(None)
        elif isinstance(command, Steal):
            wanted = set(command.tests)
            found = [test for test in worker.queue if test in wanted]
            found = found if len(found) == len(wanted) else []
            worker.queue = deque(test for test in worker.queue if test not in set(found))
            name = command.lane
            self.at(max(self.busy_until, now + self.latency), lambda then: self.heard_back(name, found, then))
        self.go_on(command.lane, now)

    def go_on(self, name: str, now: float) -> None:
        worker = self.workers[name]
        if worker.running is not None or not worker.queue:
            return
        if worker.next is None:
            first = worker.queue.popleft()
            if first is None:
                self.went(name, now)
                return
            worker.next = first
        if not worker.queue:
            return
        worker.running, following = worker.next, worker.queue.popleft()
        worker.next = following
        if following is None:
            # The mark of the end is kept for when this one has run.
            worker.queue.appendleft(None)
        seconds = self.seconds[worker.running] + self.needed(worker, worker.running)
        worker.busy += seconds
        worker.order.append(worker.running)
        self.at(now + seconds, lambda then: self.ended(name, then))

    def needed(self, worker: _Worker, test: int) -> float:
        key = self.keys[test] if self.keys else None
        before, worker.key = worker.key, key
        if key is None or key == before:
            return 0.0
        self.set_up[key] = self.set_up.get(key, 0) + 1
        return self.fixtures[key]

    def ended(self, name: str, now: float) -> None:
        worker = self.workers[name]
        test = worker.running
        assert test is not None
        self.makespan = max(self.makespan, now)
        worker.running = None
        if test in self.crashes:
            self.crashes.discard(test)
            worker.up = False
            self.at(max(self.busy_until, now + self.latency), lambda then: self.heard_down(name, then))
            return
        self.busy_until = max(self.busy_until, now + self.latency) + self.service
        self.at(self.busy_until, lambda then: self.heard_done(name, test, then))
        self.go_on(name, now)

    def went(self, name: str, now: float) -> None:
        self.workers[name].up = False
        self.at(max(self.busy_until, now + self.latency), lambda then: self.heard_went(name, then))

    def heard_went(self, name: str, now: float) -> None:
        ran = self.balancer.leave(name)
        assert ran is None, f"{name} ended before it ran {ran}"
        self.act(now)
