"""Which tests next: thousands of invented suites, run by simulated workers that behave as those of pytest-xdist."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from simulated import Outcome, Simulation
from stock import Stock
from xdist.scheduler import LoadScheduling

from toxscreen.model import Case, Estimate
from toxscreen.plan.balance import Balancer
from toxscreen.plan.lanes import COMMITTED, Command, Send, Steal, Stop
from toxscreen.plan.units import OVERHEAD, units_of

FILE = "tests/test_a.py"
DB = f"{FILE}|db"


def balancer(
    seconds: Sequence[float | None],
    workers: int,
    *,
    groups: Sequence[str | None] = (),
    alone: Sequence[int] = (),
    shares: Sequence[int] = (),
    fixture: float = 0.0,
) -> Balancer:
    """For tests that are expected to take so long; None: nobody knows."""
    cases = [
        Case(
            f"{FILE}::{place}",
            FILE,
            group=groups[place] if groups else None,
            alone=place in alone,
            fixtures=(DB,) if place in shares else (),
        )
        for place in range(len(seconds))
    ]
    expected = [Estimate(0.001 if each is None else each, known=each is not None) for each in seconds]
    return Balancer(units_of(cases, expected, {DB: fixture}, workers))


def ideal(seconds: Sequence[float], workers: int) -> float:
    actual = [each + OVERHEAD for each in seconds]
    return max(*actual, sum(actual) / workers)


def simulated(made: Balancer | Stock, seconds: Sequence[float], workers: int, **more: object) -> Outcome:
    """Run it, and see that every test ran just once."""
    found = Simulation(made, [each + OVERHEAD for each in seconds], workers, **more).run()  # type: ignore[arg-type]
    ran = [test for lane in found.lanes.values() for test in lane]
    assert sorted(ran) == list(range(len(seconds)))
    assert not made.has_pending
    return found


def over(seconds: Sequence[float], workers: int, *, known: bool = True) -> float:
    made = balancer(seconds if known else [None] * len(seconds), workers)
    return simulated(made, seconds, workers).makespan / ideal(seconds, workers)


def log_normal(chance: random.Random, number: int, total: float, sigma: float = 1.0) -> list[float]:
    drawn = [chance.lognormvariate(0, sigma) for _ in range(number)]
    return [each * total / sum(drawn) for each in drawn]


SLEEPING = [0.1] * 40 + [0.3] * 10 + [4.0, 3.0, 2.0]


@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.parametrize("seed", range(20))
def test_suites_with_a_history_end_within_five_percent_of_the_ideal(workers: int, seed: int) -> None:
    chance = random.Random(seed)
    suites = [
        chance.sample(SLEEPING, len(SLEEPING)),
        log_normal(chance, 200, 20.0),
        log_normal(chance, 200, 20.0, sigma=1.5),
        [0.0005] * 1000,
    ]
    assert max(over(seconds, workers) for seconds in suites) <= 1.05


@pytest.mark.parametrize("seed", range(10))
def test_estimates_that_are_off_by_a_third_do_little_harm(seed: int) -> None:
    chance = random.Random(seed)
    seconds = log_normal(chance, 200, 20.0)
    found = simulated(balancer([each * math.exp(chance.gauss(0, 0.3)) for each in seconds], 4), seconds, 4)
    assert found.makespan <= 1.05 * ideal(seconds, 4)


@pytest.mark.parametrize("workers", [2, 4, 8])
@pytest.mark.parametrize("seed", range(10))
def test_a_first_run_takes_no_longer_than_with_xdists_own_scheduler(workers: int, seed: int) -> None:
    chance = random.Random(seed)
    suites = [
        chance.sample(SLEEPING, len(SLEEPING)),
        log_normal(chance, 200, 20.0),
        log_normal(chance, 200, 20.0, sigma=1.5),
        [0.0005] * 500,
        [chance.random() for _ in range(workers)],
    ]
    for seconds in suites:
        ours = simulated(balancer([None] * len(seconds), workers), seconds, workers)
        load = simulated(Stock(LoadScheduling, len(seconds), workers), seconds, workers)
        # What is taken over may be a long test that would have gone somewhere else.
        assert ours.makespan <= 1.05 * load.makespan


DURATIONS = st.lists(
    st.one_of(st.just(0.0), st.floats(0.001, 0.02), st.floats(0.05, 0.5), st.floats(1, 20)), min_size=1, max_size=60
)
WORKERS = st.integers(1, 8)


@given(DURATIONS, WORKERS, st.floats(0.0001, 0.05))
@example([0.0078125, 0.0078125], 3, 0.0001)
def test_no_suite_takes_longer_than_sharing_it_and_its_longest_test(
    seconds: list[float], workers: int, latency: float
) -> None:
    # Graham's bound for any list: everybody's share, and the longest. Behind each running test one is committed.
    found = simulated(balancer(seconds, workers), seconds, workers, latency=latency)
    share, longest = sum(seconds) / workers, max(seconds)
    waits = len(seconds) * (OVERHEAD + 2 * latency)
    assert found.makespan <= 1.03 * (share + longest) + waits + 6 * latency


@given(DURATIONS, WORKERS, st.randoms(use_true_random=False), st.data())
def test_every_test_runs_once_whatever_is_wrong_with_the_history(
    seconds: list[float], workers: int, chance: random.Random, data: st.DataObject
) -> None:
    history = [chance.choice([None, 0.0, each, each * 10, each / 10, chance.random()]) for each in seconds]
    late = {0: data.draw(st.floats(0, 30))}
    simulated(balancer(history, workers), seconds, workers, late=late)


@given(DURATIONS, WORKERS, st.data())
def test_what_a_dead_worker_leaves_behind_is_run_by_others(
    seconds: list[float], workers: int, data: st.DataObject
) -> None:
    crashes = data.draw(st.sets(st.integers(0, len(seconds) - 1), max_size=3))
    known = data.draw(st.booleans())
    made = balancer(seconds if known else [None] * len(seconds), workers)
    found = simulated(made, seconds, workers, crashes=sorted(crashes))
    assert sorted(found.crashed) == sorted(crashes)


@given(DURATIONS, WORKERS, st.data())
def test_groups_stay_on_one_worker_and_in_their_order(seconds: list[float], workers: int, data: st.DataObject) -> None:
    groups = data.draw(
        st.lists(st.sampled_from([None, None, "a", "b", "c"]), min_size=len(seconds), max_size=len(seconds))
    )
    known = data.draw(st.booleans())
    made = balancer(seconds if known else [None] * len(seconds), workers, groups=groups)
    found = simulated(made, seconds, workers)
    for group in {*groups} - {None}:
        members = [place for place, each in enumerate(groups) if each == group]
        ran = [[test for test in lane if test in members] for lane in found.lanes.values()]
        assert [lane for lane in ran if lane] == [members]


@given(DURATIONS, WORKERS, st.data())
def test_tests_alone_come_last_on_one_worker(seconds: list[float], workers: int, data: st.DataObject) -> None:
    alone = data.draw(st.sets(st.integers(0, len(seconds) - 1), min_size=1, max_size=4))
    found = simulated(balancer(seconds, workers, alone=sorted(alone)), seconds, workers)
    assert [lane[-len(alone) :] for lane in found.lanes.values() if alone.intersection(lane)] == [tuple(sorted(alone))]


@pytest.mark.parametrize(("tests", "set_ups"), [(10, 1), (400, 3)], ids=["kept together", "split where it pays"])
def test_a_fixture_is_set_up_as_often_as_planned(tests: int, set_ups: int) -> None:
    # Around it are others, of 20 s in all.
    seconds = [0.05] * 200 + [0.05] * tests + [0.05] * 200
    shares = range(200, 200 + tests)
    keys = [DB if place in shares else None for place in range(len(seconds))]
    made = balancer(seconds, 4, shares=shares, fixture=3.0)
    found = simulated(made, seconds, 4, keys=keys, fixtures={DB: 3.0})
    assert found.set_up == {DB: set_ups}
    best = (sum(seconds) + set_ups * 3.0) / 4
    assert found.makespan <= 1.06 * best


def test_without_a_history_workers_get_neighbours() -> None:
    found = simulated(balancer([None] * 400, 4), [0.01] * 400, 4)
    changes = [sum(after != before + 1 for before, after in pairwise(lane)) for lane in found.lanes.values()]
    assert sum(changes) < 80


def test_what_is_not_long_stays_in_collection_order_within_a_lane() -> None:
    chance = random.Random(3)
    seconds = [chance.uniform(0.001, 0.009) for _ in range(600)]
    found = simulated(balancer(seconds, 2), seconds, 2)
    for lane in found.lanes.values():
        assert list(lane) == sorted(lane)


def started(*seconds: float | None, workers: int = 2) -> tuple[Balancer, list[Command]]:
    made = balancer(seconds, workers)
    for number in range(workers):
        made.join(f"gw{number}")
    return made, made.decide(0.0)


def test_the_longest_go_first_and_something_short_stands_behind_them() -> None:
    _, commands = started(*[0.01] * 50, 5.0, *[0.01] * 50, 3.0)
    assert commands == [Send("gw0", (50, 0, 1)), Send("gw1", (101, 2, 3))]


def test_what_nobody_knows_comes_early() -> None:
    _, commands = started(*[0.01] * 50, None, *[0.01] * 50)
    (first, *_), *_ = [command.tests for command in commands if isinstance(command, Send)]
    assert first == 50


def test_a_worker_with_all_that_it_should_have_goes_when_that_is_done() -> None:
    _, commands = started(100.0, *[10.0] * 10)
    assert commands == [Send("gw0", (0,)), Send("gw1", (1, 2, 3)), Stop("gw0")]


def idle(tests: int) -> tuple[Balancer, Steal, tuple[int, ...]]:
    """Of two workers one has but one test left: what is to be taken back from the other, and what that was sent."""
    made, commands = started(*[None] * tests)
    sent = {command.lane: list(command.tests) for command in commands if isinstance(command, Send)}
    while True:
        made.done("gw0", sent["gw0"].pop(0), now=0.0)
        for command in made.decide(0.0):
            if isinstance(command, Steal):
                return made, command, tuple(sent["gw1"])
            assert isinstance(command, Send)
            sent[command.lane].extend(command.tests)


def test_an_idle_worker_takes_half_of_what_another_one_has_not_begun() -> None:
    made, steal, queue = idle(80)
    assert steal.lane == "gw1"
    # The one that runs and the one committed are not to be had.
    assert steal.tests == queue[-len(steal.tests) :]
    assert 1 <= len(steal.tests) <= len(queue) - COMMITTED
    assert not made.is_finished
    made.gave_back("gw1", steal.tests)
    assert made.decide(0.0)[0] == Send("gw0", steal.tests)


def test_what_was_begun_meanwhile_is_not_had() -> None:
    made, steal, _ = idle(80)
    assert made.decide(0.0) == []
    made.gave_back("gw1", ())
    # Nothing changed, and so it is tried again.
    assert made.decide(0.0) == [steal]


def test_a_run_that_ends_early_takes_back_all_that_has_not_begun() -> None:
    made, commands = started(*[None] * 80)
    queue = next(command.tests for command in commands if isinstance(command, Send))
    assert made.recall("gw0") == Steal("gw0", queue[COMMITTED:])
    assert made.recall("gw0") is None
    made.gave_back("gw0", queue[COMMITTED:])
    assert made.recall("gw0") is None


@pytest.mark.parametrize("why", ["alone", "group"])
def test_what_stays_together_does_so_when_one_of_it_killed_its_worker_and_is_run_again(why: str) -> None:
    """As by pytest-rerunfailures: the worker is gone first, then its test is wanted again."""
    made = balancer([1.0] * 3, 2, alone=range(3)) if why == "alone" else balancer([1.0] * 3, 2, groups=["g"] * 3)
    made.join("gw0")
    (first,) = [command for command in made.decide(0.0) if isinstance(command, Send)]
    assert (first.lane, first.tests) == ("gw0", (0, 1, 2))
    assert made.leave("gw0") == 0
    made.again(0)
    made.join("gw2")
    made.join("gw3")
    sent = [command.tests for command in made.decide(1.0) if isinstance(command, Send)]
    assert sent == [(0, 1, 2)]


def test_a_worker_is_not_let_go_while_long_tests_are_left_of_which_little_is_known() -> None:
    made = balancer([5.0, *[2.0] * 10, *[0.0] * 12], 2, alone=range(11, 23))
    seconds = [5.0, *[2.0] * 10, *[0.0] * 12]
    assert simulated(made, seconds, 2).makespan <= 1.1 * ideal(seconds, 2)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("workers", [2, 4])
def test_a_history_of_a_few_long_tests_does_no_harm(workers: int, seed: int) -> None:
    chance = random.Random(seed)
    seconds = [*(chance.uniform(1.0, 5.0) for _ in range(12)), *[0.3] * 20]
    expected = [each if place < 12 else None for place, each in enumerate(seconds)]
    ours = simulated(balancer(expected, workers), seconds, workers)
    load = simulated(Stock(LoadScheduling, len(seconds), workers), seconds, workers)
    assert ours.makespan <= 1.05 * load.makespan
    assert ours.makespan <= 1.25 * ideal(seconds, workers)


def test_a_test_that_is_wanted_again_is_run_again() -> None:
    made, _ = started(*[None] * 4)
    ran = made.leave("gw0")
    assert ran is not None
    made.again(ran)
    made.join("gw2")
    sent = [test for command in made.decide(1.0) if isinstance(command, Send) for test in command.tests]
    assert ran in sent
