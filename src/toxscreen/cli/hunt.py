"""``toxscreen hunt``: find tests that depend on each other, prove it, and say what leaked."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from toxscreen import host
from toxscreen.analysis import evidence
from toxscreen.cli import hunt_evidence, hunt_verify
from toxscreen.cli.arguments import seconds
from toxscreen.cli.command import Answer, here
from toxscreen.cli.hunt_page import Telling, checks, data, page
from toxscreen.cli.output import Output, outputs
from toxscreen.errors import ConfigError, Exit, HuntError, Place, ReportError
from toxscreen.hunt.copies import CopyRefusedError
from toxscreen.hunt.findings import read_findings
from toxscreen.hunt.hunter import Hunted, Hunter
from toxscreen.hunt.lab import Limits
from toxscreen.hunt.record import Record
from toxscreen.hunt.suspects import failures
from toxscreen.hunt.target import Target
from toxscreen.hunt.workplace import Workplace
from toxscreen.journal.read import find_run, recorded_root
from toxscreen.model import Check, Code, Page, Run
from toxscreen.plan.replay import without_replay
from toxscreen.report import junit, markdown
from toxscreen.settings import find_root

NAME = "hunt"
HELP = "Look for tests that depend on each other, prove each case in fresh interpreters, and say what leaked."
EXAMPLE = "toxscreen hunt examples/hunt/one_polluter"
#: Whether arguments after ``--`` are somebody else's: pytest's.
HANDS_ON = True

_RENDERERS: Final[dict[str, Callable[[Page, float, Sequence[Check]], str]]] = {
    "markdown": lambda told, *_: markdown.render(told),
    "junit": lambda told, seconds, checked: junit.render(told.title.partition(":")[0], checked, seconds),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="a project, or a folder or file of tests in it")
    parser.add_argument("--category", metavar="C", help="only tests of this category")
    parser.add_argument("--victim", metavar="NODEID", help="explain this test and nothing else")
    parser.add_argument("--run", metavar="RUN", help="explain what failed in this recorded run ('last': the newest)")
    parser.add_argument(
        "--verify", metavar="FILE", help="see what became of the findings that --json printed into FILE"
    )
    parser.add_argument("--budget", type=seconds, default=300.0, metavar="TIME", help="90s or 5m, say (default: 5m)")
    parser.add_argument("--test-limit", type=seconds, default=60.0, metavar="TIME", help="for one test (default: 60s)")
    parser.add_argument("--jobs", type=_count, default=None, metavar="N", help="probes at a time (default: cores)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the shuffled orders (default: 1)")
    parser.add_argument("--quick", action="store_true", help="try no more orders when some in a row show nothing new")
    parser.add_argument("--python", default=None, metavar="EXE", help="the interpreter that runs the tests")
    parser.add_argument("--in-place", action="store_true", help="run probes in the project, not in copies of it")
    parser.add_argument("--sandbox", action="store_true", help="let probes write nowhere else (needs bubblewrap)")
    parser.add_argument("--anew", action="store_true", help="do not go on with a hunt that was cut short")
    parser.add_argument("--markdown", default=None, metavar="FILE", help="write what was found as Markdown, too")
    parser.add_argument("--junit", default=None, metavar="FILE", help="write what was found as JUnit XML, too")
    parser.add_argument("options", nargs="*", metavar="-- PYTEST ARGS", help="options for pytest, after --")


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 9999")
    return int(text)


def run(arguments: argparse.Namespace) -> Answer:
    """Hunt.

    Raises:
        ConfigError: a path that is not there.
        MissingToolError: there is no bubblewrap.
        HuntError: the suite cannot be hunted through.
        ReportError: a file for the report cannot be written, as far as that shows before the hunt.
    """
    if not hasattr(os, "fork"):
        raise HuntError("this system cannot fork", hint="hunt on Linux or macOS, or in a container")
    job = _job(arguments)
    asked = {kind: name for kind in _RENDERERS if (name := getattr(arguments, kind)) is not None}
    files = dict(zip(asked, outputs(list(asked.values())), strict=True))
    if job.nothing is not None:
        return job.nothing
    target = job.target
    jobs = arguments.jobs or host.cores()
    is_for_all = job.is_kept and arguments.victim is None
    made_from = evidence.state(target.root) if is_for_all else None
    limits = Limits(arguments.budget, arguments.test_limit, jobs, arguments.seed, arguments.quick)
    with tempfile.TemporaryDirectory(prefix="toxscreen-hunt-", ignore_cleanup_errors=True) as folder:
        own = Path(folder).resolve()
        place = Workplace(target, own, in_place=arguments.in_place, in_sandbox=arguments.sandbox)
        try:
            record = place.record(limits, anew=arguments.anew) if job.is_kept else None
            hunted = _hunt(place.target, own / "hunt", limits, job.search, record)
        except CopyRefusedError as refused:
            place.give_up_copies(str(refused))
            record = place.record(limits, anew=arguments.anew) if job.is_kept else None
            hunted = _hunt(place.target, own / "in-place", limits, job.search, record)
        hunted = place.told(hunted)
    told = _answer(hunted, target.root, files, job.telling)
    if made_from is not None and hunt_evidence.is_whole(hunted, target):
        unkept = hunt_evidence.keep(hunted, target, made_from)
        told = replace(told, page=replace(told.page, closing=(*told.page.closing, *unkept)))
    return told


@dataclass(frozen=True, slots=True)
class _Job:
    """What a hunt is to do."""

    target: Target
    search: Callable[[Hunter], Hunted]
    telling: Telling
    #: Whether it can be gone on with later. A recorded run is a record already, and verifying needs what is true now.
    is_kept: bool = False
    #: The answer, where there is nothing to do.
    nothing: Answer | None = None


def _job(arguments: argparse.Namespace) -> _Job:
    if arguments.verify is not None:
        return _verification(arguments)
    if arguments.run is None:
        return _Job(_target(arguments), lambda hunter: hunter.hunt(arguments.victim), _TELLING, is_kept=True)
    old = _recorded(arguments)
    failed = failures(old)
    told = Answer(Page(f"run {old.id}: no test failed"), {"run": old.id, "findings": []}, Exit.CLEAN)
    target = _target_of(old, arguments.python)
    return _Job(target, lambda hunter: hunter.diagnose(failed), _TELLING, nothing=None if failed else told)


def _verification(arguments: argparse.Namespace) -> _Job:
    for name in ("victim", "run"):
        if getattr(arguments, name) is not None:
            place = Place(key="toxscreen hunt --verify")
            raise ConfigError(
                f"takes no --{name}", place=place, hint="the findings in the file are looked at, all of them"
            )
    old = read_findings(here() / arguments.verify, arguments.verify)
    if arguments.path is not None:
        target = _target(arguments)
    else:
        root = hunt_verify.root_of(old, arguments.verify)
        target = Target(root, (), tuple(arguments.options), arguments.python or sys.executable, arguments.category)
    told = Answer(Page(f"{arguments.verify}: holds no finding"), {"root": str(target.root), "verified": []})
    nothing = None if old.findings else told
    return _Job(target, lambda hunter: hunter.verify(old.findings), hunt_verify.TELLING, nothing=nothing)


def _answer(hunted: Hunted, root: Path, files: Mapping[str, Output], telling: Telling | None = None) -> Answer:
    """What was found, written and told."""
    telling = telling or _TELLING
    told = telling.page(hunted, root)
    unwritten = _write(files, told, hunted, telling)
    if "markdown" not in files:
        told = _pointing_to_fixtures(told)
    told = replace(told, closing=(*told.closing, *unwritten))
    status = telling.status(hunted)
    is_unjudged = unwritten and status is not Exit.INTERRUPTED
    return Answer(told, telling.data(hunted, root), Exit.UNJUDGED if is_unjudged else status)


def _write(files: Mapping[str, Output], told: Page, hunted: Hunted, telling: Telling) -> list[str]:
    """Write what was found, and tell what could not be written: what a hunt has found is not lost for that."""
    unwritten = []
    for kind, file in files.items():
        try:
            file.write(_RENDERERS[kind](told, hunted.seconds, telling.checks(hunted)))
        except ReportError as error:
            unwritten.append(error.render())
    return unwritten


def _pointing_to_fixtures(told: Page) -> Page:
    """A terminal has no room for code."""
    if any(isinstance(line, Code) and line.is_long for section in told.sections for line in section.lines):
        return replace(
            told, closing=(*told.closing, "fixtures that restore what leaked: add --markdown FILE or --json")
        )
    return told


def _target(arguments: argparse.Namespace) -> Target:
    path, options = arguments.path, tuple(arguments.options)
    folder = here() / (path or ".")
    if not folder.exists():
        raise ConfigError(f"there is no {path}", place=Place(key="toxscreen hunt"), hint="name a project or its tests")
    root = find_root(folder if folder.is_dir() else folder.parent)
    paths = () if folder.resolve() == root else (os.path.relpath(folder.resolve(), root),)
    python = arguments.python or sys.executable
    return Target(root, paths, options, python, arguments.category)


def _recorded(arguments: argparse.Namespace) -> Run:
    """The run that is to be explained."""
    for name, key in (("path", "PATH"), ("category", "--category"), ("victim", "--victim"), ("options", "--")):
        if getattr(arguments, name):
            raise ConfigError(
                f"takes no {key}",
                place=Place(key="toxscreen hunt --run"),
                hint="a run says itself what it ran, and how",
            )
    return find_run(recorded_root(here()), arguments.run)


def _target_of(old: Run, python: str | None) -> Target:
    """The suite of a run, with the options that the run had."""
    header = old.header
    given = without_replay(header.argv)
    options = [argument for argument in given if argument not in header.paths]
    if header.seed is not None:
        options.append(f"--randomly-seed={header.seed}")
    executable = header.executable if Path(header.executable).exists() else sys.executable
    folder = recorded_root(here()) / header.cwd
    return Target(folder, header.paths, tuple(options), python or executable, hash_seed=header.hash_seed or "0")


def _hunt(
    target: Target, folder: Path, limits: Limits, search: Callable[[Hunter], Hunted], record: Record | None
) -> Hunted:
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        _Counters(Column(no_wrap=True)),
        console=console,
        expand=True,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        began = host.CLOCK.elapsed()
        task = progress.add_task("collecting", total=1, findings=0, counters=lambda: "")

        def tell(step: str, done: int, total: int, findings: int) -> None:
            progress.update(task, description=step, completed=done, total=total or 1, findings=findings)

        hunter = Hunter(target, folder, limits, tell, record)

        def counters() -> str:
            left = max(0.0, limits.budget - (host.CLOCK.elapsed() - began))
            return f"{hunter.probes} probes, {progress.tasks[0].fields['findings']} found, {left:.0f} s left"

        progress.update(task, counters=counters)
        return search(hunter)


class _Counters(ProgressColumn):
    """What goes on between two steps, too: read anew each time it is shown."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["counters"](), no_wrap=True)


def _status(hunted: Hunted) -> Exit:
    """What the findings mean: a test that simply fails counts as well."""
    if hunted.is_interrupted:
        return Exit.INTERRUPTED
    if hunted.findings:
        return Exit.FOUND
    return Exit.UNJUDGED if hunted.broken or hunted.is_cut else Exit.CLEAN


_TELLING: Final = Telling(page, data, checks, _status)
