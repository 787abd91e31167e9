"""What is known of tests once they are collected: xdist groups, marker `alone`, fixtures wider than a test.

Such a fixture's key is that of :attr:`toxscreen.model.Case.fixtures`, the same while collecting and while it is set up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest
from _pytest.nodes import Node

from toxscreen.model import Case

_GROUP: Final = "xdist_group"
_ALONE: Final = "alone"
#: Modules of pytest itself. Its fixtures, such as tmp_path_factory and those that stand for parameters, cost nothing.
_PYTEST: Final = "_pytest."

_Fixture = pytest.FixtureDef[Any]


def telling_cases(items: Iterable[pytest.Item]) -> list[Case]:
    """A case for each test that has a group, wants to be alone or uses a fixture wider than itself.

    Args:
        items: as collected; under ``--dist loadgroup`` their ids have the group in them by now.
    """
    finder = _Finder()
    cases = []
    for item in items:
        groups, alone = finder.marked(item)
        fixtures = finder.keys(item)
        if groups or alone or fixtures:
            node_id = item.nodeid
            group = group_name(groups)
            cases.append(Case(node_id, node_id.partition("::")[0], group=group, alone=alone, fixtures=fixtures))
    return cases


def group_name(groups: frozenset[str]) -> str | None:
    """The name that pytest-xdist gives to the group of a test with several marks; None without any."""
    return "_".join(sorted(groups)) if groups else None


def groups_of(marks: Iterable[pytest.Mark]) -> frozenset[str]:
    """The groups that marks of pytest-xdist name, see ``pytest_collection_modifyitems`` in xdist/remote.py."""
    return frozenset(
        str(mark.args[0] if mark.args else mark.kwargs.get("name", "default")) for mark in marks if mark.name == _GROUP
    )


def key_of(fixture: _Fixture, request: pytest.FixtureRequest) -> str | None:
    """The key of a fixture that is being set up.

    Args:
        fixture: its definition.
        request: for its set-up.

    Returns:
        None where it is not wider than the test: a class fixture of a plain function belongs to it alone.
    """
    node = request.node
    if isinstance(node, pytest.Item) or _is_of_pytest(fixture):
        return None
    index = getattr(request, "param_index", 0) if hasattr(request, "param") else None
    return _key(node, fixture, index)


def _key(node: Node, fixture: _Fixture, index: int | None) -> str:
    return f"{node.nodeid}|{fixture.argname}{'' if index is None else f'[{index}]'}"


def _is_of_pytest(fixture: _Fixture) -> bool:
    # setup_module() and its like become fixtures that pytest's own functions make, for the place where they stand.
    return str(getattr(fixture.func, "__module__", "")).startswith(_PYTEST) and not fixture.baseid


class _Finder:
    """Looks at many tests; what is common to them is found once."""

    def __init__(self) -> None:
        self._marked_above: dict[Node | None, tuple[frozenset[str], bool]] = {None: (frozenset(), False)}
        #: Scope of each fixture that is wider than a test by its definition, None of the others.
        self._scopes: dict[_Fixture, str | None] = {}
        #: Of tests that share what pytest knows of their fixtures, as all that have one function do.
        self._wide: dict[int, list[tuple[_Fixture, str]]] = {}
        self._keys: dict[tuple[_Fixture, str, Node | None, int | None], str | None] = {}

    def marked(self, node: Node) -> tuple[frozenset[str], bool]:
        """The groups of a test or of what it lies in, and whether it wants to be alone."""
        above = self._marked_above.get(node.parent)
        if above is None:
            above = self._marked_above[node.parent] = self.marked(node.parent) if node.parent else (frozenset(), False)
        marks = node.own_markers
        if not marks:
            return above
        groups, alone = above
        return groups | groups_of(marks), alone or any(mark.name == _ALONE for mark in marks)

    def keys(self, item: pytest.Item) -> tuple[str, ...]:
        """Keys of the wide fixtures that a test is known to use, each once."""
        info = getattr(item, "_fixtureinfo", None)
        if info is None:
            return ()
        wide = self._wide.get(id(info))
        if wide is None:
            wide = self._wide[id(info)] = list(self._wide_of(info, getattr(item, "callspec", None)))
        if not wide:
            return ()
        indices = item.callspec.indices if hasattr(item, "callspec") else {}
        found = (self._key(fixture, scope, item, indices.get(fixture.argname)) for fixture, scope in wide)
        return tuple(dict.fromkeys(key for key in found if key is not None))

    def _wide_of(self, info: Any, callspec: Any) -> Iterator[tuple[_Fixture, str]]:
        for name in info.names_closure:
            definitions = info.name2fixturedefs.get(name)
            if not definitions:
                continue
            # An indirect parameter may bring a scope of its own, which then holds.
            given = callspec._arg2scope.get(name) if callspec is not None else None  # noqa: SLF001 - pytest says it nowhere else
            for fixture in reversed(definitions):
                scope = self._scope(fixture) if given is None else _wide_scope(fixture, given.value)
                if scope is not None:
                    yield fixture, scope
                if name not in fixture.argnames:
                    # It does not build on the one that it overrides.
                    break

    def _scope(self, fixture: _Fixture) -> str | None:
        try:
            return self._scopes[fixture]
        except KeyError:
            scope = self._scopes[fixture] = _wide_scope(fixture, fixture.scope)
            return scope

    def _key(self, fixture: _Fixture, scope: str, item: pytest.Item, index: int | None) -> str | None:
        place = (fixture, scope, item.parent, index)
        try:
            return self._keys[place]
        except KeyError:
            node = _scope_node(fixture, scope, item)
            key = self._keys[place] = None if node is None else _key(node, fixture, index)
            return key


def _wide_scope(fixture: _Fixture, scope: str) -> str | None:
    return None if scope == "function" or _is_of_pytest(fixture) else scope


def _scope_node(fixture: _Fixture, scope: str, item: pytest.Item) -> Node | None:
    """What a fixture is set up for, as in SubRequest of _pytest/fixtures.py; None where that is the test itself."""
    if scope == "class":
        return item.getparent(pytest.Class)
    if scope == "module":
        return item.getparent(pytest.Module)
    if scope == "package":
        for parent in item.listchain():
            if isinstance(parent, pytest.Package) and parent.nodeid == fixture.baseid:
                return parent
    return item.session
