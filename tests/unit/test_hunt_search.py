"""The search for the few tests that are needed, over invented suites whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.hunt.search import Found, cleaner, is_minimal, smallest

SETTINGS = hypothesis.settings(max_examples=150, database=None, deadline=None)
THOUSAND = tuple(f"tests/test_{number // 20}.py::test_{number}" for number in range(1000))

Names = tuple[str, ...]


def always(_: Sequence[str]) -> bool:
    return True


def is_part(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether the first is an ordered part of the second."""
    left = iter(whole)
    return all(name in left for name in part)


@dataclass
class Suite:
    """An invented suite whose last test fails when one of some chains has run, in its order, and nothing cleaned up."""

    chains: tuple[Names, ...]
    #: Each undoes what was there of all chains.
    cleaners: frozenset[str] = frozenset()
    #: A test that undoes what the next cleaner would do.
    shields: frozenset[str] = frozenset()
    asked: list[Names] = field(default_factory=list)

    def __call__(self, sequence: Sequence[str]) -> bool:
        self.asked.append(tuple(sequence))
        done = [0] * len(self.chains)
        shielded = False
        for name in sequence:
            shielded = shielded or name in self.shields
            if name in self.cleaners:
                done = done if shielded else [0] * len(self.chains)
                shielded = False
            for number, chain in enumerate(self.chains):
                if done[number] < len(chain) and chain[done[number]] == name:
                    done[number] += 1
        return any(count == len(chain) for count, chain in zip(done, self.chains, strict=True))


def assert_right(found: Found | None, context: Sequence[str], suite: Suite) -> None:
    """What is found shows it, is minimal and ordered, and every probe was counted and run once."""
    assert found is not None
    assert found.probes == len(suite.asked) == len(set(suite.asked))
    # Shown by real probes, not concluded.
    assert found.partners in suite.asked
    assert {*combinations(found.partners, len(found.partners) - 1)} <= {*suite.asked}
    assert found.minimal
    assert is_part(found.partners, context)
    assert suite(found.partners)
    assert is_minimal(found.partners, suite)
    for washer in found.cleaners:
        places = range(len(found.partners) + 1)
        assert not all(suite((*found.partners[:at], washer, *found.partners[at:])) for at in places)


@st.composite
def chains(draw: st.DrawFn, context: Names, most: int = 3) -> Names:
    places = draw(st.lists(st.integers(0, len(context) - 1), min_size=1, max_size=most, unique=True))
    return tuple(context[place] for place in sorted(places))


@SETTINGS
@given(chain=chains(THOUSAND, most=1))
def test_one_partner_among_a_thousand_takes_few_probes(chain: Names) -> None:
    suite = Suite((chain,))
    found = smallest(THOUSAND, suite)
    assert found == Found(chain, len(suite.asked), "prefix")
    assert found.probes <= math.log2(1000) + 3
    assert_right(found, THOUSAND, suite)


@SETTINGS
@given(chain=chains(THOUSAND, most=3))
def test_partners_that_must_act_together_take_few_probes_each(chain: Names) -> None:
    suite = Suite((chain,))
    found = smallest(THOUSAND, suite)
    assert found == Found(chain, len(suite.asked), "prefix")
    assert found.probes <= 10 * len(chain) + {1: 2, 2: 3, 3: 6}[len(chain)]
    assert_right(found, THOUSAND, suite)


@SETTINGS
@given(data=st.data(), size=st.integers(1, 600))
def test_the_documented_bound_holds_for_any_size(data: st.DataObject, size: int) -> None:
    suite = Suite((data.draw(chains(THOUSAND[:size], most=min(size, 2))),))
    found = smallest(THOUSAND[:size], suite)
    assert found == Found(suite.chains[0], len(suite.asked), "prefix")
    assert found.probes <= len(found.partners) * (math.ceil(math.log2(size)) + 1) + 1


@pytest.mark.parametrize(
    "places", [(0, 1), (0, 999), (998, 999), (997, 999), (499, 999), (996, 998), (511, 512), (0, 998)]
)
def test_the_bound_holds_for_awkward_pairs(places: tuple[int, int]) -> None:
    chain = tuple(THOUSAND[place] for place in places)
    suite = Suite((chain,))
    found = smallest(THOUSAND, suite)
    assert found == Found(chain, len(suite.asked), "prefix")
    assert found.probes <= 2 * math.log2(1000) + 4


@SETTINGS
@given(data=st.data(), size=st.integers(1, 60))
def test_independent_sets_cleaners_and_shields(data: st.DataObject, size: int) -> None:
    context = THOUSAND[:size]
    some = st.frozensets(st.sampled_from(context), max_size=4)
    several = st.lists(chains(context), min_size=1, max_size=3)
    suite = Suite(tuple(data.draw(several)), data.draw(some), data.draw(some))
    reproducible = suite(context)
    suite.asked.clear()
    found = smallest(context, suite)
    # A search may find some even where the whole does not show it, and they are to be as right.
    if reproducible or found is not None:
        assert_right(found, context, suite)


@SETTINGS
@given(data=st.data(), size=st.integers(1, 7))
def test_any_oracle_at_all(data: st.DataObject, size: int) -> None:
    context = THOUSAND[:size]
    parts = [part for length in range(size + 1) for part in combinations(context, length)]
    showing = data.draw(st.frozensets(st.sampled_from(parts), max_size=12))
    asked: list[Names] = []

    def shows(sequence: Sequence[str]) -> bool:
        asked.append(tuple(sequence))
        return tuple(sequence) in showing

    found = smallest(context, shows)
    assert len(asked) == len(set(asked))
    if found is None:
        assert context not in showing
    else:
        assert found.probes == len(asked)
        assert found.partners in showing
        assert is_minimal(found.partners, shows)


def test_several_sets_give_one_of_them() -> None:
    sets = ((THOUSAND[3], THOUSAND[700]), (THOUSAND[40],), (THOUSAND[41], THOUSAND[42]))
    suite = Suite(sets)
    found = smallest(THOUSAND, suite)
    assert found is not None
    assert found.partners in sets
    assert_right(found, THOUSAND, suite)


def test_a_polluter_before_a_cleaner_is_not_the_answer() -> None:
    suite = Suite(((THOUSAND[100],), (THOUSAND[990],)), cleaners=frozenset({THOUSAND[400]}))
    found = smallest(THOUSAND, suite)
    assert found == Found((THOUSAND[990],), len(suite.asked), "prefix")


@dataclass
class Undone:
    """A polluter, a cleaner that takes its dirt away, and an undoing that brings it back."""

    asked: list[Names] = field(default_factory=list)

    def __call__(self, sequence: Sequence[str]) -> bool:
        self.asked.append(tuple(sequence))
        names = [name for name in sequence if name in {"polluter", "cleaner", "undoing"}]
        return "polluter" in names and ("cleaner" not in names or names[-1] == "undoing")


UNDONE = ("polluter", *THOUSAND[:4], "cleaner", *THOUSAND[4:9], "undoing")


def test_what_halving_finds_is_made_smaller_when_a_cleaner_misled_it() -> None:
    shows = Undone()
    found = smallest(UNDONE, shows)
    assert ("polluter", "undoing") in shows.asked
    assert found == Found(("polluter",), len(shows.asked), "delta", ("cleaner",))
    assert len(shows.asked) == len(set(shows.asked))


def test_at_the_limit_a_minimal_answer_is_whole_and_only_its_cleaner_missing() -> None:
    free, bare = Undone(), Undone()
    smallest(UNDONE, free)
    found = smallest(UNDONE, bare, most=len(free.asked) - 1)
    assert found == Found(("polluter",), len(free.asked) - 1, "delta")
    assert bare.asked == free.asked[:-1]


@SETTINGS
@given(data=st.data(), chain=chains(THOUSAND[:50]))
def test_the_cleaner_of_an_order_that_stays_silent_is_named(data: st.DataObject, chain: Names) -> None:
    others = [name for name in THOUSAND[:50] if name not in chain]
    washer = data.draw(st.sampled_from(others))
    suite = Suite((chain,), cleaners=frozenset({washer}))
    silent = not suite(THOUSAND[:50])
    suite.asked.clear()
    if silent:
        assert cleaner(chain, THOUSAND[:50], suite) == washer
        assert len(suite.asked) <= 7


def test_delta_debugging_goes_down_to_no_partner_at_all() -> None:
    showing = {tuple(part) for part in ("abcde", "abce", "ace", "ac", "a", "")}
    asked: list[Names] = []

    def shows(sequence: Sequence[str]) -> bool:
        asked.append(tuple(sequence))
        return tuple(sequence) in showing

    found = smallest("abcde", shows)
    assert found is not None
    assert (found.partners, found.probes, found.method) == ((), len(asked), "delta")


def test_two_that_clean_only_together_are_not_named() -> None:
    def shows(sequence: Sequence[str]) -> bool:
        return "polluter" in sequence and not {"soap", "water"} <= set(sequence)

    silent = ("polluter", "a", "soap", "b", "water", "c")
    assert cleaner(("polluter",), silent, shows) is None
    assert cleaner(("polluter",), ("polluter",), shows) is None


def test_trust_in_a_context_that_shows_nothing_is_withdrawn() -> None:
    for size in (1, 2, 3, 4, 1000):
        suite = Suite((("missing",),))
        assert smallest(THOUSAND[:size], suite) is None
        assert THOUSAND[:size] in suite.asked
        assert len(suite.asked) <= 2 * math.log2(size) + 4


def test_a_contradiction_ends_the_search_and_not_with_a_wrong_answer() -> None:
    # The whole does not show it, some parts do.
    suite = Suite(((THOUSAND[1],),), cleaners=frozenset({THOUSAND[6]}))
    assert not suite(THOUSAND[:8])
    suite.asked.clear()
    found = smallest(THOUSAND[:8], suite)
    assert found == Found((THOUSAND[1],), len(suite.asked), "prefix")


def test_an_empty_context_is_asked_once() -> None:
    suite = Suite((("missing",),))
    assert smallest((), suite) is None
    assert suite.asked == [()]
    assert smallest((), always) == Found((), 1, "prefix")


def test_no_partner_is_needed_after_all() -> None:
    assert smallest(THOUSAND[:9], always) == Found((), 4, "delta")


@pytest.mark.parametrize("most", [0, 1, 5, 40, 200])
def test_at_the_limit_the_best_so_far_is_the_answer(most: int) -> None:
    # A resource that runs out: any 300 tests use it up.
    asked: list[Names] = []

    def shows(sequence: Sequence[str]) -> bool:
        asked.append(tuple(sequence))
        return len(sequence) >= 300

    found = smallest(THOUSAND, shows, most=most)
    assert len(asked) == most
    shortest = min((sequence for sequence in asked if len(sequence) >= 300), key=len, default=THOUSAND)
    assert found == Found(shortest, most, "prefix", minimal=False)


@pytest.mark.parametrize(("partners", "expected"), [(("a", "b"), True), (("a", "b", "c"), False), ((), True)])
def test_is_minimal(partners: Names, *, expected: bool) -> None:
    assert is_minimal(partners, Suite((("a", "b"),))) is expected
