"""The guard's judgement: pulses, who is overdue, what is written down and told; and what a worker died of."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.guard import words
from toxscreen.guard.exits import told
from toxscreen.guard.process import BYE, GRACE, Guard, Leash, is_alive
from toxscreen.guard.pulse import PULSE, Pulse
from toxscreen.journal.codec import event_from_line
from toxscreen.model import Event, EventKind, Outcome
from toxscreen.pytest_plugin.death import Death, death_of

#: Greater than any process id that a system gives out.
NOBODY = 2**31 - 1
TEST = "tests/test_a.py::test_it"


def pulse_bytes(sequence: int, process: int, limit: float, node_id: str) -> bytes:
    name = node_id.encode()
    return PULSE.pack(sequence, process, limit, len(name)) + name


def beat(folder: Path, lane: str, sequence: int, process: int, limit: float, node_id: str = TEST) -> Pulse:
    (folder / f"{lane}.pulse").write_bytes(pulse_bytes(sequence, process, limit, node_id))
    return Pulse(sequence, process, limit, node_id)


def journal(folder: Path) -> list[Event]:
    """What the guard wrote, read as the rest of the journal is."""
    return [event_from_line(line) for line in (folder / "guard.jsonl").read_bytes().splitlines()]


# pulses


@hypothesis.settings(max_examples=60, database=None, deadline=None)
@given(
    sequence=st.integers(0, 2**64 - 1),
    process=st.integers(0, 2**64 - 1),
    limit=st.floats(allow_nan=False),
    node_id=st.text(st.sampled_from("a/:[] \n\x00\xe9\u20ac\U0001f600"), max_size=30),
    rest=st.binary(max_size=10),
)
def test_a_pulse_comes_back_whatever_an_older_longer_one_left_behind(
    sequence: int, process: int, limit: float, node_id: str, rest: bytes
) -> None:
    content = pulse_bytes(sequence, process, limit, node_id) + rest
    assert Pulse.parse(content) == Pulse(sequence, process, limit, node_id)


@pytest.mark.parametrize("length", range(PULSE.size))
def test_a_pulse_that_is_not_whole_is_none(length: int) -> None:
    assert Pulse.parse(pulse_bytes(1, 2, 3.0, TEST)[:length]) is None


def test_a_node_id_cut_within_a_letter_is_told_as_far_as_it_goes() -> None:
    content = PULSE.pack(1, 2, 3.0, 5) + "test_é".encode()[:6]
    assert Pulse.parse(content) == Pulse(1, 2, 3.0, "test_")
    assert Pulse.parse(PULSE.pack(1, 2, 3.0, 6) + "test_é".encode()) == Pulse(1, 2, 3.0, "test_\ufffd")


def test_the_pulses_of_all_lanes_are_read_and_nothing_else_is(tmp_path: Path) -> None:
    one, other = beat(tmp_path, "gw0", 1, 10, 5.0), beat(tmp_path, "gw1", 7, 11, 0.0, "")
    (tmp_path / "gw2.pulse").write_bytes(b"torn")
    (tmp_path / "gw3.pulse").mkdir()
    (tmp_path / "gw0.stacks").write_bytes(pulse_bytes(1, 2, 3.0, TEST))
    assert Guard(os.fspath(tmp_path), 1, alone=False, run="r").pulses() == {"gw0": one, "gw1": other}
    assert Guard(os.fspath(tmp_path / "gone"), 1, alone=False, run="r").pulses() == {}


# who is overdue


def test_a_test_is_overdue_after_its_limit_and_grace(tmp_path: Path) -> None:
    guard = Guard(os.fspath(tmp_path), 1, alone=False, run="r")
    pulse = beat(tmp_path, "gw0", 1, os.getpid(), 5.0)
    seen = {now: guard.overdue(100.0 + now) for now in (0.0, 5.0, 5.0 + GRACE, 5.1 + GRACE)}
    assert seen == {0.0: [], 5.0: [], 5.0 + GRACE: [], 5.1 + GRACE: [("gw0", pulse)]}


def test_each_new_pulse_starts_the_time_anew(tmp_path: Path) -> None:
    guard = Guard(os.fspath(tmp_path), 1, alone=False, run="r")
    beat(tmp_path, "gw0", 1, os.getpid(), 5.0)
    assert guard.overdue(0.0) == []
    pulse = beat(tmp_path, "gw0", 2, os.getpid(), 5.0)
    assert [guard.overdue(now) for now in (100.0, 105.0, 107.0)] == [[], [], [("gw0", pulse)]]


@pytest.mark.parametrize(
    ("process", "limit"), [(os.getpid(), 0.0), (NOBODY, 5.0)], ids=["no limit or idle", "not alive"]
)
def test_who_is_never_overdue(tmp_path: Path, process: int, limit: float) -> None:
    guard = Guard(os.fspath(tmp_path), 1, alone=False, run="r")
    beat(tmp_path, "gw0", 1, process, limit)
    assert [guard.overdue(now) for now in (0.0, 1000.0)] == [[], []]


def test_every_late_lane_is_named(tmp_path: Path) -> None:
    guard = Guard(os.fspath(tmp_path), 1, alone=False, run="r")
    late = {lane: beat(tmp_path, lane, 1, os.getpid(), 1.0) for lane in ("gw0", "gw2")}
    beat(tmp_path, "gw1", 1, os.getpid(), 50.0)
    assert guard.overdue(0.0) == []
    assert dict(guard.overdue(10.0)) == late


# what is written down


STACKS = """Timeout (0:00:01)!
Thread 0x1 (most recent call first):
  File "/old.py", line 1 in old
Timeout (0:00:05)!
Thread 0x00007f (most recent call first):
  File "/suite/test_a.py", line 3 in helper
  File "/suite/test_a.py", line 9 in test_it
  File "/lib/_pytest/python.py", line 100 in pytest_pyfunc_call
  File "/lib/pluggy/_callers.py", line 10 in _multicall
  File "/lib/runpy.py", line 5 in main
"""
TRIMMED = """stacks of all threads:
Thread 0x00007f (most recent call first):
  File "/suite/test_a.py", line 3 in helper
  File "/suite/test_a.py", line 9 in test_it
  ... called by pytest"""
NO_STACKS = "its stacks could not be had: something else in the process uses faulthandler's timer"
ENDED = f"{TEST} outlived its limit of 0.5 s on gw0, could not be interrupted and was ended"


@pytest.mark.skipif(os.sep != "/", reason="the paths of POSIX")
@pytest.mark.parametrize(
    ("written", "stacks"),
    [
        (None, NO_STACKS),
        ("", NO_STACKS),
        ("something else\n", NO_STACKS),
        (STACKS, TRIMMED),
        ("x" * 70_000 + STACKS, TRIMMED),
    ],
    ids=["no file", "empty", "foreign", "two dumps", "long"],
)
@pytest.mark.parametrize("alone", [True, False])
def test_who_hung_is_written_down_with_the_last_stacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str | None, stacks: str, *, alone: bool
) -> None:
    if written is not None:
        (tmp_path / "gw0.stacks").write_text(written)
    guard = Guard(os.fspath(tmp_path), 1, alone=alone, run="20260102T030405Z-unit-0a1b")
    pulse = beat(tmp_path, "gw0", 4, NOBODY, 0.5)
    before = time.time()
    guard.end("gw0", pulse)
    (event,) = journal(tmp_path)
    assert event == Event(
        EventKind.LANE_DOWN, event.time, "gw0", TEST, Outcome.TIMED_OUT, text=f"{ENDED}\n\n{stacks}", pid=NOBODY
    )
    assert before <= event.time <= time.time()
    last_word = (
        f"\ntoxscreen: {ENDED}\n\n{stacks}\ntoxscreen: every test that finished before is kept, "
        "see `toxscreen runs 20260102T030405Z-unit-0a1b`\n"
    )
    assert capsys.readouterr() == ("", last_word if alone else "")


def test_who_was_ended_is_not_ended_again(tmp_path: Path) -> None:
    guard = Guard(os.fspath(tmp_path), 1, alone=False, run="r")
    pulse = beat(tmp_path, "gw0", 4, NOBODY, 0.5)
    guard.end("gw0", pulse)
    beat(tmp_path, "gw0", 4, os.getpid(), 0.5)
    assert guard.overdue(1e9) == []


def test_a_folder_that_is_gone_is_no_reason_to_let_it_hang(tmp_path: Path) -> None:
    guard = Guard(os.fspath(tmp_path / "gone"), 1, alone=False, run="r")
    guard.end("gw0", Pulse(1, NOBODY, 1.0, TEST))
    assert guard.since == {"gw0": (1, float("inf"))}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "node_id", "is_told"),
    [(5.0, TEST, True), (0.0, TEST, True), (0.0, "", False)],
    ids=["with a limit", "without a limit", "idle"],
)
def test_a_leader_that_died_is_told_with_the_test_that_it_ran(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: float, node_id: str, *, is_told: bool
) -> None:
    beat(tmp_path, "main", 1, NOBODY, limit, node_id)
    Guard(os.fspath(tmp_path), NOBODY, alone=True, run="r").watch(Leash())
    text = f"pytest died while it was running {TEST}"
    if is_told:
        (event,) = journal(tmp_path)
        assert event == Event(EventKind.LANE_DOWN, event.time, "main", TEST, Outcome.CRASHED, text=text, pid=NOBODY)
    else:
        assert not (tmp_path / "guard.jsonl").exists()
    told_so = f"\ntoxscreen: {text}\ntoxscreen: every test that finished before is kept, see `toxscreen runs r`\n"
    assert capsys.readouterr() == ("", told_so if is_told else "")


def test_a_leader_that_ran_no_tests_itself_leaves_nothing_to_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beat(tmp_path, "gw0", 1, NOBODY, 5.0)
    Guard(os.fspath(tmp_path), NOBODY, alone=False, run="r").watch(Leash())
    assert not (tmp_path / "guard.jsonl").exists()
    assert capsys.readouterr() == ("", "")


def test_after_a_goodbye_nothing_is_watched_or_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beat(tmp_path, "main", 1, NOBODY, 5.0)
    leash = Leash()
    leash.bye()
    guard = Guard(os.fspath(tmp_path), NOBODY, alone=True, run="r")
    guard.watch(leash)
    assert (guard.since, list(tmp_path.glob("guard*"))) == ({}, [])
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("written", "said_bye"), [(b"", False), (BYE, True), (b"x" + BYE, True), (b"by", False)], ids=repr
)
def test_what_is_heard_from_the_leader(written: bytes, *, said_bye: bool) -> None:
    reading, writing = os.pipe()
    os.write(writing, written)
    os.close(writing)
    leash = Leash()
    leash.listen(reading)
    os.close(reading)
    assert (leash.said_bye, leash.hung_up) == (said_bye, True)
    if said_bye:
        # Would otherwise not come back within the limit of this test.
        leash.wait(3600)
        leash.wait(3600)


# stacks in words


@pytest.mark.skipif(os.sep != "/", reason="the paths of POSIX")
@pytest.mark.parametrize(
    ("stacks", "kept"),
    [
        ("", ""),
        ("Thread 1:\n  File /a/test.py\n\n", "Thread 1:\n  File /a/test.py"),
        ("  File /x/_pytest/a.py\n  File /b.py\n", "  ... called by pytest"),
        (
            "Thread 1:\n  File /a.py\n  File /x/pluggy/b.py\n  File /c.py\n\nThread 2:\n  File /d.py\n",
            "Thread 1:\n  File /a.py\n  ... called by pytest\n\nThread 2:\n  File /d.py",
        ),
        ("Thread 1:\n  File /my_pytest/a.py\n  File /pluggy.py\n", None),
    ],
    ids=["nothing", "no runner", "runner only", "two threads", "look-alikes"],
)
def test_the_calls_of_the_runner_are_left_out(stacks: str, kept: str | None) -> None:
    assert words.without_runner(stacks) == (stacks.rstrip() if kept is None else kept)


# processes


def test_who_is_alive() -> None:
    assert [is_alive(process) for process in (os.getpid(), NOBODY)] == [True, False]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "its exit status is not known"),
        (0, "it exited with status 0"),
        (3, "it exited with status 3"),
        (-signal.SIGSEGV, "it was killed by SIGSEGV (Segmentation fault)"),
        (-signal.SIGKILL, "it was killed by SIGKILL (Killed; kill -9, or the system ran out of memory)"),
        (-signal.SIGTERM, "it was killed by SIGTERM (Terminated)"),
        (-250, "it was killed by signal 250"),
    ],
)
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the signals of POSIX")
def test_an_exit_status_in_words(status: int | None, words: str) -> None:
    # What a signal means is worded by the system, with its number on some.
    assert told(status).replace(f": {-(status or 0)}", "") == words


@dataclass
class Gateway:
    """A worker on another machine, whose process cannot be asked."""

    id: str


@dataclass
class Node:
    gateway: Gateway


def death(folder: Path) -> Death:
    return death_of(Node(Gateway("gw0")), folder)


def test_a_worker_that_died_while_it_ran_a_test(tmp_path: Path) -> None:
    beat(tmp_path, "gw0", 1, NOBODY, 5.0)
    text = f"{TEST} was running when gw0 died: its exit status is not known"
    assert death(tmp_path) == Death(TEST, text, None)
    (tmp_path / "gw0.fault").write_text("Fatal Python error: Segmentation fault\n\nThread 1:\n  File /a.py\n")
    words = "Fatal Python error: Segmentation fault\n\nThread 1:\n  File /a.py"
    assert death(tmp_path) == Death(TEST, f"{text}\n\n{words}", None)


@pytest.mark.parametrize("content", [None, b"torn", pulse_bytes(1, 2, 0.0, "")], ids=["no pulse", "torn", "idle"])
def test_a_worker_that_died_between_tests(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "gw0.pulse").write_bytes(content)
    assert death(tmp_path) == Death(None, "no test was running when gw0 died: its exit status is not known", None)


def test_what_the_guard_wrote_down_is_believed_and_its_last_word_counts(tmp_path: Path) -> None:
    for lane, node_id in (("gw0", "first"), ("gw0", "second"), ("gw1", "other")):
        words.record(tmp_path, lane, Pulse(1, NOBODY, 1.0, node_id), "timed-out", f"{node_id} hung")
    with (tmp_path / "guard.jsonl").open("a") as shard:
        shard.write('{"kind": "lane-down"')
    assert death(tmp_path) == Death("second", "second hung", None, recorded=True)
