"""Process state between tests: who left it changed, and what the category's policy says to that."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from toxscreen.plan.leakage import Differences, Ledger
from toxscreen.probes import process_state
from toxscreen.probes.telling import leaks as as_leaks
from toxscreen.pytest_plugin.screen import ITEM_KEY

if TYPE_CHECKING:
    from toxscreen.model import Leak, LeakRule

#: What a debugger changes when its person says `continue`, and changes back when it stops again.
_OF_DEBUGGERS: Final = frozenset({"signal SIGINT", "sys.gettrace()"})


class Leaks:
    """Looks at process state after each test, and around each fixture that outlives a test."""

    def __init__(self) -> None:
        self._ledger: Ledger | None = None
        self._off = False
        self._debugged = False
        #: Tests, the running one included, whose changes may be those of a person in a debugger.
        self._pardoned = 0
        #: What the running test, or a fixture torn down in it, left.
        self.found: list[Leak] = []

    def begin(self) -> None:
        """A test starts; the first one sets the baseline."""
        if self._ledger is None and not self._off:
            self._ledger = Ledger(self._compare, process_state.look())
        if self.found:
            self.found = []

    def end(self, item: pytest.Item) -> None:
        """A test was torn down.

        Raises:
            pytest.fail.Exception: it left state changed, and its category forbids that.
        """
        __tracebackhide__ = True
        if self.note(item) == "fail" and self.found:
            raise pytest.fail.Exception(told(item.nodeid, self.found), pytrace=False)

    def note(self, item: pytest.Item) -> LeakRule:
        """Note what a test left, so that no later test is blamed for it.

        Returns:
            What its category says to that.
        """
        info = item.stash.get(ITEM_KEY, None)
        rule = info.policy.leaks if info else "off"
        ledger = self._ledger
        if ledger is None:
            return rule
        if self._pardoned:
            self._pardoned -= 1
            ledger.test_done(process_state.look())
            self.found = []
        elif ledger.owned or self.found or not process_state.unchanged(ledger.expected):
            self.found.extend(as_leaks(ledger.test_done(process_state.look()), item.nodeid))
            if rule == "off":
                self.found = []
        return rule

    def _compare(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Differences:
        differences = process_state.changed(before, after)
        if self._debugged:
            return {path: pair for path, pair in differences.items() if path not in _OF_DEBUGGERS}
        return differences

    def pytest_configure(self, config: pytest.Config) -> None:
        """Where a debugger is asked for, nobody looks: it is part of the process state itself."""
        self._off = bool(config.getoption("usepdb", default=False) or config.getoption("trace", default=False))

    def pytest_enter_pdb(self) -> None:
        """What is changed now may be the debugger's doing; a person may step on into the next test."""
        self._debugged = True
        self._pardoned = 2

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Note what a fixture that outlives the test changes: it is expected to undo it."""
        __tracebackhide__ = True
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
            self.found.extend(as_leaks(left, _name(fixturedef)))


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
