"""What stays together when tests are dealt out to workers: groups, and tests that share a fixture worth sharing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from toxscreen.model import Case, Estimate

#: Seconds that a test costs beside its own: hooks, reports, the journal.
OVERHEAD: Final = 0.0005
#: A worker may set a fixture up again where that is at most one part in so many of the time it then has use of it.
_CHEAP: Final = 20
#: What rounding may take away from a whole number.
_TINY: Final = 1e-9
#: Seconds of a fixture below which nobody notices how often it is set up.
_NOTICED: Final = 0.005
#: What ends by so much later is as good as the best, if it sets fixtures up less often.
_AS_GOOD: Final = 1.02


class Why(StrEnum):
    """Why the tests of a :class:`Unit` stay together, or why there is but one."""

    SINGLE = "nothing to share"
    GROUP = "one group"
    ALONE = "each wants the machine for itself"
    WHOLE = "they share a fixture, and fit into one worker's share together with it"
    PIECE = "they share a fixture with others; all of them are too much for one worker"
    CHEAP = "they share a fixture with others, which costs little against them"


class Unit(NamedTuple):
    """Tests that go to one worker, one after the other."""

    #: Places in the collection, in its order.
    tests: tuple[int, ...]
    #: Seconds that a worker is busy with it, the shared fixture included.
    seconds: float
    #: Whether all of that is remembered, and nothing is a guess.
    known: bool
    why: Why = Why.SINGLE
    #: Key of the fixture that is shared, as in :attr:`Case.fixtures`.
    key: str | None = None
    #: Seconds of that fixture.
    fixture: float = 0.0

    def beside(self, other: Unit) -> Unit:
        """Both as one again: parts of one unit that came back one after the other."""
        tests = tuple(sorted({*self.tests, *other.tests}))
        return self._replace(tests=tests, seconds=self.seconds + other.seconds - self.fixture)


class Units(NamedTuple):
    """A whole collection, taken apart."""

    #: In the order of their first tests.
    units: tuple[Unit, ...]
    #: Tests that want the machine for themselves; None: there are none.
    alone: Unit | None
    #: Seconds of each test by its place, no shared fixture in it.
    seconds: tuple[float, ...]
    #: Seconds that the best of plans would take, those alone left out.
    ideal: float


def units_of(cases: Sequence[Case], expected: Sequence[Estimate], fixtures: Mapping[str, float], workers: int) -> Units:
    """Take a collection apart into what stays together.

    A fixture that is wider than a test costs its set-up on every worker that runs one of its tests. These stay whole
    where that ends as early as anything else; else they are cut into contiguous pieces, as few as end the earliest and
    at most one a worker. Where setting it up again is cheap, they are cut into more. What a fixture costs that nobody
    has measured is not guessed: its tests are single ones.

    Args:
        cases: the tests, in collection order.
        expected: seconds of each, shared fixtures left out.
        fixtures: seconds of shared fixtures by their keys.
        workers: how many there are; at least 1.
    """
    seconds = tuple(each.seconds + OVERHEAD for each in expected)
    groups, alone, rest = _apart(cases)
    share = _share(cases, seconds, [*groups.values(), *([place] for place in rest)], fixtures, workers)

    def unit(tests: Sequence[int], why: Why, key: str | None = None) -> Unit:
        fixture = fixtures.get(key, 0.0) if key is not None else 0.0
        known = all(expected[place].known for place in tests)
        return Unit(tuple(tests), sum(seconds[place] for place in tests) + fixture, known, why, key, fixture)

    made = [unit(tests, Why.GROUP) for tests in groups.values()]
    sharing, single = _sharing(cases, rest, seconds, fixtures, share)
    for key, tests in sharing.items():
        pieces, why = _pieces(tests, seconds, fixtures[key], share)
        made.extend(unit(piece, why, key) for piece in pieces)
    made.extend(Unit((place,), seconds[place], expected[place].known) for place in single)
    made.sort(key=lambda each: each.tests[0])
    ideal = max(share.longest, share.total / workers)
    return Units(tuple(made), unit(alone, Why.ALONE) if alone else None, seconds, ideal)


class _Share(NamedTuple):
    """What there is to be dealt out."""

    #: Seconds of everything, each fixture set up once.
    total: float
    #: Seconds of the longest part that cannot be cut.
    longest: float
    workers: int

    def pieces(self, tests: float, fixture: float) -> int:
        """In how many pieces tests that share a fixture end the earliest, the fewest of those that are about as good.

        Args:
            tests: seconds of the tests.
            fixture: seconds that each piece pays for the fixture.
        """
        ends = [
            max(self.longest, fixture + tests / number, (self.total + (number - 1) * fixture) / self.workers)
            for number in range(1, self.workers + 1)
        ]
        return next(number for number, end in enumerate(ends, 1) if end <= min(ends) * _AS_GOOD)


def _apart(cases: Sequence[Case]) -> tuple[dict[str, list[int]], list[int], list[int]]:
    """Groups, tests alone, and all others. A group with one of those alone is as a whole alone."""
    groups: dict[str, list[int]] = {}
    alone: list[int] = []
    rest: list[int] = []
    alone_groups = {case.group for case in cases if case.alone}
    for place, case in enumerate(cases):
        if case.alone or (case.group is not None and case.group in alone_groups):
            alone.append(place)
        elif case.group is not None:
            groups.setdefault(case.group, []).append(place)
        else:
            rest.append(place)
    return groups, alone, rest


def _share(
    cases: Sequence[Case],
    seconds: Sequence[float],
    parts: Sequence[Sequence[int]],
    fixtures: Mapping[str, float],
    workers: int,
) -> _Share:
    longest, total = 0.0, 0.0
    keys: set[str] = set()
    for tests in parts:
        part = sum(seconds[place] for place in tests)
        longest, total = max(longest, part), total + part
        for place in tests:
            keys.update(cases[place].fixtures)
    return _Share(total + sum(fixtures.get(key, 0.0) for key in keys), longest, workers)


def _sharing(
    cases: Sequence[Case], places: Sequence[int], seconds: Sequence[float], fixtures: Mapping[str, float], share: _Share
) -> tuple[dict[str, list[int]], list[int]]:
    """Tests by the costliest fixture that is worth keeping them together for, and those without one."""
    totals: dict[str, float] = {}
    for place in places:
        for key in cases[place].fixtures:
            if fixtures.get(key, 0.0) > _NOTICED:
                totals[key] = totals.get(key, 0.0) + seconds[place]
    # What lasts as long as the session and is needed on every worker is set up once by each, whoever runs what.
    worth = {
        key: fixtures[key]
        for key, total in totals.items()
        if not (_lasts(key) and share.pieces(total, fixtures[key]) == share.workers)
    }
    sharing: dict[str, list[int]] = {}
    single: list[int] = []
    for place in places:
        costliest = max((key for key in cases[place].fixtures if key in worth), key=worth.__getitem__, default=None)
        (sharing.setdefault(costliest, []) if costliest is not None else single).append(place)
    return sharing, single


def _lasts(key: str) -> bool:
    """Whether a fixture is one of the whole session: the scope before the bar has no name."""
    return key.startswith("|")


def _pieces(tests: list[int], seconds: Sequence[float], fixture: float, share: _Share) -> tuple[list[list[int]], Why]:
    total = sum(seconds[place] for place in tests)
    needed, free = share.pieces(total, fixture), int(total / (_CHEAP * fixture) + _TINY)
    number = min(len(tests), max(needed, free))
    if number == 1:
        return [tests], Why.WHOLE
    return _cut(tests, seconds, total, number), Why.CHEAP if free >= needed else Why.PIECE


def _cut(tests: list[int], seconds: Sequence[float], total: float, number: int) -> list[list[int]]:
    """Contiguous pieces of about the same time."""
    pieces: list[list[int]] = [[] for _ in range(number)]
    passed = 0.0
    for place in tests:
        # By its middle: a long test belongs where most of it lies.
        pieces[min(number - 1, int((passed + seconds[place] / 2) / total * number))].append(place)
        passed += seconds[place]
    return [piece for piece in pieces if piece]
