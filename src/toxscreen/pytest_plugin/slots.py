"""Slots for tests, where somebody hands them out: waited for before anything of a test is measured or limited."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

import pytest

from toxscreen import host
from toxscreen.plan.slots import Kind
from toxscreen.probes.calls import exempt
from toxscreen.pytest_plugin.screen import (
    ITEM_KEY,
    QUEUED_KEY,
    XDIST_SLOTS_KEY,
    Screen,
    is_distributed,
    tx_count,
    worker_input,
)
from toxscreen.slots.address import Address
from toxscreen.slots.client import Client

#: Seconds since it was taken for which a slot is kept from one test to the next: asking takes longer than many tests.
_KEPT: Final = 0.05
#: Seconds of waiting for a slot that are worth a word.
_QUEUED: Final = 0.001
#: Seconds between two reports of how far a run is.
_TOLD: Final = 0.25
_CLIENT_KEY = pytest.StashKey[Client]()


def client_of(config: pytest.Config, slots: tuple[str, str] | None) -> Client | None:
    """This process's connection, made when it is asked for first; None where nobody hands out slots."""
    known = config.stash.get(_CLIENT_KEY, None)
    if known is None and slots is not None:
        try:
            known = config.stash[_CLIENT_KEY] = Client(Address.parse(slots[0]), slots[1], exempt)
        except ValueError:
            return None
        config.add_cleanup(known.close)
    return known


class Slotted:
    """Takes a slot for each test, in the process that runs them.

    Args:
        config: pytest's.
        screen: the run.
        find: says where slots are handed out, when the first test is about to run; what the run knows when left out.
    """

    def __init__(
        self, config: pytest.Config, screen: Screen, find: Callable[[], tuple[str, str] | None] | None = None
    ) -> None:
        self.config = config
        self.screen = screen
        self._find = find or (lambda: screen.slots)
        #: Otherwise it waits for nobody but this very run.
        self._is_shared = find is None
        self._client: Client | None = None
        self._is_found = False
        self._held: Kind | None = None
        self._taken = 0.0
        self._worker = _interactor(config) if worker_input(config) is not None else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Outside of everything that measures or limits the test."""
        self._begin(item)
        try:
            return (yield)
        finally:
            self._end(nextitem)

    def _begin(self, item: pytest.Item) -> None:
        if not self._is_found:
            self._is_found = True
            self._client = client_of(self.config, self._find())
        info = item.stash.get(ITEM_KEY, None)
        kind = Kind.ALONE if info is not None and info.alone else Kind.SLOT
        client = self._client
        if client is None or self._held is kind:
            return
        if self._held is not None:
            self._held = None
            client.give_back()
        asked = host.CLOCK.elapsed()
        if client.acquire(kind, self._gone, keeps=_keeps(item)):
            self._held = kind
            self._taken = host.CLOCK.elapsed()
            if client.shares:
                self.screen.problems.warn("slots-shared", f"{item.nodeid} and others ran side by side")
            if self._is_shared and self._taken - asked >= _QUEUED:
                item.stash[QUEUED_KEY] = self._taken - asked
        elif client.problem is None:
            pytest.exit("the run is over: its controller is gone", returncode=pytest.ExitCode.INTERRUPTED)
        else:
            self._client = None
            self.screen.problems.warn(
                "slots-lost", "the tests went on without slots: whoever handed them out, tox say, is gone"
            )

    def _end(self, nextitem: pytest.Item | None) -> None:
        if self._held is None or self._client is None:
            return
        if (
            self._held is Kind.SLOT
            and nextitem is not None
            and host.CLOCK.elapsed() - self._taken < _KEPT
            and self._goes_on()
        ):
            return
        self._held = None
        if nextitem is None:
            # Before somebody is alone: the environment's own slot is taken back without waiting.
            self._client.leave()
        else:
            self._client.give_back()

    def _goes_on(self) -> bool:
        """Whether the next test begins at once: a worker that has to wait for its controller must not hold a slot."""
        if worker_input(self.config) is None:
            return True
        lock = getattr(getattr(self._worker, "torun", None), "lock", None)
        if lock is None:
            return False
        # A worker runs a test when it knows the one after it.
        with lock() as items:
            return bool(items)

    def _gone(self) -> bool:
        """Whether a worker's controller is gone, so that nobody waits for its tests."""
        channel = getattr(self._worker, "channel", None)
        if channel is None:
            return False
        try:
            channel.waitclose(timeout=0)
        except channel.TimeoutError:
            return False
        except Exception:  # noqa: BLE001 - the other side ended with an error, and so is gone
            return True
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """No more tests: what follows is not counted by test."""
        self._held = None
        if self._client is not None:
            self._client.leave()


def _keeps(item: pytest.Item) -> bool:
    """Whether a fixture is up from the tests before, for which others may wait: one that holds a lock, say."""
    state = getattr(item.session, "_setupstate", None)
    # The first finalizer of a collector is its own.
    return any(len(finalizers) > 1 for finalizers, *_ in getattr(state, "stack", {}).values())


def _interactor(config: pytest.Config) -> Any:
    """The plugin of pytest-xdist through which a worker speaks with its controller."""
    plugins = config.pluginmanager.get_plugins()
    return next((plugin for plugin in plugins if hasattr(plugin, "torun") and hasattr(plugin, "channel")), None)


class Budgeted:
    """Tells tox how far the run is, and asks for the machine where the category wants it; in the process that leads."""

    def __init__(self, config: pytest.Config, screen: Screen) -> None:
        self.config = config
        self.screen = screen
        self._client = client_of(config, screen.slots)
        self._alone = screen.policy is not None and screen.policy.alone
        self._counts = {
            "done": 0,
            "failed": 0,
            "total": 0,
            "workers": tx_count(config) if is_distributed(config) else 1,
        }
        self._failed: set[str] = set()
        self._told = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Before the run begins: it has the machine alone, and did not wait for it."""
        if self._alone and self._client is not None and not self._client.acquire(Kind.ALONE):
            self.screen.problems.warn(
                "slots-lost", "the run did not have the machine to itself: whoever hands it out, tox say, is gone"
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Workers on this machine ask for themselves, unless the run as a whole has the machine."""
        if not self._alone and self.screen.slots is not None and node.gateway.spec.popen:
            node.workerinput[XDIST_SLOTS_KEY] = list(self.screen.slots)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without workers, this process has collected."""
        if not is_distributed(self.config):
            self._counts["total"] = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Every worker collects the same."""
        self._counts["total"] = len(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count tests that are over, and those that are red."""
        if report.failed:
            self._failed.add(report.nodeid)
        if report.when == "teardown":
            self._counts["done"] += 1
        now = host.CLOCK.elapsed()
        if now - self._told >= _TOLD:
            self._told = now
            self._tell()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """The last word; what follows the tests is not counted as one of them."""
        self._tell()
        if self._client is not None:
            self._client.leave()

    def _tell(self) -> None:
        if self._client is not None:
            self._client.count(self._counts | {"failed": len(self._failed)})
