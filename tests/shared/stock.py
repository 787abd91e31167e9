"""Schedulers of pytest-xdist behind the face of a balancer, so that simulated workers can be dealt out to by them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from xdist.remote import Producer

from toxscreen.plan.lanes import Command, Send, Steal, Stop


class _Node:
    """A worker as a scheduler sees it; what it is told is noted."""

    def __init__(self, name: str, told: list[Command]) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self._told = told

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self._told.append(Send(self.gateway.id, tuple(indices)))

    def send_steal(self, indices: Sequence[int]) -> None:
        self._told.append(Steal(self.gateway.id, tuple(indices)))

    def shutdown(self) -> None:
        self.shutting_down = True
        self._told.append(Stop(self.gateway.id))


class Stock:
    """One of pytest-xdist's schedulers with a collection of so many tests."""

    def __init__(self, scheduler: type[Any], tests: int, workers: int) -> None:
        tx = ["popen"] * workers
        config = SimpleNamespace(
            option=SimpleNamespace(tx=tx),
            getvalue=lambda name: tx if name == "tx" else None,
            getoption=lambda _name: None,
        )
        self._scheduler = scheduler(config, Producer("stock", enabled=False))
        self._ids = [str(number) for number in range(tests)]
        self._told: list[Command] = []
        self._nodes: dict[str, _Node] = {}
        self._since: dict[str, float] = {}

    @property
    def is_finished(self) -> bool:
        return bool(self._scheduler.tests_finished)

    @property
    def has_pending(self) -> bool:
        return bool(self._scheduler.has_pending)

    def join(self, name: str) -> None:
        node = self._nodes[name] = _Node(name, self._told)
        self._scheduler.add_node(node)
        self._scheduler.add_node_collection(node, self._ids)
        if self._scheduler.collection_is_completed:
            self._scheduler.schedule()

    def done(self, name: str, test: int, now: float) -> bool:
        took, self._since[name] = now - self._since.get(name, 0.0), now
        self._scheduler.mark_test_complete(self._nodes[name], test, took)
        return True

    def gave_back(self, name: str, tests: Sequence[int]) -> None:
        self._scheduler.remove_pending_tests_from_node(self._nodes[name], tests)

    def leave(self, name: str) -> int | None:
        ran = self._scheduler.remove_node(self._nodes.pop(name))
        return None if ran is None else int(ran)

    def decide(self, now: float) -> list[Command]:  # noqa: ARG002 - a balancer wants to know
        told, self._told[:] = list(self._told), []
        return told
