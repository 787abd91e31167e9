"""How long things take: what History remembers, what a plan of the time needs, what a run's clock saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Duration(NamedTuple):
    """Seconds that one test takes; what fixtures of a wider scope take is not in them."""

    setup: float
    call: float
    teardown: float

    @property
    def total(self) -> float:
        """Set-up, call and teardown together, in seconds."""
        return self.setup + self.call + self.teardown


class History(NamedTuple):
    """What earlier runs say about time, folded: medians of the last runs."""

    #: Seconds by node id.
    tests: Mapping[str, Duration] = {}
    #: Seconds of set-up and teardown together of fixtures wider than a test, by the key in :attr:`Case.fixtures`.
    fixtures: Mapping[str, float] = {}


class Estimate(NamedTuple):
    """Seconds that a test will take."""

    seconds: float
    #: Whether that is remembered, and no guess.
    known: bool


@dataclass(frozen=True, slots=True)
class FixtureSpan:
    """One set-up or teardown of a fixture that is wider than a test."""

    lane: str
    #: As in :attr:`Case.fixtures`.
    key: str
    #: The test during which it happened.
    node_id: str
    #: Seconds since the epoch.
    started: float
    seconds: float
    #: Whether it is the teardown.
    teardown: bool = False


@dataclass(frozen=True, slots=True)
class LaneSpan:
    """The life of one worker, in seconds since the epoch; None is not known."""

    lane: str
    up: float
    #: When it had collected the tests.
    collected: float | None = None
    #: When its last line was written.
    down: float | None = None
    #: Seconds that its tests waited for slots before they began.
    queued: float = 0.0
