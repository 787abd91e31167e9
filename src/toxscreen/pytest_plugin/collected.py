"""When a process has collected: what it says of the tests, and what is to be looked at while they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toxscreen import host
from toxscreen.journal.cases import write_cases
from toxscreen.model import Event, EventKind
from toxscreen.pytest_plugin.fixtures import telling_cases

if TYPE_CHECKING:
    from toxscreen.pytest_plugin.observe import Observe


class Collected:
    """Says what this process collected, and has wide fixtures timed where there are some."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Before pytest-xdist tells the process that hands out the tests: that one looks at the cases."""
        cases = telling_cases(session.items)
        screen = self._observe.screen
        if cases and screen.pulses is not None:
            try:
                write_cases(screen.pulses, cases)
            except OSError as error:
                told = f"what is known of the tests is not recorded: {error.strerror}"
                screen.problems.warn("journal-unwritable", told)
        self._observe.note(Event(EventKind.COLLECTED, host.CLOCK.wall(), self._observe.lane))
        if any(case.fixtures for case in cases):
            from toxscreen.pytest_plugin.timing import Stopwatch

            session.config.pluginmanager.register(Stopwatch(self._observe), "toxscreen-stopwatch")
