"""Checks as JUnit XML: any parser reads them, and gets back what was said."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from toxscreen.model import Check, Outcome
from toxscreen.report.junit import render


def test_one_suite_with_a_case_for_each_check() -> None:
    found = render(
        "hunt through shop",
        [
            Check("hunt.victim", "t.py::test_a[<x>]", Outcome.FAILED, "it fails", "it fails\n  a & b", "t.py"),
            Check("hunt.chance", "t.py::test_b", Outcome.SKIPPED, "by chance"),
            Check("hunt.not-collected", "u.py", Outcome.ERROR, "E", "E", "u.py"),
            Check("hunt", "search", Outcome.PASSED, text="3 tests"),
            Check("hunt", "quiet", Outcome.PASSED),
        ],
        1.25,
    )
    counts = 'tests="5" failures="1" errors="1" skipped="1" time="1.250"'
    assert (
        found
        == f"""\
<testsuites name="hunt through shop" {counts}>
  <testsuite name="hunt through shop" {counts}>
    <testcase classname="hunt.victim" name="t.py::test_a[&lt;x&gt;]" file="t.py" time="0">
      <failure message="it fails" type="hunt.victim">it fails
  a &amp; b</failure>
    </testcase>
    <testcase classname="hunt.chance" name="t.py::test_b" time="0">
      <skipped message="by chance" type="hunt.chance">by chance</skipped>
    </testcase>
    <testcase classname="hunt.not-collected" name="u.py" file="u.py" time="0">
      <error message="E" type="hunt.not-collected">E</error>
    </testcase>
    <testcase classname="hunt" name="search" time="0">
      <system-out>3 tests</system-out>
    </testcase>
    <testcase classname="hunt" name="quiet" time="0" />
  </testsuite>
</testsuites>
"""
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("nul \x00 bell \x07 escape \x1b", r"nul \x00 bell \x07 escape \x1b"),
        ("c1 \x85 \x9f", r"c1 \x85 \x9f"),
        ("surrogate \udc80", r"surrogate \udc80"),
        ("no characters \ufffe \uffff", r"no characters \ufffe \uffff"),
        ("return \r", r"return \r"),
        ("]]> \"quoted\" 'so' <![CDATA[", "]]> \"quoted\" 'so' <![CDATA["),
        ("tab \t line \n \u00e9 \U0001f600", "tab \t line \n \u00e9 \U0001f600"),
    ],
)
def test_no_character_breaks_the_document(text: str, read: str) -> None:
    check = Check(text, text, Outcome.FAILED, text, text, text)
    # As it is read from a file.
    (case,) = ET.fromstring(render(text, [check], 0.0).encode()).iter("testcase")
    (failure,) = case
    assert case.attrib == {"classname": read, "name": read, "file": read, "time": "0"}
    assert (failure.attrib, failure.text) == ({"message": read, "type": read}, read)
