"""Which tests belong to which shard: whole groups, by how long they take, the same on every machine.

Times are whole microseconds, so that every Python adds them up alike. Tests are sorted first, so that it matters not
in which order a machine collected them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from toxscreen.model import Case, History, Share
from toxscreen.plan.estimate import estimates

_MICRO: Final = 1_000_000
#: Microseconds that every test counts for at least: what pytest itself needs.
_LEAST: Final = 500
#: Microseconds from which on tests stay with those that use the same fixture.
_COSTLY: Final = 100_000
#: Tests that share a fixture stay together up to such a part of an even share: all that fit, or fewer, or none.
_TOGETHER: Final = (1.0, 0.5, 0.25, 0.0)
#: Staying together may make the longest shard longer by so much.
_WORTH: Final = 1.05


class _Unit(NamedTuple):
    """Tests that stay together."""

    node_ids: tuple[str, ...]
    micros: int
    #: The costly fixtures that they use.
    fixtures: frozenset[str]


def split(cases: Sequence[Case], history: History, of: int) -> tuple[Share, ...]:
    """Split tests into shards that take equally long, longest first into the emptiest one (Graham's LPT rule).

    An xdist group stays whole. Tests that share a fixture which is known to be slow stay together where they fit into
    a shard and the shards still come out even; each shard that uses it pays for it once.

    Args:
        cases: the tests, in any order.
        history: what is remembered of their time.
        of: how many shards.

    Returns:
        As many shares, some of which are empty where there are fewer units than shards.
    """
    ordered = sorted(cases, key=lambda case: case.node_id)
    costs = {key: round(seconds * _MICRO) for key, seconds in history.fixtures.items()}
    used = {key for case in ordered for key in case.fixtures}
    costs = {key: cost for key, cost in costs.items() if key in used and cost >= _COSTLY}
    tests = _tests(ordered, history, costs)
    even = (sum(unit.micros for unit in tests) + sum(costs.values())) / of
    tries = []
    for part in _TOGETHER if costs else (0.0,):
        tries.append(_dealt(_bundled(tests, costs, even * part), costs, of))
        if _longest(tries[-1]) <= _WORTH * even:
            # Nothing can be shorter than even shares.
            break
    best = min(map(_longest, tries))
    chosen = next(shares for shares in tries if _longest(shares) <= _WORTH * best)
    return tuple(Share(tuple(sorted(node_ids)), micros / _MICRO) for node_ids, micros in chosen)


def _longest(shares: Sequence[tuple[list[str], int]]) -> int:
    return max(micros for _, micros in shares)


def _tests(ordered: Sequence[Case], history: History, costs: Mapping[str, int]) -> list[_Unit]:
    """The smallest units: groups, and single tests."""
    members: dict[tuple[str, str], list[tuple[Case, int]]] = {}
    for case, estimate in zip(ordered, estimates(ordered, history), strict=True):
        key = ("test", case.node_id) if case.group is None else ("group", case.group)
        members.setdefault(key, []).append((case, max(_LEAST, round(estimate.seconds * _MICRO))))
    return [
        _Unit(
            tuple(case.node_id for case, _ in each),
            sum(micros for _, micros in each),
            frozenset(key for case, _ in each for key in case.fixtures if key in costs),
        )
        for each in members.values()
    ]


def _bundled(tests: Sequence[_Unit], costs: Mapping[str, int], most: float) -> list[_Unit]:
    """Units joined with those that use the same costly fixture, while together they take ``most`` microseconds at most.

    Fixtures that few tests use come first: what the whole session uses hardly fits, what a module uses may.
    """
    bundles: dict[int, _Unit] = dict(enumerate(tests))
    moved: dict[int, int] = {}
    users: dict[str, list[int]] = {}
    for number, unit in enumerate(tests):
        for key in unit.fixtures:
            users.setdefault(key, []).append(number)

    def now(number: int) -> int:
        while number in moved:
            number = moved[number]
        return number

    for key in sorted(users, key=lambda key: (len(users[key]), key)) if most > 0 else ():
        joined = sorted({now(number) for number in users[key]})
        fixtures = frozenset[str]().union(*(bundles[each].fixtures for each in joined))
        micros = sum(bundles[each].micros for each in joined)
        if micros + sum(costs[each] for each in fixtures) <= most:
            node_ids = tuple(node_id for each in joined for node_id in bundles[each].node_ids)
            bundles[joined[0]] = _Unit(node_ids, micros, fixtures)
            for each in joined[1:]:
                del bundles[each]
                moved[each] = joined[0]
    return list(bundles.values())


def _dealt(units: Sequence[_Unit], costs: Mapping[str, int], of: int) -> list[tuple[list[str], int]]:
    """Node ids and microseconds of each shard."""

    def whole(unit: _Unit) -> int:
        return unit.micros + sum(costs[key] for key in unit.fixtures)

    taken: list[list[str]] = [[] for _ in range(of)]
    loads = [0] * of
    there: list[set[str]] = [set() for _ in range(of)]
    for unit in sorted(units, key=lambda unit: (-whole(unit), unit.node_ids)):
        if unit.fixtures:
            after = [loads[place] + sum(costs[key] for key in unit.fixtures - there[place]) for place in range(of)]
        else:
            after = loads
        place = after.index(min(after))
        loads[place] = after[place] + unit.micros
        there[place] |= unit.fixtures
        taken[place].extend(unit.node_ids)
    return list(zip(taken, loads, strict=True))


def history_digest(history: History, cases: Sequence[Case]) -> str:
    """A short digest of what a history says of these tests and their fixtures.

    What it says of others is left out: environments that ran before on the same machine make no difference.

    Args:
        history: medians.
        cases: the tests, in any order.
    """
    told = [
        (node_id, *(round(seconds * _MICRO) for seconds in history.tests[node_id]))
        for node_id in sorted({case.node_id for case in cases} & history.tests.keys())
    ]
    fixtures = [
        (key, round(history.fixtures[key] * _MICRO))
        for key in sorted({key for case in cases for key in case.fixtures} & history.fixtures.keys())
    ]
    return hashlib.sha256(repr((told, fixtures)).encode("utf-8", "surrogatepass")).hexdigest()[:16]
