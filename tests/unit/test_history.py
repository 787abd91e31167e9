"""Runs folded to History, and the file that it is kept in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toxscreen.journal.codec import event_to_line, header_to_json
from toxscreen.journal.history import history_file, load_history, read_history
from toxscreen.journal.store import HEADER
from toxscreen.model import Duration, Event, EventKind, Header, History, Outcome


def record(root: Path, second: int, events: list[Event], *, lane: str = "gw0", replay_of: str | None = None) -> Path:
    """A run that is over; with a later second it is a later run."""
    folder = root / ".toxscreen" / "runs" / f"20260101T0000{second:02}Z-unit-abcd"
    folder.mkdir(parents=True, exist_ok=True)
    header = Header(
        schema=1,
        run=folder.name,
        category="unit",
        started=float(second),
        argv=(),
        cwd=".",
        executable="python",
        seed=None,
        hash_seed=None,
        cwd_importable=False,
        commit=None,
        changes=None,
        workers=1,
        replay_of=replay_of,
    )
    (folder / HEADER).write_text(header_to_json(header), encoding="utf-8")
    (folder / f"{lane}.jsonl").write_bytes(b"".join(map(event_to_line, events)))
    return folder


def ended(name: str, call: float, *, setup: float = 0.0, teardown: float = 0.0, outcome: str = "passed") -> Event:
    return Event(EventKind.END, 1.0, "gw0", name, Outcome(outcome), setup, call, teardown)


def fixture(
    name: str, key: str, *, setup: float | None = None, teardown: float | None = None, during: str | None = None
) -> Event:
    return Event(EventKind.FIXTURE, 1.0, "gw0", name, setup=setup, teardown=teardown, fixture=key, during=during)


def test_nothing_recorded_is_nothing_remembered(tmp_path: Path) -> None:
    assert load_history(tmp_path) == History()
    assert list(tmp_path.iterdir()) == [], "asking writes nothing"


def test_the_phases_are_kept_apart_and_their_medians_remembered(tmp_path: Path) -> None:
    for second, call in enumerate((1.0, 90.0, 3.0)):
        record(tmp_path, second, [ended("a", call, setup=call / 2, teardown=0.25)])
    assert load_history(tmp_path).tests == {"a": Duration(1.5, 3.0, 0.25)}


def test_a_run_that_goes_on_is_left_for_later(tmp_path: Path) -> None:
    """A run asks when its own folder is there; without locks, as on Windows, that looks like one that is over."""
    going_on = record(tmp_path, 1, [])
    assert load_history(tmp_path, but=going_on) == History()
    record(tmp_path, 1, [ended("a", 1.0)])
    assert load_history(tmp_path).tests == {"a": Duration(0.0, 1.0, 0.0)}


def test_of_two_durations_the_shorter_counts_so_that_one_slow_run_spoils_nothing(tmp_path: Path) -> None:
    record(tmp_path, 1, [ended("a", 1.0)])
    record(tmp_path, 2, [ended("a", 60.0)])
    assert load_history(tmp_path).tests == {"a": Duration(0.0, 1.0, 0.0)}


def test_only_the_last_five_durations_count(tmp_path: Path) -> None:
    for second in range(4):
        record(tmp_path, second, [ended("a", 100.0)])
    for second in range(4, 9):
        record(tmp_path, second, [ended("a", float(second))])
    assert load_history(tmp_path).tests["a"].call == 6.0


@pytest.mark.parametrize("outcome", ["crashed", "timed-out", "not-run", "error"])
def test_what_was_cut_off_says_nothing(tmp_path: Path, outcome: str) -> None:
    record(tmp_path, 1, [ended("a", 5.0, outcome=outcome), ended("b", 1.0)])
    assert set(load_history(tmp_path).tests) == {"b"}


def test_what_a_wide_fixture_takes_is_no_part_of_the_test_that_sets_it_up(tmp_path: Path) -> None:
    key = "tests/test_a.py|db"
    record(
        tmp_path,
        1,
        [
            fixture("a", key, setup=2.0),
            ended("a", 0.5, setup=2.25),
            fixture("b", key, teardown=1.0),
            ended("b", 0.5, teardown=1.125),
        ],
    )
    assert load_history(tmp_path) == History(
        {"a": Duration(0.25, 0.5, 0.0), "b": Duration(0.0, 0.5, 0.125)}, {key: 3.0}
    )


def test_a_wide_fixture_is_taken_from_the_phase_that_it_happened_in(tmp_path: Path) -> None:
    record(
        tmp_path,
        1,
        [
            fixture("a", "m|db[0]", teardown=1.0, during="setup"),
            fixture("a", "m|db[1]", setup=2.0),
            fixture("a", "m|late", setup=4.0, during="call"),
            fixture("a", "m|odd", setup=8.0, during="lunch"),
            ended("a", 4.5, setup=3.25, teardown=0.125),
        ],
    )
    assert load_history(tmp_path) == History(
        {"a": Duration(0.25, 0.5, 0.125)}, {"m|db[0]": 1.0, "m|db[1]": 2.0, "m|late": 4.0, "m|odd": 8.0}
    )


def test_no_test_takes_less_than_nothing(tmp_path: Path) -> None:
    record(tmp_path, 1, [fixture("a", "m|db", setup=2.0), ended("a", 0.5, setup=1.875)])
    assert load_history(tmp_path).tests == {"a": Duration(0.0, 0.5, 0.0)}


def test_a_fixture_that_is_set_up_again_takes_as_long_as_once(tmp_path: Path) -> None:
    key = "m|db"
    record(tmp_path, 1, [fixture("a", key, setup=2.0), fixture("b", key, setup=1.0), ended("a", 0.0, setup=2.0)])
    assert load_history(tmp_path).fixtures == {key: 2.0}


def test_a_replay_says_nothing_for_its_test_had_no_neighbours(tmp_path: Path) -> None:
    record(tmp_path, 1, [ended("a", 5.0)], replay_of="other:gw0")
    assert load_history(tmp_path) == History()


def test_a_run_is_folded_once_and_remembered_when_it_is_gone(tmp_path: Path) -> None:
    for second, call in enumerate((1.0, 2.0, 9.0)):
        record(tmp_path, second, [ended("a", call)])
    first = load_history(tmp_path)
    for folder in (tmp_path / ".toxscreen" / "runs").iterdir():
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    assert load_history(tmp_path) == read_history(history_file(tmp_path)) == first
    assert json.loads(history_file(tmp_path).read_text())["folded"] == 3


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema": 99}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {"a": [1]}, "fixtures": {}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {"a": [1, [0, -1, 0]]}, "fixtures": {}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {"a": [1, [0, NaN, 0]]}, "fixtures": {}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {"a": [1, [0, 1]]}, "fixtures": {}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {"a": [1, "abc"]}, "fixtures": {}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {"a": ["b", [0, 1, 0]]}, "fixtures": {}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {"a": {"b": 1, "c": 2}}, "fixtures": {}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {}, "fixtures": {"a": [1, "x"]}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {}, "fixtures": {"a": [1]}}',
        '{"schema": 1, "runs": [], "folded": 1, "tests": {}, "fixtures": {"a": "bc"}}',
        '{"schema": 1, "runs": 3, "folded": 1, "tests": {}, "fixtures": {}}',
    ],
)
def test_a_file_that_is_none_is_made_anew(tmp_path: Path, content: str) -> None:
    record(tmp_path, 1, [ended("a", 1.0)])
    history_file(tmp_path).write_text(content)
    assert read_history(history_file(tmp_path)) == History()
    assert load_history(tmp_path).tests == {"a": Duration(0.0, 1.0, 0.0)}
    assert read_history(history_file(tmp_path)).tests == {"a": Duration(0.0, 1.0, 0.0)}


def test_torn_and_foreign_lines_are_left_out(tmp_path: Path) -> None:
    folder = record(tmp_path, 1, [ended("a", 1.0)])
    with (folder / "gw0.jsonl").open("ab") as shard:
        shard.write(b'{"kind":"end","node_id":"b","outcome":"passed","call":"x"}\n{"kind":"end","node_id":"c')
    assert load_history(tmp_path).tests == {"a": Duration(0.0, 1.0, 0.0), "b": Duration(0.0, 0.0, 0.0)}


def test_a_test_that_no_run_has_seen_for_long_is_forgotten(tmp_path: Path) -> None:
    record(tmp_path, 1, [ended("b", 1.0)])
    history_file(tmp_path).write_text(
        json.dumps(
            {
                "schema": 1,
                "runs": [],
                "folded": 1000,
                "tests": {"a": [0, [0, 1, 0]], "c": [1, [0, 1, 0]]},
                "fixtures": {},
            }
        )
    )
    assert set(load_history(tmp_path).tests) == {"b", "c"}
