"""From a long sequence of tests that shows something to the few of them that are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

#: Whether a sequence of tests, followed by the test in question, shows what is searched for.
Shows: TypeAlias = Callable[[Sequence[str]], bool]
Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The few tests that are enough to show it."""

    #: In the order in which they have to run.
    partners: Names
    #: How many sequences were really run.
    probes: int
    #: "prefix": halving was enough; "delta": what it found could be made smaller still.
    method: Literal["prefix", "delta"]
    #: A test that, run in between, was seen to keep it from showing.
    cleaners: Names = ()
    #: Whether no partner can be left out; False where the limit of probes came first.
    minimal: bool = True


class _LimitError(Exception):
    """The limit of probes is reached."""


class _Memory:
    """Asks once and remembers; it is itself a `Shows`."""

    def __init__(self, shows: Shows, most: int) -> None:
        self._shows = shows
        self._most = most
        self.answers: dict[Names, bool] = {}
        #: The shortest sequence that showed it.
        self.shortest: Names | None = None

    def __call__(self, sequence: Sequence[str]) -> bool:
        key = tuple(sequence)
        if key in self.answers:
            return self.answers[key]
        if len(self.answers) >= self._most:
            raise _LimitError
        answer = self.answers[key] = bool(self._shows(key))
        if answer and (self.shortest is None or len(key) < len(self.shortest)):
            self.shortest = key
        return answer


def smallest(context: Sequence[str], shows: Shows, most: int = 2000) -> Found | None:
    """The tests of a sequence that are needed, none of which can be left out.

    That the whole sequence shows it is taken on trust and asked only in doubt. Where no test is a cleaner and L is the
    logarithm to base 2 of their number, rounded up, one partner takes at most L + 2 probes and two take 2 L + 3.

    Args:
        context: Node ids that ran before the test in question, in the order that showed it.
        shows: Runs a sequence and answers; never asked twice for the same one.
        most: Limit of probes; when it is reached, the shortest sequence that showed it so far is the answer.

    Returns:
        What was found, or None where not even the whole sequence shows it: that is not reproducible.
    """
    context = tuple(context)
    memory = _Memory(shows, most)
    method: Literal["prefix", "delta"] = "prefix"
    try:
        found = _by_prefix(context, memory)
        if found is None:
            return None
        if not is_minimal(found, memory):
            method = "delta"
            found = _by_delta(memory.shortest or (), memory)
    except _LimitError:
        best = context if memory.shortest is None else memory.shortest
        return Found(best, len(memory.answers), method, minimal=False)
    try:
        silent = _silent(found, memory)
        washed = None if silent is None else cleaner(found, silent, memory)
    except _LimitError:
        washed = None
    return Found(found, len(memory.answers), method, () if washed is None else (washed,))


def is_minimal(partners: Sequence[str], shows: Shows) -> bool:
    """Whether leaving out any one of these tests no longer shows it."""
    return not any(shows((*partners[:place], *partners[place + 1 :])) for place in range(len(partners)))


def cleaner(partners: Sequence[str], silent: Sequence[str], shows: Shows) -> str | None:
    """The test that keeps the partners from showing it.

    Args:
        partners: Tests that show it.
        silent: A sequence that holds the partners in their order, and others, and does not show it.
        shows: Runs a sequence and answers.

    Returns:
        A test of the sequence that, added to the partners in its place, is enough for it not to show; None where no
        single test was found to be.
    """
    places = _places(partners, silent)
    others = [place for place in range(len(silent)) if place not in places]
    if not others:
        return None

    def shows_with(kept: Sequence[int]) -> bool:
        return shows([silent[place] for place in sorted({*places, *kept})])

    few, many = 0, len(others)
    while many - few > 1:
        middle = (few + many) // 2
        if shows_with(others[:middle]):
            few = middle
        else:
            many = middle
    suspect = others[many - 1]
    return None if shows_with([suspect]) else silent[suspect]


def _by_prefix(context: Names, memory: _Memory) -> Names | None:
    """Partners from last to first, each the end of the shortest prefix that shows it together with the later ones.

    What is found shows it even among cleaners, for halving ends between a sequence that does not and one that does. But
    a partner may then only make good what a cleaner did, and be needed no more when the cleaner is gone.
    """
    rest, found = context, Names()
    while rest:
        length = _shortest_prefix(rest, found, memory)
        rest, found = rest[: length - 1], (rest[length - 1], *found)
        if memory(found):
            return found
        # Nothing but "no" so far: asked only after the second partner, which is where the bound on two leaves room.
        if len(found) > 1 and memory.shortest is None and not memory(context):
            return None
    return found if not context and memory(found) else None


def _shortest_prefix(rest: Names, found: Names, shows: Shows) -> int:
    too_short, enough = 0, len(rest)
    while enough - too_short > 1:
        middle = (too_short + enough) // 2
        if shows((*rest[:middle], *found)):
            enough = middle
        else:
            too_short = middle
    return enough


def _by_delta(sequence: Names, shows: Shows) -> Names:
    """Delta debugging: a part of a sequence that shows it, none of whose tests can be left out.

    The algorithm is ddmin of Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002.
    """
    pieces = 2
    while len(sequence) > 1:
        bounds = [len(sequence) * piece // pieces for piece in range(pieces + 1)]
        spans = list(pairwise(bounds))
        subset = next((sequence[a:b] for a, b in spans if shows(sequence[a:b])), None)
        if subset is not None:
            sequence, pieces = subset, 2
            continue
        complements = (sequence[:a] + sequence[b:] for a, b in spans)
        complement = next((left for left in complements if shows(left)), None)
        if complement is not None:
            sequence, pieces = complement, max(pieces - 1, 2)
        elif pieces == len(sequence):
            break
        else:
            pieces = min(2 * pieces, len(sequence))
    return () if len(sequence) == 1 and shows(()) else sequence


def _silent(partners: Names, memory: _Memory) -> Names | None:
    """The shortest sequence that held all partners in their order and did not show it, where there was one."""
    silent = (sequence for sequence, answer in memory.answers.items() if not answer)
    return min((each for each in silent if len(_places(partners, each)) == len(partners)), key=len, default=None)


def _places(partners: Sequence[str], sequence: Sequence[str]) -> set[int]:
    """Where the partners stand in a sequence, each after the one before it; fewer places where not all do."""
    places: set[int] = set()
    for place, name in enumerate(sequence):
        if len(places) < len(partners) and partners[len(places)] == name:
            places.add(place)
    return places
