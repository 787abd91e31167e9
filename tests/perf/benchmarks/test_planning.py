"""Benchmarks of what is decided before and while tests run."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from simulated import Outcome, Simulation

from toxscreen.model import Case, Duration, History
from toxscreen.plan.balance import Balancer
from toxscreen.plan.estimate import estimates
from toxscreen.plan.units import units_of
from toxscreen.settings import Settings, load

TESTS, WORKERS = 200, 4


@pytest.mark.benchmark(group="plan")
def test_tests_are_dealt_out(benchmark: BenchmarkFixture) -> None:
    chance = random.Random(1)
    cases = [Case(f"tests/test_part{number // 20}.py::test_{number}", "") for number in range(TESTS)]
    seconds = [chance.lognormvariate(-4, 1) for _ in cases]
    history = History({case.node_id: Duration(0.0, each, 0.0) for case, each in zip(cases, seconds, strict=True)})

    def deal() -> Outcome:
        made = Balancer(units_of(cases, estimates(cases, history), {}, WORKERS))
        return Simulation(made, seconds, WORKERS).run()

    assert sorted(test for lane in benchmark(deal).lanes.values() for test in lane) == list(range(TESTS))


@pytest.mark.benchmark(group="settings")
def test_settings_are_read(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    names = [f"category-{number}" for number in range(8)]
    tables = [f'[tool.toxscreen.categories.{name}]\npaths = ["tests/{name}"]\ntimeout = 30\n' for name in names]
    (tmp_path / "pyproject.toml").write_text("\n".join(tables), encoding="utf-8")

    for name in names:
        (tmp_path / "tests" / name).mkdir(parents=True)

    def read() -> Settings:
        return load(tmp_path, {})

    assert set(names) <= set(benchmark(read).categories)
