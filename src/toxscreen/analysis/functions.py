"""The functions of a source text, by its syntax tree: names, lines, and which of them differ from an older text."""

from __future__ import annotations

import ast
import contextlib
import copy
import warnings
from collections.abc import Collection, Iterator
from typing import TypeAlias

from toxscreen.model import Function

_Def: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def functions(source: str | bytes) -> tuple[Function, ...]:
    """All functions and methods of a text, those inside others too, in the order of their lines.

    Args:
        source: of a Python file.

    Raises:
        ValueError: it is no valid Python.
    """
    return tuple(sorted((_function(name, node) for name, node in _defs(parse(source), "")), key=lambda it: it.first))


def changed_functions(
    source: str | bytes, lines: Collection[int], before: str | bytes | None = None
) -> tuple[Function, ...]:
    """The functions in which something has changed: the innermost around each changed line.

    A function that only reads differently (comments, layout) has not changed.

    Args:
        source: the text as it is.
        lines: its new and edited lines, counted from 1.
        before: the text as it was; None where it was not there.

    Raises:
        ValueError: the text as it is is no valid Python.
    """
    tree = parse(source)
    was = _dumps(before)
    found = []
    for name, node in _defs(tree, ""):
        function = _function(name, node)
        own = set(range(function.first, function.last + 1))
        for _, inner in _defs(node, ""):
            own -= set(range(_first(inner), (inner.end_lineno or inner.lineno) + 1))
        # Where lines were only removed, there is no new one.
        edited = not own.isdisjoint(lines) if before is None or name not in was else _own_dump(node) not in was[name]
        if edited:
            found.append(function)
    return tuple(sorted(found, key=lambda it: it.first))


def same_code(one: str | bytes, other: str | bytes) -> bool:
    """Whether two texts are the same program: comments, docstrings and layout aside.

    Returns:
        False where one of them is no valid Python.
    """
    try:
        return _dump(parse(one)) == _dump(parse(other))
    except ValueError:
        return False


def mentions(source: str | bytes, names: Collection[str]) -> frozenset[str]:
    """The functions of a text that mention one of these names, as a variable or a parameter.

    Raises:
        ValueError: it is no valid Python.
    """
    return frozenset(
        name
        for name, node in _defs(parse(source), "")
        for each in ast.walk(node)
        if (isinstance(each, ast.Name) and each.id in names)
        or (isinstance(each, ast.arg) and each.arg in names)
        or (isinstance(each, ast.Constant) and each.value in names and isinstance(each.value, str))
    )


def changed_names(source: str | bytes, before: str | bytes | None) -> frozenset[str]:
    """What a module binds at its top, imports aside, and binds differently than an older text did.

    Raises:
        ValueError: the text as it is is no valid Python.
    """
    now = _top(parse(source))
    was: dict[str, str] = {}
    if before is not None:
        with contextlib.suppress(ValueError):
            was = _top(parse(before))
    return frozenset(name for name, dump in now.items() if was.get(name) != dump)


def parse(source: str | bytes) -> ast.Module:
    """The syntax tree of a text.

    Raises:
        ValueError: it is no valid Python.
    """
    with warnings.catch_warnings():
        # A doubtful escape in somebody's text is not ours to tell.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            # A null byte is a ValueError before Python 3.11.4.
            told = f"{error.msg} in line {error.lineno}" if isinstance(error, SyntaxError) else type(error).__name__
            raise ValueError(f"no valid Python: {told}") from None


def _defs(node: ast.AST, prefix: str) -> Iterator[tuple[str, _Def]]:
    """Functions below a node, each with its qualified name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
        inner = f"{prefix}{child.name}." if isinstance(child, _Def | ast.ClassDef) else prefix
        yield from _defs(child, inner)


def _first(node: _Def) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _function(name: str, node: _Def) -> Function:
    statements = [each for each in node.body if not _says_nothing(each)]
    body = {line for each in statements for line in _own_lines(each)}
    # What runs when the file is imported: the def with its defaults, up to its colon.
    heading = range(node.lineno, max(node.lineno, _heading_end(node)) + 1)
    shares = not body.isdisjoint(heading)
    return Function(name, _first(node), node.end_lineno or node.lineno, frozenset(body - set(heading)), shares)


def _heading_end(node: _Def) -> int:
    parts = [*ast.walk(node.args), *(ast.walk(node.returns) if node.returns else ())]
    return max((getattr(each, "end_lineno", None) or 0 for each in parts), default=0)


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is a docstring or ``...``, of which nothing is compiled."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _own_lines(node: ast.AST) -> set[int]:
    """Lines of a statement without the bodies of functions in it."""
    lines: set[int] = set()
    if isinstance(node, _Def):
        # The def itself is a statement of what is around it.
        return set(range(_first(node), node.lineno + 1))
    if isinstance(node, ast.stmt | ast.expr):
        lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    for child in ast.walk(node):
        if child is not node and isinstance(child, _Def):
            lines -= set(range(child.lineno + 1, (child.end_lineno or child.lineno) + 1))
    return lines


class _Undocumented(ast.NodeTransformer):
    """Takes docstrings away."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and isinstance(node, _Def | ast.ClassDef | ast.Module):
            node.body = [each for each in body if not _says_nothing(each)]
        return node


class _Hollow(_Undocumented):
    """Takes the functions inside away too, all but their names."""

    def __init__(self, outer: _Def) -> None:
        self._outer = outer

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, _Def) and node is not self._outer:
            return ast.Name(node.name)
        return super().generic_visit(node)


def _dump(node: ast.AST) -> str:
    return ast.dump(_Undocumented().visit(node))


def _own_dump(node: _Def) -> str:
    outer = copy.deepcopy(node)
    return ast.dump(_Hollow(outer).visit(outer))


def _dumps(source: str | bytes | None) -> dict[str, set[str]]:
    """The functions of a text; several may have one name, as those of a property do."""
    found: dict[str, set[str]] = {}
    if source is not None:
        with contextlib.suppress(ValueError):
            for name, node in _defs(parse(source), ""):
                found.setdefault(name, set()).add(_own_dump(node))
    return found


def _top(tree: ast.Module) -> dict[str, str]:
    """What a module binds at its top, each with what it is bound by."""
    found: dict[str, str] = {}
    for node in tree.body:
        names: list[str] = []
        if isinstance(node, _Def | ast.ClassDef):
            names = [node.name]
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and _is_bound(each)]
        for name in names:
            found[name] = found.get(name, "") + ast.dump(node)
    return found


def _is_bound(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
