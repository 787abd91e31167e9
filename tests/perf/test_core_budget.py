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
from toxscreen.testing import Project

#: Measuring the measured would measure coverage.
_PLAIN: dict[str, str | None] = {"COVERAGE_PROCESS_CONFIG": None, "COVERAGE_PROCESS_START": None, "COVERAGE_FILE": None}
_ROUNDS = int(os.environ.get("TOXSCREEN_BUDGET_ROUNDS", "1"))
#: How many an environment has: starting workers costs the same for few and for many.
_MANY = int(os.environ.get("TOXSCREEN_BUDGET_TESTS", "50"))
#: As much CPU time each, in any process and at any speed: the machine's moods are larger than what is compared.
_TESTS = """\
import time
import pytest

@pytest.mark.parametrize("number", range({many}))
def test_computes(number):
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        sum(each * each for each in range(10_000))
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
#: Prints what each of 3,000 slots took, in seconds.
_ASK = """\
import sys
import time
from toxscreen.plan.slots import Kind
from toxscreen.slots.address import Address
from toxscreen.slots.client import Client
client = Client(Address.parse(sys.argv[1]), "unit")
for number in range(-100, 3000):
    began = time.perf_counter()
    assert client.acquire(Kind.SLOT)
    client.give_back()
    if number >= 0:
        print(time.perf_counter() - began)
client.close()
"""


def test_what_a_slot_costs(tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    variables = {name: value for name, value in os.environ.items() if name not in _PLAIN}
    serving = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=variables,
    )
    assert serving.stdout is not None
    command = [sys.executable, "-c", _ASK, serving.stdout.readline().strip()]

    def ask() -> list[float]:
        asked = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
        return [float(line) for line in asked.stdout.splitlines()]

    try:
        seconds = benchmark.pedantic(ask, rounds=1, iterations=1)
    finally:
        serving.communicate()
    median = statistics.median(seconds)
    benchmark.extra_info["median microseconds of a slot"] = round(median * 1e6, 1)
    with capsys.disabled():
        print(f"\na slot, asked for and given back: {median * 1e6:.0f} microseconds")
    assert len(seconds) == 3000
