"""The gates suite-budget and category-budget: the time that one waits, and what tests waited for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import attempt, run

from toxscreen.gates.time import by_itself, judge_categories, judge_suite, lasted, slowest, waited_for
from toxscreen.model import Finding, LaneSpan, Ruling, Run, Verdict

relaxed = settings(max_examples=60, database=None, deadline=None)
UNIT = run("unit", begun=100.0, lasted=60.0)
#: Begins while UNIT runs and ends 20 s after it.
BESIDE = run("integration", begun=120.0, lasted=60.0)
#: Hours later.
LATER = run("perf", begun=9000.0, lasted=30.5)


def test_what_runs_side_by_side_is_waited_for_once_and_pauses_do_not_count() -> None:
    counted = {"unit": UNIT, "integration": BESIDE, "perf": LATER}
    assert judge_suite(counted, tuple(counted), 300.0) == Verdict(
        "suite-budget",
        Ruling.PASS,
        "unit, integration, perf took 110.5 s; one after the other 150.5 s",
        110.5,
        300.0,
        numerator=3,
        denominator=3,
        expected_denominator=3,
        unit="s",
        source="unit-100, integration-120, perf-9000",
    )


def test_too_long_fails_and_names_the_slowest_tests() -> None:
    slow = attempt("a.py::test_slow", call=9.0, cpu=1.5)
    counted = {"unit": run(outcomes=[attempt("a.py::test_fast"), slow], lasted=11.0)}
    verdict = judge_suite(counted, ("unit",), 10.9)
    assert (verdict.ruling, verdict.reason, verdict.measured) == (Ruling.FAIL, "unit took 11.0 s", 11.0)
    assert verdict.remedy == ("toxscreen", "runs", "unit-0")
    assert [each.message for each in verdict.findings] == [
        "9.00 s, 90.0 % of what all tests took, 7.50 s of it slept or waited",
        "1.00 s, 10.0 % of what all tests took",
    ]
    assert judge_suite(counted, ("unit",), 11.0).ruling is Ruling.PASS


def test_without_every_environment_the_suite_is_unmeasured_unless_it_is_too_long_already() -> None:
    verdict = judge_suite({"unit": UNIT}, ("unit", "perf"), 300.0)
    assert (verdict.ruling, verdict.measured, verdict.numerator, verdict.expected_denominator) == (
        Ruling.UNMEASURED,
        60.0,
        1,
        2,
    )
    assert verdict.reason == "unit took 60.0 s; no whole run of these sources: perf"
    assert verdict.remedy == ("tox", "-e", "perf")
    assert judge_suite({"unit": UNIT}, ("unit", "perf"), 59.0).ruling is Ruling.FAIL
    nothing = judge_suite({}, (), 300.0)
    assert nothing.measured is None
    assert (nothing.ruling, nothing.reason) == (
        Ruling.UNMEASURED,
        "nothing ran; no whole run of these sources: none is expected",
    )


def test_the_environment_that_needs_most_of_its_budget_is_named() -> None:
    counted = {"unit": UNIT, "integration": BESIDE, "perf": LATER}
    budgets = {"unit": 120.0, "integration": 80.0, "perf": 0.0}
    assert judge_categories(counted, tuple(counted), budgets) == Verdict(
        "category-budget",
        Ruling.PASS,
        "integration took 60.0 of 80 s, the largest share",
        60.0,
        80.0,
        numerator=2,
        denominator=2,
        expected_denominator=2,
        unit="s",
        source="unit-100, integration-120, perf-9000",
    )


def test_a_category_over_its_budget_fails() -> None:
    on_312 = run("unit", begun=100.0, lasted=60.0, environment="3.12-unit")
    verdict = judge_categories(
        {"3.12-unit": on_312, "perf": LATER}, ("3.12-unit", "perf"), {"unit": 50.0, "perf": 99.0}
    )
    assert (verdict.ruling, verdict.measured, verdict.limit) == (Ruling.FAIL, 60.0, 50.0)
    assert (verdict.numerator, verdict.denominator) == (1, 2)
    show = ("toxscreen", "runs", "unit-100")
    assert verdict.findings == (
        Finding(
            "category-over-budget",
            "3.12-unit",
            "took 60.0 s, its category unit has 50 s",
            "run unit-100",
            show,
        ),
    )
    assert verdict.remedy == show


def test_waiting_for_slots_is_not_held_against_a_category_and_one_waits_for_it_all_the_same() -> None:
    lanes = ("gw0", "gw1", "gw2")
    waited = {"gw0": 12.0, "gw1": 8.0, "gw2": 99.0}
    # No test came to the last worker: nobody knows what it would have done.
    beside = replace(
        run("unit", [attempt("test_a", lane="gw0"), attempt("test_b", lane="gw1")], begun=100.0, lasted=60.0),
        spans=tuple(LaneSpan(lane, 100.0, queued=waited[lane]) for lane in lanes),
    )
    assert beside.queued == 10.0
    passed = judge_categories({"unit": beside}, ("unit",), {"unit": 50.0})
    assert (passed.ruling, passed.measured, passed.reason) == (
        Ruling.PASS,
        50.0,
        "unit took 50.0 of 50 s and 10.0 s of waiting for slots, the largest share",
    )
    failed = judge_categories({"unit": beside}, ("unit",), {"unit": 49.0})
    assert (failed.ruling, failed.findings[0].message) == (
        Ruling.FAIL,
        "took 50.0 s and 10.0 s of waiting for slots, its category unit has 49 s",
    )
    assert judge_suite({"unit": beside}, ("unit",), 59.0).measured == 60.0


@pytest.mark.parametrize(
    ("seconds", "cores", "own"),
    [
        # By itself it could not be faster than its longest test ...
        ((1.0, 55.0), "8", 55.0),
        # ... than all of them on all cores: the workers waited for each other ...
        ((40.0, 40.0, 36.0), "2", 58.0),
        ((1.0, 1.0), "2", 20.0),
        # ... of which an older record does not say how many there were ...
        ((25.0, 25.0), "", 50.0),
        # ... and is never slower than it was.
        ((90.0, 1.0), "2", 60.0),
    ],
)
def test_by_itself_a_run_is_not_faster_than_it_could_be(seconds: tuple[float, ...], cores: str, own: float) -> None:
    attempts = [attempt(f"test_{number}", call=each) for number, each in enumerate(seconds)]
    waited = replace(run("unit", attempts, lasted=60.0), spans=(LaneSpan("main", 0.0, queued=40.0),))
    assert by_itself(replace(waited, header=replace(waited.header, host={"cores": cores}))) == own


@pytest.mark.parametrize(
    ("counted", "expected", "ruling", "told"),
    [
        ({}, ("unit",), Ruling.UNMEASURED, "no whole run of these sources: unit"),
        ({}, (), Ruling.UNMEASURED, "no whole run of these sources: none is expected"),
        (
            {"perf": LATER},
            ("perf",),
            Ruling.NOT_APPLICABLE,
            "none of the categories that ran has a budget: perf",
        ),
        (
            {"unit": UNIT},
            ("unit", "perf"),
            Ruling.UNMEASURED,
            "unit took 60.0 of 120 s, the largest share; no whole run of these sources: perf",
        ),
    ],
)
def test_budgets_without_runs(counted: dict[str, Run], expected: tuple[str, ...], ruling: Ruling, told: str) -> None:
    verdict = judge_categories(counted, expected, {"unit": 120.0})
    assert (verdict.ruling, verdict.reason) == (ruling, told)


def test_of_many_tests_the_slowest_are_named() -> None:
    many = run(outcomes=[attempt(f"a.py::test_{number}", call=float(number)) for number in range(20)])
    found = slowest([many], 3)
    assert [each.subject for each in found] == ["a.py::test_19", "a.py::test_18", "a.py::test_17"]
    assert found[0].evidence == "run unit-0, main"
    assert slowest([run(outcomes=[attempt("a.py::test_a", call=0.0)])])[0].message == "0.00 s"


@relaxed
@given(spans=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=6))
def test_the_time_waited_is_that_in_which_something_ran(spans: list[tuple[int, int]]) -> None:
    runs = [run(begun=float(begun), lasted=float(took)) for begun, took in spans]
    seconds = {second for begun, took in spans for second in range(begun, begun + took)}
    assert waited_for(runs) == len(seconds)
    assert sum(map(lasted, runs)) >= waited_for(runs)
