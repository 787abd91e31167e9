"""Recorded runs for tests of what judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from toxscreen.model import (
    Attempt,
    Header,
    Lane,
    Order,
    Outcome,
    Run,
    RunState,
    Selection,
    State,
)

NOW = State("c0ffee", None, "c0de")
HEADER = Header(
    schema=1,
    run="",
    category="unit",
    started=0.0,
    argv=(),
    cwd=".",
    executable="python",
    seed=7,
    hash_seed="7",
    cwd_importable=True,
    commit=NOW.commit,
    changes=NOW.changes,
    workers=0,
    tools={"python": "3.11.7"},
    configuration=NOW.configuration,
    tree="7ree",
)


def attempt(node_id: str, outcome: Outcome = Outcome.PASSED, **fields: Any) -> Attempt:
    """A test that took a second, unless something else is said."""
    values: dict[str, Any] = {"node_id": node_id, "lane": "main", "place": 0, "started": 0.0, "outcome": outcome}
    return Attempt(**{"call": 1.0, **values, **fields})


def run(
    name: str = "unit",
    outcomes: Mapping[str, Outcome] | Sequence[Attempt] = {"a.py::test_a": Outcome.PASSED},
    *,
    begun: float = 0.0,
    lasted: float = 10.0,
    **fields: Any,
) -> Run:
    """A whole green run of now, unless something else is said.

    Args:
        name: of its category.
        outcomes: of its tests.
        begun: when, in seconds since the epoch.
        lasted: seconds.
        fields: others, of the run or of its header.
    """
    if isinstance(outcomes, Mapping):
        done = [attempt(node_id, outcome, started=begun) for node_id, outcome in outcomes.items()]
    else:
        done = list(outcomes)
    for_header = {key: fields.pop(key) for key in list(fields) if key in Header.__slots__}
    values: dict[str, Any] = {"run": f"{name}-{begun:g}", "category": name, "started": begun}
    header = replace(HEADER, **{**values, **for_header})
    collected = tuple(dict.fromkeys(each.node_id for each in done))
    whole = Run(
        header=header,
        state=RunState.COMPLETE,
        attempts=tuple(each for each in done if each.outcome is not Outcome.NOT_RUN),
        order=Order((Lane("main", collected),), 7, "fingerprint"),
        collected=collected,
        exit_status=int(any(each.outcome.red for each in done)),
        finished=begun + lasted,
        selection=Selection(),
    )
    return replace(whole, **fields)
