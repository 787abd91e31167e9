"""The gate on comparisons: slower fails, open questions are not green, and neither is evidence of something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from compared import BASE, FILE, comparison, every_kind, one

from toxscreen import host
from toxscreen.cli import perf_page
from toxscreen.cli.gathering import Project, perf_bases
from toxscreen.gates.performance import judge
from toxscreen.model import (
    Base,
    Change,
    Comparison,
    Evidence,
    Finding,
    Missing,
    Revision,
    Ruling,
    SelfCheck,
    State,
    Verdict,
)
from toxscreen.settings import load
from toxscreen.settings.gates import load_gates

STATE = State("c" * 40, None, "f")


def of(found: Comparison, *, limit: int = 0, bases: frozenset[str] | str = frozenset({BASE})) -> Verdict:
    return of_all({"CPython 3.12": perf_page.data(found)}, limit, bases)


def of_all(found: object, limit: int = 0, bases: frozenset[str] | str = frozenset({BASE})) -> Verdict:
    made = Evidence("perf", STATE, 1.0, ("toxscreen", "perf"), {"comparisons": found})
    (verdict,) = judge(made, limit, 3.0, bases)
    return verdict


def test_nobody_asks_where_no_limit_is_set() -> None:
    assert judge(Missing("perf", "was never made", ()), None, 3.0, frozenset()) == ()


def test_nothing_slower_passes() -> None:
    found = comparison(one("test_a"), one("test_b", Change.IMPROVED), one("test_c", Change.NEW))
    assert of(found) == Verdict(
        "performance",
        Ruling.PASS,
        "none of 2 is slower; faster: 1; new: 1",
        measured=0,
        limit=0,
        numerator=0,
        denominator=2,
        expected_denominator=2,
        unit="benchmarks",
        source=f"evidence perf, against {'b' * 12} (merge base with main)",
    )


def test_slower_fails_with_the_command_that_looks_again() -> None:
    verdict = of(every_kind())
    told = f"slower than on the base: {FILE}::test_slow[big] (+5.0 %); faster: 1; new: 1; gone: 1"
    assert (verdict.ruling, verdict.reason) == (Ruling.FAIL, told)
    assert (verdict.measured, verdict.numerator, verdict.denominator, verdict.expected_denominator) == (1, 1, 3, 5)
    show = ("toxscreen", "perf", "--select", "test_slow")
    message = "regressed: slower than 1 %, in two batches"
    assert verdict.findings == (
        Finding("performance-regressed", f"{FILE}::test_slow[big]", message, "evidence perf", show, FILE),
    )
    assert verdict.remedy == show


def test_as_many_slower_ones_as_are_allowed_pass() -> None:
    verdict = of(comparison(one("test_a", Change.REGRESSED), one("test_b")), limit=1)
    told = f"slower than on the base: {FILE}::test_a (+5.0 %)"
    assert (verdict.ruling, verdict.reason, verdict.measured) == (Ruling.PASS, told, 1)


def test_more_than_three_are_counted() -> None:
    verdict = of(comparison(*(one(f"test_{n}", Change.REGRESSED) for n in range(5))))
    assert verdict.reason.endswith("test_2 (+5.0 %) and 2 more")


@pytest.mark.parametrize("change", [Change.UNDECIDED, Change.BROKEN])
def test_open_questions_are_not_green(change: Change) -> None:
    verdict = of(comparison(one("test_a"), one("test_b", change)))
    shown = "+2.0 %" if change is Change.UNDECIDED else "broken"
    assert (verdict.ruling, verdict.reason) == (Ruling.UNMEASURED, f"not decided: {FILE}::test_b ({shown})")
    assert (verdict.denominator, verdict.expected_denominator) == (1, 2)
    assert [each.slug for each in verdict.findings] == [f"performance-{change}"]
    # One with --select would be no evidence.
    assert verdict.remedy == ("toxscreen", "perf")


def test_what_is_skipped_is_told() -> None:
    verdict = of(comparison(one("test_a"), skipped=(f"{FILE}::test_b", "tests/perf/test_other.py")))
    assert (verdict.ruling, verdict.reason) == (Ruling.PASS, "none of 1 is slower; skipped: 2")
    assert (verdict.denominator, verdict.expected_denominator) == (1, 3)


@pytest.mark.parametrize(
    ("changes", "ruling", "reason"),
    [
        ((Change.NEW, Change.NEW), Ruling.NOT_APPLICABLE, "the base has no benchmark, all 2 are new"),
        ((Change.NEW, Change.GONE), Ruling.UNMEASURED, "no benchmark of the base is left to compare with"),
        ((Change.GONE,), Ruling.UNMEASURED, "no benchmark of the base is left to compare with"),
        ((), Ruling.UNMEASURED, "no benchmark was found"),
    ],
)
def test_nothing_on_both_sides(changes: tuple[Change, ...], ruling: Ruling, reason: str) -> None:
    unchecked = SelfCheck(passed=False, reason="no benchmark was measured")
    found = comparison(*(one(f"test_{number}", change) for number, change in enumerate(changes)), self_check=unchecked)
    verdict = of(found)
    assert (verdict.ruling, verdict.reason, verdict.measured, verdict.denominator) == (ruling, reason, None, 0)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            {"base": Revision("HEAD", "d" * 40)},
            f"the evidence perf is against {'d' * 12}, and changes are compared with {'b' * 12}",
        ),
        ({"candidate": Revision("working tree", BASE)}, f"the evidence perf compares {'b' * 12} with itself"),
        ({"resolution": 0.05}, "the evidence perf has a resolution of 5 %, at most 3 % are allowed"),
        ({"resolution": float("nan")}, None),
        ({"complete": False}, "the evidence perf is of a comparison that was cut short"),
        (
            {"self_check": SelfCheck(passed=False, reason="base over base is 1.040")},
            "the base against itself did not pass: base over base is 1.040",
        ),
    ],
)
def test_evidence_that_cannot_be_judged(given: dict[str, Any], reason: str | None) -> None:
    verdict = of(replace(comparison(one("test_a", Change.REGRESSED)), **given))
    assert verdict.ruling is Ruling.UNMEASURED
    assert verdict.reason == reason or (reason is None and "cannot be understood" in verdict.reason)
    assert verdict.remedy == ("toxscreen", "perf")


def test_evidence_that_lacks() -> None:
    (verdict,) = judge(Missing("perf", "was never made", ("toxscreen", "perf")), 0, 3.0, frozenset({BASE}))
    assert (verdict.ruling, verdict.reason) == (Ruling.UNMEASURED, "the evidence perf was never made")
    assert of(comparison(one("test_a")), bases="no git").reason == "nothing to compare with: no git"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"base": 1},
        {"base": {"commit": BASE}, "resolution": "much"},
        {"base": {"commit": BASE}, "resolution": 0.03, "complete": True, "self_check": {}},
        {
            "base": {"commit": BASE, "name": ""},
            "resolution": 0.03,
            "complete": True,
            "self_check": {"passed": True, "reason": ""},
            "compared": [{"node_id": "a", "change": "quicker"}],
        },
    ],
)
def test_evidence_that_nobody_understands(data: dict[str, Any]) -> None:
    verdict = of_all({"CPython 3.12": data})
    assert (verdict.ruling, verdict.measured) == (Ruling.UNMEASURED, None)
    assert verdict.reason.startswith("the evidence perf cannot be understood (")


@pytest.mark.parametrize("found", [{}, [], None, 3])
def test_evidence_without_a_comparison(found: object) -> None:
    verdict = of_all(found)
    assert (verdict.ruling, verdict.reason) == (Ruling.UNMEASURED, "the evidence perf holds no comparison")


# several interpreters


@pytest.mark.parametrize(
    ("changes", "ruling", "reason"),
    [
        (
            (Change.SAME, Change.REGRESSED, Change.UNDECIDED, Change.NEW),
            Ruling.FAIL,
            f"CPython 3.12, the worst of 4: slower than on the base: {FILE}::test_a (+5.0 %)",
        ),
        (
            (Change.SAME, Change.UNDECIDED, Change.NEW),
            Ruling.UNMEASURED,
            f"CPython 3.12, the worst of 3: not decided: {FILE}::test_a (+2.0 %)",
        ),
        (
            (Change.NEW, Change.SAME),
            Ruling.NOT_APPLICABLE,
            "CPython 3.11, the worst of 2: the base has no benchmark, all 1 are new",
        ),
        ((Change.SAME, Change.IMPROVED), Ruling.PASS, "CPython 3.11, the worst of 2: none of 1 is slower"),
    ],
)
def test_the_interpreter_that_is_worst_off_is_ruled_on(
    changes: tuple[Change, ...], ruling: Ruling, reason: str
) -> None:
    made = {f"CPython 3.1{n}": perf_page.data(comparison(one("test_a", each))) for n, each in enumerate(changes, 1)}
    verdict = of_all(made)
    assert (verdict.ruling, verdict.reason) == (ruling, reason)


def test_an_interpreter_whose_comparison_nobody_understands_is_worse_than_one_that_passes() -> None:
    verdict = of_all({"CPython 3.11": perf_page.data(comparison(one("test_a"))), "CPython 3.12": 7})
    assert verdict.ruling is Ruling.UNMEASURED
    assert verdict.reason.startswith(
        "CPython 3.12, the worst of 2: the evidence perf cannot be understood (TypeError: "
    )


# which base


def project(root: Path, base: Base | str) -> Project:
    return Project(root, load(root, {}), load_gates(root, {}), STATE, base, "")


def test_the_base_is_that_of_all_changes_or_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "git_resolve", lambda _, name: {"v1": "1" * 40, "v2": "2" * 40}.get(name))
    monkeypatch.setattr(host, "git_merge_base", lambda _, __, other: "9" * 40 if other == "v1" else None)
    usual = Base(BASE, "merge base with main")
    assert perf_bases(project(tmp_path, usual), None) == frozenset({BASE})
    assert perf_bases(project(tmp_path, "no git"), None) == "no git"
    (tmp_path / "pyproject.toml").write_text('[tool.toxscreen.perf]\nagainst = "v1"\n', encoding="utf-8")
    assert perf_bases(project(tmp_path, usual), None) == frozenset({"1" * 40, "9" * 40})
    assert perf_bases(project(tmp_path, "no git"), "v2") == frozenset({"2" * 40})
    assert perf_bases(project(tmp_path, usual), "v3") == "there is no revision 'v3'"
