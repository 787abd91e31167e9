"""What stays together: groups, tests that want the machine alone, tests that share a fixture worth sharing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.model import Case, Estimate
from toxscreen.plan.units import OVERHEAD, Unit, Units, Why, units_of

DB, CACHE = "tests/test_a.py|db", "tests/test_a.py|cache"
SESSION = "|server"


def taken_apart(
    cases: Sequence[Case], seconds: float = 1.0, fixtures: Mapping[str, float] | None = None, workers: int = 4
) -> Units:
    expected = [Estimate(seconds - OVERHEAD, known=True)] * len(cases)
    return units_of(cases, expected, fixtures or {}, workers)


def cases(*counts: tuple[int, tuple[str, ...]], file: str = "tests/test_a.py") -> list[Case]:
    """So many tests that use such fixtures, and so on."""
    kinds = [fixtures for count, fixtures in counts for _ in range(count)]
    return [Case(f"{file}::test_{number}", file, fixtures=fixtures) for number, fixtures in enumerate(kinds)]


def told(units: Units) -> list[tuple[Why, int]]:
    return [(unit.why, len(unit.tests)) for unit in units.units]


def test_tests_that_share_nothing_are_single() -> None:
    found = taken_apart(cases((3, ())), seconds=2.0, workers=2)
    assert found.units == tuple(Unit((place,), 2.0, known=True) for place in range(3))
    assert found.alone is None
    assert found.ideal == pytest.approx(3.0)


def test_a_group_is_one_unit_however_long() -> None:
    grouped = [Case(f"t.py::{number}", "t.py", group="db" if number % 2 else None) for number in range(6)]
    found = taken_apart(grouped)
    assert [(unit.tests, unit.why) for unit in found.units] == [
        ((0,), Why.SINGLE),
        ((1, 3, 5), Why.GROUP),
        ((2,), Why.SINGLE),
        ((4,), Why.SINGLE),
    ]
    assert found.ideal == pytest.approx(3.0)


def test_tests_alone_are_apart_and_take_their_groups_with_them() -> None:
    mixed = [
        Case("t.py::0", "t.py", alone=True),
        Case("t.py::1", "t.py"),
        Case("t.py::2", "t.py", group="g"),
        Case("t.py::3", "t.py", group="g", alone=True),
    ]
    found = taken_apart(mixed, workers=2)
    assert told(found) == [(Why.SINGLE, 1)]
    assert found.alone is not None
    assert (found.alone.tests, found.alone.why) == ((0, 2, 3), Why.ALONE)
    assert found.ideal == pytest.approx(1.0)


def test_a_fixture_keeps_its_tests_together_where_they_fit_into_one_share() -> None:
    found = taken_apart(cases((4, (DB,)), (30, ())), fixtures={DB: 2.0})
    assert (found.units[0].tests, found.units[0].why) == ((0, 1, 2, 3), Why.WHOLE)
    assert found.units[0].seconds == pytest.approx(6.0)
    assert told(found)[1:] == [(Why.SINGLE, 1)] * 30


def test_too_many_tests_for_one_share_are_cut_into_few_pieces_in_their_order() -> None:
    found = taken_apart(cases((10, (DB,)), (14, ())), fixtures={DB: 1.0})
    pieces = [unit for unit in found.units if unit.key == DB]
    assert [(unit.tests, unit.why) for unit in pieces] == [
        ((0, 1, 2, 3, 4), Why.PIECE),
        ((5, 6, 7, 8, 9), Why.PIECE),
    ]


def test_one_module_of_all_is_cut_into_a_piece_for_each_worker() -> None:
    found = taken_apart(cases((60, (DB,))), seconds=0.05, fixtures={DB: 1.0})
    assert told(found) == [(Why.PIECE, 15)] * 4


def test_a_fixture_that_costs_more_than_it_could_win_keeps_all_on_one_worker() -> None:
    found = taken_apart(cases((4, (DB,)), (8, ())), seconds=0.5, fixtures={DB: 30.0})
    # Whoever has all of them needs 32 s, and two need 31 s each. More would hardly end earlier.
    assert told(found)[:3] == [(Why.PIECE, 2), (Why.PIECE, 2), (Why.SINGLE, 1)]
    found = taken_apart(cases((4, (DB,)), (8, ())), seconds=0.1, fixtures={DB: 30.0})
    assert told(found)[0] == (Why.WHOLE, 4)


def test_a_cheap_fixture_is_set_up_again_where_that_is_hardly_noticed() -> None:
    found = taken_apart(cases((100, (DB,)), (300, ())), seconds=0.1, fixtures={DB: 0.1})
    assert told(found)[:6] == [(Why.CHEAP, 20)] * 5 + [(Why.SINGLE, 1)]


def test_the_costliest_fixture_of_a_test_decides() -> None:
    found = taken_apart(cases((2, (CACHE, DB)), (2, (CACHE,)), (40, ())), fixtures={DB: 3.0, CACHE: 1.0})
    assert [(unit.tests, unit.key) for unit in found.units[:2]] == [((0, 1), DB), ((2, 3), CACHE)]


def test_a_session_fixture_that_all_workers_need_binds_nothing() -> None:
    found = taken_apart(cases((2, (SESSION, DB)), (38, (SESSION,))), fixtures={SESSION: 5.0, DB: 1.0})
    assert told(found) == [(Why.WHOLE, 2), *[(Why.SINGLE, 1)] * 38]


def test_a_session_fixture_of_few_tests_keeps_them_together() -> None:
    found = taken_apart(cases((3, (SESSION,)), (37, ())), fixtures={SESSION: 5.0})
    assert told(found)[0] == (Why.WHOLE, 3)


@pytest.mark.parametrize("fixtures", [{}, {DB: 0.001}], ids=["unknown", "hardly anything"])
def test_a_fixture_that_nobody_measured_or_notices_binds_nothing(fixtures: dict[str, float]) -> None:
    assert told(taken_apart(cases((5, (DB,))), fixtures=fixtures)) == [(Why.SINGLE, 1)] * 5


def test_a_unit_with_a_guess_in_it_is_not_known() -> None:
    expected = [Estimate(1.0, known=place != 1) for place in range(4)]
    found = units_of(cases((3, (DB,)), (1, ())), expected, {DB: 1.0}, 1)
    assert [(unit.tests, unit.known) for unit in found.units] == [((0, 1, 2), False), ((3,), True)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([(), (DB,), (CACHE,), (DB, CACHE), (SESSION, DB)]),
            st.sampled_from([None, None, "g", "h"]),
            st.booleans(),
            st.floats(0, 10),
        ),
        max_size=40,
    ),
    st.fixed_dictionaries({DB: st.floats(0, 20), CACHE: st.floats(0, 1), SESSION: st.floats(0, 9)}),
    st.integers(1, 9),
)
def test_every_test_is_in_one_unit_and_what_belongs_together_is(
    drawn: list[tuple[tuple[str, ...], str | None, bool, float]], fixtures: dict[str, float], workers: int
) -> None:
    made = [
        Case(f"t.py::{place}", "t.py", group=group, alone=alone, fixtures=keys)
        for place, (keys, group, alone, _) in enumerate(drawn)
    ]
    found = units_of(made, [Estimate(seconds, known=True) for *_, seconds in drawn], fixtures, workers)
    everything = [*found.units, *([found.alone] if found.alone else [])]
    assert sorted(test for unit in everything for test in unit.tests) == list(range(len(drawn)))
    for unit in everything:
        assert list(unit.tests) == sorted(unit.tests)
        assert unit.seconds == pytest.approx(sum(found.seconds[test] for test in unit.tests) + unit.fixture)
    for group in ("g", "h"):
        assert sum(any(made[test].group == group for test in unit.tests) for unit in everything) <= 1
