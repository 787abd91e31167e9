"""What a hunt found, for people and for programs."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Final

from toxscreen.hunt.hunter import Hunted
from toxscreen.model import Culprit, Isolation, IsolationKind, Page, Table

#: What each kind says of a test, before its partners.
_SAYS: Final = {
    IsolationKind.VICTIM: "fails after",
    IsolationKind.BRITTLE: "fails without",
    IsolationKind.SELF_POLLUTING: "fails the second time in one process",
    IsolationKind.COLLECTION: "fails when collected together with",
    IsolationKind.DETERMINISTIC: "fails everywhere: no isolation bug",
    IsolationKind.CHANCE: "fails by chance",
    IsolationKind.CONFLICT: "fails beside",
}
#: Kinds whose order of tests can be pasted.
_ORDERED: Final = frozenset({IsolationKind.VICTIM, IsolationKind.BRITTLE, IsolationKind.SELF_POLLUTING})


def page(hunted: Hunted, root: Path) -> Page:
    """What was found, each with what leaked and the command that shows it.

    Args:
        hunted: what came of the hunt.
        root: where pytest was started.
    """
    proved = [each for each in hunted.findings if each.proved or each.kind is IsolationKind.CHANCE]
    unproved = [each for each in hunted.findings if each not in proved]
    probes = f"{_count(hunted.forked, 'forked probe')}, {_count(hunted.fresh, 'fresh interpreter')}"
    notes = [f"{_count(hunted.tests, 'test')}, {probes}, {hunted.seconds:.1f} s"]
    notes += [f"not collected: {name}: {text}" for name, text in hunted.broken]
    notes += hunted.notes
    if hunted.is_cut:
        notes.append("the search was cut short: more time (--budget) may find more")
    lines = [line for each in proved for line in told(each)]
    if unproved:
        lines += ["", "not proved, so take it as a hint", ""]
        lines += [line for each in unproved for line in told(each)]
    counted = [(kind.value, str(sum(each.kind is kind for each in hunted.findings))) for kind in IsolationKind]
    table = Table(("Finding", "Tests"), tuple(row for row in counted if row[1] != "0"))
    title = f"hunt through {root.name}: {_count(len(hunted.findings), 'finding')}"
    return Page(title, tuple(notes), (table,) if table.rows else (), tuple(lines))


def told(finding: Isolation) -> list[str]:
    """One finding in lines."""
    partners = " and ".join(finding.partners)
    counted = ""
    if finding.failures is not None:
        counted = f" ({finding.failures[0]} of {finding.failures[1]} times)"
    lines = [f"{finding.node_id} {_SAYS[finding.kind]}{f' {partners}' if partners else ''}{counted}"]
    lines += [f"  {_culprit(each)}" for each in finding.culprits]
    if finding.text:
        where = f" ({finding.origin.file}:{finding.origin.line})" if finding.origin else ""
        lines.append(f"  {finding.text}{where}")
    if finding.note:
        lines.append(f"  {finding.note}")
    if finding.reachable is False and finding.kind is not IsolationKind.SELF_POLLUTING:
        lines.append("  random order under pytest-xdist does not meet this sequence; a hand-picked order does")
    if finding.kind in _ORDERED:
        lines.append(f"  see it: {shlex.join(command(finding))}")
    for kind in dict.fromkeys(each.kind for each in finding.culprits):
        lines.append(f"  how to mend it: docs/isolation/{kind}.md")
    return lines


def command(finding: Isolation) -> tuple[str, ...]:
    """The pytest command that shows a finding, to be pasted in the suite's root."""
    if finding.kind is IsolationKind.SELF_POLLUTING:
        # pytest runs a test that is named twice once.
        return ("toxscreen", "hunt", "--victim", finding.node_id)
    if finding.kind is IsolationKind.BRITTLE:
        return ("pytest", "-p", "no:randomly", "-p", "no:toxscreen", finding.node_id)
    return ("pytest", "-p", "no:randomly", "-p", "no:toxscreen", *finding.partners, finding.node_id)


def data(hunted: Hunted, root: Path) -> dict[str, object]:
    """The same for programs, with every probe of each proof."""
    return {
        "root": str(root),
        "tests": hunted.tests,
        "findings": [asdict(each) for each in hunted.findings],
        "broken": [{"file": name, "reason": text} for name, text in hunted.broken],
        "notes": list(hunted.notes),
        "probes": {"forked": hunted.forked, "fresh": hunted.fresh},
        "seconds": round(hunted.seconds, 3),
        "cut_short": hunted.is_cut,
        "interrupted": hunted.is_interrupted,
        "changed_files": [asdict(each) for each in hunted.changed_files],
    }


def _culprit(culprit: Culprit) -> str:
    if culprit.kind == "files":
        return f"both touch {culprit.path}"
    how = "proved: undone, the outcome turns" if culprit.proved else "seen, not proved"
    return f"{culprit.path}: {culprit.before} -> {culprit.after} ({how})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}s"
