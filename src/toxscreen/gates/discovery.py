"""Whether what looks like a test is one: the evidence of the audit against the findings that may be left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from toxscreen.model import Evidence, Finding, Missing, Ruling, Verdict

GATE: Final = "discovery"
_COMMAND: Final = ("toxscreen", "audit")


def judge(evidence: Evidence | Missing, limit: int) -> tuple[Verdict, ...]:
    """Judge what the audit found.

    Args:
        evidence: of the kind "audit".
        limit: findings that may be left.

    Returns:
        One verdict. Its numerator is what was collected, its denominator what looks like a test.
    """
    if isinstance(evidence, Missing):
        reason = f"the evidence {evidence.kind} {evidence.reason}"
        return (Verdict(GATE, Ruling.UNMEASURED, reason, limit=limit, remedy=evidence.command),)
    try:
        findings = tuple(_finding(each) for each in _list(evidence.data["findings"]))
        allowed = len(_list(evidence.data["allowed"]))
        collected, lost = _number(evidence.data["collected"]), _number(evidence.data["lost"])
        skipped = sum(_number(each["tests"]) for each in _list(evidence.data["skipped_files"]))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"the evidence audit cannot be used ({type(error).__name__}: {error})"
        return (Verdict(GATE, Ruling.UNMEASURED, reason, limit=limit, remedy=_COMMAND),)
    looks = collected + lost
    if not collected:
        reason = "nothing that looks like a test was collected"
        return (Verdict(GATE, Ruling.UNMEASURED, reason, limit=limit, findings=findings, remedy=_COMMAND),)
    told = [f"{collected} of {looks} that look like tests are collected"]
    told += [f"on purpose: {allowed}"] if allowed else []
    told += [f"in files that skip themselves: {skipped}"] if skipped else []
    return (
        Verdict(
            gate=GATE,
            ruling=Ruling.PASS if len(findings) <= limit else Ruling.FAIL,
            reason=", ".join(told),
            measured=len(findings),
            limit=limit,
            numerator=collected,
            denominator=looks,
            expected_denominator=looks,
            findings=findings,
            unit="findings",
            source=evidence.kind,
            remedy=_COMMAND,
        ),
    )


def _finding(told: Mapping[str, object]) -> Finding:
    file, line = told["file"], told["line"]
    return Finding(
        str(told["slug"]),
        str(told["subject"]),
        str(told["message"]),
        file=None if file is None else str(file),
        line=None if line is None else _number(line),
    )


def _list(value: object) -> list[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("no list of records")
    return value


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"no number: {value!r}")
    return value
