"""What became of the findings of an earlier hunt, for people and for programs."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Final

from toxscreen.cli import hunt_page
from toxscreen.cli.hunt_page import Telling
from toxscreen.errors import Exit, FindingsError, Place
from toxscreen.hunt.findings import Found
from toxscreen.hunt.hunter import Hunted
from toxscreen.model import Check, Code, Outcome, Page, Section, Standing, Table, Verified

_OUTCOMES: Final = {
    Standing.STILL_THERE: Outcome.FAILED,
    Standing.CHANGED: Outcome.FAILED,
    Standing.UNJUDGED: Outcome.ERROR,
    Standing.FIXED: Outcome.PASSED,
    Standing.GONE: Outcome.PASSED,
}


def root_of(old: Found, name: str) -> Path:
    """The folder in which the earlier hunt started pytest.

    Args:
        old: what it found.
        name: of the document, as it was given.

    Raises:
        FindingsError: it is not there.
    """
    # Path's methods raise for names that no folder can have.
    if not os.path.isabs(old.root) or not os.path.isdir(old.root):  # noqa: PTH112, PTH117 - see above
        hint = "name the project: toxscreen hunt PATH --verify FILE"
        raise FindingsError(f"there is no folder {old.root!a}", place=Place(name, "root"), hint=hint)
    return Path(old.root)


def _page(hunted: Hunted, root: Path) -> Page:
    """Each finding, as it was and as it is."""
    counted = [(each, sum(one.ruling is each for one in hunted.verified)) for each in Standing]
    told = ", ".join(f"{number} {standing}" for standing, number in counted if number)
    rows = tuple((one.finding.node_id, _then(one), f"{one.ruling}: {one.words}") for one in hunted.verified)
    table = Table(("Finding", "Then", "Now"), rows)
    notes = tuple(hunt_page.search_notes(hunted))
    return Page(f"findings in {root.name}: {told}", notes, (table,), sections=_commands(hunted))


def _then(one: Verified) -> str:
    return hunt_page.section(one.finding).title.removeprefix(f"{one.finding.node_id} ")


def _commands(hunted: Hunted) -> tuple[Section, ...]:
    return tuple(
        Section(one.finding.node_id, (Code("see it", "shell", command),))
        for one in hunted.verified
        if _OUTCOMES[one.ruling] is Outcome.FAILED and (command := hunt_page.command_text(one.finding)) is not None
    )


def _data(hunted: Hunted, root: Path) -> dict[str, object]:
    told = hunt_page.data(hunted, root)
    # Nothing was searched; and this is no document to verify.
    del told["findings"]
    return {**told, "verified": [_one(each) for each in hunted.verified]}


def _one(one: Verified) -> dict[str, object]:
    return {
        "node_id": one.finding.node_id,
        "kind": one.finding.kind,
        "partners": one.finding.partners,
        "ruling": one.ruling,
        "words": one.words,
        "probes": [asdict(probe) for probe in one.probes],
    }


def _checks(hunted: Hunted) -> tuple[Check, ...]:
    found = []
    for one in hunted.verified:
        words = f"{one.ruling}: {one.words}"
        command = hunt_page.command_text(one.finding)
        text = f"{one.finding.node_id} {_then(one)}\n{words}"
        text += f"\nsee it: {command}" if command else ""
        file = one.finding.node_id.partition("::")[0]
        found.append(Check(f"hunt.{one.finding.kind}", one.finding.node_id, _OUTCOMES[one.ruling], words, text, file))
    return tuple(found)


def _status(hunted: Hunted) -> Exit:
    outcomes = {_OUTCOMES[one.ruling] for one in hunted.verified}
    if hunted.is_interrupted:
        return Exit.INTERRUPTED
    if Outcome.FAILED in outcomes:
        return Exit.FOUND
    return Exit.UNJUDGED if Outcome.ERROR in outcomes else Exit.CLEAN


TELLING: Final = Telling(_page, _data, _checks, _status)
