"""Bounds of a median over several looks: counted against every way that coins can fall."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.plan.ranks import ranks, spent
from toxscreen.plan.series import Method


def ever_beyond(looks: Sequence[int], found: Sequence[int]) -> float:
    """How often the bound of any look lies over the median, by trying all falls of the coins; heads: at or under it."""
    beyond = 0
    for tosses in product((0, 1), repeat=looks[-1]):
        beyond += any(sum(tosses[:look]) < rank for look, rank in zip(looks, found, strict=True))
    return beyond / (1 << looks[-1])


@pytest.mark.parametrize(
    ("count", "error", "rank"),
    [
        # Tables of the sign test: 0.0106 of 16 tosses have three heads or fewer, 0.0021 two or fewer.
        (16, 0.0107, 4),
        (16, 0.0106, 3),
        (16, 0.0020, 2),
        (1, 0.49, 0),
        (1, 0.5, 1),
        (9, 0.001, 0),
        (10, 0.001, 1),
        (1000, 0.025, 469),
    ],
)
def test_one_look_is_the_sign_test(count: int, error: float, rank: int) -> None:
    assert ranks((count,), count, error) == (rank,)


def test_looks_of_the_default_method() -> None:
    method = Method()
    assert {count: ranks(method.stages, method.most, method.share(count)) for count in (1, 10, 100, 1000)} == {
        1: (2, 5, 8, 14, 20, 34, 48),
        10: (1, 3, 6, 12, 18, 31, 44),
        100: (0, 2, 5, 10, 16, 28, 41),
        1000: (0, 1, 4, 8, 14, 26, 38),
    }


@given(st.sets(st.integers(1, 9), min_size=1, max_size=4), st.floats(0.001, 0.6))
def test_the_bound_of_no_look_is_wrong_more_often_than_asked_and_none_gives_anything_away(
    counts: set[int], error: float
) -> None:
    looks = tuple(sorted(counts))
    found = ranks(looks, looks[-1], error)
    assert ever_beyond(looks, found) <= error
    for number, look in enumerate(looks):
        more = [*found[:number], found[number] + 1]
        assert ever_beyond(looks[: number + 1], found[: number + 1]) <= error * spent(look / looks[-1])
        assert ever_beyond(looks[: number + 1], more) > error * spent(look / looks[-1])


@given(st.sets(st.integers(1, 200), min_size=1, max_size=8), st.floats(1e-6, 0.5))
def test_ranks_rise_and_never_reach_the_upper_half(counts: set[int], error: float) -> None:
    looks = tuple(sorted(counts))
    found = ranks(looks, looks[-1], error)
    assert list(found) == sorted(found)
    assert all(rank <= (look + 1) / 2 for look, rank in zip(looks, found, strict=True))


def test_the_whole_error_is_spent_in_the_end_and_never_more() -> None:
    assert [round(spent(share), 4) for share in (0, 1 / 8, 1 / 2, 1, 2)] == [0, 0.1946, 0.6201, 1, 1]
