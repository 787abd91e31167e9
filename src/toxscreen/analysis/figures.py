"""Figures of a coverage report in words: percentages that do not flatter, missing lines, the floor. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from toxscreen.model import Ruling, Verdict


@dataclass(frozen=True, slots=True)
class Figures:
    """What coverage computed for a file, or for all of them."""

    name: str
    statements: int
    missing: int
    branches: int
    partial: int
    #: As coverage prints it, without a sign; but never rounded up to the floor.
    percent: str
    missing_lines: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing and not self.partial


def of_file(name: str, entry: Mapping[str, Any]) -> Figures:
    """The figures of a file.

    Args:
        name: its path, relative to the root where it lies below it.
        entry: what coverage's JSON report holds about it.
    """
    branches = ((source, target) for source, target in entry["missing_branches"])
    lines = missing_lines(entry["executed_lines"], entry["missing_lines"], branches)
    return _figures(name.replace("\\", "/"), entry["summary"], lines)


def judged(document: Mapping[str, Any], *, fail_under: float, precision: int) -> tuple[Figures, Verdict]:
    """The figures of all files together, and whether they reach the floor.

    Args:
        document: coverage's JSON report, with branches and at least one statement.
        fail_under: the floor in percent.
        precision: digits after the point.
    """
    totals = document["totals"]
    covered, total = totals["covered_lines"] + totals["covered_branches"], _figures("TOTAL", totals, "")
    shown = percent(covered, total.statements + total.branches, limit=Decimal(str(fail_under)), precision=precision)
    verdict = floor(covered, total.statements, total.branches, fail_under=fail_under, precision=precision)
    return replace(total, percent=shown), verdict


def _figures(name: str, summary: Mapping[str, Any], lines: str) -> Figures:
    return Figures(
        name,
        summary["num_statements"],
        summary["missing_lines"],
        summary["num_branches"],
        summary["num_partial_branches"],
        summary["percent_covered_display"],
        lines,
    )


def percent(covered: int, countable: int, *, limit: Decimal, precision: int) -> str:
    """A percentage that is rounded, but never up to 100, up to the limit or down to 0.

    Args:
        covered: what ran.
        countable: what could have run, at least 1.
        limit: the floor in percent; its own digits are shown too.
        precision: digits after the point.
    """
    exact = Fraction(100 * covered, countable)
    # `normalize` writes 90 as 9E+1: an exponent over 0 stands for no digits after the point.
    digits = max(precision, -int(limit.normalize().as_tuple().exponent))
    step = Fraction(1, 10**digits)
    shown = round(exact, digits)
    if any(exact < mark <= shown for mark in (Fraction(limit), Fraction(100))):
        shown = exact // step * step
    if covered and not shown:
        shown = step
    return f"{int(shown):d}" if digits == 0 else f"{Decimal(int(shown / step)).scaleb(-digits):.{digits}f}"


def floor(covered: int, statements: int, branches: int, *, fail_under: float, precision: int) -> Verdict:
    """Whether coverage reaches its floor.

    Args:
        covered: statements and branches that ran.
        statements: all statements, at least 1.
        branches: all branches.
        fail_under: the floor in percent.
        precision: digits after the point.
    """
    countable = statements + branches
    limit = Decimal(str(fail_under))
    shown = percent(covered, countable, limit=limit, precision=precision)
    passed = Fraction(100 * covered, countable) >= Fraction(limit)
    rule = "at or over" if passed else "under"
    return Verdict(
        gate="coverage",
        ruling=Ruling.PASS if passed else Ruling.FAIL,
        reason=(
            f"coverage is {shown} %, {rule} the floor of {limit.normalize():f} %: "
            f"{covered} of {countable} ran ({statements} statements and {branches} branches)"
        ),
        measured=100 * covered / countable,
        limit=fail_under,
        numerator=covered,
        denominator=countable,
        expected_denominator=countable,
    )


def missing_lines(executed: Iterable[int], missing: Iterable[int], branches: Iterable[tuple[int, int]]) -> str:
    """What did not run, as coverage writes it: ``3, 7-9, 12->14, 20->exit``.

    Lines with nothing but comments between them belong to one range. A branch is listed only when both its ends ran.

    Args:
        executed: statements that ran.
        missing: statements that did not.
        branches: pairs of lines whose jump was never made; a target below 1 is the way out.
    """
    gone = set(missing)
    ranges: list[list[int]] = []
    previous_is_gone = False
    for line in sorted(gone.union(executed)):
        if line in gone:
            if previous_is_gone:
                ranges[-1][1] = line
            else:
                ranges.append([line, line])
        previous_is_gone = line in gone
    items = [(first, f"{first}-{last}" if first != last else str(first)) for first, last in ranges]
    for source, target in sorted(branches):
        if source not in gone and target not in gone:
            items.append((source, f"{source}->{target if target > 0 else 'exit'}"))
    return ", ".join(text for _, text in sorted(items))
