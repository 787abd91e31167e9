"""Sampling: which rounds are wanted, what ends them, and every reason that a ruling can have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, repeat
from math import inf, log1p, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.model import Change, Interval, SelfCheck
from toxscreen.plan.paired import Method, Round, Sampling


def around(change: float, width: float = 0.005) -> list[float]:
    """Log ratios of pairs around a change, without end in practice: half a step above, half a step below."""
    return [log1p(change) + step for step in (width, -width)] * 500


def sampled(figures: Mapping[str, Iterable[float | None]], own: float = 0.0, rounds: int = 1000) -> Sampling:
    """Sample until all is decided, or for some rounds. A figure that is None is missing."""
    sampling = Sampling(list(figures), Method())
    rest = {node_id: iter(each) for node_id, each in figures.items()}
    for _ in range(rounds):
        wanted = sampling.wanted()
        if wanted is None:
            break
        found = {node_id: next(rest[node_id]) for node_id in wanted.node_ids}
        ratios = {node_id: figure for node_id, figure in found.items() if figure is not None}
        sampling.add(wanted, ratios, dict.fromkeys(wanted.node_ids, own) if wanted.self_check else {})
    return sampling


def outcome(sampling: Sampling, node_id: str = "a") -> tuple[Change, str, int, int]:
    return *sampling.judged(node_id), sampling.pairs(node_id), sampling.confirmed_by(node_id)


# what is said


def test_the_same() -> None:
    sampling = sampled({"a": around(0.0)})
    assert outcome(sampling) == (Change.SAME, "within 3 %: +0.0 % (-0.5 to +0.5 %) in 16 pairs", 16, 0)
    assert sampling.wanted() is None


def test_nothing_has_no_sign() -> None:
    sampling = sampled({"a": around(-0.0001)})
    assert outcome(sampling)[1] == "within 3 %: +0.0 % (-0.5 to +0.5 %) in 16 pairs"


def test_slower_and_confirmed() -> None:
    sampling = sampled({"a": [*around(0.05)[:16], *around(0.04)]})
    reason = "+5.0 % (+4.5 to +5.5 %) in 16 pairs, confirmed by 16 others: +4.0 % (+3.5 to +4.5 %)"
    assert outcome(sampling) == (Change.REGRESSED, reason, 16, 16)
    # The confirmation's, which was not chosen for being slow.
    assert sampling.interval("a") == pytest.approx((1.04, 1.0348, 1.0452), abs=1e-4)
    assert sampling.wanted() is None


def test_slower_and_not_confirmed_but_the_same() -> None:
    sampling = sampled({"a": [*around(0.05)[:16], *around(0.0)]})
    reason = (
        "looked slower in 16 pairs, +5.0 % (+4.5 to +5.5 %), but not in 16 others: within 3 %: +0.0 % (-0.5 to +0.5 %)"
    )
    assert outcome(sampling) == (Change.SAME, reason, 16, 16)
    assert sampling.interval("a") == pytest.approx((1.0, 0.995, 1.005), abs=1e-4)


def test_slower_and_then_only_noise() -> None:
    sampling = sampled({"a": [*around(0.05)[:16], *around(0.0, 0.1)]})
    slower, not_confirmed = "looked slower in 16 pairs, +5.0 % (+4.5 to +5.5 %)", "but 128 others did not confirm it"
    reason = f"{slower}, {not_confirmed}: +0.0 % (-9.5 to +10.5 %)"
    assert outcome(sampling) == (Change.UNDECIDED, reason, 16, 128)
    assert sampling.wanted() is None


def test_slower_and_then_faster_is_a_contradiction() -> None:
    sampling = sampled({"a": [*around(0.05)[:16], *around(-0.05)]})
    reason = "looked slower in 16 pairs, +5.0 % (+4.5 to +5.5 %), but faster in 16 others: -5.0 % (-5.5 to -4.5 %)"
    assert outcome(sampling) == (Change.UNDECIDED, reason, 16, 16)
    assert sampling.wanted() is None


def test_slower_and_no_time_to_confirm_it() -> None:
    sampling = sampled({"a": around(0.05)}, rounds=23)
    reason = "looked slower in 16 pairs, +5.0 % (+4.5 to +5.5 %), but of the pairs to confirm it only 7 were made"
    assert outcome(sampling) == (Change.UNDECIDED, reason, 16, 7)
    assert sampling.interval("a") == pytest.approx((1.05, 1.0448, 1.0553), abs=1e-4)
    assert sampling.wanted() == Round(("a",), self_check=False)


def test_faster_needs_no_confirmation() -> None:
    sampling = sampled({"a": around(-0.05)})
    assert outcome(sampling) == (Change.IMPROVED, "-5.0 % (-5.5 to -4.5 %) in 16 pairs", 16, 0)
    assert sampling.wanted() is None


def test_only_noise() -> None:
    sampling = sampled({"a": around(0.0, 0.1)})
    reason = "still +0.0 % (-9.5 to +10.5 %) after 128 pairs, the most there are"
    assert outcome(sampling) == (Change.UNDECIDED, reason, 128, 0)
    assert sampling.wanted() is None


@pytest.mark.parametrize(
    ("rounds", "reason"),
    [
        (0, "0 pairs, too few for bounds"),
        (1, "1 pair, too few for bounds"),
        (15, "still +0.5 % (-0.5 to +0.5 %) after 15 pairs"),
    ],
)
def test_stopped_before_the_first_stage(rounds: int, reason: str) -> None:
    sampling = sampled({"a": around(0.0)}, rounds=rounds)
    assert outcome(sampling) == (Change.UNDECIDED, reason, rounds, 0)
    assert sampling.wanted() == Round(("a",), self_check=True)


def test_broken_is_measured_no_more() -> None:
    sampling = sampled({"a": around(0.0), "b": around(0.0)}, rounds=3)
    sampling.drop("a")
    assert outcome(sampling) == (Change.BROKEN, "it failed after 3 pairs", 3, 0)
    assert sampling.wanted() == Round(("b",), self_check=True)
    sampling.drop("b")
    assert sampling.wanted() is None


def test_without_a_figure_for_five_rounds_it_gets_no_more() -> None:
    sampling = sampled({"a": chain(around(0.0)[:3], repeat(None))})
    reason = "no figure in 5 rounds running; 3 pairs, too few for bounds"
    assert outcome(sampling) == (Change.UNDECIDED, reason, 3, 0)
    assert sampling.wanted() is None


# which rounds


def test_a_missing_figure_is_made_up_for() -> None:
    sampling = sampled({"a": chain([None, None, None, None, nan, inf], around(0.0))}, rounds=5)
    # The fifth is no figure either.
    assert sampling.wanted() is None
    sampling = sampled({"a": chain([None, None, None, None], around(0.0)[:1], [nan, -inf, inf], around(0.0))})
    assert outcome(sampling)[0] is Change.SAME
    assert sampling.pairs("a") == 16


def test_what_is_decided_takes_no_part_in_later_rounds() -> None:
    sampling = sampled({"same": around(0.0), "noisy": around(0.0, 0.1), "slower": around(0.05)}, rounds=16)
    assert sampling.wanted() == Round(("noisy", "slower"), self_check=False)
    # Figures of what was not asked for, and of what is decided, change nothing.
    sampling.add(Round(("same",), self_check=False), {"same": 5.0, "noisy": 5.0, "unknown": 5.0})
    assert [sampling.pairs(node_id) for node_id in ("same", "noisy", "slower")] == [16, 16, 16]


def test_one_benchmark_named_twice_is_one() -> None:
    assert Sampling(["a", "a", "b"], Method()).wanted() == Round(("a", "b"), self_check=True)
    sampling = Sampling(["a"] * 1000, Method())
    while wanted := sampling.wanted():
        sampling.add(wanted, {"a": 0.0})
    # A thousand would share the error, and take 24 pairs.
    assert sampling.pairs("a") == 16


def test_no_benchmark() -> None:
    sampling = Sampling([], Method())
    assert sampling.wanted() is None
    assert sampling.self_checked() == SelfCheck(
        passed=False, reason="base against base was not measured often enough: 0 times"
    )


def test_with_very_many_benchmarks_the_self_check_takes_more_pairs() -> None:
    sampling = sampled({f"b{number:03}": around(0.0) for number in range(1000)})
    check = sampling.self_checked()
    assert check.reason == "base against base shows no difference in 1000 benchmarks, 18 pairs"
    assert (check.passed, check.pairs) == (True, 18)
    assert sampling.pairs("b000") == 24


@given(st.dictionaries(st.sampled_from("abcd"), st.lists(st.none() | st.floats(-0.2, 0.2), max_size=99), min_size=1))
def test_whatever_is_measured_it_ends_and_the_rulings_hold_together(
    figures: dict[str, list[float | None]],
) -> None:
    sampling = sampled({node_id: chain(each, repeat(None)) for node_id, each in figures.items()})
    assert sampling.wanted() is None
    for node_id in figures:
        change, reason = sampling.judged(node_id)
        first, second = sampling.pairs(node_id), sampling.confirmed_by(node_id)
        interval = sampling.interval(node_id)
        assert first <= 128
        assert reason
        if change is Change.REGRESSED:
            assert interval is not None
            assert interval.low > 1.01
            assert min(first, second) >= 16
        if change is Change.IMPROVED:
            assert interval is not None
            assert interval.high < 1 / 1.01
            assert (first >= 16, second) == (True, 0)
        if change is Change.SAME:
            assert interval is not None
            assert 1 / 1.03 < interval.low <= interval.high < 1.03


# the base against itself


def test_the_base_against_itself() -> None:
    sampling = sampled({"a": around(0.0), "b": around(0.05)})
    found = Interval(1.0, 1.0, 1.0)
    reason = "base against base shows no difference in 2 benchmarks, 16 pairs"
    assert sampling.self_checked() == SelfCheck(
        passed=True, reason=reason, pairs=16, intervals=(("a", found), ("b", found))
    )


@pytest.mark.parametrize(("own", "words"), [(0.02, "+2.0 % (+2.0 to +2.0 %)"), (-0.02, "-2.0 % (-2.0 to -2.0 %)")])
def test_a_base_that_differs_from_itself(own: float, words: str) -> None:
    check = sampled({"a": around(0.0), "b": around(0.0)}, own=own).self_checked()
    assert (check.passed, check.pairs) == (False, 16)
    assert check.reason == f"base against base differs: a by {words}, and 1 more"
    assert sampled({"a": around(0.0)}, own=own).self_checked().reason == f"base against base differs: a by {words}"


def test_a_difference_within_the_dead_zone_is_none() -> None:
    assert sampled({"a": around(0.0)}, own=log1p(0.0099)).self_checked().passed


def test_figures_of_the_base_that_are_none() -> None:
    sampling = Sampling(["a", "b"], Method())
    for _ in range(16):
        wanted = sampling.wanted()
        assert wanted is not None
        sampling.add(wanted, {"a": 0.0, "b": 0.0}, {"a": nan, "b": 0.0})
    assert sampling.self_checked() == SelfCheck(
        passed=True,
        reason="base against base shows no difference in 1 of 2 benchmarks, 16 pairs",
        pairs=16,
        intervals=(("b", Interval(1.0, 1.0, 1.0)),),
    )


def test_too_few_figures_of_the_base() -> None:
    check = sampled({"a": around(0.0)}, rounds=7).self_checked()
    assert check == SelfCheck(passed=False, reason="base against base was not measured often enough: 7 times", pairs=7)


def test_what_is_broken_is_not_checked() -> None:
    sampling = sampled({"a": around(0.0), "b": around(0.0)}, own=0.5)
    sampling.drop("a")
    sampling.drop("b")
    check = sampling.self_checked()
    assert check == SelfCheck(passed=False, reason="base against base was not measured often enough: 0 times")
