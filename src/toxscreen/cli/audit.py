"""``toxscreen audit``: what looks like a test and is none, and tests that can find nothing."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from toxscreen import host
from toxscreen.analysis import evidence
from toxscreen.analysis.discovery import allowed
from toxscreen.analysis.discovery.audit import Audited, audit
from toxscreen.analysis.discovery.compare import Found
from toxscreen.analysis.discovery.kinds import KINDS
from toxscreen.cli import audit_proof
from toxscreen.cli.command import Answer, here
from toxscreen.errors import ConfigError, CorruptJournalError, Exit, Place, ToxscreenError, raise_together
from toxscreen.journal.read import read_run
from toxscreen.journal.store import HEADER, run_folders
from toxscreen.model import Page, Run, Section, State, Table
from toxscreen.settings import find_root, load
from toxscreen.settings.audit import load_allowed

NAME = "audit"
HELP = "Compare what looks like a test with what pytest collects, and explain each difference."
EXAMPLE = "toxscreen audit"
#: Whether arguments after ``--`` are somebody else's: pytest's.
HANDS_ON = True

#: Files that skip themselves, each in a line of its own.
_SHOWN = 5
_COLUMNS = ("Finding", "Reported", "Tests lost", "What to do")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="a project (default: that of the current folder)")
    parser.add_argument(
        "--proves-change", action="store_true", help="run the changed tests on the source of the base, and nothing else"
    )
    parser.add_argument("--against", default=None, metavar="REV", help="with --proves-change: the base")
    parser.add_argument("options", nargs="*", metavar="-- PYTEST ARGS", help="options for pytest, after --")


def run(arguments: argparse.Namespace) -> Answer:
    """Audit a project and keep what was found as evidence.

    Raises:
        ConfigError: a path that is not there, or settings that cannot be used.
        AuditError: pytest cannot collect, or there is nothing.
        MissingToolError: there is no pytest.
        EvidenceError: the evidence cannot be kept.
    """
    folder = here() / (arguments.path or ".")
    if not folder.is_dir():
        place = Place(key="toxscreen audit")
        raise ConfigError(f"there is no folder {arguments.path}", place=place, hint="name the folder of a project")
    root = find_root(folder)
    _check(arguments)
    if arguments.proves_change:
        return audit_proof.answer(arguments, root)
    exemptions = _exemptions(root)
    state = evidence.state(root)
    options = tuple(arguments.options)
    audited = audit(root, load(root, host.environment()), exemptions, list(_runs(root, state)), options)
    command = ("toxscreen", "audit", *(("--", *options) if options else ()))
    kept = evidence.write(root, NAME, data(audited), command, state)
    return Answer(
        page(audited, root, kept.relative_to(root).as_posix()),
        {"root": str(root), **data(audited)},
        Exit.FOUND if audited.found else Exit.CLEAN,
    )


def _check(arguments: argparse.Namespace) -> None:
    """Raise where something is asked for that would be left out of account."""
    if arguments.against and not arguments.proves_change:
        place = Place(key="toxscreen audit --against")
        raise ConfigError("only --proves-change compares", place=place, hint="give both, or neither")
    if arguments.proves_change and arguments.options:
        place = Place(key="toxscreen audit --proves-change")
        raise ConfigError("takes no options of pytest", place=place, hint="set them in the configuration of pytest")


def _exemptions(root: Path) -> tuple[str, ...]:
    entries = load_allowed(root, host.environment())
    wrong: list[ToxscreenError] = []
    for entry in entries:
        try:
            allowed.parse(entry)
        except ValueError as error:
            place = Place("pyproject.toml", "tool.toxscreen.audit.allow")
            wrong.append(ConfigError(f"is {entry!r}, must be {error}", place=place))
    raise_together(wrong)
    return entries


def _runs(root: Path, state: State) -> Iterator[Run]:
    """Recorded runs of the sources as they are; without git nobody can tell."""
    if state.commit is None:
        return
    for folder in run_folders(root):
        try:
            header = json.loads((folder / HEADER).read_text(encoding="utf-8"))
            if (header.get("commit"), header.get("changes")) == (state.commit, state.changes):
                yield read_run(folder)
        except (OSError, ValueError, AttributeError, CorruptJournalError):
            continue


def data(audited: Audited) -> dict[str, object]:
    """What was found, for programs and for the gate."""
    return {
        "collected": audited.collected,
        "lost": audited.lost,
        "node_ids": audited.node_ids,
        "files": audited.files,
        "files_from": "git" if audited.is_tracked else "walk",
        "findings": [_told(each) for each in audited.found],
        "allowed": [_told(each) for each in audited.allowed],
        "skipped_files": [{"file": file, "reason": why, "tests": tests} for file, why, tests in audited.skipped],
    }


def _told(found: Found) -> dict[str, object]:
    finding = asdict(found.finding)
    return {key: finding[key] for key in ("slug", "subject", "message", "file", "line")} | {"tests": found.tests}


def page(audited: Audited, root: Path, kept: str) -> Page:
    """What was found, for people.

    Args:
        audited: what was found.
        root: the project's root.
        kept: the evidence, relative to the root.
    """
    reported = Counter(each.finding.slug for each in audited.found)
    lost: Counter[str] = Counter()
    for each in audited.found:
        lost[each.finding.slug] += each.tests
    rows = tuple((slug, str(reported[slug]), str(lost[slug]), KINDS[slug]) for slug in KINDS if reported[slug])
    looks = audited.collected + audited.lost
    notes = [
        f"{audited.collected} of {looks} functions that look like tests are collected ({audited.node_ids} node ids)"
    ]
    if not audited.is_tracked:
        notes.append(
            "git does not say which files belong to the project: all Python files below its folder are looked at"
        )
    notes.extend(
        f"{file} skips itself when it is imported, with {tests} that look like tests: {why}"
        for file, why, tests in audited.skipped[:_SHOWN]
    )
    if len(audited.skipped) > _SHOWN:
        notes.append(f"so do {len(audited.skipped) - _SHOWN} more files, see --json")
    if audited.allowed:
        notes.append(f"on purpose, by [tool.toxscreen.audit]: {len(audited.allowed)}")
    number = len(audited.found)
    return Page(
        title=f"audit of {root.name}: {number} finding{'s' if number != 1 else ''}",
        notes=tuple(notes),
        tables=(Table(_COLUMNS, rows),) if rows else (),
        sections=tuple(_section(each) for slug in KINDS for each in audited.found if each.finding.slug == slug),
        closing=(f"evidence: {kept}",),
    )


def _section(found: Found) -> Section:
    finding = found.finding
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    lines = (finding.message,) if place in {None, finding.subject} else (finding.message, f"at {place}")
    return Section(finding.subject, lines, group=finding.slug)
