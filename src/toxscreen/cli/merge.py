"""``toxscreen merge``: join what shards left, if they prove to be the whole."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from toxscreen.cli.command import Answer, here
from toxscreen.cli.merging import Gathered, Joined, gather, write
from toxscreen.errors import Exit
from toxscreen.gates import shards
from toxscreen.gates.runs import lack
from toxscreen.model import Finding, Outcome, Page, Ruling, Table
from toxscreen.settings import find_root

NAME = "merge"
HELP = "Join what the shards of a suite left, after the proof that together they ran every test, each once."
EXAMPLE = "toxscreen merge shards/*"

_COLUMNS = ("Environment", "Shards", "Tests", "Red", "Seconds", "Coverage files", "Run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="DIR",
        help="the .toxscreen of a shard's machine, a folder with it, or a run's folder",
    )


def run(arguments: argparse.Namespace) -> Answer:
    """Prove, then join.

    Raises:
        MergeError: a folder holds no runs, or something cannot be written.
        ErrorGroup: several folders.
    """
    start = here()
    root = find_root(start)
    gathered = gather(start, arguments.folders)
    parts = {name: [each.part for each in found] for name, found in gathered.shards.items()}
    findings = [*gathered.findings, *(each for name in parts for each in shards.judge(name, parts[name]))]
    if findings or not parts:
        return _refused(gathered, findings)
    return _joined(write(root, gathered.shards), gathered.notes)


def _refused(gathered: Gathered, findings: Sequence[Finding]) -> Answer:
    """Nothing is written: a part must not pass for the whole."""
    names = ", ".join(gathered.shards) or "nothing"
    page = Page(
        title=f"{Ruling.UNMEASURED.value}: these shards of {names} are not proved to be the whole, nothing was joined",
        notes=gathered.notes,
        closing=tuple(
            f"{each.subject}: {each.message} [{each.slug}]" + (f" ({each.evidence})" if each.evidence else "")
            for each in findings
        ),
    )
    data: dict[str, object] = {
        "ruling": Ruling.UNMEASURED.value,
        "findings": [
            {"slug": each.slug, "subject": each.subject, "message": each.message, "evidence": each.evidence}
            for each in findings
        ],
        "merged": [],
        "notes": list(gathered.notes),
    }
    return Answer(page, data, Exit.UNJUDGED)


def _joined(made: Sequence[Joined], notes: Sequence[str]) -> Answer:
    rows, told = [], []
    for each in made:
        run = each.run
        counts = Counter(run.outcomes.values())
        red = sum(count for outcome, count in counts.items() if outcome.red)
        seconds = (run.finished or run.header.started) - run.header.started
        numbers = (len(each.shards), len(run.outcomes), red, f"{seconds:.1f}", each.coverage)
        rows.append((run.name, *map(str, numbers), run.id))
        told.append(
            {
                "name": run.name,
                "run": run.id,
                "already_there": each.is_old,
                "shards": [found.part.run.id for found in each.shards],
                "tests": len(run.outcomes),
                "outcomes": {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]},
                "red": sorted(node_id for node_id, outcome in run.outcomes.items() if outcome.red),
                "seconds": round(seconds, 3),
                "coverage_files": each.coverage,
            }
        )
    is_red = any(each.run.failed for each in made)
    old = tuple(f"was joined before: {each.run.id}" for each in made if each.is_old)
    lacks = [(each.run.name, lack(each.run)) for each in made]
    # As whole as a run with the same options would be, and that may not be much.
    parts = tuple(f"{name} {why.reason}" for name, why in lacks if why is not None)
    reds = (f"  {node_id}" for each in made for node_id, outcome in each.run.outcomes.items() if outcome.red)
    page = Page(
        title="joined: each test of these environments is in one shard, and has a result there",
        notes=(*notes, *old, *parts),
        tables=(Table(_COLUMNS, tuple(rows)),),
        closing=("red:", *reds) if is_red else (),
    )
    data: dict[str, object] = {"ruling": Ruling.PASS.value, "findings": [], "merged": told, "notes": [*notes, *parts]}
    return Answer(page, data, Exit.FOUND if is_red else Exit.CLEAN)
