"""What a hunt found, for people and for programs."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from toxscreen.errors import Exit
from toxscreen.hunt.hunter import Hunted
from toxscreen.hunt.remedy import remedy
from toxscreen.model import Check, Code, Culprit, Isolation, IsolationKind, Outcome, Page, Section, Table

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


@dataclass(frozen=True, slots=True)
class Telling:
    """How the outcome of one kind of hunt is told: to people, to programs, to readers of test results, as a status."""

    page: Callable[[Hunted, Path], Page]
    data: Callable[[Hunted, Path], dict[str, object]]
    checks: Callable[[Hunted], tuple[Check, ...]]
    status: Callable[[Hunted], Exit]


def page(hunted: Hunted, root: Path) -> Page:
    """What was found, each with what leaked and the command that shows it.

    Args:
        hunted: what came of the hunt.
        root: where pytest was started.
    """
    proved = [each for each in hunted.findings if each.proved or each.kind is IsolationKind.CHANCE]
    unproved = [each for each in hunted.findings if each not in proved]
    sections = [section(each) for each in proved]
    sections += [replace(section(each), group="not proved, so take it as a hint") for each in unproved]
    counted = [(kind.value, str(sum(each.kind is kind for each in hunted.findings))) for kind in IsolationKind]
    table = Table(("Finding", "Tests"), tuple(row for row in counted if row[1] != "0"))
    title = f"hunt through {root.name}: {_count(len(hunted.findings), 'finding')}"
    return Page(title, tuple(search_notes(hunted)), (table,) if table.rows else (), sections=tuple(sections))


def search_notes(hunted: Hunted) -> list[str]:
    """What is to be said of the search itself, in lines."""
    probes = f"{_count(hunted.forked, 'forked probe')}, {_count(hunted.fresh, 'fresh interpreter')}"
    notes = [f"{_count(hunted.tests, 'test')}, {probes}, {hunted.seconds:.1f} s"]
    notes += [f"not collected: {name}: {text}" for name, text in hunted.broken]
    notes += hunted.notes
    if hunted.is_cut:
        notes.append("the search was cut short: more time (--budget) may find more")
    return notes


def summary(finding: Isolation) -> str:
    """One finding in one line, with what leaked: for the end of a log."""
    told = section(replace(finding, culprits=finding.culprits[:1])).title
    if not finding.proved and finding.kind not in {IsolationKind.CHANCE, IsolationKind.DETERMINISTIC}:
        told = f"not proved: {told}"
    for culprit in finding.culprits[:1]:
        told += f": {culprit.path}"
        if culprit.kind != "files":
            proved = "proved" if culprit.proved and finding.proved else "seen, not proved"
            told += f" {culprit.before} -> {culprit.after} ({proved})"
    if finding.kind is IsolationKind.CHANCE and finding.note:
        told += f": {finding.note}"
    return told


def told(finding: Isolation) -> list[str]:
    """One finding in lines."""
    return list(section(finding).told)


def section(finding: Isolation) -> Section:
    """One finding: what it is, the command that shows it, and what to do."""
    partners = " and ".join(finding.partners)
    counted = ""
    if finding.failures is not None:
        counted = f" ({finding.failures[0]} of {finding.failures[1]} times)"
    lines: list[str | Code] = [_culprit(each) for each in finding.culprits]
    if finding.text:
        where = f" ({finding.origin.file}:{finding.origin.line})" if finding.origin else ""
        lines.append(f"{finding.text}{where}")
    if finding.note:
        lines.append(finding.note)
    if finding.cleaner is not None:
        lines.append(f"run in between, {finding.cleaner} keeps it from showing")
    if finding.reachable is False and finding.kind is not IsolationKind.SELF_POLLUTING:
        lines.append("random order under pytest-xdist does not meet this sequence; a hand-picked order does")
    if finding.kind in _ORDERED:
        lines.append(Code("see it", "shell", shlex.join(command(finding))))
    proposed = remedy(finding)
    if proposed is not None:
        lines += proposed.lines
        if proposed.fixture is not None:
            lines.append(Code("or a fixture for conftest.py that restores just this", "python", proposed.fixture))
    kinds = dict.fromkeys(each.kind for each in finding.culprits)
    lines += [f"how to mend it: docs/isolation/{kind}.md" for kind in kinds]
    return Section(
        f"{finding.node_id} {_SAYS[finding.kind]}{f' {partners}' if partners else ''}{counted}", tuple(lines)
    )


def checks(hunted: Hunted) -> tuple[Check, ...]:
    """The same for systems that read results of tests.

    A finding that is proved is a failure; chance and what is not proved is skipped, for no build should turn on it. A
    file that was not collected and a search that was cut short are errors. The search itself is always there: a
    document without any test case is an error for some.
    """
    found = []
    for each in hunted.findings:
        lines = told(each)
        proved = each.proved and each.kind is not IsolationKind.CHANCE
        hint = "" if proved or each.kind is IsolationKind.CHANCE else "not proved: "
        outcome = Outcome.FAILED if proved else Outcome.SKIPPED
        file = each.node_id.partition("::")[0]
        text = "\n".join(lines)
        found.append(Check(f"hunt.{each.kind}", each.node_id, outcome, f"{hint}{lines[0]}", text, file))
    for name, reason in hunted.broken:
        found.append(Check("hunt.not-collected", name, Outcome.ERROR, reason, reason, name))
    ended = "the search was cut short" if hunted.is_cut else ""
    ended = "the search was interrupted" if hunted.is_interrupted else ended
    counted = "\n".join(search_notes(hunted))
    return (*found, Check("hunt", "search", Outcome.ERROR if ended else Outcome.PASSED, ended, counted))


def command(finding: Isolation) -> tuple[str, ...]:
    """The pytest command that shows a finding, to be pasted in the suite's root."""
    if finding.kind is IsolationKind.SELF_POLLUTING:
        # pytest runs a test that is named twice once.
        return ("toxscreen", "hunt", "--victim", finding.node_id)
    if finding.kind is IsolationKind.BRITTLE:
        return ("pytest", "-p", "no:randomly", "-p", "no:toxscreen", finding.node_id)
    return ("pytest", "-p", "no:randomly", "-p", "no:toxscreen", *finding.partners, finding.node_id)


def command_text(finding: Isolation) -> str | None:
    """The same as one line; None for kinds that no order of tests shows."""
    return shlex.join(command(finding)) if finding.kind in _ORDERED else None


def data(hunted: Hunted, root: Path) -> dict[str, object]:
    """The same for programs, with every probe of each proof."""
    return {
        "root": str(root),
        "tests": hunted.tests,
        "findings": [_finding(each) for each in hunted.findings],
        "broken": [{"file": name, "reason": text} for name, text in hunted.broken],
        "notes": list(hunted.notes),
        "probes": {"forked": hunted.forked, "fresh": hunted.fresh},
        "seconds": round(hunted.seconds, 3),
        "cut_short": hunted.is_cut,
        "interrupted": hunted.is_interrupted,
        "changed_files": [asdict(each) for each in hunted.changed_files],
    }


def _finding(finding: Isolation) -> dict[str, object]:
    proposed = remedy(finding)
    return {
        **asdict(finding),
        "remedy": asdict(proposed) if proposed is not None else None,
        "summary": summary(finding),
        "command": command_text(finding),
    }


def _culprit(culprit: Culprit) -> str:
    if culprit.kind == "files":
        return f"both touch {culprit.path}"
    how = "proved: undone, the outcome turns" if culprit.proved else "seen, not proved"
    return f"{culprit.path}: {culprit.before} -> {culprit.after} ({how})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}s"
