"""Facts about the machine, from files made for the purpose."""

from __future__ import annotations

import os
import platform
import re
import sys
import threading
import time
from pathlib import Path

import pytest

from toxscreen import host
from toxscreen.host import Clock


def control_group(root: Path, **files: str) -> Path:
    """A control group's folder; names are the files' with a double underscore for the slash, a single for the dot."""
    names = {
        "v2": "cpu.max",
        "quota": "cpu/cpu.cfs_quota_us",
        "period": "cpu/cpu.cfs_period_us",
    }
    for key, content in files.items():
        file = root / names[key]
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    return root


# cores


@pytest.mark.parametrize(
    ("files", "granted"),
    [
        ({}, None),
        ({"v2": "max 100000\n"}, None),
        ({"v2": "100000 100000\n"}, 1),
        ({"v2": "150000 100000\n"}, 2),
        ({"v2": "200000 100000\n"}, 2),
        ({"v2": "200001 100000\n"}, 3),
        ({"v2": "1000 100000\n"}, 1),
        ({"v2": "6400000 100000\n"}, 64),
        ({"v2": ""}, None),
        ({"v2": "many 100000\n"}, None),
        ({"v2": "100000\n"}, None),
        ({"quota": "-1\n", "period": "100000\n"}, None),
        ({"quota": "250000\n", "period": "100000\n"}, 3),
        ({"quota": "1000\n", "period": "100000\n"}, 1),
        ({"quota": "0\n", "period": "100000\n"}, None),
        ({"quota": "100000\n"}, None),
        ({"quota": "100000\n", "period": "0\n"}, None),
        ({"quota": "x\n", "period": "100000\n"}, None),
        ({"v2": "max 100000\n", "quota": "250000\n", "period": "100000\n"}, 3),
        ({"v2": "100000 100000\n", "quota": "250000\n", "period": "100000\n"}, 1),
    ],
)
def test_cores_of_a_control_group(tmp_path: Path, files: dict[str, str], granted: int | None) -> None:
    group = control_group(tmp_path, **files)
    free = host.cores(tmp_path / "none")
    assert host._cores_of_quota(group) == granted
    assert host.cores(group) == (free if granted is None else min(free, granted))


def test_without_a_quota_the_cores_are_those_this_process_may_use(tmp_path: Path) -> None:
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    assert host.cores(tmp_path) == usable


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which cores a process may use")
def test_cores_of_the_machine_that_this_process_may_not_use_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 9999)
    assert host.cores(tmp_path) == len(os.sched_getaffinity(0))
    monkeypatch.setattr(sys, "platform", "other")
    assert host.cores(tmp_path) == 9999


def test_where_nobody_tells_there_is_one_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "other")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert host.cores(tmp_path) == 1
    assert host.cores(control_group(tmp_path, v2="300000 100000")) == 3


@pytest.mark.parametrize(
    ("flags", "name"), [("", "CPython 3.14"), ("t", "CPython 3.14t"), (None, "CPython 3.14")], ids=["", "t", "Windows"]
)
def test_builds_of_python_have_names_of_their_own(
    monkeypatch: pytest.MonkeyPatch, flags: str | None, name: str
) -> None:
    monkeypatch.setattr(platform, "python_implementation", lambda: "CPython")
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    monkeypatch.delattr(sys, "abiflags", raising=False)
    if flags is not None:
        monkeypatch.setattr(sys, "abiflags", flags, raising=False)
    assert host.interpreter() == name


def test_facts() -> None:
    assert host.facts() == {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "cores": str(host.cores()),
    }


# continuous integration


@pytest.mark.parametrize(
    ("variables", "answer"),
    [
        ({}, False),
        ({"CI": ""}, False),
        ({"CI": "  "}, False),
        ({"CI": "0"}, False),
        ({"CI": "false"}, False),
        ({"CI": "FALSE "}, False),
        ({"CI": "no"}, False),
        ({"CI": "Off"}, False),
        ({"CI": "true"}, True),
        ({"CI": "1"}, True),
        ({"CI": "woodpecker"}, True),
        ({"ci": "true"}, False),
    ],
)
def test_continuous_integration(variables: dict[str, str], *, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert host.is_ci(variables) is answer
    monkeypatch.delenv("CI", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert host.is_ci() is answer


# the clock


def test_a_test_that_freezes_time_does_not_freeze_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.time()
    for name in ("time", "perf_counter", "sleep"):
        monkeypatch.setattr(time, name, lambda *_: 0.0)
    assert before <= host.CLOCK.wall() < before + 60
    assert host.CLOCK.elapsed() <= host.CLOCK.elapsed()
    assert host.CLOCK.elapsed() > 0.0
    monkeypatch.undo()
    assert Clock() == host.CLOCK == Clock(time.time, time.perf_counter, time.sleep)


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not say")
def test_what_children_computed_is_known_and_never_falls() -> None:
    first, second = host.CLOCK.children(), host.CLOCK.children()
    assert first is not None
    assert second is not None
    assert 0.0 <= first <= second


# programs and files


def test_a_program_beside_this_interpreter_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = Path(sys.executable).name
    other = tmp_path / name
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    found = []
    for path in (str(Path(sys.executable).parent), str(tmp_path), str(tmp_path / "none")):
        monkeypatch.setenv("PATH", path)
        found.append(host.same_program(name))
    assert found == [True, False, False]


def test_without_git_nothing_is_known_of_commits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (host.git_commit(tmp_path), host.git_changes(tmp_path)) == (None, None)
    assert host.git_head(tmp_path) == (None, None)


def test_a_file_is_appended_to_or_made(tmp_path: Path) -> None:
    for text in (b"one", b"two"):
        descriptor = host.open_for_append(tmp_path / "file")
        os.write(descriptor, text)
        os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"onetwo"
    with pytest.raises(FileNotFoundError):
        host.open_for_append(tmp_path / "none/file")


def test_this_process() -> None:
    assert host.process_id() == os.getpid()
    assert host.environment() is os.environ


# stacks


def test_the_stacks_of_the_other_threads() -> None:
    there, done = threading.Event(), threading.Event()

    def wait_for_the_end() -> None:
        there.set()
        done.wait()

    thread = threading.Thread(target=wait_for_the_end, name="the waiting one")
    thread.start()
    there.wait()
    try:
        stacks = host.other_stacks()
    finally:
        done.set()
        thread.join()
    (mine,) = re.findall(rf"^thread the waiting one \({thread.ident}\)\n(?:  .*\n?)+", stacks, re.MULTILINE)
    assert re.search(r'File ".*test_host.py", line \d+, in wait_for_the_end\n +(there\.set|done\.wait)\(\)', mine)
    assert f"({threading.get_ident()})" not in stacks
    assert not stacks.endswith("\n")
