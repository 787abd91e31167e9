"""The gate isolation: what runs and the last hunt know, against a limit."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from recorded import NOW, attempt, run

from toxscreen.gates.isolation import HUNT, judge
from toxscreen.model import Conflict, Evidence, Finding, Leak, Missing, Ruling, Verdict

NO_HUNT = Missing("hunt", "was never made", HUNT)
CLEAN_RUN = run()
LEAK = Leak("os.environ['A']", "absent", "'1'", "a.py::test_a")
CONFLICT = Conflict("file a.csv", (("a.py::test_a", "gw0"), ("a.py::test_c", "gw0"), ("a.py::test_b", "gw1")))


def hunt(*findings: Mapping[str, object], category: str | None = None) -> Evidence:
    return Evidence("hunt", NOW, 1.0, HUNT, {"tests": 7, "category": category, "findings": list(findings)})


def test_without_a_hunt_the_runs_alone_are_judged_and_that_is_said() -> None:
    assert judge({"unit": CLEAN_RUN}, ("unit",), {}, NO_HUNT, 0) == Verdict(
        "isolation",
        Ruling.PASS,
        "no leak and no possible conflict; no hunt of these sources: its evidence was never made",
        0.0,
        0.0,
        numerator=0,
        denominator=1,
        unit="findings",
        source="unit-0",
    )


def test_a_hunt_can_be_required() -> None:
    verdict = judge({"unit": CLEAN_RUN}, ("unit",), {}, NO_HUNT, 0, hunt_required=True)
    assert (verdict.ruling, verdict.remedy) == (Ruling.UNMEASURED, HUNT)
    verdict = judge({"unit": CLEAN_RUN}, ("unit",), {}, hunt(category="unit"), 0, hunt_required=True)
    assert (verdict.ruling, verdict.source) == (Ruling.PASS, "unit-0, evidence hunt")
    assert verdict.reason == "no leak and no possible conflict; the hunt looked at 7 tests of category unit"


def test_leaks_and_possible_conflicts_count_each_once() -> None:
    twice = [attempt("a.py::test_a", leaks=(LEAK,)), attempt("a.py::test_a", leaks=(LEAK,))]
    verdict = judge({"unit": run(outcomes=twice)}, ("unit",), {"unit": (CONFLICT,)}, NO_HUNT, 1)
    show = ("toxscreen", "runs", "unit-0")
    assert verdict.findings == (
        Finding(
            "leak",
            "a.py::test_a",
            "leaks os.environ['A']: absent -> '1'",
            "run unit-0, main",
            show,
            "a.py",
        ),
        Finding(
            "possible-conflict",
            "a.py::test_a",
            "and a.py::test_b can meet in file a.csv",
            "run unit-0",
            show,
            "a.py",
        ),
    )
    assert (verdict.ruling, verdict.measured, verdict.limit, verdict.remedy) == (Ruling.FAIL, 2.0, 1.0, show)
    assert judge({"unit": run(outcomes=twice)}, ("unit",), {}, NO_HUNT, 1).ruling is Ruling.PASS


def test_what_somebody_else_leaked_is_said() -> None:
    leak = Leak("umask", "0o22", "0o77", "fixture mask (scope module, a.py)")
    verdict = judge({"unit": run(outcomes=[attempt("a.py::test_a", leaks=(leak,))])}, ("unit",), {}, NO_HUNT, 0)
    assert verdict.findings[0].message == "leaks umask: 0o22 -> 0o77 (by fixture mask (scope module, a.py))"


def test_findings_of_the_hunt_count_but_for_what_is_no_isolation_bug() -> None:
    command = ["pytest", "a.py::test_b", "a.py::test_a"]
    victim = {"kind": "victim", "node_id": "a.py::test_a", "summary": "a fails after b", "command": command}
    others = [{"kind": kind, "node_id": "a.py::test_x"} for kind in ("deterministic", "chance")]
    verdict = judge({"unit": CLEAN_RUN}, ("unit",), {}, hunt(victim, *others, {"kind": "brittle", "node_id": "b"}), 0)
    assert (verdict.ruling, verdict.numerator) == (Ruling.FAIL, 2)
    assert verdict.findings == (
        Finding(
            "isolation-victim",
            "a.py::test_a",
            "is victim: a fails after b",
            "evidence hunt",
            tuple(command),
            "a.py",
        ),
        Finding("isolation-brittle", "b", "is brittle: b", "evidence hunt", HUNT, "b"),
    )
    assert verdict.reason == ("a.py::test_a is victim: a fails after b; b is brittle: b; the hunt looked at 7 tests")


def test_damaged_findings_of_a_hunt_are_none() -> None:
    broken = Evidence("hunt", NOW, 1.0, HUNT, {"tests": 1, "findings": "many"})
    assert judge({"unit": CLEAN_RUN}, ("unit",), {}, broken, 0).numerator == 0


@pytest.mark.parametrize(
    ("expected", "told"),
    [(("unit", "perf"), "perf"), ((), "none is expected")],
)
def test_without_every_run_it_is_unmeasured(expected: tuple[str, ...], told: str) -> None:
    verdict = judge({"unit": CLEAN_RUN}, expected, {}, NO_HUNT, 0)
    assert verdict.ruling is Ruling.UNMEASURED
    assert verdict.reason.endswith(f"; no whole run of these sources: {told}")
    assert verdict.remedy == (("tox", "-e", "perf") if expected else ())
    # What nobody looked at has no number.
    assert judge({}, expected, {}, NO_HUNT, 0).measured is None


def test_more_findings_than_are_told_are_counted() -> None:
    leaking = [attempt(f"a.py::test_{number}", leaks=(LEAK,)) for number in range(5)]
    verdict = judge({"unit": run(outcomes=leaking)}, ("unit", "perf"), {}, NO_HUNT, 0)
    assert verdict.ruling is Ruling.FAIL
    assert " and 2 more; no hunt" in verdict.reason
