"""Whether code can assert anything: read from what Python compiled and from the objects that it names, never run.

An assert statement, ``raises``, ``warns``, ``fail``, methods and helpers that are called like assertions: nearly every
test names one of them itself, and is done with by one look. Only for the others helpers and fixtures are followed. What
can be told of no object acquits: a test is accused only when all that it names was seen to assert nothing.
"""

from __future__ import annotations

import dis
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

#: Names of which each is an assertion, whoever has it. pytest calls its helper so in what it rewrote.
_NAMES: Final = frozenset(
    {
        "@pytest_ar",
        "AssertionError",
        "deprecated_call",
        "fail",
        "failIf",
        "failUnless",
        "fnmatch_lines",
        "fnmatch_lines_random",
        "no_fnmatch_line",
        "no_re_match_line",
        "raises",
        "re_match_lines",
        "re_match_lines_random",
        "warns",
    }
)
_WORDS: Final = re.compile(r"_*(assert|expect|should|verify)s?(?![a-z])")
#: What a test class does after each test.
_AFTER: Final = frozenset({"tearDown", "asyncTearDown", "teardown_method"})
#: Flags of generators, also asynchronous ones.
_YIELDS: Final = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
#: Functions that are looked at for one test; who names more is not accused.
_MOST: Final = 500

#: Instructions that may assert, or bring in what does.
_BARE: Final = frozenset(
    dis.opmap[name]
    for name in ("LOAD_ASSERTION_ERROR", "LOAD_COMMON_CONSTANT", "RAISE_VARARGS", "MAKE_FUNCTION")
    if name in dis.opmap
)

_known: dict[str, bool] = {}


def is_sign(name: str) -> bool:
    """Whether what has such a name asserts."""
    known = _known.get(name)
    if known is None:
        known = _known[name] = name in _NAMES or _WORDS.match(name) is not None
    return known


def names_assertion(code: CodeType) -> bool:
    """Whether code names an assertion itself; every test pays for this one look."""
    names = code.co_names
    return not _NAMES.isdisjoint(names) or any(map(is_sign, names))


@dataclass(frozen=True, slots=True)
class Fixture:
    """A function that is run before, and perhaps after, a test."""

    function: object
    #: Whether only what it does after its ``yield`` is done for the test's sake.
    only_after: bool


@dataclass(slots=True)
class _Seen:
    """What stands in a piece of code."""

    asserts: bool = False
    raises: bool = False
    names: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)


def is_bare(code: CodeType) -> bool:
    """Whether code surely asserts nothing and names nothing that could, by a look that costs next to nothing."""
    # Every other byte is an instruction, or what the interpreter keeps beside one: that is looked at for nothing.
    return not (code.co_names or code.co_freevars or code.co_cellvars) and _BARE.isdisjoint(code.co_code[::2])


def fixture_asserts(fixture: Fixture, is_test_code: Callable[[str], bool]) -> bool:
    """Whether anything in a fixture, or in what it names, can assert; for all tests of the session alike."""
    function = _plain(fixture.function)
    walk = _Walk(is_test_code, None)
    return function is not None and (walk.look(function, always=True, after=fixture.only_after) or walk.rest())


def can_assert(
    function: object, holder: type | None, values: Iterable[object], is_test_code: Callable[[str], bool]
) -> bool:
    """Whether anything that a test names can assert.

    Args:
        function: the test's.
        holder: its class.
        values: that it is parametrised with.
        is_test_code: whether a file is the tests' own: what the code under test asserts for itself is no test of it.
    """
    walk = _Walk(is_test_code, holder)
    plain = _plain(function)
    if plain is None or walk.look(plain, always=True) or walk.raised:
        return True
    return any(walk.follow(value) for value in values) or walk.rest()


class _Walk:
    """One test's way through helpers, each looked at once."""

    def __init__(self, is_test_code: Callable[[str], bool], holder: type | None) -> None:
        self._is_test_code = is_test_code
        self._holder = holder
        self._done: set[int] = set()
        self._waiting: list[FunctionType] = []
        #: Whether the test function itself raises something, as a condition of its own.
        self.raised = False

    def look(self, function: FunctionType, *, always: bool = False, after: bool = False) -> bool:
        """Whether a function asserts; those that it names are noted.

        Args:
            function: any.
            always: also where it is no test code.
            after: only what follows its first ``yield``.
        """
        code = function.__code__
        if id(code) in self._done:
            return False
        first = not self._done
        self._done.add(id(code))
        if not always and "@pytest_ar" not in function.__globals__ and not self._is_test_code(code.co_filename):
            return False
        if after and not code.co_flags & _YIELDS:
            return False
        seen = _Seen()
        _read(code, seen, begun=not after)
        self.raised = self.raised or (first and seen.raises)
        return seen.asserts or any(map(is_sign, seen.names)) or self._follow_names(function, seen)

    def rest(self) -> bool:
        """Whether one of the functions noted asserts, or one that these name."""
        while self._waiting:
            if len(self._done) > _MOST:
                return True
            if self.look(self._waiting.pop()):
                return True
        return False

    def _follow_names(self, function: FunctionType, seen: _Seen) -> bool:
        space = function.__globals__
        package = space.get("__package__")
        found: list[object] = [space[name] for name in seen.names if name in space]
        for name in seen.imported:
            found += [sys.modules.get(name), sys.modules.get(f"{package}.{name}")]
        for module in [each for each in found if type(each) is ModuleType]:
            found += [vars(module)[name] for name in seen.names if name in vars(module)]
        if self._holder is not None:
            # A class of unittest has those that assert by name.
            for each in self._holder.__mro__:
                found += [vars(each)[name] for name in seen.names | _AFTER if name in vars(each)]
        found += _closed_over(function)
        return any(self.follow(value) for value in found)

    def follow(self, value: object) -> bool:
        """Whether something asserts by its name; its functions are noted."""
        if isinstance(value, type):
            return self._follow_class(value)
        function = _plain(value)
        if function is not None:
            if is_sign(function.__name__):
                return True
            self._waiting.append(function)
            return False
        kind = type(value)
        if kind.__name__ == "_Fail":
            # What `pytest.fail` is an instance of, under whatever name it was imported.
            return True
        return kind.__module__ not in {"builtins", "_pytest.mark.structures"} and self._follow_class(kind)

    def _follow_class(self, found: type) -> bool:
        for each in found.__mro__:
            module = sys.modules.get(each.__module__)
            if module is None or not self._is_test_code(getattr(module, "__file__", None) or ""):
                continue
            for value in vars(each).values():
                function = _plain(value)
                if function is not None:
                    self._waiting.append(function)
        return False


def _closed_over(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:
            # Nothing is in it yet.
            continue
        if _plain(value) is not None:
            yield value


def _plain(value: Any) -> FunctionType | None:
    """The Python function behind methods, properties, decorators and partial objects; None where there is none.

    Only types are asked, for proxies answer for what they stand for.
    """
    for _ in range(_MOST):
        kind = type(value)
        if kind is FunctionType:
            inner = getattr(vars(value).get("hypothesis"), "inner_test", None) or vars(value).get("__wrapped__")
            if inner is None:
                return value  # type: ignore[no-any-return]  # its type was asked for
            value = inner
            continue
        name = _INSIDE.get((kind.__module__, kind.__name__))
        if name is None:
            return None
        value = getattr(value, name, None)
    return None


_INSIDE: Final = {
    ("builtins", "method"): "__func__",
    ("builtins", "staticmethod"): "__func__",
    ("builtins", "classmethod"): "__func__",
    ("builtins", "property"): "fget",
    ("functools", "partial"): "func",
    ("functools", "_lru_cache_wrapper"): "__wrapped__",
}


def _read(code: CodeType, seen: _Seen, *, begun: bool, nested: bool = False) -> None:
    """Note what code names, that of the functions inside it too."""
    for step in dis.get_instructions(code):
        if not begun:
            begun = step.opname == "YIELD_VALUE"
            continue
        if step.opname == "LOAD_ASSERTION_ERROR" or (
            step.opname == "LOAD_COMMON_CONSTANT" and "AssertionError" in step.argrepr
        ):
            seen.asserts = True
        elif step.opname == "IMPORT_NAME":
            seen.imported.add(str(step.argval))
        elif step.opcode in dis.hasname:
            seen.names.add(str(step.argval))
        elif step.opname == "RAISE_VARARGS" and step.arg and not nested:
            seen.raises = True
        elif isinstance(step.argval, CodeType):
            _read(step.argval, seen, begun=True, nested=True)
