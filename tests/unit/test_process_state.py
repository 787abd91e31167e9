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
from toxscreen.probes.process_state import PROBES, changed, look, unchanged
from toxscreen.probes.telling import Named, leaks

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


CHANGES: dict[str, tuple[str, str, Change]] = {
    "path in place": ("sys.path", "sys.path", path_grows),
    "path replaced": ("sys.path", "sys.path", patched((sys, "path", ["/other"]))),
    "argv": ("sys.argv", "sys.argv", patched((sys, "argv", ["program", "-x"]))),
    "finders": ("sys.meta_path", "sys.meta_path", patched((sys, "meta_path", list(sys.meta_path[1:])))),
    "level": ("logging.root", "logging.root.level", patched((logging.root, "level", 7))),
    "disabled": ("logging.root", "logging.root.disabled", patched((logging.root, "disabled", True))),
    "handler": ("logging.root", "logging.root.handlers", handler_added),
    "logging.disable": ("logging.root", "logging.disable()", logging_disabled),
    "signal": ("signal handlers", "signal SIGTERM", signal_handled),
    "locale": ("locale", "locale", locale_set),
    "precision": ("decimal context", "decimal context", decimal_precise),
    "rounding": ("decimal context", "decimal context", decimal_rounded),
    "socket": ("socket.getdefaulttimeout()", "socket.getdefaulttimeout()", sockets_wait),
    "time zone": ("time.tzname", "time.tzname", clock_moved),
    "recursion": ("sys.getrecursionlimit()", "sys.getrecursionlimit()", recursion_limited),
    "trace": ("sys.gettrace()", "sys.gettrace()", traced),
    "profile": ("sys.getprofile()", "sys.getprofile()", profiled),
}


@pytest.mark.skipif(sys.platform == "win32", reason="time zones of POSIX")
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen_while_it_lasts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    probe, what, change = CHANGES[name]
    before = look()
    assert unchanged(before)
    with change(monkeypatch):
        during, same = look(), unchanged(before)
    after = look()
    assert {path for path in PROBES if before[path] != during[path]} == {probe}
    found = changed(before, during)
    assert list(found) == [what]
    assert found[what][0] != found[what][1]
    assert same is False
    assert changed(before, after) == {}
    assert unchanged(before)


def test_every_probe_has_a_change_that_it_sees() -> None:
    assert {probe for probe, _, _ in CHANGES.values()} | {"os.environ", "os.getcwd()"} == set(PROBES)
    assert list(look()) == list(PROBES)


def test_what_is_put_in_place_of_what_was_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    limit, first = sys.getrecursionlimit(), sys.meta_path[0]
    monkeypatch.setattr(sys, "argv", ["pytest"])
    monkeypatch.setattr(logging.root, "level", logging.WARNING)
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root.manager, "disable", 0)
    told = {}
    for name in ("socket", "recursion", "argv", "path in place", "finders", "level", "handler", "logging.disable"):
        before = look()
        with CHANGES[name][2](monkeypatch):
            (told[name],) = map(str, leaks(changed(before, look()), "t"))
    assert told == {
        "socket": "socket.getdefaulttimeout(): None -> 3.5",
        "recursion": f"sys.getrecursionlimit(): {limit} -> {limit + 7}",
        "argv": "sys.argv: ['pytest'] -> ['program', '-x']",
        "path in place": "sys.path: [...] -> [..., '/added']",
        "finders": f"sys.meta_path: [{Named(first)!r}, ...] -> [...]",
        "level": "logging.root.level: WARNING -> Level 7",
        "handler": "logging.root.handlers: [] -> [logging.NullHandler]",
        "logging.disable": "logging.disable(): NOTSET -> CRITICAL",
    }


def handle(_number: int, _frame: FrameType | None) -> None:
    """Handle nothing."""


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_signals_are_told_one_by_one_with_the_names_of_handlers() -> None:
    def left(first: Any, second: Any) -> list[str]:
        signal.signal(signal.SIGUSR1, first)
        before = look()
        signal.signal(signal.SIGUSR1, second)
        return [str(leak) for leak in leaks(changed(before, look()), "t")]

    old = signal.getsignal(signal.SIGUSR1)
    try:
        assert left(signal.SIG_DFL, signal.SIG_IGN) == ["signal SIGUSR1: SIG_DFL -> SIG_IGN"]
        assert left(handle, signal.SIG_DFL) == [f"signal SIGUSR1: {__name__}.handle -> SIG_DFL"]
        assert left(handle, handle) == []
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_a_handler_that_was_not_set_by_python_is_told() -> None:
    handlers = look()["signal handlers"]
    theirs = {"signal handlers": (None, *handlers[1:])}
    ours = {"signal handlers": (signal.SIG_IGN, *handlers[1:])}
    name = process_state._SIGNALS[0].name
    assert changed(theirs, ours) == {f"signal {name}": ("a handler that is not Python's", "SIG_IGN")}


def test_log_handlers_of_pytest_itself_are_no_leak(caplog: pytest.LogCaptureFixture) -> None:
    there = look()
    settings = there["logging.root"]
    without = {"logging.root": (*settings[:3], tuple(one for one in settings[3] if one is not caplog.handler))}
    assert without["logging.root"] != settings
    assert changed(without, there) == {}


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


def test_of_long_values_the_difference_is_told() -> None:
    folders = ":".join(f"/folder/{number}" for number in range(100))
    (leak,) = leaks({"os.environ['PATH']": (folders, folders + ":/added")}, "t")
    assert leak.before == "..." + folders[-50:]
    assert leak.after == "..." + folders[-50:] + ":/added"
    (leak,) = leaks({"a": ("x" * 300 + "1" + "y" * 300, "x" * 300 + "2" + "y" * 300)}, "t")
    assert leak.before == "..." + "x" * 50 + "1" + "y" * 149 + "..."
    assert leak.after == "..." + "x" * 50 + "2" + "y" * 149 + "..."


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "a", "[] -> ['a']"),
        ("ab", "abc", "[...] -> [..., 'c']"),
        ("ab", "cab", "[...] -> ['c', ...]"),
        ("ab", "acb", "[...] -> [..., 'c', ...]"),
        ("abc", "adc", "[..., 'b', ...] -> [..., 'd', ...]"),
        ("aa", "aaa", "[...] -> [..., 'a']"),
        ("abc", "acb", "[..., 'b', 'c'] -> [..., 'c', 'b']"),
        ("ab", "", "['a', 'b'] -> []"),
    ],
)
def test_of_lists_the_entries_that_differ_are_told(before: str, after: str, told: str) -> None:
    assert [str(leak) for leak in leaks({"l": (list(before), list(after))}, "t")] == [f"l: {told}"]
    back = " -> ".join(reversed(told.split(" -> ")))
    assert [str(leak) for leak in leaks({"l": (list(after), list(before))}, "t")] == [f"l: {back}"]


def test_what_has_the_same_words_is_told_to_be_another_one() -> None:
    one, two = logging.NullHandler(), logging.NullHandler()
    assert leaks({"h": ([Named(one)], [Named(two)])}, "t") == (
        Leak("h", "[logging.NullHandler]", "[logging.NullHandler] (another one)", "t"),
    )
    assert len({Named(one), Named(one), Named(two)}) == 2


class Odd:
    """Cannot be shown and cannot be compared."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise TypeError("no")

    def __repr__(self) -> str:
        raise ValueError("no")


def test_what_cannot_be_compared_or_told_brings_nobody_down(monkeypatch: pytest.MonkeyPatch) -> None:
    before = look()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [Odd()])
        patch.setattr(logging.root, "level", Odd())
        during, same = look(), unchanged(before)
        found = {leak.what: leak.after for leak in leaks(changed(before, during), "t")}
    assert same is False
    assert found == {
        "sys.path": "[<Odd that cannot be shown: ValueError>]",
        "logging.root.level": "<Odd that cannot be shown: ValueError>",
    }


def test_no_differences_are_no_leaks() -> None:
    assert leaks({}, "t") == ()


def test_the_answers_of_real_signals_are_cheap_and_right() -> None:
    handlers = dict(zip(process_state._SIGNALS, look()["signal handlers"], strict=True))
    assert handlers == {number: signal.getsignal(number) for number in process_state._SIGNALS}
    assert signal.SIGINT in handlers
    assert signal.SIGTERM in handlers
