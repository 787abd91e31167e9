"""``toxscreen replay``: run again exactly what a worker ran, and say whether it went the same way."""

from __future__ import annotations

import argparse
import sys

from toxscreen.cli.again import Again
from toxscreen.cli.command import Answer, here
from toxscreen.errors import ConfigError, Exit, Place
from toxscreen.journal.read import LAST, find_run, recorded_root
from toxscreen.model import Lane, Page, Run, RunState, Table
from toxscreen.plan.replay import Target, cut, first_red, pick_lane, red_lanes, seeds
from toxscreen.report.terminal import print_page

NAME = "replay"
HELP = "Run again exactly what a worker ran: same tests, same order, same seed, in one process."
EXAMPLE = "toxscreen replay --lane gw1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help=f"a run's name, an unambiguous part of it, or '{LAST}' for the newest (default: the last that failed)",
    )
    parser.add_argument("--lane", metavar="LANE", help="the worker (default: that of the first failure)")
    parser.add_argument("--until", metavar="NODEID", help="the last test to run")
    parser.add_argument("--all-lanes", action="store_true", help="all workers side by side, a process each")


def run(arguments: argparse.Namespace) -> Answer:
    """Replay.

    Raises:
        UnknownRunError: no such run, lane or test.
        CorruptJournalError: the run cannot be read.
        ReplayError: the run cannot be run again.
        ConfigError: arguments that exclude each other, or the current folder is gone.
    """
    root = recorded_root(here())
    asked = Target.parse(arguments.run or "")
    name, until = arguments.lane or asked.lane, arguments.until or asked.until
    if arguments.all_lanes and (name or until):
        raise ConfigError(
            "takes neither a lane nor --until",
            place=Place(key="toxscreen replay --all-lanes"),
            hint="replay one lane, up to a test if you like, or all lanes whole",
        )
    # Nothing is not the same as an empty name, which a script's unset variable may be.
    old = find_run(root, arguments.run and asked.run)
    picked = pick_lane(old, name, until)
    if arguments.all_lanes:
        lanes = [lane for lane in old.order.lanes if lane.node_ids]
        why = "every lane, side by side"
    else:
        lanes = [cut(picked, until)]
        why = _why(old, picked, name, until)
    out = sys.stderr if arguments.json else sys.stdout
    again = Again(root, old, out)
    print_page(Page(f"replay of run {old.id}", (why, *_told(old, lanes, until), *again.notes())), out)
    repeats, stopped = again.run(lanes, is_cut=until is not None, together=arguments.all_lanes)
    differences = [
        (each.lane.name, found.node_id, found.then.value, found.now.value if found.now else "absent")
        for each in repeats
        for found in (each.likeness.differences if each.likeness else ())
    ]
    page = Page(
        title=f"replay of run {old.id} {'was interrupted' if stopped else 'is done'}",
        notes=tuple(each.told() for each in repeats),
        tables=(Table(("Lane", "Test", "Then", "Now"), tuple(differences)),) if differences else (),
    )
    data: dict[str, object] = {"run": old.id, "lanes": [each.data() for each in repeats], "interrupted": stopped}
    status = Exit.INTERRUPTED if stopped else max(each.status() for each in repeats)
    return Answer(page, data, status)


def _why(old: Run, lane: Lane, name: str | None, until: str | None) -> str:
    """The reason for a lane."""
    failed = first_red(old)
    if name is not None:
        return f"lane {name}, as asked"
    if failed is not None and failed.lane == lane.name:
        return f"lane {lane.name}, where {failed.node_id} was the first to fail"
    return f"lane {lane.name}, {f'which ran {until}' if until else 'the first one'}"


def _told(old: Run, lanes: list[Lane], until: str | None) -> list[str]:
    """What will be run."""
    told = [f"lane {each.name}: {len(each.node_ids)} test{'' if len(each.node_ids) == 1 else 's'}" for each in lanes]
    if until is not None:
        told.append(f"up to {lanes[0].node_ids[-1]}")
    red = red_lanes(old)
    others = sorted(set(red) - {lane.name for lane in lanes})
    if others:
        told.append(f"red as well: {', '.join(others)}; --lane replays another one, --all-lanes every one")
    if not red:
        told.append("no test of that run was red")
    for seed, hash_seed in dict.fromkeys(seeds(old, each.name) for each in lanes):
        told.append(f"seed {_known(seed)}, PYTHONHASHSEED {_known(hash_seed)}")
    if old.state is RunState.RUNNING:
        told.append("that run is still going on: what it has begun so far is replayed")
    return told


def _known(value: object) -> str:
    return "not known" if value is None else str(value)
