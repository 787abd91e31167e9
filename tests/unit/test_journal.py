"""The journal on real files: what is written, what a dying process leaves, and how it is read back."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from toxscreen.errors import CorruptJournalError, ToxscreenError, UnknownRunError
from toxscreen.journal import store
from toxscreen.journal.codec import event_from_line, event_to_line, header_to_json
from toxscreen.journal.read import find_run, fingerprint, read_run, recorded_root
from toxscreen.journal.touches import touches
from toxscreen.journal.write import Shard
from toxscreen.model import (
    Attempt,
    Event,
    EventKind,
    FixtureSpan,
    Header,
    Lane,
    LaneSpan,
    Leak,
    Order,
    Origin,
    Outcome,
    Run,
    RunState,
    Selection,
)
from toxscreen.settings import state_folder

FULL_DISK = Path("/dev/full")
NAME = "20260102T030405Z-unit-0a1b"
needs_full_disk = pytest.mark.skipif(not FULL_DISK.exists(), reason="no /dev/full here")


def header(run: str = NAME, *, replay_of: str | None = None) -> Header:
    return Header(
        schema=1,
        run=run,
        category="unit",
        started=10.0,
        argv=(),
        cwd=".",
        executable="python",
        seed=7,
        hash_seed=None,
        cwd_importable=False,
        commit=None,
        changes=None,
        workers=2,
        replay_of=replay_of,
    )


def start(node_id: str, at: float = 11.0, lane: str = "gw0") -> Event:
    return Event(EventKind.START, at, lane, node_id)


def end(node_id: str, at: float = 12.0, lane: str = "gw0", outcome: Outcome = Outcome.PASSED) -> Event:
    return Event(EventKind.END, at, lane, node_id, outcome, 0.25, 0.5, 0.125)


def down(lane: str, node_id: str, outcome: Outcome, text: str, at: float = 14.0) -> Event:
    return Event(EventKind.LANE_DOWN, at, lane, node_id, outcome, text=text, status=-9)


def finish(status: int, at: float = 20.0) -> Event:
    return Event(EventKind.FINISH, at, "run", status=status)


def record(
    root: Path,
    name: str = NAME,
    /,
    *,
    collected: list[str] | None = None,
    replay_of: str | None = None,
    **shards: list[Event],
) -> Path:
    """A run's folder as a real run leaves it, shard by shard."""
    folder = state_folder(root) / "runs" / name
    folder.mkdir(parents=True)
    (folder / store.HEADER).write_text(header_to_json(header(name, replay_of=replay_of)), encoding="utf-8")
    if collected is not None:
        (folder / store.COLLECTION).write_text(json.dumps(collected), encoding="utf-8")
    for lane, events in shards.items():
        (folder / f"{lane}.jsonl").write_bytes(b"".join(map(event_to_line, events)))
    return folder


def refusal(kind: type[ToxscreenError], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.exit_status == 2
    return str(caught.value)


# writing


def test_each_event_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "gw0.jsonl"
    shard = Shard(file)
    assert file.read_bytes() == b""
    for count, event in enumerate([start("a"), end("a"), start("b")], 1):
        shard.write(event)
        assert [event_from_line(line) for line in file.read_bytes().splitlines()][count - 1 :] == [event]
    shard.close()
    assert (len(file.read_bytes().splitlines()), shard.problem) == (3, None)


def test_a_shard_is_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "gw0.jsonl"
    for event in (start("a"), end("a")):
        shard = Shard(file, lock=True)
        shard.write(event)
        shard.close()
    assert file.read_bytes() == event_to_line(start("a")) + event_to_line(end("a"))


def test_after_closing_nothing_is_written_and_nothing_complains(tmp_path: Path) -> None:
    file = tmp_path / "gw0.jsonl"
    shard = Shard(file)
    number = shard._descriptor
    shard.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
    shard.write(start("a"))
    shard.close()
    assert (file.read_bytes(), shard.problem) == (b"", None)


@needs_full_disk
def test_a_full_disk_is_told_and_caught_up_with_when_it_has_room_again(tmp_path: Path) -> None:
    file = tmp_path / "gw0.jsonl"
    file.symlink_to(FULL_DISK)
    shard = Shard(file)
    assert shard.problem is None
    for event in (start("a"), end("a")):
        shard.write(event)
        assert shard.problem == "gw0.jsonl: No space left on device"
    # What was a full disk becomes one with room, as seen by the open descriptor.
    room = os.open(tmp_path / "room", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    file.unlink()
    file.symlink_to(tmp_path / "room")
    os.dup2(room, shard._descriptor)
    os.close(room)
    shard.write(start("b"))
    assert shard.problem is None
    shard.close()
    assert (tmp_path / "room").read_bytes() == b"".join(map(event_to_line, [start("a"), end("a"), start("b")]))


@needs_full_disk
def test_closing_tries_once_more(tmp_path: Path) -> None:
    file = tmp_path / "gw0.jsonl"
    file.symlink_to(FULL_DISK)
    shard = Shard(file)
    shard.write(start("a"))
    file.unlink()
    os.close(shard._descriptor)
    shard.close()
    assert (file.read_bytes(), shard.problem) == (event_to_line(start("a")), None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_line_that_went_out_in_part_goes_on_with_the_byte_that_was_missing(tmp_path: Path) -> None:
    # A pipe takes what fits and refuses the rest, as a disk does that is nearly full.
    file = tmp_path / "gw0.jsonl"
    os.mkfifo(file)
    reader = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    shard = Shard(file)
    os.set_blocking(shard._descriptor, False)
    events = [Event(EventKind.NOTE, 1.0, "gw0", text=letter * 150_000) for letter in "ab"]
    received = bytearray()
    problems = []
    for event in events:
        shard.write(event)
        problems.append(shard.problem)
    while chunk := os.read(reader, 1 << 20):
        received += chunk
        shard.flush()
        if shard.problem is None:
            shard.close()
    os.close(reader)
    assert problems == ["gw0.jsonl: Resource temporarily unavailable"] * 2
    assert bytes(received) == b"".join(map(event_to_line, events))
    assert shard.problem is None


@needs_full_disk
def test_what_a_disk_that_stays_full_may_cost_is_limited(tmp_path: Path) -> None:
    file = tmp_path / "gw0.jsonl"
    file.symlink_to(FULL_DISK)
    shard = Shard(file)
    long = Event(EventKind.NOTE, 1.0, "gw0", text="x" * 3_000_000)
    for _ in range(7):
        shard.write(long)
    kept = len(shard._pending)
    shard.write(start("small"))
    assert kept == 5 * len(event_to_line(long)) == len(shard._pending)
    assert kept < 16 * 1024 * 1024
    shard.close()
    assert shard.problem == "gw0.jsonl: No space left on device"


def test_a_test_that_closes_the_descriptor_costs_no_event(tmp_path: Path) -> None:
    file = tmp_path / "gw0.jsonl"
    shard = Shard(file)
    shard.write(start("a"))
    os.close(shard._descriptor)
    shard.write(end("a"))
    shard.close()
    assert (file.read_bytes(), shard.problem) == (event_to_line(start("a")) + event_to_line(end("a")), None)


def test_a_file_that_was_given_the_descriptors_number_is_left_alone(tmp_path: Path) -> None:
    shard = Shard(tmp_path / "gw0.jsonl")
    shard.write(start("a"))
    with (tmp_path / "other").open("w+b") as other:
        number = shard._descriptor
        os.dup2(other.fileno(), number)
        shard.write(end("a"))
        assert shard._descriptor != number
        shard.close()
        assert os.fstat(number).st_ino == os.fstat(other.fileno()).st_ino, "the other file was closed"
        os.close(number)
    assert (tmp_path / "other").read_bytes() == b""
    assert shard.problem is None
    assert (tmp_path / "gw0.jsonl").read_bytes() == event_to_line(start("a")) + event_to_line(end("a"))


def test_the_other_file_is_left_alone_where_the_shard_cannot_be_opened_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    shard = Shard(folder / "gw0.jsonl")
    (folder / "gw0.jsonl").unlink()
    folder.rmdir()
    with (tmp_path / "other").open("w+b") as other:
        number = shard._descriptor
        os.dup2(other.fileno(), number)
        shard.write(start("a"))
        shard.close()
        assert os.fstat(number).st_ino == os.fstat(other.fileno()).st_ino, "the other file was closed"
        os.close(number)
    assert (tmp_path / "other").read_bytes() == b""
    assert shard.problem == "gw0.jsonl: No such file or directory"


def test_a_folder_that_is_not_there_is_told_and_may_come_later(tmp_path: Path) -> None:
    file = tmp_path / "run/gw0.jsonl"
    shard = Shard(file)
    assert shard.problem == "gw0.jsonl: No such file or directory"
    shard.write(start("a"))
    assert shard.problem == "gw0.jsonl: No such file or directory"
    file.parent.mkdir()
    shard.write(end("a"))
    shard.close()
    assert file.read_bytes() == event_to_line(start("a")) + event_to_line(end("a"))
    assert not shard.problem


# reading


def test_a_whole_run(tmp_path: Path) -> None:
    failed = Event(
        EventKind.END,
        16.0,
        "gw10",
        "c",
        Outcome.FAILED,
        call=2.0,
        origin=Origin("ValueError", "c.py", 3),
        leaks=(Leak("os.environ['A']", "absent", "1", "c"),),
        text="assert 0",
    )
    folder = record(
        tmp_path,
        collected=["a", "b", "c", "d"],
        gw10=[Event(EventKind.LANE_UP, 10.5, "gw10", pid=5), start("c", 13.0, "gw10"), failed],
        gw9=[
            start("b"),
            end("b"),
            start("a", 12.5),
            Event(EventKind.NOTE, 12.75, "gw9", text="of a worker"),
            end("a", outcome=Outcome.SKIPPED),
            start("d", 15.0),
            end("d", outcome=Outcome.XFAILED),
            Event(EventKind.LANE_DOWN, 16.0, "gw9"),
        ],
    )
    gone = Event(EventKind.LANE_DOWN, 16.0, "gw10", text="killed by signal 9", status=-9)
    ended = replace(finish(1), selection=Selection(3, {"-k a": 1}))
    (folder / "run.jsonl").write_bytes(
        b"".join(map(event_to_line, [Event(EventKind.NOTE, 12.0, "run", text="the disk was full"), gone, ended]))
    )
    found = read_run(folder)
    assert found == Run(
        header=header(),
        state=RunState.COMPLETE,
        attempts=(
            Attempt("b", "gw0", 0, 11.0, Outcome.PASSED, 0.25, 0.5, 0.125),
            Attempt("a", "gw0", 1, 12.5, Outcome.SKIPPED, 0.25, 0.5, 0.125),
            Attempt("d", "gw0", 2, 15.0, Outcome.XFAILED, 0.25, 0.5, 0.125),
            Attempt(
                "c",
                "gw10",
                0,
                13.0,
                Outcome.FAILED,
                call=2.0,
                origin=failed.origin,
                leaks=failed.leaks,
                text="assert 0",
            ),
        ),
        order=Order((Lane("gw9", ("b", "a", "d")), Lane("gw10", ("c",))), 7, fingerprint(["a", "b", "c", "d"])),
        collected=("a", "b", "c", "d"),
        exit_status=1,
        finished=20.0,
        notes=("the disk was full",),
        selection=Selection(3, {"-k a": 1}),
        lost=("gw10: killed by signal 9",),
        spans=(LaneSpan("gw9", 11.0, None, 16.0), LaneSpan("gw10", 10.5, None, 16.0)),
    )
    assert found.failed
    assert found.name == "unit"
    assert replace(found, header=replace(found.header, environment="3.12-unit")).name == "3.12-unit"


def test_what_was_touched_is_read_without_the_rest(tmp_path: Path) -> None:
    one = replace(end("a"), touched=("file x",))
    other = replace(end("b", lane="gw1"), touched=("port 1", "file y"), text='"touched":["no"]')
    folder = record(tmp_path, gw0=[start("a"), one, end("c")], gw1=[start("b", lane="gw1"), other], run=[finish(0)])
    assert touches(folder) == [one, other]
    (folder / "gw0.jsonl").write_bytes(event_to_line(one) + b'{"kind":"end","touched":[')
    assert touches(folder) == [one, other]
    assert [attempt.touched for attempt in read_run(folder).attempts] == [("port 1", "file y")]
    assert touches(folder / "gone") == []


def test_a_header_alone_is_a_run_that_died_early(tmp_path: Path) -> None:
    assert read_run(record(tmp_path)) == Run(
        header=header(),
        state=RunState.DIED,
        attempts=(),
        order=Order((), 7, fingerprint([])),
        collected=(),
        exit_status=None,
        finished=None,
    )


@pytest.mark.parametrize(
    ("lead", "outcome", "seconds", "text"),
    [
        ([], Outcome.NOT_RUN, 0.0, "the run ended while it was running"),
        ([down("gw1", "x", Outcome.CRASHED, "another's")], Outcome.NOT_RUN, 0.0, "the run ended while it was running"),
        ([down("gw0", "b", Outcome.CRASHED, "it was killed")], Outcome.CRASHED, 1.0, "it was killed"),
        ([down("gw0", "b", Outcome.CRASHED, "clock set back", 5.0)], Outcome.CRASHED, 0.0, "clock set back"),
        (
            [Event(EventKind.LANE_DOWN, 14.0, "gw0", text="no word on the test")],
            Outcome.NOT_RUN,
            1.0,
            "the run ended while it was running",
        ),
    ],
    ids=["no-word", "another-lane", "killed", "clock", "no-outcome"],
)
def test_a_start_without_an_end_is_what_the_worker_died_of(
    tmp_path: Path, lead: list[Event], outcome: Outcome, seconds: float, text: str
) -> None:
    folder = record(tmp_path, collected=["a", "b"], gw0=[start("a"), end("a"), start("b", 13.0)])
    (folder / "run.jsonl").write_bytes(b"".join(map(event_to_line, [*lead, finish(1)])))
    assert read_run(folder).attempts[1] == Attempt("b", "gw0", 1, 13.0, outcome, call=seconds, text=text)


def test_the_guards_word_on_a_hung_worker_counts(tmp_path: Path) -> None:
    folder = record(tmp_path, collected=["a"], gw0=[start("a")], guard=[down("gw0", "a", Outcome.TIMED_OUT, "it hung")])
    found = read_run(folder)
    assert found.attempts == (Attempt("a", "gw0", 0, 11.0, Outcome.TIMED_OUT, call=3.0, text="it hung"),)
    assert found.order.lanes == (Lane("gw0", ("a",)),)


def test_a_start_after_a_start_and_an_end_without_a_start(tmp_path: Path) -> None:
    folder = record(tmp_path, gw0=[end("x"), start("a"), end("x"), start("b", 13.0), end("b"), end("b")])
    cut_off = Attempt("a", "gw0", 0, 11.0, Outcome.NOT_RUN, text="the run ended while it was running")
    assert read_run(folder).attempts == (cut_off, Attempt("b", "gw0", 1, 13.0, Outcome.PASSED, 0.25, 0.5, 0.125))


def test_an_end_without_numbers_is_an_attempt_without_a_result(tmp_path: Path) -> None:
    folder = record(tmp_path, gw0=[start("a"), Event(EventKind.END, 12.0, "gw0", "a")])
    assert read_run(folder).attempts == (Attempt("a", "gw0", 0, 11.0, Outcome.NOT_RUN),)


@pytest.mark.parametrize(
    ("collected", "lead", "state", "status"),
    [
        (["a"], [finish(0)], RunState.COMPLETE, 0),
        (["a", "b"], [finish(2)], RunState.STOPPED, 2),
        (["a"], [], RunState.DIED, None),
        (["a"], [finish(1), finish(0)], RunState.COMPLETE, 0),
    ],
    ids=["complete", "stopped", "died", "the-last-word-counts"],
)
def test_how_a_run_ended(
    tmp_path: Path, collected: list[str], lead: list[Event], state: RunState, status: int | None
) -> None:
    folder = record(tmp_path, collected=collected, gw0=[start("a"), end("a")])
    (folder / "run.jsonl").write_bytes(b"".join(map(event_to_line, lead)))
    found = read_run(folder)
    assert (found.state, found.exit_status, found.id) == (state, status, NAME)


@pytest.mark.parametrize("cut", range(1, len(event_to_line(end("b"))), 7))
def test_a_torn_last_line_is_left_out_and_noted(tmp_path: Path, cut: int) -> None:
    folder = record(tmp_path, collected=["a", "b"], gw0=[start("a"), end("a"), start("b")])
    with (folder / "gw0.jsonl").open("ab") as shard:
        shard.write(event_to_line(end("b"))[:cut])
    found = read_run(folder)
    assert found.notes == (f"gw0.jsonl: the last line is torn, its {cut} bytes are left out",)
    assert [(attempt.node_id, attempt.outcome) for attempt in found.attempts] == [
        ("a", Outcome.PASSED),
        ("b", Outcome.NOT_RUN),
    ]


def test_a_line_changed_afterwards_is_named(tmp_path: Path) -> None:
    folder = record(tmp_path, gw0=[start("a"), end("a"), start("b"), end("b")])
    file = folder / "gw0.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b'{"kind":"end","time":"soon","lane":"gw0"}\n' + b"".join(lines[2:]))
    assert refusal(CorruptJournalError, lambda: read_run(folder)) == (
        f"{NAME}/gw0.jsonl:2: is no journal line: has 'soon' for 'time' [journal-corrupt]\n"
        "  the file was changed after it was written; remove the line or the run's folder"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "Expecting value at column 1"),
        (b'{"kind":"st{"kind":"start"}', "Expecting ',' delimiter at column 14"),
        (b'{"kind":"start","lane":"gw0"}', "lacks 'time'"),
        (b"\0\0\0\0", ""),
    ],
    ids=["empty", "overwritten", "lacking", "zeros"],
)
def test_a_line_that_is_none(tmp_path: Path, line: bytes, told: str) -> None:
    folder = record(tmp_path)
    (folder / "gw0.jsonl").write_bytes(event_to_line(start("a")) + line + b"\n" + event_to_line(end("a")))
    text = refusal(CorruptJournalError, lambda: read_run(folder))
    assert re.sub(r"line: .* \[", f"line: {told} [", text) == (
        f"{NAME}/gw0.jsonl:2: is no journal line: {told} [journal-corrupt]\n"
        "  the file was changed after it was written; remove the line or the run's folder"
    )
    assert told in text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file or directory"),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"{}", "has no schema number"),
        (b'{"schema": 2}', "was written by a newer version (schema 2, this one reads 1)"),
        (b'{"schema": 1, "started": 99999999999999}', "has 99999999999999 for 'started'"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
    ids=["missing", "empty", "no-text", "no-schema", "newer", "no-date", "nested"],
)
def test_a_header_that_cannot_be_read(tmp_path: Path, content: bytes | None, told: str) -> None:
    folder = record(tmp_path, gw0=[start("a")])
    (folder / store.HEADER).unlink()
    if content is not None:
        (folder / store.HEADER).write_bytes(content)
    assert refusal(CorruptJournalError, lambda: read_run(folder)) == (
        f"{NAME}/header.json: the header cannot be read: {told} [journal-corrupt]\n"
        "  the run is lost; its folder may be removed"
    )


def test_a_shard_that_cannot_be_opened(tmp_path: Path) -> None:
    folder = record(tmp_path)
    (folder / "gw0.jsonl").mkdir()
    assert refusal(CorruptJournalError, lambda: read_run(folder)) == (
        f"{NAME}/gw0.jsonl: cannot be read: Is a directory [journal-corrupt]"
    )


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b'["a', "Unterminated string starting at: line 1 column 2 (char 1)"),
        (b"{}", "is no list"),
        (b"[1]", "is no list of texts"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
    ids=["empty", "torn", "no-list", "no-texts", "nested"],
)
def test_a_collection_that_cannot_be_read_is_noted(tmp_path: Path, content: bytes, note: str) -> None:
    folder = record(tmp_path, gw0=[start("a"), end("a")])
    (folder / store.COLLECTION).write_bytes(content)
    found = read_run(folder)
    assert found.notes == (f"collection.json: {note}: what was collected is not known",)
    assert found.outcomes == {"a": Outcome.PASSED}


@pytest.mark.parametrize(
    ("one", "other"),
    [(["a", "b"], ["b", "a"]), (["ab"], ["a", "b"]), ([], [""]), (["é"], ["e"]), (["\ud800"], ["?"])],
)
def test_fingerprints_tell_collections_apart(one: list[str], other: list[str]) -> None:
    assert fingerprint(one) == fingerprint(list(one))
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(one))
    assert fingerprint(one) != fingerprint(other)


# finding


def red(node_id: str) -> list[Event]:
    return [start(node_id), end(node_id, outcome=Outcome.FAILED)]


def test_a_run_is_found_by_its_name_or_a_part_of_it(tmp_path: Path) -> None:
    first = record(tmp_path, "20260101T000000Z-unit-00aa", gw0=red("a"))
    record(tmp_path, "20260101T000000Z-unit-00bb", gw0=red("a"))
    assert [find_run(tmp_path, name).id for name in (first.name, "00aa", "unit-00aa")] == [first.name] * 3


def test_a_whole_name_is_never_ambiguous(tmp_path: Path) -> None:
    for name in ("20260101T000000Z-unit-00aa", "20260101T000000Z-unit-00aa-x-00bb"):
        record(tmp_path, name)
    assert find_run(tmp_path, "20260101T000000Z-unit-00aa").id == "20260101T000000Z-unit-00aa"


def test_an_ambiguous_part_names_the_runs_newest_first(tmp_path: Path) -> None:
    names = [f"2026010{day}T000000Z-unit-00a{day}" for day in range(1, 8)]
    for name in names:
        record(tmp_path, name)
    newest = "; ".join(reversed(names[2:]))
    assert refusal(UnknownRunError, lambda: find_run(tmp_path, "unit")) == (
        f"run 'unit': 7 runs match [run-unknown]\n  {newest}"
    )


def test_an_unknown_run_is_answered_with_the_nearest(tmp_path: Path) -> None:
    record(tmp_path, "20260101T000000Z-unit-00aa")
    record(tmp_path, "20260102T000000Z-perf-00bb")
    assert refusal(UnknownRunError, lambda: find_run(tmp_path, "20260101T000000Z-unit-00ab")) == (
        "run '20260101T000000Z-unit-00ab': is not recorded [run-unknown]\n"
        "  did you mean '20260101T000000Z-unit-00aa'? newest: 20260102T000000Z-perf-00bb; "
        "`toxscreen runs --all` lists all"
    )


@pytest.mark.parametrize("name", ["", "zzz"])
def test_a_run_like_no_other_is_answered_with_the_newest(tmp_path: Path, name: str) -> None:
    for each in ("20260101T000000Z-unit-00aa", "20260102T000000Z-perf-00bb"):
        record(tmp_path, each)
    assert refusal(UnknownRunError, lambda: find_run(tmp_path, name)) == (
        f"run {name!r}: is not recorded [run-unknown]\n"
        "  newest: 20260102T000000Z-perf-00bb; `toxscreen runs --all` lists all"
    )


def test_last_is_the_newest_run_whatever_came_of_it(tmp_path: Path) -> None:
    record(tmp_path, "20260101T000001Z-last-0001", gw0=red("a"))
    record(tmp_path, "20260101T000002Z-unit-0002", gw0=[start("a"), end("a")], run=[finish(0)])
    assert find_run(tmp_path, "last").id == "20260101T000002Z-unit-0002"


def test_runs_are_those_of_the_nearest_folder_that_has_some(tmp_path: Path) -> None:
    inner = tmp_path / "package/tests"
    (inner / ".toxscreen/cache").mkdir(parents=True)
    (tmp_path / "package/pyproject.toml").touch()
    assert recorded_root(inner / "unit") == inner
    record(tmp_path)
    assert recorded_root(inner / "unit") == tmp_path
    record(tmp_path / "package")
    assert recorded_root(inner / "unit") == tmp_path / "package"


def test_where_nothing_is_recorded_no_run_is_known(tmp_path: Path) -> None:
    assert refusal(UnknownRunError, lambda: find_run(tmp_path, "x")) == (
        "run 'x': is not recorded [run-unknown]\n  no run is recorded here yet"
    )
    assert refusal(UnknownRunError, lambda: find_run(tmp_path)) == (
        "no recorded run failed [run-unknown]\n  `toxscreen runs` lists what is recorded"
    )
    assert list(tmp_path.iterdir()) == []


def test_without_a_name_it_is_the_last_run_that_failed(tmp_path: Path) -> None:
    record(tmp_path, "20260101T000001Z-unit-0001", gw0=red("a"))
    record(tmp_path, "20260101T000002Z-unit-0002", gw0=red("b"))
    record(tmp_path, "20260101T000003Z-unit-0003", gw0=[start("a"), end("a")], run=[finish(0)])
    record(tmp_path, "20260101T000004Z-unit-0004", gw0=red("a"), replay_of="20260101T000002Z-unit-0002:gw0")
    record(tmp_path, "20260101T000005Z-unit-0005", collected=["a"])
    assert find_run(tmp_path).id == "20260101T000002Z-unit-0002"


def test_an_unreadable_run_does_not_hide_an_older_one_that_failed(tmp_path: Path) -> None:
    record(tmp_path, "20260101T000001Z-unit-0001", gw0=red("a"))
    (record(tmp_path, "20260101T000002Z-unit-0002") / store.HEADER).write_text("{}")
    assert find_run(tmp_path).id == "20260101T000001Z-unit-0001"


def test_where_only_unreadable_runs_are_the_newest_is_named(tmp_path: Path) -> None:
    for name in ("20260101T000001Z-unit-0001", "20260101T000002Z-unit-0002"):
        (record(tmp_path, name) / store.HEADER).write_text("{}")
    assert refusal(CorruptJournalError, lambda: find_run(tmp_path)) == (
        "20260101T000002Z-unit-0002/header.json: the header cannot be read: has no schema number [journal-corrupt]\n"
        "  the run is lost; its folder may be removed"
    )


# the state folder


def test_the_state_folder_ignores_itself_and_keeps_what_is_written_there(tmp_path: Path) -> None:
    folder = state_folder(tmp_path / "new/project")
    assert folder == tmp_path / "new/project/.toxscreen"
    assert (folder / ".gitignore").read_text() == "*\n"
    (folder / ".gitignore").write_text("runs\n")
    assert state_folder(tmp_path / "new/project") == folder
    assert (folder / ".gitignore").read_text() == "runs\n"


def test_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    now = 1767323045.9
    made = [store.new_run(tmp_path, "real-world", now) for _ in range(300)]
    assert len(set(made)) == 300
    assert all(re.fullmatch(r"20260102T030405Z-real-world-[0-9a-f]{4}", folder.name) for folder in made)
    assert sorted(store.run_folders(tmp_path)) == sorted(made)
    assert (tmp_path / ".toxscreen/.gitignore").read_text() == "*\n"


def test_runs_are_listed_newest_first_and_nothing_else_is(tmp_path: Path) -> None:
    older = record(tmp_path, "20251231T235959Z-unit-ffff")
    first = record(tmp_path, "20260102T030405Z-unit-ffff")
    second = record(tmp_path, "20260102T030405Z-perf-0000")
    bare = store.runs_folder(tmp_path) / "20260102T030405Z-unit-0001"
    bare.mkdir()
    os.utime(first / store.HEADER, ns=(1, 1_000))
    os.utime(second / store.HEADER, ns=(1, 2_000))
    (store.runs_folder(tmp_path) / "notes").mkdir()
    (store.runs_folder(tmp_path) / "20260102T030405Z-unit-0002").touch()
    assert store.run_folders(tmp_path) == [second, first, bare, older]


def test_a_project_without_runs_has_none(tmp_path: Path) -> None:
    assert store.run_folders(tmp_path) == []
    assert store.prune(tmp_path, 1) == 0
    assert store.runs_folder(tmp_path) == tmp_path / ".toxscreen/runs"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [1, 2, 3, 4])
def test_only_the_newest_runs_are_kept(tmp_path: Path, keep: int) -> None:
    made = [record(tmp_path, f"2026010{day}T000000Z-unit-000{day}", run=[finish(0)]) for day in (1, 2, 3)]
    (store.runs_folder(tmp_path) / "mine").mkdir()
    assert store.prune(tmp_path, keep) == max(0, 3 - keep)
    assert store.run_folders(tmp_path) == made[::-1][:keep]
    assert (store.runs_folder(tmp_path) / "mine").is_dir()


def test_a_run_that_nobody_leads_is_not_locked(tmp_path: Path) -> None:
    folder = record(tmp_path)
    assert store.is_locked(folder) is False
    shard = Shard(folder / "run.jsonl", lock=True)
    shard.close()
    assert store.is_locked(folder) is False
    assert store.is_locked(tmp_path / "nowhere") is False
    numbers = []
    for _ in range(2):
        numbers.append(os.dup(1))
        os.close(numbers[-1])
        store.is_locked(folder)
    assert numbers[0] == numbers[1], "a descriptor stayed open"


def test_a_name_is_made_from_the_time_in_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert store.new_run(tmp_path, "unit", 0.0).name.startswith("19700101T000000Z-unit-")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_times_of_wide_fixtures_and_of_workers_are_read_and_make_no_attempt(tmp_path: Path) -> None:
    up = Event(EventKind.LANE_UP, 10.0, "gw0", pid=1)
    collected = Event(EventKind.COLLECTED, 10.5, "gw0")
    folder = record(
        tmp_path,
        collected=["a"],
        gw0=[
            up,
            collected,
            start("a"),
            Event(EventKind.FIXTURE, 11.25, "gw0", "a", setup=0.25, fixture="m|db[0]"),
            Event(EventKind.FIXTURE, 12.5, "gw0", "a", teardown=0.5, fixture="m|db[0]"),
            end("a", at=13.0),
        ],
        gw1=[replace(up, lane="gw1"), replace(collected, time=10.75, lane="gw1")],
        gw2=[replace(up, lane="gw2", time=14.0)],
        run=[finish(0)],
    )
    run = read_run(folder)
    assert run.fixtures == (
        FixtureSpan("gw0", "m|db[0]", "a", 11.0, 0.25),
        FixtureSpan("gw0", "m|db[0]", "a", 12.0, 0.5, teardown=True),
    )
    assert run.spans == (
        LaneSpan("gw0", 10.0, 10.5, 13.0),
        LaneSpan("gw1", 10.0, 10.75, 10.75),
        LaneSpan("gw2", 14.0, None, 14.0),
    )
    assert [attempt.node_id for attempt in run.attempts] == ["a"]
    assert run.order.lanes == (Lane("gw0", ("a",)), Lane("gw1", ()), Lane("gw2", ()))
    assert (run.state, run.notes) == (RunState.COMPLETE, ())


def test_a_record_without_such_times_is_read_as_ever(tmp_path: Path) -> None:
    run = read_run(record(tmp_path, collected=["a"], gw0=[start("a"), end("a")], run=[finish(0)]))
    assert (run.fixtures, run.spans) == ((), (LaneSpan("gw0", 11.0, None, 12.0),))
    assert (run.attempts[0].slept, run.attempts[0].children) == (None, None)
