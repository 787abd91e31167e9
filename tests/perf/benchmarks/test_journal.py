"""Benchmarks of the record of a run: written, read, and folded to what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from toxscreen.journal.codec import end_line, event_from_line, header_to_json, start_line
from toxscreen.journal.history import read_history, write_history
from toxscreen.journal.read import read_run
from toxscreen.journal.store import HEADER, new_run
from toxscreen.model import Duration, Event, Header, History, Outcome

TESTS = 100
IDS = [f"tests/unit/test_part{number // 10}.py::TestPart::test_{number}[value-{number}]" for number in range(TESTS)]
SECONDS = {"setup": 0.000123, "call": 0.012345, "teardown": 0.000123}


def lines() -> list[bytes]:
    found = []
    for node_id in IDS:
        found.append(start_line(1.0, "gw0", node_id))
        found.append(end_line(2.0, "gw0", node_id, Outcome.PASSED, SECONDS))
    return found


@pytest.mark.benchmark(group="journal")
def test_lines_are_written(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(lines)) == 2 * TESTS


@pytest.mark.benchmark(group="journal")
def test_lines_are_read(benchmark: BenchmarkFixture) -> None:
    written = lines()

    def read() -> list[Event]:
        return [event_from_line(line) for line in written]

    assert [event.node_id for event in benchmark(read)[::2]] == IDS


@pytest.mark.benchmark(group="journal")
def test_a_run_is_read(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    folder = new_run(tmp_path, "unit", 1.0)
    header = Header(1, folder.name, "unit", 1.0, (), ".", "python", None, None, False, None, None, 1)  # noqa: FBT003
    (folder / HEADER).write_text(header_to_json(header), encoding="utf-8")
    (folder / "gw0.jsonl").write_bytes(b"".join(lines()))
    assert len(benchmark(read_run, folder).attempts) == TESTS


@pytest.mark.benchmark(group="journal")
def test_durations_are_remembered(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    history = History({node_id: Duration(0.001, 0.01, 0.001) for node_id in IDS})
    path = tmp_path / "history.json"

    def keep() -> History:
        write_history(path, history)
        return read_history(path)

    assert benchmark(keep) == history
