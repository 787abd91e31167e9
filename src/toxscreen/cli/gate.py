"""``toxscreen gate``: read the evidence, ask every gate, print one table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from toxscreen.cli import gate_page
from toxscreen.cli.command import Answer, here
from toxscreen.cli.gathering import FAMILIES, GATES, Gathered, base_ratchet, gather, own_ratchet, project
from toxscreen.cli.output import outputs
from toxscreen.errors import ConfigError, Exit, Place
from toxscreen.gates import coverage_ratchet, quality, ratchet
from toxscreen.gates.ruling import asked, status
from toxscreen.model import Missing, Page, Verdict
from toxscreen.settings import find_root

NAME = "gate"
HELP = "Judge what was measured: one table, one exit status. Runs nothing."
EXAMPLE = "toxscreen gate coverage-changed --against main"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("gates", nargs="*", metavar="GATE", help="gates to ask (default: all)")
    parser.add_argument("--against", default=None, metavar="REV", help="revision that changes are compared with")
    parser.add_argument(
        "--write-ratchet",
        action="store_true",
        help=f"write what is better than before to {ratchet.FILE}, judge nothing",
    )


def run(arguments: argparse.Namespace) -> Answer:
    """Ask the gates, or write the ratchet.

    Raises:
        ConfigError: a limit that cannot be used, or a gate that does not exist.
        ReportError: the ratchet cannot be written.
        ErrorGroup: several of them.
    """
    root = find_root(here())
    if not arguments.write_ratchet:
        return answer(gather(root, arguments.against), arguments.gates)
    if arguments.gates:
        place = Place(key="toxscreen gate --write-ratchet")
        raise ConfigError("takes no gates", place=place, hint="what every gate has measured is written")
    return _write_ratchet(root, arguments.against)


def judged(gathered: Gathered, only: Sequence[str] = ()) -> list[Verdict]:
    """The verdicts that count.

    Args:
        gathered: what all gates say.
        only: gates that were named; all where there are none.

    Raises:
        ConfigError: a gate that does not exist.
        ErrorGroup: several.
    """
    return asked(gathered.verdicts, only, gathered.off, known=GATES, families=FAMILIES)


def answer(gathered: Gathered, only: Sequence[str] = ()) -> Answer:
    """What the gates say, as a page, as data and as a status.

    Args:
        gathered: what all gates say.
        only: as for :func:`judged`.

    Raises:
        ConfigError: a gate that does not exist.
        ErrorGroup: several.
    """
    verdicts = judged(gathered, only)
    now, base, off = gathered.now, gathered.base, gathered.off
    return Answer(
        gate_page.page(verdicts, now=now, base=base, off=off),
        gate_page.data(verdicts, now=now, base=base, off=off),
        status(verdicts),
    )


def _write_ratchet(root: Path, against: str | None) -> Answer:
    found = project(root, against)
    scope: str = found.limits.value("coverage-ratchet")
    tools: tuple[str, ...] = found.limits.value("quality")
    if not tools and scope == "off":
        place = Place("pyproject.toml", "tool.toxscreen.gates")
        raise ConfigError("nothing is to be kept", place=place, hint="set gates.quality or gates.coverage-ratchet")
    measured = found.read("quality", quality.COMMAND)
    (file,) = outputs([str(root / ratchet.FILE)])
    base, covered = base_ratchet(found), found.coverage
    new = quality.new_ratchet(measured, base, own_ratchet(root), tools)
    new = coverage_ratchet.new_ratchet(covered, base, new, scope)
    file.write(ratchet.render(new))
    asked = ((measured, bool(tools)), (covered, scope != "off"))
    lacking = [each for each, is_asked in asked if is_asked and isinstance(each, Missing)]
    notes = [f"values: {len(new.values)}"]
    notes += [f"not from the evidence {each.kind}, which {each.reason}" for each in lacking]
    page = Page(f"{ratchet.FILE} is written", notes=tuple(notes), closing=("commit it with the change",))
    data: dict[str, object] = {
        "file": ratchet.FILE,
        "values": len(new.values),
        "lacking": [each.kind for each in lacking],
    }
    return Answer(page, data, Exit.UNJUDGED if lacking else Exit.CLEAN)
