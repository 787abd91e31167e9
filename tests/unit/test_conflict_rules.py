"""Which tests can meet in what they touch: pure functions from executed tests to possible conflicts and words."""

from __future__ import annotations

from itertools import permutations

import pytest

from toxscreen.model import Attempt, Conflict, Outcome
from toxscreen.plan.conflicts import conflicts, told


def ran(where: str, touched: str = "", outcome: Outcome = Outcome.PASSED) -> Attempt:
    """An executed test, as ``name@lane``; what it touched is separated by commas."""
    node_id, _, lane = where.partition("@")
    return Attempt(node_id, lane, 0, 1.0, outcome, touched=tuple(touched.split(",")) if touched else ())


def found(*attempts: Attempt) -> dict[str, str]:
    """Each thing, with those who meet in it."""
    return {each.thing: " ".join(f"{name}@{lane}" for name, lane in each.tests) for each in conflicts(attempts)}


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        pytest.param([], {}, id="no tests"),
        pytest.param([ran("a@gw0"), ran("b@gw1")], {}, id="nothing touched"),
        pytest.param([ran("a@gw0", "file x"), ran("b@gw1", "file y")], {}, id="each its own"),
        pytest.param([ran("a@gw0", "file x"), ran("b@gw0", "file x")], {}, id="one lane"),
        pytest.param([ran("a@main", "file x"), ran("a@main", "file x")], {}, id="one test, run again"),
        pytest.param([ran("a@gw0", "file x"), ran("b@gw1", "file x")], {"file x": "a@gw0 b@gw1"}, id="two lanes"),
        pytest.param(
            [ran("a@gw0", "file x"), ran("a@gw1", "file x")], {"file x": "a@gw0 a@gw1"}, id="one test on two lanes"
        ),
        pytest.param(
            [ran("a@gw0", "file x", Outcome.FAILED), ran("b@gw1", "file x", Outcome.SKIPPED)],
            {"file x": "a@gw0 b@gw1"},
            id="whatever came of them",
        ),
        pytest.param(
            [ran("c@gw0", "port 1,file x"), ran("b@gw1", "port 1"), ran("a@gw0", "file x"), ran("d@gw2", "file x")],
            {"file x": "a@gw0 c@gw0 d@gw2", "port 1": "b@gw1 c@gw0"},
            id="several",
        ),
        pytest.param(
            [ran("a@gw0", "connection to port 1"), ran("b@gw1", "connection to port 1")], {}, id="a service for all"
        ),
        pytest.param(
            [ran("a@gw0", "connection to port 1"), ran("b@gw1", "port 1")],
            {"port 1": "b@gw1 a@gw0"},
            id="somebody else's server",
        ),
        pytest.param(
            [ran("a@gw0", "connection to port 1"), ran("b@gw0", "port 1")], {}, id="a server of the same lane"
        ),
        pytest.param(
            [ran("a@gw0", "port 1,connection to port 1"), ran("b@gw1", "connection to port 1,port 1")],
            {"port 1": "a@gw0 b@gw1"},
            id="each with its server",
        ),
        pytest.param([ran("a@1.gw0", "file x"), ran("b@2.gw1", "file x")], {}, id="shards on two machines"),
        pytest.param(
            [ran("a@1.gw0", "file x"), ran("b@2.gw0", "file x"), ran("c@2.gw1", "file x")],
            {"file x": "b@2.gw0 c@2.gw1"},
            id="two lanes of one machine",
        ),
        pytest.param(
            [ran("a@gw0", "connection to port 1"), ran("b@gw1", "port 1"), ran("a@gw0", "port 1")],
            {"port 1": "a@gw0 b@gw1"},
            id="a test that only connected once and did more another time",
        ),
    ],
)
def test_who_meets_in_what(attempts: list[Attempt], expected: dict[str, str]) -> None:
    assert found(*attempts) == expected


def test_the_order_of_the_tests_does_not_matter() -> None:
    attempts = [ran("b@gw1", "port 2,file x"), ran("a@gw0", "file x"), ran("c@gw2", "connection to port 2")]
    answers = {conflicts(each) for each in permutations(attempts)}
    assert answers == {
        (
            Conflict("file x", (("a", "gw0"), ("b", "gw1"))),
            Conflict("port 2", (("b", "gw1"), ("c", "gw2"))),
        )
    }


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        ((("a", "gw0"), ("b", "gw1")), "file x is touched by a (gw0) and b (gw1)"),
        ((("a", "gw0"), ("b", "gw0"), ("c", "gw1")), "file x is touched by a (gw0) and c (gw1) (1 more test)"),
        (tuple((name, f"gw{name}") for name in "0123"), "file x is touched by 0 (gw0) and 1 (gw1) (2 more tests)"),
    ],
)
def test_a_conflict_in_words(tests: tuple[tuple[str, str], ...], words: str) -> None:
    assert told(Conflict("file x", tests)) == words
