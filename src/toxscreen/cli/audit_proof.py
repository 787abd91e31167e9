"""``toxscreen audit --proves-change``: whether changed tests fail on the source of the base."""

from __future__ import annotations

import argparse
from pathlib import Path

from toxscreen import host
from toxscreen.analysis import evidence
from toxscreen.analysis.base import find_base
from toxscreen.analysis.changes import find_changes
from toxscreen.analysis.proof import prove
from toxscreen.cli.command import Answer
from toxscreen.errors import Exit
from toxscreen.gates.requirements import PROOF_COMMAND, proof_verdict
from toxscreen.model import Page, Ruling, Table
from toxscreen.settings import load
from toxscreen.settings.gates import load_gates

KIND = "requirements"
_COLUMNS = ("Changed test", "Without the change", "Now", "Why")
_STATUS = {Ruling.FAIL: Exit.FOUND, Ruling.UNMEASURED: Exit.UNJUDGED}


def answer(arguments: argparse.Namespace, root: Path) -> Answer:
    """Run the changed tests on the source of the base, and write what came of it as evidence.

    Args:
        arguments: ``against`` is a revision, or None.
        root: the project's root.

    Raises:
        ToxscreenError: there is nothing to compare with, or the settings cannot be used.
    """
    environment = host.environment()
    policies = tuple(load(root, environment).categories.values())
    made_from = evidence.state(root)
    usual: str | None = load_gates(root, environment).value("against")
    changes = find_changes(root, find_base(root, arguments.against, environment, usual))
    data = prove(root, changes, policies, environment)
    command = (*PROOF_COMMAND, *(("--against", arguments.against) if arguments.against else ()))
    evidence.write(root, KIND, data, command, made_from)
    verdict = proof_verdict(data)
    page = Page(
        title=f"what the changed tests say without the change, on {changes.base.commit[:12]} ({changes.base.source})",
        notes=(f"changed source: {', '.join(data['changed_source']) or 'none'}",),
        tables=(Table(_COLUMNS, _rows(data)),) if data["changed_tests"] else (),
        closing=(f"{verdict.gate}: {verdict.ruling}: {verdict.reason}",),
    )
    told = {**data, "ruling": verdict.ruling.value, "reason": verdict.reason}
    return Answer(page, told, _STATUS.get(verdict.ruling, Exit.CLEAN))


def _rows(data: dict[str, list[dict[str, str]]]) -> tuple[tuple[str, ...], ...]:
    failed = {each["test"]: each["why"] for each in data["failed_on_base"]}
    proved = {each["test"] for each in data["proved"]}
    passed = set(map(str, data["passed_on_base"]))
    rows = []
    for test in map(str, data["changed_tests"]):
        before = "fails" if test in failed else "passes" if test in passed else "did not run"
        rows.append((test, before, "passes" if test in proved else "", failed.get(test, "")))
    return tuple(rows)
