"""The gate runs: only a whole, unfiltered, green run of just these sources counts, of each expected environment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import NOW, attempt, run

from toxscreen.gates.runs import judge, lack, whole
from toxscreen.model import Finding, Outcome, Ruling, Run, RunState, Selection, State, Verdict

PASSED, FAILED, SKIPPED, NOT_RUN = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.NOT_RUN
relaxed = settings(max_examples=60, database=None, deadline=None)


def judged(*runs: Run, expected: tuple[str, ...] = ("unit",), now: State = NOW, may: tuple[str, ...] = ()) -> Verdict:
    (verdict,) = judge(runs, now, expected, may)
    return verdict


def test_whole_green_runs_of_everything_pass() -> None:
    integration = run("integration", {"b.py::test_b": PASSED, "b.py::test_c": SKIPPED}, begun=50.0)
    assert judged(run(), integration, expected=("unit", "integration")) == Verdict(
        "runs",
        Ruling.PASS,
        "all of unit, integration ran whole, and nothing is red",
        numerator=3,
        denominator=3,
        source="unit-0, integration-50",
    )


def test_an_environment_that_never_ran_is_named_with_its_command() -> None:
    assert judged(run(), expected=("unit", "perf")) == Verdict(
        "runs",
        Ruling.UNMEASURED,
        "perf has never run",
        numerator=1,
        denominator=1,
        findings=(Finding("run-missing", "perf", "has never run", None, ("tox", "-e", "perf")),),
        source="unit-0",
        remedy=("tox", "-e", "perf"),
    )


@pytest.mark.parametrize(
    ("fields", "slug", "told"),
    [
        ({"commit": "feed"}, "run-missing", "has run last on other sources: unit-0"),
        ({"changes": "feed"}, "run-missing", "has run last on other sources: unit-0"),
        ({"configuration": "feed"}, "run-missing", "has run last on other sources: unit-0"),
        ({"environment": "3.12-unit"}, "run-missing", "has never run"),
        (
            {"configuration": None, "selection": None},
            "run-missing",
            "was recorded by an older toxscreen, which does not say of which configuration it is: unit-0",
        ),
        (
            {"selection": None},
            "run-older",
            "was recorded by an older toxscreen, which does not say what was left out: unit-0",
        ),
        ({"replay_of": "RUN:gw0"}, "run-missing", "has only been replayed since the sources changed: unit-0"),
        ({"state": RunState.RUNNING}, "run-unfinished", "still runs: unit-0"),
        ({"state": RunState.DIED}, "run-unfinished", "died and left no last word: unit-0"),
        (
            {"state": RunState.STOPPED, "collected": ("a.py::test_a", "a.py::test_b")},
            "run-unfinished",
            "was stopped: 1 of 2 tests have no result: unit-0",
        ),
        (
            {"lost": ("gw1: killed by signal 9",)},
            "run-lost-data",
            "has lost a worker, and what it had not told yet (gw1: killed by signal 9): unit-0",
        ),
        (
            {"selection": Selection(9, {"-k parser": 3, "plugin pytest_split": 4})},
            "run-filtered",
            "is filtered: tests were left out, 3 by -k parser, 4 by plugin pytest_split: unit-0",
        ),
        (
            {"selection": Selection(0, {}, ("the paths given: tests/unit/a.py", "--lf"))},
            "run-filtered",
            "is filtered by the paths given: tests/unit/a.py, --lf: unit-0",
        ),
        (
            {"selection": Selection(0, {}, (), 2)},
            "benchmarks-disabled",
            "did not measure: benchmarks disabled: 2: unit-0",
        ),
        ({"attempts": (), "collected": (), "exit_status": 0}, "run-empty", "ran no test: unit-0"),
        (
            {
                "attempts": (),
                "collected": (),
                "exit_status": 2,
                "selection": Selection(0, {"addopts: -m slow": 5}),
            },
            "run-empty",
            "ran no test: all 5 were deselected: unit-0",
        ),
        (
            {"attempts": (attempt("a.py::test_a", SKIPPED),)},
            "run-empty",
            "ran no test: all 1 were skipped: unit-0",
        ),
        (
            {"collected": ("a.py::test_a", "a.py::test_b")},
            "run-unfinished",
            "has no result of 1 of 2 tests, such as a.py::test_b: unit-0",
        ),
        ({"exit_status": 2}, "run-unfinished", "ended with exit status 2: unit-0"),
        (
            {"exit_status": 2, "selection": None},
            "run-unfinished",
            "ended with exit status 2 before it had collected: unit-0",
        ),
    ],
)
def test_what_is_not_the_whole_is_unmeasured(fields: dict[str, Any], slug: str, told: str) -> None:
    verdict = judged(run(**fields))
    assert (verdict.ruling, verdict.reason, verdict.numerator, verdict.denominator) == (
        Ruling.UNMEASURED,
        f"unit {told}",
        0,
        0,
    )
    assert [(each.slug, each.subject) for each in verdict.findings] == [(slug, "unit")]
    assert verdict.remedy == ("tox", "-e", "unit")


def test_red_tests_are_named_and_fail() -> None:
    outcomes = {f"a.py::test_{number:02}": FAILED for number in range(12)} | {"a.py::test_ok": PASSED}
    verdict = judged(run(outcomes=outcomes), expected=("unit", "perf"))
    names = ", ".join(f"a.py::test_{number:02}" for number in range(10))
    assert verdict.ruling is Ruling.FAIL
    assert verdict.reason == f"12 red: {names} and 2 more; perf has never run"
    assert (verdict.numerator, verdict.denominator, len(verdict.findings)) == (13, 13, 13)
    assert verdict.findings[0] == Finding(
        "red-test",
        "a.py::test_00",
        "failed",
        "run unit-0, main",
        ("toxscreen", "runs", "unit-0"),
        "a.py",
    )
    assert verdict.remedy == ("toxscreen", "runs", "unit-0")


def test_a_crashed_worker_fails_by_the_test_that_it_ran() -> None:
    crashed = attempt("a.py::test_a", Outcome.CRASHED, text="killed by signal 9\nstack")
    verdict = judged(run(outcomes=[crashed, attempt("a.py::test_b")], lost=("gw0: killed by signal 9",)))
    assert (verdict.ruling, verdict.reason) == (Ruling.FAIL, "1 red: a.py::test_a")
    assert verdict.findings[0].message == "crashed: killed by signal 9"


def test_a_run_that_is_red_without_a_red_test_fails() -> None:
    verdict = judged(run(exit_status=1))
    assert (verdict.ruling, verdict.reason) == (Ruling.FAIL, "1 red: unit")
    assert verdict.findings[0].message == "ended with exit status 1"


def test_a_test_that_was_tried_again_counts_as_it_ended() -> None:
    tried = [attempt("a.py::test_a", FAILED), attempt("a.py::test_a", PASSED)]
    assert judged(run(outcomes=tried, exit_status=0)).ruling is Ruling.PASS


def test_the_newest_whole_run_counts() -> None:
    whole_and_red = run(outcomes={"a.py::test_a": FAILED}, begun=10.0)
    green = run(begun=20.0)
    filtered = run(begun=30.0, selection=Selection(0, {"-k x": 1}))
    assert judged(whole_and_red, green, filtered).ruling is Ruling.PASS
    assert judged(whole_and_red, filtered).reason == "1 red: a.py::test_a"
    assert judged(run(begun=5.0), whole_and_red).ruling is Ruling.FAIL
    assert whole([filtered, green, whole_and_red], NOW, ("unit", "perf")) == {"unit": green}


def test_a_red_filtered_run_fails_where_there_is_no_whole_one() -> None:
    red = run(outcomes={"a.py::test_a": FAILED}, selection=Selection(0, {"-k x": 1}))
    assert judged(red).reason == "1 red: a.py::test_a"


def test_what_the_project_itself_leaves_out_is_no_filter_but_is_told() -> None:
    by_addopts = run(selection=Selection(0, {"addopts: -m 'not slow'": 4}, ("addopts: --ignore old",)))
    verdict = judged(by_addopts)
    assert verdict.ruling is Ruling.PASS
    assert verdict.reason.endswith("(left out by the project itself: unit 4 by addopts: -m 'not slow')")
    by_conftest = run(selection=Selection(0, {"tests/conftest.py": 4}, ("plugin testmon",)))
    assert judged(by_conftest).ruling is Ruling.UNMEASURED
    assert judged(by_conftest, may=("tests/conftest.py",)).reason == "unit is filtered by plugin testmon: unit-0"
    assert judged(by_conftest, may=("tests/conftest.py", "plugin testmon")).ruling is Ruling.PASS


def test_an_interpreter_has_an_environment_of_its_own() -> None:
    of_312 = run(environment="3.12-unit")
    assert judged(of_312).reason == "unit has never run"
    assert judged(of_312, expected=("3.12-unit",)).ruling is Ruling.PASS


@pytest.mark.parametrize(
    ("expected", "now", "told"),
    [
        ((), NOW, "no environment is expected: name in gates.environments what has to run"),
        (("unit",), State(None, None, "c0de"), "without git and a commit, nobody knows of which sources a run is"),
    ],
)
def test_where_nothing_can_be_known_nothing_is_green(expected: tuple[str, ...], now: State, told: str) -> None:
    same = run(commit=now.commit)
    verdict = judged(same, expected=expected, now=now)
    assert (verdict.ruling, verdict.reason) == (Ruling.UNMEASURED, told)
    assert whole([same], now, expected) == {}


SELECTIONS = st.builds(
    Selection,
    st.integers(0, 2),
    st.dictionaries(st.sampled_from(["-k x", "tests/conftest.py"]), st.integers(1, 3), max_size=1),
    st.lists(st.just("--lf"), max_size=1).map(tuple),
    st.integers(0, 1),
)
RUNS = st.builds(
    run,
    st.sampled_from(["unit", "perf"]),
    st.dictionaries(st.sampled_from(["a.py::a", "a.py::b"]), st.sampled_from(Outcome), max_size=2),
    begun=st.integers(0, 3).map(float),
    commit=st.sampled_from(["c0ffee", "feed"]),
    state=st.sampled_from(RunState),
    exit_status=st.sampled_from([0, 1, 2, None]),
    selection=st.none() | SELECTIONS,
    lost=st.lists(st.just("gw0: killed"), max_size=1).map(tuple),
)


@relaxed
@given(runs=st.lists(RUNS, max_size=5))
def test_nothing_passes_without_a_whole_green_run_of_each_environment(runs: list[Run]) -> None:
    verdict = judged(*runs, expected=("unit", "perf"))
    counted = whole(runs, NOW, ("unit", "perf"))
    for each in counted.values():
        assert lack(each) is None
        assert each.header.commit == NOW.commit
    if verdict.ruling is Ruling.PASS:
        assert set(counted) == {"unit", "perf"}
        for each in counted.values():
            assert each.exit_status == 0
            assert set(each.outcomes.values()) - {SKIPPED}
            assert not {*each.outcomes.values()} & {FAILED, NOT_RUN, Outcome.CRASHED, Outcome.ERROR}
    else:
        assert verdict.findings
        assert verdict.remedy


def test_a_run_of_another_category_in_the_same_environment_hides_no_red_one() -> None:
    red = run("integration", {"b.py::test_b": FAILED}, environment="ci", begun=10.0)
    green = run("unit", environment="ci", begun=20.0)
    verdict = judged(red, green, expected=("ci",))
    assert verdict.ruling is Ruling.FAIL
    assert verdict.reason == "1 red: b.py::test_b"
    assert (verdict.numerator, verdict.denominator) == (2, 2)


def test_a_run_of_another_category_in_the_same_environment_has_to_be_whole_too() -> None:
    half = run("integration", {"b.py::test_b": PASSED}, environment="ci", begun=10.0, state=RunState.DIED)
    verdict = judged(half, run("unit", environment="ci", begun=20.0), expected=("ci",))
    assert verdict.ruling is Ruling.UNMEASURED
    assert verdict.reason == "ci died and left no last word: integration-10"


def test_a_later_run_of_the_same_category_stands_for_the_earlier_one() -> None:
    red = run("unit", {"a.py::test_a": FAILED}, environment="ci", begun=10.0)
    assert judged(red, run("unit", environment="ci", begun=20.0), expected=("ci",)).ruling is Ruling.PASS
