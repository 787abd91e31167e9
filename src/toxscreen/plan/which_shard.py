"""Which shard this machine is, by an option or by the variables of a CI system."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from toxscreen.errors import Place, ShardError
from toxscreen.model import Shard

AUTO: Final = "auto"
#: Variable that says the same as the option.
VARIABLE: Final = "TOXSCREEN_SHARD"
_FORM: Final = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")
_EXAMPLE: Final = "write the part and the number of parts, such as 2/3: parts are counted from 1"


class _System(NamedTuple):
    """How a CI system tells its parallel jobs apart."""

    name: str
    number: str
    total: str
    #: Number of its first job.
    first: int


#: GitHub has no such variables: its jobs hand the numbers of their matrix on.
SYSTEMS: Final = (
    _System("GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
    _System("CircleCI", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
    _System("Buildkite", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
)


def which_shard(asked: str, variables: Mapping[str, str], *, asked_by: str) -> Shard:
    """The shard that is meant.

    Args:
        asked: ``I/N``, or ``auto`` to ask the variables.
        variables: of the environment.
        asked_by: the option or variable, for the message.

    Raises:
        ShardError: there is no such shard, or the variables do not say.
    """
    place = Place(key=asked_by)
    if asked != AUTO:
        return _parsed(asked, place)
    own = variables.get(VARIABLE, "")
    if own not in {"", AUTO}:
        return _parsed(own, Place(key=VARIABLE))
    found = {system: shard for system in SYSTEMS if (shard := _of(system, variables, place)) is not None}
    if len(set(found.values())) > 1:
        told = ", ".join(f"{shard} by {system.name}'s {system.number}" for system, shard in found.items())
        raise ShardError(f"the variables contradict each other: {told}", place=place, hint=_EXAMPLE)
    if not found:
        known = ", ".join(f"{system.number} and {system.total} ({system.name})" for system in SYSTEMS)
        hint = f"looked for {VARIABLE}, {known}; on GitHub, set {VARIABLE} from the matrix"
        raise ShardError("is auto, but no variable says which shard this is", place=place, hint=hint)
    return next(iter(found.values()))


def _of(system: _System, variables: Mapping[str, str], place: Place) -> Shard | None:
    number, total = variables.get(system.number, ""), variables.get(system.total, "")
    if not number:
        # GitLab says so of every job that is not parallel.
        return Shard(1, 1) if total == "1" else None
    if not re.fullmatch("[0-9]{1,6}", number):
        raise ShardError(f"{system.number} is {number!r}, which is no number", place=place, hint=_EXAMPLE)
    return _parsed(f"{int(number) - system.first + 1}/{total}", Place(key=f"{system.number} and {system.total}"))


def _parsed(text: str, place: Place) -> Shard:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ShardError(f"{text!r} is no shard", place=place, hint=_EXAMPLE)
    shard = Shard(int(match[1]), int(match[2]))
    if not 1 <= shard.number <= shard.of:
        raise ShardError(f"there is no shard {shard}", place=place, hint=_EXAMPLE)
    return shard
