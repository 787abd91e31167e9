"""Verdicts on what tools find in the code, and the ratchet that is written from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pytest

from toxscreen.gates.quality import judge, new_ratchet
from toxscreen.gates.ratchet import Key, Ratchet, parse, render
from toxscreen.model import Evidence, Finding, Measured, Missing, Ruling, State, Verdict

MAKE = ("toxscreen", "gate", "--write-ratchet")
SYMBOLS = {"src/a.py": ["A", "A.f", "g"], "src/b.py": ["h"], "tests/t.py": []}
FILES = ("src/a.py", "src/b.py", "tests/t.py")
LOOKED = {Key("checked", "ruff src/"): 1.0, Key("checked", "ruff tests/"): 1.0}
F401 = Key("quality", "ruff F401 src/a.py:<module>")
E501 = Key("quality", "ruff E501 src/a.py:A.f")


def measured(values: Mapping[str, float], tool: str = "ruff", files: Sequence[str] = FILES, **more: Any) -> Measured:
    return Measured(tool, (tool, "check"), "1.2", tuple(files), dict(values), dict.fromkeys(values, 7), **more)


def evidence(
    *tools: Measured, symbols: Mapping[str, Sequence[str]] = SYMBOLS, expected: Sequence[str] | None = FILES
) -> Evidence:
    data: dict[str, object] = {
        "expected": expected,
        "symbols": dict(symbols),
        "tools": {each.tool: asdict(each) for each in tools},
    }
    return Evidence("quality", State("c0ffee", None, "x"), 1.0, ("toxscreen", "quality"), data)


def one(found: Evidence, base: Ratchet | Missing | None, own: Ratchet | None, tool: str = "ruff") -> Verdict:
    (verdict,) = judge(found, base, own, [tool])
    assert verdict.gate == f"quality-{tool}"
    return verdict


def told(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(each.slug, each.subject, each.message) for each in verdict.findings]


# nothing to judge


@pytest.mark.parametrize(
    ("found", "base", "own", "reason", "remedy"),
    [
        (
            Missing("quality", "was never made", ("toxscreen", "quality")),
            None,
            None,
            "the evidence quality was never made",
            ("toxscreen", "quality"),
        ),
        (
            Evidence("quality", State(None, None, "x"), 1.0, (), {"tools": {"ruff": 1}}),
            None,
            None,
            "the evidence quality cannot be read (TypeError: 'int' object is not subscriptable)",
            ("toxscreen", "quality", "ruff"),
        ),
        (evidence(measured({}, "mypy")), None, None, "ruff has not run", ("toxscreen", "quality", "ruff")),
        (
            evidence(measured({}, failure="is not installed", remedy=("pip", "install", "ruff"))),
            Ratchet(LOOKED),
            Ratchet(LOOKED),
            "ruff is not installed",
            ("pip", "install", "ruff"),
        ),
        (
            evidence(measured({}, files=())),
            Ratchet(LOOKED),
            Ratchet(LOOKED),
            "ruff looked at no file",
            ("toxscreen", "quality", "ruff"),
        ),
        (
            evidence(measured({})),
            Missing("base", "is not known: the clone is shallow", ("git", "fetch", "--unshallow")),
            Ratchet(LOOKED),
            "the base is not known: the clone is shallow",
            ("git", "fetch", "--unshallow"),
        ),
        (
            evidence(measured({})),
            None,
            None,
            "there are no values of ruff in a toxscreen-ratchet.txt, neither here nor on the base: make it, commit it",
            MAKE,
        ),
        (
            evidence(measured({})),
            Ratchet({Key("checked", "mypy src/"): 1.0}),
            Ratchet({Key("coverage", "ruff src/"): 1.0}),
            "there are no values of ruff in a toxscreen-ratchet.txt, neither here nor on the base: make it, commit it",
            MAKE,
        ),
    ],
)
def test_unmeasured(
    found: Evidence | Missing, base: Ratchet | Missing | None, own: Ratchet | None, reason: str, remedy: tuple[str, ...]
) -> None:
    verdict = judge(found, base, own, ["ruff"])[0]
    assert verdict == Verdict("quality-ruff", Ruling.UNMEASURED, reason, unit="findings", remedy=remedy)


def test_no_tool_is_asked_for() -> None:
    reason = "tool.toxscreen.gates.quality names no tool, and the base has no values of one"
    verdict = Verdict("quality", Ruling.NOT_APPLICABLE, reason, asked=False)
    assert judge(evidence(measured({})), None, None, []) == (verdict,)


def test_a_tool_that_was_on_the_base_is_no_longer_asked_for() -> None:
    asked, dropped = judge(evidence(measured({})), Ratchet({**LOOKED, F401: 1.0}), None, ["mypy"])
    assert (asked.gate, asked.ruling) == ("quality-mypy", Ruling.UNMEASURED)
    reason = "the base has values of ruff in toxscreen-ratchet.txt, and tool.toxscreen.gates.quality no longer names it"
    assert dropped == Verdict("quality-ruff", Ruling.FAIL, reason, unit="findings")


# judged


def test_nothing_is_worse() -> None:
    same = Ratchet({**LOOKED, F401: 2.0})
    assert one(evidence(measured({"F401 src/a.py:<module>": 2})), same, same) == Verdict(
        "quality-ruff",
        Ruling.PASS,
        "nothing that ruff counts is worse than on the base",
        measured=2.0,
        limit=2.0,
        denominator=3,
        expected_denominator=3,
        unit="findings",
        source="ruff 1.2 on 3 files",
    )


def test_files_that_are_not_looked_at_are_in_the_expected_denominator() -> None:
    found = evidence(measured({}, files=("src/a.py", "tests/t.py", "bin/tool")))
    verdict = one(found, Ratchet(LOOKED), Ratchet(LOOKED))
    assert (verdict.ruling, verdict.denominator, verdict.expected_denominator) == (Ruling.PASS, 3, 4)
    found = evidence(measured({}), expected=None)
    assert one(found, Ratchet(LOOKED), Ratchet(LOOKED)).expected_denominator is None


def test_worse_and_new() -> None:
    same = Ratchet({**LOOKED, F401: 2.0})
    verdict = one(evidence(measured({"F401 src/a.py:<module>": 3, "E501 src/a.py:A.f": 1})), same, same)
    assert verdict.ruling is Ruling.FAIL
    assert verdict.reason == "worse than on the base: src/a.py:A.f: E501 0 -> 1; src/a.py:<module>: F401 2 -> 3"
    assert (verdict.measured, verdict.limit, verdict.remedy) == (4.0, 2.0, ("ruff", "check"))
    assert verdict.findings[0] == Finding(
        "quality-worse", "src/a.py:A.f", "E501 0 -> 1", remedy=("ruff", "check"), file="src/a.py", line=7
    )


def test_a_better_one_does_not_make_up_for_a_worse_one() -> None:
    same = Ratchet({**LOOKED, F401: 5.0})
    verdict = one(evidence(measured({"E501 src/a.py:A.f": 1})), same, same)
    assert verdict.ruling is Ruling.FAIL
    assert verdict.reason == (
        "worse than on the base: src/a.py:A.f: E501 0 -> 1; "
        "1 better, which `toxscreen gate --write-ratchet` makes the limit"
    )


def test_better() -> None:
    same = Ratchet({**LOOKED, F401: 5.0})
    verdict = one(evidence(measured({"F401 src/a.py:<module>": 2})), same, same)
    assert verdict.ruling is Ruling.PASS
    assert verdict.reason == (
        "nothing that ruff counts is worse than on the base; "
        "1 better, which `toxscreen gate --write-ratchet` makes the limit"
    )
    assert verdict.remedy == MAKE


def test_only_three_findings_are_in_the_reason() -> None:
    found = evidence(measured({f"E50{number} src/a.py:g": 1 for number in range(5)}))
    verdict = one(found, Ratchet(LOOKED), Ratchet(LOOKED))
    assert len(verdict.findings) == 5
    assert verdict.reason.endswith("src/a.py:g: E502 0 -> 1; 2 more")


def test_complexity_is_no_count_of_findings() -> None:
    same = Ratchet({Key("checked", "complexity src/"): 1.0, Key("quality", "complexity C901 src/a.py:g"): 12.0})
    found = evidence(measured({"C901 src/a.py:g": 13}, "complexity"))
    verdict = one(found, same, same, "complexity")
    assert (verdict.ruling, verdict.measured, verdict.limit, verdict.unit) == (Ruling.FAIL, 13.0, 12.0, "complexity")


def test_the_file_here_may_be_stricter_than_the_base() -> None:
    found = evidence(measured({"F401 src/a.py:<module>": 4}))
    verdict = one(found, Ratchet({**LOOKED, F401: 5.0}), Ratchet({**LOOKED, F401: 3.0}))
    assert told(verdict) == [("quality-worse", "src/a.py:<module>", "F401 3 -> 4")]


def test_the_first_file_is_the_start() -> None:
    own = Ratchet({**LOOKED, F401: 3.0})
    start = "; the base has no values of ruff in toxscreen-ratchet.txt, those here are the start"
    for base in (None, Ratchet({Key("checked", "mypy src/"): 1.0})):
        verdict = judge(evidence(measured({"F401 src/a.py:<module>": 3})), base, own, ["ruff"])[0]
        assert verdict.ruling is Ruling.PASS
        assert verdict.reason == "nothing that ruff counts is worse than on the base" + start
        verdict = judge(evidence(measured({"F401 src/a.py:<module>": 4})), base, own, ["ruff"])[0]
        assert verdict.ruling is Ruling.FAIL
        assert verdict.reason == "worse than on the base: src/a.py:<module>: F401 3 -> 4" + start


def test_the_file_here_is_looser_than_the_base() -> None:
    own = Ratchet({**LOOKED, F401: 9.0, E501: 1.0})
    verdict = one(evidence(measured({})), Ratchet({**LOOKED, F401: 2.0}), own)
    assert verdict.ruling is Ruling.FAIL
    assert told(verdict) == [
        ("ratchet-looser", "ruff E501 src/a.py:A.f", "toxscreen-ratchet.txt is looser than on the base, 0 -> 1"),
        ("ratchet-looser", "ruff F401 src/a.py:<module>", "toxscreen-ratchet.txt is looser than on the base, 2 -> 9"),
    ]
    assert verdict.findings[0].file == "toxscreen-ratchet.txt"


def test_the_file_was_removed() -> None:
    verdict = one(evidence(measured({})), Ratchet({**LOOKED, F401: 2.0}), None)
    told_of = ("ratchet-looser", "toxscreen-ratchet.txt", "its values of ruff were removed, the base has them")
    assert (verdict.ruling, told(verdict)) == (Ruling.FAIL, [told_of])


def test_a_folder_that_a_tool_no_longer_looks_at() -> None:
    found = evidence(measured({}, files=("tests/t.py",)))
    unchecked = ("quality-unchecked", "src/", "ruff looked at files here, and no longer does")
    verdict = one(found, Ratchet(LOOKED), Ratchet(LOOKED))
    assert (verdict.ruling, told(verdict)) == (Ruling.FAIL, [unchecked])
    here = Ratchet({Key("checked", "ruff tests/"): 1.0})
    looser = ("ratchet-looser", "ruff src/", "toxscreen-ratchet.txt is looser than on the base, 1 -> 0")
    assert told(one(found, Ratchet(LOOKED), here)) == [unchecked, looser]


def test_a_folder_that_is_gone_need_not_be_looked_at() -> None:
    found = evidence(measured({}, files=("tests/t.py",)), expected=("tests/t.py",))
    assert one(found, Ratchet(LOOKED), Ratchet(LOOKED)).ruling is Ruling.PASS
    here = Ratchet({Key("checked", "ruff tests/"): 1.0})
    assert one(found, Ratchet(LOOKED), here).ruling is Ruling.PASS


# what moved


@pytest.mark.parametrize(
    ("now", "symbols", "ruling"),
    [
        ("E501 src/new.py:A.f", {"src/new.py": ["A.f"]}, Ruling.PASS),  # the file was renamed
        ("E501 src/b.py:A.f", {"src/a.py": ["g"], "src/b.py": ["A.f"]}, Ruling.PASS),  # the class moved
        ("E501 src/a.py:B.f", {"src/a.py": ["B.f"]}, Ruling.PASS),  # the class was renamed
        ("E501 src/a.py:B.f", {"src/a.py": ["A.f", "B.f"]}, Ruling.FAIL),  # the old one is still there
        ("E501 src/b.py:h", {"src/b.py": ["h"]}, Ruling.FAIL),  # nothing says that it is the same
        ("E502 src/new.py:A.f", {"src/new.py": ["A.f"]}, Ruling.FAIL),  # another rule
    ],
)
def test_moved(now: str, symbols: Mapping[str, Sequence[str]], ruling: Ruling) -> None:
    base = Ratchet({**LOOKED, E501: 2.0})
    found = evidence(measured({now: 2}), symbols=symbols)
    own = new_ratchet(found, base, base, ["ruff"])
    assert one(found, base, own).ruling is ruling
    assert one(found, base, base).ruling is ruling
    assert (Key("quality", f"ruff {now}") in own.values) is (ruling is Ruling.PASS)
    # More than there was is never the same.
    assert one(evidence(measured({now: 3}), symbols=symbols), base, base).ruling is Ruling.FAIL


def test_several_moved_ones_are_paired_so_that_all_fit() -> None:
    base = Ratchet(
        {**LOOKED} | {Key("quality", f"ruff C901 src/a.py:{old}"): value for old, value in [("a", 12.0), ("b", 10.0)]}
    )
    found = evidence(measured({"C901 src/a.py:p": 10, "C901 src/a.py:q": 12}), symbols={"src/a.py": ["p", "q"]})
    assert one(found, base, base).ruling is Ruling.PASS


def test_what_the_module_holds_moves_with_its_file_only() -> None:
    base = Ratchet({**LOOKED, F401: 1.0})
    found = evidence(measured({"F401 src/b.py:<module>": 1}))
    assert one(found, base, base).ruling is Ruling.FAIL
    found = evidence(measured({"F401 src/b.py:<module>": 1}), symbols={"src/b.py": []})
    assert one(found, base, base).ruling is Ruling.PASS


# writing


def test_the_first_file_is_what_was_measured() -> None:
    found = evidence(measured({"F401 src/a.py:<module>": 3}), measured({}, "mypy", failure="is not installed"))
    made = new_ratchet(found, None, None, ["ruff", "mypy"])
    assert render(made).splitlines()[2:] == [
        "checked  ruff src/  1",
        "checked  ruff tests/  1",
        "quality  ruff F401 src/a.py:<module>  3",
    ]
    assert one(found, None, parse(render(made))).ruling is Ruling.PASS


def test_what_is_written_is_never_looser_than_the_base() -> None:
    percent, mypy = Key("coverage", "total"), Key("quality", "mypy misc src/a.py:g")
    base = Ratchet({**LOOKED, F401: 2.0, percent: 80.0, mypy: 1.0, Key("checked", "mypy src/"): 1.0})
    found = evidence(measured({"F401 src/a.py:<module>": 3, "E501 src/a.py:A.f": 1}))
    for own in (base, None):
        assert new_ratchet(found, base, own, ["ruff", "mypy"]) == base
    assert new_ratchet(evidence(measured({})), base, base, ["ruff"]) == base.where(lambda key: key != F401)


def test_nothing_measured_changes_nothing() -> None:
    base, missing = Ratchet({**LOOKED, F401: 2.0}), Missing("quality", "was never made", ())
    assert new_ratchet(missing, base, base, ["ruff"]) == base
    assert new_ratchet(missing, missing, None, ["ruff"]) == Ratchet()
    assert new_ratchet(evidence(measured({"F401 src/a.py:<module>": 9})), missing, base, ["ruff"]) == base
