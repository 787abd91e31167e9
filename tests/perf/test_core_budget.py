"""Environments side by side: hand-set workers, one worker a core, one core budget; and what a slot costs a test."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from toxing import FAST, PYTEST, most_at_once, ran, suite

from toxscreen import host
from toxscreen.plan.slots import Kind
from toxscreen.slots.address import Address
from toxscreen.slots.client import Client
from toxscreen.testing import Project

#: Measuring the measured would measure coverage.
_PLAIN: dict[str, str | None] = {"COVERAGE_PROCESS_CONFIG": None, "COVERAGE_PROCESS_START": None, "COVERAGE_FILE": None}
_ROUNDS = int(os.environ.get("TOXSCREEN_BUDGET_ROUNDS", "1"))
#: How many an environment has: starting workers costs the same for few and for many.
_MANY = int(os.environ.get("TOXSCREEN_BUDGET_TESTS", "50"))
#: A quarter of a second of pure Python each, on the machine of docs/performance.md.
_TESTS = """\
import pytest

@pytest.mark.parametrize("number", range({many}))
def test_computes(number):
    assert sum(each * each for each in range(3_600_000))
"""
#: pytest's options, and whether tox has the plugin.
_ARMS = {
    "-n 0": (("-n", "0"), False),
    "-n 1": (("-n", "1"), False),
    "-n auto": (("-n", "auto"), False),
    "one core budget": (("-n", "auto"), True),
}


def _tox(project: Project, arm: str) -> tuple[float, int]:
    """Wall seconds of `tox -p all`, and how many tests ran at once."""
    options, budgeted = _ARMS[arm]
    env = {
        **FAST,
        **_PLAIN,
        "GO": " ".join(options),
        "TOX_DISABLED_EXTERNAL_PLUGINS": None if budgeted else "toxscreen",
        "TOXSCREEN_RETENTION": "1000",
    }
    arguments = ("-p", "all", *(() if budgeted else ("-c", "plain/tox.ini", "--root", ".", "--workdir", ".tox")))
    before = len(ran(project))
    began = time.perf_counter()
    result = project.run(*arguments, module="tox", env=env, timeout=300)
    seconds = time.perf_counter() - began
    tests = ran(project)[: len(ran(project)) - before]
    assert (result.exit, len(tests)) == (0, 3 * _MANY), repr(result)
    return seconds, most_at_once(tests)


def test_three_environments_of_computing_tests(
    tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"{PYTEST} --category integration {{env:GO}}"
    project = suite(
        dict.fromkeys("abc", command), {"tests/integration/test_work.py": _TESTS.format(many=_MANY)}, host.cores()
    ).at(tmp_path)
    # The same without toxfile.py beside it.
    project.write({"plain/tox.ini": (project.root / "tox.ini").read_text()})
    made = project.run("run", "--notest", module="tox", env={**FAST, **_PLAIN}, timeout=300)
    assert made.exit == 0, repr(made)

    def measure() -> dict[str, list[tuple[float, int]]]:
        found: dict[str, list[tuple[float, int]]] = {arm: [] for arm in _ARMS}
        for number in range(_ROUNDS):
            for arm in list(_ARMS) if number % 2 else reversed(_ARMS):
                found[arm].append(_tox(project, arm))
        return found

    found = benchmark.pedantic(measure, rounds=1, iterations=1)
    told = {
        arm: {
            "median wall s": round(statistics.median(seconds for seconds, _ in each), 2),
            "wall s": [round(seconds, 2) for seconds, _ in each],
            "most tests at once": max(most for _, most in each),
        }
        for arm, each in found.items()
    }
    benchmark.extra_info.update(told)
    with capsys.disabled():
        print(f"\nthree environments on {host.cores()} cores")
        for arm, figures in told.items():
            print(f"  {arm}: {figures}")
    assert told["one core budget"]["most tests at once"] <= host.cores()


_SERVE = """\
import sys
from pathlib import Path
from toxscreen.slots.server import Server
server = Server(Path(sys.argv[1]), 2)
print(server.address, flush=True)
sys.stdin.read()
server.stop()
"""


def test_what_a_slot_costs(tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    serving = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert serving.stdout is not None
    client = Client(Address.parse(serving.stdout.readline().strip()), "unit")

    def slot() -> None:
        assert client.acquire(Kind.SLOT)
        client.give_back()

    try:
        benchmark.pedantic(slot, rounds=3000, iterations=1, warmup_rounds=100)
    finally:
        client.close()
        serving.communicate()
    assert benchmark.stats is not None
    median = benchmark.stats.stats.median
    with capsys.disabled():
        print(f"\na slot, asked for and given back: {median * 1e6:.0f} microseconds")
    assert median > 0
