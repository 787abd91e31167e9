"""From an old run to the plan that runs one of its lanes again, and back: how far the replay repeated it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from toxscreen.errors import Place, ReplayError, UnknownRunError, did_you_mean
from toxscreen.model import Attempt, Lane, Outcome, Plan, Run

#: Options that say which part of a run is run.
_OPTIONS = ("--screen-replay", "--screen-shard")


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be replayed: ``RUN[:LANE[:NODEID]]``."""

    run: str | None = None
    lane: str | None = None
    #: Last test to run.
    until: str | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target that a text names; node ids may hold colons of their own."""
        run, lane, until = (*text.split(":", 2), "", "")[:3]
        return cls(run or None, lane or None, until or None)

    def __str__(self) -> str:
        return ":".join(part for part in (self.run or "", self.lane, self.until) if part is not None)


def without_replay(argv: Sequence[str]) -> list[str]:
    """Arguments of pytest without ``--screen-replay``, ``--screen-shard`` and their values."""
    left: list[str] = []
    value_follows = False
    for argument in argv:
        if value_follows:
            value_follows = False
        elif argument in _OPTIONS:
            value_follows = True
        elif not argument.startswith(tuple(f"{option}=" for option in _OPTIONS)):
            left.append(argument)
    return left


def first_red(run: Run) -> Attempt | None:
    """The red attempt that began first; None when there is none."""
    return min(
        (attempt for attempt in run.attempts if attempt.outcome.red), key=lambda found: found.started, default=None
    )


def red_lanes(run: Run) -> dict[str, str]:
    """The lanes with a red test, each with its last one, in the order of the lanes."""
    last = {attempt.lane: attempt.node_id for attempt in run.attempts if attempt.outcome.red}
    return {lane.name: last[lane.name] for lane in run.order.lanes if lane.name in last}


def command(
    target: Target, *, environment: str | None, hash_seed: str | None, program: Sequence[str]
) -> tuple[str, ...]:
    """The command to paste for a replay, in the way the run itself was started.

    Args:
        target: what to replay; run and lane are given.
        environment: the tox environment of the run; None where tox had no part in it.
        hash_seed: PYTHONHASHSEED of the run; tox would choose another one.
        program: how toxscreen is called.
    """
    if environment is not None:
        seeded = () if hash_seed is None or not hash_seed.isdecimal() else ("--hashseed", hash_seed)
        return ("tox", "-e", environment, *seeded, "--", "--screen-replay", str(target))
    until = () if target.until is None else ("--until", target.until)
    return (*program, "replay", target.run or "", "--lane", target.lane or "", *until)


def seeds(run: Run, lane: str | None) -> tuple[int | None, str | None]:
    """The seed and PYTHONHASHSEED that a lane had; each shard of a joined run has its own.

    Args:
        run: the old run.
        lane: the lane's name; None where any will do.
    """
    shards = run.header.extra.get("shards") if run.header.merged else None
    number = (lane or "").partition(".")[0]
    for shard in shards if isinstance(shards, list) else ():
        if isinstance(shard, dict) and str(shard.get("shard")).startswith(f"{number}/"):
            seed, hash_seed = shard.get("seed"), shard.get("hash_seed")
            return seed if isinstance(seed, int) else None, hash_seed if isinstance(hash_seed, str) else None
    return run.header.seed, run.header.hash_seed


def pick_lane(run: Run, name: str | None, until: str | None = None) -> Lane:
    """The lane to replay: the one named, else one that ran the last test wanted, else the one of the first failure.

    Args:
        run: the old run.
        name: of the lane.
        until: the last test to replay.

    Raises:
        UnknownRunError: the run has no such lane, or no lane ran the test.
        ReplayError: the run has no lane at all.
    """
    lanes = [lane for lane in run.order.lanes if lane.node_ids]
    if not lanes:
        raise ReplayError("no test was begun in it", place=_place(run), hint="choose another of `toxscreen runs`")
    if name is None:
        failed = first_red(run)
        lanes.sort(key=lambda lane: failed is None or lane.name != failed.lane)
        if until is None:
            return lanes[0]
        ran_it = next((lane for lane in lanes if _last(lane, until) is not None), None)
        if ran_it is None:
            ran = [node_id for lane in lanes for node_id in lane.node_ids]
            raise UnknownRunError(f"no lane ran {until!r}", place=_place(run), hint=_near(until, ran))
        return ran_it
    found = run.lane(name)
    if found is None:
        raise UnknownRunError(
            f"has no lane {name!r}", place=_place(run), hint=did_you_mean(name, [each.name for each in run.order.lanes])
        )
    return found


def cut(lane: Lane, until: str | None) -> Lane:
    """The lane up to and with a test.

    Raises:
        UnknownRunError: the test did not run on it.
    """
    if until is None:
        return lane
    last = _last(lane, until)
    if last is None:
        raise UnknownRunError(f"lane {lane.name} did not run {until!r}", hint=_near(until, lane.node_ids))
    return Lane(lane.name, lane.node_ids[: last + 1])


def _near(node_id: str, known: Sequence[str]) -> str:
    """A hint with the nearest node ids; a run has too many to list them all."""
    near = get_close_matches(node_id, known, n=3)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return "`toxscreen runs RUN --order` shows what ran where"


def _last(lane: Lane, until: str) -> int | None:
    """Place of a test on a lane; the group that pytest-xdist appends to a node id may be left out."""
    if until in lane.node_ids:
        return lane.node_ids.index(until)
    return next((place for place, node_id in enumerate(lane.node_ids) if _without_group(node_id) == until), None)


def _without_group(node_id: str) -> str:
    """The node id before ``@group``, which ``--dist loadgroup`` appends; cuts node ids that hold an @ as well."""
    return node_id.rpartition("@")[0] or node_id


def _place(run: Run) -> Place:
    return Place(key=f"run {run.id}")


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a lane meets the collection of today."""

    plan: Plan
    #: Node ids of the lane that are no longer collected.
    gone: tuple[str, ...]
    #: Node ids selected today that the old run did not know.
    new: tuple[str, ...]


def compare(run: Run, lane: Lane, collected: Sequence[str], selected: Sequence[str]) -> Comparison:
    """Turn a lane into a plan over what is collected today.

    Args:
        run: the old run.
        lane: its lane, perhaps cut.
        collected: node ids of today, in collection order.
        selected: those of them that would run if this were no replay; empty when that cannot be compared.
    """
    here: Collection[str] = set(collected)
    once_known = set(run.collected) or {node_id for each in run.order.lanes for node_id in each.node_ids}
    chosen = tuple(node_id for node_id in lane.node_ids if node_id in here)
    running = set(chosen)
    left_out = tuple((node_id, f"not on lane {lane.name}") for node_id in collected if node_id not in running)
    return Comparison(
        plan=Plan((Lane(lane.name, chosen),), left_out, run.header.seed, f"replay of {run.id}:{lane.name}"),
        gone=tuple(node_id for node_id in lane.node_ids if node_id not in here),
        new=tuple(node_id for node_id in selected if node_id not in once_known),
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """A test that a replay did not repeat."""

    node_id: str
    then: Outcome
    #: None where the replay did not run it.
    now: Outcome | None

    def __str__(self) -> str:
        return f"{self.node_id}: {self.then} then, {self.now or 'absent'} now"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far a replay repeated its lane."""

    #: Whether the same tests ran in the same order.
    same_order: bool
    differences: tuple[Difference, ...]

    @property
    def same_outcomes(self) -> bool:
        """Whether every test ended as it did then."""
        return not self.differences

    def __str__(self) -> str:
        order = "same order" if self.same_order else "another order"
        return f"{order}, {'same' if self.same_outcomes else 'other'} outcomes"


def likeness(run: Run, lane: Lane, again: Run) -> Likeness:
    """Compare a lane with its replay.

    Args:
        run: the old run.
        lane: its lane, perhaps cut.
        again: the replay as recorded.
    """
    then = [attempt for attempt in run.attempts if attempt.lane == lane.name][: len(lane.node_ids)]
    now: dict[str, list[Outcome]] = {}
    for attempt in again.attempts:
        now.setdefault(attempt.node_id, []).append(attempt.outcome)
    order, differences = [], []
    for attempt in then:
        name = attempt.node_id if attempt.node_id in now else _without_group(attempt.node_id)
        order.append(name)
        outcome = now[name].pop(0) if now.get(name) else None
        # What had no outcome then, because the run was interrupted, cannot have another one now.
        if outcome is None or attempt.outcome not in {outcome, Outcome.NOT_RUN}:
            differences.append(Difference(attempt.node_id, attempt.outcome, outcome))
    return Likeness(order == [attempt.node_id for attempt in again.attempts], tuple(differences))
