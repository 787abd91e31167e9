"""Which tests can meet in what they touch outside of their processes, although they did not fail of it yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from toxscreen.model import CONNECTION, Attempt, Conflict, Event

K = TypeVar("K")


def used(touched: Iterable[tuple[K, Iterable[str]]]) -> dict[str, tuple[list[K], list[K]]]:
    """Who uses what.

    Args:
        touched: users, each with what it touched.

    Returns:
        Each thing that somebody changes, with those who change it and those who only connect to it.
    """
    changing: dict[str, list[K]] = {}
    connecting: dict[str, list[K]] = {}
    for user, things in touched:
        mine = set(things)
        for thing in things:
            if not thing.startswith(CONNECTION):
                changing.setdefault(thing, []).append(user)
            elif (target := thing.removeprefix(CONNECTION)) not in mine:
                connecting.setdefault(target, []).append(user)
    return {thing: (users, connecting.get(thing, [])) for thing, users in changing.items()}


def conflicts(seen: Iterable[Attempt | Event]) -> tuple[Conflict, ...]:
    """Things that tests on different lanes touched, in the order of their names.

    That all of them only connect to a port or socket is none: a service is there for all. Neither are tests that ran on
    one lane, one after the other.

    Args:
        seen: executed tests, with their lanes and what they touched.
    """
    users = used(((each.node_id or "", each.lane), each.touched) for each in seen if each.touched)
    found = []
    for thing, (changing, connecting) in sorted(users.items()):
        tests = tuple(dict.fromkeys((*sorted(changing), *sorted(connecting))))
        # Tests of several shards ran on several machines, each with files and ports of its own.
        for machine in sorted({_machine(lane) for _, lane in tests}):
            there = tuple(each for each in tests if _machine(each[1]) == machine)
            if len({lane for _, lane in there}) > 1:
                found.append(Conflict(thing, there))
    return tuple(found)


def _machine(lane: str) -> str:
    """What stands before a lane's own name in a run that was joined from shards, as in ``2.gw0``."""
    return lane.rpartition(".")[0]


def told(conflict: Conflict) -> str:
    """A conflict in words; two of its tests, on different lanes, stand for all."""
    (first, lane), *others = conflict.tests
    second, other_lane = next(each for each in others if each[1] != lane)
    more = len(others) - 1
    rest = f" ({more} more test{'' if more == 1 else 's'})" if more else ""
    return f"{conflict.thing} is touched by {first} ({lane}) and {second} ({other_lane}){rest}"
