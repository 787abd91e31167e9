"""What the gates on tests say: each ruling, its numbers and its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from toxscreen.gates.requirements import PROOF_COMMAND, executed_by, no_assertion, proof_verdict, proves_change
from toxscreen.model import (
    Attempt,
    ChangedFunctions,
    Evidence,
    Finding,
    Function,
    Header,
    Missing,
    Order,
    Outcome,
    Ruling,
    Run,
    RunState,
    State,
    Verdict,
)

HEADER = Header(
    1, "r", "unit", 0.0, (), ".", "python", None, None, cwd_importable=False, commit=None, changes=None, workers=0
)
STATE = State("c0ffee", None, "abc")


def run(state: RunState = RunState.COMPLETE, **tests: Outcome) -> Run:
    """A run of tests of which those called none... can assert nothing."""
    attempts = tuple(
        Attempt(f"tests/test_a.py::{name}", "main", 0, 0.0, outcome, asserts_nothing=name.startswith("none"))
        for name, outcome in tests.items()
    )
    ids = tuple(each.node_id for each in attempts)
    return Run(HEADER, state, attempts, Order((), None, ""), ids, 0, 1.0)


def evidence(data: Mapping[str, Any], kind: str = "coverage") -> Evidence:
    return Evidence(kind, STATE, 0.0, ("toxscreen", kind), dict(data))


def only(verdicts: tuple[Verdict, ...]) -> Verdict:
    assert len(verdicts) == 1
    return verdicts[0]


def numbers(found: Verdict) -> tuple[float | None, ...]:
    return found.measured, found.limit, found.numerator, found.denominator, found.expected_denominator


def test_what_nobody_asks_for_is_not_judged() -> None:
    missing = Missing("coverage", "was never made", ())
    assert no_assertion(None, {}) == executed_by((), missing, (), "") == ()
    assert proves_change(asked=False, proof=missing, base=None) == ()


def test_tests_that_can_assert_nothing_are_counted_once_over_all_environments() -> None:
    runs = {
        "unit": run(one=Outcome.PASSED, none_a=Outcome.PASSED, none_b=Outcome.FAILED, none_c=Outcome.SKIPPED),
        "integration": run(none_a=Outcome.PASSED, two=Outcome.PASSED),
    }
    found = only(no_assertion(0, runs))
    assert (found.gate, found.ruling, found.reason) == ("no-assertion", "fail", "1 test of 5 can assert nothing")
    assert numbers(found) == (
        1,
        0,
        1,
        5,
        5,
    )
    assert found.source == "recorded runs of unit, integration"
    told = "neither it nor its helpers and fixtures can assert anything; assert what it is about, or mark it with "
    finding = Finding("test-asserts-nothing", "tests/test_a.py::none_a", told + "@pytest.mark.must_not_raise")
    assert [(each.slug, each.subject, each.message) for each in found.findings] == [
        (finding.slug, finding.subject, finding.message)
    ]
    assert only(no_assertion(1, runs)).ruling is Ruling.PASS


def test_without_whole_runs_nobody_can_tell_what_asserts() -> None:
    absent = only(no_assertion(0, {"unit": Missing("run", "is not recorded", ("tox", "-e", "unit"))}))
    assert (absent.ruling, absent.reason) == ("unmeasured", "the run of unit is not recorded")
    assert absent.remedy == ("tox", "-e", "unit")
    stopped = only(no_assertion(0, {"unit": run(RunState.STOPPED, one=Outcome.PASSED)}))
    assert (stopped.ruling, stopped.reason) == ("unmeasured", "the run of unit is stopped")
    empty = only(no_assertion(0, {"unit": run()}))
    assert (empty.ruling, empty.reason, empty.expected_denominator) == ("unmeasured", "no test ran", 0)
    assert only(no_assertion(0, {})).reason == "there is no environment that should have run"


UNCLEAR = "the evidence coverage cannot be understood"


def measured(**environments: str) -> Evidence:
    """Evidence in which environments ran lines of one file."""
    whole = dict.fromkeys(("ran", "missing", "excluded", "jumped", "untaken", "spans"), "")
    return evidence(
        {
            "environments": [
                {"name": name, "files": {"src/a.py": {"ran": lines, "jumped": ""}}}
                for name, lines in environments.items()
            ],
            "files": {"src/a.py": whole, "src/never_ran.py": whole},
            "never": {},
            "absent": [],
            "late": [],
            "fail_under": 0,
            "precision": 0,
            "base": {"error": "nobody asked"},
        }
    )


RAN = measured(unit="1-4,7", integration="1,9-9")


def changed(*functions: Function, file: str = "src/a.py", problem: str = "") -> ChangedFunctions:
    return ChangedFunctions(file, functions, problem)


def function(name: str, *lines: int, shares_line: bool = False) -> Function:
    return Function(name, 2, 20, frozenset(lines), shares_line)


def test_each_changed_function_has_to_run() -> None:
    ran, other = function("ran", 7, 8), function("other", 9)
    found = only(executed_by(("unit",), RAN, [changed(ran, other, function("stub"))], "main"))
    assert (found.ruling, found.reason) == ("fail", "1 of 2 changed functions run in unit")
    assert numbers(found) == (
        1,
        2,
        1,
        2,
        2,
    )
    assert found.findings == (
        Finding("function-not-executed", "src/a.py:other", "no line of its body runs in unit", file="src/a.py", line=2),
    )
    assert found.source == "evidence coverage, changes since main"
    both = only(executed_by(("unit", "integration"), RAN, [changed(ran, other)], "main"))
    assert (both.ruling, both.reason) == ("pass", "2 of 2 changed functions run in unit or integration")


def test_functions_of_which_nothing_can_be_known_count_against_you() -> None:
    one = only(executed_by(("unit",), RAN, [changed(function("one", shares_line=True))], "main"))
    assert (one.ruling, one.numerator) == ("fail", 0)
    assert "its body stands on the line of its def" in one.findings[0].message
    new = only(executed_by(("unit",), RAN, [changed(function("new", 3), file="src/deep/new.py")], "main"))
    assert new.findings[0].message == "no environment measured the file, so no line of it is known to run in unit"
    idle = only(executed_by(("unit",), RAN, [changed(function("idle", 3), file="src/never_ran.py")], "main"))
    assert idle.findings[0].message == "no line of its body runs in unit"
    aside = only(executed_by(("unit",), RAN, [changed(function("new", 3), file="ci/tool.py")], "main"))
    assert (aside.ruling, aside.denominator) == ("not-applicable", 0)
    told = "0 functions of the 0 measured files that changed since main differ"
    assert aside.reason == f"{told}; not measured by coverage and so not asked: ci/tool.py"


@pytest.mark.parametrize(
    ("coverage", "functions", "why", "remedy"),
    [
        (Missing("coverage", "was never made", ("x",)), [], "the evidence coverage was never made", ("x",)),
        (RAN, Missing("changes", "there is no base", ("y",)), "there is no base", ("y",)),
        (RAN, [changed(problem="no valid Python: x")], "src/a.py: no valid Python: x", ()),
        (
            evidence({}),
            [],
            f"{UNCLEAR} (KeyError: 'files')",
            ("toxscreen", "coverage"),
        ),
        (
            measured(unit="1-x"),
            [],
            f"{UNCLEAR} (ValueError: invalid literal for int() with base 10: 'x')",
            ("toxscreen", "coverage"),
        ),
        (
            measured(integration="1"),
            [],
            "no line is recorded of unit",
            ("tox", "-e", "unit"),
        ),
    ],
)
def test_what_cannot_be_known_of_changed_functions_is_unmeasured(
    coverage: Evidence | Missing, functions: list[ChangedFunctions] | Missing, why: str, remedy: tuple[str, ...]
) -> None:
    found = only(executed_by(("unit",), coverage, functions, "main"))
    assert (found.ruling, found.reason, found.remedy) == ("unmeasured", why, remedy)


PROOF: dict[str, Any] = {
    "base": "0123456789abcdef",
    "base_source": "main",
    "changed_source": ["src/a.py"],
    "changed_tests": ["tests/test_a.py::test_a", "tests/test_a.py::test_b"],
    "failed_on_base": [],
    "proved": [],
    "passed_on_base": [],
    "problem": "",
}
TEST = "tests/test_a.py::test_a"
FAILED = [{"test": TEST, "why": "assert 1 == 2"}]


@pytest.mark.parametrize(
    ("data", "ruling", "reason"),
    [
        ({"changed_source": []}, "not-applicable", "0 lines of code outside of tests differ from 0123456789ab (main)"),
        ({"changed_tests": []}, "fail", "no test has changed with src/a.py"),
        ({"changed_tests": [], "problem": "pytest is ill"}, "unmeasured", "pytest is ill"),
        (
            {"proved": FAILED, "problem": "x"},
            "pass",
            "without the change 1 test fails: tests/test_a.py::test_a (assert 1 == 2)",
        ),
        (
            {"passed_on_base": PROOF["changed_tests"]},
            "fail",
            "of 2 changed tests none fails without the change: they do not test it",
        ),
        (
            {"proved": None},
            "unmeasured",
            "the evidence requirements cannot be used (TypeError: 'NoneType' object is not iterable)",
        ),
    ],
)
def test_what_a_proof_comes_to(data: dict[str, Any], ruling: str, reason: str) -> None:
    found = only(proves_change(asked=True, proof=evidence({**PROOF, **data}, "requirements"), base=PROOF["base"]))
    assert (found.gate, found.ruling, found.reason) == ("proves-change", ruling, reason)
    assert (found.remedy == PROOF_COMMAND) is (ruling == "unmeasured")
    assert bool(found.findings) is (ruling == "fail")


@pytest.mark.parametrize(("base", "told"), [("fedcba9876543210", "fedcba987654"), (None, "nothing")])
def test_a_proof_against_another_base_proves_nothing(base: str | None, told: str) -> None:
    """Against the commit itself nothing has changed, and anybody may choose that."""
    found = only(proves_change(asked=True, proof=evidence({**PROOF, "changed_source": []}, "requirements"), base=base))
    why = f"the evidence requirements is against 0123456789ab, and changes are compared with {told}"
    assert (found.ruling, found.reason) == ("unmeasured", why)
    assert found.remedy == (*PROOF_COMMAND, *(("--against", base) if base else ()))


def test_a_proof_that_was_never_made_is_unmeasured() -> None:
    found = only(proves_change(asked=True, proof=Missing("requirements", "was never made", ()), base="x"))
    assert (found.ruling, found.reason) == ("unmeasured", "the evidence requirements was never made")
    assert found.remedy == PROOF_COMMAND
    passed = proof_verdict({**PROOF, "passed_on_base": PROOF["changed_tests"]})
    message = "passes on the source of 0123456789ab (main) too: it does not test the change"
    assert {each.message for each in passed.findings} == {message}
