"""``toxscreen matrix``: which environments on which interpreters, split over how many machines."""

from __future__ import annotations

import argparse
import contextlib
import re
import statistics
import tomllib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.analysis.stamp import environment_names
from toxscreen.cli.arguments import seconds
from toxscreen.cli.command import Answer, here
from toxscreen.errors import ConfigError, CorruptJournalError, Place
from toxscreen.gates.runs import lack
from toxscreen.gates.time import by_itself
from toxscreen.journal.history import load_history
from toxscreen.journal.read import read_run
from toxscreen.journal.store import run_folders
from toxscreen.model import Case, History, MatrixRow, Page, Policy, Run, Table, Workload
from toxscreen.plan.categories import category_of
from toxscreen.plan.estimate import estimates
from toxscreen.plan.matrix import rows
from toxscreen.report import pipeline
from toxscreen.settings import FILE, Settings, find_root, load
from toxscreen.settings.gates import load_gates

NAME = "matrix"
HELP = "Print environments x interpreters x shards for a pipeline, with as many shards as a wanted time takes."
EXAMPLE = "toxscreen matrix --github --wall 5m"

_COLUMNS = ("Environment", "Python", "tox -e", "Shards", "Seconds each")
_CLASSIFIER: Final = re.compile(r"Programming Language :: Python :: (\d+\.\d+)")
_PYTHON: Final = re.compile(r"\d+\.\d+[a-z]?")
#: Jobs that GitHub makes of one matrix at most.
_MOST_JOBS: Final = 256
#: Jobs that GitLab makes of one that is parallel at most.
_MOST_PARALLEL: Final = 200
#: So many recorded runs are looked at, and so many of an environment are enough.
_LOOK_AT, _ENOUGH = 40, 3
#: Seconds that a machine needs besides, where no run says.
_STARTUP: Final = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--github", action="store_true", help="one line of JSON, for strategy.matrix.include")
    form.add_argument("--gitlab", action="store_true", help="a child pipeline")
    parser.add_argument(
        "--wall",
        type=seconds,
        default=300.0,
        metavar="TIME",
        help="that a shard may take: 90s or 5m, say (default: 5m)",
    )
    parser.add_argument("--envs", metavar="ENVS", help="environments (default: gates.environments, or the categories)")
    parser.add_argument("--python", metavar="VERSIONS", help="such as 3.11,3.12 (default: the project's classifiers)")


def run(arguments: argparse.Namespace) -> Answer:
    """Make the matrix.

    Raises:
        ConfigError: an argument or setting that cannot be used.
        ErrorGroup: several.
    """
    root = find_root(here())
    settings = load(root, host.environment())
    expected = environment_names(
        load_gates(root, host.environment()).value("environments"), asked_by="gates.environments"
    )
    names = _environments(root, settings, arguments.envs, expected)
    pythons, known_from = _pythons(root, arguments.python)
    history, recorded = load_history(root), _recorded(root)
    made = rows([_workload(name, settings, history, recorded) for name in names], pythons, arguments.wall)
    jobs = pipeline.jobs(made)
    system, most = ("GitLab", _MOST_PARALLEL) if arguments.gitlab else ("GitHub", _MOST_JOBS)
    many = max((row.shards for row in made), default=0) if arguments.gitlab else len(jobs)
    if (arguments.github or arguments.gitlab) and many > most:
        told = f"makes {many} jobs{' of one' if arguments.gitlab else ''}, {system} takes {most}"
        raise ConfigError(
            told, place=Place(key="toxscreen matrix"), hint="name fewer --envs or --python, or more --wall"
        )
    text = pipeline.github(made) if arguments.github else pipeline.gitlab(made) if arguments.gitlab else None
    reasons = {row.environment: row for row in made}
    others = [row.tox for row in made if row.tox not in expected] if expected and not arguments.envs else []
    told = f"gates.environments does not name {', '.join(others)}: the gates would say that others have never run"
    page = Page(
        title=f"{len(jobs)} jobs, so that each takes {arguments.wall:g} s at most",
        notes=(
            f"interpreters: {', '.join(pythons) or 'whichever there is'} ({known_from})",
            *([told] if others else []),
        ),
        tables=(Table(_COLUMNS, tuple(map(_row, made))),),
        closing=tuple(f"{name}: {row.reason}" for name, row in reasons.items()),
    )
    told_rows = [{**row._asdict(), "seconds": None if row.seconds is None else round(row.seconds, 3)} for row in made]
    return Answer(page, {"wall": arguments.wall, "rows": told_rows, "jobs": jobs}, text=text, explained=True)


def _row(row: MatrixRow) -> tuple[str, ...]:
    lasts = "-" if row.seconds is None else f"{row.seconds:.1f}"
    return (row.environment, row.python or "-", row.tox, str(row.shards), lasts)


def _environments(root: Path, settings: Settings, asked: str | None, expected: tuple[str, ...]) -> tuple[str, ...]:
    """The environments that are asked for, that gates expect, or whose tests are there."""
    place = "toxscreen matrix --envs"
    if asked is not None:
        names = environment_names([asked], asked_by=place)
    else:
        names = expected or tuple(
            policy.category
            for policy in settings.categories.values()
            if any((root / path).exists() for path in policy.paths)
        )
    if not names:
        hint = "name them, or set gates.environments"
        raise ConfigError("there is no environment to run", place=Place(key=place), hint=hint)
    return names


def _pythons(root: Path, asked: str | None) -> tuple[tuple[str, ...], str]:
    """Interpreters, and who names them."""
    if asked is not None:
        found = tuple(dict.fromkeys(name for name in re.split(r"[\s,]+", asked) if name))
        wrong = [name for name in found if not _PYTHON.fullmatch(name)]
        if wrong or not found:
            told = f"{', '.join(map(repr, wrong)) or 'nothing'} is no version of Python"
            hint = "separate versions by commas: --python 3.11,3.12"
            raise ConfigError(told, place=Place(key="toxscreen matrix --python"), hint=hint)
        return found, "--python"
    project: Any = {}
    with contextlib.suppress(OSError, ValueError, RecursionError):
        project = tomllib.loads((root / FILE).read_text(encoding="utf-8")).get("project")
    project = project if isinstance(project, dict) else {}
    classifiers = project.get("classifiers")
    named = [_CLASSIFIER.fullmatch(str(each)) for each in classifiers] if isinstance(classifiers, list) else []
    if any(named):
        return tuple(dict.fromkeys(match[1] for match in named if match)), f"classifiers in {FILE}"
    oldest = re.search(r">=\s*(\d+\.\d+)", str(project.get("requires-python", "")))
    if oldest:
        return (oldest[1],), f"the oldest of requires-python in {FILE}"
    return (), "nobody names one"


def _recorded(root: Path) -> list[Run]:
    """The newest whole runs."""

    def readable() -> Iterator[Run]:
        for folder in run_folders(root):
            with contextlib.suppress(CorruptJournalError):
                yield read_run(folder)

    return [run for run in islice(readable(), _LOOK_AT) if lack(run) is None]


def _workload(name: str, settings: Settings, history: History, recorded: Sequence[Run]) -> Workload:
    """What is known of the time of an environment, by runs of it, of its category, or by the history alone."""
    category = _category(name, settings)
    of_it = [run for run in recorded if run.name == name] or [
        run for run in recorded if category is not None and run.header.category == category.category
    ]
    if of_it:
        tests = _estimated(of_it[0].collected, history)
        workers = max(1, of_it[0].header.workers)
        besides = [_besides(run, history) for run in of_it[:_ENOUGH]]
        return Workload(name, tests, workers, statistics.median(besides), f"run {of_it[0].id}")
    if category is None:
        return Workload(name, (), 1, 0.0, "it has not run here, and is no category")
    found = [each for each in history.tests if _is_of(each, category, settings)]
    workers = host.cores() if category.workers == "auto" else max(1, int(category.workers))
    source = "the history; no run of it is recorded" if found else "it has not run here"
    return Workload(name, _estimated(found, history), workers, _STARTUP, source)


def _category(name: str, settings: Settings) -> Policy | None:
    """The category of an environment such as ``3.12-unit``: that of its name, or of the end of it."""
    ends = [name, *(name[place + 1 :] for place, letter in enumerate(name) if letter == "-")]
    return next((settings.categories[end] for end in ends if end in settings.categories), None)


def _is_of(node_id: str, policy: Policy, settings: Settings) -> bool:
    case = Case(node_id, node_id.partition("::")[0])
    return category_of(case, settings.categories, settings.default_category.value) == policy.category


def _estimated(node_ids: Sequence[str], history: History) -> tuple[float, ...]:
    cases = [Case(node_id, node_id.partition("::")[0]) for node_id in node_ids]
    return tuple(estimate.seconds for estimate in estimates(cases, history))


def _besides(run: Run, history: History) -> float:
    """Seconds that a run took beyond its tests, and would take on a machine of its own."""
    tests = _estimated(run.collected, history)
    at_a_time = max(1, run.header.workers) * max(1, len(run.header.merged))
    return max(0.0, by_itself(run) - max([*tests, sum(tests) / at_a_time]))
