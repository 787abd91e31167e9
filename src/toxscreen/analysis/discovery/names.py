"""Names in a syntax tree: what a dotted name stands for after the file's imports, and which names a file speaks of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Spoken:
    """The names that a file uses, by how it does."""

    #: Read, imported, or taken of an object.
    used: frozenset[str]
    #: Parameters of functions.
    parameters: frozenset[str]
    #: Identifiers that stand in texts, alone or in a list with commas; of paths and dotted names the last part.
    in_texts: frozenset[str]
    #: Whether a fixture is asked for by a name that is made at run time.
    asks_for_any: bool


def imports(tree: ast.Module) -> dict[str, str]:
    """What names of a module stand for, by the import statements anywhere in it."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def dotted(node: ast.expr, known: dict[str, str]) -> str:
    """The full name of an expression such as ``pt.mark.skip``, calls left out; empty where it is none.

    Args:
        node: the expression.
        known: as :func:`imports` gives it.
    """
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join((known.get(node.id, node.id), *reversed(parts)))
        else:
            return ""


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions and classes in it."""
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo.extend(ast.iter_child_nodes(node))


def first_line(node: Function | ast.ClassDef) -> int:
    """Line of a definition's first decorator, or its own: the one that its code object names."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def required(function: Function) -> tuple[str, ...]:
    """Names of the parameters of a function that have no default."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    without = positional[: len(positional) - len(given.defaults)]
    named = [each for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None]
    return tuple(each.arg for each in (*without, *named))


def spoken(tree: ast.Module) -> Spoken:
    """The names that a module uses."""
    used: set[str] = set()
    parameters: set[str] = set()
    texts: set[str] = set()
    asks_for_any = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            used.add(node.id)
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.alias):
            used.update(node.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            used.update((node.module or "").split("."))
        elif isinstance(node, ast.arg):
            parameters.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = (re.sub(r".*[/\\.](?=\w)(?!py$)|\.py$", "", part.strip()) for part in node.value.split(","))
            texts.update(part for part in parts if part.isidentifier())
        elif isinstance(node, ast.Call) and _asks_for_any(node):
            asks_for_any = True
    return Spoken(frozenset(used), frozenset(parameters), frozenset(texts), asks_for_any)


def _asks_for_any(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name == "getfixturevalue" and not all(
        isinstance(each, ast.Constant) for each in (*call.args, *(keyword.value for keyword in call.keywords))
    )
