"""What to do about an isolation bug: said only where undoing something, or another test, was seen to help."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Final

from toxscreen.hunt.restoring import recipe
from toxscreen.hunt.restoring_objects import Recipe
from toxscreen.model import Culprit, Isolation, IsolationKind, Remedy

#: Kinds that are mended by putting something back.
_RESTORED: Final = frozenset({IsolationKind.VICTIM, IsolationKind.SELF_POLLUTING})
#: More than so many calls are not read.
_MOST_CALLS: Final = 3


def remedy(finding: Isolation) -> Remedy | None:
    """A proposal.

    Args:
        finding: what was found.

    Returns:
        None where nothing was seen to help, or where fresh interpreters have not shown the finding.
    """
    proved = [culprit for culprit in finding.culprits if culprit.proved]
    if not finding.proved:
        return None
    if finding.kind is IsolationKind.BRITTLE and proved:
        calls = _calls([recipe(each) for each in proved])
        return Remedy(_lines("seen to be needed: a fixture that the test asks for can set it up with", calls))
    if finding.kind not in _RESTORED:
        return None
    if proved:
        recipes = [recipe(each) for each in proved]
        them = "it" if len(proved) == 1 else "all of it"
        start = f"seen to help: undoing {them} before the test; {_who(finding)} can use"
        return Remedy(_lines(start, _calls(recipes)), _fixtures(proved, recipes))
    if finding.cleaner is not None:
        return Remedy((f"seen to help: {finding.cleaner} in between; let a fixture put right what it puts right",))
    return None


def _who(finding: Isolation) -> str:
    if finding.kind is IsolationKind.SELF_POLLUTING:
        return "the test"
    return "the polluter" if len(finding.partners) == 1 else "the polluters"


def _calls(recipes: Sequence[Recipe]) -> list[str]:
    return list(dict.fromkeys(each.use for each in recipes))


def _lines(start: str, calls: Sequence[str]) -> tuple[str, ...]:
    """At most four lines."""
    if len(calls) == 1:
        return (f"{start} {calls[0]}",)
    shown = calls if len(calls) <= _MOST_CALLS else calls[: _MOST_CALLS - 1]
    more = len(calls) - len(shown)
    return (start, *(f"  {call}" for call in shown), *([f"  and {more} more of this kind"] if more else []))


def _fixtures(culprits: Sequence[Culprit], recipes: Sequence[Recipe]) -> str | None:
    """Fixtures that put back everything; None where one cannot be written, for a part of them was not seen to help."""
    bodies: dict[tuple[str, ...], str] = {}
    for culprit, each in zip(culprits, recipes, strict=True):
        if not each.body:
            return None
        bodies.setdefault(each.body, _name(culprit))
    modules = sorted({module for each in recipes for module in each.modules})
    imports = [f"import {module}" for module in modules if "." not in module]
    imports += [f"from {name} import {part}" for name, _, part in (one.partition(".") for one in modules) if part]
    names: list[str] = []
    text = ""
    for body, name in bodies.items():
        names.append(name)
        number = names.count(name)
        defined = f"restore_{name}{'' if number == 1 else f'_{number}'}"
        text += f"\n\n@pytest.fixture(autouse=True)\ndef {defined}():\n" + "".join(f"    {line}\n" for line in body)
    return "\n".join([*imports, *([""] if imports else []), "import pytest", text])


def _name(culprit: Culprit) -> str:
    """What a fixture is called: the last name of a path, or the kind of state."""
    path = culprit.path.partition(" (")[0]
    if culprit.kind in {"module-state", "patched"}:
        try:
            tree = ast.parse(path, mode="eval").body
        except (SyntaxError, ValueError):
            return "state"
        while isinstance(tree, ast.Subscript):
            tree = tree.value
        named = tree.attr if isinstance(tree, ast.Attribute) else path
    elif culprit.kind == "environment":
        named = path.removeprefix("os.environ")
    else:
        named = culprit.kind
    return re.sub(r"\W+", "_", named).strip("_").lower() or "state"
