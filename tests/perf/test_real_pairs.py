"""Pairs of real processes, of equal revisions and of slower ones, idle and beside neighbours; and a stored baseline.

TOXSCREEN_PAIRS_ROUNDS=128 TOXSCREEN_PAIRS_TO=pairs.jsonl tox -e perf -- -k real_pairs        idle
TOXSCREEN_PAIRS_NEIGHBOURS=3 ... the same                                                       beside neighbours
TOXSCREEN_PAIRS=pairs.jsonl tox -e perf -- -k false_alarms                                      decisions over them

A benchmark that is slower does so many percent more of the same work.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from recorded_pairs import COMPARE_FAIL, Pair, of_round, read_pairs, write_pairs

from toxscreen.model import Revision
from toxscreen.perf.pairing import Pairing, PairOptions
from toxscreen.perf.side import Side
from toxscreen.plan.paired import Round

ROUNDS = int(os.environ.get("TOXSCREEN_PAIRS_ROUNDS", "2"))
NEIGHBOURS = int(os.environ.get("TOXSCREEN_PAIRS_NEIGHBOURS", "0"))
#: Runs of pytest-benchmark, each held against one that was stored before.
STORED_RUNS = max(1, ROUNDS // 6)
KINDS = ("numbers", "objects", "files")
#: Percent by which the candidate is slower.
SLOWER = (0, 3, 5, 10)
FILE = "tests/perf/test_work.py"

WORK = """\
import json

MORE = {more}

def times(many, percent):
    return range(many * (100 + MORE * percent) // 100)

def numbers(percent, folder):
    total = 0
    for number in times(10_000, percent):
        total += number * number
    return total

def objects(percent, folder):
    made = []
    for number in times(200, percent):
        made.append(json.loads(json.dumps({{"name": str(number), "parts": [number, number + 1, None]}})))
    return made

def files(percent, folder):
    for number in times(100, percent):
        (folder / "file").write_text(str(number))
"""
TESTS = f"""\
import pytest
import work

@pytest.mark.parametrize("percent", {SLOWER})
@pytest.mark.parametrize("kind", {KINDS})
def test_work(benchmark, kind, percent, tmp_path):
    benchmark(getattr(work, kind), percent, tmp_path)
"""
#: Computes for a while, rests for a while.
NEIGHBOUR = """\
import random, sys, time
chance = random.Random(int(sys.argv[1]))
print(flush=True)
while True:
    end = time.monotonic() + chance.expovariate(2)
    while time.monotonic() < end:
        sum(range(1000))
    time.sleep(chance.expovariate(2))
"""


def side(folder: Path, more: int) -> Side:
    (folder / FILE).parent.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "work.py").write_text(WORK.format(more=more), encoding="utf-8")
    (folder / FILE).write_text(TESTS, encoding="utf-8")
    return Side(folder, Path(sys.executable), Revision(folder.name, None))


@contextmanager
def neighbours(many: int) -> Iterator[str]:
    """Others on the machine.

    Yields:
        What that is, in words.
    """
    running = [
        subprocess.Popen([sys.executable, "-c", NEIGHBOUR, str(number)], stdout=subprocess.PIPE)
        for number in range(many)
    ]
    try:
        for each in running:
            assert each.stdout is not None
            each.stdout.readline()
        yield f"beside {many} neighbours" if many else "idle"
    finally:
        for each in running:
            each.kill()
            each.communicate()


def name(kind: str, percent: int) -> str:
    return f"{FILE}::test_work[{kind}-{percent}]"


def pairs(base: Side, candidate: Side, where: str) -> Iterator[list[Pair]]:
    """Pairs of all benchmarks, round by round."""
    asked = Round(tuple(name(kind, percent) for kind in KINDS for percent in SLOWER), self_check=False)
    with Pairing(base, candidate, PairOptions(cwd_importable=True)) as pairing:
        assert set(pairing.collect().both) == set(asked.node_ids)
        for _ in range(ROUNDS):
            result = pairing.run(asked)
            assert (result.broken, set(result.ratios)) == ({}, set(asked.node_ids))
            yield [pair for percent in SLOWER for pair in of(percent, where, result.ratios, result.seconds)]


def of(percent: int, where: str, ratios: dict[str, float], seconds: dict[str, tuple[float, float]]) -> list[Pair]:
    condition = f"{f'A/B {percent} %' if percent else 'A/A'} {where}"
    own = {node_id: ratios[node_id] for node_id in (name(kind, percent) for kind in KINDS)}
    return of_round(condition, percent / 100, own, seconds)


def means(folder: Path, file: Path) -> dict[str, float]:
    """What a run of pytest-benchmark by itself finds: the mean seconds of each benchmark."""
    asked = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:toxscreen", f"--benchmark-json={file}"]
    command = [sys.executable, "-m", "pytest", *asked, "--benchmark-max-time=0.5", FILE]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE_", "PYTEST_"))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(file.read_text(encoding="utf-8"))
    return {each["fullname"]: each["stats"]["mean"] for each in told["benchmarks"]}


def stored(base: Side, candidate: Side, folder: Path) -> dict[str, Any]:
    """What ``--benchmark-compare-fail=mean:5%`` says of runs that are held against a stored one of the base."""
    kept = means(base.folder, folder / "stored.json")
    found: dict[int, list[bool]] = {percent: [] for percent in SLOWER}
    for _ in range(STORED_RUNS):
        now = means(candidate.folder, folder / "now.json")
        for percent in SLOWER:
            ids = [name(kind, percent) for kind in KINDS]
            found[percent] += [now[each] > kept[each] * (1 + COMPARE_FAIL) for each in ids]
    return {f"+{percent} %": f"{sum(fails)} of {len(fails)} fail" for percent, fails in found.items()}


@pytest.mark.timeout(60 + 60 * ROUNDS)
def test_real_pairs(tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    base, candidate = side(tmp_path / "base", 0), side(tmp_path / "candidate", 1)
    to = Path(os.environ.get("TOXSCREEN_PAIRS_TO", tmp_path / "pairs.jsonl"))
    found: list[Pair] = []

    def measure() -> dict[str, Any]:
        with neighbours(NEIGHBOURS) as where:
            for each in pairs(base, candidate, where):
                write_pairs(to, each)
                found.extend(each)
            return {"what": f"stored base, over {COMPARE_FAIL:.0%}, {where}", **stored(base, candidate, tmp_path)}

    told = benchmark.pedantic(measure, rounds=1, iterations=1)
    medians = {
        percent: math.expm1(statistics.median(pair.ratio for pair in found if pair.planted == percent / 100))
        for percent in SLOWER
    }
    rows = {"median of the pairs": {f"+{percent} %": f"{ratio:+.1%}" for percent, ratio in medians.items()}}
    rows["pytest-benchmark"] = told
    benchmark.extra_info.update(rows)
    with capsys.disabled():
        print()
        for key, row in rows.items():
            print(f"{key}: {row}")
    # What the figures are is the machine's; that they are all there and can be read again is ours.
    assert read_pairs(to)[-len(found) :] == found
    assert Counter((pair.planted, pair.node_id) for pair in found) == {
        (percent / 100, name(kind, percent)): ROUNDS for kind in KINDS for percent in SLOWER
    }
