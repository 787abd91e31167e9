"""How state of modules and classes is put back, as far as its access path says where it is."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Final

from toxscreen.model import Culprit

#: Longer values are not repeated in a proposal.
_LONGEST_VALUE: Final = 40
_PATH: Final = re.compile(r"(?P<path>.+?)(?: \((?P<part>cache|context|state|next|variable \w+)\))?", re.DOTALL)
#: Of a dictionary with many changes no more is told.
_ENTRIES: Final = re.compile(r"\d+ entries")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one piece of state is put back."""

    #: What a test can use in the place of what it does.
    use: str
    #: Lines of a fixture that puts it back; none where it cannot be said from the path.
    body: tuple[str, ...] = ()
    #: Modules that the lines need, ``package.name`` for what is imported from another one.
    modules: tuple[str, ...] = ()


def of_object(culprit: Culprit) -> Recipe:
    """How to put back an entry, an attribute, what is in a container, or a cache.

    Args:
        culprit: what leaked, with a path such as ``shop.cart.Cart.tax``.
    """
    unknown = Recipe(f"a fixture that puts {culprit.path} back after its yield")
    found = _PATH.fullmatch(culprit.path)
    tree = _parsed(found["path"]) if found is not None else None
    if found is None or tree is None:
        return unknown
    if found["part"]:
        return _of_part(found["part"], tree) or unknown
    if isinstance(tree, ast.Subscript):
        return _of_entry(culprit, tree)
    return _of_attribute(culprit, tree) if isinstance(tree, ast.Attribute) else unknown


def _of_entry(culprit: Culprit, tree: ast.Subscript) -> Recipe:
    owner, key = ast.unparse(tree.value), ast.unparse(tree.slice)
    use = f"monkeypatch.setitem({owner}, {key}, {_put(culprit)})"
    if culprit.after == "absent":
        use = f"monkeypatch.delitem({owner}, {key})"
    if fill := _filling(culprit):
        return Recipe(use, _filled(tree.value, f"[{key}]", fill), ("copy", "pkgutil"))
    given = _got(tree.value) if "[" in owner else repr(owner)
    modules = ("unittest.mock", "pkgutil") if "[" in owner else ("unittest.mock",)
    return Recipe(use, (f"with mock.patch.dict({given}):", "    yield"), modules)


def _of_attribute(culprit: Culprit, tree: ast.Attribute) -> Recipe:
    owner, name = ast.unparse(tree.value), tree.attr
    use = f"monkeypatch.setattr({owner}, {name!r}, {_put(culprit)})"
    if culprit.after == "absent":
        use = f"monkeypatch.delattr({owner}, {name!r})"
    if fill := _filling(culprit):
        return Recipe(use, _filled(tree.value, f".{name}", fill), ("copy", "pkgutil"))
    got = f"owner = {_got(tree.value)}"
    if culprit.before == "absent":
        return Recipe(use, (got, "yield", f"if {name!r} in vars(owner):", f"    del owner.{name}"), ("pkgutil",))
    # As it stands there: asked for, a static method is a function.
    return Recipe(use, (got, f"before = vars(owner)[{name!r}]", "yield", f"owner.{name} = before"), ("pkgutil",))


def _put(culprit: Culprit) -> str:
    """What a test puts there: of a container no more than the difference is known."""
    return "..." if _filling(culprit) else short(culprit.after)


def _filling(culprit: Culprit) -> str:
    """The method that fills a container again, of one that was there; empty where none was."""
    if culprit.before.startswith("["):
        return "extend"
    return "update" if culprit.before.startswith("{") or _ENTRIES.fullmatch(culprit.before) else ""


def _filled(tree: ast.expr, last: str, fill: str) -> tuple[str, ...]:
    """Whether another container was put there or this one was filled: both are put back."""
    return (
        f"owner = {_got(tree)}",
        f"before, contents = owner{last}, copy.copy(owner{last})",
        "yield",
        "before.clear()",
        f"before.{fill}(contents)",
        f"owner{last} = before",
    )


def _of_part(part: str, tree: ast.expr) -> Recipe | None:
    """Of what is no attribute and no entry: it is told in brackets after the path."""
    path, owner = ast.unparse(tree), f"it = {_got(tree)}"
    if part == "cache":
        return Recipe(
            f"{path}.cache_clear() in a fixture after its yield", (owner, "yield", "it.cache_clear()"), ("pkgutil",)
        )
    if part == "context":
        body = (owner, "before = it.get()", "yield", "it.set(before)")
        return Recipe(f"{path}.reset(token) in a fixture after its yield", body, ("pkgutil",))
    if part == "state":
        body = (owner, "before = it.getstate()", "yield", "it.setstate(before)")
        return Recipe("a generator of its own: random.Random(1)", body, ("pkgutil",))
    return None


def _parsed(path: str) -> ast.expr | None:
    """A path of names, attributes and plain keys; None where it is none."""
    try:
        tree = ast.parse(path, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    rest = tree
    while isinstance(rest, ast.Attribute | ast.Subscript):
        if isinstance(rest, ast.Subscript) and not _is_literal(ast.unparse(rest.slice)):
            return None
        rest = rest.value
    return tree if isinstance(rest, ast.Name) else None


def _got(tree: ast.expr) -> str:
    """An expression that gets an object by its path, and imports what has to be imported for that."""
    text = ast.unparse(tree)
    dotted, bracket, rest = text.partition("[")
    return f"pkgutil.resolve_name({dotted!r}){bracket}{rest}"


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return False
    return True


def short(value: str) -> str:
    """A value as Python reads it, or dots where it cannot or is long."""
    return value if len(value) <= _LONGEST_VALUE and _is_literal(value) else "..."
