"""The orders that are tried, and which orders a random parallel run can meet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, islice, pairwise, permutations, product

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.hunt.orders import Going, Ordered, can_be_met, going, orders

TESTS = tuple(f"tests/test_{number // 10}.py::test_{number}" for number in range(60))


def near_pairs(order: Ordered) -> set[tuple[str, str]]:
    names = order.node_ids
    return {(first, second) for at, first in enumerate(names) for second in names[at + 1 : at + 9]}


def test_the_order_as_written_its_reverse_and_then_shuffles() -> None:
    found = list(islice(orders(TESTS, 7), 8))
    assert [order.name for order in found] == [
        "as written",
        "reversed",
        "shuffle 1",
        "shuffle 1 reversed",
        "shuffle 2",
        "shuffle 2 reversed",
        "shuffle 3",
        "shuffle 3 reversed",
    ]
    assert found[0].node_ids == TESTS
    assert all(sorted(order.node_ids) == sorted(TESTS) for order in found)
    assert all(back.node_ids == order.node_ids[::-1] for order, back in zip(found[::2], found[1::2], strict=True))
    assert len({order.node_ids for order in found}) == 8


def test_a_seed_decides_the_shuffles() -> None:
    once, again, other = (list(islice(orders(TESTS, seed), 12)) for seed in (1, 1, 2))
    assert once == again
    assert once[:2] == other[:2]
    assert all(mine.node_ids != yours.node_ids for mine, yours in zip(once[2:], other[2:], strict=True))


def test_the_shuffles_mix_files() -> None:
    shuffle = next(islice(orders(TESTS, 3), 2, None))
    files = [name.partition("::")[0] for name in shuffle.node_ids]
    changes = sum(here != there for here, there in pairwise(files))
    assert changes > 30


@pytest.mark.parametrize("tests", [(), ("test_a.py::test_one",)])
def test_nothing_to_reorder(tests: tuple[str, ...]) -> None:
    assert list(orders(tests, 1)) == [Ordered("as written", tests)]


def test_orders_say_when_no_more_tests_can_be_brought_together() -> None:
    few = list(islice(orders(TESTS[:8], 1), 6))
    assert [order.is_new for order in few] == [True, True, False, False, False, False]
    many = list(islice(orders(TESTS, 1), 400))
    known: set[tuple[str, str]] = set()
    for order, back in zip(many[::2], many[1::2], strict=True):
        pairs = near_pairs(order) | near_pairs(back)
        assert order.is_new == back.is_new == bool(pairs - known)
        known |= pairs
    assert len(known) == len(TESTS) * (len(TESTS) - 1)
    assert not many[-1].is_new


def test_two_tests_have_orders_without_end() -> None:
    found = list(islice(orders(("a", "b"), 1), 20))
    assert [order.node_ids for order in found[:2]] == [("a", "b"), ("b", "a")]
    assert all(order.node_ids in {("a", "b"), ("b", "a")} for order in found)
    assert found[-1].name == "shuffle 9 reversed"


def test_chosen_shuffles_bring_more_pairs_near_than_chance() -> None:
    def average(seeds: range, shuffles: int) -> float:
        """Share of the near pairs of the last shuffle that are new, over some seeds."""
        shares = []
        for seed in seeds:
            found = list(islice(orders(TESTS, seed), 2 + 2 * shuffles))
            before = set(chain.from_iterable(near_pairs(order) for order in found[:-2]))
            shares.append(len(near_pairs(found[-2]) - before) / len(near_pairs(found[-2])))
        return sum(shares) / len(shares)

    # By chance, a pair is not yet near with this probability; the best of eight is clearly above.
    share = len(near_pairs(Ordered("", TESTS))) / (60 * 59)
    by_chance = (1 - 2 * share) ** 2
    assert average(range(40), 2) > by_chance + 0.01


def test_five_thousand_tests_are_no_burden() -> None:
    many = [f"test_{number}" for number in range(5000)]
    found = list(islice(orders(many, 1), 6))
    assert [len(set(order.node_ids)) for order in found] == [5000] * 6


SUITE = {
    "tests/test_a.py": {
        "": ["test_f", "test_g[x::y/[z]::w]"],
        "TestOne::": ["test_h", "test_i[a::b]"],
        "TestOne::TestInner::": ["test_h"],
    },
    "tests/[odd]/test_b.py": {"": ["test_f"], "TestOne::": ["test_h", "test_j"]},
}


def names(file: str, owner: str) -> list[str]:
    return [f"{file}::{owner}{test}" for test in SUITE[file][owner]]


def nested_shuffles() -> Iterator[tuple[str, ...]]:
    """Every order in which files, classes and functions can be shuffled, each within its own."""
    for files in permutations(SUITE):
        for classes in product(*(permutations(SUITE[file]) for file in files)):
            blocks = [names(file, owner) for file, owners in zip(files, classes, strict=True) for owner in owners]
            for tests in product(*(permutations(block) for block in blocks)):
                yield tuple(chain.from_iterable(tests))


def test_what_can_be_met_is_what_some_nested_shuffle_holds() -> None:
    every = [name for file, classes in SUITE.items() for owner in classes for name in names(file, owner)]
    met = {part for order in nested_shuffles() for length in range(5) for part in combinations(order, length)}
    for length in range(5):
        for sequence in permutations(every, length):
            assert can_be_met(sequence) is (sequence in met), sequence


@hypothesis.settings(max_examples=100, database=None, deadline=None)
@given(data=st.data())
def test_a_part_of_a_nested_shuffle_can_be_met_and_a_repeated_test_cannot(data: st.DataObject) -> None:
    files = data.draw(st.permutations(["a.py", "b/c.py", "d.py"]))
    order: list[str] = []
    for file in files:
        for owner in data.draw(st.permutations(["", "TestA::", "TestB::TestC::"])):
            order += [f"{file}::{owner}test_{test}" for test in data.draw(st.permutations(["x", "y[::]", "z"]))]
    kept = data.draw(st.sets(st.integers(0, len(order) - 1), min_size=1))
    sequence = [order[place] for place in sorted(kept)]
    assert can_be_met(sequence)
    assert not can_be_met([*sequence, sequence[0]])


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ((), True),
        (("a.py::f", "b.py::f"), True),
        (("a.py::f", "b.py::f", "a.py::g"), False),
        (("a.py::f", "a.py::T::m", "a.py::g"), False),
        (("a.py::T::m", "a.py::f", "a.py::T::n"), False),
        (("a.py::f[b.py::T::x]", "a.py::g", "a.py::f[/::y]"), True),
        (("a.py::T::m", "b.py::T::m"), True),
        (("README.md", "a.py::f"), True),
    ],
)
def test_what_can_be_met_by_example(sequence: tuple[str, ...], *, expected: bool) -> None:
    assert can_be_met(sequence) is expected


@pytest.mark.parametrize(
    ("quiet", "seconds", "is_quick", "is_new", "is_half_spent", "expected"),
    [
        # Whatever they show, some are tried, and long enough.
        (5, 9.0, True, False, False, Going.ON),
        (6, 1.9, True, False, False, Going.ON),
        (6, 4.9, True, False, False, Going.ON),
        (6, 5.0, True, True, False, Going.ENOUGH),
        (24, 0.1, True, True, False, Going.ENOUGH),
        # Only who is in a hurry leaves tests that were never near each other.
        (6, 5.0, False, True, False, Going.ON),
        (99, 99.0, False, True, False, Going.ON),
        (6, 5.0, False, False, False, Going.ENOUGH),
        # The other half of the budget is not for orders.
        (99, 99.0, False, True, True, Going.TIME_UP),
        (6, 4.9, False, True, True, Going.CUT),
        (0, 99.0, True, False, True, Going.CUT),
        (24, 0.1, True, True, True, Going.ENOUGH),
    ],
)
def test_when_orders_end(
    quiet: int,
    seconds: float,
    is_quick: bool,  # noqa: FBT001 - a column
    is_new: bool,  # noqa: FBT001 - a column
    is_half_spent: bool,  # noqa: FBT001 - a column
    expected: Going,
) -> None:
    state = going(quiet, seconds, 5.0, is_quick=is_quick, is_new=is_new, is_half_spent=is_half_spent)
    assert state is expected
