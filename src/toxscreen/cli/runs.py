"""``toxscreen runs``: list what is recorded, or show one run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from toxscreen import host
from toxscreen.cli import run_page, timeline_page
from toxscreen.cli.command import Answer, here
from toxscreen.errors import ConfigError, CorruptJournalError, Place
from toxscreen.journal.read import LAST, find_folder, find_run, read_run, recorded_root
from toxscreen.journal.store import run_folders
from toxscreen.model import Page, Run, Table

NAME = "runs"
HELP = (
    "List the recorded runs, newest first, or show one: lanes, slowest tests, failures, who ran what where,"
    " and where its time went."
)
EXAMPLE = "toxscreen runs last --order"

_PROGRAM = "toxscreen"
#: Runs that are listed unless all are asked for: reading a long one takes a moment.
_MOST = 20
_COLUMNS = ("Run", "Category", "Started (UTC)", "State", "Tests", "Red", "Seconds", "Workers", "Remark")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help=f"a run's name, an unambiguous part of it, or '{LAST}' for the newest"
    )
    parser.add_argument("--all", action="store_true", help=f"list all recorded runs, not only the newest {_MOST}")
    parser.add_argument("--order", action="store_true", help="list what each lane ran, in order, however long")
    parser.add_argument(
        "--timeline",
        action="store_true",
        help="say where the time of RUN went and what bounds it; write timeline.json (a Chrome trace, for Perfetto)"
        " and timeline.svg (a picture)",
    )
    parser.add_argument("--output", metavar="FOLDER", help="where --timeline writes them (default: the run's folder)")


def run(arguments: argparse.Namespace) -> Answer:
    """List, or show.

    Raises:
        UnknownRunError: there is no such run.
        CorruptJournalError: it cannot be read.
        ConfigError: the current folder is gone, or arguments do not go together.
        ReportError: a timeline cannot be written.
        ErrorGroup: neither of its files can.
    """
    _check(arguments)
    root = recorded_root(here())
    if arguments.timeline:
        return timeline_page.answer(find_folder(root, arguments.run), arguments.output)
    if arguments.run is None:
        return _list(root, most=None if arguments.all else _MOST)
    shown = find_run(root, arguments.run)
    program = called_as()
    return Answer(run_page.page(shown, program, order=arguments.order), run_page.data(shown, program))


def _check(arguments: argparse.Namespace) -> None:
    if arguments.timeline and arguments.run is None:
        hint = f"toxscreen runs {LAST} --timeline"
        raise ConfigError("needs the run whose time it is about", place=Place(key="--timeline"), hint=hint)
    if arguments.output is not None and not arguments.timeline:
        raise ConfigError("is for --timeline only", place=Place(key="--output"))


def called_as() -> tuple[str, ...]:
    """The words by which a person calls toxscreen here."""
    return (_PROGRAM,) if host.same_program(_PROGRAM) else (sys.executable, "-m", _PROGRAM)


def _list(root: Path, most: int | None) -> Answer:
    folders = run_folders(root)
    rows: list[tuple[str, ...]] = []
    told: list[dict[str, object]] = []
    for folder in folders[:most]:
        try:
            found = read_run(folder)
        except CorruptJournalError as error:
            told.append({"run": folder.name, "error": {"message": error.message, "place": str(error.place)}})
            rows.append((folder.name, "-", "-", "unreadable", "-", "-", "-", "-", f"{error.place}: {error.message}"))
        else:
            told.append({**run_page.summary(found), "error": None})
            rows.append(_row(found))
    if not rows:
        return Answer(
            Page(f"no run is recorded in {root}", ("`pytest --category NAME` records one",)),
            {"recorded": 0, "runs": []},
        )
    title = f"{len(folders)} recorded run{'' if len(folders) == 1 else 's'}, newest first"
    more = len(folders) - len(rows)
    closing = (f"{more} older; --all lists every one",) if more else ()
    page = Page(title, tables=(Table(_COLUMNS, tuple(rows)),), closing=closing)
    return Answer(page, {"recorded": len(folders), "runs": told})


def _row(found: Run) -> tuple[str, ...]:
    figures = run_page.summary(found)
    tests, collected, seconds = figures["tests"], figures["collected"], figures["seconds"]
    return (
        found.id,
        found.header.category,
        run_page.utc(found.header.started),
        found.state.value,
        str(tests) if tests == collected else f"{tests} of {collected}",
        str(figures["red"]),
        "-" if seconds is None else f"{seconds:.1f}",
        str(found.header.workers) if found.header.workers else "in-process",
        _remark(found),
    )


def _remark(found: Run) -> str:
    header = found.header
    told = []
    if header.replay_of:
        told.append(f"replay of {header.replay_of}")
    if header.shard:
        told.append(f"shard {header.shard}")
    if header.merged:
        told.append(f"joined from {len(header.merged)} shards")
    if header.environment:
        told.append(f"tox environment {header.environment}")
    if found.exit_status not in {0, 1, None}:
        told.append(f"exit status {found.exit_status}")
    return ", ".join(told)
