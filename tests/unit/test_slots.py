"""Who may run when: examples, and thousands of invented machines on which environments ask, give back and die."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from toxscreen.plan.slots import Kind, Slots, Stuck
from toxscreen.slots.standstill import Standstill

SLOT, ALONE, BLANKET = Kind.SLOT, Kind.ALONE, Kind.BLANKET


def test_as_many_as_there_are_slots_and_then_the_one_that_waits_longest() -> None:
    slots = Slots(2)
    assert [slots.ask(holder, "unit", SLOT) for holder in (1, 2, 3, 4)] == [[1], [2], [], []]
    assert (slots.holding("unit"), slots.waiting("unit")) == ([SLOT, SLOT], [SLOT, SLOT])
    assert [slots.give_back(holder) for holder in (2, 1, 3, 4)] == [[3], [4], [], []]
    assert slots.used == 0


def test_asking_twice_gives_no_second_slot() -> None:
    slots = Slots(2)
    assert [slots.ask(1, "unit", SLOT), slots.ask(1, "unit", ALONE), slots.used] == [[1], [], 1]
    assert [slots.give_back(1), slots.give_back(1), slots.used] == [[], [], 0]


def test_who_has_a_slot_for_a_test_has_a_number_that_nobody_else_has() -> None:
    slots = Slots(3)
    slots.take(9, "c")
    granted = slots.ask(1, "a", Kind.SLOT) + slots.ask(2, "b", Kind.SLOT)
    assert (granted, [slots.number(holder) for holder in (1, 2, 9)]) == ([1, 2], [0, 1, None])
    assert slots.ask(3, "a", Kind.SLOT) == []
    assert (slots.number(3), slots.give_back(1), slots.number(3), slots.number(1)) == (None, [3], 0, None)
    for holder in (2, 3, 9):
        slots.leave(holder)
    assert (slots.ask(4, "d", Kind.ALONE), slots.number(4)) == ([4], None)


def test_the_environment_that_holds_least_is_served_first() -> None:
    slots = Slots(2)
    for holder, name in ((1, "big"), (2, "big"), (3, "big"), (4, "small")):
        slots.ask(holder, name, SLOT)
    assert slots.give_back(1) == [4], "big asked first, but holds one already"
    assert slots.give_back(2) == [3]


def test_equals_take_turns() -> None:
    slots = Slots(1)
    slots.ask(0, "a", SLOT)
    for holder, name in enumerate("aabbcc", start=1):
        slots.ask(holder, name, SLOT)
    order, holder = [], 0
    while granted := slots.give_back(holder):
        (holder,) = granted
        order.append("aabbcc"[holder - 1])
    assert order == ["b", "c", "a", "b", "c", "a"]


def test_short_tests_get_as_much_time_as_long_ones() -> None:
    slots = Slots(1)
    lasts, used, now = {"short": 0.01, "long": 5.0}, {"short": 0.0, "long": 0.0}, 0.0
    names = {1: "short", 2: "short", 3: "long", 4: "long"}
    running = [each for holder, name in names.items() for each in slots.ask(holder, name, SLOT)]
    for _ in range(2000):
        holder = running.pop()
        name = names[holder]
        now += lasts[name]
        used[name] += lasts[name]
        slots.at(now)
        running += [*slots.give_back(holder), *slots.ask(holder, name, SLOT)]
    assert min(used.values()) > 10.0
    assert abs(used["short"] - used["long"]) <= 2 * lasts["long"]


def test_who_comes_late_is_owed_nothing() -> None:
    slots = Slots(1)
    slots.ask(1, "early", SLOT)
    slots.ask(2, "early", SLOT)
    slots.at(100.0)
    slots.ask(3, "late", SLOT)
    slots.ask(4, "late", SLOT)
    order = []
    holder = 1
    for now in range(110, 150, 10):
        slots.at(float(now))
        (holder,) = slots.give_back(holder) or [0]
        order.append(holder)
    assert order == [3, 2, 4, 0], "they take turns from now on"


def test_alone_waits_for_those_before_it_and_goes_before_those_after_it() -> None:
    slots = Slots(2)
    slots.ask(1, "unit", SLOT)
    assert slots.ask(2, "perf", ALONE) == []
    assert slots.ask(3, "unit", SLOT) == [], "there is a slot, but it came later"
    assert slots.give_back(1) == [2]
    assert slots.ask(4, "unit", SLOT) == []
    assert slots.give_back(2) == [3, 4]


def test_the_older_go_before_alone_also_when_they_still_wait() -> None:
    slots = Slots(1)
    for holder, kind in ((1, SLOT), (2, SLOT), (3, ALONE), (4, SLOT)):
        slots.ask(holder, "unit", kind)
    assert [slots.give_back(holder) for holder in (1, 2, 3)] == [[2], [3], [4]]


def test_tests_go_on_beside_a_blanket_for_which_alone_waits_but_no_new_environment_begins() -> None:
    slots = Slots(2)
    slots.ask(1, "lint", BLANKET)
    slots.ask(2, "perf", ALONE)
    assert slots.ask(3, "docs", BLANKET) == []
    assert slots.ask(4, "unit", SLOT) == [4]
    assert slots.give_back(4) == []
    assert slots.ask(4, "unit", SLOT) == [4], "lint may take an hour"
    assert slots.give_back(1) == []
    assert slots.give_back(4) == [2]
    assert slots.give_back(2) == [3]


def test_who_keeps_something_goes_on_when_nothing_else_does() -> None:
    slots = Slots(1)
    slots.at(100.0)
    assert (slots.ask(1, "a", Kind.SLOT), slots.stuck()) == ([1], None)
    assert slots.ask(2, "a", Kind.SLOT) == []
    slots.at(103.0)
    # Who keeps nothing cannot be what others wait for.
    assert (slots.stuck(), slots.let_through()) == (None, [])
    assert slots.ask(3, "a", Kind.SLOT, keeps=True) == []
    assert slots.stuck() == Stuck(3.0, alone=False)
    assert (slots.let_through(), slots.used, slots.stuck()) == ([3], 2, None)
    assert [slots.number(3), slots.is_sharing(3)] == [1, False]
    # It goes on test by test,
    assert (slots.give_back(3), slots.ask(3, "a", Kind.SLOT, keeps=True)) == ([], [3])
    # until the other one does.
    assert (slots.give_back(1), slots.give_back(3)) == ([], [2])
    assert slots.ask(3, "a", Kind.SLOT, keeps=True) == []


def test_it_waits_like_others_when_it_keeps_nothing_any_more() -> None:
    slots = Slots(1)
    slots.ask(1, "a", Kind.SLOT)
    slots.ask(2, "a", Kind.SLOT, keeps=True)
    assert slots.let_through() == [2]
    slots.give_back(2)
    assert slots.ask(2, "a", Kind.SLOT) == []
    assert slots.leave(1) == [2]


def test_who_asks_at_the_moment_of_the_last_movement_is_looked_for_too() -> None:
    slots = Slots(1)
    slots.at(5.0)
    slots.ask(1, "a", Kind.SLOT)
    slots.ask(2, "a", Kind.SLOT, keeps=True)
    assert slots.stuck() == Stuck(0.0, alone=False)


def test_beside_one_that_is_alone_only_its_own_environment_goes_on_and_both_share() -> None:
    slots = Slots(2)
    assert slots.ask(1, "a", Kind.ALONE) == [1]
    assert slots.ask(2, "b", Kind.SLOT, keeps=True) == []
    assert (slots.stuck(), slots.let_through()) == (None, []), "what b keeps is no matter of a's"
    assert slots.ask(3, "a", Kind.SLOT, keeps=True) == []
    assert slots.stuck() == Stuck(0.0, alone=True)
    assert (slots.let_through(), slots.is_sharing(3), slots.number(3)) == ([3], True, None)
    assert (slots.give_back(3), slots.is_sharing(3)) == ([], False)
    assert (slots.ask(3, "a", Kind.SLOT, keeps=True), slots.is_sharing(3)) == ([3], True)
    assert slots.give_back(1) == [2]
    assert [slots.is_sharing(2), slots.number(2)] == [False, 0]


def test_one_that_is_to_be_alone_and_keeps_something_shares_rather_than_wait_for_ever() -> None:
    slots = Slots(2)
    slots.ask(1, "a", Kind.SLOT)
    slots.ask(2, "b", Kind.SLOT)
    assert slots.ask(3, "a", Kind.ALONE, keeps=True) == []
    assert slots.give_back(2) == []
    assert slots.stuck() == Stuck(0.0, alone=True)
    assert (slots.let_through(), slots.is_sharing(3), slots.is_sharing(1)) == ([3], True, False)
    assert slots.ask(2, "b", Kind.SLOT, keeps=True) == []
    assert (slots.stuck(), slots.give_back(1)) == (None, [])
    assert slots.give_back(3) == [2]


def test_a_test_goes_before_one_that_is_to_be_alone_and_may_then_be_it() -> None:
    slots = Slots(1)
    slots.ask(1, "a", Kind.SLOT)
    slots.ask(2, "a", Kind.ALONE, keeps=True)
    slots.ask(3, "a", Kind.SLOT, keeps=True)
    assert (slots.stuck(), slots.let_through()) == (Stuck(0.0, alone=False), [3])
    assert [slots.leave(3), slots.give_back(1), slots.is_sharing(2)] == [[], [2], False]


def test_one_that_is_to_be_alone_waits_for_programs_and_tests_of_other_environments() -> None:
    for kind in (BLANKET, SLOT):
        slots = Slots(2)
        slots.ask(1, "e2e", kind)
        slots.ask(2, "a", Kind.ALONE, keeps=True)
        assert (slots.stuck(), slots.let_through()) == (None, [])


def test_who_went_on_beside_others_does_not_beside_one_that_is_alone() -> None:
    slots = Slots(1)
    slots.ask(1, "a", Kind.SLOT)
    slots.ask(2, "b", Kind.SLOT, keeps=True)
    assert (slots.let_through(), slots.give_back(2)) == ([2], [])
    slots.ask(3, "a", Kind.ALONE, keeps=True)
    assert slots.let_through() == [3]
    assert slots.ask(2, "b", Kind.SLOT, keeps=True) == []


def test_whose_tests_go_on_beside_others_does_not_get_the_machine_beside_them() -> None:
    slots = Slots(1)
    slots.ask(1, "a", Kind.SLOT)
    slots.ask(2, "a", Kind.SLOT, keeps=True)
    assert slots.let_through() == [2]
    slots.give_back(2)
    assert slots.ask(2, "a", Kind.ALONE, keeps=True) == []
    assert (slots.stuck(), slots.give_back(1)) == (Stuck(0.0, alone=True), [2])
    assert not slots.is_sharing(2)


def test_a_holder_that_dies_ends_going_on_as_one_that_gives_back() -> None:
    slots = Slots(1)
    slots.ask(1, "a", Kind.SLOT)
    slots.ask(2, "a", Kind.SLOT, keeps=True)
    slots.ask(3, "a", Kind.SLOT)
    assert (slots.let_through(), slots.leave(1), slots.give_back(2)) == ([2], [], [3])
    assert slots.ask(2, "a", Kind.SLOT, keeps=True) == []


def lasting(busy: Sequence[float | None], looks: list[tuple[float, float]], *, alone: bool = False) -> list[bool]:
    """What is said at each look: seconds stuck, and the moment."""
    answers = iter(busy)
    standstill = Standstill(lambda: next(answers))
    return [standstill.lasts(Stuck(stuck, alone), now) for stuck, now in looks]


def test_a_machine_that_does_nothing_stands_still_after_two_seconds() -> None:
    looks = [(0.0, 10.0), (0.2, 10.5), (0.6, 11.0), (1.1, 11.5), (1.6, 12.0), (2.1, 12.5), (2.6, 13.0)]
    assert lasting([50.0, 50.1], looks) == [False, False, False, False, False, True, False]


def test_one_that_computes_does_so_after_half_a_minute() -> None:
    looks = [(0.5 + seconds, 10.5 + seconds) for seconds in range(31)]
    computing = [50.0 + seconds for seconds in range(31)]
    assert lasting(computing, looks).index(True) == 30


@pytest.mark.parametrize("busy", [[None] * 31, [1.0, None] * 16])
def test_one_that_does_not_tell_as_well(busy: list[float | None]) -> None:
    looks = [(0.5 + seconds, 10.5 + seconds) for seconds in range(31)]
    assert lasting(busy, looks).index(True) == 30


def test_where_somebody_is_alone_it_takes_half_a_minute_and_a_machine_that_does_nothing() -> None:
    looks = [(0.5 + seconds, 10.5 + seconds) for seconds in range(92)]
    silent = [50.0] * 8
    assert lasting(silent, looks, alone=True).index(True) == 30
    # It is asked every half minute, in which one core computes for ten seconds.
    for busy in ([50.0 + 10 * look for look in range(8)], [None] * 8):
        assert not any(lasting(busy, looks, alone=True))


def test_where_nobody_waits_there_is_nothing_to_look_at() -> None:
    standstill = Standstill(lambda: pytest.fail("nobody is to be let through"))
    assert [standstill.lasts(None, now) for now in (1.0, 50.0)] == [False, False]


def test_what_moved_in_between_begins_anew() -> None:
    looks = [(0.6, 1.0), (2.0, 2.4), (0.1, 2.6), (0.6, 3.1), (1.9, 4.4), (2.2, 4.7)]
    assert lasting([5.0, 5.0, 5.0], looks) == [False, False, False, False, False, True]


def test_a_blanket_gives_way_to_the_first_test_and_comes_back_after_the_last() -> None:
    slots = Slots(1)
    assert slots.ask(1, "unit", BLANKET) == [1]
    assert slots.ask(2, "other", SLOT) == []
    assert slots.ask(3, "unit", SLOT) == [2], "unit gave up its blanket for a place in the queue"
    assert slots.ask(4, "unit", SLOT) == []
    assert slots.give_back(2) == [3]
    assert slots.leave(3) == [4]
    assert slots.holding("unit") == [SLOT]
    assert slots.leave(4) == []
    assert slots.holding("unit") == [BLANKET]
    assert slots.give_back(1) == []
    assert slots.used == 0


def test_a_blanket_comes_back_without_waiting() -> None:
    slots = Slots(1)
    slots.ask(1, "unit", BLANKET)
    slots.ask(2, "unit", SLOT)
    slots.ask(3, "other", SLOT)
    assert slots.leave(2) == [], "what is free is taken by the commands that run anyway"
    slots.take(9, "third")
    assert slots.used == 2
    assert [slots.give_back(1), slots.give_back(9)] == [[], [3]]


def test_a_blanket_that_is_dead_does_not_come_back() -> None:
    slots = Slots(1)
    slots.ask(1, "unit", BLANKET)
    slots.ask(2, "unit", SLOT)
    slots.leave(1)
    slots.leave(2)
    assert slots.used == 0


@pytest.mark.parametrize("kind", list(Kind))
def test_the_dead_give_back_what_they_hold_and_no_longer_wait(kind: Kind) -> None:
    slots = Slots(1)
    slots.ask(1, "unit", kind)
    slots.ask(2, "unit", SLOT)
    slots.ask(3, "docs", kind)
    slots.leave(2)
    slots.leave(1)
    slots.leave(3)
    assert (slots.used, slots.waiting("unit"), slots.waiting("docs"), slots.testing("unit")) == (0, [], [], 0)


class Machine(RuleBasedStateMachine):
    """Environments with a blanket and workers each, which do whatever comes to their mind."""

    @initialize(total=st.integers(1, 4))
    def begin(self, total: int) -> None:
        self.slots = Slots(total)
        self.holds: dict[int, Kind] = {}
        self.waits: dict[int, Kind] = {}
        self.keeps: set[int] = set()
        #: Whether somebody was let through who still runs: then there may be more than there are slots.
        self.is_over = False

    @staticmethod
    def name(holder: int) -> str:
        return "abc"[holder // 10]

    def got(self, granted: list[int]) -> None:
        for holder in granted:
            assert holder in self.waits, "nobody is granted what he did not ask for"
            self.holds[holder] = self.waits.pop(holder)

    @rule(holder=st.integers(0, 29), kind=st.sampled_from([SLOT, SLOT, SLOT, ALONE]), keeps=st.booleans())
    def ask(self, holder: int, kind: Kind, *, keeps: bool) -> None:
        if holder % 10 == 0 or holder in self.holds or holder in self.waits:
            return
        if self.holds.get(holder // 10 * 10) is BLANKET:
            del self.holds[holder // 10 * 10]
        self.waits[holder] = kind
        (self.keeps.add if keeps else self.keeps.discard)(holder)
        self.got(self.slots.ask(holder, self.name(holder), kind, keeps=keeps))

    @rule()
    def let_through(self) -> None:
        stuck, alone = self.slots.stuck(), ALONE in self.holds.values()
        granted = self.slots.let_through()
        assert (stuck is None) == (not granted)
        if stuck is not None:
            first = granted[0]
            assert first in self.keeps
            assert stuck.alone == (alone or self.waits[first] is ALONE)
            self.is_over = True
        self.got(granted)

    @rule(environment=st.integers(0, 2))
    def cover(self, environment: int) -> None:
        holder, name = environment * 10, "abc"[environment]
        if holder in self.holds or holder in self.waits or self.slots.testing(name):
            return
        self.waits[holder] = BLANKET
        self.got(self.slots.ask(holder, name, BLANKET))

    @rule(holder=st.integers(0, 29), how=st.sampled_from(["give_back", "leave"]))
    def end(self, holder: int, how: str) -> None:
        self.holds.pop(holder, None)
        self.waits.pop(holder, None)
        granted = getattr(self.slots, how)(holder)
        blanket = holder // 10 * 10
        if BLANKET in self.slots.holding(self.name(holder)) and blanket not in granted and blanket not in self.holds:
            self.holds[blanket] = BLANKET
        self.got(granted)

    @invariant()
    def keeps_its_promises(self) -> None:
        if not hasattr(self, "slots"):
            return
        held, waiting = list(self.holds.values()), list(self.waits.values())
        if not held:
            self.is_over = False
        assert sorted(held) == sorted(kind for name in "abc" for kind in self.slots.holding(name))
        assert sorted(waiting) == sorted(kind for name in "abc" for kind in self.slots.waiting(name))
        sharing = [holder for holder in self.holds if self.slots.is_sharing(holder)]
        numbers = [self.slots.number(holder) for holder, kind in self.holds.items() if kind is SLOT]
        assert len(set(numbers) - {None}) == len(numbers) - numbers.count(None), "no two have one number"
        if not self.is_over:
            assert held.count(SLOT) <= self.slots.total
            assert held.count(ALONE) <= 1
            assert not sharing
            if ALONE in held:
                assert SLOT not in held, "blankets alone come without being asked"
        if ALONE not in held and ALONE not in waiting:
            assert not waiting or len(held) >= self.slots.total, "no core is idle while somebody waits"
        if waiting:
            assert held, "somebody holds what others wait for"

    def teardown(self) -> None:
        """Everybody comes to his turn if everybody ends what he does, and then all is free."""
        if not hasattr(self, "slots"):
            return
        while self.holds:
            holder = next(iter(self.holds))
            self.end(holder, "leave")
        assert (self.waits, self.slots.used) == ({}, 0)


Machine.TestCase.settings = settings(max_examples=50, stateful_step_count=30, database=None, deadline=None)
TestMachine = Machine.TestCase


@settings(max_examples=60, database=None, deadline=None)
@given(total=st.integers(1, 8), workers=st.lists(st.integers(1, 8), min_size=2, max_size=5))
def test_environments_that_always_ask_are_served_alike(total: int, workers: list[int]) -> None:
    slots = Slots(total)
    holders = {(place, each): place * 10 + each for place, many in enumerate(workers) for each in range(many)}
    served = [0] * len(workers)
    running: list[int] = []
    for key, holder in holders.items():
        running += slots.ask(holder, str(key[0]), SLOT)
    for _ in range(200):
        holder = running.pop(0)
        served[holder // 10] += 1
        running += slots.give_back(holder)
        running += slots.ask(holder, str(holder // 10), SLOT)
    # One that has fewer workers than its share cannot take more.
    able = [done for done, many in zip(served, workers, strict=True) if many >= total]
    assert not able or max(able) - min(able) <= total + len(workers)
    assert min(served) > 0
