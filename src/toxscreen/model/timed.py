"""Where the time of a run went: its lanes as slices of time, what bounds the run, and what a test did meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from toxscreen.model.found import Attempt


class SliceKind(StrEnum):
    """What a lane did in a :class:`Slice` of time."""

    #: Its process came up.
    STARTING = "starting"
    COLLECTING = "collecting"
    #: A whole test; its parts are the three phases.
    TEST = "test"
    SETUP = "setup"
    CALL = "call"
    TEARDOWN = "teardown"
    #: Set-up or teardown of a fixture wider than a test.
    FIXTURE = "fixture"
    #: What lies between: it waited for a test, for other lanes or for a core, or kept its books.
    IDLE = "idle"
    #: The run's last test was over.
    AFTER = "after"


class Slice(NamedTuple):
    """A stretch of time on one lane."""

    #: Seconds since the run's start.
    start: float
    seconds: float
    kind: SliceKind
    #: Node id of a test and its phases, key of a fixture; otherwise nothing.
    name: str = ""
    #: What lies inside: one after the other, none reaches beyond this slice.
    parts: tuple[Slice, ...] = ()
    #: What a test's slice shows.
    attempt: Attempt | None = None

    @property
    def end(self) -> float:
        """Seconds since the run's start."""
        return self.start + self.seconds


@dataclass(frozen=True, slots=True)
class Track:
    """One lane: slices that follow each other without gap or overlap, from when it began to when it ended."""

    lane: str
    slices: tuple[Slice, ...]

    def spent(self, *kinds: SliceKind) -> float:
        """Seconds of the slices of these kinds; parts are not looked at."""
        return sum(each.seconds for each in self.slices if each.kind in kinds)

    @property
    def tests(self) -> tuple[Slice, ...]:
        """The slices that are tests."""
        return tuple(each for each in self.slices if each.kind is SliceKind.TEST)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run as lanes on one clock, which begins with the run."""

    run: str
    #: How long the run took; where it has no end, up to the last thing that is known of it.
    seconds: float
    #: When its first test began and its last one ended, in seconds since its start.
    first: float
    last: float
    #: How many lanes could run tests at the same time.
    workers: int
    tracks: tuple[Track, ...]

    @property
    def makespan(self) -> float:
        """Seconds from the beginning of the first test to the end of the last."""
        return self.last - self.first


class BoundKind(StrEnum):
    """Why a run takes as long as it does; docs/timeline.md has a paragraph for each."""

    START_UP = "start-up"
    COLLECTION = "collection"
    LONG_TEST = "long-test"
    HELD_TOGETHER = "held-together"
    FEW_TESTS = "few-tests"
    IMBALANCE = "imbalance"
    FIXTURES = "fixtures"
    SLEEPING = "sleeping"
    BETWEEN_TESTS = "between-tests"
    SESSION_END = "session-end"


@dataclass(frozen=True, slots=True)
class Bound:
    """One thing without which a run would be shorter."""

    kind: BoundKind
    #: What it is, and what helps, each in a sentence.
    words: str
    remedy: str
    #: Seconds by which the run would be shorter, estimated.
    gain: float
    #: The figures behind it.
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bounded:
    """What bounds a run, and how far it is from the ideal."""

    #: Largest gain first.
    bounds: tuple[Bound, ...]
    #: Seconds that the tests would take if only the longest test and the number of workers were in the way.
    ideal: float
    #: Seconds by which one more worker would make the run shorter, estimated.
    one_more: float
    #: Why that is so.
    one_more_words: str


class Spent(NamedTuple):
    """What a test did with its time, in seconds; None where nobody looked."""

    cpu: float
    slept: float | None
    #: Other programs that it started and waited for computed.
    children: float | None
    #: The rest: it waited for input and output, a lock, another process or a core.
    waited: float
