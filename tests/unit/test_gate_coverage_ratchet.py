"""Coverage may not be lower than on the base: pure, from evidence and the file of the ratchet."""

from __future__ import annotations

from typing import Any

import pytest

from toxscreen.gates.coverage_ratchet import judge, new_ratchet
from toxscreen.gates.limits import judge as judge_limits
from toxscreen.gates.ratchet import Key, Ratchet
from toxscreen.model import Evidence, Limits, Missing, Ruling, State, Verdict

COMMAND = ("toxscreen", "coverage", "unit")
TOTAL = Key("coverage", "total")
A, B = Key("coverage", "a.py"), Key("coverage", "b.py")
LINT = Key("quality", "ruff F401 a.py:<module>")


def evidence(**files: tuple[str, str]) -> Evidence:
    """Lines that ran and lines that did not, by file."""
    entry = dict.fromkeys(("excluded", "jumped", "untaken", "spans"), "")
    data: dict[str, Any] = {
        "files": {f"{name}.py": {**entry, "ran": ran, "missing": missing} for name, (ran, missing) in files.items()},
        "never": {},
        "environments": [{"name": "unit", "files": {}}],
        "fail_under": 50.0,
        "precision": 2,
        "absent": [],
        "late": [],
        "base": {"error": "none"},
    }
    return Evidence("coverage", State("c", None, "d"), 0.0, COMMAND, data)


#: 75 % of ``a.py``, all of ``b.py``, and 7 of 8 together.
NOW = evidence(a=("1-3", "4"), b=("1-4", ""))


def ratchet(**percent: float) -> Ratchet:
    keys = {"total": TOTAL, "a": A, "b": B, "gone": Key("coverage", "gone.py")}
    return Ratchet({keys[name]: value for name, value in percent.items()})


def only(verdicts: tuple[Verdict, ...]) -> Verdict:
    (verdict,) = verdicts
    return verdict


def test_nobody_asks() -> None:
    assert judge(NOW, None, None, "off") == ()


@pytest.mark.parametrize(
    ("base", "own", "scope", "ruling", "reason"),
    [
        (ratchet(total=87.5), ratchet(total=87.5), "total", "pass", "nothing is lower"),
        (ratchet(total=80), ratchet(total=87.5), "total", "pass", "nothing is lower"),
        (
            ratchet(total=87.51),
            ratchet(total=87.51),
            "total",
            "fail",
            "lower than on the base: total: 87.51 % -> 87.50 %",
        ),
        (
            ratchet(total=80, a=80),
            ratchet(total=80, a=80),
            "files",
            "fail",
            "lower than on the base: a.py: 80.00 % -> 75.00 %",
        ),
        # The total alone is asked.
        (ratchet(total=80, a=80), ratchet(total=80, a=80), "total", "pass", "nothing is lower"),
        # A file that is gone is not missed, and a new one has no limit.
        (ratchet(total=80, gone=100), ratchet(total=80), "files", "pass", "nothing is lower"),
        (
            ratchet(total=80),
            ratchet(total=70),
            "total",
            "fail",
            "lower than on the base: total: toxscreen-ratchet.txt allows less than on the base: 80 -> 70",
        ),
        (
            None,
            ratchet(total=80),
            "total",
            "pass",
            "nothing is lower; the base has no coverage in toxscreen-ratchet.txt, that here is the start",
        ),
    ],
)
def test_coverage_against_the_ratchet(
    base: Ratchet | None, own: Ratchet | None, scope: str, ruling: str, reason: str
) -> None:
    verdict = only(judge(NOW, base, own, scope))
    assert (verdict.ruling, verdict.reason) == (ruling, reason)
    assert (verdict.measured, verdict.numerator, verdict.denominator, verdict.source) == (
        87.5,
        7,
        8,
        "coverage of unit",
    )


@pytest.mark.parametrize(
    ("found", "base", "own", "reason", "remedy"),
    [
        (Missing("coverage", "was never made", COMMAND), None, None, "the evidence 'coverage' was never made", COMMAND),
        (NOW, Missing("base", "is not known: no git", ()), None, "the base is not known: no git", ()),
        (evidence(a=("", "")), None, None, "nothing could have run", ()),
        (
            NOW,
            None,
            Ratchet({LINT: 3}),
            "there is no coverage in a toxscreen-ratchet.txt, neither here nor on the base: make it, commit it",
            ("toxscreen", "gate", "--write-ratchet"),
        ),
    ],
)
def test_without_something_to_compare_it_is_unmeasured(
    found: Evidence | Missing, base: Ratchet | Missing | None, own: Ratchet | None, reason: str, remedy: tuple[str, ...]
) -> None:
    verdict = only(judge(found, base, own, "total"))
    assert (verdict.ruling, verdict.reason, verdict.remedy) == (Ruling.UNMEASURED, reason, remedy)


def test_what_is_written_is_nowhere_less_than_the_base_and_leaves_other_gates_alone() -> None:
    kept = Ratchet({LINT: 3, TOTAL: 10, B: 20})
    written = new_ratchet(NOW, ratchet(total=90, a=70, gone=5), kept, "files")
    assert written.values == {LINT: 3, TOTAL: 90, A: 75, B: 100}
    assert new_ratchet(NOW, None, kept, "total").values == {LINT: 3, TOTAL: 87.5}
    assert new_ratchet(NOW, None, kept, "off") == kept
    assert new_ratchet(Missing("coverage", "lacks", COMMAND), None, kept, "files") == kept


@pytest.mark.parametrize(
    ("before", "now", "ruling"), [("files", "total", "fail"), ("total", "files", "pass"), ("off", "off", "pass")]
)
def test_keeping_less_than_the_base_did_is_a_weaker_limit(before: str, now: str, ruling: str) -> None:
    limits = [Limits(None, {"coverage-ratchet": scope}, "pyproject.toml", "x") for scope in (now, before)]
    assert judge_limits(*limits).ruling == ruling
