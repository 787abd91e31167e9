"""What several verdicts mean together, and how they are told."""

from __future__ import annotations

from typing import Any, cast

import pytest

from toxscreen.cli.gate_page import data, page
from toxscreen.errors import ConfigError, ErrorGroup, Exit
from toxscreen.gates.ruling import asked, status, unmeasured
from toxscreen.model import Finding, Missing, Ruling, State, Verdict
from toxscreen.report.terminal import render

NOW = State("75145a0c1d2e3f4a5b6c", None, "c0ffee")


def verdict(ruling: Ruling, gate: str = "coverage") -> Verdict:
    return Verdict(gate, ruling, "because")


@pytest.mark.parametrize(
    ("rulings", "expected"),
    [
        ([], Exit.UNJUDGED),
        ([Ruling.PASS], Exit.CLEAN),
        ([Ruling.NOT_APPLICABLE], Exit.CLEAN),
        ([Ruling.PASS, Ruling.NOT_APPLICABLE], Exit.CLEAN),
        ([Ruling.PASS, Ruling.UNMEASURED], Exit.UNJUDGED),
        ([Ruling.PASS, Ruling.FAIL], Exit.FOUND),
        ([Ruling.UNMEASURED, Ruling.FAIL], Exit.FOUND),
    ],
)
def test_no_evidence_is_not_green(rulings: list[Ruling], expected: Exit) -> None:
    assert status([verdict(ruling) for ruling in rulings]) is expected


def test_gates_that_are_asked() -> None:
    verdicts = [verdict(Ruling.PASS, name) for name in ("runs", "coverage", "discovery")]
    known = {"runs", "coverage", "discovery"}
    assert [each.gate for each in asked(verdicts, (), ("coverage",), known=known)] == ["runs", "discovery"]
    assert [each.gate for each in asked(verdicts, ("discovery",), (), known=known)] == ["discovery"]


def test_a_name_that_stands_for_several_gates() -> None:
    verdicts = [
        Verdict(name, Ruling.PASS, "") for name in ("quality-mypy", "quality-ruff", "coverage", "coverage-files")
    ]
    families: Any = {"known": {"quality", "coverage"}, "families": ("quality",)}
    assert [each.gate for each in asked(verdicts, ("quality",), (), **families)] == ["quality-mypy", "quality-ruff"]
    assert [each.gate for each in asked(verdicts, (), ("quality",), **families)] == ["coverage", "coverage-files"]
    assert [each.gate for each in asked(verdicts, ("coverage",), (), **families)] == ["coverage"]


def test_gates_that_cannot_be_asked() -> None:
    with pytest.raises(ErrorGroup) as raised:
        asked([], ("coverag",), ("run",), known={"runs", "coverage"})
    assert raised.value.render().splitlines() == [
        "toxscreen gate: there is no gate 'coverag' [config-invalid]",
        "  did you mean 'coverage'? known: coverage, runs",
        "gates.off: there is no gate 'run' [config-invalid]",
        "  did you mean 'runs'? known: coverage, runs",
    ]
    with pytest.raises(ConfigError) as switched_off:
        asked([], ("runs",), ("runs",), known={"runs"})
    assert switched_off.value.render().splitlines() == [
        "gates.off: the gate 'runs' is switched off [config-invalid]",
        "  take it out of the list",
    ]


def test_the_page_shows_the_denominator_and_what_lacks() -> None:
    missing = Missing("audit", "was never made", ("toxscreen", "audit"))
    verdicts = [
        Verdict("coverage", Ruling.PASS, "enough", 92.719, 90.0, 10597, 11429, 11429, unit="%", source="unit, perf"),
        Verdict(
            "discovery",
            Ruling.FAIL,
            "1 of 24 things that look like a test is not collected",
            1,
            0,
            23,
            24,
            findings=(Finding("name", "test_b", "is defined twice", file="tests/test_a.py", line=7),),
        ),
        unmeasured("requirements", missing),
    ]
    shown = render(page(verdicts, now=NOW, base="merge base with origin/main", off=["quality"]))
    assert shown.splitlines() == [
        "gates: 1 pass, 1 fail, 1 unmeasured",
        "sources: commit 75145a0c1d2e, configuration c0ffee",
        "changes against: merge base with origin/main",
        "switched off: quality",
        "",
        "Gate          Ruling      Measured  Limit  Of how many     From where",
        "coverage      pass         92.72 %   90 %  10597 of 11429  unit, perf",
        "discovery     fail               1      0  23 of 24",
        "requirements  unmeasured                                   audit",
        "",
        "discovery: fail",
        "  1 of 24 things that look like a test is not collected",
        "  tests/test_a.py:7: test_b: is defined twice",
        "requirements: unmeasured",
        "  the evidence 'audit' was never made",
        "  make it with: toxscreen audit",
        "",
        "evidence lacks; make it with: toxscreen audit",
    ]


NOT_ASKED = Verdict("coverage-branches", Ruling.NOT_APPLICABLE, "1 of 2 ran; no limit is set", 50.0, asked=False)


def test_what_has_no_limit_is_named_and_has_no_row() -> None:
    proved = Verdict("coverage-changed", Ruling.NOT_APPLICABLE, "the diff has 0 executable lines in 2 files")
    verdicts = [verdict(Ruling.PASS), NOT_ASKED, proved]
    shown = render(page(verdicts, now=NOW, base="main", off=()))
    assert shown.splitlines() == [
        "gates: 1 pass, 1 not-applicable",
        "sources: commit 75145a0c1d2e, configuration c0ffee",
        "changes against: main",
        "no limit is set, not asked: coverage-branches",
        "",
        "Gate              Ruling          Measured  Limit  Of how many  From where",
        "coverage          pass",
        "coverage-changed  not-applicable",
        "",
        "coverage-changed: not-applicable",
        "  the diff has 0 executable lines in 2 files",
    ]
    assert status(verdicts) is Exit.CLEAN


def test_a_gate_without_a_limit_is_told_where_it_is_named_and_is_not_green() -> None:
    told = page([NOT_ASKED], now=NOW, base="main", off=())
    assert told.title == "gates: no gate was asked"
    assert [section.lines for section in told.sections] == [("1 of 2 ran; no limit is set",)]
    assert status([NOT_ASKED]) is Exit.UNJUDGED
    (document,) = cast("list[dict[str, Any]]", data([NOT_ASKED], now=NOW, base="", off=())["verdicts"])
    assert (document["asked"], document["measured"]) == (False, 50.0)


def test_what_is_measured_is_not_rounded_over_the_limit() -> None:
    close = Verdict("coverage", Ruling.FAIL, "under", 89.996, 90.0, 89996, 100000, 100000, unit="%")
    (row,) = page([close], now=NOW, base="", off=()).tables[0].rows
    assert row[2:4] == ("89.996 %", "90 %")


def test_a_denominator_that_is_smaller_than_expected_is_shown() -> None:
    few = Verdict("runs", Ruling.UNMEASURED, "one shard of two", numerator=5, denominator=5, expected_denominator=10)
    (row,) = page([few], now=NOW, base="", off=()).tables[0].rows
    assert row[4] == "5 of 5 (expected 10)"


def test_many_findings_are_told_in_part_and_given_whole() -> None:
    findings = tuple(Finding("x", f"thing {number}", "is wrong") for number in range(12))
    many = Verdict("discovery", Ruling.FAIL, "12 things", findings=findings)
    (section,) = page([many], now=NOW, base="", off=()).sections
    assert section.lines[-2:] == (
        "thing 9: is wrong",
        "and 2 more; all of them: toxscreen gate discovery --json",
    )
    document: dict[str, Any] = data([many], now=NOW, base="", off=())
    (told,) = document["verdicts"]
    assert (told["ruling"], len(told["findings"])) == ("fail", 12)
