"""``toxscreen coverage``: note that an environment begins to measure, or combine what environments measured."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from toxscreen import host
from toxscreen.analysis import combine, stamp
from toxscreen.analysis.changes import find_changes
from toxscreen.analysis.figures import Figures
from toxscreen.cli.command import Answer, here
from toxscreen.errors import ConfigError, Exit, Place
from toxscreen.gates import coverage_changed, covered
from toxscreen.model import Finding, Missing, Page, Ruling, Table, Verdict
from toxscreen.report import badge
from toxscreen.settings import find_root
from toxscreen.settings.gates import Gates, load_gates

NAME = "coverage"
HELP = "Combine the coverage that environments measured, write reports, enforce fail_under."
EXAMPLE = "toxscreen coverage unit integration"

_COLUMNS = ("File", "Statements", "Missing", "Branches", "Partial", "Cover", "Missing lines")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("environments", nargs="*", metavar="ENV", help="environments that must have data")
    parser.add_argument(
        "--begin", metavar="ENV", help="remove what ENV measured before, and note which sources it measures now"
    )
    parser.add_argument(
        "--against", metavar="REV", help="tell also how much of what changed since REV is covered (gates.against)"
    )


def run(arguments: argparse.Namespace) -> Answer:
    """Begin to measure, or combine.

    Raises:
        ToxscreenError: arguments, evidence or data that cannot be used.
        ErrorGroup: several of them.
    """
    root = find_root(here())
    with stamp.using(root):
        return _run(root, arguments)


def _run(root: Path, arguments: argparse.Namespace) -> Answer:
    asked_by = "toxscreen coverage"
    if arguments.begin is not None:
        names = stamp.environment_names([arguments.begin], asked_by=f"{asked_by} --begin")
        if len(names) != 1 or arguments.environments or arguments.against is not None:
            raise ConfigError("takes one environment and nothing else", place=Place(key=f"{asked_by} --begin"))
        return _begin(root, names[0])
    names = stamp.environment_names(arguments.environments, asked_by=asked_by)
    if not names:
        known = ", ".join(stamp.environments(root)) or "none"
        hint = f"name every environment that must have data; those that have some: {known}"
        raise ConfigError("no environment is named", place=Place(key=asked_by), hint=hint)
    limits = load_gates(root, host.environment())
    against, usual = arguments.against, limits.value("against")
    command = ("toxscreen", "coverage", *names, *(("--against", against) if against else ()))
    report = combine.report(root, names, against=against, usual=usual, command=command, more=_badge)
    return _combine(report, names, _changed(root, report, limits) if against is not None else None)


def _badge(total: Figures, verdict: Verdict) -> Mapping[str, str]:
    # What nobody measured belongs to the whole: a badge must not be green without it.
    measured = 100 * (verdict.numerator or 0) / (verdict.expected_denominator or 1)
    word = badge.colour(measured, verdict.limit or 0.0)
    told = ("coverage", f"{total.percent}%", word)
    return {"badge.svg": badge.svg(*told), "badge.json": badge.endpoint(*told)}


def _changed(root: Path, report: combine.Report, limits: Gates) -> Verdict | None:
    """How much of what changed since the base is covered."""
    known = covered.read(report.evidence)
    if report.base is None or isinstance(known, Missing):
        return None
    return coverage_changed.judge(known, find_changes(root, report.base), limits.value("coverage-changed"))


def _begin(root: Path, environment: str) -> Answer:
    begun, removed = stamp.begin(root, environment)
    home = (stamp.folder(root) / environment).relative_to(root).as_posix()
    changed = f" with uncommitted changes ({begun.changes})" if begun.changes else ""
    page = Page(
        title=f"coverage of {environment} begins",
        notes=(f"data of {_commit(begun.commit)}{changed} goes to {home}", f"removed files of earlier runs: {removed}"),
    )
    told = {key: value for key, value in asdict(begun).items() if key != "schema"}
    return Answer(page, {**told, "folder": home, "removed": removed})


def _combine(report: combine.Report, names: tuple[str, ...], changed: Verdict | None) -> Answer:
    rows = [_row(figures) for figures in (*report.files, report.total) if figures.name not in report.unlisted]
    told = [
        f"{each.name}: {_commit(each.commit)}, data files: {each.data_files}, source files: {each.measured_files}"
        for each in report.environments
    ]
    page = Page(
        title=f"coverage of {', '.join(names)}",
        notes=(*told, *report.notes),
        tables=(Table(_COLUMNS, tuple(rows)),),
        closing=(
            *(f"{kind}: {path}" for kind, path in report.written.items()),
            *((f"changed: {changed.reason}", *(_told(found) for found in changed.findings)) if changed else ()),
            report.verdict.reason,
        ),
    )
    data: dict[str, object] = {
        "environments": [
            {"name": each.name, "files": each.data_files, "measured_files": each.measured_files, "commit": each.commit}
            for each in report.environments
        ],
        "totals": {
            **_numbers(report.total),
            "covered": report.verdict.numerator,
            "countable": report.verdict.denominator,
            "percent_exact": report.verdict.measured,
        },
        "fail_under": report.verdict.limit,
        "ruling": report.verdict.ruling.value,
        "files": [{"file": each.name, **_numbers(each), "missing_lines": each.missing_lines} for each in report.files],
        "reports": report.written,
        "never_measured": list(report.never),
        "notes": list(report.notes),
    }
    if changed is not None:
        data["changed"] = {
            "ruling": changed.ruling.value,
            "reason": changed.reason,
            "covered": changed.numerator,
            "countable": changed.denominator,
            "expected": changed.expected_denominator,
            "limit": changed.limit,
            "findings": [{"file": each.file, "line": each.line, "message": each.message} for each in changed.findings],
        }
    return Answer(page, data, Exit.CLEAN if report.verdict.ruling is Ruling.PASS else Exit.FOUND)


def _told(finding: Finding) -> str:
    return f"  {finding.file}: {finding.message}"


def _numbers(figures: Figures) -> dict[str, object]:
    return {
        "statements": figures.statements,
        "missing": figures.missing,
        "branches": figures.branches,
        "partial": figures.partial,
        "percent": figures.percent,
    }


def _row(figures: Figures) -> tuple[str, ...]:
    counts = (figures.statements, figures.missing, figures.branches, figures.partial)
    return (figures.name, *map(str, counts), f"{figures.percent} %", figures.missing_lines)


def _commit(commit: str | None) -> str:
    return f"commit {commit[:12]}" if commit else "no commit"
