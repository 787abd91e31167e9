"""A scheduler for pytest-xdist: its side of plan/balance.py. It decides nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.report import report_collection_diff
from xdist.workermanage import WorkerController

from toxscreen import host
from toxscreen.journal.cases import read_cases
from toxscreen.model import Case, Estimate, History
from toxscreen.plan.balance import Balancer
from toxscreen.plan.estimate import estimates
from toxscreen.plan.lanes import Command, Send, Steal
from toxscreen.plan.units import units_of
from toxscreen.pytest_plugin.screen import tx_count


class BalancedScheduling:
    """What pytest-xdist asks of a scheduler, see xdist/scheduler/protocol.py; its DSession calls all of it.

    It is told how long tests took, but not what of that was waiting for a free core: it does not listen.
    """

    def __init__(self, config: pytest.Config, log: Producer, folder: Path | None, history: History) -> None:
        """Prepare to deal out tests.

        Args:
            config: of the process that leads.
            log: for what only ``--debug`` shows.
            folder: where workers wrote what they know of tests; None: nowhere.
            history: what is remembered of earlier runs.
        """
        self.config = config
        self.log = log.balance
        self._folder = folder
        self._history = history
        self._expected = tx_count(config)
        self._nodes: dict[str, WorkerController] = {}
        #: Those of them to which tests are dealt.
        self._joined: set[str] = set()
        #: Those that came late and collected something else.
        self._refused: set[str] = set()
        #: What each worker collected, also those that are gone.
        self._collections: dict[str, Sequence[str]] = {}
        self._collection: Sequence[str] = ()
        #: Begins when all workers have collected the same.
        self._balancer: Balancer | None = None
        self._now = host.CLOCK.elapsed

    @property
    def nodes(self) -> list[WorkerController]:
        """The workers that are there."""
        return list(self._nodes.values())

    @property
    def collection_is_completed(self) -> bool:
        """Whether as many workers as were asked for have collected."""
        return len(self._collections) >= self._expected

    @property
    def tests_finished(self) -> bool:
        """Whether all workers may be shut down: each runs the test that it still has, if any."""
        if self._refused and not self._nodes.keys() - self._refused:
            # Nobody is left for what is not yet run, and that was told.
            return True
        return self.collection_is_completed and (self._balancer is None or self._balancer.is_finished)

    @property
    def has_pending(self) -> bool:
        """Whether tests are left to run."""
        return self._balancer is not None and self._balancer.has_pending

    def add_node(self, node: WorkerController) -> None:
        """A worker is up, and about to collect."""
        self._nodes[node.gateway.id] = node

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """A worker has collected. One that comes late, for another that died, has to have collected the same."""
        if self._balancer is not None:
            told = report_collection_diff(self._collection, collection, next(iter(self._collections)), node.gateway.id)
            if told is not None:
                self._report(node.gateway.id, told)
                self._refused.add(node.gateway.id)
                node.shutdown()
                return
        self._collections[node.gateway.id] = list(collection)

    def schedule(self) -> None:
        """All have collected, or one that came late has: begin to deal out, or go on."""
        if self._balancer is None and not self._begin():
            return
        for name in self._nodes.keys() - self._joined:
            if name in self._collections and self._balancer is not None:
                self._joined.add(name)
                self._balancer.join(name)
        self._act()

    def _begin(self) -> bool:
        (first, self._collection), *others = self._collections.items()
        differences = [
            (name, told)
            for name, collection in others
            if (told := report_collection_diff(self._collection, collection, first, name)) is not None
        ]
        for name, told in differences:
            self._report(name, told)
        if differences:
            self.log("**Different tests collected, aborting run**")
            return False
        cases = self._cases()
        expected = estimates(cases, self._history)
        self._balancer = Balancer(units_of(cases, expected, self._history.fixtures, len(self._nodes) or 1))
        self._tell(expected)
        return True

    def _cases(self) -> list[Case]:
        if self._folder is not None:
            return read_cases(self._folder, self._collection)
        return [Case(node_id, node_id.partition("::")[0]) for node_id in self._collection]

    def _report(self, name: str, told: str) -> None:
        """As pytest-xdist's own schedulers do."""
        self.log(told)
        report = pytest.CollectReport(nodeid=name, outcome="failed", longrepr=told, result=[])
        self.config.hook.pytest_collectreport(report=report)

    def _tell(self, expected: Sequence[Estimate]) -> None:
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and self.config.option.verbose >= 0 and expected:
            known = sum(each.known for each in expected)
            how = "balanced by the durations that are known of" if known else "no duration is known of any"
            terminal.write_line(f"toxscreen: {how}: {known:,} of {len(expected):,} tests")

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:  # noqa: ARG002
        """A worker has run a test."""
        if self._balancer is not None and (
            self._balancer.done(node.gateway.id, item_index, self._now()) or node.shutting_down
        ):
            self._act()

    def mark_test_pending(self, item: str) -> None:
        """A plugin wants a test to be run again: that of a worker that died."""
        if self._balancer is not None:
            self._balancer.again(self._collection.index(item))
            self._act()

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """A worker answered to "steal", maybe as its last word."""
        if self._balancer is not None and node.gateway.id in self._joined:
            self._balancer.gave_back(node.gateway.id, indices)
            self._act()

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker is gone.

        Returns:
            The test that it ran, if it died.

        Raises:
            KeyError: the worker was never up.
        """
        name = node.gateway.id
        del self._nodes[name]
        if self._balancer is None or name not in self._joined:
            return None
        self._joined.discard(name)
        ran = self._balancer.leave(name)
        self._act()
        return None if ran is None else self._collection[ran]

    def _act(self) -> None:
        """Do what is decided."""
        balancer = self._balancer
        if balancer is None:
            return
        for name in self._joined:
            if self._nodes[name].shutting_down:
                balancer.stopped(name)
        if self._is_over:
            self._recall(balancer)
            return
        unsent = 1
        while unsent:
            # Somebody else gets what could not be sent.
            unsent = sum(not self._is_sent(command) for command in balancer.decide(self._now()))

    def _is_sent(self, command: Command) -> bool:
        """Send what is decided; False: the worker has just died, and tests for it are to be dealt out again."""
        node = self._nodes[command.lane]
        if isinstance(command, Send):
            try:
                node.send_runtest_some(list(command.tests))
            except OSError:
                if self._balancer is not None:
                    self._balancer.stopped(command.lane)
                    self._balancer.gave_back(command.lane, command.tests)
                return False
        elif isinstance(command, Steal):
            with contextlib.suppress(OSError):  # what it had is dealt out again when its end is heard of
                node.send_steal(list(command.tests))
        else:
            node.shutdown()
        return True

    @property
    def _is_over(self) -> bool:
        """Whether the run ends early, as with ``-x``: pytest-xdist lets workers go when they have done all."""
        session = self.config.pluginmanager.get_plugin("dsession")
        return bool(getattr(session, "shouldstop", False))

    def _recall(self, balancer: Balancer) -> None:
        for name in self._joined:
            command = balancer.recall(name)
            if command is not None:
                with contextlib.suppress(OSError):  # it may be gone already
                    self._nodes[name].send_steal(list(command.tests))
