"""What a function does in its own body, as far as its syntax tells: whether it asserts, and what it returns."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Final

from toxscreen.analysis.discovery.names import Function, own_nodes

#: What type checkers look at asserts nothing at run time.
_CHECKS: Final = re.compile(r"assert(?!_type$|_never$)|^(?:raises|warns|fail|deprecated_call)$", re.IGNORECASE)


def asserts(function: Function) -> bool:
    """Whether a function asserts something itself."""
    for node in own_nodes(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if _CHECKS.search(name):
                return True
    return False


def returned(function: Function, decorators: Sequence[str]) -> int | None:
    """Line of a value that is returned. What a call returns may be None; what a decorator does with it nobody knows."""
    if any(".mark." not in f".{name}" or "compare" in name for name in decorators):
        return None
    found = None
    for node in own_nodes(function):
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return None
        if isinstance(node, ast.Return) and node.value is not None and not _may_be_none(node.value):
            found = min(found or node.lineno, node.lineno)
    return found


def _may_be_none(value: ast.expr) -> bool:
    if isinstance(value, ast.Call | ast.Await | ast.IfExp | ast.Name | ast.Attribute | ast.Subscript | ast.NamedExpr):
        return True
    if isinstance(value, ast.BoolOp):
        return all(_may_be_none(each) for each in value.values)
    return isinstance(value, ast.Constant) and value.value is None
