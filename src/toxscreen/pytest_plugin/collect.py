"""Collecting: which category each test belongs to, and which of them run."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
from _pytest.nodes import Node

from toxscreen.errors import MarkerError, NothingRanError, Place, ToxscreenError, did_you_mean
from toxscreen.model import Case, Policy, Selection
from toxscreen.plan.categories import belongs_elsewhere, category_of
from toxscreen.probes.calls import ALLOWABLE
from toxscreen.pytest_plugin.screen import ITEM_KEY, XDIST_KEY, ItemInfo, Screen, worker_input

#: Fixtures of pytest-benchmark.
_BENCHMARKS = frozenset({"benchmark", "benchmark_weave"})


class Collect:
    """Sorts tests into categories, deselects those of others and reports every mistake at once."""

    def __init__(self, config: pytest.Config, screen: Screen) -> None:
        self.config = config
        self.screen = screen
        self.settings = screen.settings
        self._names: dict[Node, frozenset[str]] = {}
        self._categories: dict[tuple[str, frozenset[str]], str] = {}
        self._files: dict[Path, str] = {}
        self._elsewhere = 0
        self._is_sorting = False
        #: How many tests were deselected by whom.
        self._deselected: dict[str, int] = {}

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave alone what only other categories claim: importing it takes time and may pollute."""
        if self.screen.policy is None or self.screen.replayed is not None:
            return None
        file = self._relative(collection_path)
        if belongs_elsewhere(file, self.screen.policy.category, self.settings.categories):
            return True
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """After everybody else: give every test its policy, keep those of the category asked for."""
        found = len(items)
        result = yield
        silent = found - len(items) - sum(self._deselected.values())
        if silent > 0:
            self._deselected["a plugin that does not say so"] = silent
        self._sort(config, items)
        return result

    def _sort(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        errors: list[ToxscreenError] = []
        kept: list[pytest.Item] = []
        others: list[pytest.Item] = []
        for item in items:
            policy = self._policy(item, errors)
            if policy is None:
                continue
            wanted = self.screen.policy is None or policy.category == self.screen.policy.category
            (kept if wanted else others).append(item)
        if errors:
            for error in errors:
                self.screen.problems.add_error(error.render())
            items.clear()
            return
        if others:
            self._elsewhere, self._is_sorting = len(others), True
            config.hook.pytest_deselected(items=others)
            self._is_sorting = False
            items[:] = kept

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Hand what is wrong, and what was left out, to the process that leads the run."""
        off = benchmarks_off(session) if session.config.pluginmanager.hasplugin("benchmark") else 0
        self.screen.selection = Selection(self._elsewhere, self._deselected, (), off, self.screen.other_shards)
        if worker_input(session.config) is not None:
            told = session.config.workeroutput.setdefault(XDIST_KEY, {})  # type: ignore[attr-defined]
            told["errors"] = list(self.screen.problems.errors)
            told["selection"] = self.screen.selection._asdict()

    @pytest.hookimpl(tryfirst=True)
    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count, so that a run without a test can say why, and none passes for more than it is."""
        if not self._is_sorting and not self.screen.is_splitting and items:
            from toxscreen.pytest_plugin.narrowing import deselecting

            author = deselecting(sys._getframe(1), self.config, self.settings.root)  # noqa: SLF001 - nobody says who calls
            self._deselected[author] = self._deselected.get(author, 0) + len(items)

    def _relative(self, path: Path) -> str:
        known = self._files.get(path)
        if known is None:
            try:
                known = path.relative_to(self.settings.root).as_posix()
            except ValueError:
                known = path.as_posix()
            self._files[path] = known
        return known

    def _marker_names(self, node: Node) -> frozenset[str]:
        """Names of all markers that apply to a node; those of its parents are found once."""
        above = self._marker_names_above(node.parent) if node.parent is not None else frozenset()
        return above.union(mark.name for mark in node.own_markers) if node.own_markers else above

    def _marker_names_above(self, parent: Node) -> frozenset[str]:
        known = self._names.get(parent)
        if known is None:
            known = self._names[parent] = self._marker_names(parent)
        return known

    def _policy(self, item: pytest.Item, errors: list[ToxscreenError]) -> Policy | None:
        names = self._marker_names(item)
        file = self._relative(item.path)
        category = self._categories.get((file, names))
        if category is None:
            answer = category_of(
                Case(item.nodeid, file, names), self.settings.categories, self.settings.default_category.value
            )
            if isinstance(answer, ToxscreenError):
                errors.append(answer)
                return None
            category = self._categories[file, names] = answer
        policy = self.settings.categories[category]
        allowed = self._arguments(item, "allow", ALLOWABLE, errors) if "allow" in names else ()
        needs = self._arguments(item, "needs", tuple(self.settings.services), errors) if "needs" in names else ()
        limit, func_only = _marked_limit(item) if "timeout" in names else (self._limit(item, policy), None)
        # A run of one category that asks for the machine has it from its beginning.
        alone = "alone" in names or (policy.alone and self.screen.policy is None)
        self.screen.has_alone = self.screen.has_alone or alone
        item.stash[ITEM_KEY] = ItemInfo(policy, frozenset(allowed), needs, limit, func_only, alone)
        return policy

    def _limit(self, item: pytest.Item, policy: Policy) -> float | None:
        """Where categories run together, each test carries its own time limit, unless somebody set one for all."""
        if self.screen.policy is not None:
            return None
        if self.screen.asked_timeout is not None:
            return self.screen.asked_timeout
        if policy.timeout:
            item.add_marker(pytest.mark.timeout(policy.timeout))
        return policy.timeout

    @staticmethod
    def _arguments(
        item: pytest.Item, marker: str, known: tuple[str, ...], errors: list[ToxscreenError]
    ) -> tuple[str, ...]:
        found: list[str] = []
        for mark in item.iter_markers(marker):
            wrong = [argument for argument in mark.args if argument not in known]
            if wrong or mark.kwargs or not mark.args:
                told = ", ".join(map(repr, wrong)) or "no argument" if not mark.kwargs else "named arguments"
                hint = did_you_mean(str(wrong[0]), known) if wrong else f"known: {', '.join(known)}"
                if not known:
                    hint = "no service is declared; declare it under [tool.toxscreen.services.NAME] of pyproject.toml"
                errors.append(
                    MarkerError(f"@pytest.mark.{marker} is given {told}", place=Place(item.nodeid), hint=hint)
                )
            found.extend(argument for argument in mark.args if argument in known)
        return tuple(dict.fromkeys(found))


def _marked_limit(item: pytest.Item) -> tuple[float | None, bool | None]:
    """Seconds and ``func_only`` of pytest-timeout's marker; pytest-timeout itself says what is wrong with it."""
    mark = item.get_closest_marker("timeout")
    if mark is None:
        return None, None
    func_only = mark.kwargs.get("func_only")
    try:
        return float(mark.args[0] if mark.args else mark.kwargs["timeout"]), func_only
    except (KeyError, TypeError, ValueError):
        return None, func_only


def benchmarks_off(session: pytest.Session) -> int:
    """How many tests have a benchmark that pytest-benchmark does not measure, as under workers, where it says no more.

    Args:
        session: collected; pytest-benchmark is there.
    """
    own = getattr(session.config, "_benchmarksession", None)
    if own is None or not (own.disabled or own.skip):
        return 0
    return sum(not _BENCHMARKS.isdisjoint(getattr(item, "fixturenames", ())) for item in session.items)


def nothing_ran(screen: Screen, deselected: int, missing: Sequence[str]) -> NothingRanError:
    """The error for a run in which no test was left.

    Args:
        screen: the run.
        deselected: how many tests were collected and then deselected.
        missing: files that were asked for and are not there.
    """
    policy = screen.policy
    if missing:
        return NothingRanError(
            f"no test was collected: there is no {', '.join(missing)}",
            place=Place(key=f"category {screen.category}"),
            hint="paths are looked up from the folder that pytest is started in",
        )
    if deselected:
        return NothingRanError(
            f"all {deselected} collected tests were deselected",
            place=Place(key=f"category {screen.category}"),
            hint="loosen -k, -m or the paths given, or choose another category",
        )
    hint = "no test was found below the paths given"
    if policy is not None:
        hint = (
            f"its paths are {', '.join(policy.paths) or 'none'} and its markers {', '.join(policy.markers) or 'none'}; "
            f"change them under [tool.toxscreen.categories.{policy.category}] of pyproject.toml"
        )
    return NothingRanError("no test was collected", place=Place(key=f"category {screen.category}"), hint=hint)
