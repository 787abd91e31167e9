"""How often ``toxscreen perf`` is wrong: 1,000 decisions and more for each condition of recorded pairs.

TOXSCREEN_PAIRS=pairs.jsonl tox -e perf -- -k false_alarms     a file as tests/shared/recorded_pairs.py writes it

Without a file the recorded pairs are simulated ones: a machine with a neighbour that comes and goes.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from paired_noise import NOISES, decided
from pytest_benchmark.fixture import BenchmarkFixture
from recorded_pairs import Pair, by_benchmark, described, fails_by_stored, in_order, read_pairs, resampled, told

from toxscreen.model import Change
from toxscreen.plan.paired import Method

DECISIONS = 1000
#: Slow-downs that are added to pairs of equal revisions.
ADDED = (0.03, 0.05, 0.1)
#: Single pairs, and blocks that keep a burst together.
BLOCKS = (1, 8)
Show = Callable[[dict[str, Any]], None]


def simulated() -> list[Pair]:
    figures = islice(NOISES["bursts"](random.Random(1)), 400)
    return [Pair("simulated bursts", 0.0, "b", ratio) for ratio in figures]


def conditions() -> dict[str, list[Pair]]:
    file = os.environ.get("TOXSCREEN_PAIRS")
    found: dict[str, list[Pair]] = {}
    for pair in read_pairs(Path(file)) if file else simulated():
        found.setdefault(pair.condition, []).append(pair)
    return found


def decide_all(condition: str, pairs: list[Pair], show: Show) -> int:
    """Every decision of one condition.

    Returns:
        False alarms.
    """
    benchmarks = by_benchmark(pairs)
    series = [[pair.ratio for pair in one] for one in benchmarks]
    equal = all(pair.planted == 0 for pair in pairs)
    show({"what": condition, **described(series)})
    ordered = in_order(series, Method())
    show({"what": f"{condition}, in order", **{change.value: count for change, count in ordered.items()}})
    stored = [fails_by_stored(one) for one in benchmarks]
    if compared := sum(count for _, count in stored):
        show({"what": f"{condition}, stored base, over 5 %", "decisions": compared, "fails": sum(n for n, _ in stored)})
    alarms = ordered[Change.REGRESSED]
    for block in BLOCKS:
        noise = resampled(series, block)
        for together in (1, 10):
            rates = decided(noise, 0.0, DECISIONS // together, together)
            show(told(f"{condition}, {together} at once, blocks of {block}", rates))
            alarms = max(alarms, rates.changes[Change.REGRESSED])
        for added in ADDED if equal else ():
            show(told(f"{condition}, plus {added:.0%}, blocks of {block}", decided(noise, added, DECISIONS)))
    return alarms if equal else 0


def shown(rows: list[dict[str, Any]], benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.extra_info["rows"] = rows
    with capsys.disabled():
        print()
        for row in rows:
            print(", ".join(f"{key} {value}" if key != "what" else f"{value}:" for key, value in row.items()))


def test_false_alarms_over_recorded_pairs(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, Any]] = []
    measured = conditions()

    def decide() -> dict[str, int]:
        rows.clear()
        return {condition: decide_all(condition, pairs, rows.append) for condition, pairs in measured.items()}

    alarms = benchmark.pedantic(decide, rounds=1, iterations=1)
    shown(rows, benchmark, capsys)
    assert {condition: count for condition, count in alarms.items() if count > DECISIONS / 100} == {}


def test_false_alarms_over_simulated_noise(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    def decide() -> list[dict[str, Any]]:
        return [
            told(f"{name}, {change:+.0%}, {together} at once", decided(noise, change, DECISIONS // together, together))
            for name, noise in NOISES.items()
            for change in (0.0, *ADDED)
            for together in (1, 10)
        ]

    rows = benchmark.pedantic(decide, rounds=1, iterations=1)
    shown(rows, benchmark, capsys)
    assert [row for row in rows if "+0%" in row["what"] and row.get("regressed", 0) > DECISIONS / 100] == []
