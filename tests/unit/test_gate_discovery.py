"""The gate `discovery`: what of the audit's evidence passes, fails, or tells nothing."""

from __future__ import annotations

import pytest

from toxscreen.gates.discovery import judge
from toxscreen.model import Evidence, Finding, Missing, Ruling, State, Verdict

COMMAND = ("toxscreen", "audit")
DATA: dict[str, object] = {"collected": 8, "lost": 2, "findings": [], "allowed": [], "skipped_files": []}
TOLD = {"slug": "file-name", "subject": "tests/b.py", "message": "is odd", "file": "tests/b.py", "line": 3, "tests": 2}


def evidence(**data: object) -> Evidence:
    return Evidence("audit", State("c", None, "x"), 0.0, COMMAND, DATA | data)


def test_without_evidence_nothing_is_measured() -> None:
    missing = Missing("audit", "was never made", COMMAND)
    reason = "the evidence audit was never made"
    assert judge(missing, 0) == (Verdict("discovery", Ruling.UNMEASURED, reason, limit=0, remedy=COMMAND),)


@pytest.mark.parametrize(("limit", "ruling"), [(0, Ruling.FAIL), (1, Ruling.PASS)])
def test_findings_are_held_against_the_limit(limit: int, ruling: Ruling) -> None:
    (verdict,) = judge(evidence(findings=[TOLD], allowed=[TOLD], skipped_files=[{"tests": 4}]), limit)
    assert verdict == Verdict(
        gate="discovery",
        ruling=ruling,
        reason="8 of 10 that look like tests are collected, on purpose: 1, in files that skip themselves: 4",
        measured=1,
        limit=limit,
        numerator=8,
        denominator=10,
        expected_denominator=10,
        findings=(Finding("file-name", "tests/b.py", "is odd", file="tests/b.py", line=3),),
        unit="findings",
        source="audit",
        remedy=COMMAND,
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"collected": 0}, "nothing that looks like a test was collected"),
        ({"collected": True}, "the evidence audit cannot be used (ValueError: no number: True)"),
        ({"findings": "x"}, "the evidence audit cannot be used (ValueError: no list of records)"),
        ({"findings": [{}]}, "the evidence audit cannot be used (KeyError: 'file')"),
    ],
)
def test_evidence_that_tells_nothing(data: dict[str, object], reason: str) -> None:
    assert judge(evidence(**data), 0) == (Verdict("discovery", Ruling.UNMEASURED, reason, limit=0, remedy=COMMAND),)
