"""What is found by looking at runs: the runs themselves, pages, what a hunt brings home."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from toxscreen.model.failure import Leak, Origin
from toxscreen.model.running import Header, Outcome, Selection
from toxscreen.model.timing import FixtureSpan, LaneSpan


@dataclass(frozen=True, slots=True)
class Lane:
    """One worker's sequence of node ids."""

    name: str
    node_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What was meant to run: lanes, what was left out and why, and where the plan came from."""

    lanes: tuple[Lane, ...]
    #: (node id, reason) of every case that will not run.
    left_out: tuple[tuple[str, str], ...]
    seed: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Order:
    """What happened: the lanes as they really ran."""

    lanes: tuple[Lane, ...]
    seed: int | None
    #: Fingerprint of the collection the lanes were cut from.
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of one test."""

    node_id: str
    lane: str
    #: How many tests the lane had begun before this one.
    place: int
    started: float
    outcome: Outcome
    setup: float = 0.0
    call: float = 0.0
    teardown: float = 0.0
    origin: Origin | None = None
    leaks: tuple[Leak, ...] = ()
    text: str | None = None
    #: As in :class:`Event`.
    touched: tuple[str, ...] = ()
    #: Seconds that its process computed, threads included; None where nobody looked, or for a moment only.
    cpu: float | None = None
    asserts_nothing: bool = False
    #: As in :class:`Event`.
    slept: float | None = None
    children: float | None = None

    @property
    def seconds(self) -> float:
        """Set-up, call and teardown together, in seconds."""
        return self.setup + self.call + self.teardown

    @property
    def waited(self) -> float | None:
        """Seconds in which its process did not compute: it slept, or waited for a file, a process or a core."""
        return None if self.cpu is None else max(0.0, self.seconds - self.cpu)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that tests on different lanes touched: they can meet in it, whether or not they did this time."""

    #: Such as ``file out/orders.csv`` and ``port 8000``.
    thing: str
    #: Node id and lane of each test that did; those that only connected to it stand last.
    tests: tuple[tuple[str, str], ...]


class RunState(StrEnum):
    """Whether a run came to its end."""

    COMPLETE = "complete"
    #: Ended early in an orderly way: Ctrl-C, -x, a usage error.
    STOPPED = "stopped"
    RUNNING = "running"
    #: Its process is gone and left no last word.
    DIED = "died"


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded run, folded from its journal."""

    header: Header
    state: RunState
    attempts: tuple[Attempt, ...]
    order: Order
    #: Node ids that were selected to run, in collection order.
    collected: tuple[str, ...]
    exit_status: int | None
    finished: float | None
    #: What reading the journal had to forgive, and what the run noted about itself.
    notes: tuple[str, ...] = ()
    #: None where nobody says: the run did not end well, or was recorded by an older version.
    selection: Selection | None = None
    #: Workers that ended before their time, each with why.
    lost: tuple[str, ...] = ()
    #: Set-ups and teardowns of fixtures wider than a test, as they ended.
    fixtures: tuple[FixtureSpan, ...] = ()
    #: The lives of the workers.
    spans: tuple[LaneSpan, ...] = ()

    @property
    def name(self) -> str:
        """What ran: the tox environment, or the category where tox did not run it."""
        return self.header.environment or self.header.category

    @property
    def id(self) -> str:
        """The run's name."""
        return self.header.run

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Outcome of every selected test; of several attempts the last one counts."""
        found: dict[str, Outcome] = dict.fromkeys(self.collected, Outcome.NOT_RUN)
        for attempt in self.attempts:
            found[attempt.node_id] = attempt.outcome
        return found

    @property
    def queued(self) -> float:
        """Seconds that the run took longer because others had the slots: what its workers waited, on average."""
        ran = {attempt.lane for attempt in self.attempts}
        waits = [span.queued for span in self.spans if span.lane in ran]
        return sum(waits) / len(waits) if waits else 0.0

    @property
    def failed(self) -> bool:
        """Whether the run is red: a red outcome, a status other than 0, or a death without a last word."""
        if any(attempt.outcome.red for attempt in self.attempts):
            return True
        return self.state is RunState.DIED or self.exit_status not in {0, None}

    def lane(self, name: str) -> Lane | None:
        """The lane of that name, or None."""
        return next((lane for lane in self.order.lanes if lane.name == name), None)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column titles; cells are plain text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """Something to be copied: a command, or some lines of a file."""

    label: str
    #: As Markdown names it: "shell", "python".
    language: str
    text: str

    @property
    def is_long(self) -> bool:
        """Whether it has more than one line; a terminal then leaves it out."""
        return "\n" in self.text.rstrip("\n")


@dataclass(frozen=True, slots=True)
class Section:
    """One thing that a page tells, without markup: a headline and lines about it."""

    title: str
    lines: tuple[str | Code, ...] = ()
    #: Headline above all sections in a row that have the same one.
    group: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """The section as lines of plain text, without its group and without long code."""
        lines = (f"{one.label}: {one.text}" if isinstance(one, Code) else one for one in self.lines if not _long(one))
        return (self.title, *(f"  {line}" for line in lines))


def _long(line: str | Code) -> bool:
    return isinstance(line, Code) and line.is_long


@dataclass(frozen=True, slots=True)
class Page:
    """What a command has to say, without markup: notes, then tables, then sections, then closing lines."""

    title: str
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    closing: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was looked at, and what came of it, for systems that read results of tests."""

    #: What kind of thing it is, with dots.
    group: str
    name: str
    #: Passed, failed, skipped or error.
    outcome: Outcome
    #: What came of it, in one line.
    message: str = ""
    text: str = ""
    #: Relative to the project's root.
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """Written beside coverage data when an environment begins to measure."""

    schema: int
    environment: str
    commit: str | None
    changes: str | None
    #: Seconds since the epoch.
    time: float


class Ended(StrEnum):
    """How the process of a probe ended."""

    #: It ran all its tests.
    DONE = "done"
    #: It outlived its limit and was ended.
    HUNG = "hung"
    #: It ended by itself before its last test did: a crash, or an exit.
    DIED = "died"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One test as a probe saw it."""

    node_id: str
    outcome: Outcome
    origin: Origin | None = None
    #: First line of what went wrong.
    text: str | None = None
    #: As in :class:`Event`, such as ``file TMPDIR/orders.csv`` and ``port 8000``.
    touched: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What went wrong, in one line: of a test that hung or died there is no more than that."""
        return self.text or self.outcome.value


@dataclass(frozen=True, slots=True)
class Probe:
    """Tests that ran one after the other in a process of their own, and what was seen of them."""

    #: In the order in which they were to run.
    node_ids: tuple[str, ...]
    #: "forked" from a process that had collected, or "fresh": a new interpreter.
    how: Literal["forked", "fresh"]
    seen: tuple[Sighting, ...]
    ended: Ended
    seconds: float
    #: Exit status of the process, negative: the signal; None where nobody knows.
    status: int | None = None

    @property
    def last(self) -> Sighting:
        """The last test: what a probe is made for. One that hung or died was at the test it did not finish."""
        if len(self.seen) == len(self.node_ids):
            return self.seen[-1]
        if self.ended is Ended.DONE:
            # Some were not there to be run.
            is_there = bool(self.seen) and self.seen[-1].node_id == self.node_ids[-1]
            return self.seen[-1] if is_there else Sighting(self.node_ids[-1], Outcome.NOT_RUN)
        outcome = Outcome.TIMED_OUT if self.ended is Ended.HUNG else Outcome.CRASHED
        reached = len(self.seen) == len(self.node_ids) - 1
        return Sighting(self.node_ids[-1], outcome if reached else Outcome.NOT_RUN)


class IsolationKind(StrEnum):
    """Why the outcome of a test is not its own doing; see docs/hunt.md."""

    #: Passes alone, fails after others.
    VICTIM = "victim"
    #: Fails alone, passes after others.
    BRITTLE = "brittle"
    #: Fails the second time in one process.
    SELF_POLLUTING = "self-polluting"
    #: Fails because another file was collected.
    COLLECTION = "polluted-while-collecting"
    #: Fails everywhere: no isolation bug.
    DETERMINISTIC = "deterministic"
    #: Differs although nothing was changed.
    CHANCE = "chance"
    #: Passes in every order, fails beside another lane.
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Culprit:
    """A piece of state through which tests depend on each other."""

    path: str
    before: str
    after: str
    #: See `probes.change.Change`; a page of the documentation has this name.
    kind: str
    #: Whether undoing just this before the test turned its outcome.
    proved: bool


@dataclass(frozen=True, slots=True)
class Isolation:
    """One isolation bug, or what looked like one and is none."""

    kind: IsolationKind
    node_id: str
    #: Polluters, state-setters or, for pollution while collecting, files: all are needed, in this order.
    partners: tuple[str, ...] = ()
    #: What the test fails with.
    origin: Origin | None = None
    text: str | None = None
    culprits: tuple[Culprit, ...] = ()
    #: Whether fresh interpreters have shown it both ways twice.
    proved: bool = False
    #: Whether random order under pytest-xdist can meet the sequence; None where there is no sequence.
    reachable: bool | None = None
    #: For chance: how often it failed, of how many.
    failures: tuple[int, int] | None = None
    #: What else is to be said.
    note: str | None = None
    #: Every probe of the proof.
    proof: tuple[Probe, ...] = ()
    #: A test that, run in between, was seen to keep it from showing.
    cleaner: str | None = None


class Standing(StrEnum):
    """What has become of an isolation bug that was found earlier."""

    STILL_THERE = "still there"
    FIXED = "fixed"
    #: It fails, but in another way, not each time, or without what it took then.
    CHANGED = "changed"
    #: A test that it takes is not there any more.
    GONE = "gone"
    #: Nothing was seen that tells.
    UNJUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Verified:
    """An earlier finding, held against the suite as it is now."""

    finding: Isolation
    ruling: Standing
    #: Why, in the words that follow a ruling.
    words: str
    #: Every probe that was made for it.
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about an isolation bug, where something was seen to help."""

    lines: tuple[str, ...]
    #: Python code for a conftest.py that restores what leaked, and only that.
    fixture: str | None = None
