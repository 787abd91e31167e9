"""Which tests look as if they depended on others: their outcome alone held against that in longer sequences. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from toxscreen.model import Attempt, Ended, Origin, Outcome, Probe, Run, Sighting
from toxscreen.plan.conflicts import used


@dataclass(frozen=True, slots=True)
class Suspect:
    """A test whose outcome differed after others."""

    node_id: str
    #: What ran before it, in order.
    context: tuple[str, ...]
    alone: Sighting
    #: What was seen after the context.
    after: Sighting

    @property
    def is_victim(self) -> bool:
        """Whether it failed after others; otherwise it needed them."""
        return self.after.outcome.red


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed in a run, and what may be to blame."""

    node_id: str
    #: What ran before it on its worker, in order.
    context: tuple[str, ...]
    #: What ran on other workers at that time, the longest common time first.
    meanwhile: tuple[str, ...]
    outcome: Outcome
    origin: Origin | None = None
    text: str | None = None


def failures(run: Run) -> tuple[Failure, ...]:
    """The tests that failed in a run, in the order in which they began; each once."""
    lanes = {lane.name: lane.node_ids for lane in run.order.lanes}
    found: dict[str, Failure] = {}
    for attempt in sorted(run.attempts, key=lambda each: each.started):
        if attempt.outcome.red and attempt.node_id not in found:
            common = {
                other.node_id: _common(attempt, other)
                for other in run.attempts
                if other.lane != attempt.lane and _common(attempt, other) > 0
            }
            found[attempt.node_id] = Failure(
                attempt.node_id,
                lanes.get(attempt.lane, ())[: attempt.place],
                tuple(sorted(common, key=lambda node_id: (-common[node_id], node_id))),
                attempt.outcome,
                attempt.origin,
                attempt.text,
            )
    return tuple(found.values())


def _common(one: Attempt, other: Attempt) -> float:
    """Seconds for which two tests ran at the same time."""
    return min(one.started + one.seconds, other.started + other.seconds) - max(one.started, other.started)


def sightings(probe: Probe) -> tuple[Sighting, ...]:
    """What a probe saw, and of one that did not end by itself also the test it was at."""
    if probe.ended is Ended.DONE or len(probe.seen) >= len(probe.node_ids):
        return probe.seen
    outcome = Outcome.TIMED_OUT if probe.ended is Ended.HUNG else Outcome.CRASHED
    return (*probe.seen, Sighting(probe.node_ids[len(probe.seen)], outcome))


def rest_of(probe: Probe) -> tuple[str, ...]:
    """The tests that a probe did not come to, because one before them hung or crashed."""
    return () if probe.ended is Ended.DONE else probe.node_ids[len(sightings(probe)) :]


def suspects(probe: Probe, alone: Mapping[str, Sighting]) -> list[Suspect]:
    """The tests of a probe that ended otherwise than alone: green here and red there.

    Args:
        probe: a sequence of tests.
        alone: each test as it was seen alone; tests that are not in it are left out.
    """
    found = []
    seen = sightings(probe)
    for place, sighting in enumerate(seen):
        by_itself = alone.get(sighting.node_id)
        if by_itself is None or by_itself.outcome.red == sighting.outcome.red or not place:
            continue
        context = tuple(each.node_id for each in seen[:place])
        found.append(Suspect(sighting.node_id, context, by_itself, sighting))
    return found


def sharing(alone: Mapping[str, Sighting]) -> dict[tuple[str, str], str]:
    """Pairs of tests that touch the same thing outside of their process, and that thing.

    Args:
        alone: each test as it was seen alone; red ones are left out.
    """
    users = used((each.node_id, each.touched) for each in alone.values() if not each.outcome.red)
    found: dict[tuple[str, str], str] = {}
    for thing, (changing, connecting) in users.items():
        for one, other in combinations(sorted({*changing, *connecting}), 2):
            if one in changing or other in changing:
                found.setdefault((one, other), thing)
    return found


def alike(one: Sighting, other: Sighting) -> bool:
    """Whether two sightings are the same: both green, or red in the same way. Another exception is another bug."""
    if Outcome.NOT_RUN in {one.outcome, other.outcome}:
        # What was not seen is like nothing.
        return False
    if one.outcome.red != other.outcome.red:
        return False
    if not one.outcome.red:
        return True
    if one.origin is not None and other.origin is not None:
        return one.origin == other.origin
    return one.outcome is other.outcome
