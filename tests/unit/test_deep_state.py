"""Every kind of process state is seen to change, with its access path, and can be put back piece by piece."""

from __future__ import annotations

import atexit
import decimal
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from toxscreen.probes.change import Change
from toxscreen.probes.deep_state import _PROBES, DeepState

logger = logging.getLogger("toxscreen.tests.deep")
Expected = tuple[str, str, str, str]


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test here changes is as it was afterwards, also if the undo that it tests does not work."""
    monkeypatch.setenv("TOXSCREEN_TEST", "1")
    monkeypatch.setattr(sys, "argv", ["program"])
    monkeypatch.setattr(sys, "path", ["/first"])
    monkeypatch.setattr(warnings, "filters", list(warnings.filters))
    monkeypatch.setattr(logger, "level", logging.INFO)
    for name in ("stdout", "excepthook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    here, mask, numbers, limit = Path.cwd(), os.umask(0o022), random.getstate(), sys.getrecursionlimit()
    handler, timeout, disabled = (
        signal.getsignal(signal.SIGTERM),
        socket.getdefaulttimeout(),
        logging.root.manager.disable,
    )
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with decimal.localcontext(decimal.Context(prec=28, traps=[decimal.Overflow])):
        yield
    os.chdir(here)
    os.umask(mask)
    random.setstate(numbers)
    sys.setrecursionlimit(limit)
    signal.signal(signal.SIGTERM, handler)
    socket.setdefaulttimeout(timeout)
    logging.disable(disabled)
    logger.handlers.clear()
    logger.propagate = True


def trace(*_: object) -> None:
    """Do nothing."""


def ignore_more() -> None:
    warnings.filters.insert(0, ("ignore", None, UserWarning, None, 0))  # type: ignore[attr-defined]


def set_precision() -> None:
    decimal.getcontext().prec = 5


def trap() -> None:
    decimal.getcontext().traps[decimal.Inexact] = True


def bind(owner: object, name: str, value: object) -> Callable[[], object]:
    return lambda: setattr(owner, name, value)


LIMIT = sys.getrecursionlimit()
CHANGES: dict[str, tuple[Callable[[], object], Expected]] = {
    "variable": (
        lambda: os.environ.update(TOXSCREEN_TEST="2"),
        ("os.environ['TOXSCREEN_TEST']", "1", "2", "environment"),
    ),
    "removed variable": (
        lambda: os.environ.pop("TOXSCREEN_TEST"),
        ("os.environ['TOXSCREEN_TEST']", "1", "absent", "environment"),
    ),
    "new variable": (
        lambda: os.environ.update(TOXSCREEN_NEW=""),
        ("os.environ['TOXSCREEN_NEW']", "absent", "", "environment"),
    ),
    "path": (lambda: sys.path.append("/x"), ("sys.path", "[...]", "[..., '/x']", "import-path")),
    "path replaced": (bind(sys, "path", ["/x"]), ("sys.path", "['/first']", "['/x']", "import-path")),
    "module": (
        lambda: sys.modules.update(toxscreen_new=ModuleType("toxscreen_new")),
        ("sys.modules['toxscreen_new']", "absent", "module toxscreen_new", "imported-modules"),
    ),
    "arguments": (lambda: sys.argv.append("-x"), ("sys.argv", "[...]", "[..., '-x']", "arguments")),
    "warnings": (
        ignore_more,
        (
            "warnings.filters",
            "[...]",
            "[('ignore', None, class builtins.UserWarning, None, 0), ...]",
            "warnings",
        ),
    ),
    "level": (
        lambda: logger.setLevel(logging.DEBUG),
        ("logging.getLogger('toxscreen.tests.deep').level", "INFO", "DEBUG", "logging"),
    ),
    "propagate": (
        lambda: vars(logger).update(propagate=False),
        ("logging.getLogger('toxscreen.tests.deep').propagate", "True", "False", "logging"),
    ),
    "handler": (
        lambda: logger.addHandler(logging.NullHandler()),
        ("logging.getLogger('toxscreen.tests.deep').handlers", "[]", "[logging.NullHandler]", "logging"),
    ),
    "logging.disable": (
        lambda: logging.disable(logging.ERROR),
        ("logging.disable()", "NOTSET", "ERROR", "logging"),
    ),
    "signal": (
        lambda: signal.signal(signal.SIGTERM, trace),
        ("signal SIGTERM", "SIG_DFL", f"{__name__}.trace", "signals"),
    ),
    "umask": (lambda: os.umask(0o077), ("umask", "0o022", "0o077", "umask")),
    "precision": (set_precision, ("decimal.getcontext().prec", "28", "5", "decimal")),
    "traps": (trap, ("decimal.getcontext().traps", "Overflow", "Overflow, Inexact", "decimal")),
    "recursion": (
        lambda: sys.setrecursionlimit(LIMIT + 7),
        ("sys.getrecursionlimit()", str(LIMIT), str(LIMIT + 7), "recursion-limit"),
    ),
    "socket": (
        lambda: socket.setdefaulttimeout(2.5),
        ("socket.getdefaulttimeout()", "None", "2.5", "socket-timeout"),
    ),
    "hook": (bind(sys, "excepthook", trace), ("sys.excepthook", "sys.excepthook", f"{__name__}.trace", "excepthook")),
}


def undo(change: Change) -> None:
    assert change.undo is not None
    change.undo()


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen_and_undone(name: str) -> None:
    make, expected = CHANGES[name]
    state = DeepState()
    assert state.changes() == []
    make()
    (change,) = state.changes()
    assert change == Change(*expected, own=False, undo=change.undo)
    undo(change)
    assert state.changes() == []


def test_random_numbers() -> None:
    state = DeepState()
    number = random.random()
    (change,) = state.changes()
    assert (change.path, change.kind) == ("random.getstate()", "random-state")
    undo(change)
    assert random.random() == number


def test_the_working_directory_and_one_that_was_removed(tmp_path: Path) -> None:
    here, state, gone = str(Path.cwd()), DeepState(), tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    (change,) = state.changes()
    assert change == Change("os.getcwd()", here, str(gone), "working-directory", own=False, undo=change.undo)
    gone.rmdir()
    (change,) = state.changes()
    assert change.after == "a folder that was removed"
    undo(change)
    assert state.changes() == []


@pytest.mark.skipif(sys.platform != "linux", reason="names of open files as Linux has them")
def test_open_files(tmp_path: Path) -> None:
    state = DeepState()
    number = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    (change,) = state.changes()
    assert change == Change(
        f"file descriptor {number}", "absent", str(tmp_path / "file"), "open-files", own=False, undo=change.undo
    )
    undo(change)
    assert state.changes() == []


def test_threads() -> None:
    state, end = DeepState(), threading.Event()
    thread = threading.Thread(target=end.wait, name="worker")
    thread.start()
    try:
        assert state.changes() == [Change("thread 'worker'", "absent", "threading.Thread", "threads", own=False)]
    finally:
        end.set()
        thread.join()
    assert state.changes() == []


def test_exit_handlers() -> None:
    state, count = DeepState(), atexit._ncallbacks()
    atexit.register(trace)
    try:
        (change,) = state.changes()
    finally:
        atexit.unregister(trace)
    assert change.kind == "exit-handlers"
    assert (change.before, change.after, change.undo) == (str(count), str(count + 1), None)


@pytest.mark.skipif(sys.platform == "win32", reason="time zones of POSIX")
def test_the_time_zone_is_undone_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    state, before = DeepState(), time.tzname
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", "XYZ-7")
            time.tzset()
            zone = next(change for change in state.changes() if change.kind == "time-zone")
            assert (zone.path, zone.after) == ("time.tzname", "('XYZ', 'XYZ')")
            undo(zone)
            assert time.tzname == before
            assert [change.path for change in state.changes()] == ["os.environ['TZ']"]
    finally:
        time.tzset()


def test_a_closed_stream_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        state = DeepState()
        stream.close()
        (change,) = (change for change in state.changes() if change.kind == "streams")
        assert (change.path, change.before, change.after) == ("sys.stdout.closed", "False", "True")
        undo(change)
        assert state.changes() == []
        sys.stdout.close()


def test_a_replaced_stream_is_bound_again(monkeypatch: pytest.MonkeyPatch) -> None:
    state = DeepState()
    monkeypatch.setattr(sys, "stdout", None)
    (change,) = state.changes()
    assert (change.path, change.after, change.kind) == ("sys.stdout", "None", "streams")
    undo(change)
    assert state.changes() == []


def test_a_logger_that_is_new_differs_by_its_settings_only() -> None:
    state, name = DeepState(), "toxscreen.tests.deep.new"
    try:
        logging.getLogger(name)
        assert state.changes() == []
        logging.getLogger(name).setLevel(logging.ERROR)
        (change,) = state.changes()
        assert (change.path, change.before, change.after) == (f"logging.getLogger({name!r}).level", "NOTSET", "ERROR")
        undo(change)
        assert state.changes() == []
    finally:
        logging.root.manager.loggerDict.pop(name)


def test_tracers() -> None:
    before, state = sys.getprofile(), DeepState()
    try:
        sys.setprofile(trace)
        (change,) = state.changes()
        undo(change)
        assert sys.getprofile() is before
    finally:
        sys.setprofile(before)
    assert (change.path, change.after, change.kind) == ("sys.getprofile()", f"{__name__}.trace", "trace")


def test_a_module_that_is_not_loaded_is_not_loaded_and_has_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("decimal", "_locale", "_socket", "asyncio.events", "numpy.random", "atexit"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    loaded, state = set(sys.modules), DeepState()
    assert state.changes() == []
    assert set(sys.modules) == loaded
    monkeypatch.setitem(sys.modules, "decimal", decimal)
    assert [change.path for change in state.changes()] == ["sys.modules['decimal']"]


class Hostile:
    """Fails whatever is asked of it."""

    __hash__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_what_a_test_left_in_the_place_of_something_brings_nobody_down(monkeypatch: pytest.MonkeyPatch) -> None:
    state, hostile = DeepState(), Hostile()
    with monkeypatch.context() as patch:
        for owner, name in ((sys, "stdout"), (os, "environ"), (sys, "path"), (logger, "level"), (os, "getcwd")):
            patch.setattr(owner, name, hostile)
        patch.delattr(sys, "argv")
        found = {change.path: change.after for change in state.changes()}
    assert found == {
        "os.environ": f"{__name__}.Hostile",
        "sys.stdout": f"{__name__}.Hostile",
        "logging.getLogger('toxscreen.tests.deep').level": f"{__name__}.Hostile",
    }
    assert state.changes() == []


def test_every_kind_is_one_that_is_read() -> None:
    assert {expected[3] for _, expected in CHANGES.values()} <= set(_PROBES)
    assert [kind for kind, probe in _PROBES.items() if not isinstance(probe(), dict)] == []
