"""From the job of a ``toxscreen perf`` to its comparison: places, pairs and decisions wired together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toxscreen.cli.perf_watch import Watch
from toxscreen.errors import ToxscreenError
from toxscreen.model import Comparison


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be compared, and how."""

    root: Path
    #: The revision that somebody named, taken as it is.
    against: str | None
    #: The one that the settings name: the base is where the branch left it. None of both: the base of changes.
    usual: str | None
    #: Relative to the root; folders, files and glob patterns.
    paths: tuple[str, ...]
    install: tuple[str, ...]
    #: File, relative to the root.
    constraints: str | None
    #: Relative, 0.03 is 3 %.
    resolution: float
    #: Seconds.
    budget: float
    #: For pytest, on both sides.
    options: tuple[str, ...]
    #: As ``pytest -k`` takes it.
    select: str | None
    #: Patterns of node ids.
    waits: tuple[str, ...]


def measured(job: Job, watch: Watch) -> Comparison:
    """Compare.

    Args:
        job: what is to be done.
        watch: is told how far it is.

    Raises:
        ToxscreenError: there is no base, or one side cannot be built.
    """
    watch.step("building the environments")
    raise ToxscreenError(f"cannot compare {job.root.name} yet")
