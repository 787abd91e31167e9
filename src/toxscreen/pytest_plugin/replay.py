"""``--screen-replay``: run what a worker ran, in its order and with its seed, in one process."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from toxscreen.model import Run
from toxscreen.plan.replay import Comparison, Target, compare, cut, pick_lane, without_replay
from toxscreen.pytest_plugin.fixtures import group_name, groups_of
from toxscreen.pytest_plugin.screen import Screen

_MOST_NAMES = 5
#: Beginnings of arguments that select tests.
_SELECTING = ("-k", "-m", "--deselect", "--ignore", "--pyargs")
#: Beginnings of arguments that select by what happened in earlier runs.
_BY_THE_PAST = ("--lf", "--last-failed", "--sw", "--stepwise")


class Replay:
    """Turns the collection of today into a lane of an old run."""

    def __init__(self, screen: Screen, run: Run, target: Target) -> None:
        self.screen = screen
        self.run = run
        self.target = target
        self.lane = pick_lane(run, target.lane)
        self.cut = cut(self.lane, target.until)
        self._known = {*run.collected, *(node_id for lane in run.order.lanes for node_id in lane.node_ids)}
        self._comparison: Comparison | None = None
        self._follower: pytest.Item | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """Have the last word on which tests run in which order."""
        collected = list(items)
        result = yield
        if self.screen.problems.errors:
            return result
        by_id = {self._name_then(item): item for item in collected}
        selected = [self._name_then(item) for item in items] if self._selects_alike(config) else []
        self._comparison = compare(self.run, self.cut, list(by_id), selected)
        chosen = [by_id[node_id] for node_id in self._comparison.plan.lanes[0].node_ids]
        self._follower = self._next_of(by_id)
        running, still_there = set(map(id, chosen)), set(map(id, items))
        left_out = [item for item in collected if id(item) not in running and id(item) in still_there]
        items[:] = chosen
        if left_out:
            config.hook.pytest_deselected(items=left_out)
        return result

    def _name_then(self, item: pytest.Item) -> str:
        """The node id that the old run knew: under ``--dist loadgroup`` pytest-xdist appends the group to it."""
        group = group_name(groups_of(item.iter_markers()))
        grouped = f"{item.nodeid}@{group}"
        return grouped if group is not None and grouped in self._known else item.nodeid

    def _selects_alike(self, config: pytest.Config) -> bool:
        """Whether today's arguments select as those of the old run did: only then is a test unknown to it a new one."""
        if self.run.header.is_part:
            # It knew the tests of the other shards, and says nothing of them.
            return False
        then = selecting(self.run.header.argv, self.screen.settings.root / self.run.header.cwd)
        now = selecting(config.invocation_params.args, config.invocation_params.dir)
        return now is not None and then == now

    def _next_of(self, by_id: dict[str, pytest.Item]) -> pytest.Item | None:
        """The test that came after a cut lane's last one: what is torn down with the last depends on it."""
        rest = self.lane.node_ids[len(self.cut.node_ids) :]
        return next((by_id[node_id] for node_id in rest if node_id in by_id), None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Pytest's own loop, but the last test of a cut lane tears down what it tore down then, no more."""
        if self._follower is None or not session.items or session.config.option.collectonly:
            return None
        followers = [*session.items[1:], self._follower]
        for item, nextitem in zip(session.items, followers, strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        return True

    def pytest_report_collectionfinish(self) -> list[str]:
        """What the old run knew and today's collection does not, and the other way round."""
        found = self._comparison
        if found is None:
            return []
        lines = [f"toxscreen: replaying {_counted(found.plan.lanes[0].node_ids)} of lane {self.lane.name}"]
        if found.gone:
            lines.append(f"toxscreen: gone since that run: {_named(found.gone)}")
        if found.new:
            lines.append(f"toxscreen: new since that run, left out: {_named(found.new)}")
        return lines


def selecting(arguments: Sequence[str | Path], folder: Path) -> tuple[str, ...] | None:
    """The part of pytest's arguments that selects tests, as well as it can be told without parsing them.

    Args:
        arguments: of pytest.
        folder: where pytest was started.

    Returns:
        The arguments; None where they name single tests or look at earlier runs, which a replay does not repeat.
    """
    found = []
    given = without_replay([str(argument) for argument in arguments])
    for place, argument in enumerate(given):
        if argument.startswith(_SELECTING):
            found.extend(given[place : place + 2] if argument in _SELECTING else [argument])
        elif argument.startswith(_BY_THE_PAST) or ("::" in argument and not argument.startswith("-")):
            return None
        elif not argument.startswith("-") and _exists(folder / argument):
            found.append(argument)
    return tuple(found)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # An argument that is no path may be too long for one.
        return False


def _counted(node_ids: Sequence[str]) -> str:
    return f"{len(node_ids)} test{'' if len(node_ids) == 1 else 's'}"


def _named(node_ids: Sequence[str]) -> str:
    more = len(node_ids) - _MOST_NAMES
    shown = ", ".join(node_ids[:_MOST_NAMES])
    return f"{_counted(node_ids)} ({shown}{f' and {more} more' if more > 0 else ''})"
