"""What in a file looks like a test, and what in it keeps a test from being one: told from its syntax tree alone."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from toxscreen.analysis.discovery import flaws
from toxscreen.analysis.discovery.effects import asserts, returned
from toxscreen.analysis.discovery.flaws import Flaw
from toxscreen.analysis.discovery.names import (
    Function,
    Spoken,
    dotted,
    first_line,
    imports,
    required,
    spoken,
)

#: Names that miss ``test_`` by little: letters swapped or lost, another case, or the word at the end.
_NEAR: Final = re.compile(r"(?:(?:tst|tets|tset|tes|teset|testt|tesst|etst|Tests?|TEST)_\w+|[a-z]\w*_tests?)")
_FIXTURES: Final = {"fixture", "yield_fixture"}


@dataclass(frozen=True, slots=True)
class Look:
    """A function that looks like a test."""

    #: With the classes that it stands in, such as ``TestCart.test_empty``.
    name: str
    line: int
    #: Line of the first decorator.
    first: int
    #: Parameters without a default, without those that are parametrised.
    needs: tuple[str, ...]
    #: Whether the name begins with "test"; it only nearly does otherwise.
    is_named: bool
    #: Whether it asserts something itself.
    asserts: bool
    #: Whether it stands there whatever happens, as it is written: under no condition, with no decorators but marks.
    is_certain: bool
    is_async: bool
    #: Line of a ``return`` with a value that pytest would throw away.
    returns: int | None
    #: Class in which it stands, with those around.
    holder: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A class with functions that look like tests."""

    name: str
    line: int
    bases: tuple[str, ...]
    #: ``__init__`` or ``__new__`` that it defines.
    constructor: str
    #: Whether ``__test__ = False`` says that it is no test.
    is_off: bool
    tests: int


@dataclass(frozen=True, slots=True)
class Fixture:
    """A function that is a fixture, and is not in use by itself."""

    name: str
    function: str
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """All of a file."""

    tests: tuple[Look, ...]
    holders: tuple[Holder, ...]
    flaws: tuple[Flaw, ...]
    fixtures: tuple[Fixture, ...]
    #: Names of all fixtures, also of those that are in use by themselves.
    fixture_names: frozenset[str]
    #: Marks by name, and the line that each stands in first.
    marks: dict[str, int]
    spoken: Spoken
    #: Whether ``__test__ = False`` stands for the whole file.
    is_off: bool


def look(content: str | bytes) -> Source | None:
    """Look at a file.

    Args:
        content: its text; bytes are decoded as Python does.

    Returns:
        What is in it; None where it is no Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = _Looking(imports(tree))
    try:
        found.body(tree.body, ())
        told = flaws.find(tree, found.imports)
        words = spoken(tree)
    except RecursionError:
        return None
    marks = _marks(tree, found.imports)
    return Source(
        tuple(found.tests),
        tuple(found.holders),
        told,
        tuple(found.fixtures),
        frozenset(found.names),
        marks,
        words,
        _is_off(tree.body),
    )


@dataclass(slots=True)
class _Looking:
    imports: dict[str, str]
    tests: list[Look] = field(default_factory=list)
    holders: list[Holder] = field(default_factory=list)
    fixtures: list[Fixture] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def body(self, body: Sequence[ast.stmt], around: tuple[str, ...], *, is_certain: bool = True) -> None:
        for statement in body:
            if isinstance(statement, Function):
                self.function(statement, around, is_certain=is_certain)
            elif isinstance(statement, ast.ClassDef):
                self.holder(statement, around)
            else:
                for each in flaws.bodies(statement):
                    self.body(each, around, is_certain=False)

    def holder(self, node: ast.ClassDef, around: tuple[str, ...]) -> None:
        before = len(self.tests)
        inside = (*around, node.name)
        self.body(node.body, inside)
        made = [each.name for each in node.body if isinstance(each, Function) and each.name in {"__init__", "__new__"}]
        own = [each for each in self.tests[before:] if each.is_named and each.holder == ".".join(inside)]
        if own:
            bases = tuple(dotted(base, self.imports) for base in node.bases)
            name = ".".join(inside)
            self.holders.append(Holder(name, node.lineno, bases, made[0] if made else "", _is_off(node.body), len(own)))

    def function(self, node: Function, around: tuple[str, ...], *, is_certain: bool) -> None:
        decorators = [dotted(each, self.imports) for each in node.decorator_list]
        fixture = next((at for at, name in enumerate(decorators) if name.rpartition(".")[2] in _FIXTURES), None)
        if fixture is not None:
            self.fixture(node, node.decorator_list[fixture])
            return
        is_named = node.name.startswith("test")
        if not is_named and not _NEAR.fullmatch(node.name):
            return
        given = {name for each in node.decorator_list for name in _parametrized(each)}
        needs = [name for name in required(node) if name not in given]
        if around and needs and needs[0] in {"self", "cls"}:
            del needs[0]
        self.tests.append(
            Look(
                name=".".join((*around, node.name)),
                line=node.lineno,
                first=first_line(node),
                needs=tuple(needs),
                is_named=is_named,
                asserts=asserts(node),
                is_certain=is_certain and all(each.startswith("pytest.mark.") for each in decorators),
                is_async=isinstance(node, ast.AsyncFunctionDef),
                returns=returned(node, decorators),
                holder=".".join(around),
            )
        )

    def fixture(self, node: Function, decorator: ast.expr) -> None:
        name = node.name
        self.names.add(name)
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg in {None, "autouse"} and not _is_constant(keyword.value, value=False):
                return
            if keyword.arg == "name":
                if not (isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)):
                    return
                name = keyword.value.value
                self.names.add(name)
        self.fixtures.append(Fixture(name, node.name, node.lineno))


def _is_constant(node: ast.expr, *, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _is_off(body: Sequence[ast.stmt]) -> bool:
    """Whether ``__test__`` is set to anything but True."""
    return any(
        isinstance(target, ast.Name) and target.id == "__test__" and not _is_constant(each.value, value=True)
        for each in body
        if isinstance(each, ast.Assign)
        for target in each.targets
    )


def _parametrized(decorator: ast.expr) -> Iterator[str]:
    """Names that a decorator gives values to; of one that is not pytest's, nobody knows."""
    if isinstance(decorator, ast.Call):
        for argument in decorator.args[:1]:
            for each in ast.walk(argument):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield from (part.strip() for part in each.value.split(","))


def _marks(tree: ast.Module, known: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner, _, name = dotted(node, known).rpartition(".")
            if owner == "pytest.mark":
                found[name] = min(found.get(name, node.lineno), node.lineno)
    return found
