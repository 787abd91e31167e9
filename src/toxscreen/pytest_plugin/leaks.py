"""Process state between tests: who left it changed, and what the category's policy says to that."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from toxscreen.model import Leak
from toxscreen.plan.leakage import Ledger
from toxscreen.probes import process_state
from toxscreen.pytest_plugin.screen import ITEM_KEY


class Leaks:
    """Looks at process state after each test, and around each fixture that outlives a test."""

    def __init__(self) -> None:
        self._ledger: Ledger | None = None
        #: What the running test, or a fixture torn down in it, left.
        self.found: list[Leak] = []

    def begin(self) -> None:
        """A test starts; the first one sets the baseline."""
        if self._ledger is None:
            self._ledger = Ledger(process_state.changed, process_state.look())
        if self.found:
            self.found = []

    def end(self, item: pytest.Item) -> None:
        """A test was torn down.

        Raises:
            pytest.fail.Exception: it left state changed, and its category forbids that.
        """
        __tracebackhide__ = True
        ledger = self._ledger
        if ledger is None:
            return
        if not ledger.owned and not self.found and process_state.unchanged(ledger.expected):
            return
        now = process_state.look()
        self.found.extend(process_state.leaks(ledger.test_done(now), item.nodeid))
        info = item.stash.get(ITEM_KEY, None)
        rule = info.policy.leaks if info else "off"
        if rule == "off":
            self.found = []
        elif rule == "fail" and self.found:
            raise pytest.fail.Exception(told(item.nodeid, self.found), pytrace=False)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Note what a fixture that outlives the test changes: it is expected to undo it."""
        if fixturedef.scope == "function" or self._ledger is None:
            return (yield)
        before = process_state.look()
        try:
            return (yield)
        finally:
            self._ledger.fixture_up(_name(fixturedef), before, process_state.look())

    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """A fixture was torn down: what it changed has to be undone by now."""
        if fixturedef.scope != "function" and self._ledger is not None and self._ledger.owned:
            left = self._ledger.fixture_down(_name(fixturedef), process_state.look())
            self.found.extend(process_state.leaks(left, _name(fixturedef)))


def _name(fixture: pytest.FixtureDef[Any]) -> str:
    return f"fixture {fixture.argname} (scope {fixture.scope}, {fixture.baseid or 'a plugin'})"


def told(node_id: str, leaks: list[Leak]) -> str:
    """The message for a test that left process state changed."""
    lines = [f"{node_id} left process state changed for the tests after it:"]
    for leak in leaks:
        by = "" if leak.blamed == node_id else f" (by {leak.blamed})"
        lines.append(f"  {leak}{by}")
    lines.append(
        "Undo it with monkeypatch, tmp_path or a fixture that restores; `leaks` of the category says what happens."
    )
    return "\n".join(lines)
