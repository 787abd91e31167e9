"""``toxscreen hunt``: find tests that depend on each other, prove it, and say what leaked."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from toxscreen import host
from toxscreen.cli.command import Answer, here
from toxscreen.cli.hunt_page import data, page
from toxscreen.errors import ConfigError, Exit, HuntError, Place
from toxscreen.hunt.copies import CopyRefusedError
from toxscreen.hunt.hunter import Hunted, Hunter, Limits
from toxscreen.hunt.target import Target
from toxscreen.hunt.workplace import Workplace
from toxscreen.settings import find_root

NAME = "hunt"
HELP = "Look for tests that depend on each other, prove each case in fresh interpreters, and say what leaked."
EXAMPLE = "toxscreen hunt examples/hunt/one_polluter"
#: Whether arguments after ``--`` are somebody else's: pytest's.
HANDS_ON = True

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="a project, or a folder or file of tests in it")
    parser.add_argument("--category", metavar="C", help="only tests of this category")
    parser.add_argument("--victim", metavar="NODEID", help="explain this test and nothing else")
    parser.add_argument("--budget", type=_seconds, default=300.0, metavar="TIME", help="90s or 5m, say (default: 5m)")
    parser.add_argument("--test-limit", type=_seconds, default=60.0, metavar="TIME", help="for one test (default: 60s)")
    parser.add_argument("--jobs", type=_count, default=None, metavar="N", help="probes at a time (default: cores)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the shuffled orders (default: 1)")
    parser.add_argument("--python", default=None, metavar="EXE", help="the interpreter that runs the tests")
    parser.add_argument("--in-place", action="store_true", help="run probes in the project, not in copies of it")
    parser.add_argument("--sandbox", action="store_true", help="let probes write nowhere else (needs bubblewrap)")
    parser.add_argument("options", nargs="*", metavar="-- PYTEST ARGS", help="options for pytest, after --")


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smh]?)", text)
    if found is None or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 90s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2] or "s"]


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
    """
    if not hasattr(os, "fork"):
        raise HuntError("this system cannot fork", hint="hunt on Linux or macOS, or in a container")
    target = _target(arguments)
    limits = Limits(arguments.budget, arguments.test_limit, arguments.jobs or host.cores(), arguments.seed)
    with tempfile.TemporaryDirectory(prefix="toxscreen-hunt-", ignore_cleanup_errors=True) as folder:
        own = Path(folder).resolve()
        place = Workplace(target, own, in_place=arguments.in_place, in_sandbox=arguments.sandbox)
        try:
            hunted = _hunt(place.target, own / "hunt", limits, arguments.victim)
        except CopyRefusedError as refused:
            place.give_up_copies(str(refused))
            hunted = _hunt(place.target, own / "in-place", limits, arguments.victim)
        hunted = place.told(hunted)
    return Answer(page(hunted, target.root), data(hunted, target.root), _status(hunted))


def _target(arguments: argparse.Namespace) -> Target:
    path, options = arguments.path, tuple(arguments.options)
    folder = here() / (path or ".")
    if not folder.exists():
        raise ConfigError(f"there is no {path}", place=Place(key="toxscreen hunt"), hint="name a project or its tests")
    root = find_root(folder if folder.is_dir() else folder.parent)
    paths = () if folder.resolve() == root else (os.path.relpath(folder.resolve(), root),)
    python = arguments.python or sys.executable
    return Target(root, paths, options, python, arguments.category)


def _hunt(target: Target, folder: Path, limits: Limits, victim: str | None) -> Hunted:
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("findings {task.fields[findings]}, budget left {task.fields[left]:.0f} s"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        began = host.CLOCK.elapsed()
        task = progress.add_task("collecting", total=1, findings=0, left=limits.budget)

        def tell(step: str, done: int, total: int, findings: int) -> None:
            left = max(0.0, limits.budget - (host.CLOCK.elapsed() - began))
            progress.update(task, description=step, completed=done, total=total or 1, findings=findings, left=left)

        return Hunter(target, folder, limits, tell).hunt(victim)


def _status(hunted: Hunted) -> Exit:
    """What the findings mean: a test that simply fails counts as well."""
    if hunted.is_interrupted:
        return Exit.INTERRUPTED
    if hunted.findings:
        return Exit.FOUND
    return Exit.UNJUDGED if hunted.broken or hunted.is_cut else Exit.CLEAN
