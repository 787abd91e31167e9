"""What is known of tests once they are collected: xdist groups, marker `alone`, fixtures wider than a test.

Such a fixture's key is that of :attr:`toxscreen.model.Case.fixtures`, the same while collecting and while it is set up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

import pytest
from _pytest.nodes import Node

from toxscreen.model import Case

_GROUP: Final = "xdist_group"
_ALONE: Final = "alone"
#: Modules of pytest itself. Its fixtures, such as tmp_path_factory and those that stand for parameters, cost nothing.
_PYTEST: Final = "_pytest."

_Fixture = pytest.FixtureDef[Any]
#: Fixtures with their scopes.
_Wide = tuple[tuple[_Fixture, str], ...]
_UNMARKED: Final[tuple[frozenset[str], bool]] = (frozenset(), False)


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
    """Looks at many tests; what is common to them is found once. Nodes are known by their ids: hashing one is slow."""

    def __init__(self) -> None:
        self._marked_above: dict[int, tuple[frozenset[str], bool]] = {}
        #: Whether a fixture, and those of its name that it builds on, are for one test by their definition.
        self._narrow: dict[_Fixture, bool] = {}
        #: By what pytest knows of a test's fixtures, which is one thing for all parameters of a function.
        self._wide: dict[int, _Wide] = {}
        self._keys: dict[tuple[_Wide, int, tuple[int | None, ...]], tuple[str, ...]] = {}

    def marked(self, node: Node) -> tuple[frozenset[str], bool]:
        """The groups of a test or of what it lies in, and whether it wants to be alone."""
        parent, marks = node.parent, node.own_markers
        above = self._marked_above.get(id(parent))
        if above is None:
            above = self._marked_above[id(parent)] = _UNMARKED if parent is None else self.marked(parent)
        if not marks:
            return above
        groups, alone = above
        return groups | groups_of(marks), alone or any(mark.name == _ALONE for mark in marks)

    def keys(self, item: pytest.Item) -> tuple[str, ...]:
        """Keys of the wide fixtures that a test is known to use, each once."""
        info = getattr(item, "_fixtureinfo", None)
        if info is None:
            return ()
        callspec = getattr(item, "callspec", None)
        wide = self._wide.get(id(info))
        if wide is None:
            wide = self._wide[id(info)] = tuple(self._wide_of(info, callspec))
        if not wide:
            return ()
        indices = () if callspec is None else tuple([callspec.indices.get(fixture.argname) for fixture, _ in wide])
        place = (wide, id(item.parent), indices)
        keys = self._keys.get(place)
        if keys is None:
            found = (
                (fixture, _scope_node(fixture, scope, item), index)
                for (fixture, scope), index in zip_longest(wide, indices)
            )
            told = [_key(node, fixture, index) for fixture, node, index in found if node is not None]
            keys = self._keys[place] = tuple(dict.fromkeys(told))
        return keys

    def _wide_of(self, info: Any, callspec: Any) -> Iterator[tuple[_Fixture, str]]:
        # An indirect parameter may bring a scope of its own, which then holds; pytest says it nowhere else.
        given = {} if callspec is None else callspec._arg2scope  # noqa: SLF001
        for name in info.names_closure:
            definitions = info.name2fixturedefs.get(name)
            if not definitions or (self._is_narrow(definitions) and name not in given):
                continue
            for fixture in _in_use(definitions):
                scope = _wide_scope(fixture, given[name].value if name in given else fixture.scope)
                if scope is not None:
                    yield fixture, scope

    def _is_narrow(self, definitions: Sequence[_Fixture]) -> bool:
        last = definitions[-1]
        narrow = self._narrow.get(last)
        if narrow is None:
            narrow = all(_wide_scope(fixture, fixture.scope) is None for fixture in _in_use(definitions))
            self._narrow[last] = narrow
        return narrow


def _in_use(definitions: Sequence[_Fixture]) -> Iterator[_Fixture]:
    """The definition of a fixture that holds, and those that it overrides and builds on."""
    for fixture in reversed(definitions):
        yield fixture
        if fixture.argname not in fixture.argnames:
            return


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
