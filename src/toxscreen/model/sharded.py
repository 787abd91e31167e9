"""A run that several machines share: its parts, what each leaves behind, and what was found of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from toxscreen.model.found import Run


class Shard(NamedTuple):
    """One of the parts into which tests are split."""

    #: From 1.
    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


class Share(NamedTuple):
    """The tests of one shard."""

    #: Sorted.
    node_ids: tuple[str, ...]
    #: Estimated; fixtures wider than a test that are known to be slow are counted once.
    seconds: float


class Workload(NamedTuple):
    """What is known of the time that an environment takes."""

    environment: str
    #: Estimated, one a test.
    seconds: tuple[float, ...]
    #: How many tests a machine runs at a time.
    workers: int
    #: Seconds that a machine needs besides: to start, to collect, to set fixtures up.
    startup: float
    #: Where that is known from.
    source: str


class MatrixRow(NamedTuple):
    """An environment on one interpreter, and over how many machines it is split."""

    environment: str
    #: Such as ``3.12``; None: whichever there is.
    python: str | None
    #: What tox calls it.
    tox: str
    shards: int
    #: That a shard is estimated to take; None where nothing is known.
    seconds: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a shard's run says of itself when it ends, so that a merge can prove that the shards are the whole."""

    schema: int
    run: str
    shard: Shard
    category: str
    environment: str | None
    commit: str | None
    changes: str | None
    tree: str | None
    configuration: str | None
    seed: int | None
    #: Version of Python.
    python: str
    #: Digest of the history by which the tests were split.
    history: str
    #: All node ids that were collected before the split, sorted.
    collected: tuple[str, ...]
    #: Those of this shard, and those of them that were begun.
    planned: tuple[str, ...]
    ran: tuple[str, ...]
    #: SHA-256 of each file that was there when pytest ended, by its path below the state folder.
    files: Mapping[str, str] = field(default_factory=dict)
    #: The JUnit file among them.
    junit: str | None = None
    #: Id of the pytest process, where its own coverage was still being measured then: that file comes later.
    measuring: int | None = None
    #: Coverage data of something else that was there before the run, relative to the state folder.
    before: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What ran: the tox environment, or the category where tox did not run it."""
        return self.environment or self.category


@dataclass(frozen=True, slots=True)
class Part:
    """A shard's run as it was found."""

    #: Where, for a person.
    source: str
    shard: Shard
    run: Run
    #: None where it has left none, or none that can be read.
    manifest: Manifest | None
    #: What of its data is not as it was when the run ended, in words.
    damage: tuple[str, ...] = ()
    #: How many files of coverage data it brings; None where it has measured nothing.
    coverage: int | None = None
