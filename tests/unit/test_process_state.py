"""Each probe sees its piece of process state change and come back, and says so in words."""

from __future__ import annotations

import contextlib
import decimal
import locale
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from toxscreen.model import Leak
from toxscreen.probes import process_state
from toxscreen.probes.process_state import PROBES, changed, leaks, look, unchanged

Change = Callable[[pytest.MonkeyPatch], AbstractContextManager[object]]


def patched(*targets: tuple[object, str, object]) -> Change:
    @contextmanager
    def change(patch: pytest.MonkeyPatch) -> Iterator[None]:
        with patch.context() as inner:
            for target, name, value in targets:
                inner.setattr(target, name, value)
            yield

    return change


@contextmanager
def path_grows(_: pytest.MonkeyPatch) -> Iterator[None]:
    sys.path.append("/added")
    yield
    sys.path.remove("/added")


@contextmanager
def handler_added(_: pytest.MonkeyPatch) -> Iterator[None]:
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)


@contextmanager
def logging_disabled(_: pytest.MonkeyPatch) -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


@contextmanager
def signal_handled(_: pytest.MonkeyPatch) -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    yield
    signal.signal(signal.SIGTERM, before)


@contextmanager
def locale_set(_: pytest.MonkeyPatch) -> Iterator[None]:
    before = locale.setlocale(locale.LC_CTYPE)
    for name in ("C", "C.UTF-8", "en_US.UTF-8"):
        with contextlib.suppress(locale.Error):
            if locale.setlocale(locale.LC_CTYPE, name) != before:
                break
    else:
        pytest.skip("this machine has one locale only")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


@contextmanager
def decimal_precise(_: pytest.MonkeyPatch) -> Iterator[None]:
    with decimal.localcontext() as context:
        context.prec = 5
        yield


@contextmanager
def decimal_rounded(_: pytest.MonkeyPatch) -> Iterator[None]:
    with decimal.localcontext() as context:
        context.rounding = decimal.ROUND_UP
        yield


@contextmanager
def sockets_wait(_: pytest.MonkeyPatch) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(3.5)
    yield
    socket.setdefaulttimeout(before)


@contextmanager
def clock_moved(patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as inner:
        inner.setenv("TZ", "XYZ-7")
        time.tzset()
    yield
    time.tzset()


@contextmanager
def recursion_limited(_: pytest.MonkeyPatch) -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 7)
    yield
    sys.setrecursionlimit(before)


def trace(_frame: FrameType, _event: str, _argument: object) -> None:
    """Trace nothing."""


@contextmanager
def traced(_: pytest.MonkeyPatch) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(trace)
    yield
    sys.settrace(before)


@contextmanager
def profiled(_: pytest.MonkeyPatch) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(trace)
    yield
    sys.setprofile(before)


CHANGES: dict[str, tuple[str, Change]] = {
    "path in place": ("sys.path", path_grows),
    "path replaced": ("sys.path", patched((sys, "path", ["/other"]))),
    "argv": ("sys.argv", patched((sys, "argv", ["program", "-x"]))),
    "finders": ("sys.meta_path", patched((sys, "meta_path", list(sys.meta_path[1:])))),
    "level": ("logging.root", patched((logging.root, "level", 7))),
    "disabled": ("logging.root", patched((logging.root, "disabled", True))),
    "handler": ("logging.root", handler_added),
    "logging.disable": ("logging.root", logging_disabled),
    "signal": ("signal handlers", signal_handled),
    "locale": ("locale", locale_set),
    "precision": ("decimal context", decimal_precise),
    "rounding": ("decimal context", decimal_rounded),
    "socket": ("socket.getdefaulttimeout()", sockets_wait),
    "time zone": ("time.tzname", clock_moved),
    "recursion": ("sys.getrecursionlimit()", recursion_limited),
    "trace": ("sys.gettrace()", traced),
    "profile": ("sys.getprofile()", profiled),
}


@pytest.mark.skipif(sys.platform == "win32", reason="time zones of POSIX")
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen_while_it_lasts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    what, change = CHANGES[name]
    before = look()
    assert unchanged(before)
    with change(monkeypatch):
        during, same = look(), unchanged(before)
    after = look()
    assert changed(before, during) == {what: (before[what], during[what])}
    assert before[what] != during[what]
    assert same is False
    assert changed(before, after) == {}
    assert unchanged(before)


def test_every_probe_has_a_change_that_it_sees() -> None:
    assert {what for what, _ in CHANGES.values()} | {"os.environ", "os.getcwd()"} == set(PROBES)
    assert list(look()) == list(PROBES)


def test_what_is_put_in_place_of_what_was_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before = look()
    with CHANGES["socket"][1](monkeypatch):
        assert leaks(changed(before, look()), "t") == (Leak("socket.getdefaulttimeout()", "None", "3.5", "t"),)
    limit = sys.getrecursionlimit()
    with CHANGES["recursion"][1](monkeypatch):
        assert leaks(changed(before, look()), "t") == (
            Leak("sys.getrecursionlimit()", str(limit), str(limit + 7), "t"),
        )
    with CHANGES["argv"][1](monkeypatch):
        (leak,) = leaks(changed(before, look()), "t")
    assert (leak.what, leak.after, leak.blamed) == ("sys.argv", "['program', '-x']", "t")


# the environment


def test_variables_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOXSCREEN_TEST_OLD", "1")
    monkeypatch.setenv("TOXSCREEN_TEST_GONE", "é")
    monkeypatch.delenv("TOXSCREEN_TEST_NEW", raising=False)
    before = look()
    monkeypatch.setenv("TOXSCREEN_TEST_OLD", "2")
    monkeypatch.delenv("TOXSCREEN_TEST_GONE")
    monkeypatch.setenv("TOXSCREEN_TEST_NEW", "")
    assert unchanged(before) is False
    assert leaks(changed(before, look()), "t") == (
        Leak("os.environ['TOXSCREEN_TEST_GONE']", "é", "absent", "t"),
        Leak("os.environ['TOXSCREEN_TEST_NEW']", "absent", "", "t"),
        Leak("os.environ['TOXSCREEN_TEST_OLD']", "1", "2", "t"),
    )


def test_what_pytest_keeps_in_the_environment_is_no_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    before = look()
    with monkeypatch.context() as patch:
        patch.setenv("PYTEST_CURRENT_TEST", "another")
        assert changed(before, look()) == {}


def test_a_mapping_in_the_place_of_the_environment_is_compared_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TOXSCREEN_TEST_OLD", "1")
        before = look()
        copy: dict[object, object] = {3: 4}
        copy.update(os.environ.items())
        del copy["TOXSCREEN_TEST_OLD"]
        patch.setattr(os, "environ", copy)
        found, same = changed(before, look()), unchanged(before)
    assert found == {"os.environ['3']": (None, "4"), "os.environ['TOXSCREEN_TEST_OLD']": ("1", None)}
    assert same is False


def test_values_of_variables_are_not_shown_where_the_environment_is_no_mapping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = look()
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", 3)
        found, same = changed(before, look()), unchanged(before)
    assert leaks(found, "t") == (
        Leak("os.environ", "variables", "cannot be read: TypeError: 'int' object is not iterable", "t"),
    )
    assert same is False


# the working directory


def test_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, here = look(), str(Path.cwd())
    gone = tmp_path / "gone"
    gone.mkdir()
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        elsewhere, same = look(), unchanged(before)
        patch.chdir(gone)
        gone.rmdir()
        nowhere = look()
    assert same is False
    assert leaks(changed(before, elsewhere), "t") == (Leak("os.getcwd()", here, str(tmp_path), "t"),)
    assert leaks(changed(before, nowhere), "t") == (Leak("os.getcwd()", here, "a folder that was removed", "t"),)


# what is not there, or not what it was


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("logging", "logging.root"),
        ("_locale", "locale"),
        ("decimal", "decimal context"),
        ("socket", "socket.getdefaulttimeout()"),
        ("time", "time.tzname"),
    ],
)
def test_a_module_that_is_not_imported_has_no_state(monkeypatch: pytest.MonkeyPatch, module: str, what: str) -> None:
    there = look()
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, module)
        missing = look()
    assert missing == {**there, what: None}
    assert changed(missing, there) == {}, "its import is no leak"
    assert changed(there, missing) == {what: (there[what], None)}
    assert leaks(changed(there, missing), "t")[0].after == "absent"


def test_a_probe_that_the_baseline_lacks_is_no_leak() -> None:
    assert changed({}, look()) == {}
    assert changed({}, {"sys.gettrace()": trace}) == {}


@pytest.mark.parametrize("what", ["sys.gettrace()", "sys.getprofile()"])
def test_a_tracer_where_there_was_none_is_a_leak(what: str) -> None:
    assert changed({what: None}, {what: trace}) == {what: (None, trace)}
    assert changed({what: trace}, {what: None}) == {what: (trace, None)}
    assert changed({what: None}, {what: None}) == {}


@pytest.mark.parametrize(
    ("owner", "name", "what", "told"),
    [
        (sys, "argv", "sys.argv", "AttributeError: module 'sys' has no attribute 'argv'"),
        (sys, "path", "sys.path", "AttributeError: module 'sys' has no attribute 'path'"),
        (logging, "root", "logging.root", "AttributeError: module 'logging' has no attribute 'root'"),
    ],
)
def test_what_a_test_removed_does_not_bring_the_probes_down(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, what: str, told: str
) -> None:
    before = look()
    with monkeypatch.context() as patch:
        patch.delattr(owner, name)
        found, same = changed(before, look()), unchanged(before)
    assert found == {what: (before[what], f"cannot be read: {told}")}
    assert same is False


# in words


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "absent"),
        ("", ""),
        ("text", "text"),
        (3, "3"),
        (("a", 1), "('a', 1)"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "..."),
        (["y" * 300], "['" + "y" * 198 + "..."),
    ],
    ids=["absent", "empty", "text", "number", "tuple", "longest", "too-long", "list"],
)
def test_values_are_told_in_at_most_200_characters(value: Any, told: str) -> None:
    assert leaks({"a": (value, 0), "b": (0, value)}, "fixture x") == (
        Leak("a", told, "0", "fixture x"),
        Leak("b", "0", told, "fixture x"),
    )


def test_no_differences_are_no_leaks() -> None:
    assert leaks({}, "t") == ()


def test_the_answers_of_real_signals_are_cheap_and_right() -> None:
    handlers = dict(zip(process_state._SIGNALS, look()["signal handlers"], strict=True))
    assert handlers == {number: signal.getsignal(number) for number in process_state._SIGNALS}
    assert signal.SIGINT in handlers
    assert signal.SIGTERM in handlers
