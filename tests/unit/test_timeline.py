"""From a run to its timeline: what each lane did when, whatever the record lacks and whatever its clock did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelines import BEGUN, life, made, ran

from toxscreen.model import FixtureSpan, LaneSpan, Outcome, Run, Slice, SliceKind, Timeline
from toxscreen.plan.timeline import timeline

Shown = tuple[str, float, float]


def shown(slices: Iterable[Slice]) -> list[Shown]:
    """Slices without their parts: kind, start and end."""
    return [(each.kind.value, round(each.start, 6), round(each.end, 6)) for each in slices]


def lanes(found: Timeline) -> dict[str, list[Shown]]:
    return {track.lane: shown(track.slices) for track in found.tracks}


def test_a_lane_comes_up_collects_runs_its_tests_and_waits_for_the_end() -> None:
    run = ran(
        {"gw0": [("a", 2.0, 1.0), ("b", 3.5, 1.5)], "gw1": [("c", 2.0, 4.0)]},
        lasted=7.0,
        spans=(life("gw0", 0.5, 1.5), life("gw1", 0.75, 2.0)),
    )
    found = timeline(run)
    assert (found.run, found.seconds, found.first, found.last, found.workers) == (run.id, 7.0, 2.0, 6.0, 2)
    assert found.makespan == 4.0
    assert lanes(found) == {
        "gw0": [
            ("starting", 0.0, 0.5),
            ("collecting", 0.5, 1.5),
            ("idle", 1.5, 2.0),
            ("test", 2.0, 3.0),
            ("idle", 3.0, 3.5),
            ("test", 3.5, 5.0),
            ("idle", 5.0, 6.0),
            ("after", 6.0, 7.0),
        ],
        "gw1": [("starting", 0.0, 0.75), ("collecting", 0.75, 2.0), ("test", 2.0, 6.0), ("after", 6.0, 7.0)],
    }
    test = found.tracks[0].tests[1]
    assert (test.name, test.attempt) == ("b", run.attempts[1])
    assert found.tracks[0].spent(SliceKind.IDLE, SliceKind.AFTER) == 3.0


def test_a_test_consists_of_its_phases_and_they_of_fixtures() -> None:
    run = ran(
        {"main": [("a", 1.0, 2.0)]},
        more={"a": {"setup": 1.0, "teardown": 0.5}},
        workers=0,
        fixtures=(
            made("|net", "a", 1.1, 0.5, lane="main"),
            made("t.py|db", "a", 1.6, 0.4, lane="main"),
            made("t.py|db", "a", 4.2, 0.25, lane="main", teardown=True),
        ),
    )
    (track,) = timeline(run).tracks
    (test,) = track.tests
    assert shown(test.parts) == [("setup", 1.0, 2.0), ("call", 2.0, 4.0), ("teardown", 4.0, 4.5)]
    assert [shown(part.parts) for part in test.parts] == [
        [("fixture", 1.1, 1.6), ("fixture", 1.6, 2.0)],
        [],
        [("fixture", 4.2, 4.45)],
    ]
    assert [part.name for part in test.parts[0].parts] == ["|net", "t.py|db"]


def test_a_fixture_that_another_one_asked_for_lies_inside_of_it() -> None:
    run = ran(
        {"gw0": [("a", 0.0, 0.0)]},
        more={"a": {"setup": 3.0}},
        fixtures=(made("|outer", "a", 0.5, 2.0), made("|inner", "a", 1.0, 1.0)),
    )
    (outer,) = timeline(run).tracks[0].tests[0].parts[0].parts
    assert (outer.name, *shown([outer])) == ("|outer", ("fixture", 0.5, 2.5))
    assert [(each.name, *shown([each])) for each in outer.parts] == [("|inner", ("fixture", 1.0, 2.0))]


def test_fixtures_are_kept_inside_their_phase() -> None:
    """What is measured by another clock may reach over an edge by a little."""
    run = ran(
        {"gw0": [("a", 1.0, 1.0)]},
        more={"a": {"setup": 1.0, "teardown": 1.0}},
        fixtures=(
            made("|early", "a", 0.9, 0.5),
            made("|late", "a", 1.8, 0.4),
            made("|long", "a", 3.0, 9.0, teardown=True),
        ),
    )
    setup, _, teardown = timeline(run).tracks[0].tests[0].parts
    assert shown(setup.parts) == [("fixture", 1.0, 1.5), ("fixture", 1.6, 2.0)]
    assert shown(teardown.parts) == [("fixture", 3.0, 4.0)]


def test_of_a_test_that_ran_twice_the_run_that_had_begun_has_the_fixture() -> None:
    run = ran(
        {"gw0": [("a", 0.0, 0.0), ("a", 5.0, 0.0)]},
        more={"a": {"setup": 1.0}},
        fixtures=(made("|db", "a", 5.2, 0.5),),
    )
    first, second = timeline(run).tracks[0].tests
    assert [len(each.parts[0].parts) for each in (first, second)] == [0, 1]


def test_fixtures_of_no_test_stand_by_themselves() -> None:
    run = ran(
        {"gw0": [("a", 1.0, 1.0), ("b", 4.0, 1.0)]},
        lasted=8.0,
        fixtures=(made("|db", "gone", 2.5, 1.0), made("|db", "", 6.0, 1.0, teardown=True)),
    )
    assert lanes(timeline(run))["gw0"] == [
        ("starting", 0.0, 1.0),
        ("test", 1.0, 2.0),
        ("idle", 2.0, 2.5),
        ("fixture", 2.5, 3.5),
        ("idle", 3.5, 4.0),
        ("test", 4.0, 5.0),
        ("after", 5.0, 6.0),
        ("fixture", 6.0, 7.0),
        ("after", 7.0, 8.0),
    ]


# what older records lack, and runs that did not end well


def test_where_nobody_says_when_a_lane_had_collected_it_collects_until_its_first_test() -> None:
    run = ran({"gw0": [("a", 2.0, 1.0)], "gw1": []}, spans=(life("gw0", 0.5), life("gw1", 0.75)))
    assert lanes(timeline(run)) == {
        "gw0": [("starting", 0.0, 0.5), ("collecting", 0.5, 2.0), ("test", 2.0, 3.0)],
        "gw1": [("starting", 0.0, 0.75), ("idle", 0.75, 3.0)],
    }


def test_without_a_word_of_the_lane_everything_before_its_first_test_is_its_start() -> None:
    assert lanes(timeline(ran({"main": [("a", 2.0, 1.0)]}, workers=0))) == {
        "main": [("starting", 0.0, 2.0), ("test", 2.0, 3.0)]
    }


def test_a_run_without_an_end_lasts_as_long_as_is_known() -> None:
    found = timeline(ran({"gw0": [("a", 2.0, 1.0)], "gw1": [("b", 2.0, 0.5)]}, finished=None))
    assert (found.seconds, found.last) == (3.0, 3.0)
    assert lanes(found)["gw1"][-1] == ("idle", 2.5, 3.0)


def test_a_run_without_tests() -> None:
    found = timeline(ran({"gw0": []}, lasted=2.0, spans=(life("gw0", 0.5, 1.0),)))
    assert (found.seconds, found.first, found.last, found.makespan) == (2.0, 1.0, 1.0, 0.0)
    assert lanes(found) == {"gw0": [("starting", 0.0, 0.5), ("collecting", 0.5, 1.0), ("after", 1.0, 2.0)]}


def test_a_run_of_which_nothing_is_known() -> None:
    found = timeline(ran({}, finished=None))
    assert (found.seconds, found.first, found.last, found.workers, found.tracks) == (0.0, 0.0, 0.0, 1, ())


def test_a_worker_in_the_place_of_a_lost_one_begins_when_that_one_ended() -> None:
    run = ran(
        {"gw0": [("a", 1.0, 1.0)], "gw1": [("b", 1.0, 4.0)], "gw2": [("c", 3.0, 1.0)], "gw3": []},
        workers=2,
        more={"a": {"outcome": Outcome.CRASHED}},
        lost=("gw0: it died",),
        spans=(life("gw0", 1.0), life("gw1", 1.0), life("gw2", 2.5, 3.0), life("gw3", 4.0)),
    )
    found = timeline(run)
    assert found.workers == 2
    assert lanes(found) == {
        "gw0": [("starting", 0.0, 1.0), ("test", 1.0, 2.0)],
        "gw1": [("starting", 0.0, 1.0), ("test", 1.0, 5.0)],
        "gw2": [("starting", 2.0, 2.5), ("collecting", 2.5, 3.0), ("test", 3.0, 4.0), ("idle", 4.0, 5.0)],
        # Nobody knows whose place this one took.
        "gw3": [("idle", 4.0, 5.0)],
    }


@pytest.mark.parametrize("told", [2, 0])
def test_lanes_of_joined_shards_are_all_workers_unless_they_took_the_place_of_one(told: int) -> None:
    """The header has the workers of the first shard only; with none of them, they were not known."""
    run = ran(
        {
            "1.gw0": [("a", 1.0, 1.0)],
            "1.gw1": [("b", 1.0, 4.0)],
            "1.gw2": [("c", 3.0, 1.0)],
            "2.gw0": [("d", 1.0, 3.0)],
            "2.gw1": [("e", 1.0, 3.0)],
            "2.gw2": [("f", 1.0, 3.0)],
            "3.main": [("g", 1.0, 3.0)],
        },
        workers=2,
        merged=("one", "two", "three"),
        extra={
            "shards": [
                {"shard": "1/3", "workers": 2},
                {"shard": "2/3", "workers": 3 if told else 0},
                {"shard": "3/3", "workers": 0},
            ]
        },
        lost=("1.gw0: it died",),
        spans=(life("1.gw0", 1.0), life("1.gw1", 1.0), life("1.gw2", 2.5), life("2.gw2", 0.5), life("3.main", 0.5)),
    )
    found = timeline(run)
    assert found.workers == 6
    assert {lane: slices[0] for lane, slices in lanes(found).items()} == {
        "1.gw0": ("starting", 0.0, 1.0),
        "1.gw1": ("starting", 0.0, 1.0),
        "1.gw2": ("starting", 2.0, 2.5),
        "2.gw0": ("starting", 0.0, 1.0),
        "2.gw1": ("starting", 0.0, 1.0),
        "2.gw2": ("starting", 0.0, 0.5),
        "3.main": ("starting", 0.0, 0.5),
    }


# clocks


def test_a_clock_that_is_set_back_makes_nothing_negative() -> None:
    run = ran({"gw0": [("a", 2.0, 1.0), ("b", -50.0, 1.0), ("c", -49.0, 1.0)]}, lasted=-40.0)
    found = timeline(run)
    assert found.seconds == 5.0
    assert lanes(found)["gw0"] == [("starting", 0.0, 2.0), ("test", 2.0, 3.0), ("test", 3.0, 4.0), ("test", 4.0, 5.0)]


def test_a_clock_that_was_set_back_before_the_first_test() -> None:
    run = ran({"gw0": [("a", -3.0, 1.0)]}, lasted=-1.0, spans=(life("gw0", 5.0, -4.0),))
    assert lanes(timeline(run)) == {"gw0": [("test", 0.0, 1.0)]}


seconds = st.floats(0.0, 100.0)
moments = st.floats(-100.0, 100.0)
node_ids = st.sampled_from(["a", "b", "c"])


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A run with any times whatsoever."""
    names = [f"gw{number}" for number in range(draw(st.integers(0, 4)))]
    tests = {name: draw(st.lists(st.tuples(node_ids, moments, seconds), max_size=5)) for name in names}
    more = {node_id: {"setup": draw(seconds), "teardown": draw(seconds)} for node_id in "abc"}
    lives = tuple(
        LaneSpan(name, BEGUN + draw(moments), draw(st.none() | moments.map(BEGUN.__add__)))
        for name in names
        if draw(st.booleans())
    )
    fixtures = draw(
        st.lists(
            st.builds(
                FixtureSpan,
                st.sampled_from(["gw0", "gw1", "other"]),
                st.sampled_from(["|x", "t.py|y"]),
                node_ids,
                moments.map(BEGUN.__add__),
                seconds,
                st.booleans(),
            ),
            max_size=6,
        )
    )
    lost = tuple(f"{name}: gone" for name in names if draw(st.integers(0, 4)) == 0)
    workers, lasted = draw(st.integers(0, 4)), draw(st.none() | moments)
    return ran(tests, workers=workers, lasted=lasted, more=more, spans=lives, fixtures=tuple(fixtures), lost=lost)


def lie_in_each_other(slices: Sequence[Slice], low: float, high: float) -> None:
    now = low
    for each in slices:
        assert each.seconds >= 0
        assert each.start >= now - 1e-9
        lie_in_each_other(each.parts, each.start, each.end)
        now = each.end
    assert now <= high + 1e-9


@given(run=runs())
def test_slices_follow_each_other_and_parts_lie_in_them_whatever_the_times_are(run: Run) -> None:
    found = timeline(run)
    assert 0 <= found.first <= found.last <= found.seconds
    assert found.workers >= 1
    for track in found.tracks:
        lie_in_each_other(track.slices, 0.0, found.seconds)
        for before, after in zip(track.slices, track.slices[1:], strict=False):
            assert after.start == pytest.approx(before.end, abs=1e-9)
    tests = [test.attempt for track in found.tracks for test in track.tests]
    assert sorted(map(id, tests)) == sorted(map(id, run.attempts))
