"""What the plugin knows of one pytest run, under one typed key on pytest's stash."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from toxscreen.model import Policy, Selection
from toxscreen.plan.choose import Chosen
from toxscreen.settings import Settings

if TYPE_CHECKING:
    from toxscreen.model import History, Run, Shard
    from toxscreen.plan.replay import Target

#: Key of a run's dealings in pytest-xdist's workerinput and workeroutput.
XDIST_KEY = "toxscreen"
#: Key in a worker's input of where slots are handed out.
XDIST_SLOTS_KEY = "toxscreen-slots"


@dataclass(slots=True)
class Problems:
    """What is to be told at the end of a run, gathered from this process and its workers, each once."""

    #: Rendered errors that make the run unjudgeable.
    errors: list[str] = field(default_factory=list)
    #: Slug and text of warnings; they never fail a test.
    warnings: list[tuple[str, str]] = field(default_factory=list)

    def add_error(self, text: str) -> None:
        """Note a rendered error once."""
        if text not in self.errors:
            self.errors.append(text)

    def warn(self, slug: str, text: str) -> None:
        """Note a warning once."""
        if (slug, text) not in self.warnings:
            self.warnings.append((slug, text))


@dataclass(slots=True)
class Screen:
    """One categorised run as this process sees it."""

    settings: Settings
    #: The category asked for; None where all categories run together.
    policy: Policy | None
    chosen: Chosen | None
    #: The run and lane to replay.
    target: Target | None = None
    replayed: Run | None = None
    #: Seconds that the user set for every test; None: those of the categories hold.
    asked_timeout: float | None = None
    problems: Problems = field(default_factory=Problems)
    #: Folder of the run's journal; None where it could not be made.
    folder: Path | None = None
    #: Folder through which the processes of the run and its guard speak: the run's own, or a temporary one.
    pulses: Path | None = None
    #: What was left out of what this process, or a worker, collected; None while nobody has collected.
    selection: Selection | None = None
    #: Where slots for tests are handed out, and the name under which to ask; None where nobody does.
    slots: tuple[str, str] | None = None
    #: Whether a test was collected during which nothing else may run.
    has_alone: bool = False
    #: The part of the tests that this run is; None: all of them.
    shard: Shard | None = None
    #: By which they are split; None where nobody has looked so far.
    history: History | None = None
    #: How many tests are in other shards, and whether these are just being left out.
    other_shards: int = 0
    is_splitting: bool = False
    #: What tests left changed, in words, for the summary.
    leaks: list[str] = field(default_factory=list)

    @property
    def category(self) -> str:
        """The category's name, or "all"."""
        return self.policy.category if self.policy else "all"

    @property
    def is_empty_shard(self) -> bool:
        """Whether there are tests, but none for this shard."""
        return self.selection is not None and self.selection.other_shards > 0

    @property
    def deselected(self) -> int:
        """How many collected tests were deselected, by whomever."""
        left_out = self.selection
        return left_out.elsewhere + sum(left_out.deselected.values()) if left_out is not None else 0


class ItemInfo(NamedTuple):
    """What was found out about one test when it was collected."""

    policy: Policy
    allowed: frozenset[str]
    needs: tuple[str, ...]
    #: Seconds that a marker of pytest-timeout sets; None without one.
    limit: float | None = None
    #: Whether that marker's limit is for the test function alone; None: pytest's setting decides.
    func_only: bool | None = None
    #: Whether nothing else may run meanwhile.
    alone: bool = False


ITEM_KEY = pytest.StashKey[ItemInfo]()
#: Seconds that a test waited for a slot, where that was more than a moment.
QUEUED_KEY = pytest.StashKey[float]()


def worker_input(config: pytest.Config) -> dict[str, Any] | None:
    """pytest-xdist's input for this worker; None in every other process."""
    return getattr(config, "workerinput", None)


def lane_name(config: pytest.Config) -> str:
    """The worker's name, or "main" where there are no workers."""
    handed = worker_input(config)
    return str(handed["workerid"]) if handed else "main"


def runs_tests(config: pytest.Config) -> bool:
    """Whether tests are run, and not only collected, planned or shown."""
    shows = ("collectonly", "setupplan", "showfixtures", "show_fixtures_per_test", "cacheshow")
    return not any(getattr(config.option, name, None) for name in shows)


def is_distributed(config: pytest.Config) -> bool:
    """Whether this process hands the tests to workers and runs none itself."""
    return worker_input(config) is None and bool(getattr(config.option, "tx", None)) and config.option.dist != "no"


def tx_count(config: pytest.Config) -> int:
    """How many workers ``--tx`` asks for; ``3*popen`` is three, see pytest-xdist's parse_tx_spec_config."""
    counts = [spec.partition("*")[0] for spec in config.option.tx]
    return sum(int(count) if count.isdecimal() else 1 for count in counts)
