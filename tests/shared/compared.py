"""Comparisons of two revisions as a test needs them, without measuring anything."""

from __future__ import annotations

from typing import Any

from toxscreen.model import Change, Compared, Comparison, Interval, Memory, Revision, SelfCheck

FILE = "tests/perf/test_speed.py"
BASE, CANDIDATE = "b" * 40, "c" * 40


def one(name: str, change: Change = Change.SAME, **given: Any) -> Compared:
    """A benchmark; measured, where its ruling says so."""
    if change in {Change.SAME, Change.UNDECIDED, Change.IMPROVED, Change.REGRESSED}:
        ratio = {Change.SAME: 1.0, Change.UNDECIDED: 1.02, Change.IMPROVED: 0.9, Change.REGRESSED: 1.05}[change]
        given.setdefault("interval", Interval(ratio, ratio - 0.01, ratio + 0.01))
        given.setdefault("pairs", 20)
        given.setdefault("base_seconds", 0.002)
        given.setdefault("candidate_seconds", 0.002 * ratio)
    return Compared(f"{FILE}::{name}", change, given.pop("reason", f"because of {name}"), **given)


def comparison(*compared: Compared, **given: Any) -> Comparison:
    """A whole one, of two commits."""
    values: dict[str, Any] = {
        "base": Revision("merge base with main", BASE),
        "candidate": Revision("working tree", CANDIDATE),
        "resolution": 0.03,
        "budget": 300.0,
        "started": 1_800_000_000.0,
        "seconds": 42.0,
        "compared": compared,
        "self_check": SelfCheck(passed=True, reason="base over base is 1.000 in 20 pairs", pairs=20),
    }
    return Comparison(**(values | given))


def every_kind() -> Comparison:
    """One benchmark of each ruling."""
    return comparison(
        one("test_same", base_memory=Memory(2048, 10), candidate_memory=Memory(2048, 10)),
        one(
            "test_slow[big]",
            Change.REGRESSED,
            reason="slower than 1 %, in two batches",
            confirmed_by=20,
            base_memory=Memory(2048, 10),
            candidate_memory=Memory(3 * 1024**2, 120),
            extra=(("size", "100"),),
        ),
        one("test_fast", Change.IMPROVED),
        one("test_open", Change.UNDECIDED),
        one("test_broken", Change.BROKEN, reason="fails in the candidate:\nValueError: no"),
        one("test_new", Change.NEW),
        one("test_gone", Change.GONE),
    )
