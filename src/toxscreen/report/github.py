"""Findings as workflow commands: GitHub shows them beside the lines of a pull request, within limits of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from toxscreen.model import Finding
from toxscreen.report.telling import place, words
from toxscreen.report.visible import visible

#: What GitHub shows of each level in one step; what comes later is dropped without a word.
MOST: Final = 10


def render(
    errors: Sequence[Finding], warnings: Sequence[Finding], changed: Mapping[str, frozenset[int]] | None = None
) -> str:
    """Findings as one workflow command a line, those on changed lines first, and one notice that sums up the rest.

    Args:
        errors: what fails.
        warnings: what is told and fails nothing.
        changed: changed lines of each changed file.
    """
    lines = []
    rest: Counter[str] = Counter()
    for level, findings in (("error", errors), ("warning", warnings)):
        ordered = sorted(findings, key=lambda finding: _distance(finding, changed or {}))
        lines += [_command(level, finding) for finding in ordered[:MOST]]
        rest.update(finding.slug for finding in ordered[MOST:])
    if rest:
        each = ", ".join(f"{slug} {count}" for slug, count in sorted(rest.items()))
        lines.append(f"::notice title=toxscreen::{_data(f'{rest.total()} more in the report: {each}')}")
    return "".join(f"{line}\n" for line in lines)


def _distance(finding: Finding, changed: Mapping[str, frozenset[int]]) -> int:
    """0 on a changed line, 1 in a changed file, 2 elsewhere."""
    file, line = place(finding)
    if file not in changed:
        return 2
    return 0 if line in changed[file] else 1


def _command(level: str, finding: Finding) -> str:
    file, line = place(finding)
    return f"::{level} file={_property(file)},line={line},title={_property(finding.slug)}::{_data(words(finding))}"


def _data(text: str) -> str:
    """Text after the second ``::``, in one line."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Value of a property: commas part them, colons end them."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
