"""The gate on the limits: what is weaker than on the base fails, and both values are named."""

from __future__ import annotations

import pytest

from toxscreen.gates.limits import judge
from toxscreen.model import Limits, Ruling
from toxscreen.settings.gates import GATE_OPTIONS, WEAKER


def limits(floor: float | None = 90.0, **values: object) -> Limits:
    return Limits(floor, {key.replace("_", "-"): value for key, value in values.items()}, "pyproject.toml", "main")


def test_every_limit_can_become_weaker_but_the_revision_to_compare_with() -> None:
    assert set(WEAKER) == set(GATE_OPTIONS) - {"against"}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (limits(90.0), limits(89.99), "fail_under was 90 and is 89.99"),
        (limits(90.0), limits(None), "fail_under was 90 and is not set"),
        (limits(coverage=85.0), limits(coverage=84.0), "gates.coverage was 85 and is 84"),
        (limits(coverage_file=50.0), limits(), "gates.coverage-file was 50 and is not set"),
        (limits(), limits(coverage_changed=79.0), "gates.coverage-changed was 80 and is 79"),
        (limits(coverage_changed=90.0), limits(), "gates.coverage-changed was 90 and is 80"),
        (limits(), limits(suite_budget=301.0), "gates.suite-budget was 300 and is 301"),
        (limits(), limits(off=("audit",)), "gates.off was empty and is audit"),
        (limits(quality=("ruff", "mypy")), limits(quality=("mypy",)), "gates.quality was ruff, mypy and is mypy"),
        (
            limits(coverage_packages={"a": 90.0, "b": 50.0}),
            limits(coverage_packages={"a": 80.0}),
            "gates.coverage-packages.a was 90 and is 80; gates.coverage-packages.b was 50 and is not set",
        ),
        (limits(), limits(coverage_excluded=3), "gates.coverage-excluded was 0 and is 3"),
    ],
)
def test_a_weaker_limit_fails_with_both_values(before: Limits, now: Limits, told: str) -> None:
    verdict = judge(now, before)
    assert (verdict.gate, verdict.ruling, verdict.reason) == ("coverage-floor", Ruling.FAIL, f"{told}, against main")
    assert "; ".join(finding.message for finding in verdict.findings) == told
    assert verdict.numerator == len(verdict.findings)


@pytest.mark.parametrize(
    ("before", "now", "known"),
    [
        (limits(90.0), limits(90.0), 1),
        (limits(None), limits(None), 0),
        (limits(None), limits(10.0), 0),
        (limits(90.0, coverage=1.0), limits(91.0, coverage=2.0), 2),
        (limits(discovery=3), limits(), 2),
        (limits(off=("audit", "quality")), limits(off=("audit",)), 2),
        (limits(), limits(coverage_packages={"a": 1.0}, coverage_exclusive=20.0), 1),
        (limits(coverage_exclusive=20.0), limits(coverage_exclusive=10.0), 2),
    ],
)
def test_a_limit_that_is_as_strong_or_stronger_passes(before: Limits, now: Limits, known: int) -> None:
    verdict = judge(now, before)
    assert (verdict.ruling, verdict.denominator) == (Ruling.PASS, known)
    assert verdict.reason == f"{known} limits are no weaker than on main"


def test_without_a_base_the_limits_are_unmeasured() -> None:
    verdict = judge(limits(), "the clone is shallow")
    assert (verdict.ruling, verdict.reason) == (Ruling.UNMEASURED, "nothing to compare with: the clone is shallow")
