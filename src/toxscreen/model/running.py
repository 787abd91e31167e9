"""What a run of tests itself needs and makes: policies and cases before it, the header and events of its journal.

Every start of pytest pays for what is defined here; a NamedTuple costs a tenth of a frozen dataclass with slots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Generic, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from toxscreen.model.failure import Leak, Origin

Network = Literal["none", "loopback", "any"]
OrderKind = Literal["random", "written"]
LeakRule = Literal["fail", "report", "off"]
T = TypeVar("T")
Workers = Literal["auto"] | int
#: Stands before a thing that a test only connected to, among those that it touched.
CONNECTION: Final = "connection to "
#: The file, at the project's root, in which gates keep what may not get worse.
RATCHET: Final = "toxscreen-ratchet.txt"
#: Stands before what the project's own configuration leaves out of a run.
CONFIGURED: Final = "addopts: "


class Outcome(StrEnum):
    """How one execution of one test ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    #: Planned or begun, but without a result: interrupted, or cut off with the whole run.
    NOT_RUN = "not-run"

    @property
    def red(self) -> bool:
        """Whether a run with this outcome in it is a failed run."""
        return self in _RED


_RED = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.TIMED_OUT, Outcome.CRASHED})


class Sourced(NamedTuple, Generic[T]):
    """A value together with the place that it came from, as a person would name that place."""

    value: T
    source: str


class Policy(NamedTuple):
    """What a category demands of its tests and what it allows them."""

    category: str
    #: Folders or glob patterns relative to the project's root.
    paths: tuple[str, ...]
    markers: tuple[str, ...]
    order: OrderKind
    #: "auto" (one per core) or a number; 0 runs the tests in the pytest process itself.
    workers: Workers
    #: Seconds that one test may take, set-up and teardown included; 0 is no limit.
    timeout: float
    #: Seconds that the whole category should take.
    budget: float
    network: Network
    subprocesses: bool
    leaks: LeakRule
    #: Whether a run of it has the machine to itself, under `tox -p` and wherever else cores are shared.
    alone: bool = False


class Case(NamedTuple):
    """A collected test, as the planner sees it."""

    node_id: str
    #: File relative to the project's root, with forward slashes.
    file: str
    #: Names of all markers on the test, its class and its module.
    markers: frozenset[str] = frozenset()
    category: str | None = None
    #: Tests of one group must stay on one worker.
    group: str | None = None
    #: Whether nothing else may run meanwhile.
    alone: bool = False
    #: Keys of the fixtures wider than a test that it uses: ``node id of the scope|name``, with ``[index]`` behind where
    #: the fixture has parameters.
    fixtures: tuple[str, ...] = ()


class Selection(NamedTuple):
    """What of a collection a run left out, and who did."""

    #: Tests left out because they belong to other categories.
    elsewhere: int = 0
    #: How many other tests were deselected by whom: an option as it was given, a plugin or a conftest.py. Where it
    #: stands in the configuration, :data:`CONFIGURED` comes first.
    deselected: Mapping[str, int] = {}
    #: What else narrowed the run, in the same words: paths that were given, say.
    narrowed: tuple[str, ...] = ()
    #: Tests with a benchmark in them that was not measured.
    benchmarks_off: int = 0
    #: Tests that are in other shards.
    other_shards: int = 0


class EventKind(StrEnum):
    """What an :class:`Event` tells; the value is what stands in the journal."""

    LANE_UP = "lane-up"
    LANE_DOWN = "lane-down"
    COLLECTED = "collected"
    START = "start"
    END = "end"
    #: A fixture wider than a test was set up, or torn down.
    FIXTURE = "fixture"
    NOTE = "note"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Event:
    """One dated fact, one line of the journal."""

    kind: EventKind
    #: Seconds since the epoch.
    time: float
    lane: str
    node_id: str | None = None
    outcome: Outcome | None = None
    #: Seconds of set-up, call and teardown.
    setup: float | None = None
    call: float | None = None
    teardown: float | None = None
    origin: Origin | None = None
    leaks: tuple[Leak, ...] = ()
    #: Words for a person: why a worker is gone, what a note says.
    text: str | None = None
    #: Exit status of the run (finish) or of the worker's process (lane-down; negative: the signal).
    status: int | None = None
    pid: int | None = None
    #: What the test changed, bound or connected to outside of its process, such as ``file out/orders.csv``,
    #: ``port 8000`` and ``connection to port 5432``.
    touched: tuple[str, ...] = ()
    #: Seconds that the test's process computed meanwhile; where it was hardly a moment, nobody says.
    cpu: float | None = None
    #: At the end of a run.
    selection: Selection | None = None
    #: Whether nothing in the test, its helpers and its fixtures can assert, and no marker says that this is meant.
    asserts_nothing: bool = False
    #: Key of the fixture whose set-up or teardown took so many seconds, as in :attr:`Case.fixtures`.
    fixture: str | None = None
    #: In which phase of the test that was, where it is not the fixture's own: its set-up in a "call", its teardown in
    #: the "setup" of the next parameter's first test.
    during: str | None = None
    #: Seconds of the test that were asked for by ``time.sleep``; None where nobody looked.
    slept: float | None = None
    #: Seconds that processes which the test started and waited for have computed; None where nobody looked.
    children: float | None = None
    #: Seconds that the test waited for a slot before it began; None where that was hardly a moment.
    queued: float | None = None
    #: Unknown fields of the journal line, kept as they were.
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a run when it begins."""

    schema: int
    run: str
    category: str
    started: float
    #: Arguments pytest was given, without the program's name.
    argv: tuple[str, ...]
    #: Folder pytest was started in, relative to the root where it lies below it.
    cwd: str
    executable: str
    seed: int | None
    #: Value of PYTHONHASHSEED that the workers had, or None when it was random.
    hash_seed: str | None
    #: Whether the working directory was importable (``python -m pytest``).
    cwd_importable: bool
    commit: str | None
    #: Fingerprint of uncommitted changes, None where the tree is clean or there is no git.
    changes: str | None
    workers: int
    #: Name and version of interpreter and tools.
    tools: dict[str, str] = field(default_factory=dict)
    host: dict[str, str] = field(default_factory=dict)
    #: What was chosen for this run, each as "value (where from)".
    chosen: dict[str, str] = field(default_factory=dict)
    #: tox environment, where there was one.
    environment: str | None = None
    #: ``RUN:LANE`` that this run replays.
    replay_of: str | None = None
    #: Those of the arguments that say what to collect.
    paths: tuple[str, ...] = ()
    #: Fingerprint of the files that configure tests and tools; None: recorded by an older version.
    configuration: str | None = None
    #: Git's name for the content of the commit; commits with equal content have the same.
    tree: str | None = None
    #: Which part of the tests it ran, as ``2/3``; None where nobody split them.
    shard: str | None = None
    #: Names of the runs, one a shard, that it was joined from.
    merged: tuple[str, ...] = ()
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def is_part(self) -> bool:
        """Whether the run is one of several shards, and so never the whole."""
        return self.shard is not None and not self.shard.endswith("/1")


class Service(NamedTuple):
    """Something outside the process that tests need, and how to know, start and stop it."""

    name: str
    #: A URL, ``host:port`` or a command that exits 0 when the service is up.
    check: str
    start: str | None = None
    stop: str | None = None
