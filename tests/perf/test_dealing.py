"""What it costs the process that leads a run to deal out 50,000 tests: our scheduler beside those of pytest-xdist."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from xdist.remote import Producer
from xdist.scheduler import LoadScheduling, WorkStealingScheduling

from toxscreen.model import Duration, History
from toxscreen.pytest_plugin.scheduling import BalancedScheduling

TESTS, WORKERS = 50_000, 4
IDS = [f"tests/unit/test_part{number // 100}.py::test_{number}" for number in range(TESTS)]
COMMITTED = 2


class Node:
    """A worker that does at once what it is sent; what it cannot do is to run its last test before it is told to."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.queue: deque[int] = deque()
        self.given_back: list[list[int]] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.queue.extend(indices)

    def send_steal(self, indices: Sequence[int]) -> None:
        wanted = set(indices)
        free = set(list(self.queue)[COMMITTED:])
        found = [test for test in self.queue if test in wanted] if wanted <= free else []
        self.queue = deque(test for test in self.queue if test not in set(found))
        self.given_back.append(found)

    def shutdown(self) -> None:
        self.shutting_down = True


def config() -> Any:
    """As much of pytest's as schedulers ask for."""
    tx = ["popen"] * WORKERS
    return SimpleNamespace(
        option=SimpleNamespace(tx=tx, verbose=-1),
        getvalue=lambda name: tx if name == "tx" else None,
        getoption=lambda _name: None,
        pluginmanager=SimpleNamespace(get_plugin=lambda _name: None),
    )


def deal_out(scheduler: Any) -> float:
    """Let four workers do all tests in turn.

    Returns:
        Microseconds of CPU time a test; the little that the workers here take is in it.
    """
    nodes = [Node(f"gw{number}") for number in range(WORKERS)]
    done, began = 0, time.process_time()
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, IDS)
    scheduler.schedule()
    while done < TESTS:
        before = done
        for node in nodes:
            while node.given_back:
                scheduler.remove_pending_tests_from_node(node, node.given_back.pop())
            if len(node.queue) >= COMMITTED or (node.queue and (node.shutting_down or scheduler.tests_finished)):
                scheduler.mark_test_complete(node, node.queue.popleft(), 0.001)
                done += 1
        assert done > before or any(node.given_back for node in nodes), "nobody goes on"
    return (time.process_time() - began) / TESTS * 1e6


def test_dealing_out_50000_tests(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(1)
    history = History({node_id: Duration(0.0, chance.lognormvariate(-5, 1.5), 0.0) for node_id in IDS})
    log = Producer("schedulers", enabled=False)
    schedulers: dict[str, Callable[[], Any]] = {
        "ours, with history": lambda: BalancedScheduling(config(), log, None, history),
        "ours, first run": lambda: BalancedScheduling(config(), log, None, History()),
        "load": lambda: LoadScheduling(config(), log),
        "worksteal": lambda: WorkStealingScheduling(config(), log),
    }

    def measure() -> dict[str, float]:
        return {name: round(deal_out(make()), 2) for name, make in schedulers.items()}

    told = benchmark.pedantic(measure, rounds=1, iterations=1)
    benchmark.extra_info.update(told)
    with capsys.disabled():
        print(f"\ndealing out {TESTS:,} tests to {WORKERS} workers, microseconds of CPU time a test: {told}")
    assert set(told) == set(schedulers)
