"""Findings as GitLab reads code quality: in the merge request, beside the changed lines."""

from __future__ import annotations

import json
from collections.abc import Sequence

from toxscreen.model import Finding
from toxscreen.report.telling import fingerprints, place, words
from toxscreen.report.visible import visible


def render(errors: Sequence[Finding], warnings: Sequence[Finding]) -> str:
    """Findings as one JSON array.

    Args:
        errors: what fails.
        warnings: what is told and fails nothing.
    """
    findings = (*errors, *warnings)
    told = []
    for number, (finding, fingerprint) in enumerate(zip(findings, fingerprints(findings), strict=True)):
        file, line = place(finding)
        told.append(
            {
                "description": words(finding),
                "check_name": visible(finding.slug),
                "fingerprint": fingerprint,
                "severity": "major" if number < len(errors) else "minor",
                "location": {"path": visible(file), "lines": {"begin": line}},
            }
        )
    return json.dumps(told, indent=2) + "\n"
