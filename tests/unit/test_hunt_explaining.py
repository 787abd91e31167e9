"""Which changes are needed to turn a test: found among many, with few questions, the likeliest first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.hunt.child.explaining import needed
from toxscreen.probes.change import Change

SETTINGS = hypothesis.settings(max_examples=150, database=None, deadline=None)


def changes(*paths: object) -> list[Change]:
    return [Change(str(path), "1", "2", "module-state", own=True) for path in paths]


def paths(found: Sequence[Change]) -> list[str]:
    return [each.path for each in found]


@dataclass
class Turns:
    """A test that turns when all changes of one of some sets are undone."""

    enough: tuple[frozenset[str], ...]
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, undone: Sequence[Change]) -> bool:
        self.asked.append(paths(undone))
        return any(each <= set(paths(undone)) for each in self.enough)


def turns(*enough: str) -> Turns:
    return Turns(tuple(frozenset(each.split()) for each in enough))


@pytest.mark.parametrize(
    ("enough", "found"),
    [
        pytest.param(["a"], ["a"], id="the first"),
        pytest.param(["d"], ["d"], id="one in the middle"),
        pytest.param(["g"], ["g"], id="the last"),
        pytest.param(["b f"], ["b", "f"], id="two"),
        pytest.param(["f g"], ["f", "g"], id="the last two"),
        pytest.param(["a b"], ["a", "b"], id="the first two"),
        pytest.param(["a d g"], ["a", "d", "g"], id="three"),
        pytest.param(["g d a"], ["a", "d", "g"], id="in the order of the changes"),
        pytest.param(["a b c d e f g"], ["a", "b", "c", "d", "e", "f", "g"], id="all"),
        pytest.param(["e", "b"], ["b"], id="the likelier of two"),
        pytest.param(["b f", "c d"], ["c", "d"], id="the pair that is complete first"),
        pytest.param(["g", "b c"], ["b", "c"], id="two likely ones before an unlikely one"),
        pytest.param([], [], id="none"),
        pytest.param(["a x"], [], id="one that is not there"),
    ],
)
def test_what_is_needed(enough: list[str], found: list[str]) -> None:
    assert paths(needed(changes(*"abcdefg"), turns(*enough))) == found


def test_the_order_of_the_changes_decides() -> None:
    assert paths(needed(changes("b", "a"), turns("a", "b"))) == ["b"]
    assert paths(needed(changes("a", "b"), turns("a", "b"))) == ["a"]


def test_the_changes_are_given_back_themselves() -> None:
    given_ones = changes("a", "b", "c")
    found = needed(given_ones, turns("a c"))
    assert [id(each) for each in found] == [id(given_ones[0]), id(given_ones[2])]
    assert paths(given_ones) == ["a", "b", "c"]


def test_nothing_is_asked_where_there_is_nothing() -> None:
    ask = turns("")
    assert (needed([], ask), ask.asked) == ([], [])


def test_one_question_is_enough_where_undoing_all_does_not_help() -> None:
    ask = turns("x")
    assert (needed(changes("a", "b", "c"), ask), ask.asked) == ([], [["a", "b", "c"]])


def test_what_is_found_was_tried_by_itself() -> None:
    ask = turns("a")
    assert (paths(needed(changes("a"), ask)), ask.asked) == (["a"], [["a"], ["a"]])


def test_a_test_that_turns_only_once_ends_the_search_with_nothing() -> None:
    answers = iter([True])
    assert needed(changes(*"abcd"), lambda _: next(answers, False)) == []


@pytest.mark.parametrize("enough", ["c999", "c0", "c500", "c0 c999", "c100 c500 c900"])
def test_among_a_thousand_few_questions_find_it(enough: str) -> None:
    ask = turns(enough)
    assert paths(needed(changes(*(f"c{number}" for number in range(1000))), ask)) == enough.split()
    assert len(ask.asked) <= 1 + len(enough.split()) * (math.ceil(math.log2(1000)) + 1)


@SETTINGS
@given(st.integers(1, 40), st.lists(st.frozensets(st.integers(0, 39), min_size=1, max_size=4), max_size=4))
def test_what_is_found_turns_it_and_nothing_of_it_can_be_left_out(size: int, enough: list[frozenset[int]]) -> None:
    ask = Turns(tuple(frozenset(map(str, each)) for each in enough))
    found = needed(changes(*range(size)), ask)
    count = len(ask.asked)
    if any(max(each) < size for each in enough):
        assert ask(found) is True
        assert [ask([*found[:place], *found[place + 1 :]]) for place in range(len(found))] == [False] * len(found)
        assert [int(path) for path in paths(found)] == sorted({int(path) for path in paths(found)})
    else:
        assert found == []
    assert count <= 1 + len(found) * (math.ceil(math.log2(size)) + 1)
