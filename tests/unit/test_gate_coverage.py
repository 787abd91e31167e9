"""The gates of coverage: each ruling, at its limit and just under it, with the numbers that it rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.gates import coverage
from toxscreen.gates.covered import read
from toxscreen.gates.lines import read_jumps, read_lines, statements_of, write_jumps, write_lines
from toxscreen.model import Base, Changes, Evidence, Finding, Missing, Ruling, Sourced, State, Verdict
from toxscreen.settings.gates import GATE_OPTIONS, Gates

COMMIT = "b" * 40
BASE = Base(COMMIT, "main")
COMMAND = ("toxscreen", "coverage", "unit", "integration")
STATE = State("a" * 40, None, "c")
PASS, FAIL, NOT, UNMEASURED = Ruling.PASS, Ruling.FAIL, Ruling.NOT_APPLICABLE, Ruling.UNMEASURED


def source(**told: str) -> dict[str, str]:
    return {**dict.fromkeys(("ran", "missing", "excluded", "jumped", "untaken", "spans"), ""), **told}


def alone(name: str, **files: dict[str, str]) -> dict[str, object]:
    """What an environment ran: of ``a`` in ``pkg/a.py``."""
    ran = {f"pkg/{key}.py": {"ran": "", "jumped": "", **value} for key, value in files.items()}
    return {"name": name, "commit": None, "data_files": 1, "measured_files": 1, "files": ran}


def evidence(**changed: object) -> Evidence:
    """Eight of ten statements and one of two branches: nine of twelve."""
    data: dict[str, Any] = {
        "environments": [
            alone("unit", a={"ran": "1-6", "jumped": "2>3"}),
            alone("integration", a={"ran": "1-4"}, b={"ran": "1-2"}),
        ],
        "files": {
            "pkg/a.py": source(ran="1-6", missing="8-9", jumped="2>3", untaken="2>8", excluded="20-21"),
            "pkg/b.py": source(ran="1-2"),
        },
        "never": {},
        "absent": [],
        "late": [],
        "fail_under": 75.0,
        "precision": 2,
        "base": {"commit": COMMIT, "excluded": {"pkg/a.py": 2}, "left_out": {}},
    }
    return Evidence("coverage", STATE, 0.0, COMMAND, data | changed)


def limits(**changed: object) -> Gates:
    wanted = {key.replace("_", "-"): value for key, value in changed.items()}
    assert set(wanted) <= set(GATE_OPTIONS)
    return Gates({key: Sourced(wanted.get(key, option.default), "") for key, option in GATE_OPTIONS.items()})


def changes(lines: dict[str, set[int]] | None = None, added: tuple[str, ...] = ()) -> Changes:
    return Changes(BASE, {name: frozenset(each) for name, each in (lines or {}).items()}, frozenset(added))


def verdicts(
    found: Evidence | Missing | None = None,
    changed: Changes | str | None = None,
    demanded: Gates | None = None,
    expected: tuple[str, ...] = ("unit",),
) -> dict[str, Verdict]:
    every = coverage.judge(
        evidence() if found is None else found,
        changes() if changed is None else changed,
        demanded or limits(),
        expected,
        lambda file: file.startswith("tests/"),
    )
    assert tuple(each.gate for each in every) == coverage.GATES
    assert all(each.source and each.reason for each in every)
    return {each.gate: each for each in every}


def numbers(verdict: Verdict) -> tuple[object, ...]:
    return verdict.ruling, verdict.numerator, verdict.denominator, verdict.expected_denominator


# evidence


def test_without_evidence_all_that_is_asked_is_unmeasured() -> None:
    missing = Missing("coverage", "was never made", COMMAND)
    found = verdicts(missing, demanded=limits(coverage_branches=50.0))
    assert {gate: each.ruling for gate, each in found.items()} == {
        "coverage": UNMEASURED,
        "coverage-branches": UNMEASURED,
        "coverage-files": NOT,
        "coverage-packages": NOT,
        "coverage-categories": NOT,
        "coverage-changed": UNMEASURED,
        "coverage-exclusive": NOT,
        "coverage-excluded": UNMEASURED,
    }
    assert found["coverage"].reason == "the evidence 'coverage' was never made"
    assert found["coverage"].remedy == COMMAND
    assert found["coverage-files"].reason == "no limit is set: gates.coverage-file"
    assert {gate for gate, each in found.items() if not each.asked} == {
        "coverage-files",
        "coverage-packages",
        "coverage-categories",
        "coverage-exclusive",
    }


def test_a_limit_of_nothing_is_a_limit() -> None:
    missing = Missing("coverage", "was never made", COMMAND)
    nothing = verdicts(missing, demanded=limits(coverage_exclusive=0.0, coverage_file=0.0, coverage_changed=None))
    assert [gate for gate, each in nothing.items() if each.ruling is UNMEASURED and each.asked] == [
        "coverage",
        "coverage-files",
        "coverage-exclusive",
        "coverage-excluded",
    ]


@pytest.mark.parametrize("missing", [True, False])
def test_what_has_no_limit_is_the_same_with_evidence_and_without(*, missing: bool) -> None:
    found = verdicts(Missing("coverage", "was never made", COMMAND) if missing else evidence())
    unasked = {gate for gate, each in found.items() if not each.asked}
    names = ("branches", "files", "packages", "categories", "exclusive")
    assert unasked == {f"coverage-{name}" for name in names}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"files": 3}, "AttributeError"),
        ({"files": {"a": {}}}, "KeyError: 'excluded'"),
        ({"files": {"a": source(ran="one")}}, "ValueError"),
        ({"environments": None}, "TypeError"),
        ({"base": {"commit": "x"}}, "KeyError: 'excluded'"),
        ({"fail_under": "high"}, "ValueError"),
        ({"fail_under": float("nan")}, "ValueError: a floor of nan"),
        ({"fail_under": float("inf")}, "ValueError: a floor of inf"),
        ({"precision": -1}, "ValueError: a floor of 75.0 with -1 digits"),
        ({"precision": float("inf")}, "OverflowError"),
        ({"files": {"a": source(ran="1-99999999999")}}, "ValueError: no lines of a file: 1-99999999999"),
        ({"files": {"a": source(ran="7-3")}}, "ValueError: no lines of a file: 7-3"),
    ],
)
def test_evidence_that_nobody_can_understand_is_unmeasured(changed: dict[str, object], told: str) -> None:
    verdict = verdicts(evidence(**changed))["coverage"]
    assert verdict.ruling is UNMEASURED
    assert f"the evidence 'coverage' cannot be understood ({told}" in verdict.reason


# the whole


def test_the_total_is_held_to_coverages_own_floor() -> None:
    verdict = verdicts()["coverage"]
    assert verdict == Verdict(
        "coverage",
        PASS,
        "coverage is 75.00 %, at or over the floor of 75 %: 9 of 12 ran (10 statements and 2 branches)",
        75.0,
        75.0,
        9,
        12,
        12,
        unit="%",
        source="one combined measurement of unit, integration",
        remedy=COMMAND,
    )


def test_the_limit_of_the_gate_goes_before_the_floor() -> None:
    verdict = verdicts(demanded=limits(coverage=75.01))["coverage"]
    assert (verdict.ruling, verdict.limit) == (FAIL, 75.01)
    assert verdict.findings == (
        Finding(
            "coverage-missing",
            "pkg/a.py",
            "7 of 10 ran; missing: lines 8-9; branches 2>8",
            file="pkg/a.py",
            line=2,
        ),
    )


def test_a_file_that_nobody_measured_fails_whatever_the_total() -> None:
    verdict = verdicts(evidence(never={"pkg/new.py": source(missing="1-3", untaken="1>2,1>3")}))["coverage"]
    assert numbers(verdict) == (FAIL, 9, 12, 17)
    assert verdict.reason.endswith("(10 statements and 2 branches); never measured: pkg/new.py")
    assert verdict.findings == (
        Finding(
            "coverage-never",
            "pkg/new.py",
            "no environment measured this file: 3 statements",
            file="pkg/new.py",
            line=1,
        ),
    )


def test_an_environment_that_is_not_part_of_it_makes_all_of_it_unmeasured() -> None:
    found = verdicts(expected=("unit", "real-world", "perf"), changed=changes({"pkg/a.py": {1}}))
    assert found["coverage"].ruling is UNMEASURED
    assert found["coverage"].reason.startswith("not combined: real-world, perf; of the rest: coverage is 75.00 %")
    assert {each.ruling for each in found.values()} == {UNMEASURED, NOT}
    assert found["coverage-changed"].ruling is UNMEASURED


def test_a_source_that_names_nothing_is_unmeasured() -> None:
    verdict = verdicts(evidence(absent=["srcc"]))["coverage"]
    assert verdict.ruling is UNMEASURED
    assert verdict.reason.startswith("source names nothing here: srcc; of the rest: ")


def test_tests_alone_are_no_measurement_of_what_they_test() -> None:
    verdict = verdicts(evidence(files={"tests/test_a.py": source(ran="1-9")}))["coverage"]
    assert verdict.ruling is UNMEASURED
    assert verdict.reason.startswith("only tests were measured, nothing that they test; of the rest: ")


def test_files_that_were_imported_before_coverage_began_make_it_unmeasured() -> None:
    verdict = verdicts(evidence(late=["pkg/a.py"]))["coverage"]
    assert verdict.ruling is UNMEASURED
    assert verdict.reason.startswith("imported before coverage began, so measured in part: pkg/a.py; of the rest: ")


def test_nothing_measured_is_unmeasured() -> None:
    found = verdicts(evidence(files={"pkg/__init__.py": source()}, environments=[]), expected=())
    assert found["coverage"].reason == "no statement was measured; of the rest: nothing could have run"
    assert {each.ruling for each in found.values()} == {UNMEASURED, NOT}


# branches


@pytest.mark.parametrize(("limit", "ruling"), [(50.0, PASS), (50.01, FAIL), (0.0, PASS)])
def test_branches_have_a_limit_of_their_own(limit: float, ruling: Ruling) -> None:
    verdict = verdicts(demanded=limits(coverage_branches=limit))["coverage-branches"]
    assert numbers(verdict) == (ruling, 1, 2, 2)
    rule = "at or over" if ruling is PASS else "under"
    assert verdict.reason == f"1 of 2 branches ran, 50.00 %, {rule} {limit:g} %"
    assert bool(verdict.findings) == (ruling is FAIL)


def test_sources_without_branches_have_no_share_of_them() -> None:
    files = {"pkg/a.py": source(ran="1-9", missing="10-11")}
    verdict = verdicts(evidence(files=files), demanded=limits(coverage_branches=90.0))["coverage-branches"]
    assert (verdict.ruling, verdict.reason) == (NOT, "the sources have 0 branches in 1 files")


def test_without_a_limit_branches_are_told_and_not_judged() -> None:
    verdict = verdicts()["coverage-branches"]
    assert numbers(verdict) == (NOT, 1, 2, 2)
    assert verdict.reason == "1 of 2 branches ran, 50.00 %; no limit is set: gates.coverage-branches"


# files, packages, environments


@pytest.mark.parametrize(("limit", "ruling", "good"), [(70.0, PASS, 2), (70.01, FAIL, 1)])
def test_each_file_has_its_limit(limit: float, ruling: Ruling, good: int) -> None:
    verdict = verdicts(demanded=limits(coverage_file=limit))["coverage-files"]
    assert numbers(verdict) == (ruling, good, 2, 2)
    assert (verdict.measured, verdict.limit) == (70.0, limit)
    told = f"{good} of 2 files reach their limit; lowest against its limit of {limit:g} %: pkg/a.py with 70.00 %"
    assert verdict.reason == told
    assert [finding.file for finding in verdict.findings] == ["pkg/a.py"] * (2 - good)


def test_a_file_that_nobody_measured_has_nothing_covered() -> None:
    found = evidence(never={"pkg/new.py": source(missing="1-3")})
    verdict = verdicts(found, demanded=limits(coverage_file=1.0))["coverage-files"]
    assert numbers(verdict) == (FAIL, 2, 3, 3)
    assert [finding.slug for finding in verdict.findings] == ["coverage-never"]


def test_packages_have_limits_of_their_own() -> None:
    files = {
        "src/app/core/a.py": source(ran="1-8", missing="9-10"),
        "src/app/web/core/b.py": source(missing="1-10"),
        "src/app/x.py": source(ran="1"),
    }
    asked = limits(coverage_packages={"app.core": 80.0, "app.web": 10.0, "src/app": 40.0})
    verdict = verdicts(evidence(files=files), demanded=asked)["coverage-packages"]
    assert numbers(verdict) == (FAIL, 2, 3, 3)
    assert verdict.findings == (
        Finding(
            "coverage-low",
            "app.web",
            "0 of 10 ran in 1 files of app.web, under 10 %",
            file="src/app/web/core/b.py",
        ),
    )


def test_a_package_of_which_there_is_no_file_is_unmeasured() -> None:
    verdict = verdicts(demanded=limits(coverage_packages={"pkg": 75.0, "gone": 1.0}))["coverage-packages"]
    assert numbers(verdict) == (UNMEASURED, 1, 1, 2)
    assert verdict.reason.startswith("no source file is in gone; 1 of 2 packages reach their limit")


@pytest.mark.parametrize(("limit", "ruling"), [(58.3, PASS), (58.34, FAIL)])
def test_an_environment_alone_is_held_to_its_limit(limit: float, ruling: Ruling) -> None:
    verdict = verdicts(demanded=limits(coverage_categories={"unit": limit}))["coverage-categories"]
    assert numbers(verdict) == (ruling, int(ruling is PASS), 1, 1)
    assert "lowest against its limit of" in verdict.reason
    assert "unit with 58.33 %" in verdict.reason


def test_an_environment_that_was_not_combined_is_unmeasured() -> None:
    verdict = verdicts(demanded=limits(coverage_categories={"perf": 1.0}))["coverage-categories"]
    assert (verdict.ruling, verdict.reason) == (UNMEASURED, "not combined: perf; 0 of 1 environments reach their limit")


# changed lines


@pytest.mark.parametrize(
    ("lines", "ruling", "numerator", "denominator"),
    [({1, 2, 3, 4, 5}, FAIL, 6, 7), ({1, 3, 4, 5}, PASS, 4, 4), ({8}, FAIL, 0, 1), ({2}, FAIL, 2, 3)],
)
def test_changed_lines_and_the_branches_that_begin_on_them(
    lines: set[int], ruling: Ruling, numerator: int, denominator: int
) -> None:
    asked = limits(coverage_changed=90.0)
    verdict = verdicts(changed=changes({"pkg/a.py": lines}), demanded=asked)["coverage-changed"]
    assert numbers(verdict) == (ruling, numerator, denominator, denominator)


def test_what_is_not_covered_of_a_change_is_named() -> None:
    verdict = verdicts(changed=changes({"pkg/a.py": {2, 8, 9}, "pkg/b.py": {1}}))["coverage-changed"]
    assert verdict.reason == (
        f"3 of 6 changed statements and branches ran (4 and 2), 50.00 %, under 80 %, against {COMMIT[:12]} (main)"
    )
    assert verdict.findings == (
        Finding(
            "coverage-changed",
            "pkg/a.py",
            "changed and not covered: lines 8-9; branches 2>8",
            file="pkg/a.py",
            line=2,
        ),
    )


def test_exactly_at_the_limit_passes() -> None:
    found = evidence(files={"pkg/a.py": source(ran="1-4", missing="5")})
    for limit, ruling in ((80.0, PASS), (80.001, FAIL)):
        asked = limits(coverage_changed=limit)
        verdict = verdicts(found, changes({"pkg/a.py": {1, 2, 3, 4, 5}}), asked)["coverage-changed"]
        assert (verdict.ruling, verdict.measured) == (ruling, 80.0)


@pytest.mark.parametrize("lines", [{}, {"pkg/a.py": set()}, {"pkg/a.py": {7, 20}, "README.md": {1}}])
def test_a_change_without_an_executable_line_is_not_applicable_and_says_so(lines: dict[str, set[int]]) -> None:
    verdict = verdicts(changed=changes(lines))["coverage-changed"]
    assert numbers(verdict) == (NOT, 0, 0, 0)
    assert verdict.reason == f"the diff against {COMMIT[:12]} (main) has 0 executable lines in {len(lines)} files"


@pytest.mark.parametrize("more", [{}, {"pkg/a.py": {1}}])
def test_changed_python_files_that_are_no_sources_are_named(more: dict[str, set[int]]) -> None:
    changed = changes({"tool.py": {1}, "README.md": {1}, "gone.py": set(), **more})
    verdict = verdicts(changed=changed)["coverage-changed"]
    assert verdict.ruling is (PASS if more else NOT)
    assert verdict.reason.endswith("; not among the sources and so not judged: tool.py")


def test_a_line_inside_a_statement_stands_for_the_statement() -> None:
    found = evidence(files={"pkg/a.py": source(ran="1", missing="3,9", spans="3-6,9-12")})
    verdict = verdicts(found, changes({"pkg/a.py": {5, 13}}))["coverage-changed"]
    assert numbers(verdict) == (FAIL, 0, 1, 1)


def test_a_changed_file_that_nobody_measured_fails() -> None:
    found = evidence(never={"pkg/new.py": source(missing="1-3"), "pkg/other.py": source(missing="1")})
    changed = changes({"pkg/new.py": {1, 2, 3}, "pkg/a.py": {1}, "pkg/other.py": set()}, added=("pkg/new.py",))
    verdict = verdicts(found, changed, limits(coverage_changed=0.0))["coverage-changed"]
    assert numbers(verdict) == (FAIL, 1, 1, 4)
    assert verdict.reason.startswith("changed and never measured: pkg/new.py; 1 of 1 changed statements")
    assert [finding.line for finding in verdict.findings] == [1]


def test_a_comment_in_a_file_that_nobody_measured_fails_too() -> None:
    found = evidence(never={"pkg/new.py": source(missing="2-3")})
    verdict = verdicts(found, changes({"pkg/new.py": {1}}))["coverage-changed"]
    assert numbers(verdict) == (FAIL, 0, 0, 0)
    assert verdict.reason == "changed and never measured: pkg/new.py; nothing else that can run was changed"


def test_without_a_base_the_change_is_unmeasured() -> None:
    found = verdicts(changed="there is no git commit to compare with")
    for gate in ("coverage-changed", "coverage-excluded"):
        assert found[gate].ruling is UNMEASURED
        assert "nothing to compare with: there is no git commit to compare with" in found[gate].reason
        # Measuring again would give no base.
        assert found[gate].remedy == ()
    assert verdicts(changed="no base", expected=("perf",))["coverage-changed"].remedy == COMMAND


def test_a_measurement_that_was_compared_with_another_base_is_made_again_with_this_one() -> None:
    other = evidence(base={"commit": "f" * 40, "excluded": {}, "left_out": {}})
    for made_by in (COMMAND, (*COMMAND, "--against", "old")):
        verdict = verdicts(replace(other, command=made_by))["coverage-excluded"]
        assert (verdict.ruling, verdict.remedy) == (UNMEASURED, (*COMMAND, "--against", COMMIT[:12]))


# what one environment covers, and what nobody counts


@pytest.mark.parametrize(("limit", "ruling"), [(50.0, PASS), (49.99, FAIL), (None, NOT)])
def test_lines_that_one_environment_covers(limit: float | None, ruling: Ruling) -> None:
    verdict = verdicts(demanded=limits(coverage_exclusive=limit))["coverage-exclusive"]
    assert numbers(verdict) == (ruling, 4, 8, 8)
    assert verdict.reason.startswith(
        "4 of 8 lines that ran are covered by one environment only (unit 2, integration 2)"
    )
    named = [(finding.file, finding.line, finding.message) for finding in verdict.findings]
    wanted = [
        ("pkg/b.py", 1, "only integration covers lines 1-2"),
        ("pkg/a.py", 5, "only unit covers lines 5-6"),
    ]
    assert named == ([] if ruling is PASS else wanted)


@pytest.mark.parametrize(
    ("before", "more", "ruling", "told"),
    [
        ({"pkg/a.py": 2}, 0, PASS, "2 lines are excluded, as many as the 2 of"),
        ({"pkg/a.py": 1, "pkg/b.py": 1}, 0, PASS, "2 lines are excluded, as many as the 2 of"),
        ({"pkg/a.py": 5}, 0, PASS, "2 lines are excluded, 3 fewer than the 5 of"),
        ({"pkg/a.py": 1}, 0, FAIL, "2 lines are excluded, 1 more than the 1 of"),
        ({}, 1, FAIL, "2 lines are excluded, 2 more than the 0 of"),
        ({}, 2, PASS, "2 lines are excluded, 2 more than the 0 of"),
    ],
)
def test_excluded_lines_may_not_become_more(before: dict[str, int], more: int, ruling: Ruling, told: str) -> None:
    found = evidence(base={"commit": COMMIT, "excluded": before, "left_out": {}})
    verdict = verdicts(found, demanded=limits(coverage_excluded=more))["coverage-excluded"]
    assert (verdict.ruling, verdict.measured, verdict.limit) == (ruling, 2, sum(before.values()) + more)
    assert verdict.reason.startswith(f"{told} {COMMIT[:12]}")
    old = before.get("pkg/a.py", 0)
    finding = Finding(
        "coverage-excluded",
        "pkg/a.py",
        f"excludes 2 lines, the base {old}: 20-21",
        file="pkg/a.py",
        line=20,
    )
    assert verdict.findings == ((finding,) if ruling is FAIL else ())


def test_a_file_that_is_left_out_now_is_excluded_as_a_whole() -> None:
    found = evidence(base={"commit": COMMIT, "excluded": {"pkg/a.py": 2}, "left_out": {"pkg/c.py": 7}})
    verdict = verdicts(found)["coverage-excluded"]
    assert (verdict.ruling, verdict.numerator) == (FAIL, 9)
    assert [finding.message for finding in verdict.findings] == [
        "the base measured this file, this configuration leaves it out: 7 statements"
    ]


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ({"error": "a shallow clone"}, "2 lines are excluded, nothing to compare with: a shallow clone"),
        (
            {"commit": "d" * 40, "excluded": {}, "left_out": {}},
            f"the measurement was compared with {'d' * 12}, changes are against {'b' * 12}",
        ),
    ],
)
def test_without_the_count_of_the_base_the_exclusions_are_unmeasured(base: dict[str, object], told: str) -> None:
    verdict = verdicts(evidence(base=base))["coverage-excluded"]
    assert (verdict.ruling, verdict.reason) == (UNMEASURED, told)


# properties

_LINES = st.frozensets(st.integers(1, 40), max_size=20)


@given(_LINES, _LINES, _LINES, st.floats(0, 100), st.data())
def test_covering_more_never_makes_a_gate_fail(
    statements: frozenset[int], ran: frozenset[int], changed: frozenset[int], limit: float, data: st.DataObject
) -> None:
    every = statements | {1}
    before = ran & every
    after = before | data.draw(st.frozensets(st.sampled_from(sorted(every))))
    asked = limits(
        coverage=limit,
        coverage_file=limit,
        coverage_packages={"pkg": limit},
        coverage_categories={"unit": limit},
        coverage_changed=limit,
    )

    def rulings(covered: frozenset[int]) -> dict[str, Ruling]:
        found = evidence(
            files={"pkg/a.py": source(ran=write_lines(covered), missing=write_lines(every - covered))},
            environments=[alone("unit", a={"ran": write_lines(covered)})],
        )
        judged = verdicts(found, changes({"pkg/a.py": set(changed)}), asked)
        return {gate: verdict.ruling for gate, verdict in judged.items()}

    worse, better = rulings(before), rulings(after)
    assert all(better[gate] is ruling for gate, ruling in worse.items() if ruling is PASS)


@given(_LINES, st.frozensets(st.tuples(st.integers(1, 40), st.integers(-9, 40))))
def test_lines_and_jumps_are_read_as_they_were_written(
    lines: frozenset[int], jumps: frozenset[tuple[int, int]]
) -> None:
    assert read_lines(write_lines(lines)) == lines
    assert read_jumps(write_jumps(jumps)) == jumps


def test_lines_are_written_as_ranges() -> None:
    assert write_lines([9, 1, 2, 3, 7, 3]) == "1-3,7,9"
    assert write_jumps([(3, -1), (3, 5), (1, 2)]) == "1>2,3>-1,3>5"


def test_a_line_belongs_to_the_innermost_statement() -> None:
    assert statements_of([1, 4, 5, 8, 30], {1, 3, 7}, [(1, 9), (3, 5), (20, 40)]) == {1, 3}


def test_evidence_is_read_as_nouns() -> None:
    found = read(evidence(never={"pkg/new.py": source(missing="1-3")}))
    assert not isinstance(found, Missing)
    assert [(file.name, file.covered, file.countable, file.measured) for file in found.files] == [
        ("pkg/a.py", 7, 10, True),
        ("pkg/b.py", 2, 2, True),
        ("pkg/new.py", 0, 3, False),
    ]
    assert found.never == {"pkg/new.py": 3}
