"""What a comparison is told as: a page, data without enums and infinities, and a status."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from compared import BASE, FILE, comparison, every_kind, one

from toxscreen.cli import perf_page
from toxscreen.errors import Exit
from toxscreen.model import Change, Clock, Comparison, Interval, Memory, Revision, SelfCheck
from toxscreen.report.terminal import render

NOISY = SelfCheck(passed=False, reason="base over base is 1.040")


def test_every_ruling_on_one_page() -> None:
    found = replace(
        every_kind(),
        notes=("the machine was busy: load 7.5",),
        candidate=Revision("working tree", "c" * 40, dirty=True),
    )
    assert render(perf_page.page(found, ("evidence: somewhere",))).splitlines() == [
        "performance: 1 regressed, 1 broken, 1 undecided, 1 improved, 1 gone, 1 new, 1 same",
        f"base: {'b' * 12} (merge base with main)",
        f"candidate: {'c' * 12} (working tree), with uncommitted changes",
        "resolution: 3 %; 42 s of measuring, at most 300 s",
        "base against itself: passed, base over base is 1.000 in 20 pairs",
        "the machine was busy: load 7.5",
        "",
        *_TABLE.replace("@", _MEMORY).splitlines(),
        "",
        f"{FILE}::test_slow[big]: regressed",
        "  slower than 1 %, in two batches",
        "  size: 100",
        f"{FILE}::test_broken: broken",
        "  fails in the candidate:",
        "  ValueError: no",
        f"{FILE}::test_open: undecided",
        "  because of test_open",
        "",
        "evidence: somewhere",
    ]


_MEMORY = "2.0 KiB -> 3.0 MiB (1536 times), blocks 10 -> 120"
_TABLE = """\
Benchmark                                 Ratio  Interval        Pairs  Ruling     Base  Candidate  Memory
tests/perf/test_speed.py::test_slow[big]  1.050  1.040 to 1.060  20+20  regressed  2 ms  2.1 ms     @
tests/perf/test_speed.py::test_broken                                   broken
tests/perf/test_speed.py::test_open       1.020  1.010 to 1.030  20     undecided  2 ms  2.04 ms
tests/perf/test_speed.py::test_fast       0.900  0.890 to 0.910  20     improved   2 ms  1.8 ms
tests/perf/test_speed.py::test_gone                                     gone
tests/perf/test_speed.py::test_new                                      new
tests/perf/test_speed.py::test_same       1.000  0.990 to 1.010  20     same       2 ms  2 ms       2.0 KiB
"""


@pytest.mark.parametrize(
    ("found", "status", "told"),
    [
        (comparison(one("test_a"), one("test_b", Change.NEW), one("test_c", Change.GONE)), Exit.CLEAN, ""),
        (comparison(one("test_a", Change.IMPROVED)), Exit.CLEAN, ""),
        (every_kind(), Exit.FOUND, ""),
        (
            comparison(one("test_a"), one("test_b", Change.UNDECIDED)),
            Exit.UNJUDGED,
            "not judged: give undecided ones more time (--budget), a quieter machine or a coarser --resolution",
        ),
        (
            comparison(one("test_a", Change.BROKEN)),
            Exit.UNJUDGED,
            "not judged: give undecided ones more time (--budget), a quieter machine or a coarser --resolution",
        ),
        (
            comparison(),
            Exit.UNJUDGED,
            "not judged: no benchmark was found (pytest tests with the fixture benchmark of pytest-benchmark)",
        ),
        (
            comparison(one("test_a", Change.NEW), self_check=NOISY),
            Exit.UNJUDGED,
            "not judged: the base has none of these benchmarks",
        ),
        (
            comparison(one("test_a", Change.NEW), one("test_b", Change.GONE)),
            Exit.UNJUDGED,
            "not judged: no benchmark is in both revisions",
        ),
        (
            replace(every_kind(), self_check=NOISY),
            Exit.UNJUDGED,
            "not judged: the base against itself did not pass: base over base is 1.040",
        ),
        (
            comparison(one("test_a"), candidate=Revision("working tree", BASE)),
            Exit.UNJUDGED,
            "not judged: the base is what is checked out; name another one (--against)",
        ),
        (comparison(one("test_a"), candidate=Revision("working tree", BASE, dirty=True)), Exit.CLEAN, ""),
        (
            replace(every_kind(), complete=False, self_check=NOISY),
            Exit.INTERRUPTED,
            "interrupted: what was found so far is told, nothing of it is kept for gates",
        ),
    ],
)
def test_status_and_why(found: Comparison, status: Exit, told: str) -> None:
    assert perf_page.status(found) is status
    assert perf_page.page(found).closing == ((told,) if told else ())


def test_data_is_json_that_every_reader_takes() -> None:
    endless = Interval(1.0, 0.0, float("inf"))
    found = replace(
        comparison(
            one(
                "test_a",
                Change.UNDECIDED,
                interval=endless,
                clock=Clock.WALL,
                base_memory=Memory(5, 1),
                extra=(("size", "1"),),
            )
        ),
        self_check=SelfCheck(passed=True, reason="fine", pairs=4, intervals=((f"{FILE}::test_a", endless),)),
    )
    told = json.loads(json.dumps(perf_page.data(found), allow_nan=False))
    interval = {"ratio": 1.0, "low": 0.0, "high": None}
    assert told == {
        "base": {"name": "merge base with main", "commit": "b" * 40, "dirty": False},
        "candidate": {"name": "working tree", "commit": "c" * 40, "dirty": False},
        "resolution": 0.03,
        "budget": 300.0,
        "started": 1_800_000_000.0,
        "seconds": 42.0,
        "compared": [
            {
                "node_id": f"{FILE}::test_a",
                "change": "undecided",
                "reason": "because of test_a",
                "clock": "wall",
                "group": None,
                "interval": interval,
                "pairs": 20,
                "confirmed_by": 0,
                "base_seconds": 0.002,
                "candidate_seconds": 0.00204,
                "base_memory": {"peak": 5, "blocks": 1},
                "candidate_memory": None,
                "extra": {"size": "1"},
            }
        ],
        "self_check": {"passed": True, "reason": "fine", "pairs": 4, "intervals": {f"{FILE}::test_a": interval}},
        "notes": [],
        "complete": True,
        "skipped": [],
    }
    (row,) = perf_page.page(found).tables[0].rows
    assert row[1:3] == ("1.000", "")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, ""), (2.0, "2 s"), (0.0123456, "12.3 ms"), (0.0000123, "12.3 us"), (4.2e-8, "42 ns")],
)
def test_durations(seconds: float | None, told: str) -> None:
    assert perf_page.duration(seconds) == told


@pytest.mark.parametrize(
    ("base", "candidate", "told"),
    [
        (Memory(500_000, 1), Memory(500_100, 0), "488.4 KiB"),
        (Memory(500_000, 1), Memory(505_000, 11), "488.3 KiB -> 493.2 KiB (+1.0 %)"),
        (Memory(500_000, 20_000), Memory(500_000, 20_021), "488.3 KiB, blocks 20000 -> 20021"),
        (Memory(0, 0), Memory(10, 0), "0 B -> 10 B"),
        (None, Memory(10, 0), "10 B"),
        (None, None, ""),
    ],
)
def test_memory_is_told_where_it_changed(base: Memory | None, candidate: Memory | None, told: str) -> None:
    (row,) = perf_page.page(comparison(one("test_a", base_memory=base, candidate_memory=candidate))).tables[0].rows
    assert row[-1] == told
