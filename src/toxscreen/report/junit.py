"""Checks as JUnit XML, as GitLab, Jenkins and others read it beside the results of tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from toxscreen.model import Check, Outcome
from toxscreen.report.visible import visible

#: What XML 1.0 forbids, besides what is escaped as invisible.
_FORBIDDEN: Final = re.compile("[\ufffe\uffff]")
_ELEMENTS: Final = {Outcome.FAILED: "failure", Outcome.ERROR: "error", Outcome.SKIPPED: "skipped"}


def render(title: str, checks: Sequence[Check], seconds: float) -> str:
    """Checks as a JUnit document with one suite.

    What passed has its text in ``system-out``; all else has it in the element that says so, where readers look for it.

    Args:
        title: name of the suite.
        checks: a test case each.
        seconds: how long all of it took.
    """
    counts = {
        "tests": len(checks),
        **{
            name: sum(each.outcome is outcome for each in checks)
            for name, outcome in (
                ("failures", Outcome.FAILED),
                ("errors", Outcome.ERROR),
                ("skipped", Outcome.SKIPPED),
            )
        },
    }
    attributes = {
        "name": _legal(title),
        **{name: str(count) for name, count in counts.items()},
        "time": f"{seconds:.3f}",
    }
    suites = ET.Element("testsuites", attributes)
    suite = ET.SubElement(suites, "testsuite", attributes)
    for check in checks:
        _add(suite, check)
    ET.indent(suites)
    # No declaration: a document without one is UTF-8.
    return ET.tostring(suites, encoding="unicode") + "\n"


def _add(suite: ET.Element, check: Check) -> None:
    attributes = {"classname": _legal(check.group), "name": _legal(check.name)}
    if check.file is not None:
        attributes["file"] = _legal(check.file)
    case = ET.SubElement(suite, "testcase", {**attributes, "time": "0"})
    element = _ELEMENTS.get(check.outcome)
    if element is not None:
        said = ET.SubElement(case, element, {"message": _legal(check.message), "type": _legal(check.group)})
        said.text = _legal(check.text or check.message)
    elif check.text:
        ET.SubElement(case, "system-out").text = _legal(check.text)


def _legal(text: str) -> str:
    return _FORBIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), visible(text))
