"""What set-up and teardown of fixtures take that are wider than a test. Where no test has any, nobody looks."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

import pytest

from toxscreen import host
from toxscreen.model import Event, EventKind
from toxscreen.pytest_plugin.fixtures import key_of

if TYPE_CHECKING:
    from toxscreen.pytest_plugin.observe import Observe

#: Seconds below which nobody cares what a fixture takes.
_WORTH_SAYING: Final = 0.0002


class Stopwatch:
    """Times set-up and teardown of fixtures wider than a test. What others take inside of one is not counted twice."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._elapsed = host.CLOCK.elapsed
        #: Of each that is being set up or torn down, outermost first: seconds of others within it.
        self._within: list[float] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Around the set-up of every fixture."""
        __tracebackhide__ = True
        if request.scope == "function":
            return (yield)
        key = key_of(fixturedef, request)
        if key is None:
            return (yield)
        begun = [self._begin()]
        # Finalizers run last one first: this one ends what the one after the set-up begins.
        fixturedef.addfinalizer(lambda: self._end(key, begun.pop() if begun else None, teardown=True))
        try:
            return (yield)
        finally:
            self._end(key, begun.pop(), teardown=False)
            fixturedef.addfinalizer(lambda: begun.append(self._begin()))

    def _begin(self) -> tuple[int, float]:
        self._within.append(0.0)
        return len(self._within) - 1, self._elapsed()

    def _end(self, key: str, begun: tuple[int, float] | None, *, teardown: bool) -> None:
        if begun is None:
            return
        depth, started = begun
        lasted = self._elapsed() - started
        own = lasted - sum(self._within[depth : depth + 1])
        del self._within[depth:]
        if self._within:
            self._within[-1] += lasted
        if own < _WORTH_SAYING:
            return
        phase, during = self._observe.phase, None
        if teardown:
            # A fixture with parameters is torn down when it is set up with the next one.
            during = "setup" if phase == "setup" else None
        elif phase == "call":
            during = phase
        self._observe.note(
            Event(
                EventKind.FIXTURE,
                host.CLOCK.wall(),
                self._observe.lane,
                self._observe.running,
                setup=None if teardown else own,
                teardown=own if teardown else None,
                fixture=key,
                during=during,
            )
        )
