"""What is asked about a red run: which tests failed, what ran before and beside them, how long it may take to look."""

from __future__ import annotations

import pytest

from toxscreen.hunt.suspects import Failure, failures
from toxscreen.model import Attempt, Header, Lane, Order, Origin, Outcome, Run, RunState
from toxscreen.pytest_plugin.diagnose import allowed

KEY = Origin("KeyError", "t.py", 3)
HEADER = Header(
    schema=1,
    run="20260101T000000Z-unit-0001",
    category="unit",
    started=0.0,
    argv=(),
    cwd=".",
    executable="python",
    seed=None,
    hash_seed=None,
    cwd_importable=False,
    commit=None,
    changes=None,
    workers=2,
)


def attempt(node_id: str, lane: str, place: int, started: float, outcome: Outcome = Outcome.PASSED) -> Attempt:
    red = outcome.red
    return Attempt(
        node_id, lane, place, started, outcome, call=1.0, origin=KEY if red else None, text="KeyError" if red else None
    )


def run(*attempts: Attempt) -> Run:
    names = dict.fromkeys(each.lane for each in attempts)
    lanes = tuple(
        Lane(
            name,
            tuple(each.node_id for each in sorted(attempts, key=lambda found: found.place) if each.lane == name),
        )
        for name in names
    )
    return Run(HEADER, RunState.COMPLETE, attempts, Order(lanes, None, ""), (), 1, None)


def test_a_failure_comes_with_what_ran_before_it_and_beside_it() -> None:
    old = run(
        attempt("a", "gw0", 0, 0.0),
        attempt("b", "gw0", 1, 1.0),
        attempt("c", "gw0", 2, 2.0, Outcome.FAILED),
        attempt("x", "gw1", 0, 0.5),
        attempt("y", "gw1", 1, 1.9),
        attempt("z", "gw1", 2, 2.9, Outcome.CRASHED),
    )
    assert failures(old) == (
        Failure("c", ("a", "b"), ("y", "z"), Outcome.FAILED, KEY, "KeyError"),
        Failure("z", ("x", "y"), ("c",), Outcome.CRASHED, KEY, "KeyError"),
    )


def test_a_test_that_failed_twice_is_asked_about_once() -> None:
    old = run(attempt("a", "gw0", 0, 0.0, Outcome.FAILED), attempt("a", "gw1", 0, 5.0, Outcome.FAILED))
    assert [each.node_id for each in failures(old)] == ["a"]


def test_a_green_run_has_no_failures() -> None:
    assert failures(run(attempt("a", "gw0", 0, 0.0, Outcome.SKIPPED), attempt("b", "gw0", 1, 1.0))) == ()


@pytest.mark.parametrize(
    ("asked", "seconds", "limit"),
    [(0.0, 10.0, 60.0), (0.0, 600.0, 60.0), (0.0, 1200.0, 120.0), (5.0, 1200.0, 5.0), (90.0, 1.0, 90.0)],
)
def test_a_minute_or_a_tenth_of_the_run_unless_somebody_says(asked: float, seconds: float, limit: float) -> None:
    assert allowed(asked, seconds) == limit
