"""``@pytest.mark.needs``: what a test needs is up before its time begins, and stopped when the run ends."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import pytest

from toxscreen import host
from toxscreen.guard import stop
from toxscreen.guard.keeper import Keeper, Standing, State
from toxscreen.model import Service
from toxscreen.probes.calls import exempt
from toxscreen.pytest_plugin.screen import ITEM_KEY, Screen


class Services:
    """Sees to it that what a test needs is up before its time begins; in the process that runs the tests."""

    def __init__(self, config: pytest.Config, screen: Screen) -> None:
        self.screen = screen
        self._dry = bool(config.getoption("setupplan", default=False))
        self._ci = host.is_ci()
        self._known: dict[str, Standing] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Outside of everything that measures or limits the test."""
        needed = _needs(item)
        if needed and not self._dry and not is_skipped(item.iter_markers()):
            with exempt():
                self._prepare(needed)
        return (yield)

    def _prepare(self, needed: Sequence[str]) -> None:
        for name in needed:
            if name not in self._known:
                self._known[name] = self._ensure(self.screen.settings.services[name])
            if self._known[name].state is not State.UP:
                return

    def _ensure(self, service: Service) -> Standing:
        if self.screen.pulses is None:
            return Standing(service.name, State.UNAVAILABLE, "the run has no folder")
        return Keeper(service, self.screen.pulses, self.screen.settings.root).ensure()

    def _missing(self, item: pytest.Item) -> Standing | None:
        known = (self._known.get(name) for name in _needs(item))
        return next((standing for standing in known if standing and standing.state is not State.UP), None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before any fixture: skip a test whose service is not there, or fail it in continuous integration."""
        __tracebackhide__ = True
        missing = self._missing(item)
        if missing is None or is_skipped(item.iter_markers()):
            return
        if self._ci:
            pytest.fail(missing.error().render(), pytrace=False)
        pytest.skip(missing.told())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A missing service is no expected failure of the test."""
        report = yield
        if call.when == "setup" and hasattr(report, "wasxfail") and self._ci and self._missing(item) is not None:
            report.outcome = "failed"
            del report.wasxfail
        return report


def _needs(item: pytest.Item) -> tuple[str, ...]:
    info = item.stash.get(ITEM_KEY, None)
    return info.needs if info is not None else ()


def is_skipped(marks: Iterator[pytest.Mark]) -> bool:
    """Whether markers alone say that a test will be skipped; a condition given as a text is not looked at."""
    for mark in marks:
        if mark.name == "skip":
            return True
        if mark.name == "skipif":
            conditions: tuple[Any, ...] = (mark.kwargs["condition"],) if "condition" in mark.kwargs else mark.args
            if any(condition for condition in conditions if not isinstance(condition, str)):
                return True
    return False


class StopServices:
    """Stops what the run has started; in the process that leads it, when no worker is left."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """After the workers are gone and every fixture is torn down, before the summary is written."""
        for text in self._stop():
            self.screen.problems.warn("service-not-stopped", text)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """Once more, for a session that could not finish; before the guard is dismissed."""
        self._stop()

    def _stop(self) -> list[str]:
        if self.screen.pulses is None:
            return []
        with exempt():
            return stop.stop_services(self.screen.pulses)
