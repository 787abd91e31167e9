"""``toxscreen gate``: read the evidence, ask every gate, print one table."""

from __future__ import annotations

import argparse

from toxscreen.cli import gate_page
from toxscreen.cli.command import Answer, here
from toxscreen.cli.gathering import GATES, gather
from toxscreen.gates.ruling import asked, status
from toxscreen.settings import find_root

NAME = "gate"
HELP = "Judge what was measured: one table, one exit status. Runs nothing."
EXAMPLE = "toxscreen gate coverage-changed --against main"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("gates", nargs="*", metavar="GATE", help="gates to ask (default: all)")
    parser.add_argument("--against", default=None, metavar="REV", help="revision that changes are compared with")
    parser.add_argument(
        "--write-ratchet", action="store_true", help="write what is better than before to toxscreen-ratchet.txt"
    )


def run(arguments: argparse.Namespace) -> Answer:
    """Ask the gates.

    Raises:
        ConfigError: a limit that cannot be used, or a gate that does not exist.
        ErrorGroup: several of them.
    """
    gathered = gather(find_root(here()), arguments.against)
    off = gathered.off
    verdicts = asked(gathered.verdicts, arguments.gates, off, known=GATES)
    told = {"now": gathered.now, "base": gathered.base, "off": off}
    return Answer(gate_page.page(verdicts, **told), gate_page.data(verdicts, **told), status(verdicts))
