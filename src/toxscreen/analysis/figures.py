"""Figures of a coverage report in words: what is missing of each file, and the total. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from toxscreen.gates.percent import floor, percent
from toxscreen.model import Verdict


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


def judged(
    document: Mapping[str, Any], never: Mapping[str, int], *, fail_under: float, precision: int
) -> tuple[Figures, Verdict]:
    """The figures of all files together, and whether they reach the floor.

    Args:
        document: coverage's JSON report, with branches and at least one statement.
        never: source files that no environment measured, each with what could have run in it.
        fail_under: the floor in percent.
        precision: digits after the point.
    """
    totals = document["totals"]
    covered, total = totals["covered_lines"] + totals["covered_branches"], _figures("TOTAL", totals, "")
    shown = percent(covered, total.statements + total.branches, limit=Decimal(str(fail_under)), precision=precision)
    counts = (covered, total.statements, total.branches)
    verdict = floor(*counts, never, fail_under=fail_under, precision=precision)
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
