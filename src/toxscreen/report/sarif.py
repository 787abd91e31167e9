"""Findings as SARIF 2.1.0, as code scanning and editors read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from toxscreen.model import Finding
from toxscreen.report.telling import fingerprints, place, words
from toxscreen.report.visible import visible


def render(errors: Sequence[Finding], warnings: Sequence[Finding], version: str) -> str:
    """Findings as a SARIF log with one run.

    Args:
        errors: what fails.
        warnings: what is told and fails nothing.
        version: of toxscreen.
    """
    findings = (*errors, *warnings)
    slugs = sorted({finding.slug for finding in findings})
    results = [
        _result(finding, slugs.index(finding.slug), "error" if number < len(errors) else "warning", fingerprint)
        for number, (finding, fingerprint) in enumerate(zip(findings, fingerprints(findings), strict=True))
    ]
    rules = [{"id": visible(slug), "shortDescription": {"text": visible(slug)}} for slug in slugs]
    run = {
        "tool": {"driver": {"name": "toxscreen", "version": version, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _result(finding: Finding, rule: int, level: str, fingerprint: str) -> dict[str, object]:
    file, line = place(finding)
    location = {
        "artifactLocation": {"uri": quote(file, errors="backslashreplace"), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line},
    }
    return {
        "ruleId": visible(finding.slug),
        "ruleIndex": rule,
        "level": level,
        "message": {"text": words(finding)},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"toxscreen/v1": fingerprint},
    }
