"""Findings in the words, and with the identity, that systems beside us keep them by."""

from __future__ import annotations

import hashlib
import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Final

from toxscreen.model import Finding
from toxscreen.report.visible import visible

#: Where a finding about the whole project is shown: such systems drop what has no place.
NOWHERE: Final = "pyproject.toml"


def place(finding: Finding) -> tuple[str, int]:
    """File, relative to the project's root with forward slashes, and line, counted from 1."""
    file = (finding.file or NOWHERE).replace("\\", "/").removeprefix("./")
    return file, max(finding.line or 1, 1) if finding.file else 1


def words(finding: Finding) -> str:
    """All that a finding has to say, in plain lines."""
    lines = [f"{finding.subject}: {finding.message}"]
    lines += [finding.evidence] if finding.evidence else []
    lines += [f"what to do: {shlex.join(finding.remedy)}"] if finding.remedy else []
    return visible("\n".join(lines))


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """What makes each finding the same one in the next report: no line and no figure, so it may move and change.

    Args:
        findings: all of one report; those that are alike are told apart by their order.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    made = []
    for finding in findings:
        same = (finding.slug, finding.file or "", finding.subject)
        seen[same] += 1
        text = "\0".join((*same, str(seen[same])))
        made.append(hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())
    return made
