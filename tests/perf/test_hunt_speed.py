"""How long a hunt takes, beside detect-test-pollution on the same suite in the same run. See docs/performance.md."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from toxscreen.testing import Project, Suite

VICTIM = "tests/unit/test_part02.py::test_victim"
POLLUTER = "tests/unit/test_part15.py::test_polluter"
#: Measuring the measured would measure coverage.
_PLAIN: dict[str, str | None] = {"COVERAGE_PROCESS_CONFIG": None, "COVERAGE_PROCESS_START": None, "COVERAGE_FILE": None}


def thousand_tests(tmp_path: Path) -> Project:
    """1,000 tests in 20 files; one pollutes, one suffers."""
    files = {"app.py": "STATE = {'mode': 'plain'}\n"}
    planted = {
        (15, 27): "def test_polluter(): app.STATE['mode'] = 'odd'",
        (2, 23): "def test_victim(): assert app.STATE['mode'] == 'plain'",
    }
    for file in range(20):
        tests = [planted.get((file, place), f"def test_{place}(): assert {place} + 1") for place in range(50)]
        files[f"tests/unit/test_part{file:02}.py"] = "\n".join(["import app", *tests])
    files["pytest.ini"] = "[pytest]\npythonpath = .\ntestpaths = tests\n"
    return Suite(files).at(tmp_path)


def seconds(command: Sequence[str], root: Path, env: Mapping[str, str]) -> tuple[float, str]:
    """How long a command takes, and what it prints on standard output."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    return time.perf_counter() - began, done.stdout


def shown(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], title: str, told: dict[str, Any]) -> None:
    benchmark.extra_info.update(told)
    with capsys.disabled():
        print(f"\n{title}: {told}")


def test_one_polluter_among_a_thousand_tests(
    tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    project = thousand_tests(tmp_path)
    env = project.environment(_PLAIN)
    ours = [sys.executable, "-m", "toxscreen", "hunt", "--victim", VICTIM, "--json"]
    program = str(Path(sys.executable).with_name("detect-test-pollution"))
    peer = [program, "--failing-test", VICTIM, "--tests", "tests"]
    told: dict[str, float] = {}

    def measure() -> str:
        told["peer"], output = seconds(peer, project.root, env)
        assert f"the polluting test is: {POLLUTER}" in output
        told["ours"], output = seconds(ours, project.root, env)
        return output

    document = json.loads(benchmark.pedantic(measure, rounds=1, iterations=1))
    (finding,) = document["findings"]
    assert (finding["partners"], finding["proved"], finding["culprits"][0]["path"]) == (
        [POLLUTER],
        True,
        "app.STATE['mode']",
    )
    told["ratio"] = told["peer"] / told["ours"]
    rounded = {name: round(value, 2) for name, value in told.items()}
    shown(benchmark, capsys, "one polluter among 1,000 tests, seconds", {**rounded, **document["probes"]})


def test_each_of_a_thousand_tests_alone(
    tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    project = thousand_tests(tmp_path)
    shutil.rmtree(project.root / "tests" / "unit" / "__pycache__", ignore_errors=True)
    command = [sys.executable, "-m", "toxscreen", "hunt", "--quick", "--json"]
    took, output = benchmark.pedantic(
        seconds, args=(command, project.root, project.environment(_PLAIN)), rounds=1, iterations=1
    )
    document = json.loads(output)
    assert [each["node_id"] for each in document["findings"]] == [VICTIM]
    told = {"seconds": round(took, 1), "tests": document["tests"], **document["probes"], "cores": os.cpu_count()}
    shown(benchmark, capsys, "a whole hunt: 1,000 tests alone and twice, orders, proof", told)
