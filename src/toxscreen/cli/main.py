"""Parse the command line, run one command, print its answer. The one place that prints errors."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TextIO, cast

from toxscreen import __version__
from toxscreen.cli import audit, coverage, gate, hunt, matrix, merge, perf, quality, replay, report, runs
from toxscreen.cli.command import Command
from toxscreen.errors import ErrorGroup, Exit, ToxscreenError
from toxscreen.hunt import findings
from toxscreen.report.terminal import print_page, print_text

#: Version of the shape of every ``--json`` document; a later hunt reads what one has printed.
SCHEMA = findings.SCHEMA

_MODULES: tuple[ModuleType, ...] = (
    runs,
    replay,
    matrix,
    merge,
    hunt,
    audit,
    coverage,
    quality,
    perf,
    gate,
    report,
)
COMMANDS = {command.NAME: command for command in (cast("Command", module) for module in _MODULES)}


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="toxscreen",
        description="Test runs whose every order can be replayed, and gates that cannot be green on nothing.",
    )
    top.add_argument("--version", action="version", version=f"toxscreen {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS.values():
        sub = commands.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.HELP,
            epilog=f"example:\n  {command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.add_argument("--json", action="store_true", help="print one JSON document on standard output")
        command.add_arguments(sub)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: arguments without the program's name; those of this process when left out.

    Returns:
        The exit status, see :class:`toxscreen.errors.Exit`.
    """
    arguments = _parsed(sys.argv[1:] if argv is None else argv)
    try:
        answer = COMMANDS[arguments.command].run(arguments)
    except ToxscreenError as error:
        _print_error(error, as_json=arguments.json)
        return int(error.exit_status)
    except KeyboardInterrupt:
        _write("interrupted", sys.stderr)
        return int(Exit.INTERRUPTED)
    if arguments.json:
        _write(json.dumps({**answer.data, "schema": SCHEMA}, indent=2), sys.stdout)
    if answer.text is not None and not arguments.json:
        print_text(answer.text, sys.stdout)
        if answer.explained:
            print_page(answer.page, sys.stderr)
    else:
        print_page(answer.page, sys.stderr if arguments.json else sys.stdout)
    return int(answer.status)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments; what stands after ``--`` belongs to another program, where the command has one to hand it to."""
    command = COMMANDS.get(argv[0]) if argv else None
    if "--" not in argv or not getattr(command, "HANDS_ON", False):
        return parser().parse_args(argv)
    place = list(argv).index("--")
    arguments = parser().parse_args(argv[:place])
    # argparse itself would give them to the first positional argument that has nothing yet.
    arguments.options = list(argv[place + 1 :])
    return arguments


def _print_error(error: ToxscreenError, *, as_json: bool) -> None:
    _write(f"toxscreen: {error.render()}", sys.stderr)
    if as_json:
        errors = error.errors if isinstance(error, ErrorGroup) else (error,)
        told = [
            {"slug": each.slug, "message": each.message, "place": str(each.place), "hint": each.hint} for each in errors
        ]
        _write(json.dumps({"errors": told, "schema": SCHEMA}, indent=2), sys.stdout)


def _write(text: str, stream: TextIO) -> None:
    """Print a text; that its reader has gone away is no error."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        # What is still buffered would fail once more, aloud, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
