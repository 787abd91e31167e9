"""Over how many machines an environment is split, so that nobody waits longer than wanted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from toxscreen.model import MatrixRow, Workload

#: Names of environments that name their interpreter, as tox reads them: ``3.12-unit``, ``py312-unit``.
_OWN: Final = re.compile(r"(?:py|python)?(?P<major>3)\.?(?P<minor>\d{1,2}t?)(?:-|$)")


class Count(NamedTuple):
    """How many shards, and why."""

    shards: int
    #: That each is estimated to take; None where nothing is known.
    seconds: float | None
    reason: str


def shards_for(work: Workload, wall: float) -> Count:
    """The fewest shards of which each is done in time; where that cannot be, as many as help.

    A shard takes as long as its start and then its share of the tests, or the longest test where that is more.

    Args:
        work: what is known of the environment.
        wall: seconds that are wanted.
    """
    tests = len(work.seconds)
    if not tests:
        return Count(1, None, f"nothing is known of its time: {work.source}")
    total, longest = sum(work.seconds) / work.workers, max(work.seconds)
    room = wall - work.startup
    needed = math.ceil(total / max(room, longest) - 1e-9) if max(room, longest) > 0 else 1
    shards = min(max(1, needed), tests)
    each = work.startup + max(longest, total / shards)
    told = (
        f"{tests} tests take {sum(work.seconds):.1f} s, on {work.workers} worker{'' if work.workers == 1 else 's'} "
        f"{total:.1f} s, and {work.startup:.1f} s to start ({work.source})"
    )
    if each > wall + 1e-9:
        why = "to start" if room <= 0 else "with its longest test"
        told += f"; {wall:g} s cannot be had: a machine needs {work.startup + longest:.1f} s {why}, more do not help"
    return Count(shards, each, told)


def rows(work: Iterable[Workload], pythons: Sequence[str], wall: float) -> tuple[MatrixRow, ...]:
    """Environments x interpreters, each with its number of shards.

    Args:
        work: of each environment.
        pythons: such as ``3.12``. With several, tox is asked for ``3.12-unit``; with one or none for ``unit``. An
            environment whose name says which interpreter is one row, for that.
        wall: seconds that a shard may take.
    """
    found = []
    for each in work:
        shards, seconds, reason = shards_for(each, wall)
        own = _OWN.match(each.environment)
        for python in (f"{own['major']}.{own['minor']}",) if own is not None else pythons or (None,):
            tox = f"{python}-{each.environment}" if len(pythons) > 1 and own is None else each.environment
            found.append(MatrixRow(each.environment, python, tox, shards, seconds, reason))
    return tuple(found)
