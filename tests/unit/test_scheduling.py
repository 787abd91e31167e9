"""The scheduler's side of pytest-xdist where a worker dies while it is sent something; no process takes part."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from xdist.remote import Producer

from toxscreen.model import Duration, History
from toxscreen.pytest_plugin.scheduling import BalancedScheduling

IDS = [f"tests/unit/test_a.py::test_{number}" for number in range(20)]


class Node:
    """A worker that does nothing. From its death on nothing can be sent, though nobody has heard of it yet."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.queue: list[int] = []
        self.given_back: list[list[int]] = []
        self.shutting_down = self.is_dead = False

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        if self.is_dead:
            raise OSError("cannot send to <Channel>")
        self.queue.extend(indices)

    def send_steal(self, indices: Sequence[int]) -> None:
        if self.is_dead:
            raise OSError("cannot send to <Channel>")
        self.queue = [test for test in self.queue if test not in indices]
        self.given_back.append(list(indices))

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduling(history: History, told: list[str]) -> BalancedScheduling:
    plugins = SimpleNamespace(get_plugin=lambda _: None)
    hook = SimpleNamespace(pytest_collectreport=lambda report: told.append(report.nodeid))
    config: Any = SimpleNamespace(hook=hook, option=SimpleNamespace(tx=["2*popen"], verbose=0), pluginmanager=plugins)
    return BalancedScheduling(config, Producer("scheduling", enabled=False), None, history)


@pytest.fixture(params=[0.0, 0.1], ids=["first run", "known"])
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    """Two workers that have collected; nothing is sent yet."""
    known = {node_id: Duration(0.0, request.param, 0.0) for node_id in IDS} if request.param else {}
    dealer: Any = scheduling(History(known), [])
    living, dying = Node("gw0"), Node("gw1")
    for node in (living, dying):
        dealer.add_node(node)
        dealer.add_node_collection(node, IDS)
    return dealer, living, dying


def run_all(dealer: Any, *nodes: Node) -> list[int]:
    """Workers that run what they have, in its order; each its last one when it is told to go."""
    ran = []
    is_moving = True
    while is_moving:
        is_moving = False
        for node in nodes:
            if len(node.queue) > 1 or (node.queue and (node.shutting_down or dealer.tests_finished)):
                is_moving = True
                ran.append(node.queue.pop(0))
                dealer.mark_test_complete(node, ran[-1])
            while node.given_back:
                is_moving = True
                dealer.remove_pending_tests_from_node(node, node.given_back.pop(0))
    return ran


def test_tests_that_cannot_be_sent_to_a_dead_worker_are_run_by_another(pair: tuple[Any, Any, Any]) -> None:
    dealer, living, dying = pair
    dying.is_dead = True
    dealer.schedule()
    # It had begun nothing, and so no test is blamed for its end.
    assert dealer.remove_node(dying) is None
    assert sorted(run_all(dealer, living)) == list(range(len(IDS)))
    assert not dealer.has_pending


def test_a_dead_worker_that_tests_are_taken_back_from_loses_none(pair: tuple[Any, Any, Any]) -> None:
    dealer, living, dying = pair
    dealer.schedule()
    first = dying.queue[0]
    dying.is_dead = True
    ran = run_all(dealer, living)
    assert dealer.remove_node(dying) == IDS[first]
    new = Node("gw2")
    dealer.add_node(new)
    dealer.add_node_collection(new, IDS)
    dealer.schedule()
    ran += run_all(dealer, living, new)
    assert sorted([first, *ran]) == list(range(len(IDS)))
    assert not dealer.has_pending


def test_a_run_ends_where_only_workers_are_left_that_collected_something_else() -> None:
    told: list[str] = []
    dealer: Any = scheduling(History(), told)
    first, second, third, fourth = nodes = [Node(f"gw{number}") for number in range(4)]
    for node in (first, second):
        dealer.add_node(node)
        dealer.add_node_collection(node, IDS)
    dealer.schedule()
    dealer.remove_node(first)
    dealer.add_node(third)
    dealer.add_node_collection(third, IDS[1:])
    dealer.schedule()
    assert not dealer.tests_finished
    dealer.remove_node(second)
    assert dealer.tests_finished
    dealer.remove_node(third)
    assert (dealer.tests_finished, dealer.has_pending, told) == (True, True, ["gw2"])
    assert [(node.shutting_down, bool(node.queue)) for node in nodes] == [
        (False, True),
        (False, True),
        (True, False),
        (False, False),
    ]
    # A worker that comes after all gets something to do.
    dealer.add_node(fourth)
    dealer.add_node_collection(fourth, IDS)
    dealer.schedule()
    assert (dealer.tests_finished, bool(fourth.queue)) == (False, True)
