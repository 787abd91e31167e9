"""What remembering how long tests take costs: folding the record of 50,000 tests, reading what was folded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from toxscreen.journal.cases import read_cases, write_cases
from toxscreen.journal.codec import end_line, event_to_line, header_to_json, start_line
from toxscreen.journal.history import load_history
from toxscreen.journal.store import HEADER, new_run
from toxscreen.model import Case, Event, EventKind, Header, Outcome

TESTS, IN_A_FILE, RUNS = 50_000, 50, 5


def cases() -> list[Case]:
    """Tests with a fixture for each file, and one for all."""
    files = [f"tests/unit/test_part{number // IN_A_FILE}.py" for number in range(TESTS)]
    return [
        Case(f"{file}::TestPart::test_{number}", file, fixtures=("|server", f"{file}|db"))
        for number, file in enumerate(files)
    ]


def record(root: Path, tests: list[Case], run: int) -> None:
    folder = new_run(root, "unit", float(run))
    header = Header(1, folder.name, "unit", float(run), (), ".", "python", None, None, False, None, None, 1)  # noqa: FBT003
    (folder / HEADER).write_text(header_to_json(header), encoding="utf-8")
    lines = []
    for number, case in enumerate(tests):
        lines.append(start_line(1.0, "gw0", case.node_id))
        if number % IN_A_FILE == 0:
            up = Event(EventKind.FIXTURE, 1.5, "gw0", case.node_id, setup=1.25, fixture=case.fixtures[1])
            lines.append(event_to_line(up))
        seconds = {"setup": 0.000123 + 1.25 * (number % IN_A_FILE == 0), "call": 0.012345, "teardown": 0.000123}
        lines.append(end_line(2.0, "gw0", case.node_id, Outcome.PASSED, seconds))
    (folder / "gw0.jsonl").write_bytes(b"".join(lines))


def test_durations_and_cases_of_50_000_tests(
    tmp_path: Path, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = cases()
    told: dict[str, float] = {}

    def timed(name: str, began: float) -> None:
        told[name] = round((time.process_time() - began) / TESTS * 1e6, 2)

    def all_of_it() -> None:
        for run in range(RUNS):
            record(tmp_path, tests, run)
            began = time.process_time()
            load_history(tmp_path)
            timed(f"history, one more run ({run + 1})", began)
        began = time.process_time()
        load_history(tmp_path)
        timed("history, no new run", began)
        began = time.process_time()
        write_cases(tmp_path, tests)
        timed("cases written", began)
        began = time.process_time()
        read_cases(tmp_path, [case.node_id for case in tests])
        timed("cases read", began)

    benchmark.pedantic(all_of_it, rounds=1, iterations=1)
    benchmark.extra_info.update({f"microseconds a test: {name}": figure for name, figure in told.items()})
    with capsys.disabled():
        print(f"\nmicroseconds a test, of {TESTS}: {told}")
    history = load_history(tmp_path)
    assert len(history.tests) == TESTS
    assert set(history.fixtures.values()) == {1.25}
    assert {round(each.setup, 6) for each in history.tests.values()} == {0.000123}
    assert read_cases(tmp_path, [case.node_id for case in tests]) == tests
