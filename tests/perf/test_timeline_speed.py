"""How long it takes to see where the time of a long run went. Nothing is asserted of seconds."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from recorded import HEADER

from toxscreen.journal.codec import end_line, event_to_line, header_to_json, start_line
from toxscreen.model import Event, EventKind, Outcome
from toxscreen.testing import Project, Suite

_TESTS = 50_000
_BEGUN = 1_795_000_000.0


def long_run(project: Project, lanes: int) -> Path:
    """A recorded run of 50,000 tests, written as workers write it."""
    name = "20261101T000000Z-unit-0000"
    folder = project.root / ".toxscreen" / "runs" / name
    folder.mkdir(parents=True)
    (folder / "header.json").write_text(
        header_to_json(replace(HEADER, run=name, started=_BEGUN, workers=lanes, host={"cores": "2"}))
    )
    dice = random.Random(7)
    node_ids = [f"tests/unit/test_{test % 500}.py::TestSome::test_number_{test}[value]" for test in range(_TESTS)]
    (folder / "collection.json").write_text(json.dumps(node_ids))
    latest = _BEGUN
    for lane in range(lanes):
        worker, now = f"gw{lane}", _BEGUN + 2.0
        lines = [event_to_line(Event(EventKind.LANE_UP, _BEGUN + 1.0, worker))]
        for node_id in node_ids[lane::lanes]:
            seconds = {
                "setup": 0.001,
                "call": dice.lognormvariate(-3, 1.5),
                "teardown": 0.0005,
                "cpu": 0.05,
                "slept": 0.0,
            }
            lines.append(start_line(now, worker, node_id))
            now += sum(seconds.values()) - 0.05
            lines.append(end_line(now, worker, node_id, Outcome.PASSED, seconds))
            now += 0.0005
        (folder / f"{worker}.jsonl").write_bytes(b"".join(lines))
        latest = max(latest, now)
    (folder / "run.jsonl").write_bytes(event_to_line(Event(EventKind.FINISH, latest + 0.5, "run", status=0)))
    return folder


@pytest.mark.parametrize("lanes", [2, 64])
def test_a_timeline_of_50_000_tests(
    tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], lanes: int
) -> None:
    project = Suite().at(tmp_path)
    folder = long_run(project, lanes)

    def seconds(*arguments: str) -> float:
        begun = time.perf_counter()
        project.toxscreen("runs", "last", *arguments, env={"COVERAGE_PROCESS_CONFIG": None}).expect(exit=0)
        return time.perf_counter() - begun

    whole = benchmark.pedantic(seconds, ("--timeline",), rounds=1, iterations=1)
    figures = {
        "timeline_seconds": round(whole, 2),
        "page_seconds": round(seconds(), 2),
        "picture_bytes": (folder / "timeline.svg").stat().st_size,
        "trace_bytes": (folder / "timeline.json").stat().st_size,
    }
    benchmark.extra_info.update(figures)
    with capsys.disabled():
        print(f"\ntimeline of {_TESTS} tests on {lanes} lanes: {figures}")
    assert figures["picture_bytes"] < 1_000_000
