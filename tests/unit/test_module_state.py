"""What tests change in modules is seen with its path, and can be put back piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from toxscreen.probes.change import Change
from toxscreen.probes.module_state import ModuleState

SOURCE = """
import collections, contextvars, functools, itertools, random, threading, types

NAME = "a"
NONE = None
SETTINGS = {"debug": False, "deep": {"rows": [1]}, "gone": 1}
ORDERED = collections.OrderedDict(a=1, b=2)
COUNTED = collections.Counter("aab")
ROWS = [1, 2]
SEEN = {1, 2}
LAST = collections.deque([1], maxlen=2)
BYTES = bytearray(b"ab")
PAIR = ([], 1)
SPACE = types.SimpleNamespace(on=False)
IDS = itertools.count(1, 2)
GENERATOR = random.Random(1)
LOCAL = threading.local()
CONTEXT = contextvars.ContextVar("CONTEXT")
FIRST = CONTEXT.set(1)
BOUND = functools.partial(print, [])

class Pool:
    instances = []
    limit = 1
    __slots__ = ("open",)
    def __init__(self):
        self.open = True
    @classmethod
    def make(cls, into=[]):
        return into

class User:
    registry = {}

user = User()
Pool.instances.append(Pool())

def function(rows=[], *, named={}):
    return rows

def make():
    seen, number = [], 0
    def closure():
        nonlocal number
        number += 1
        seen.append(number)
    return closure

closure = make()

@functools.lru_cache
def cached(value):
    return value
"""


def module(name: str, source: str) -> Any:
    made = ModuleType(name)
    exec(compile(source, name, "exec"), vars(made))
    return made


def is_own(name: str) -> bool:
    return name.partition(".")[0] in {"app", "tests"}


def told(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [(change.path, change.before, change.after) for change in changes]


CHANGES: dict[str, tuple[str, tuple[str, str, str]]] = {
    "global": ("NAME = 'b'", (".NAME", "'a'", "'b'")),
    "global from none": ("NONE = 3", (".NONE", "None", "3")),
    "global to the like": ("ROWS = [1, 2]", (".ROWS", "[1, 2]", "[1, 2] (another one)")),
    "new global": ("NEW = len", (".NEW", "absent", "builtins.len")),
    "removed global": ("del NAME", (".NAME", "'a'", "absent")),
    "replaced function": ("function = make", (".function", "app.function", "app.make")),
    "key": ("SETTINGS['debug'] = True", (".SETTINGS['debug']", "False", "True")),
    "new key": ("SETTINGS[(1, 'x')] = None", (".SETTINGS[(1, 'x')]", "absent", "None")),
    "removed key": ("del SETTINGS['debug']", (".SETTINGS['debug']", "False", "absent")),
    "ordered": ("del ORDERED['a']", (".ORDERED['a']", "1", "absent")),
    "counter": ("COUNTED['a'] += 1", (".COUNTED['a']", "2", "3")),
    "deep": ("SETTINGS['deep']['rows'].append(2)", (".SETTINGS['deep']['rows']", "[...]", "[..., 2]")),
    "list": ("ROWS.clear()", (".ROWS", "[1, 2]", "[]")),
    "set": ("SEEN.add(3)", (".SEEN", "{...}", "{3, ...}")),
    "deque": ("LAST.extend((2, 3))", (".LAST", "[1]", "[2, 3]")),
    "bytes": ("BYTES.append(99)", (".BYTES", "[...]", "[..., 99]")),
    "in a tuple": ("PAIR[0].append(1)", (".PAIR[0]", "[]", "[1]")),
    "namespace": ("SPACE.on = True", (".SPACE.on", "False", "True")),
    "counter object": ("next(IDS)", (".IDS (next)", "count(1, 2)", "count(3, 2)")),
    "thread-local": ("LOCAL.x = 1", (".LOCAL.x", "absent", "1")),
    "context": ("CONTEXT.set(2)", (".CONTEXT (context)", "1", "2")),
    "partial": ("BOUND.args[0].append(1)", (".BOUND.args[0]", "[]", "[1]")),
    "slot": ("Pool.instances[0].open = False", (".Pool.instances[0].open", "True", "False")),
    "removed slot": ("del Pool.instances[0].open", (".Pool.instances[0].open", "True", "absent")),
    "class attribute": ("Pool.limit = 2", (".Pool.limit", "1", "2")),
    "new class attribute": ("User.x = user", (".User.x", "absent", "app.User")),
    "removed class attribute": ("del Pool.limit", (".Pool.limit", "1", "absent")),
    "registry": ("User.registry['x'] = User", (".User.registry['x']", "absent", "class app.User")),
    "instance": ("user.name = 'x'", (".user.name", "absent", "'x'")),
    "default of a method": ("Pool.make().append(1)", (".Pool.make.__defaults__[0]", "[]", "[1]")),
    "default": ("function().append(1)", (".function.__defaults__[0]", "[]", "[1]")),
    "named default": (
        "function.__kwdefaults__['named']['x'] = 1",
        (".function.__kwdefaults__['named']['x']", "absent", "1"),
    ),
    "attribute of a function": ("function.calls = 1", (".function.calls", "absent", "1")),
    "cache": ("cached(1)", (".cached (cache)", "0 entries", "1 entries")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_an_own_module_is_seen_and_undone(name: str) -> None:
    statement, (path, before, after) = CHANGES[name]
    app = module("app", SOURCE)
    state = ModuleState(is_own, {"app": app})
    assert state.changes() == []
    exec(statement, vars(app))
    (change,) = state.changes()
    assert change == Change(f"app{path}", before, after, "module-state", own=True, undo=change.undo)
    assert change.undo is not None
    change.undo()
    assert state.changes() == []


def test_variables_of_a_closure_and_random_numbers() -> None:
    app = module("app", SOURCE)
    state = ModuleState(is_own, {"app": app})
    app.closure()
    number = app.GENERATOR.random()
    changes = state.changes()
    assert [change.path for change in changes] == [
        "app.GENERATOR (state)",
        "app.closure (variable number)",
        "app.closure (variable seen)",
    ]
    assert told(changes)[1:] == [
        ("app.closure (variable number)", "0", "1"),
        ("app.closure (variable seen)", "[]", "[1]"),
    ]
    for change in changes:
        assert change.undo is not None
        change.undo()
    assert state.changes() == []
    assert app.GENERATOR.random() == number


def test_what_is_put_back_is_at_its_place_again() -> None:
    app = module("app", SOURCE)
    state = ModuleState(is_own, {"app": app})
    del app.SETTINGS["debug"], app.ORDERED["a"]
    app.SETTINGS["new"] = 1
    for change in state.changes():
        if change.before != "absent" and change.undo is not None:
            change.undo()
    assert list(app.SETTINGS) == ["debug", "deep", "gone", "new"]
    assert list(app.ORDERED.items()) == [("a", 1), ("b", 2)]


def test_one_change_is_undone_and_the_others_stay() -> None:
    app = module("app", SOURCE)
    rows = app.ROWS
    state = ModuleState(is_own, {"app": app})
    rows.append(3)
    app.ROWS = []
    first, second = state.changes()
    assert told([first, second]) == [("app.ROWS", "[1, 2, 3]", "[]"), ("app.ROWS", "[...]", "[..., 3]")]
    assert first.undo is not None
    first.undo()
    assert app.ROWS is rows
    assert told(state.changes()) == told([second])


def test_what_cannot_be_undone_has_no_undo() -> None:
    app = module("app", SOURCE + "\nEMPTY = contextvars.ContextVar('EMPTY')\nCOUNTERS = [IDS]\ndel IDS\ncached(1)\n")
    state = ModuleState(is_own, {"app": app})
    app.cached(2)
    app.EMPTY.set(1)
    next(app.COUNTERS[0])
    assert [(change.path, change.undo) for change in state.changes()] == [
        ("app.cached (cache)", None),
        ("app.EMPTY (context)", None),
        ("app.COUNTERS[0] (next)", None),
    ]


def test_paths_are_short_and_those_of_the_source() -> None:
    config = module("app.config", "ROWS = []\nclass Config: limit = 1")
    first = module("app.a", "")
    vars(first).update(Config=config.Config, rows={"x": {"rows": config.ROWS}})
    test = module("app.a.test_config", "")
    vars(test).update(ROWS=config.ROWS, Config=config.Config)
    state = ModuleState(is_own, {"app.a.test_config": test, "app.config": config, "app.a": first})
    config.ROWS.append(1)
    config.Config.limit = 2
    assert [change.path for change in state.changes()] == ["app.config.ROWS", "app.config.Config.limit"]


def patch_class(other: Any) -> None:
    other.Encoder.default = 3


def patch_function(other: Any) -> None:
    other.sleep = other.Encoder


def remove(other: Any) -> None:
    del other.limit


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (patch_class, ("lib.Encoder.default", "lib.Encoder.default", "3")),
        (patch_function, ("lib.sleep", "lib.sleep", "class lib.Encoder")),
        (remove, ("lib.limit", "1", "absent")),
    ],
)
def test_a_patch_of_another_module_is_seen_and_undone(
    patch: Callable[[Any], None], expected: tuple[str, str, str]
) -> None:
    source = "limit = 1\ncache = {}\ndef sleep(): ...\nclass Encoder:\n    def default(self): ..."
    other = module("lib", source)
    state = ModuleState(is_own, {"lib": other})
    other.cache["x"] = 1  # its own business
    patch(other)
    (change,) = state.changes()
    assert change == Change(*expected, "patched", own=False, undo=change.undo)
    assert change.undo is not None
    change.undo()
    assert state.changes() == []


def test_what_comes_by_import_is_no_change() -> None:
    modules = {
        "app": module("app", ""),
        "lib": module("lib", ""),
        "lazy": module("lazy", "def __getattr__(name): ..."),
        "_pytest": module("_pytest", "x = 1"),
    }
    state = ModuleState(is_own, modules)
    for name in ("app", "lib"):
        vars(modules[name]).update(sub=module(f"{name}.sub", ""), __warningregistry__={})
    vars(modules["lazy"]).update(x=1)
    vars(modules["_pytest"]).update(x=2)
    assert state.changes() == []
    vars(modules["app"])["other"] = module("lib.sub", "")
    assert told(state.changes()) == [("app.other", "absent", "module lib.sub")]


HOSTILE = """
class Hostile:
    rows = []
    def no(self, *_): raise RuntimeError("no")
    __eq__ = __hash__ = __repr__ = __getattr__ = __getattribute__ = __setattr__ = __bool__ = __len__ = __iter__ = no
    __class__ = property(no)

class Meta(type):
    def no(cls, *_): raise RuntimeError("no")
    __eq__ = __hash__ = __repr__ = __getattribute__ = __setattr__ = __instancecheck__ = no

class Strange(metaclass=Meta):
    limit = 1

class Dict(dict):
    def no(self, *_): raise RuntimeError("no")
    __eq__ = __iter__ = keys = items = get = __getitem__ = __setitem__ = __len__ = __contains__ = no

one = Hostile()
ROWS = [one]
MAP = Dict(a=1)
strange = Strange()
LOOP = []
LOOP.append(LOOP)
TABLE = {}
TABLE["self"] = TABLE
HUGE = [0] * 200_000
NAN = float("nan")
"""


def test_hostile_values_bring_nobody_down() -> None:
    app = module("app", HOSTILE)
    state = ModuleState(is_own, {"app": app})
    assert state.changes() == []
    object.__setattr__(app.one, "x", app.one)
    type.__setattr__(app.Strange, "limit", app.strange)
    dict.__setitem__(app.MAP, "a", 10**5000)
    app.ROWS.append(app.Strange)
    app.LOOP.append(app.LOOP)
    app.TABLE["more"] = app.TABLE
    app.HUGE[5:] = []
    app.NAN = float("nan")
    changes = state.changes()
    table = "{'self': {...}, 'more': {...}}"
    assert sorted(told(changes)) == [
        ("app.HUGE", "[..., " + "0, " * 48 + "0, 0, ...]", "[...]"),
        ("app.LOOP", "[...]", "[..., [[...], [...]]]"),
        ("app.MAP['a']", "1", hex(10**5000)[:200] + "..."),
        ("app.ROWS", "[...]", "[..., class app.Strange]"),
        ("app.Strange.limit", "1", "app.Strange"),
        ("app.TABLE['more']", "absent", f"{{'self': {table}, 'more': {table}}}"),
        ("app.one.x", "absent", "app.Hostile"),
    ]
    for change in changes:
        assert change.undo is not None
        change.undo()
    assert state.changes() == []


def test_a_mapping_of_which_much_changed_is_one_change() -> None:
    app = module("app", "TABLE = {'a': 1, 'b': 2}")
    state = ModuleState(is_own, {"app": app})
    app.TABLE.clear()
    app.TABLE.update(dict.fromkeys(range(1000)))
    (change,) = state.changes()
    assert told([change]) == [("app.TABLE", "2 entries", "1000 entries")]
    assert change.undo is not None
    change.undo()
    assert list(app.TABLE.items()) == [("a", 1), ("b", 2)]
    assert state.changes() == []


def test_all_modules_of_this_process_are_looked_at_if_none_are_given() -> None:
    state = ModuleState(lambda name: name == __name__)
    CHANGES["added"] = CHANGES["list"]
    try:
        changes = [change for change in state.changes() if change.own]
    finally:
        del CHANGES["added"]
    assert [change.path for change in changes] == [f"{__name__}.CHANGES['added']"]
