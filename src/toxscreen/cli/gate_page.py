"""What is told of verdicts: for people and as data. Nothing is judged here."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from toxscreen.model import Finding, Page, Ruling, Section, State, Table, Verdict

_COLUMNS = ("Gate", "Ruling", "Measured", "Limit", "Of how many", "From where")
#: Findings of a gate that are told one by one.
_MOST = 10
_HELD_UP = (Ruling.FAIL, Ruling.UNMEASURED)


def page(verdicts: Sequence[Verdict], *, now: State, base: str, off: Sequence[str]) -> Page:
    """All verdicts as one table, and what is to be done.

    Args:
        verdicts: in the order in which they are shown.
        now: the sources that were judged.
        base: what changes were compared with, in words.
        off: gates that are switched off.
    """
    unasked = [verdict.gate for verdict in verdicts if not verdict.asked]
    # Where nothing else is there, somebody wants to see just these.
    shown = [verdict for verdict in verdicts if verdict.asked] or verdicts
    counted = Counter(verdict.ruling for verdict in verdicts if verdict.asked)
    told = ", ".join(f"{counted[ruling]} {ruling}" for ruling in Ruling if counted[ruling]) or "no gate was asked"
    commit = f"commit {now.commit[:12]}" if now.commit else "no commit"
    changed = f", uncommitted changes {now.changes}" if now.changes else ""
    notes = [f"sources: {commit}{changed}, configuration {now.configuration}", f"changes against: {base}"]
    if unasked:
        notes.append(f"no limit is set, not asked: {', '.join(unasked)}")
    if off:
        notes.append(f"switched off: {', '.join(off)}")
    return Page(
        f"gates: {told}",
        notes=tuple(notes),
        tables=(Table(_COLUMNS, tuple(_row(verdict) for verdict in shown)),) if shown else (),
        sections=(
            *(_section(verdict) for verdict in shown if verdict.ruling in _HELD_UP),
            *(
                Section(f"{verdict.gate}: {verdict.ruling}", (verdict.reason,))
                for verdict in shown
                if verdict.ruling is Ruling.NOT_APPLICABLE
            ),
        ),
        closing=tuple(_closing(verdicts)),
    )


def data(verdicts: Sequence[Verdict], *, now: State, base: str, off: Sequence[str]) -> dict[str, object]:
    """The same for programs."""
    told = [{**asdict(verdict), "ruling": verdict.ruling.value} for verdict in verdicts]
    return {"state": asdict(now), "base": base, "off": list(off), "verdicts": told}


def _row(verdict: Verdict) -> tuple[str, ...]:
    return (
        verdict.gate,
        verdict.ruling.value,
        _amount(verdict.measured, verdict.unit, verdict.limit),
        _amount(verdict.limit, verdict.unit),
        _share(verdict),
        verdict.source,
    )


def _amount(value: float | None, unit: str, limit: float | None = None) -> str:
    """A number with its unit; rounded, but never to the other side of the limit."""
    if value is None:
        return ""
    digits = 0 if float(value).is_integer() else 2
    shown = f"{value:.{digits}f}"
    while limit is not None and digits < 6 and (float(shown) >= limit) != (value >= limit):  # noqa: PLR2004 - enough
        digits += 1
        shown = f"{value:.{digits}f}"
    return f"{shown} {unit}".rstrip()


def _share(verdict: Verdict) -> str:
    if verdict.denominator is None:
        return ""
    share = f"{verdict.denominator}" if verdict.numerator is None else f"{verdict.numerator} of {verdict.denominator}"
    expected = verdict.expected_denominator
    return f"{share} (expected {expected})" if expected is not None and expected != verdict.denominator else share


def _section(verdict: Verdict) -> Section:
    lines = [verdict.reason, *(_told(finding) for finding in verdict.findings[:_MOST])]
    if len(verdict.findings) > _MOST:
        lines.append(f"and {len(verdict.findings) - _MOST} more; all of them: toxscreen gate {verdict.gate} --json")
    if verdict.remedy:
        word = "make it with" if verdict.ruling is Ruling.UNMEASURED else "see more with"
        lines.append(f"{word}: {shlex.join(verdict.remedy)}")
    return Section(f"{verdict.gate}: {verdict.ruling}", tuple(lines))


def _told(finding: Finding) -> str:
    where = f"{finding.file}:{finding.line}" if finding.file and finding.line else finding.file or ""
    subject = finding.subject if finding.subject not in {where, finding.file} else ""
    return ": ".join(part for part in (where, subject, finding.message) if part)


def _closing(verdicts: Sequence[Verdict]) -> list[str]:
    """The commands that make what lacks, each once."""
    commands = dict.fromkeys(
        shlex.join(each.remedy) for each in verdicts if each.ruling is Ruling.UNMEASURED and each.remedy
    )
    return [f"evidence lacks; make it with: {command}" for command in commands]
