"""Recorded runs with times, for tests of what judges where the time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from recorded import attempt, run

from toxscreen.model import Attempt, FixtureSpan, Lane, LaneSpan, Order, Run

#: When runs of this file begin, in seconds since the epoch: no moment of a run is zero by accident.
BEGUN = 1000.0


def ran(
    lanes: Mapping[str, Sequence[tuple[str, float, float]]],
    *,
    workers: int | None = None,
    lasted: float | None = None,
    more: Mapping[str, Mapping[str, Any]] = {},
    **fields: Any,
) -> Run:
    """A run of which only times are of interest.

    Args:
        lanes: of each lane its tests: node id, when it began in seconds since the run's start, and seconds of its call.
        workers: how many, where that is not the number of lanes.
        lasted: seconds; None: until the last test ended.
        more: other fields of tests, by node id.
        fields: others, of the run or of its header.
    """
    done: list[Attempt] = [
        attempt(
            node_id,
            **{"lane": lane, "place": place, "started": BEGUN + start, "call": seconds, **more.get(node_id, {})},
        )
        for lane, tests in lanes.items()
        for place, (node_id, start, seconds) in enumerate(tests)
    ]
    ended = max((each.started - BEGUN + each.seconds for each in done), default=0.0)
    whole = run(
        "unit",
        done,
        begun=BEGUN,
        lasted=ended if lasted is None else lasted,
        workers=len(lanes) if workers is None else workers,
        **fields,
    )
    order = Order(tuple(Lane(lane, tuple(test[0] for test in tests)) for lane, tests in lanes.items()), 7, "f")
    return replace(whole, order=order)


def life(lane: str, up: float, collected: float | None = None, down: float | None = None) -> LaneSpan:
    """The life of a worker, in seconds since the run's start."""
    ready, gone = (None if each is None else BEGUN + each for each in (collected, down))
    return LaneSpan(lane, BEGUN + up, ready, gone)


def made(
    key: str, node_id: str, start: float, seconds: float, *, lane: str = "gw0", teardown: bool = False
) -> FixtureSpan:
    """A set-up or teardown of a fixture, in seconds since the run's start."""
    return FixtureSpan(lane, key, node_id, BEGUN + start, seconds, teardown)
