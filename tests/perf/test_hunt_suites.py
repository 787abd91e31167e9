"""Nobody is accused wrongly, in as many suites with known bugs as one has time for. See docs/performance.md.

TOXSCREEN_HUNT_SUITES=1000 tox -e perf -- -k planted
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from judged import Grove
from pytest_benchmark.fixture import BenchmarkFixture

from toxscreen.testing import Suite

SUITES = int(os.environ.get("TOXSCREEN_HUNT_SUITES", "10"))
#: Suites that share a project, and so a start and its orders. A hunt through them has to end in the time of one test.
_TOGETHER = 50
_BATCHES = [range(first, min(first + _TOGETHER, SUITES)) for first in range(0, SUITES, _TOGETHER)]
#: Measuring the measured takes time, and so do plugins that these suites do not need.
_PLAIN = {**dict.fromkeys(("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
_SECONDS = 590


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("numbers", _BATCHES, ids=lambda numbers: f"{numbers.start}-{numbers.stop - 1}")
def test_only_what_was_planted_is_accused(
    numbers: range, tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    grove = Grove(dict.fromkeys(numbers), seed=1)
    project = Suite(grove.files).at(tmp_path)
    arguments = ("hunt", "--quick", "--json", "--budget", f"{_SECONDS - 60}s")

    def hunt() -> str:
        return project.run(*arguments, module="toxscreen", env=_PLAIN, timeout=_SECONDS).expect(exit=1).stdout

    document = json.loads(benchmark.pedantic(hunt, rounds=1, iterations=1))
    score = grove.score(document["findings"])
    told = {
        "suites": len(numbers),
        "tests": document["tests"],
        "bugs": score.planted,
        "found": score.found,
        "wrong": len(score.wrong),
        "proved by undoing": f"{score.undone} of {score.in_sequence}",
        "seconds": round(document["seconds"], 1),
        **document["probes"],
    }
    benchmark.extra_info.update(told)
    with capsys.disabled():
        print(f"\nsuites with planted bugs: {told}", *score.missed, sep="\n  not found: ")
    assert score.wrong == ()
    assert (document["tests"], document["notes"]) == (len(grove.tests), [])
    assert document["cut_short"] or score.lost == ()
