"""A pytest plugin that writes node id and outcome of every test, in order, to the file that OUTCOMES_FILE names.

It is loaded into the plain run that toxscreen is compared with, and so it shares nothing with toxscreen.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

_FOUND: dict[str, str] = {}


def _outcome(report: pytest.TestReport) -> str | None:
    """What a phase says of its test; None when it says nothing."""
    if report.failed:
        return "failed" if report.when == "call" else "error"
    if type(report) is not pytest.TestReport:
        return None  # a subtest that did not fail leaves the word to its test
    expected = hasattr(report, "wasxfail")
    if report.skipped:
        return "xfailed" if expected else "skipped"
    if report.when == "call":
        return "xpassed" if expected else "passed"
    return None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    outcome = _outcome(report)
    first = _FOUND.get(report.nodeid)
    if outcome is not None and (first in {None, "passed"} or outcome == "failed"):
        _FOUND[report.nodeid] = outcome


def pytest_sessionfinish() -> None:
    Path(os.environ["OUTCOMES_FILE"]).write_text(json.dumps(_FOUND), encoding="utf-8")
