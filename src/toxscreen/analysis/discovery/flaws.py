"""Flaws of tests that show in one file's syntax tree: what is lost, cannot fail, or is skipped without a word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from toxscreen.analysis.discovery.names import Function, dotted, own_nodes

_TEST: Final = re.compile(r"test\w*|Test\w*")
_OVERLOADS: Final = {"overload", "setter", "getter", "deleter", "register", "property", "fixture", "dispatch"}
_SKIPS: Final = {"pytest.mark.skip", "unittest.skip"}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One flaw."""

    slug: str
    #: Name of the test with what is around it, as in a node id: ``TestCart::test_empty``; empty: the file's own.
    subject: str
    line: int
    message: str
    #: Tests that are lost by it.
    tests: int = 0


def find(tree: ast.Module, known: dict[str, str]) -> tuple[Flaw, ...]:
    """The flaws of a file, in order of their lines.

    Args:
        tree: the file.
        known: what its imports make of names.
    """
    finder = _Finder(known)
    finder.body(tree.body, ())
    return tuple(sorted(finder.found, key=lambda flaw: (flaw.line, flaw.slug)))


def bodies(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """The lists of statements in a compound statement, such as both branches of an ``if``."""
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(statement, name, None)
        if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
            yield inner
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


class _Finder:
    def __init__(self, known: dict[str, str]) -> None:
        self.known = known
        self.found: list[Flaw] = []

    def add(self, slug: str, around: Sequence[str], line: int, message: str, tests: int = 0) -> None:
        self.found.append(Flaw(slug, "::".join(around), line, message, tests))

    def body(self, body: Sequence[ast.stmt], around: tuple[str, ...]) -> None:
        self.shadowed(body, around)
        for statement in body:
            if isinstance(statement, Function | ast.ClassDef):
                inside = (*around, statement.name)
                for decorator in statement.decorator_list:
                    self.mark(decorator, inside)
                if isinstance(statement, ast.ClassDef):
                    self.body(statement.body, inside)
                else:
                    self.function(statement, inside)
                continue
            self.statement(statement, around)
            for inner in bodies(statement):
                self.body(inner, around)

    def statement(self, statement: ast.stmt, around: tuple[str, ...]) -> None:
        if isinstance(statement, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == "pytestmark" for each in statement.targets
        ):
            value = statement.value
            for each in value.elts if isinstance(value, ast.List | ast.Tuple) else (value,):
                self.mark(each, around)
        heads = (each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.expr))
        for head in heads:
            for node in ast.walk(head):
                self.node(node, around)
        self.node(statement, around)

    def function(self, function: Function, inside: tuple[str, ...]) -> None:
        nodes = list(own_nodes(function))
        for node in nodes:
            self.node(node, inside)
        inner = [each for each in nodes if isinstance(each, Function)]
        if not inner:
            return
        names = {
            each.id for each in ast.walk(function) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Store)
        }
        for each in inner:
            if each.name.startswith("test") and self.is_lost(each, names):
                message = f"is defined inside {function.name}, where pytest does not look, and nothing calls it"
                self.add("nested-test", (*inside, each.name), each.lineno, message, 1)

    def is_lost(self, function: Function, names: set[str]) -> bool:
        """Whether a function inside a function is there for nobody: never named, and not handed to a decorator."""
        # Names may also be looked up.
        if function.name in names or names & {"locals", "vars", "exec", "eval"}:
            return False
        if not all(dotted(each, self.known).startswith("pytest.mark.") for each in function.decorator_list):
            return False
        return any(isinstance(node, ast.Assert) for node in own_nodes(function))

    def node(self, node: ast.AST, around: tuple[str, ...]) -> None:
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple) and node.test.elts:
            self.add("assert-tuple", around, node.lineno, "asserts a tuple, which is always true")
        elif isinstance(node, ast.Call):
            name = dotted(node.func, self.known)
            if name == "pytest.skip" and not _has_text(node, "reason", "msg"):
                self.add("skip-without-reason", around, node.lineno, "pytest.skip() is called without a reason")
            for keyword in node.keywords:
                if keyword.arg == "marks":
                    value = keyword.value
                    for each in value.elts if isinstance(value, ast.List | ast.Tuple) else (value,):
                        self.mark(each, around)

    def mark(self, node: ast.expr, around: Sequence[str]) -> None:
        """A mark or decorator of a test."""
        name = dotted(node, self.known)
        call = node if isinstance(node, ast.Call) else None
        is_silent = name in _SKIPS and (call is None or not _has_text(call, "reason"))
        if is_silent or (name == "pytest.mark.skipif" and call is not None and _lacks_reason(call)):
            self.add("skip-without-reason", around, node.lineno, f"@{name} has no reason")
        elif name == "pytest.mark.parametrize" and call is not None and _is_empty(call):
            message = "is parametrised over an empty list, so that it never runs"
            self.add("empty-parameters", around, node.lineno, message)

    def shadowed(self, body: Sequence[ast.stmt], around: tuple[str, ...]) -> None:
        """Definitions that a later one of the same name in the same list of statements takes the place of."""
        last: dict[str, int] = {}
        for at, statement in enumerate(body):
            if isinstance(statement, ast.Delete):
                last.clear()
            if not isinstance(statement, Function | ast.ClassDef) or not _TEST.fullmatch(statement.name):
                continue
            before = last.get(statement.name)
            if before is not None:
                old = body[before]
                if not self.is_alternative(old, statement) and not _is_used(statement.name, body[before + 1 : at + 1]):
                    message = f"is lost: line {statement.lineno} defines the same name again"
                    self.add("shadowed", (*around, statement.name), old.lineno, message, _count(old))
            last[statement.name] = at

    def is_alternative(self, *definitions: ast.stmt) -> bool:
        return any(
            dotted(decorator, self.known).rpartition(".")[2] in _OVERLOADS
            for each in definitions
            if isinstance(each, Function | ast.ClassDef)
            for decorator in each.decorator_list
        )


def _is_used(name: str, statements: Sequence[ast.stmt]) -> bool:
    """Whether a name is read before its second definition is made: in between, or by that one's decorators or bases."""
    *between, last = statements
    heads: list[ast.AST] = list(between)
    if isinstance(last, Function | ast.ClassDef):
        heads += last.decorator_list
    if isinstance(last, ast.ClassDef):
        heads += [*last.bases, *last.body]
    return any(isinstance(node, ast.Name) and node.id == name for head in heads for node in ast.walk(head))


def _count(definition: ast.stmt) -> int:
    if not isinstance(definition, ast.ClassDef):
        return 1
    return sum(isinstance(each, Function) and each.name.startswith("test") for each in definition.body)


def _has_text(call: ast.Call, *names: str) -> bool:
    """Whether a call is given some text: by position, by one of the names, or in a way that does not show."""
    given = [*call.args[:1], *(each.value for each in call.keywords if each.arg is None or each.arg in names)]
    return any(not (isinstance(each, ast.Constant) and each.value in {"", None}) for each in given)


def _lacks_reason(skipif: ast.Call) -> bool:
    """Of a condition that is a text, pytest makes the reason."""
    if any(each.arg is None for each in skipif.keywords) or any(isinstance(each, ast.Starred) for each in skipif.args):
        return False
    conditions = [*skipif.args, *(each.value for each in skipif.keywords if each.arg == "condition")]
    if not conditions or not all(isinstance(each, ast.Compare | ast.BoolOp | ast.UnaryOp) for each in conditions):
        reasons = [each.value for each in skipif.keywords if each.arg == "reason"]
        return any(isinstance(each, ast.Constant) and each.value == "" for each in reasons)
    return not any(
        each.arg == "reason" and not (isinstance(each.value, ast.Constant) and each.value.value == "")
        for each in skipif.keywords
    )


def _is_empty(parametrize: ast.Call) -> bool:
    values = [*parametrize.args[1:2], *(each.value for each in parametrize.keywords if each.arg == "argvalues")]
    return any(isinstance(each, ast.List | ast.Tuple) and not each.elts for each in values)
