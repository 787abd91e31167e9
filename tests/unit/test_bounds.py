"""What bounds a run: for each bound a run made for it, with exact gains; and what holds for any run."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelines import life, made, ran

from toxscreen.model import Bound, Bounded, BoundKind, Run
from toxscreen.plan.bounds import bounds
from toxscreen.plan.busy import longest_first
from toxscreen.plan.timeline import timeline


def judged(run: Run, cores: int | None = None) -> Bounded:
    return bounds(timeline(run), cores)


def gains(run: Run) -> dict[str, float]:
    return {each.kind.value: round(each.gain, 6) for each in judged(run).bounds}


def bound(run: Run, kind: BoundKind) -> Bound:
    (found,) = (each for each in judged(run).bounds if each.kind is kind)
    return found


def named(lane: str, *seconds: float, start: float = 0.0) -> list[tuple[str, float, float]]:
    """Tests one after the other, each in a file of its own."""
    tests = []
    for number, each in enumerate(seconds):
        tests.append((f"{lane}_{number}.py::test", start, each))
        start += each
    return tests


# before and after


def test_start_up_and_collection() -> None:
    run = ran(
        {"gw0": named("a", 4.0, start=3.0), "gw1": named("b", 4.0, start=3.0)},
        spans=(life("gw0", 0.5, 2.5), life("gw1", 1.0, 2.75)),
    )
    assert gains(run) == {"collection": 2.0, "start-up": 1.0}
    start, collection = bound(run, BoundKind.START_UP), bound(run, BoundKind.COLLECTION)
    assert start.words == "1.00 s pass until the workers are up"
    assert start.evidence == {"seconds": {"gw0": 0.5, "gw1": 1.0}}
    assert collection.words == "2.00 s pass from the start of the workers to the first test; gw0 collected for 2.00 s"
    assert collection.evidence == {"seconds": {"gw0": 2.0, "gw1": 1.75}}


def test_in_one_process_and_without_a_word_of_its_life_all_before_the_first_test_is_its_start() -> None:
    run = ran({"main": named("a", 4.0, start=3.0)}, workers=0)
    assert gains(run) == {"start-up": 3.0}
    assert bound(run, BoundKind.START_UP).words == "3.00 s pass before the first test"
    known = replace(run, spans=(life("main", 1.0, 2.0),))
    assert bound(known, BoundKind.START_UP).words == "1.00 s pass until pytest is up"


def test_the_end_of_the_session() -> None:
    run = ran({"gw0": named("a", 4.0), "gw1": named("b", 4.0)}, lasted=5.5)
    assert gains(run) == {"session-end": 1.5}
    assert bound(run, BoundKind.SESSION_END).words == "1.50 s pass after the last test"


# how tests share the workers


def test_one_long_test() -> None:
    """Ten seconds beside four: split, each worker has seven."""
    run = ran({"gw0": named("a", 10.0), "gw1": named("b", 1.0, 1.0, 2.0)})
    assert gains(run) == {"long-test": 3.0}
    found = bound(run, BoundKind.LONG_TEST)
    assert found.words == "a_0.py::test (10.0 s) takes more than an even share of the work (7.00 s)"
    assert found.remedy == "split it, or make it faster"
    assert found.evidence == {
        "tests": {"a_0.py::test": 10.0},
        "even_share_seconds": 7.0,
        "gain_of_longest_alone": 3.0,
    }
    assert judged(run).ideal == 10.0


def test_several_long_tests_have_to_be_split_together() -> None:
    run = ran(
        {"gw0": named("a", 10.0), "gw1": named("b", 9.0), "gw2": named("c", 0.5), "gw3": named("d", 0.25, 0.25)},
    )
    assert gains(run)["long-test"] == 5.0
    found = bound(run, BoundKind.LONG_TEST)
    assert found.words == (
        "2 tests each take more than an even share of the work (5.00 s): a_0.py::test (10.0 s), b_0.py::test (9.00 s)"
    )
    assert found.remedy == "split them, or make them faster; the longest alone: 1.00 s"


def test_a_long_test_that_is_mostly_its_fixture_is_said_to_be() -> None:
    run = ran(
        {"gw0": named("a", 1.0), "gw1": named("b", 1.0, 1.0, 2.0)},
        more={"a_0.py::test": {"setup": 9.0}},
        fixtures=(made("a_0.py|db", "a_0.py::test", 0.5, 8.5),),
    )
    assert bound(run, BoundKind.LONG_TEST).words == (
        "a_0.py::test (10.0 s, 8.50 s of it fixture db of a_0.py) takes more than an even share of the work (7.00 s)"
    )


def test_too_few_tests() -> None:
    run = ran({f"gw{lane}": named(f"t{lane}", 5.0) if lane < 3 else [] for lane in range(4)})
    assert gains(run) == {"few-tests": 1.25}
    found = bound(run, BoundKind.FEW_TESTS)
    assert found.words == "3 tests do not keep 4 workers busy to the end"
    assert found.evidence == {"tests": 3, "workers": 4, "idle_at_the_end_seconds": 5.0}
    alone = ran({"gw0": named("a", 5.0), "gw1": []})
    assert bound(alone, BoundKind.FEW_TESTS).words == "1 test does not keep 2 workers busy to the end"


def test_tests_that_do_not_divide_evenly_are_no_imbalance() -> None:
    run = ran({"gw0": named("a", 5.0, 5.0), "gw1": named("b", 5.0)})
    assert gains(run) == {"few-tests": 2.5}


def test_a_long_test_that_began_late() -> None:
    """Twenty tests of a tenth on each of two workers, then one of two seconds: 4 instead of 3 s."""
    run = ran({"gw0": named("a", *[0.1] * 20, 2.0), "gw1": named("b", *[0.1] * 20)})
    assert gains(run)["imbalance"] == pytest.approx(1.0)
    # Even equal tests would not divide evenly, but that is little.
    assert gains(run)["few-tests"] == pytest.approx(6.0 * (21 / 41 - 1 / 2), abs=1e-6)
    assert set(gains(run)) == {"imbalance", "few-tests"}
    found = bound(run, BoundKind.IMBALANCE)
    assert found.words == (
        "workers are idle for 2.00 s altogether at the end, while gw0 goes on with a_20.py::test (2.00 s)"
    )
    assert found.remedy == "begin long tests first, and let idle workers take what waits behind them"
    assert found.evidence == {
        "idle_at_the_end_seconds": pytest.approx(2.0),
        "lane": "gw0",
        "tests": {"a_20.py::test": pytest.approx(2.0)},
    }


def test_tests_that_wait_behind_a_long_one() -> None:
    run = ran({"gw0": named("a", 3.0, 0.5, 0.5), "gw1": named("b", 0.5, 0.5)})
    assert bound(run, BoundKind.IMBALANCE).words == (
        "workers are idle for 3.00 s altogether at the end, while gw0 goes on with a_0.py::test (3.00 s) and 2 more"
    )


def test_a_file_that_is_held_together() -> None:
    """One file of eight seconds on one worker, two seconds on the other: five each."""
    file = [(f"huge.py::test_{number}", float(number), 1.0) for number in range(8)]
    run = ran({"gw0": file, "gw1": named("b", 1.0, 1.0)})
    assert gains(run) == {"held-together": 3.0}
    found = bound(run, BoundKind.HELD_TOGETHER)
    assert found.words == (
        "one worker ran all tests of a file, more than an even share of the work (5.00 s):"
        " huge.py (8 tests on gw0, 8.00 s)"
    )
    assert found.evidence == {"files": {"huge.py": 8.0}, "even_share_seconds": 5.0}


def test_a_file_on_two_lanes_and_one_with_a_single_test_are_not_held_together() -> None:
    file = [(f"huge.py::test_{number}", float(number), 1.0) for number in range(8)]
    run = ran({"gw0": file, "gw1": [("huge.py::test_9", 0.0, 1.0), *named("b", 1.0, start=1.0)]})
    assert "held-together" not in gains(run)
    assert gains(run)["imbalance"] == 3.0
    assert "held-together" not in gains(ran({"gw0": named("a", 2.0, 8.0), "gw1": named("b", 1.0)}))


def test_many_names_are_cut_short() -> None:
    run = ran({f"gw{lane}": named(f"t{lane}", 10.0 if lane < 4 else 0.5, 0.5) for lane in range(16)})
    assert bound(run, BoundKind.LONG_TEST).words.endswith(
        "t0_0.py::test (10.0 s), t1_0.py::test (10.0 s), t2_0.py::test (10.0 s) and 1 more"
    )


# what fills the lanes


def on_two_workers(*, more_seconds: float) -> Run:
    """A fixture that each of two workers sets up in three seconds and tears down in one, and a test after it."""
    return ran(
        {
            "gw0": [("a.py::test", 0.0, 0.0), ("a.py::more", 4.0, more_seconds)],
            "gw1": [("b.py::test", 0.0, 0.0), ("b.py::more", 4.0, more_seconds)],
        },
        more={name: {"setup": 3.0, "teardown": 1.0} for name in ("a.py::test", "b.py::test")},
        fixtures=(
            made("|db", "a.py::test", 0.0, 3.0),
            made("|db", "b.py::test", 0.1, 3.0, lane="gw1"),
            made("|db", "a.py::test", 3.0, 1.0, teardown=True),
            made("|db", "b.py::test", 3.1, 1.0, lane="gw1", teardown=True),
        ),
    )


def test_fixtures_that_are_made_on_several_workers() -> None:
    run = on_two_workers(more_seconds=6.0)
    assert gains(run) == {"fixtures": 2.0}
    found = bound(run, BoundKind.FIXTURES)
    assert found.words == (
        "fixtures are made more than once: db of the session, 2 times on 2 workers, 4.00 s after the first"
    )
    assert found.evidence == {"repeated_seconds": {"|db": 4.0}}


def test_where_all_wait_for_the_first_of_a_fixture_the_second_costs_nothing() -> None:
    assert gains(on_two_workers(more_seconds=0.0)) == {}


def test_a_fixture_that_one_worker_makes_again_and_again() -> None:
    run = ran(
        {"main": [("a.py::one", 0.0, 1.0), ("b.py::two", 3.0, 1.0), ("a.py::three", 4.0, 1.0)]},
        workers=0,
        more={"a.py::one": {"setup": 2.0}, "a.py::three": {"setup": 2.0}},
        fixtures=(
            made("a.py|net[0]", "a.py::one", 0.0, 2.0, lane="main"),
            made("a.py|net[0]", "a.py::three", 4.0, 2.0, lane="main"),
        ),
    )
    assert gains(run) == {"fixtures": 2.0}
    assert bound(run, BoundKind.FIXTURES).words == (
        "fixtures are made more than once: net[0] of a.py, 2 times on one worker, 2.00 s after the first"
    )


def test_fixtures_that_are_made_once_bound_nothing() -> None:
    run = ran(
        {"main": [("a.py::one", 0.0, 1.0)]},
        workers=0,
        more={"a.py::one": {"setup": 2.0, "teardown": 1.0}},
        fixtures=(
            made("|db", "a.py::one", 0.0, 2.0, lane="main"),
            made("|db", "a.py::one", 3.0, 1.0, lane="main", teardown=True),
        ),
    )
    assert gains(run) == {}


def test_sleeping_tests() -> None:
    run = ran(
        {"gw0": named("a", 5.0, 5.0), "gw1": named("b", 5.0, 5.0)},
        more={"a_0.py::test": {"slept": 4.0}, "b_1.py::test": {"slept": 2.0}},
    )
    # In place, the second lane takes eight seconds; spread, both take seven.
    assert gains(run) == {"sleeping": 3.0}
    found = bound(run, BoundKind.SLEEPING)
    assert found.words == "tests sleep for 6.00 s altogether: a_0.py::test (4.00 s), b_1.py::test (2.00 s)"
    assert found.evidence == {"slept_seconds": 6.0, "tests": {"a_0.py::test": 4.0, "b_1.py::test": 2.0}}


def test_sleep_in_the_shadow_of_a_long_test_gains_nothing() -> None:
    run = ran({"gw0": named("a", 10.0), "gw1": named("b", 4.0)}, more={"b_0.py::test": {"slept": 4.0}})
    assert "sleeping" not in gains(run)


def test_the_test_that_the_run_waits_for_sleeps() -> None:
    run = ran({"gw0": named("a", 10.0), "gw1": named("b", 2.0)}, more={"a_0.py::test": {"slept": 10.0}})
    assert gains(run)["sleeping"] == 8.0


def test_nobody_sleeps_longer_than_his_test_takes() -> None:
    run = ran({"main": named("a", 2.0)}, workers=0, more={"a_0.py::test": {"slept": 5.0}})
    assert gains(run) == {"sleeping": 2.0}
    assert bound(run, BoundKind.SLEEPING).words == "tests sleep for 2.00 s altogether: a_0.py::test (2.00 s)"


def test_idleness_between_tests() -> None:
    run = ran({"gw0": [("a.py::a", 0.0, 1.0), ("b.py::b", 3.0, 1.0)], "gw1": named("c", 2.0, 2.0)})
    # Two seconds for two workers.
    assert gains(run) == {"between-tests": 1.0}
    found = bound(run, BoundKind.BETWEEN_TESTS)
    assert found.words == "workers are idle for 2.00 s altogether between tests, for 2.00 s at most"
    assert found.evidence == {"idle_seconds": {"gw0": 2.0, "gw1": 0.0}, "longest_seconds": 2.0}


# all together


def test_nothing_bounds_a_run_that_is_as_short_as_can_be() -> None:
    run = ran({"gw0": named("a", 2.0, 3.0), "gw1": named("b", 4.0, 1.0)})
    assert judged(run).bounds == ()
    assert judged(run).ideal == 5.0


def test_the_largest_gain_stands_first() -> None:
    run = ran({"gw0": named("a", 10.0, start=1.0), "gw1": named("b", 4.0, start=1.0)}, lasted=16.0)
    assert [each.kind.value for each in judged(run).bounds] == ["session-end", "long-test", "start-up"]


def test_where_no_test_ran_nothing_is_said() -> None:
    assert judged(ran({"gw0": []}, lasted=3.0)) == Bounded((), 0.0, 0.0, "no test ran")


# one more worker


@pytest.mark.parametrize(
    ("run", "cores", "gain", "words"),
    [
        (ran({"main": named("a", 2.0, 2.0)}, workers=0), None, 2.0, "one more worker would save 2.00 s"),
        (ran({"main": named("a", 2.0, 2.0)}, workers=0), 2, 2.0, "one more worker would save 2.00 s"),
        (
            ran({"main": named("a", 2.0, 2.0)}, workers=0),
            1,
            0.0,
            "one more worker would save 0.00 s: the tests compute for 4.00 s on 1 core",
        ),
        (
            ran({"main": named("a", 2.0, 2.0)}, workers=0, more={"a_0.py::test": {"cpu": 0.5, "children": 0.25}}),
            1,
            1.25,
            "one more worker would save 1.25 s",
        ),
        (
            ran({"gw0": named("a", 10.0), "gw1": named("b", 4.0)}),
            8,
            0.0,
            "one more worker would save 0.00 s: the longest piece of work takes 10.0 s",
        ),
        (
            ran({"gw0": [(f"huge.py::test_{n}", n, 1.0) for n in range(8)], "gw1": named("b", 1.0, 1.0)}),
            None,
            0.0,
            "one more worker would save 0.00 s: the longest piece of work takes 8.00 s",
        ),
    ],
)
def test_what_one_more_worker_would_give(run: Run, cores: int | None, gain: float, words: str) -> None:
    found = judged(run, cores)
    assert (found.one_more, found.one_more_words) == (gain, words)


@pytest.mark.parametrize(
    ("seconds", "workers", "expected"),
    [([], 2, 0.0), ([3.0], 2, 3.0), ([1.0, 1.0, 2.0], 2, 2.0), ([5.0, 5.0, 5.0], 2, 10.0), ([1.0, 2.0], 1, 3.0)],
)
def test_longest_first(seconds: list[float], workers: int, expected: float) -> None:
    assert longest_first(seconds, workers) == expected


# any run


@st.composite
def any_runs(draw: st.DrawFn) -> Run:
    """A run with gaps, sleep, fixtures, a life before and after its tests."""
    seed = draw(st.integers(0, 2**32))
    dice = random.Random(seed)
    lanes: dict[str, list[tuple[str, float, float]]] = {}
    more: dict[str, dict[str, float | None]] = {}
    fixtures = []
    for number in range(draw(st.integers(1, 6))):
        now = dice.uniform(0, 3)
        tests = []
        for _ in range(draw(st.integers(0, 8))):
            node_id = f"f{dice.randrange(4)}.py::test_{len(more)}"
            seconds = dice.choice([0.0, 0.001, dice.uniform(0, 2), dice.uniform(0, 20)])
            setup = dice.choice([0.0, dice.uniform(0, 3)])
            more[node_id] = {
                "setup": setup,
                "slept": dice.choice([None, 0.0, dice.uniform(0, 30)]),
                "cpu": dice.choice([None, dice.uniform(0, 30)]),
                "children": dice.choice([None, dice.uniform(0, 30)]),
            }
            if setup and dice.random() < 0.5:
                fixtures.append(made("|db", node_id, now, setup * dice.random(), lane=f"gw{number}"))
            tests.append((node_id, now, seconds))
            now += setup + seconds + dice.choice([0.0, 0.0005, dice.uniform(0, 2)])
        lanes[f"gw{number}"] = tests
    lives = tuple(life(lane, dice.uniform(0, 2), dice.choice([None, dice.uniform(0, 4)])) for lane in lanes)
    return ran(lanes, more=more, fixtures=tuple(fixtures), spans=lives, lasted=dice.choice([None, 200.0]))


@given(run=any_runs(), cores=st.none() | st.integers(1, 8))
def test_no_gain_is_negative_or_larger_than_the_run(run: Run, cores: int | None) -> None:
    line = timeline(run)
    found = bounds(line, cores)
    kinds = [each.kind for each in found.bounds]
    assert len(kinds) == len(set(kinds))
    assert [each.gain for each in found.bounds] == sorted((each.gain for each in found.bounds), reverse=True)
    for each in found.bounds:
        assert 0 < each.gain <= line.seconds + 1e-9
        if each.kind not in {BoundKind.START_UP, BoundKind.COLLECTION, BoundKind.SESSION_END}:
            assert each.gain <= line.makespan + 1e-9
        assert each.words
        assert each.remedy
    assert 0 <= found.one_more <= line.makespan + 1e-9
    assert found.ideal <= line.makespan + 1e-9


@given(run=any_runs())
def test_what_sharing_gains_never_goes_below_the_ideal(run: Run) -> None:
    line = timeline(run)
    found = bounds(line)
    for each in found.bounds:
        if each.kind in {BoundKind.IMBALANCE, BoundKind.HELD_TOGETHER}:
            assert line.makespan - each.gain >= found.ideal - 1e-9
        if each.kind in {BoundKind.LONG_TEST, BoundKind.FEW_TESTS}:
            total = sum(test.seconds for track in line.tracks for test in track.tests)
            assert line.makespan - each.gain >= total / line.workers - 1e-9
