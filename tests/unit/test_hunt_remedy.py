"""Remedies: said only where something was seen to help, with the real names; and the fixtures do restore."""

from __future__ import annotations

import ast
import contextvars
import decimal
import functools
import locale
import logging
import os
import random
import signal
import socket
import sys
import types
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toxscreen.hunt.remedy import remedy
from toxscreen.model import Culprit, Isolation, IsolationKind, Remedy

HELPS = "seen to help: undoing it before the test; the polluter can use"


def culprit(path: str, before: str, after: str, kind: str) -> Culprit:
    return Culprit(path, before, after, kind, proved=True)


CULPRIT = culprit("app.CACHE['k']", "absent", "1", "module-state")
VICTIM = Isolation(IsolationKind.VICTIM, "v", ("p",), culprits=(CULPRIT,), proved=True)


def lines(finding: Isolation) -> tuple[str, ...]:
    found = remedy(finding)
    assert found is not None
    return found.lines


# what is said


@pytest.mark.parametrize(
    "finding",
    [
        pytest.param(replace(VICTIM, proved=False), id="not proved"),
        pytest.param(replace(VICTIM, culprits=()), id="nothing leaked that was seen"),
        pytest.param(replace(VICTIM, culprits=(replace(CULPRIT, proved=False),)), id="seen, not proved"),
        pytest.param(replace(VICTIM, kind=IsolationKind.CONFLICT), id="conflict"),
        pytest.param(Isolation(IsolationKind.CHANCE, "v", proved=True, cleaner="c"), id="chance"),
        pytest.param(Isolation(IsolationKind.BRITTLE, "v", ("p",), proved=True, cleaner="c"), id="brittle, unproved"),
    ],
)
def test_where_nothing_was_seen_to_help_nothing_is_proposed(finding: Isolation) -> None:
    assert remedy(finding) is None


def test_a_cleaner_is_named_where_nothing_better_is_known() -> None:
    cleaned = replace(VICTIM, culprits=(replace(CULPRIT, proved=False),), cleaner="c")
    told = "seen to help: c in between; let a fixture put right what it puts right"
    assert remedy(cleaned) == Remedy((told,))
    assert remedy(replace(VICTIM, cleaner="c")) == remedy(VICTIM)


def test_who_can_do_something() -> None:
    both = replace(VICTIM, partners=("p", "q"))
    itself = replace(VICTIM, kind=IsolationKind.SELF_POLLUTING, partners=())
    call = "monkeypatch.setitem(app.CACHE, 'k', 1)"
    assert lines(VICTIM) == (f"{HELPS} {call}",)
    assert lines(both) == (f"seen to help: undoing it before the test; the polluters can use {call}",)
    assert lines(itself) == (f"seen to help: undoing it before the test; the test can use {call}",)


def test_a_brittle_test_sets_up_what_it_needs_and_nothing_is_restored() -> None:
    call = "monkeypatch.setitem(app.CACHE, 'k', 1)"
    told = f"seen to be needed: a fixture that the test asks for can set it up with {call}"
    assert remedy(replace(VICTIM, kind=IsolationKind.BRITTLE)) == Remedy((told,))


@pytest.mark.parametrize(
    ("count", "shown"),
    [(2, ["  1", "  2"]), (3, ["  1", "  2", "  3"]), (4, ["  1", "  2", "  and 2 more of this kind"])],
)
def test_never_more_than_four_lines(count: int, shown: list[str]) -> None:
    several = tuple(culprit(f"app.n{number}", "0", str(number), "module-state") for number in range(1, count + 1))
    start, *calls = lines(replace(VICTIM, culprits=several))
    assert start == "seen to help: undoing all of it before the test; the polluter can use"
    numbered = [line if "more" in line else f"  {line.rpartition(', ')[2].removesuffix(')')}" for line in calls]
    assert numbered == shown


LONG = "'" + "x" * 50 + "'"


@pytest.mark.parametrize(
    ("path", "before", "after", "kind", "call"),
    [
        ("os.environ['DEBUG']", "absent", "1", "environment", "monkeypatch.setenv('DEBUG', '1')"),
        ("os.environ['HOME']", "/root", "absent", "environment", "monkeypatch.delenv('HOME')"),
        ("os.environ", "a", "b", "environment", "monkeypatch.setattr(os, 'environ', {...})"),
        ("os.getcwd()", "/a", "/b", "working-directory", "monkeypatch.chdir(...)"),
        ("sys.path", "[...]", "['/x', ...]", "import-path", "monkeypatch.syspath_prepend(...)"),
        ("sys.modules['shop']", "module", "absent", "imported-modules", "monkeypatch.delitem(sys.modules, 'shop')"),
        ("sys.modules['shop']", "absent", "m", "imported-modules", "monkeypatch.setitem(sys.modules, 'shop', ...)"),
        (
            "logging.getLogger('a.b').level",
            "NOTSET",
            "ERROR",
            "logging",
            "caplog.set_level(logging.ERROR, logger='a.b')",
        ),
        ("logging.root.level", "WARNING", "5", "logging", "caplog.set_level(5)"),
        (
            "logging.getLogger('a').disabled",
            "False",
            "True",
            "logging",
            "monkeypatch.setattr(logging.getLogger('a'), 'disabled', True)",
        ),
        ("sys.stdin", "x", "y", "streams", "monkeypatch.setattr(sys, 'stdin', ...)"),
        ("sys.stdout.closed", "False", "True", "streams", "no close() on a standard stream"),
        ("sys.excepthook", "x", "y", "excepthook", "monkeypatch.setattr(sys, 'excepthook', ...)"),
        ("time.time", "time.time", "test_a.fixed", "patched", "monkeypatch.setattr(time, 'time', ...)"),
        ("shop.Cart.tax", "20", "5", "module-state", "monkeypatch.setattr(shop.Cart, 'tax', 5)"),
        ("shop.Cart.tax", "20", "absent", "module-state", "monkeypatch.delattr(shop.Cart, 'tax')"),
        ("shop.A['x'].b[(1, 2)]", "1", "absent", "module-state", "monkeypatch.delitem(shop.A['x'].b, (1, 2))"),
        ("shop.name", "'a'", LONG, "module-state", "monkeypatch.setattr(shop, 'name', ...)"),
        ("shop.LIST", "[]", "[1]", "module-state", "monkeypatch.setattr(shop, 'LIST', ...)"),
        (
            "shop.f (cache)",
            "0 entries",
            "1 entries",
            "module-state",
            "shop.f.cache_clear() in a fixture after its yield",
        ),
        (
            "shop.N (next)",
            "count(1)",
            "count(2)",
            "module-state",
            "a fixture that puts shop.N (next) back after its yield",
        ),
        ("shop.X[shop.Y]", "1", "2", "module-state", "a fixture that puts shop.X[shop.Y] back after its yield"),
        ("thread 'T'", "absent", "x", "threads", "a fixture that puts thread 'T' back after its yield"),
    ],
)
def test_the_call_has_the_real_names_in_it(path: str, before: str, after: str, kind: str, call: str) -> None:
    assert lines(replace(VICTIM, culprits=(culprit(path, before, after, kind),))) == (f"{HELPS} {call}",)


# fixtures


def module() -> Any:
    """A module to be polluted, as one of a project."""
    shop: Any = types.ModuleType("polluted_shop")

    class Cart:
        tax = 20

        @staticmethod
        def total() -> int:
            return 1

    shop.Cart, shop.DICT, shop.LIST, shop.DEEP = Cart, {"a": 1}, [1], {"a": [1], "b": {"c": 1}}
    shop.QUEUE, shop.SET, shop.name = deque([1]), {1}, "x"
    shop.cached = functools.lru_cache(lambda number: number)
    shop.context = contextvars.ContextVar[int]("context")
    shop.context.set(1)
    shop.dice = random.Random(1)
    return shop


def around(finding: Isolation) -> Iterator[None]:
    """The body of the proposed fixture, without pytest around it."""
    found = remedy(finding)
    assert found is not None
    assert found.fixture is not None
    ast.parse(found.fixture)
    names: dict[str, Any] = {}
    exec(found.fixture.replace("@pytest.fixture(autouse=True)\n", ""), names)
    (function,) = (value for name, value in names.items() if name.startswith("restore_"))
    body: Iterator[None] = function()
    return body


def polluted(finding: Isolation, pollute: Callable[[], object]) -> None:
    """A test that pollutes, with the fixture around it."""
    body = around(finding)
    next(body)
    pollute()
    assert list(body) == []


@pytest.mark.parametrize(
    ("path", "before", "after", "pollute", "read"),
    [
        ("Cart.tax", "20", "5", "s.Cart.tax = 5", "s.Cart.tax"),
        ("Cart.total", "f", "g", "s.Cart.total = lambda cart: 2", "s.Cart().total()"),
        ("Cart.more", "absent", "5", "s.Cart.more = 5", "hasattr(s.Cart, 'more')"),
        ("name", "'x'", "'y'", "s.name = 'y'", "s.name"),
        ("name", "'x'", "absent", "del s.name", "getattr(s, 'name', None)"),
        ("DICT['a']", "1", "2", "s.DICT.update(a=2, b=3)", "s.DICT"),
        ("DICT['a']", "1", "absent", "s.DICT.clear()", "s.DICT"),
        ("DICT", "{'a': 1}", "{}", "s.DICT = {}", "s.DICT"),
        ("DICT", "250 entries", "1 entries", "s.DICT.clear()", "s.DICT"),
        ("DEEP['a']", "[]", "[2]", "s.DEEP['a'].append(2)", "s.DEEP"),
        ("DEEP['b']['c']", "1", "2", "s.DEEP['b']['c'] = 2", "s.DEEP"),
        ("LIST", "[..., ]", "[..., 2]", "s.LIST.append(2)", "s.LIST"),
        ("LIST", "[1]", "[2]", "s.LIST = [2]", "s.LIST"),
        ("QUEUE", "[1]", "[]", "s.QUEUE.clear()", "s.QUEUE"),
        ("SET", "{}", "{2}", "s.SET.add(2)", "s.SET"),
        ("cached (cache)", "0 entries", "1 entries", "s.cached(1)", "s.cached.cache_info().currsize"),
        ("context (context)", "1", "2", "s.context.set(2)", "s.context.get()"),
        ("dice (state)", "state 1", "state 2", "s.dice.random()", "s.dice.getstate()"),
    ],
)
def test_a_fixture_restores_state_of_a_module(
    path: str, before: str, after: str, pollute: str, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = module()
    monkeypatch.setitem(sys.modules, "polluted_shop", shop)
    names = {"s": shop}
    kept = repr(eval(read, names))
    finding = replace(VICTIM, culprits=(culprit(f"polluted_shop.{path}", before, after, "module-state"),))

    def do() -> None:
        exec(pollute, names)
        assert repr(eval(read, names)) != kept

    polluted(finding, do)
    assert repr(eval(read, names)) == kept


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


LOGGER = logging.getLogger("a.logger.of.this.test")
NAME = f"logging.getLogger({LOGGER.name!r})"


@pytest.mark.parametrize(
    ("path", "kind", "pollute", "read"),
    [
        ("os.environ['POLLUTED']", "environment", lambda: os.environ.update(POLLUTED="1"), lambda: dict(os.environ)),
        ("os.environ['PATH']", "environment", lambda: os.environ.pop("PATH"), lambda: dict(os.environ)),
        ("sys.path", "import-path", lambda: sys.path.insert(0, "/x"), lambda: list(sys.path)),
        ("sys.argv", "arguments", lambda: sys.argv.append("x"), lambda: list(sys.argv)),
        ("sys.meta_path", "import-hooks", sys.meta_path.clear, lambda: list(sys.meta_path)),
        (
            "sys.modules['polluted']",
            "imported-modules",
            lambda: sys.modules.update(polluted=sys),
            lambda: len(sys.modules),
        ),
        ("os.getcwd()", "working-directory", lambda: os.chdir("/"), os.getcwd),
        ("warnings.filters", "warnings", lambda: warnings.simplefilter("ignore"), lambda: list(warnings.filters)),
        (f"{NAME}.level", "logging", lambda: LOGGER.setLevel(7), lambda: LOGGER.level),
        (f"{NAME}.disabled", "logging", lambda: setattr(LOGGER, "disabled", True), lambda: LOGGER.disabled),
        (f"{NAME}.handlers", "logging", lambda: LOGGER.addHandler(logging.NullHandler()), lambda: LOGGER.handlers[:]),
        ("logging.disable()", "logging", lambda: logging.disable(7), lambda: logging.root.manager.disable),
        (
            "signal SIGUSR1",
            "signals",
            lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
            lambda: signal.getsignal(signal.SIGUSR1),
        ),
        (
            "locale",
            "locale",
            lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8"),
            lambda: locale.setlocale(locale.LC_ALL),
        ),
        ("umask", "umask", lambda: os.umask(0o111), umask),
        (
            "decimal.getcontext().prec",
            "decimal",
            lambda: setattr(decimal.getcontext(), "prec", 3),
            lambda: decimal.getcontext().prec,
        ),
        ("sys.getrecursionlimit()", "recursion-limit", lambda: sys.setrecursionlimit(5000), sys.getrecursionlimit),
        ("socket.getdefaulttimeout()", "socket-timeout", lambda: socket.setdefaulttimeout(1), socket.getdefaulttimeout),
        ("random.getstate()", "random-state", random.random, random.getstate),
        ("sys.excepthook", "excepthook", lambda: setattr(sys, "excepthook", len), lambda: sys.excepthook),
    ],
)
def test_a_fixture_restores_state_of_the_process(
    path: str, kind: str, pollute: Callable[[], object], read: Callable[[], object]
) -> None:
    kept = read()

    def do() -> None:
        pollute()
        assert read() != kept

    polluted(replace(VICTIM, culprits=(culprit(path, "a", "b", kind),)), do)
    assert read() == kept


def test_a_fixture_for_each_place_of_several() -> None:
    paths = ["app.A['x']", "app.A['y']", "app.B.a", "lib.b.a", "os.environ['A']"]
    kinds = ["module-state"] * 4 + ["environment"]
    several = tuple(culprit(path, "1", "2", kind) for path, kind in zip(paths, kinds, strict=True))
    found = remedy(replace(VICTIM, culprits=several))
    assert found is not None
    assert (
        found.fixture
        == """\
import os
import pkgutil
from unittest import mock

import pytest


@pytest.fixture(autouse=True)
def restore_a():
    with mock.patch.dict('app.A'):
        yield


@pytest.fixture(autouse=True)
def restore_a_2():
    owner = pkgutil.resolve_name('app.B')
    before = vars(owner)['a']
    yield
    owner.a = before


@pytest.fixture(autouse=True)
def restore_a_3():
    owner = pkgutil.resolve_name('lib.b')
    before = vars(owner)['a']
    yield
    owner.a = before


@pytest.fixture(autouse=True)
def restore_a_4():
    before = os.environ.get('A')
    yield
    if before is None:
        os.environ.pop('A', None)
    else:
        os.environ['A'] = before
"""
    )


@pytest.mark.parametrize(
    "other", [culprit("thread 'T'", "absent", "x", "threads"), culprit("app.N (next)", "1", "2", "module-state")]
)
def test_no_fixture_restores_only_a_part_of_what_has_to_be_restored(other: Culprit) -> None:
    found = remedy(replace(VICTIM, culprits=(CULPRIT, other)))
    assert found is not None
    assert found.fixture is None


def test_every_page_of_the_documentation_on_a_kind_has_a_call() -> None:
    folder = Path(__file__).resolve().parents[2] / "docs" / "isolation"
    kinds = sorted(page.stem for page in folder.glob("*.md") if page.stem != "index")
    assert "module-state" in kinds
    for kind in kinds:
        assert lines(replace(VICTIM, culprits=(culprit("x.y", "1", "2", kind),)))[0].startswith(HELPS)
