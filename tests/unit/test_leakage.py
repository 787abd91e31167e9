"""Whose change of process state is it: the test's, or a fixture's that outlives the test?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from toxscreen.plan.leakage import Differences, Ledger

State = dict[str, int]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Differences:
    return {
        key: (before.get(key), after.get(key)) for key in sorted({*before, *after}) if before.get(key) != after.get(key)
    }


def ledger(**expected: int) -> Ledger:
    return Ledger(compare, expected)


def test_a_clean_test_leaves_nothing() -> None:
    assert ledger(a=1).test_done({"a": 1}) == {}


@pytest.mark.parametrize(
    ("now", "left"),
    [({"a": 2}, {"a": (1, 2)}), ({}, {"a": (1, None)}), ({"a": 1, "b": 3}, {"b": (None, 3)})],
)
def test_what_a_test_leaves_is_told_once_and_then_expected(now: State, left: Differences) -> None:
    book = ledger(a=1)
    assert book.test_done(now) == left
    assert book.test_done(now) == {}
    assert book.test_done({"a": 1}) == {path: (after, before) for path, (before, after) in left.items()}


def test_what_a_living_fixture_changed_is_its_own() -> None:
    book = ledger()
    book.fixture_up("server", {}, {"port": 80})
    assert book.test_done({"port": 80}) == {}
    assert book.test_done({"port": 80}) == {}
    assert book.fixture_down("server", {}) == {}
    assert book.test_done({}) == {}


def test_a_test_that_changes_what_a_fixture_set_up_is_told() -> None:
    book = ledger()
    book.fixture_up("server", {}, {"port": 80})
    assert book.test_done({"port": 81}) == {"port": (None, 81)}
    assert book.test_done({"port": 81}) == {}
    assert book.test_done({"port": 82}) == {"port": (None, 82)}


def test_a_fixture_that_does_not_undo_is_told_and_the_test_is_not() -> None:
    book = ledger()
    book.fixture_up("server", {}, {"port": 80, "host": 1})
    assert book.fixture_down("server", {"port": 80}) == {"port": (None, 80)}
    assert book.test_done({"port": 80}) == {}
    assert book.test_done({"port": 80}) == {}
    assert book.test_done({}) == {"port": (80, None)}


def test_a_fixture_is_not_blamed_for_what_others_changed() -> None:
    book = ledger()
    book.fixture_up("server", {}, {"port": 80})
    assert book.fixture_down("server", {"other": 1}) == {}
    assert book.test_done({"other": 1}) == {"other": (None, 1)}


def test_a_fixture_that_changed_nothing_owns_nothing() -> None:
    book = ledger()
    book.fixture_up("numbers", {"a": 1}, {"a": 1})
    assert book.owned == {}
    assert book.fixture_down("numbers", {"a": 2}) == {}
    assert book.fixture_down("never seen", {"a": 2}) == {}


def test_a_fixture_set_up_twice_owns_both_changes() -> None:
    book = ledger()
    book.fixture_up("param", {}, {"a": 1})
    book.fixture_up("param", {"a": 1}, {"a": 1, "b": 2})
    assert book.test_done({"a": 1, "b": 2}) == {}
    assert book.fixture_down("param", {"a": 1, "b": 2}) == {"a": (None, 1), "b": (None, 2)}


def test_fixtures_that_change_the_same_thing_end_inside_out() -> None:
    book = ledger()
    book.fixture_up("outer", {}, {"port": 80})
    book.fixture_up("inner", {"port": 80}, {"port": 81})
    assert book.test_done({"port": 81}) == {}
    assert book.fixture_down("inner", {"port": 80}) == {}
    assert book.test_done({"port": 80}) == {}
    assert book.fixture_down("outer", {}) == {}
    assert book.test_done({}) == {}


def test_an_inner_fixture_that_does_not_undo_is_told() -> None:
    book = ledger()
    book.fixture_up("outer", {}, {"port": 80})
    book.fixture_up("inner", {"port": 80}, {"port": 81})
    assert book.fixture_down("inner", {"port": 81}) == {"port": (None, 81)}
    assert book.test_done({"port": 81}) == {}
    assert book.fixture_down("outer", {}) == {}
    assert book.test_done({}) == {}


def test_a_leak_beside_a_living_fixture_is_told_once_and_again_when_it_comes_again() -> None:
    book = ledger()
    book.fixture_up("session", {}, {"port": 80})
    assert book.test_done({"port": 80, "debug": 1}) == {"debug": (None, 1)}
    assert book.test_done({"port": 80, "debug": 1}) == {}
    assert book.test_done({"port": 80}) == {}
    assert book.test_done({"port": 80, "debug": 1}) == {"debug": (None, 1)}


def test_a_told_leak_is_not_told_again_after_a_fixture_covered_it() -> None:
    book = ledger()
    book.fixture_up("session", {}, {"port": 80})
    assert book.test_done({"port": 80, "debug": 1}) == {"debug": (None, 1)}
    book.fixture_up("module", {"port": 80, "debug": 1}, {"port": 80, "debug": 2})
    assert book.test_done({"port": 80, "debug": 2}) == {}
    assert book.fixture_down("module", {"port": 80, "debug": 1}) == {}
    assert book.test_done({"port": 80, "debug": 1}) == {}


NAMES = st.sampled_from(["a", "b"])
VALUES = st.integers(0, 2)


class CleanSuite(RuleBasedStateMachine):
    """Tests and fixtures that undo what they do, in any order: nobody is ever blamed."""

    def __init__(self) -> None:
        super().__init__()
        self.now: State = {"a": 0}
        self.book = Ledger(compare, dict(self.now))
        self.alive: list[tuple[str, State]] = []

    @rule(name=NAMES, value=VALUES)
    def set_up(self, name: str, value: int) -> None:
        fixture, before = f"fixture {len(self.alive)}", dict(self.now)
        self.now[name] = value
        self.book.fixture_up(fixture, before, dict(self.now))
        self.alive.append((fixture, before))

    @precondition(lambda self: self.alive)
    @rule()
    def tear_down(self) -> None:
        fixture, self.now = self.alive.pop()
        assert self.book.fixture_down(fixture, dict(self.now)) == {}

    @invariant()
    def nobody_is_blamed(self) -> None:
        assert self.book.test_done(dict(self.now)) == {}


class TestCleanSuite(CleanSuite.TestCase):  # type: ignore[misc,valid-type]
    settings = hypothesis.settings(max_examples=40, stateful_step_count=12, database=None, deadline=None)
