"""Two revisions measured side by side: what was compared, how sure it is, and what is said of each benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Clock(StrEnum):
    """What a benchmark's time is read from."""

    CPU = "cpu"
    #: For those that wait: time of the clock on the wall.
    WALL = "wall"


class Change(StrEnum):
    """What became of a benchmark from the base to the candidate."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    #: To the resolution that was asked for.
    SAME = "same"
    #: There was not enough time, or too much noise.
    UNDECIDED = "undecided"
    #: It fails on one side.
    BROKEN = "broken"
    #: Only the candidate has it.
    NEW = "new"
    #: Only the base has it.
    GONE = "gone"


class Interval(NamedTuple):
    """A ratio, candidate's time over base's, and bounds that hold with the error rate asked for."""

    ratio: float
    low: float
    high: float


class Memory(NamedTuple):
    """What one execution allocates, as ``tracemalloc`` sees it in a run of its own."""

    #: Bytes at the highest point, over what was there before.
    peak: int
    #: Blocks allocated and still there at the end.
    blocks: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One benchmark on both sides."""

    node_id: str
    change: Change
    #: In words: why it is ruled so.
    reason: str
    clock: Clock = Clock.CPU
    group: str | None = None
    interval: Interval | None = None
    #: Pairs of fresh processes, those of the confirmation not counted.
    pairs: int = 0
    #: Pairs of the independent batch that had to confirm a regression.
    confirmed_by: int = 0
    #: Median seconds of one execution; None where it was not measured.
    base_seconds: float | None = None
    candidate_seconds: float | None = None
    base_memory: Memory | None = None
    candidate_memory: Memory | None = None
    #: What the benchmark itself said in ``extra_info``, of the candidate.
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """The base against itself, in the same rounds: a difference there is the machine's."""

    passed: bool
    reason: str
    pairs: int = 0
    #: By benchmark.
    intervals: tuple[tuple[str, Interval], ...] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """One side."""

    #: As it was asked for; the candidate is the working tree.
    name: str
    commit: str | None
    #: Whether the working tree differs from the commit.
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of one ``toxscreen perf``."""

    base: Revision
    candidate: Revision
    #: Relative, 0.03 is 3 %.
    resolution: float
    #: Seconds that measuring may take.
    budget: float
    #: Seconds since the epoch.
    started: float
    seconds: float
    compared: tuple[Compared, ...]
    self_check: SelfCheck
    #: What else there is to say: a busy machine, files of benchmarks that changed.
    notes: tuple[str, ...] = ()
    #: Whether all that was to be done was done.
    complete: bool = True
    #: Benchmarks, or whole files of them, that are skipped on both sides.
    skipped: tuple[str, ...] = ()
