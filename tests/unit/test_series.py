"""The pairs of one benchmark: what is proved at which stage, and what never is."""

from __future__ import annotations

from math import exp, log, log1p
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.model import Change, Interval
from toxscreen.plan.series import Method, Series, ruled

FIGURES = st.lists(st.floats(-0.2, 0.2), max_size=128)


def series(figures: list[float], error: float = 0.005) -> Series:
    made = Series(Method(), error)
    for figure in figures:
        if not made.open:
            break
        made.add(figure)
    return made


@pytest.mark.parametrize(
    ("low", "high", "change"),
    [
        (1.0101, 1.5, Change.REGRESSED),
        # Surely slower, and less than was asked for: what is slower beyond the dead zone is said.
        (1.0101, 1.02, Change.REGRESSED),
        (1.0099, 1.0299, Change.SAME),
        (1 / 1.0299, 1.0299, Change.SAME),
        (1 / 1.0299, 1.0301, None),
        (1 / 1.0301, 1.0299, None),
        (1 / 1.0299, 1 / 1.0099, Change.SAME),
        (1 / 1.0299, 1 / 1.0101, Change.IMPROVED),
        (0.5, 1 / 1.0101, Change.IMPROVED),
        (0.5, 2.0, None),
    ],
)
def test_what_an_interval_proves_at_three_percent(low: float, high: float, change: Change | None) -> None:
    assert ruled(Interval((low + high) / 2, low, high), Method()) is change


def test_without_an_interval_nothing_is_proved() -> None:
    assert ruled(None, Method()) is None


def test_bounds_are_figures_counted_from_both_ends() -> None:
    figures = [number / 1000 for number in (9, -4, 3, 0, 7, -8, 1, 12, -5, 2, -1, 6, -3, 4, -2, 30)]
    made = series(figures)
    ordered = sorted(figures)
    assert made.interval() == pytest.approx((exp(0.0015), exp(ordered[1]), exp(ordered[-2])))
    assert made.change is Change.SAME
    assert not made.open


def test_between_stages_there_are_bounds_to_look_at_but_no_ruling() -> None:
    made = series([log1p(0.1)] * 15)
    assert made.interval() == pytest.approx((1.1, 1.1, 1.1))
    assert (made.pairs, made.change, made.open) == (15, None, True)
    made.add(log1p(0.1))
    assert (made.pairs, made.change, made.open) == (16, Change.REGRESSED, False)


def test_a_few_pairs_have_no_bounds() -> None:
    assert [series([0.0] * count).interval() is None for count in (0, 1, 10, 11, 12)] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_shared_error_leaves_the_first_stage_without_bounds() -> None:
    made = series([0.0] * 16, error=0.000005)
    assert (made.interval(), made.change) == (None, None)
    for _ in range(8):
        made.add(0.0)
    assert (made.pairs, made.change) == (24, Change.SAME)


def test_too_much_noise_ends_at_the_last_stage() -> None:
    made = series([0.1, -0.1] * 100)
    assert (made.pairs, made.change, made.open) == (128, None, False)


@given(FIGURES)
def test_the_median_lies_within_its_bounds_which_are_figures(figures: list[float]) -> None:
    made = series(figures)
    found = made.interval()
    if found is not None:
        assert found.low <= found.ratio <= found.high
        assert found.ratio == pytest.approx(exp(median(made.figures)))
        assert {found.low, found.high} <= {exp(figure) for figure in made.figures}


@given(FIGURES)
def test_with_both_sides_exchanged_the_ruling_is_mirrored(figures: list[float]) -> None:
    mirrored = {Change.REGRESSED: Change.IMPROVED, Change.IMPROVED: Change.REGRESSED}
    one, other = series(figures), series([-figure for figure in figures])
    # At the very edge of a zone the two may be rounded to different sides.
    edges = (log1p(0.01), log1p(0.03))
    found = one.interval()
    if found is None or all(abs(abs(log(bound)) - edge) > 1e-9 for bound in found for edge in edges):
        assert other.change is (mirrored.get(one.change, one.change) if one.change else None)
        assert other.pairs == one.pairs


@given(FIGURES, st.integers(0, 127), st.floats(0, 0.2))
def test_a_slower_pair_never_makes_it_look_faster(figures: list[float], place: int, more: float) -> None:
    if place < len(figures):
        slower = [*figures[:place], figures[place] + more, *figures[place + 1 :]]
        made, other = Series(Method(), 0.005), Series(Method(), 0.005)
        made.figures, other.figures = figures, slower
        before, after = made.interval(), other.interval()
        if before is not None and after is not None:
            assert all(one <= two for one, two in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resolution": 0.0}, "resolution is 0.0, not between 0 and 1"),
        ({"resolution": 1.0}, "resolution is 1.0, not between 0 and 1"),
        ({"error": 0.0}, "error is 0.0, not between 0 and 1"),
        ({"error": 1.0}, "error is 1.0, not between 0 and 1"),
        ({"stages": ()}, "stages are (), not rising numbers of pairs"),
        ({"stages": (16, 16)}, "stages are (16, 16), not rising numbers of pairs"),
        ({"stages": (24, 16)}, "stages are (24, 16), not rising numbers of pairs"),
        ({"stages": (0, 16)}, "stages are (0, 16), not rising numbers of pairs"),
        ({"misses": 0}, "misses is 0, not at least 1"),
    ],
)
def test_a_method_without_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"^") as caught:
        Method(**options)
    assert str(caught.value) == words


def test_the_dead_zone_is_a_third_and_the_error_is_shared() -> None:
    method = Method(resolution=0.06, error=0.02)
    assert method.dead_zone == pytest.approx(0.02)
    assert [method.share(count) for count in (0, 1, 10)] == pytest.approx([0.01, 0.01, 0.001])
