"""Findings as code hosts read them: SARIF, workflow commands, code quality. Nothing in a text acts."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from toxscreen.cli.report import sides
from toxscreen.model import Finding, Ruling, Verdict
from toxscreen.report import github, gitlab, sarif
from toxscreen.report.telling import fingerprints

MISSING = Finding(
    "coverage-changed", "shop.pay", "2 of 3 lines", "lines 4, 5", ("tox", "-e", "a b"), "src/shop page.py", 4
)
LEFT_OUT = Finding("discovery-class-init", "TestPay", "is not collected", file="tests/test_pay.py", line=9)
WHOLE = Finding("suite-budget", "all environments", "took 301 s")
TEXT = "shop.pay: 2 of 3 lines\nlines 4, 5\nwhat to do: tox -e 'a b'"


def loaded(text: str) -> Any:
    assert text.endswith("\n")
    return json.loads(text)


def test_sarif_is_one_run_with_rules_levels_and_places() -> None:
    log = loaded(sarif.render([MISSING], [LEFT_OUT, WHOLE], "1.2"))
    marks = fingerprints([MISSING, LEFT_OUT, WHOLE])

    def result(rule: int, level: str, text: str, uri: str, line: int) -> dict[str, object]:
        place = {
            "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line},
        }
        return {
            "ruleId": ("coverage-changed", "discovery-class-init", "suite-budget")[rule],
            "ruleIndex": rule,
            "level": level,
            "message": {"text": text},
            "locations": [{"physicalLocation": place}],
            "partialFingerprints": {"toxscreen/v1": marks[rule]},
        }

    assert log == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "toxscreen",
                        "version": "1.2",
                        "rules": [
                            {"id": slug, "shortDescription": {"text": slug}}
                            for slug in ("coverage-changed", "discovery-class-init", "suite-budget")
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    result(0, "error", TEXT, "src/shop%20page.py", 4),
                    result(1, "warning", "TestPay: is not collected", "tests/test_pay.py", 9),
                    result(2, "warning", "all environments: took 301 s", "pyproject.toml", 1),
                ],
            }
        ],
    }


def test_code_quality_is_a_list_with_severities_and_places() -> None:
    marks = fingerprints([MISSING, WHOLE])
    assert loaded(gitlab.render([MISSING], [WHOLE])) == [
        {
            "description": TEXT,
            "check_name": "coverage-changed",
            "fingerprint": marks[0],
            "severity": "major",
            "location": {"path": "src/shop page.py", "lines": {"begin": 4}},
        },
        {
            "description": "all environments: took 301 s",
            "check_name": "suite-budget",
            "fingerprint": marks[1],
            "severity": "minor",
            "location": {"path": "pyproject.toml", "lines": {"begin": 1}},
        },
    ]


def test_annotations_are_a_command_a_line() -> None:
    assert github.render([MISSING], [LEFT_OUT, WHOLE]) == (
        "::error file=src/shop page.py,line=4,title=coverage-changed::"
        "shop.pay: 2 of 3 lines%0Alines 4, 5%0Awhat to do: tox -e 'a b'\n"
        "::warning file=tests/test_pay.py,line=9,title=discovery-class-init::TestPay: is not collected\n"
        "::warning file=pyproject.toml,line=1,title=suite-budget::all environments: took 301 s\n"
    )


def test_nothing_found_is_still_a_document() -> None:
    assert loaded(sarif.render([], [], "1"))["runs"][0]["results"] == []
    assert loaded(gitlab.render([], [])) == []
    assert github.render([], []) == ""


@pytest.mark.parametrize(
    ("text", "data", "value"),
    [
        ("50 % :: a,b", "50 %25 :: a,b", "50 %25 %3A%3A a%2Cb"),
        ("a\n::error::b", "a%0A::error::b", "a%0A%3A%3Aerror%3A%3Ab"),
        ("a\r\nb", r"a\r%0Ab", r"a\r%0Ab"),
        ("%0A", "%250A", "%250A"),
        ("esc \x1b[0m \udc80 \u2028", r"esc \x1b[0m \udc80 \u2028", r"esc \x1b[0m \udc80 \u2028"),
    ],
)
def test_no_text_ends_a_workflow_command(text: str, data: str, value: str) -> None:
    found = github.render([Finding(text, "s", text, file=text, line=2)], [])
    assert found == f"::error file={value},line=2,title={value}::s: {data}\n"


def test_a_name_in_no_encoding_breaks_no_document() -> None:
    odd = Finding("s", "\ud800", "\udc80", file="a\udc80#?.py")
    (result,) = loaded(sarif.render([odd], [], "1"))["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (unquote(uri), uri.isascii(), "#" in uri or "?" in uri) == (r"a\udc80#?.py", True, False)
    (told,) = loaded(gitlab.render([odd], []))
    assert (told["location"]["path"], told["description"]) == (r"a\udc80#?.py", r"\ud800: \udc80")


@pytest.mark.parametrize(
    ("file", "line", "place"),
    [
        (None, 7, ("pyproject.toml", 1)),
        ("a.py", None, ("a.py", 1)),
        ("a.py", 0, ("a.py", 1)),
        ("./a.py", 3, ("a.py", 3)),
        ("src\\a.py", 3, ("src/a.py", 3)),
    ],
)
def test_every_finding_has_a_place_that_is_shown(file: str | None, line: int | None, place: tuple[str, int]) -> None:
    (told,) = loaded(gitlab.render([Finding("s", "t", "m", file=file, line=line)], []))
    assert (told["location"]["path"], told["location"]["lines"]["begin"]) == place


def test_the_first_of_each_level_are_those_on_changed_lines_and_the_rest_is_summed_up() -> None:
    def found(slug: str, file: str, line: int) -> Finding:
        return Finding(slug, file, "m", file=file, line=line)

    errors = [found("a", f"old{number}.py", 1) for number in range(9)]
    errors += [found("b", "new.py", 1), found("b", "new.py", 5), found("c", "z.py", 2)]
    warnings = [found("w", "old.py", number) for number in range(1, 13)]
    lines = github.render(errors, warnings, {"new.py": frozenset({5}), "z.py": frozenset({2})}).splitlines()
    shown = [line.partition(",title")[0] for line in lines]
    assert shown == [
        "::error file=new.py,line=5",
        "::error file=z.py,line=2",
        "::error file=new.py,line=1",
        *(f"::error file=old{number}.py,line=1" for number in range(7)),
        *(f"::warning file=old.py,line={number}" for number in range(1, 11)),
        "::notice title=toxscreen::4 more in the report: a 2, w 2",
    ]


def test_a_finding_is_the_same_one_after_it_moved_and_two_are_two() -> None:
    here = Finding("s", "t", "m at 3", file="a.py", line=3)
    moved = Finding("s", "t", "m at 9", "other", file="a.py", line=9)
    others = [
        Finding("r", "t", "m at 3", file="a.py", line=3),
        Finding("s", "u", "m at 3", file="a.py", line=3),
        Finding("s", "t", "m at 3", file="b.py", line=3),
    ]
    first, *rest = fingerprints([here, here, *others])
    assert fingerprints([moved]) == [first]
    assert len({first, *rest}) == 5
    assert (len(first), int(first, 16) > 0) == (64, True)


def test_what_holds_up_is_an_error_and_never_nothing() -> None:
    verdicts = [
        Verdict("coverage", Ruling.FAIL, "1 under", findings=(MISSING,)),
        Verdict("quality", Ruling.PASS, "no more than before", findings=(LEFT_OUT,)),
        Verdict("discovery", Ruling.UNMEASURED, "no evidence", remedy=("toxscreen", "audit")),
        Verdict("isolation", Ruling.FAIL, "2 bugs"),
        Verdict("coverage-changed", Ruling.NOT_APPLICABLE, "no line was changed"),
    ]
    assert sides(verdicts) == (
        (
            MISSING,
            Finding("gate-discovery", "gate discovery", "unmeasured: no evidence", remedy=("toxscreen", "audit")),
            Finding("gate-isolation", "gate isolation", "fail: 2 bugs"),
        ),
        (LEFT_OUT,),
    )


def test_where_no_gate_was_asked_no_report_is_empty() -> None:
    none = ((Finding("gate-none", "gates", "no gate was asked"),), ())
    assert sides([]) == none
    told = Finding("coverage-exclusive", "a.py", "only unit covers lines 1-2")
    assert sides([Verdict("coverage-exclusive", Ruling.NOT_APPLICABLE, "", findings=(told,), asked=False)]) == none
