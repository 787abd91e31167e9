"""Whether coverage began to measure after a file had been imported. Pure."""

from __future__ import annotations

import ast
from collections.abc import Collection


def is_late(source: str, executed: Collection[int]) -> bool:
    """Whether a function of a file ran although its definition did not.

    A module that was imported before coverage began is measured in part: bodies of functions, and nothing of what
    importing it runs. Its missing lines are then no missing tests, and its covered ones no whole.

    Args:
        source: text of the file.
        executed: lines that ran, counted from 1.
    """
    if not executed:
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    ran = set(executed)
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        body = node.body[0].lineno
        if body <= node.lineno:
            # All in one line: nothing tells the definition from the call.
            continue
        if not ran.isdisjoint(range(body, (node.end_lineno or body) + 1)) and ran.isdisjoint(range(first, body)):
            return True
    return False
