"""Judges the changed lines: whether each statement and branch that a change touched ran in some test."""

from __future__ import annotations

from typing import NamedTuple

from toxscreen.gates.covered import Covered, Source
from toxscreen.gates.lines import Jump, statements_of, write_jumps, write_lines
from toxscreen.gates.percent import reached, shown, some
from toxscreen.model import Changes, Finding, Ruling, Verdict

GATE = "coverage-changed"


class _Touched(NamedTuple):
    """What a change touched of a file."""

    file: Source
    statements: frozenset[int]
    jumps: frozenset[Jump]

    @property
    def covered(self) -> int:
        return len(self.statements & self.file.ran.lines) + len(self.jumps & self.file.ran.jumps)

    @property
    def countable(self) -> int:
        return len(self.statements) + len(self.jumps)


def judge(covered: Covered, changes: Changes | str, limit: float | None) -> Verdict:
    """Whether the change against the base is covered.

    Only the new and edited lines count, and the branches that begin on them; a renamed file has none. A line in the
    middle of a statement stands for the statement.

    Args:
        covered: the measurement.
        changes: what differs from the base; in words why nobody can tell.
        limit: percent of lines and branches; None where nobody asks.
    """
    if limit is None:
        return Verdict(GATE, Ruling.NOT_APPLICABLE, "no limit is set: gates.coverage-changed", asked=False)
    if isinstance(changes, str):
        return Verdict(GATE, Ruling.UNMEASURED, f"nothing to compare with: {changes}", limit=limit, unit="%")
    touched = [_touched(file, changes.lines[file.name]) for file in covered.files if file.name in changes.lines]
    # A new file without a statement has nothing to run, measured or not; a renamed one is no change.
    edited = {name for name, lines in changes.lines.items() if lines or name in changes.added}
    never = [each for each in touched if not each.file.measured and each.file.countable and each.file.name in edited]
    measured = [each for each in touched if each.file.measured]
    ran, countable = sum(each.covered for each in measured), sum(each.countable for each in measured)
    expected = countable + sum(each.countable for each in never)
    against = f"{changes.base.commit[:12]} ({changes.base.source})"
    known = {file.name for file in covered.files}
    others = [name for name, lines in changes.lines.items() if lines and name.endswith(".py") and name not in known]
    aside = f"; not among the sources and so not judged: {some(others)}" if others else ""
    verdict = Verdict(
        GATE,
        Ruling.NOT_APPLICABLE,
        f"the diff against {against} has 0 executable lines in {len(changes.lines)} files{aside}",
        limit=limit,
        numerator=ran,
        denominator=countable,
        expected_denominator=expected,
        unit="%",
    )
    if not expected and not never:
        return verdict
    lines = sum(len(each.statements) for each in measured)
    share = shown(ran, countable, limit, covered.precision) if countable else "0 %"
    told = f"{ran} of {countable} changed statements and branches ran ({lines} and {countable - lines}), {share}"
    passed = reached(ran, countable, limit) and not never
    rule = "at or over" if reached(ran, countable, limit) else "under"
    reason = f"{told}, {rule} {limit:g} %, against {against}"
    if never:
        unknown = f"changed and never measured: {some(each.file.name for each in never)}"
        reason = f"{unknown}; {reason}" if countable else f"{unknown}; nothing else that can run was changed"
    return Verdict(
        GATE,
        Ruling.PASS if passed else Ruling.FAIL,
        reason + aside,
        measured=100 * ran / expected if expected else None,
        limit=limit,
        numerator=ran,
        denominator=countable,
        expected_denominator=expected,
        findings=tuple(_finding(each) for each in touched if each.covered < each.countable or each in never),
        unit="%",
    )


def _touched(file: Source, lines: frozenset[int]) -> _Touched:
    statements = statements_of(lines, file.statements, file.spans)
    return _Touched(file, statements, frozenset(jump for jump in file.jumps if jump[0] in statements))


def _finding(each: _Touched) -> Finding:
    name = each.file.name
    lines, jumps = each.statements & each.file.missing.lines, each.jumps & each.file.missing.jumps
    if not each.file.measured:
        message = f"this file was changed and no environment measured it: lines {write_lines(lines) or 'unchanged'}"
        return Finding("coverage-never", name, message, file=name, line=min(lines, default=1))
    parts = [f"lines {write_lines(lines)}"] if lines else []
    parts += [f"branches {write_jumps(jumps)}"] if jumps else []
    message = f"changed and not covered: {'; '.join(parts)}"
    first = min((*lines, *(source for source, _ in jumps)))
    return Finding("coverage-changed", name, message, file=name, line=first)
