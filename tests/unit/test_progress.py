"""How far environments are, in words; and what they do, from what they hold and wait for."""

from __future__ import annotations

import pytest

from toxscreen.model import Progress, Stage
from toxscreen.plan.slots import stage_of
from toxscreen.report.progress import begun, ended, progress_lines, still_running

UNIT = Progress("unit", Stage.TESTS, 12.34, 1200, 2800, 1, 2)
LINT = Progress("lint", Stage.COMMANDS, 3.0)
PERF = Progress("perf", Stage.ALONE, 0.96, 1, 1, 0, 1)


def test_one_line_for_each_environment() -> None:
    assert progress_lines([UNIT, LINT, PERF]) == [
        "unit  tests        12 s  1200 of 2800 tests, 1 failed, 2 workers",
        "lint  commands      3 s",
        "perf  alone         1 s  1 test, 0 failed, 1 worker",
    ]
    assert progress_lines([]) == []


def test_lines_of_a_log() -> None:
    assert begun("unit") == "unit: started"
    assert ended(UNIT, "FAIL") == "unit: FAIL after 12.3 s: 1200 of 2800 tests, 1 failed, 2 workers"
    assert ended(LINT, "OK") == "lint: OK after 3.0 s"
    assert (
        still_running([UNIT, LINT]) == "still running: unit (1200 of 2800 tests, 1 failed, 2 workers), lint (commands)"
    )


@pytest.mark.parametrize(
    ("holding", "waiting", "total", "stage"),
    [
        ([], [], 0, Stage.SETTING_UP),
        (["blanket"], [], 0, Stage.COMMANDS),
        (["slot"], ["slot"], 9, Stage.TESTS),
        ([], ["slot"], 9, Stage.WAITING),
        ([], ["blanket"], 0, Stage.WAITING),
        (["alone"], [], 9, Stage.ALONE),
        ([], [], 9, Stage.TESTS),
    ],
)
def test_what_an_environment_is_doing(holding: list[str], waiting: list[str], total: int, stage: Stage) -> None:
    assert stage_of(holding, waiting, total) is stage
