"""The nouns: which outcomes make a run red, and what is read off a run."""

from __future__ import annotations

import dataclasses
import enum

import pytest

from toxscreen import model
from toxscreen.model import (
    Attempt,
    Header,
    Lane,
    Leak,
    Order,
    Outcome,
    Run,
    RunState,
    failure,
    found,
    judged,
    paired,
    progress,
    required,
    running,
    sharded,
    timed,
    timing,
)

HEADER = Header(
    schema=1,
    run="r",
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
    workers=0,
)
LANES = (Lane("gw0", ("a",)), Lane("gw1", ("b",)))


def attempt(node_id: str, outcome: Outcome = Outcome.PASSED) -> Attempt:
    return Attempt(node_id, "gw0", 0, 1.0, outcome)


def run(
    *attempts: Attempt,
    state: RunState = RunState.COMPLETE,
    status: int | None = 0,
    collected: tuple[str, ...] = (),
) -> Run:
    return Run(HEADER, state, attempts, Order(LANES, None, "f"), collected, status, None)


@pytest.mark.parametrize(
    ("outcome", "value", "red"),
    [
        (Outcome.PASSED, "passed", False),
        (Outcome.FAILED, "failed", True),
        (Outcome.ERROR, "error", True),
        (Outcome.SKIPPED, "skipped", False),
        (Outcome.XFAILED, "xfailed", False),
        (Outcome.XPASSED, "xpassed", False),
        (Outcome.TIMED_OUT, "timed-out", True),
        (Outcome.CRASHED, "crashed", True),
        (Outcome.NOT_RUN, "not-run", False),
    ],
)
def test_outcomes(outcome: Outcome, value: str, *, red: bool) -> None:
    assert (outcome.value, outcome.red) == (value, red)
    assert run(attempt("a", outcome)).failed is red


def test_there_are_no_other_outcomes() -> None:
    assert len(Outcome) == 9


@pytest.mark.parametrize(
    ("state", "status", "failed"),
    [
        (RunState.COMPLETE, 0, False),
        (RunState.COMPLETE, 1, True),
        (RunState.COMPLETE, 5, True),
        (RunState.STOPPED, 0, False),
        (RunState.STOPPED, 2, True),
        (RunState.STOPPED, 130, True),
        (RunState.RUNNING, None, False),
        (RunState.DIED, None, True),
    ],
)
def test_when_a_run_has_failed_without_a_red_test(state: RunState, status: int | None, *, failed: bool) -> None:
    assert run(attempt("a"), state=state, status=status).failed is failed


def test_a_red_test_makes_a_run_fail_while_it_is_still_running() -> None:
    found = run(attempt("a", Outcome.FAILED), attempt("b"), state=RunState.RUNNING, status=None)
    assert found.failed is True


def test_every_collected_test_has_an_outcome_and_the_last_attempt_counts() -> None:
    found = run(
        attempt("b", Outcome.CRASHED),
        attempt("a", Outcome.SKIPPED),
        attempt("b", Outcome.PASSED),
        attempt("new", Outcome.FAILED),
        collected=("a", "b", "c"),
    )
    assert list(found.outcomes.items()) == [
        ("a", Outcome.SKIPPED),
        ("b", Outcome.PASSED),
        ("c", Outcome.NOT_RUN),
        ("new", Outcome.FAILED),
    ]


def test_lanes_are_found_by_name() -> None:
    found = run()
    assert [found.lane(name) for name in ("gw1", "gw0", "gw2")] == [LANES[1], LANES[0], None]
    assert found.id == "r"


def test_seconds_are_those_of_all_phases() -> None:
    assert Attempt("a", "main", 0, 9.0, Outcome.PASSED, 0.25, 0.5, 2.0).seconds == 2.75
    assert attempt("a").seconds == 0.0


def test_a_leak_in_words() -> None:
    assert str(Leak("os.environ['A']", "absent", "1", "test_it")) == "os.environ['A']: absent -> 1"


@pytest.mark.parametrize("name", model.__all__)
def test_nouns_are_words_for_values_enums_or_frozen_slotted_records_and_not_taken_for_tests(name: str) -> None:
    noun = getattr(model, name)
    assert not name.startswith("Test")
    if not isinstance(noun, type) or issubclass(noun, (enum.Enum, tuple)):
        return
    assert dataclasses.is_dataclass(noun)
    assert noun.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(noun)


def test_every_noun_is_handed_out() -> None:
    defined = {
        name
        for part in (running, failure, found, judged, paired, progress, required, sharded, timed, timing)
        for name, noun in vars(part).items()
        if isinstance(noun, type) and noun.__module__ == part.__name__
    }
    assert defined == {name for name in model.__all__ if isinstance(getattr(model, name), type)}


def test_what_is_no_noun() -> None:
    with pytest.raises(AttributeError, match=r"^module 'toxscreen.model' has no attribute 'Nobody'$"):
        _ = model.Nobody  # type: ignore[attr-defined]
