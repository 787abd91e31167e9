"""What tests change in modules: all that hangs on globals of the project's own, and patches of everyone else's.

Every mutable container within reach is copied one level deep. No code of the project is called for it: nothing is
compared by ``__eq__`` but plain values of the language, and what is no plain value is only the same as itself.
"""

from __future__ import annotations

import ast
import contextvars
import functools
import itertools
import operator
import sys
import threading
from builtins import dict, id, issubclass, len, list, repr, sorted, tuple, type  # noqa: A004, UP029 - tests patch them
from collections import ChainMap, OrderedDict, UserDict, UserList, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any, Final, NamedTuple

from toxscreen.probes.change import Change
from toxscreen.probes.telling import Named, leaks

_modules = sys.modules
_MOST_STEPS: Final = 8
_MOST_OBJECTS: Final = 50_000
#: More differences than this in one mapping are one change.
_MOST_ENTRIES: Final = 200
_MOST_TOLD: Final = 50
_DEEPEST_TOLD: Final = 2
_HEAP_TYPE, _IMMUTABLE_TYPE = 1 << 9, 1 << 8

# The slots of the language itself: what a class defines under these names is not asked.
_module_dict: Callable[[Any], dict[str, Any]] = vars(ModuleType)["__dict__"].__get__
_class_dict: Callable[[Any], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
_class_module: Callable[[Any], Any] = type.__dict__["__module__"].__get__
_class_name: Callable[[Any], Any] = type.__dict__["__qualname__"].__get__
_class_flags: Callable[[Any], int] = type.__dict__["__flags__"].__get__
_bases: Callable[[Any], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_local_dict: Callable[[Any, str], Any] = threading.local.__getattribute__
_cached: type = functools._lru_cache_wrapper  # noqa: SLF001 - a type without another name
_entries: Callable[[Any], Any] = dict.items

# Types are known by their ids here, because to hash a class is to ask its metaclass.
_PLAIN: Final = {*map(id, (int, float, complex, str, bytes, bool, type(None), type(...), type(NotImplemented)))}
#: Classes of the standard library whose attributes are their contents.
_OPEN: Final = {*map(id, (SimpleNamespace, ChainMap, UserDict, UserList))}
_DESCRIPTORS: Final = {id(GetSetDescriptorType), id(MemberDescriptorType)}
_BRACKETS: Final[dict[int, tuple[str, str]]] = {
    id(list): ("[", "]"),
    id(tuple): ("(", ")"),
    id(set): ("{", "}"),
    id(frozenset): ("frozenset({", "})"),
    id(deque): ("deque([", "])"),
}
_NOISE: Final = frozenset(
    "__builtins__ __cached__ __loader__ __spec__ __file__ __path__ __doc__ __dict__ __weakref__ __annotations__ "  # noqa: SIM905 - reads better
    "__annotate__ __annotate_func__ __annotations_cache__ __conditional_annotations__ __warningregistry__ "
    "__abstractmethods__ _abc_impl __slotnames__ __protocol_attrs__ __non_callable_proto_members__ "
    "__callable_proto_members_only__ __static_attributes__ __firstlineno__ _value2member_map_".split()
)
#: Tools at work, which change what is theirs in every test.
_TOOLS: Final = frozenset(
    "__main__ __mp_main__ pytest _pytest py pluggy iniconfig toxscreen xdist execnet coverage hypothesis zipimport "  # noqa: SIM905 - reads better
    "_imp _frozen_importlib _frozen_importlib_external".split()
)
_TOOL_PREFIXES: Final = ("pytest_", "_hypothesis", "importlib._")
#: What other probes look at, and what comes to be with its first use.
_ELSEWHERE: Final[dict[str, frozenset[str]]] = {
    "sys": frozenset(
        "argv path modules meta_path path_hooks path_importer_cache stdin stdout stderr __stdin__ __stdout__ "  # noqa: SIM905 - reads better
        "__stderr__ excepthook displayhook unraisablehook last_exc last_type last_value last_traceback ps1 ps2".split()
    ),
    "os": frozenset({"environ"}),
    "builtins": frozenset({"_"}),
    "threading": frozenset({"excepthook"}),
    "time": frozenset({"tzname", "timezone", "altzone", "daylight"}),
    "warnings": frozenset({"filters", "_filters_version"}),
    "asyncio.events": frozenset({"_event_loop_policy"}),
    "tempfile": frozenset({"_name_sequence"}),
}


class _Absent:
    """Stands for a value where there is none."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()


def alike(then: Any, now: Any) -> bool:
    """Whether two values are the same object, or equal and of the plain types of the language."""
    if then is now:
        return True
    kind = type(then)
    if kind is not type(now):
        return False
    if kind is tuple:
        return len(then) == len(now) and all(map(alike, then, now))
    if kind is frozenset:
        return all(map(_is_plain, then)) and all(map(_is_plain, now)) and then == now
    return id(kind) in _PLAIN and bool(then == now or (then != then and now != now))  # noqa: PLR0124 - not a number


def _is_plain(value: Any) -> bool:
    return id(type(value)) in _PLAIN or (type(value) is tuple and all(map(_is_plain, value)))


class Word:
    """A value that is told without asking it: by its content if it is of the language, else by the name of its type."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __repr__(self) -> str:
        return _told(self.it, _DEEPEST_TOLD)


def in_words(then: Any, now: Any) -> tuple[str, str]:
    """Two values in words that differ; of lists and long texts only what differs.

    Args:
        then: what was there, or ABSENT. A text is told as it is, all else as by :class:`Word`.
        now: what is there, or ABSENT.
    """
    if type(then) is list and type(now) is list and not alike(tuple(then), tuple(now)):
        then, now = _told_items(then, now)
    (leak,) = leaks({"": (_worded(then), _worded(now))}, "")
    return leak.before, leak.after


def _worded(value: Any) -> Any:
    if value is ABSENT:
        return None
    return value if type(value) is str else Word(value)


def _told_items(then: list[Any], now: list[Any]) -> tuple[str, str]:
    """Lists without the entries that both begin or end with, and never more than a few."""
    shorter = min(len(then), len(now))
    head = next((index for index in range(shorter) if not alike(then[index], now[index])), shorter)
    rest = shorter - head
    tail = next((back for back in range(rest) if not alike(then[-1 - back], now[-1 - back])), rest)

    def told(items: list[Any]) -> str:
        few = items[head : min(len(items) - tail, head + _MOST_TOLD)]
        after = head + len(few) < len(items) and bool(few or not head)
        return f"[{', '.join([*['...'] * bool(head), *(_told(one, 1) for one in few), *['...'] * after])}]"

    return told(then), told(now)


def _told_members(then: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[str, str]:
    """Sets without the members of both, and never more than a few."""
    old, new = ({_token(one): one for one in members} for members in (then, now))

    def told(mine: dict[Any, Any], others: dict[Any, Any]) -> str:
        few = sorted(
            _told(one, 1) for one in itertools.islice((mine[key] for key in mine if key not in others), _MOST_TOLD)
        )
        return f"{{{', '.join([*few, *['...'] * (len(few) < len(mine))])}}}"

    return told(old, new), told(new, old)


def _told(value: Any, depth: int) -> str:
    kind = type(value)
    if id(kind) in _PLAIN:
        try:
            return repr(value)
        except ValueError:
            return hex(value)  # a number too long for decimal digits
    brackets = _BRACKETS.get(id(kind))
    if brackets is not None:
        few = [_told(one, depth - 1) for one in itertools.islice(value, _MOST_TOLD)] if depth else []
        few = [*(sorted(few) if brackets[0][-1] == "{" else few), *["..."] * (len(value) > len(few))]
        return f"{brackets[0]}{', '.join(few)}{brackets[1]}"
    if issubclass(kind, dict):
        pairs = list(itertools.islice(_entries(value), _MOST_TOLD)) if depth else []
        few = [f"{_told(key, depth - 1)}: {_told(one, depth - 1)}" for key, one in pairs]
        return f"{{{', '.join([*few, *['...'] * (dict.__len__(value) > len(few))])}}}"
    return _named(value, kind)


def _named(value: Any, kind: type) -> str:
    if issubclass(kind, type):
        return f"class {_class_module(value)}.{_class_name(value)}"
    if issubclass(kind, ModuleType):
        return f"module {_module_dict(value).get('__name__')}"
    if kind is MethodType and type(value.__func__) is FunctionType:
        value, kind = value.__func__, FunctionType
    if kind is FunctionType or kind is BuiltinFunctionType:
        return f"{value.__module__ or 'builtins'}.{value.__qualname__}"
    return f"{_class_module(kind)}.{_class_name(kind)}"


# How each shape of container is copied, compared and put back


class _Shape(NamedTuple):
    """A way to look at an object: as parts with keys, each of which can be put back alone."""

    #: Copies it: the parts, by key.
    read: Callable[[Any], dict[Any, Any]]
    #: Sets a part of an object, or removes it; the last argument are all parts as they were.
    put: Callable[[Any, Any, Any, dict[Any, Any]], None] | None
    #: Access path of a part, of that of the object and the key.
    label: Callable[[str, Any], str] = lambda path, key: f"{path}.{key}"
    same: Callable[[Any, Any], bool] = alike
    told: Callable[[Any, Any], tuple[Any, Any]] = lambda then, now: (_quoted(then), _quoted(now))


def _quoted(value: Any) -> Any:
    return repr(value) if type(value) is str else value


def _put_in_dict(entries: Any, key: str, value: Any) -> None:
    if value is ABSENT:
        dict.pop(entries, key, None)
    else:
        dict.__setitem__(entries, key, value)


def _put_attribute(owner: Any, name: str, value: Any, _: object) -> None:
    kind = type if issubclass(type(owner), type) else object
    if value is ABSENT:
        kind.__delattr__(owner, name)
    else:
        kind.__setattr__(owner, name, value)


def _function(function: Any) -> dict[str, Any]:
    names = ("__code__", "__defaults__", "__kwdefaults__")
    return {**{name: getattr(function, name) for name in names}, **function.__dict__}


def _cells(function: Any) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__, strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            found[name] = ABSENT
    return found


def _put_cell(function: Any, name: str, value: Any, _: object) -> None:
    cell = function.__closure__[function.__code__.co_freevars.index(name)]
    if value is ABSENT:
        del cell.cell_contents
    else:
        cell.cell_contents = value


def _fields(kind: type) -> tuple[Any, dict[str, Any]]:
    """The descriptors of a class for the attributes of its instances: of ``__dict__``, and of each slot."""
    spaces, slots = None, {}
    for base in _bases(kind):
        names = _class_dict(base)
        if spaces is None and id(type(names.get("__dict__"))) in _DESCRIPTORS:
            spaces = names["__dict__"]
        if "__slots__" in names:
            slots.update({name: one for name, one in names.items() if type(one) is MemberDescriptorType})
    return spaces, slots


def _instance(it: Any) -> dict[str, Any]:
    spaces, slots = _fields(type(it))
    found = dict(spaces.__get__(it)) if spaces is not None else {}
    for name, slot in slots.items():
        try:
            found[name] = slot.__get__(it)
        except AttributeError:
            continue
    return found


def _put_in_instance(it: Any, name: str, value: Any, _: object) -> None:
    spaces, slots = _fields(type(it))
    if name not in slots:
        _put_in_dict(spaces.__get__(it), name, value)
    elif value is ABSENT:
        slots[name].__delete__(it)
    else:
        slots[name].__set__(it, value)


def _methods(it: Any) -> Any:
    # An ordered dictionary keeps an order of its own, which those of `dict` do not know.
    return OrderedDict if issubclass(type(it), OrderedDict) else dict


def _token(key: Any) -> Any:
    return key if _is_plain(key) else Named(key)


def _dict(it: Any) -> dict[Any, Any]:
    if type(it) is dict and all(type(key) is str for key in it):
        return it.copy()
    return {_token(key): value for key, value in list(_methods(it).items(it))}


def _put_entry(it: Any, token: Any, value: Any, then: dict[Any, Any]) -> None:
    methods, key = _methods(it), token.it if type(token) is Named else token
    if value is ABSENT:
        methods.__delitem__(it, key)
    elif dict.__contains__(it, key):
        methods.__setitem__(it, key, value)
    else:
        # What was removed comes back at its place.
        place = {token: number for number, token in enumerate(then)}
        now = [*_methods(it).items(it), (key, value)]
        methods.clear(it)
        for one, its in sorted(now, key=lambda entry: place.get(_token(entry[0]), len(place))):
            methods.__setitem__(it, one, its)


def _labelled(path: str, key: Any) -> str:
    return f"{path}[{_told(key.it if type(key) is Named else key, 1)}]"


def _whole(path: str, _: object) -> str:
    return path


def _put_items(it: Any, _: object, items: Any, __: object) -> None:
    if issubclass(type(it), deque):
        deque.clear(it)
        deque.extend(it, items)
    else:
        (bytearray if issubclass(type(it), bytearray) else list).__setitem__(it, slice(None), items)


def _iterated(it: Any) -> Any:
    kind = type(it)
    for base in (list, deque, bytearray):
        if issubclass(kind, base):
            return base.__iter__(it)
    return set.__iter__(it)


def _same_members(then: Any, now: Any) -> bool:
    return len(then) == len(now) and {*map(_token, then)} == {*map(_token, now)}


def _put_members(it: Any, _: object, members: Any, __: object) -> None:
    set.clear(it)
    set.update(it, members)


def _put_cache(it: Any, _: object, __: object, ___: object) -> None:
    _cached.cache_clear(it)  # type: ignore[attr-defined]


def _put_context(it: Any, _: object, value: Any, __: object) -> None:
    it.set(value)


def _put_entries(it: Any, then: dict[Any, Any]) -> None:
    methods = _methods(it)
    methods.clear(it)
    for token, value in then.items():
        methods.__setitem__(it, token.it if type(token) is Named else token, value)


_MODULE: Final = _Shape(
    lambda it: _module_dict(it).copy(), lambda it, name, value, _: _put_in_dict(_module_dict(it), name, value)
)
_CLASS: Final = _Shape(lambda it: dict(_class_dict(it)), _put_attribute)
_FUNCTION: Final = _Shape(_function, _put_attribute)
_CELLS: Final = _Shape(_cells, _put_cell, lambda path, name: f"{path} (variable {name})")
_INSTANCE: Final = _Shape(_instance, _put_in_instance)
_LOCAL: Final = _Shape(
    lambda it: dict(_local_dict(it, "__dict__")),
    lambda it, name, value, _: _put_in_dict(_local_dict(it, "__dict__"), name, value),
)
_DICT: Final = _Shape(_dict, _put_entry, _labelled)
_ITEMS: Final = _Shape(
    lambda it: {"": tuple(_iterated(it))}, _put_items, _whole, told=lambda then, now: (list(then), list(now))
)
_MEMBERS: Final = _Shape(lambda it: {"": tuple(_iterated(it))}, _put_members, _whole, _same_members, _told_members)
_CACHE: Final = _Shape(
    lambda it: {"": _cached.cache_info(it).currsize},  # type: ignore[attr-defined]
    _put_cache,
    lambda path, _: f"{path} (cache)",
    told=lambda *entries: tuple(f"{number} entries" for number in entries),
)
_CONTEXT: Final = _Shape(lambda it: {"": it.get(ABSENT)}, _put_context, lambda path, _: f"{path} (context)")
_RANDOM: Final = _Shape(
    lambda it: {"": _modules["random"].Random.getstate(it)},
    lambda it, _, state, __: _modules["random"].Random.setstate(it, state),
    lambda path, _: f"{path} (state)",
    told=lambda *states: tuple(f"state {hash(state) & 0xFFFFFFFF:08x}" for state in states),
)
_COUNT: Final = _Shape(lambda it: {"": repr(it)}, None, lambda path, _: f"{path} (next)", told=lambda *told: told)
_TUPLE: Final = _Shape(lambda it: dict(enumerate(tuple.__iter__(it))), None, _labelled)
_PARTIAL: Final = _Shape(lambda it: {"func": it.func, "args": it.args, "keywords": it.keywords}, None)
_BOUND: Final = _Shape(lambda it: {"__self__": it.__self__, "__func__": it.__func__}, None)

_BUILT_IN: Final = (
    (dict, _DICT),
    (list, _ITEMS),
    (deque, _ITEMS),
    (bytearray, _ITEMS),
    (set, _MEMBERS),
    (tuple, _TUPLE),
    (contextvars.ContextVar, _CONTEXT),
    (itertools.count, _COUNT),
    (functools.partial, _PARTIAL),
    (MethodType, _BOUND),
    (threading.local, _LOCAL),
)


_Replace = Callable[[Any], None]
#: Shapes whose parts are names, not data.
_NAMESPACES: Final = (_MODULE, _CLASS, _FUNCTION, _INSTANCE, _LOCAL)
#: Shapes within which there is nothing to find.
_LEAVES: Final = (_CACHE, _COUNT, _RANDOM)
_WRAPPERS: Final = {
    id(staticmethod): ("__func__",),
    id(classmethod): ("__func__",),
    id(property): ("fget", "fset", "fdel"),
    id(functools.cached_property): ("func",),
}
#: Marks of pytest hold the values that tests are parametrized with.
_MARKS: Final = "_pytest.mark.structures"
_TEST_NAMES: Final = frozenset({"test", "tests", "conftest"})


class _Held(NamedTuple):
    """An object of the snapshot, with its parts as they were."""

    path: str
    it: Any
    shape: _Shape
    then: dict[Any, Any]
    #: The names of parts that are not looked at.
    skipped: frozenset[str]
    own: bool
    #: For what cannot be put back itself: puts another object in its place.
    replace: _Replace | None = None


class ModuleState:
    """A snapshot of the state of modules, taken when it is made.

    Args:
        own: whether a module, by its name, is the project's; its tests are.
        modules: the modules to look at, by name; those of ``sys.modules`` if none are given.
    """

    def __init__(self, own: Callable[[str], bool], modules: Mapping[str, ModuleType] | None = None) -> None:
        self._own = functools.cache(own)
        self._held: list[_Held] = []
        # The objects are kept with their ids, so that no id is given to another object meanwhile.
        self._seen: dict[int, Any] = {}
        self._kinds: dict[int, tuple[type, tuple[_Shape, ...]]] = {}
        self._queue: deque[tuple[str, Any, int, _Replace | None]] = deque()
        self._later: list[tuple[str, Any, int, _Replace | None]] = []
        named = dict(_modules if modules is None else modules)
        names = sorted(name for name, module in named.items() if issubclass(type(module), ModuleType))
        for name in sorted(filter(self._own, names), key=lambda name: (_is_test(name), name)):
            self._hold(name, named[name], _MODULE, 0)
        self._walk()
        for name in names:
            if not self._own(name) and name.partition(".")[0] not in _TOOLS and not name.startswith(_TOOL_PREFIXES):
                self._hold_foreign(name, named[name])

    def changes(self) -> list[Change]:
        """What differs from the snapshot, the project's own first, each with the shortest access path there was."""
        found: list[Change] = []
        for held in self._held:
            with suppress(Exception):  # a test may have left an object that cannot be read
                found += self._differing(held)
        return found

    def _hold(self, path: str, it: Any, shape: _Shape, depth: int, replace: _Replace | None = None) -> None:
        """Copy an object of the project, and queue what its parts are."""
        self._seen[id(it)] = it
        try:
            then = shape.read(it)
        except Exception:  # noqa: BLE001 - a project may have made anything of it
            return
        if shape.put is not None or shape is _COUNT:
            skipped = _NOISE if shape in _NAMESPACES else frozenset[str]()
            self._held.append(_Held(path, it, shape, then, skipped, own=True, replace=replace))
        if depth == _MOST_STEPS or shape in _LEAVES:
            return
        listed = shape is _ITEMS or shape is _MEMBERS
        for key, value in list(enumerate(then[""]) if listed else then.items()):
            if id(type(value)) in _PLAIN or (shape in _NAMESPACES and _is_noise(key)):
                continue
            again = partial(_replace, shape, it, key, then) if type(value) is itertools.count and not listed else None
            queue = self._later if shape is _MODULE and self._is_from_elsewhere(value, path) else self._queue
            queue.append(((_labelled if listed else shape.label)(path, key), value, depth + 1, again))

    def _is_from_elsewhere(self, value: Any, module: str) -> bool:
        """Whether a class or function was only imported, and has a better path in another module of the project."""
        kind = type(value)
        home = _class_module(value) if issubclass(kind, type) else value.__module__ if kind is FunctionType else module
        return type(home) is str and home != module and self._own(home)

    def _is_own(self, module: Any) -> bool:
        return type(module) is str and self._own(module)

    def _walk(self) -> None:
        self._queue.extend(self._later)
        while self._queue and len(self._seen) < _MOST_OBJECTS:
            path, value, depth, replace = self._queue.popleft()
            if id(value) not in self._seen:
                with suppress(Exception):  # see _hold()
                    self._visit(path, value, depth, replace)

    def _visit(self, path: str, value: Any, depth: int, replace: _Replace | None) -> None:
        """Hold an object if it is the project's or the language's, and what is wrapped in it."""
        kind = type(value)
        if issubclass(kind, type):
            if self._is_own(_class_module(value)):
                self._hold(path, value, _CLASS, depth)
        elif kind is FunctionType:
            if self._is_own(value.__module__):
                self._hold(path, value, _FUNCTION, depth)
                if value.__closure__:
                    self._hold(path, value, _CELLS, depth)
        elif id(kind) in _WRAPPERS:
            self._queue.extend((path, getattr(value, name), depth, None) for name in _WRAPPERS[id(kind)])
        elif kind is not _cached:
            for shape in self._shapes(kind):
                self._hold(path, value, shape, depth, replace)
        elif self._is_own(value.__dict__.get("__module__")):
            self._hold(path, value, _CACHE, depth)
            self._queue.append((path, value.__dict__.get("__wrapped__"), depth, None))

    def _shapes(self, kind: type) -> tuple[_Shape, ...]:
        """How instances of a class are looked at; none for those of other people's classes."""
        known = self._kinds.get(id(kind))
        if known is None:
            shapes = [shape for base, shape in _BUILT_IN if issubclass(kind, base)]
            generator = _modules.get("random")
            if generator is not None and kind is generator.Random:
                shapes.append(_RANDOM)
            module = _class_module(kind)
            if (self._is_own(module) or module == _MARKS or id(kind) in _OPEN) and _LOCAL not in shapes:
                shapes.append(_INSTANCE)
            known = self._kinds[id(kind)] = kind, tuple(shapes)
        return known[1]

    def _hold_foreign(self, name: str, module: Any) -> None:
        if id(module) in self._seen:
            return
        self._seen[id(module)] = module
        then = _MODULE.read(module)
        skipped = _NOISE | _ELSEWHERE.get(name, frozenset())
        self._held.append(_Held(name, module, _MODULE, then, skipped, own=False))
        for value in then.values():
            if issubclass(type(value), type) and _class_flags(value) & (_HEAP_TYPE | _IMMUTABLE_TYPE) == _HEAP_TYPE:
                home = _class_dict(value).get("__module__")
                if type(home) is str and home == name and id(value) not in self._seen:
                    self._seen[id(value)] = value
                    path = f"{name}.{_class_name(value)}"
                    self._held.append(_Held(path, value, _CLASS, _CLASS.read(value), _NOISE, own=False))

    def _differing(self, held: _Held) -> Iterator[Change]:
        shape, then, now = held.shape, held.then, held.shape.read(held.it)
        if then.keys() == now.keys() and all(map(operator.is_, then.values(), map(now.__getitem__, then))):
            return
        keys = [key for key in {**then, **now} if not shape.same(then.get(key, ABSENT), now.get(key, ABSENT))]
        if shape is _DICT and len(keys) > _MOST_ENTRIES:
            told = in_words(f"{len(then)} entries", f"{len(now)} entries")
            yield Change(held.path, *told, "module-state", held.own, lambda: _put_entries(held.it, then))
            return
        for key in keys:
            old, new = then.get(key, ABSENT), now.get(key, ABSENT)
            if held.skipped and (key in held.skipped or _is_noise(key)):
                continue
            if shape is _MODULE and old is ABSENT and _came_by_import(held, key, new):
                continue
            kind = "module-state" if held.own else "patched"
            path = shape.label(held.path, key)
            yield Change(path, *in_words(*shape.told(old, new)), kind, held.own, self._undo(held, key, old))

    def _undo(self, held: _Held, key: Any, old: Any) -> Callable[[], None] | None:
        if held.shape is _COUNT:
            return (lambda: self._count_again(held)) if held.replace is not None else None
        if (held.shape is _CACHE and old) or (held.shape is _CONTEXT and old is ABSENT) or held.shape.put is None:
            return None
        put = held.shape.put
        # No partial: it would show all that it holds.
        return lambda: put(held.it, key, old, held.then)

    def _count_again(self, held: _Held) -> None:
        """Put a new counter in the place of one that went on, for it cannot be turned back."""
        numbers = ast.literal_eval(held.then[""].removeprefix("count"))
        counter = itertools.count(*numbers) if type(numbers) is tuple else itertools.count(numbers)
        if held.replace is not None:
            held.replace(counter)
        self._held[self._held.index(held)] = held._replace(it=counter)


def _replace(shape: _Shape, it: Any, key: Any, then: dict[Any, Any], value: Any) -> None:
    """Put a value where it counts as unchanged."""
    if shape.put is not None:
        shape.put(it, key, value, then)
    then[key] = value


def _came_by_import(held: _Held, name: str, value: Any) -> bool:
    """Whether a new attribute of a module is a submodule, or was made by other people's module itself on demand."""
    if issubclass(type(value), ModuleType):
        module = _module_dict(value).get("__name__")
        return type(module) is str and module == f"{held.then.get('__name__', held.path)}.{name}"
    return not held.own and "__getattr__" in held.then


def _is_noise(name: Any) -> bool:
    return name in _NOISE or (type(name) is str and name.startswith("@"))


def _is_test(module: str) -> bool:
    """Whether a module's name is one of tests, whose paths are told only if there is no other."""
    return any(part.startswith("test_") or part.endswith("_test") or part in _TEST_NAMES for part in module.split("."))
