"""The loop of a comparison: rounds of pairs until every benchmark is decided or the time is up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from toxscreen import host
from toxscreen.model import Change, Compared, Comparison, Interval, Memory, SelfCheck
from toxscreen.perf.machine import Machine
from toxscreen.perf.pairing import About, Collected, RoundResult, Wanted
from toxscreen.perf.side import Side

#: Names in a note before the rest is only counted.
_MOST_NAMES: Final = 3
RoundT = TypeVar("RoundT", bound=Wanted)


class Sampler(Protocol[RoundT]):
    """Says what to measure next and what it means."""

    def wanted(self) -> RoundT | None:
        """The next round; None when all is decided."""

    def add(self, done: RoundT, ratios: Mapping[str, float], self_ratios: Mapping[str, float]) -> None:
        """Take what a round has shown."""

    def interval(self, node_id: str) -> Interval | None:
        """As far as it is known."""

    def pairs(self, node_id: str) -> int:
        """Pairs so far, those of a confirmation not counted."""

    def confirmed_by(self, node_id: str) -> int:
        """Pairs of a confirmation."""

    def judged(self, node_id: str) -> tuple[Change, str]:
        """What is said of it, and why."""

    def self_checked(self) -> SelfCheck:
        """What is said of the base against itself."""

    def drop(self, node_id: str) -> None:
        """No more rounds of this one."""


class Measures(Protocol):
    """Measures pairs, as a Pairing does."""

    base: Side
    candidate: Side
    about: dict[str, About]

    def collect(self) -> Collected:
        """What there is to measure."""

    def run(self, wanted: Wanted) -> RoundResult:
        """One round."""

    def memory(self, node_ids: Collection[str]) -> Mapping[str, tuple[Memory, Memory]]:
        """What one execution allocates on both sides."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one benchmark is."""

    node_id: str
    pairs: int
    #: UNDECIDED while there is more to measure.
    change: Change
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a comparison is."""

    #: What is done next.
    step: str
    #: Seconds since it began, and those it may take.
    seconds: float
    budget: float
    standings: tuple[Standing, ...] = ()


@dataclass(slots=True)
class _Seen:
    """What a comparison has found."""

    collected: Collected
    broken: dict[str, str]
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    memory: Mapping[str, tuple[Memory, Memory]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    #: Whether the time was too short, and whether somebody broke it off.
    is_out_of_time: bool = False
    is_interrupted: bool = False

    def add(self, result: RoundResult) -> None:
        """Keep what a round has shown beyond its ratios."""
        self.broken.update(result.broken)
        self.skipped.update(result.skipped)
        for node_id, pair in result.seconds.items():
            self.seconds.setdefault(node_id, []).append(pair)


def compare(
    pairing: Measures,
    sampling: Callable[[Sequence[str]], Sampler[RoundT]],
    budget: float,
    tell: Callable[[Progress], None],
    *,
    resolution: float,
    with_memory: bool = True,
) -> Comparison:
    """Compare two sides; what was found until somebody interrupts it is kept.

    Args:
        pairing: measures.
        sampling: makes, of the benchmarks that both sides have, what decides.
        budget: seconds. A round that would not end within them is not begun, but the first.
        tell: told of each step.
        resolution: that was asked for, relative.
        with_memory: whether allocations are measured, too.

    Raises:
        BenchmarksError: a side cannot be collected.
    """
    began, started = host.CLOCK.elapsed(), host.CLOCK.wall()

    def passed() -> float:
        return host.CLOCK.elapsed() - began

    tell(Progress("collecting", 0.0, budget))
    collected = pairing.collect()
    seen = _Seen(collected, dict(collected.broken), dict(collected.skipped))
    sampler = sampling(collected.both) if collected.both else None
    machine = Machine()

    def told(step: str) -> None:
        tell(Progress(step, passed(), budget, _standings(sampler, collected.both, seen)))

    try:
        if sampler is not None:
            _rounds(pairing, sampler, seen, lambda: budget - passed(), told)
        seen.notes += machine.notes()
        measured = [each for each in collected.both if each not in seen.broken and each not in seen.skipped]
    except KeyboardInterrupt:
        seen.is_interrupted, measured = True, []
    if with_memory and measured:
        if passed() < budget:
            told("measuring memory")
            # A convenience: what was decided before stands without it.
            with contextlib.suppress(KeyboardInterrupt):
                seen.memory = pairing.memory(measured)
        else:
            seen.notes.append("memory was not measured: the time was up (--budget)")
    return Comparison(
        pairing.base.revision,
        pairing.candidate.revision,
        resolution,
        budget,
        started,
        passed(),
        tuple(_compared(sampler, seen, pairing.about)),
        SelfCheck(passed=False, reason="no benchmark was measured") if sampler is None else sampler.self_checked(),
        (*_notes(seen, pairing.about), *seen.notes),
        complete=not seen.is_interrupted,
        skipped=tuple(sorted(seen.skipped)),
    )


def _rounds(
    pairing: Measures,
    sampler: Sampler[RoundT],
    seen: _Seen,
    left: Callable[[], float],
    told: Callable[[str], None],
) -> None:
    #: Seconds that one benchmark took in one process.
    each = 0.0
    while (wanted := sampler.wanted()) is not None:
        told(f"measuring {len(wanted.node_ids)} benchmark{'s' * (len(wanted.node_ids) != 1)}")
        before = left()
        processes = len(wanted.node_ids) * (3 if wanted.self_check else 2)
        if each and before < each * processes:
            seen.is_out_of_time = True
            return
        result = pairing.run(wanted)
        seen.add(result)
        sampler.add(wanted, result.ratios, result.self_ratios)
        for node_id in {**result.broken, **result.skipped}:
            sampler.drop(node_id)
        each = (before - left()) / processes


def _standings(sampler: Sampler[Any] | None, node_ids: Sequence[str], seen: _Seen) -> tuple[Standing, ...]:
    if sampler is None:
        return ()
    return tuple(
        Standing(node_id, sampler.pairs(node_id), sampler.judged(node_id)[0], sampler.interval(node_id))
        for node_id in node_ids
        if node_id not in seen.skipped
    )


def _compared(sampler: Sampler[Any] | None, seen: _Seen, about: Mapping[str, About]) -> list[Compared]:
    both = [each for each in seen.collected.both if each not in seen.skipped]
    found = [] if sampler is None else [_measured(sampler, node_id, seen, about[node_id]) for node_id in both]
    for node_ids, change, reason in (
        (seen.collected.new, Change.NEW, "only the candidate has it"),
        (seen.collected.gone, Change.GONE, "only the base has it"),
        ([each for each in seen.broken if each not in seen.collected.both], Change.BROKEN, ""),
    ):
        for node_id in node_ids:
            known = about.get(node_id, About())
            found.append(Compared(node_id, change, reason or seen.broken[node_id], known.clock, known.group))
    return found


def _measured(sampler: Sampler[Any], node_id: str, seen: _Seen, about: About) -> Compared:
    change, reason = sampler.judged(node_id)
    if node_id in seen.broken:
        change, reason = Change.BROKEN, seen.broken[node_id]
    elif change is Change.UNDECIDED and (seen.is_out_of_time or seen.is_interrupted):
        reason = f"{'the time was up' if seen.is_out_of_time else 'it was interrupted'}: {reason}"
    base, candidate = _medians(seen.seconds.get(node_id, ()))
    memory = seen.memory.get(node_id)
    return Compared(
        node_id,
        change,
        reason,
        about.clock,
        about.group,
        sampler.interval(node_id),
        sampler.pairs(node_id),
        sampler.confirmed_by(node_id),
        base,
        candidate,
        memory[0] if memory else None,
        memory[1] if memory else None,
        tuple(sorted(about.extra.items())),
    )


def _medians(seconds: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    if not seconds:
        return None, None
    base, candidate = (sorted(side)[len(seconds) // 2] for side in zip(*seconds, strict=True))
    return base, candidate


def _notes(seen: _Seen, about: Mapping[str, About]) -> list[str]:
    notes = []
    collected = seen.collected
    if collected.differing:
        notes.append(f"files of benchmarks that differ between the revisions: {_named(collected.differing)}")
    if collected.shared:
        notes.append(f"not compared, as both revisions import it from the same place: {_named(collected.shared)}")
    notes.extend(f"not measured, it is skipped in both revisions: {name}: {why}" for name, why in seen.skipped.items())
    waiting = [node_id for node_id in collected.both if about[node_id].is_waiting]
    if waiting:
        notes.append(
            "spends most of its time waiting, which CPU time does not see; mark it with `waits` to measure it by the "
            f"clock on the wall: {_named(waiting)}"
        )
    if seen.is_out_of_time:
        notes.append("the time was up before everything was decided (--budget)")
    return notes


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
