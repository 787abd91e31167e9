"""Which function or class a line of a file belongs to, by the file's syntax tree."""

from __future__ import annotations

import ast
import warnings
from typing import Final, NamedTuple

#: What is outside of all functions and classes.
MODULE: Final = "<module>"

_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Span(NamedTuple):
    """The lines of one definition, decorators included, counted from 1."""

    name: str
    first: int
    last: int


def spans(source: bytes) -> tuple[Span, ...] | None:
    """All functions and classes of a file, outer ones first.

    Args:
        source: the file, in whatever encoding it declares.

    Returns:
        None when Python cannot parse it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: list[Span] = []
    left: list[tuple[ast.AST, str]] = [(tree, "")]
    while left:
        node, prefix = left.pop()
        if isinstance(node, _DEFINITIONS):
            name = f"{prefix}{node.name}"
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found.append(Span(name, first, node.end_lineno or node.lineno))
            prefix = f"{name}."
        left += ((child, prefix) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))
    return tuple(sorted(found, key=lambda span: (span.first, -span.last)))


def symbol(found: tuple[Span, ...] | None, line: int) -> str:
    """The qualified name of the innermost definition that a line lies in; else :data:`MODULE`.

    Args:
        found: what :func:`spans` gave.
        line: counted from 1.
    """
    inside = [span for span in found or () if span.first <= line <= span.last]
    # Of two that begin at one line the later is the inner one, and an inner one never begins before an outer one.
    return inside[-1].name if inside else MODULE
