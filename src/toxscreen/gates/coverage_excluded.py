"""Judges what is kept out of the count: a floor must not be reached by looking away from more lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toxscreen.gates.covered import Before, Covered
from toxscreen.gates.lines import write_lines
from toxscreen.model import Changes, Finding, Ruling, Verdict

GATE = "coverage-excluded"


def judge(covered: Covered, changes: Changes | str, more: int) -> Verdict:
    """Whether a change excludes more lines than the base did: by a pragma, a pattern, or by leaving out a file.

    Args:
        covered: the measurement, with the counts of the base.
        changes: what differs from the base; in words why nobody can tell.
        more: lines that a change may add.
    """
    now = {file.name: len(file.excluded) for file in covered.files if file.excluded}
    count = sum(now.values())
    if isinstance(changes, str):
        return _unmeasured(f"{count} lines are excluded, nothing to compare with: {changes}", count)
    before = covered.before
    if isinstance(before, str):
        return _unmeasured(f"{count} lines are excluded, nothing to compare with: {before}", count)
    if before.commit != changes.base.commit:
        told = f"the measurement was compared with {before.commit[:12]}, changes are against {changes.base.commit[:12]}"
        again = (*_without_base(covered.made_by), "--against", changes.base.commit[:12])
        return replace(_unmeasured(told, count), remedy=again)
    count += sum(before.left_out.values())
    old = sum(before.excluded.values())
    passed = count - old <= more
    change = "as many as" if count == old else f"{abs(count - old)} {'more' if count > old else 'fewer'} than"
    allowed = f", {more} more are allowed" if more else ""
    return Verdict(
        GATE,
        Ruling.PASS if passed else Ruling.FAIL,
        f"{count} lines are excluded, {change} the {old} of {before.commit[:12]}{allowed}",
        measured=count,
        limit=old + more,
        numerator=count,
        denominator=sum(file.countable for file in covered.files) + count,
        findings=() if passed else _findings(covered, before, now),
        unit="lines",
    )


def _without_base(command: Sequence[str]) -> Sequence[str]:
    return command[: command.index("--against")] if "--against" in command else command


def _unmeasured(reason: str, count: int) -> Verdict:
    return Verdict(GATE, Ruling.UNMEASURED, reason, measured=count, numerator=count, unit="lines")


def _findings(covered: Covered, before: Before, now: dict[str, int]) -> tuple[Finding, ...]:
    found = []
    for file in covered.files:
        old = before.excluded.get(file.name, 0)
        if now.get(file.name, 0) > old:
            message = f"excludes {now[file.name]} lines, the base {old}: {write_lines(file.excluded)}"
            found.append(Finding(GATE, file.name, message, file=file.name, line=min(file.excluded)))
    for name, statements in sorted(before.left_out.items()):
        message = f"the base measured this file, this configuration leaves it out: {statements} statements"
        found.append(Finding(GATE, name, message, file=name, line=1))
    return tuple(found)
