"""What does not survive a fork well is seen in the process."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from toxscreen.hunt.child.hazards import _databases, _held_locks, _named, _replaced, hazards, unforkable_modules


def test_a_thread_is_a_hazard_while_it_runs() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="keeper-of-time")
    thread.start()
    try:
        assert "thread keeper-of-time" in hazards()[0]
    finally:
        end.set()
        thread.join()
    assert "thread keeper-of-time" not in hazards()[0]


def count(found: list[str], noun: str) -> int:
    return sum(int(each.split()[0]) for each in found if noun in each)


def test_an_open_socket_is_a_hazard() -> None:
    before = count(hazards()[0], "open socket")
    with socket.socket():
        assert count(hazards()[0], "open socket") == before + 1
    assert count(hazards()[0], "open socket") == before


def test_an_open_database_is_a_hazard() -> None:
    before = count(_databases(), "SQLite")
    connection = sqlite3.connect(":memory:")
    assert count(_databases(), "SQLite") == before + 1
    connection.close()
    assert count(_databases(), "SQLite") == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_replaced_fork_is_no_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _replaced() == []
    monkeypatch.setattr(os, "fork", lambda: 0)
    assert _replaced() == ["os.fork is replaced"]


def test_a_running_event_loop_makes_forks_useless() -> None:
    import asyncio

    async def look() -> list[str]:
        return hazards()[1]

    assert "an event loop of asyncio runs" not in hazards()[1]
    with asyncio.Runner() as runner:
        assert "an event loop of asyncio runs" in runner.run(look())


def test_locks_of_modules_that_are_held_are_named() -> None:
    module = ModuleType("app")
    held = threading.Lock()
    vars(module).update(HELD=held, FREE=threading.Lock(), NAME="x")
    with held:
        assert _held_locks({"app": module, "none": None}) == ["a thread may hold app.HELD"]
    assert _held_locks({"app": module}) == []


@pytest.mark.parametrize(
    ("modules", "platform", "found"),
    [
        pytest.param({"os": os}, "linux", [], id="nothing"),
        pytest.param(
            {"grpc._cython.cygrpc": os}, "linux", ["grpc is imported, which does not work in forks"], id="grpc"
        ),
        pytest.param({"torch.cuda": SimpleNamespace(is_initialized=lambda: False)}, "linux", [], id="CUDA at rest"),
        pytest.param(
            {"torch.cuda": SimpleNamespace(is_initialized=lambda: True)},
            "linux",
            ["CUDA is started, which does not work in forks"],
            id="CUDA",
        ),
        pytest.param(
            {"tensorflow.python.eager.context": SimpleNamespace(context=lambda: SimpleNamespace(_initialized=True))},
            "linux",
            ["tensorflow is started, which does not work in forks"],
            id="tensorflow",
        ),
        pytest.param({"tensorflow.python.eager.context": SimpleNamespace()}, "linux", [], id="another tensorflow"),
        pytest.param({"objc": os}, "linux", [], id="objc elsewhere"),
        pytest.param(
            {"objc": os}, "darwin", ["frameworks of macOS are loaded, which do not work in forks"], id="macOS"
        ),
    ],
)
def test_libraries_that_do_not_bear_forks(
    modules: dict[str, Any], platform: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRPC_ENABLE_FORK_SUPPORT", raising=False)
    assert unforkable_modules(modules, platform) == found


def test_a_few_names_are_told() -> None:
    assert _named("thread", list("abcde")) == ["thread a", "thread b", "thread c", "2 more"]
    assert _named("thread", []) == []
