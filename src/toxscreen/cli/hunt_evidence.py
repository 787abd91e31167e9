"""What gates read of a hunt: evidence of one that looked at everything and came to its end."""

from __future__ import annotations

from toxscreen.analysis import evidence
from toxscreen.cli.hunt_page import command, summary
from toxscreen.errors import EvidenceError
from toxscreen.hunt.hunter import Hunted
from toxscreen.hunt.target import Target
from toxscreen.model import State

KIND = "hunt"


def is_whole(hunted: Hunted, target: Target) -> bool:
    """Whether a hunt for whatever there is looked at all tests of a project, or of a category.

    Args:
        hunted: what came of it.
        target: what it was to look at.
    """
    is_ended = not (hunted.is_cut or hunted.is_interrupted or hunted.broken)
    return is_ended and hunted.tests > 0 and not target.paths and not target.options


def keep(hunted: Hunted, target: Target, made_from: State) -> tuple[str, ...]:
    """Write the evidence.

    Args:
        hunted: a whole one.
        target: what it looked at.
        made_from: the sources before it began.

    Returns:
        What to tell of it where it cannot be kept.
    """
    findings = [
        {
            "kind": each.kind.value,
            "node_id": each.node_id,
            "partners": list(each.partners),
            "proved": each.proved,
            "summary": summary(each),
            "command": list(command(each)),
        }
        for each in hunted.findings
    ]
    data = {"tests": hunted.tests, "category": target.category, "seconds": round(hunted.seconds, 3)}
    again = ("toxscreen", "hunt", *(("--category", target.category) if target.category else ()))
    try:
        evidence.write(target.root, KIND, {**data, "findings": findings}, again, made_from)
    except EvidenceError as error:
        return (f"no evidence for gates: {error.render()}",)
    return ()
