"""How near workers come to the ideal: our scheduler beside others, on the same suites in the same run.

TOXSCREEN_MAKESPAN=3 tox -e perf -- -k makespan     three orders of the tests instead of one, at 2 and 4 workers
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from upstream import Cache, read_pins, ready

from toxscreen import host
from toxscreen.journal.read import read_run
from toxscreen.journal.store import run_folders
from toxscreen.model import Run
from toxscreen.settings import STATE, state_folder
from toxscreen.testing import Suite

#: So many orders of the tests; 0: one, and only what is quick.
ROUNDS = int(os.environ.get("TOXSCREEN_MAKESPAN", "0"))
SEEDS = range(1, max(ROUNDS, 1) + 1)
WORKERS = (2, 4) if ROUNDS else (4,)
#: Measuring the measured takes time.
_PLAIN: dict[str, str | None] = dict.fromkeys(("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "COVERAGE_FILE"))
FILE = "tests/integration/test_a.py"


class Way(NamedTuple):
    """One way to deal out tests."""

    name: str
    arguments: tuple[str, ...]
    #: Whether toxscreen has to forget all that it knows.
    first: bool = False


PEERS = (
    # What it records is what pytest-balance goes by.
    Way("load", ("--dist", "load", *(("--balance-store",) if find_spec("pytest_balance") else ()))),
    Way("worksteal", ("--dist", "worksteal")),
    Way("loadscope", ("--dist", "loadscope")),
    *((Way("pytest-balance", ("--balance", "--balance-no-report")),) if find_spec("pytest_balance") else ()),
)
WAYS = (Way("ours, first run", (), first=True), Way("ours, with history", ()), *PEERS)


class Measured(NamedTuple):
    """What one run took, in seconds."""

    makespan: float
    #: All tests together as they took in this run, and the longest of them, each with what usually lies between two.
    total: float
    longest: float
    #: Part of the makespan for which the average worker had nothing more to do at its end.
    idle: float


def measured(run: Run, tests: int) -> Measured:
    """From the first test's beginning to the last one's end, as the workers wrote it down."""
    assert (len(run.attempts), run.exit_status) == (tests, 0)
    gaps = [
        after.started - before.started - before.seconds
        for before, after in pairwise(run.attempts)
        if before.lane == after.lane
    ]
    between = statistics.median(gaps)
    begun = min(attempt.started for attempt in run.attempts)
    ends: dict[str, float] = {}
    for attempt in run.attempts:
        ends[attempt.lane] = max(ends.get(attempt.lane, 0.0), attempt.started + attempt.seconds - begun)
    makespan = max(ends.values())
    seconds = [attempt.seconds + between for attempt in run.attempts]
    return Measured(makespan, sum(seconds), max(seconds), 1 - sum(ends.values()) / run.header.workers / makespan)


Runner = Callable[[Sequence[str]], Run]
#: Given what each run of one number of workers measured, the ideal of each.
Ideal = Callable[[Measured, int], float]


def compare(root: Path, runner: Runner, tests: int, ideal: Ideal) -> dict[str, Any]:
    """By way and number of workers: makespan over ideal, and how long workers idle at the end; medians of orders."""
    told: dict[str, Any] = {}
    for workers in WORKERS:
        found: dict[str, list[tuple[float, float]]] = {way.name: [] for way in WAYS}
        for seed in SEEDS:
            for way in WAYS:
                if way.first:
                    shutil.rmtree(root / STATE, ignore_errors=True)
                run = runner((*way.arguments, f"-n{workers}", "-p", "no:cacheprovider", f"--randomly-seed={seed}"))
                got = measured(run, tests)
                found[way.name].append((got.makespan / ideal(got, workers), got.idle))
        for name, each in found.items():
            told[f"{name} -n{workers}"] = [round(statistics.median(figures), 3) for figures in zip(*each, strict=True)]
    return told


def sleeping(tmp_path: Path, seconds: Sequence[float]) -> tuple[Path, Runner]:
    """A file of tests that sleep."""
    body = f"""
        import time
        import pytest

        SECONDS = {list(seconds)!r}

        @pytest.mark.parametrize("n", range(len(SECONDS)))
        def test_sleeps(n): time.sleep(SECONDS[n])
    """
    return suite(tmp_path, {FILE: body})


def suite(tmp_path: Path, files: Mapping[str, str]) -> tuple[Path, Runner]:
    project = Suite(files).at(tmp_path)

    def run(arguments: Sequence[str]) -> Run:
        return project.run("--category", "integration", "-q", *arguments, env=_PLAIN, timeout=300).run

    return project.root, run


@pytest.fixture
def table(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Compare once under pytest-benchmark, keep the figures with its results and show them."""

    def run(title: str, *arguments: Any) -> dict[str, Any]:
        told: dict[str, Any] = benchmark.pedantic(compare, args=arguments, rounds=1, iterations=1)
        benchmark.extra_info.update(told)
        with capsys.disabled():
            print(f"\nmakespan over ideal, and idle at the end: {title}")
            for workers in WORKERS:
                for way in WAYS:
                    over, idle = told[f"{way.name} -n{workers}"]
                    print(f"  {workers} workers  {way.name:20} {over:.3f}  {idle:.1%}")
        return told

    return run


Table = Callable[..., dict[str, Any]]


def of(seconds: Sequence[float]) -> Ideal:
    """The ideal for tests whose seconds are known."""
    return lambda _, workers: max(*seconds, sum(seconds) / workers)


def test_53_sleeping_tests(tmp_path: Path, table: Table) -> None:
    seconds = [0.1] * 40 + [0.3] * 10 + [4.0, 3.0, 2.0]
    told = table("53 sleeping tests", *sleeping(tmp_path, seconds), len(seconds), of(seconds))
    assert len(told) == len(WAYS) * len(WORKERS)


def test_log_normal(tmp_path: Path, table: Table) -> None:
    chance = random.Random(5)
    drawn = [chance.lognormvariate(0, 1) for _ in range(200)]
    total = 20.0 if ROUNDS else 10.0
    seconds = [round(each * total / sum(drawn), 4) for each in drawn]
    told = table("200 tests, log-normal", *sleeping(tmp_path, seconds), len(seconds), of(seconds))
    assert len(told) == len(WAYS) * len(WORKERS)


def test_one_module_with_a_fixture(tmp_path: Path, table: Table) -> None:
    body = """
        import time
        import pytest

        @pytest.fixture(scope="module")
        def slow(): time.sleep(1)

        @pytest.mark.parametrize("n", range(60))
        def test_sleeps(slow, n): time.sleep(0.05)
    """
    told = table("one module with a fixture of 1 s", *suite(tmp_path, {FILE: body}), 60, of([0.05] * 60 + [1.0]))
    assert len(told) == len(WAYS) * len(WORKERS)


def test_2000_tiny_tests(tmp_path: Path, table: Table) -> None:
    body = "\n".join(f"def test_{number}(): pass" for number in range(200))
    files = {f"tests/integration/test_part{number}.py": body for number in range(10)}
    told = table("2,000 tiny tests", *suite(tmp_path, files), 2000, own)
    assert len(told) == len(WAYS) * len(WORKERS)


def own(got: Measured, workers: int) -> float:
    """The ideal for what the tests took in the very run: where workers share cores, all of them take longer."""
    return max(got.longest, got.total / workers)


def test_a_real_suite(tmp_path: Path, pytestconfig: pytest.Config, table: Table) -> None:
    (pin,) = (pin for pin in read_pins() if pin.name == "click")
    click = ready(pin, Cache(state_folder(pytestconfig.rootpath) / "cache"), tmp_path)

    def run(arguments: Sequence[str]) -> Run:
        variables = {"TOXSCREEN_DEFAULT_CATEGORY": "real-world"}
        done = click.run("pytest", "--category", "real-world", "-q", *arguments, set_to=variables, ours=False)
        assert done.exit == 0, done.output
        return read_run(run_folders(click.root)[0])

    tests = len(run(("-n2",)).attempts)
    assert tests > pin.at_least
    told = table(f"{pin} on {host.cores()} cores", click.root, run, tests, own)
    assert len(told) == len(WAYS) * len(WORKERS)
