"""From the job of a ``toxscreen perf`` to its comparison: places, pairs and decisions wired together."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from toxscreen import host
from toxscreen.cli.alone import alone
from toxscreen.cli.perf_watch import Watch
from toxscreen.cli.signals import handled
from toxscreen.model import Comparison
from toxscreen.perf.comparing import compare
from toxscreen.perf.pairing import Pairing, PairOptions
from toxscreen.perf.places import PlaceOptions, prepare
from toxscreen.plan.paired import Sampling
from toxscreen.plan.series import Method


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
    #: Markers of the project's categories.
    markers: tuple[str, ...]


def measured(job: Job, watch: Watch) -> Comparison:
    """Compare.

    Args:
        job: what is to be done.
        watch: is told how far it is.

    Raises:
        ToxscreenError: there is no base, or one side cannot be built.
    """
    variables = host.environment()
    constraints = None if job.constraints is None else Path(job.constraints)
    wanted = PlaceOptions(install=job.install, constraints=constraints, usual=job.usual, variables=variables)
    method = Method(resolution=job.resolution)
    watch.step("waiting until nothing else runs")
    with ExitStack() as stack:
        # A cancelled job and a closed terminal end what was started here, too, as Ctrl-C does.
        stack.enter_context(handled(("SIGTERM", "SIGHUP"), _interrupt))
        # First: who waits for places that another has must not keep that one from having the machine.
        lost = stack.enter_context(alone(variables))
        places = stack.enter_context(prepare(job.root, job.against, wanted, watch.step))
        paths = _expanded(job.paths, places.base.folder, places.candidate.folder)
        how = PairOptions(paths, job.options, job.select, job.waits, markers=job.markers, work=places.work)
        with Pairing(places.base, places.candidate, how) as pairing:
            found = compare(
                pairing,
                lambda node_ids: Sampling(node_ids, method),
                job.budget,
                watch.follow,
                resolution=job.resolution,
            )
        told = (*places.notes, *found.notes, *((lost,) if lost is not None else ()))
        return replace(found, notes=told)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _expanded(paths: Iterable[str], *sides: Path) -> tuple[str, ...]:
    """The paths, patterns replaced by what matches them on either side."""
    found: dict[str, None] = {}
    for path in paths:
        if not any(sign in path for sign in "*?["):
            found[path] = None
            continue
        for side in sides:
            there = [each for each in side.glob(path) if each.suffix == ".py" or each.is_dir()]
            found.update(dict.fromkeys(sorted(each.relative_to(side).as_posix() for each in there)))
    return tuple(found)
