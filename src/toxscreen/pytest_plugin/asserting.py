"""Which tests can assert nothing, as pytest has collected them: one look at most, helpers only for the few left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Final

import pytest

from toxscreen.model import Policy
from toxscreen.probes.asserting import Fixture, can_assert, fixture_asserts, is_bare, names_assertion

#: A test that says so is there to see that nothing is raised, or a plugin compares what it returns.
_MARKERS: Final = frozenset({"must_not_raise", "mpl_image_compare"})
#: Ends the names of fixtures that compare by themselves.
_COMPARING_FIXTURE: Final = "_regression"
_FOLDERS: Final = frozenset({"test", "tests", "testing"})


class Asserting:
    """Looks at tests before they run.

    Args:
        root: of the project.
        policies: whose paths say where tests, and so their helpers, lie.
    """

    def __init__(self, root: Path, policies: Iterable[Policy]) -> None:
        self._root = os.path.join(root, "")  # noqa: PTH118 - an end that Path takes off
        heads = {PurePath(path).parts[0] for policy in policies for path in policy.paths if PurePath(path).parts}
        self._folders = _FOLDERS | {head for head in heads if not {"*", "?", "["}.intersection(head)} - {"src"}
        self._files: dict[str, bool] = {}
        self._known: dict[tuple[object, object], bool] = {}
        self._fixtures: dict[Fixture, bool] = {}
        self._closures: dict[tuple[object, ...], bool] = {}

    def asserts_nothing(self, item: pytest.Item) -> bool:
        """Whether a test can assert nothing, and does not say that this is meant. What is no function is not asked."""
        function = getattr(item, "obj", None)
        code = getattr(function, "__code__", None)
        if code is None:
            return False
        if names_assertion(code) and not ("__wrapped__" in function.__dict__ or "hypothesis" in function.__dict__):
            return False
        try:
            return isinstance(item, pytest.Function) and self._look_closely(item)
        except Exception:  # noqa: BLE001 - what cannot be looked at is not accused, and its run goes on
            return False

    def _look_closely(self, item: pytest.Function) -> bool:
        if any(mark.name in _MARKERS for mark in item.iter_markers()) or self._fixtures_assert(item):
            return False
        function, holder = getattr(item.obj, "__func__", item.obj), item.cls
        values = _helpers(item)
        if holder is None and not values and is_bare(function.__code__) and not function.__dict__:
            return True
        key = (function, holder)
        if values:
            return not can_assert(function, holder, values, self._is_test_code)
        if key not in self._known:
            self._known[key] = not can_assert(function, holder, (), self._is_test_code)
        return self._known[key]

    def _fixtures_assert(self, item: pytest.Function) -> bool:
        info = item._fixtureinfo  # noqa: SLF001 - pytest has no other way to them
        # Tests with the same fixtures, asked for in the same way, are many.
        key = (info.argnames, info.initialnames, tuple(map(id, info.name2fixturedefs.values())))
        known = self._closures.get(key)
        if known is None:
            asked = {*info.argnames, *(name for mark in item.iter_markers("usefixtures") for name in mark.args)}
            known = any(name.endswith(_COMPARING_FIXTURE) for name in item.fixturenames) or any(
                map(self._fixture_asserts, _fixtures(info.name2fixturedefs, asked, self._is_ours))
            )
            self._closures[key] = known
        return known

    def _fixture_asserts(self, fixture: Fixture) -> bool:
        known = self._fixtures.get(fixture)
        if known is None:
            known = self._fixtures[fixture] = fixture_asserts(fixture, self._is_test_code)
        return known

    def _is_ours(self, file: str) -> bool:
        return file.startswith(self._root)

    def _is_test_code(self, file: str) -> bool:
        known = self._files.get(file)
        if known is None:
            known = self._files[file] = self._is_ours(file) and self._is_below_tests(file[len(self._root) :])
        return known

    def _is_below_tests(self, file: str) -> bool:
        path = PurePath(file)
        stem = path.stem
        named = stem == "conftest" or stem in _FOLDERS or stem.startswith("test_") or stem.endswith("_test")
        return (named or not self._folders.isdisjoint(path.parts[:-1])) and "site-packages" not in path.parts


def _helpers(item: pytest.Function) -> list[object]:
    """What can be called of that which a test is parametrised with."""
    spec = getattr(item, "callspec", None)
    return [] if spec is None else [value for value in spec.params.values() if callable(value)]


def _fixtures(
    definitions: Mapping[str, Sequence[Any]], asked: set[str], is_ours: Callable[[str], bool]
) -> Iterator[Fixture]:
    """The fixtures of a test; of those that nobody asked for only what they do after it."""
    waiting = list(asked)
    while waiting:
        for definition in definitions.get(waiting.pop(), ()):
            waiting += [name for name in definition.argnames if name not in asked]
            asked.update(definition.argnames)
    for name, found in definitions.items():
        function = found[-1].func
        if function.__module__.startswith("_pytest."):
            continue
        code = getattr(function, "__code__", None)
        ours = code is not None and is_ours(code.co_filename)
        if ours or name in asked:
            yield Fixture(function, only_after=not ours or name not in asked)
