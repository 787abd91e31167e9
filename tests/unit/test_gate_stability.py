"""The gate stability: the same sources, another outcome."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import NOW, attempt, run

from toxscreen.gates.stability import judge
from toxscreen.model import Evidence, Finding, Outcome, Ruling, Run, Selection, Verdict

TEST = "a.py::test_a"
relaxed = settings(max_examples=60, database=None, deadline=None)


def seen(outcome: Outcome, moment: float, **fields: Any) -> Run:
    return run(outcomes={TEST: outcome}, begun=moment, **fields)


def green(moment: float, **fields: Any) -> Run:
    return seen(Outcome.PASSED, moment, **fields)


def red(moment: float, **fields: Any) -> Run:
    return seen(Outcome.FAILED, moment, **fields)


def test_a_test_that_passed_and_failed_on_the_same_sources_is_named() -> None:
    runs = [green(3.0), red(2.0), green(1.0)]
    show = ("toxscreen", "runs", "unit-2")
    message = "failed 1 of 3 times on the same sources in unit"
    assert judge(runs, 0) == Verdict(
        "stability",
        Ruling.FAIL,
        f"{TEST} {message}",
        1.0,
        0.0,
        numerator=1,
        denominator=1,
        findings=(Finding("unstable-test", TEST, message, "run unit-2", show, "a.py"),),
        unit="tests",
        source="3 recorded runs",
        remedy=show,
    )
    assert judge(runs, 1).ruling is Ruling.PASS


def test_steady_outcomes_pass() -> None:
    verdict = judge([green(1.0), green(2.0)], 0)
    assert (verdict.ruling, verdict.measured, verdict.numerator, verdict.denominator) == (Ruling.PASS, 0.0, 0, 1)
    assert verdict.reason == "no outcome of 1 tests that ran twice on the same sources changed"
    assert judge([red(1.0), red(2.0)], 0).ruling is Ruling.PASS


@pytest.mark.parametrize(
    "other",
    [
        {"tree": "0ther", "commit": "feed"},
        {"changes": "feed"},
        {"configuration": "feed"},
        {"tools": {"python": "3.12.1"}},
        {"environment": "3.12-unit"},
        {"category": "perf"},
    ],
)
def test_other_circumstances_explain_another_outcome(other: dict[str, Any]) -> None:
    verdict = judge([green(1.0), red(2.0, **other)], 0)
    assert (verdict.ruling, verdict.denominator) == (Ruling.NOT_APPLICABLE, 0)
    assert verdict.reason == "in 2 recorded runs no test has run twice on the same sources, so none could change"


def test_commits_of_the_same_content_are_the_same_sources() -> None:
    assert judge([green(1.0), red(2.0, commit="feed")], 0).ruling is Ruling.FAIL


@pytest.mark.parametrize("fields", [{"replay_of": "RUN:gw0"}, {"commit": None}, {"configuration": None}])
def test_runs_of_unknown_sources_and_replays_say_nothing(fields: dict[str, Any]) -> None:
    assert judge([green(1.0), red(2.0, **fields), green(3.0)], 0).ruling is Ruling.PASS


@pytest.mark.parametrize("outcome", [Outcome.SKIPPED, Outcome.NOT_RUN])
def test_what_did_not_run_is_no_outcome(outcome: Outcome) -> None:
    assert judge([green(1.0), seen(outcome, 2.0)], 0).ruling is Ruling.NOT_APPLICABLE


def test_attempts_of_one_run_count() -> None:
    again = run(outcomes=[attempt(TEST, Outcome.FAILED), attempt(TEST, Outcome.PASSED, started=1.0)])
    assert judge([again], 0).findings[0].message == "failed 1 of 2 times on the same sources in unit"


def test_after_a_change_it_has_to_pass_so_often_that_luck_is_no_reason() -> None:
    unstable = [green(1.0), red(2.0)]
    since = [green(10.0 + number, tree="f1xed", commit="f1xed") for number in range(5)]
    verdict = judge([*unstable, *since[:4]], 0)
    assert verdict.ruling is Ruling.FAIL
    assert verdict.findings[0].message == (
        "failed 1 of 2 times on the same sources in unit; since they changed it has passed 4 times, "
        "5 would show that this is over"
    )
    assert judge([*unstable, *since], 0).ruling is Ruling.PASS
    # Passing on the unchanged sources shows nothing.
    assert judge([*unstable, *(green(10.0 + number) for number in range(90))], 0).ruling is Ruling.FAIL
    # Neither does passing before it failed anew.
    assert judge([*unstable, *since, red(20.0, tree="f1xed", commit="f1xed")], 0).ruling is Ruling.FAIL


def test_a_test_that_is_gone_is_not_counted() -> None:
    unstable = [green(1.0), red(2.0)]
    without: dict[str, Any] = {"outcomes": {"a.py::test_new": Outcome.PASSED}, "begun": 3.0}
    assert judge([*unstable, run(**without)], 0).ruling is Ruling.PASS
    filtered = run(**without, selection=Selection(0, {"-k new": 1}))
    assert judge([*unstable, filtered], 0).ruling is Ruling.FAIL


def test_what_a_hunt_says_to_fail_by_chance_counts_once() -> None:
    chance = {"kind": "chance", "node_id": TEST, "summary": "fails by chance (2 of 9 times)"}
    hunt = Evidence("hunt", NOW, 1.0, ("toxscreen", "hunt"), {"findings": [chance, {"kind": "victim"}, 7]})
    verdict = judge([], 0, hunt)
    assert (verdict.ruling, verdict.numerator, verdict.denominator) == (Ruling.FAIL, 1, 1)
    assert verdict.findings[0].message == "fails by chance, the hunt says: fails by chance (2 of 9 times)"
    assert judge([green(1.0), red(2.0)], 0, hunt).numerator == 1
    broken = Evidence("hunt", NOW, 1.0, ("toxscreen", "hunt"), {"findings": 3})
    assert judge([], 0, broken).ruling is Ruling.NOT_APPLICABLE


def test_of_many_three_are_told() -> None:
    names = [f"a.py::test_{number}" for number in range(5)]
    runs = [run(outcomes=dict.fromkeys(names, outcome)) for outcome in (Outcome.PASSED, Outcome.FAILED)]
    verdict = judge(runs, 0)
    assert len(verdict.findings) == 5
    assert verdict.reason.endswith(" and 2 more")


@relaxed
@given(outcomes=st.lists(st.sampled_from([Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED]), max_size=6))
def test_unstable_is_what_was_both(outcomes: list[Outcome]) -> None:
    verdict = judge([seen(outcome, float(moment)) for moment, outcome in enumerate(outcomes)], 0)
    told = [outcome for outcome in outcomes if outcome is not Outcome.SKIPPED]
    expected = Ruling.NOT_APPLICABLE if len(told) < 2 else Ruling.FAIL if len(set(told)) > 1 else Ruling.PASS
    assert verdict.ruling is expected
