"""The Chrome trace: shape, names, and that events of one thread lie in each other as Perfetto wants it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from timelines import life, made, ran

from toxscreen.model import Outcome, Run
from toxscreen.plan.timeline import timeline
from toxscreen.report.trace import render

KEYS = {"name", "cat", "ph", "ts", "dur", "pid", "tid"}


def trace(run: Run) -> dict[str, Any]:
    found = json.loads(render(timeline(run)))
    assert isinstance(found, dict)
    return found


def check(found: dict[str, Any]) -> None:
    """What the format demands, and that complete events of a thread nest."""
    assert set(found) == {"displayTimeUnit", "otherData", "traceEvents"}
    named = {event["tid"] for event in found["traceEvents"] if event["name"] == "thread_name"}
    ends: dict[int, list[int]] = defaultdict(list)
    for event in found["traceEvents"]:
        if event["ph"] == "M":
            assert set(event) == {"name", "ph", "ts", "pid", "tid", "args"}
            continue
        assert event["ph"] == "X"
        assert KEYS <= set(event) <= KEYS | {"cname", "args"}
        assert (type(event["ts"]), type(event["dur"])) == (int, int)
        assert event["ts"] >= 0
        assert event["dur"] >= 0
        assert event["tid"] in named
        # Events come in the order in which they begin, outer ones first.
        around = ends[event["tid"]]
        while around and around[-1] <= event["ts"]:
            around.pop()
        assert not around or event["ts"] + event["dur"] <= around[-1]
        around.append(event["ts"] + event["dur"])


def test_a_run_as_a_trace() -> None:
    run = ran(
        {"gw0": [("t.py::a[ü]", 1.0, 2.0)], "gw1": [("t.py::b", 1.0, 0.5)]},
        more={
            "t.py::a[ü]": {"setup": 1.0, "teardown": 0.25, "cpu": 0.5, "slept": 1.5, "children": 0.0},
            "t.py::b": {"outcome": Outcome.FAILED},
        },
        fixtures=(made("|db", "t.py::a[ü]", 1.0, 0.75),),
        spans=(life("gw0", 0.5, 1.0),),
        lasted=5.0,
    )
    found = trace(run)
    check(found)
    assert found["otherData"] == {"run": run.id, "seconds": 5.0, "workers": 2}
    assert [(event["name"], event["tid"], event["args"]) for event in found["traceEvents"] if event["ph"] == "M"] == [
        ("process_name", 0, {"name": f"run {run.id}"}),
        ("thread_name", 1, {"name": "gw0"}),
        ("thread_sort_index", 1, {"sort_index": 1}),
        ("thread_name", 2, {"name": "gw1"}),
        ("thread_sort_index", 2, {"sort_index": 2}),
    ]
    assert [
        (event["tid"], event["cat"], event["name"], event["ts"], event["dur"], event.get("cname"))
        for event in found["traceEvents"]
        if event["ph"] == "X"
    ] == [
        (1, "starting", "starting", 0, 500_000, "startup"),
        (1, "collecting", "collecting", 500_000, 500_000, "thread_state_runnable"),
        (1, "test", "a[ü]", 1_000_000, 3_250_000, "good"),
        (1, "setup", "setup", 1_000_000, 1_000_000, None),
        (1, "fixture", "|db", 1_000_000, 750_000, "thread_state_iowait"),
        (1, "call", "call", 2_000_000, 2_000_000, None),
        (1, "teardown", "teardown", 4_000_000, 250_000, None),
        (1, "after", "after", 4_250_000, 750_000, "grey"),
        (2, "starting", "starting", 0, 1_000_000, "startup"),
        (2, "test", "b", 1_000_000, 500_000, "terrible"),
        (2, "call", "call", 1_000_000, 500_000, None),
        (2, "idle", "idle", 1_500_000, 2_750_000, "thread_state_sleeping"),
        (2, "after", "after", 4_250_000, 750_000, "grey"),
    ]
    assert [event["args"] for event in found["traceEvents"] if event.get("cat") == "test"] == [
        {
            "node_id": "t.py::a[ü]",
            "outcome": "passed",
            "setup_seconds": 1.0,
            "call_seconds": 2.0,
            "teardown_seconds": 0.25,
            "cpu_seconds": 0.5,
            "slept_seconds": 1.5,
            "children_seconds": 0.0,
        },
        {
            "node_id": "t.py::b",
            "outcome": "failed",
            "setup_seconds": 0.0,
            "call_seconds": 0.5,
            "teardown_seconds": 0.0,
        },
    ]


def test_short_phases_and_pauses_get_no_events_of_their_own() -> None:
    run = ran(
        {"main": [("a", 0.0, 0.0005), ("b", 0.001, 0.002)]},
        workers=0,
        more={"b": {"setup": 0.0005, "outcome": Outcome.SKIPPED}},
        fixtures=(made("|db", "b", 0.001, 0.0004, lane="main"),),
    )
    assert [
        (event["name"], event["cat"], event.get("cname")) for event in trace(run)["traceEvents"] if event["ph"] == "X"
    ] == [
        ("a", "test", "good"),
        ("b", "test", "bad"),
        ("setup", "setup", None),
        ("|db", "fixture", "thread_state_iowait"),
        ("call", "call", None),
    ]


def test_a_trace_of_nothing() -> None:
    found = trace(ran({}, finished=None))
    check(found)
    assert [event["name"] for event in found["traceEvents"]] == ["process_name"]


def test_names_that_no_file_can_hold_are_escaped() -> None:
    text = render(timeline(ran({"main": [("a\ud800\x1b", 0.0, 1.0)]}, workers=0)))
    assert text.isascii()
    assert "a\\\\ud800\\\\x1b" in text


parts = st.floats(0.0, 2.0) | st.floats(0.0, 0.00001)


@given(
    tests=st.lists(st.tuples(parts, parts, parts, parts), max_size=8),
    fixtures=st.lists(st.tuples(st.integers(0, 7), parts, parts, st.booleans()), max_size=8),
)
def test_events_of_one_thread_always_lie_in_each_other(
    tests: list[tuple[float, float, float, float]], fixtures: list[tuple[int, float, float, bool]]
) -> None:
    now, placed, more = 0.0, [], {}
    for number, (gap, setup, call, teardown) in enumerate(tests):
        now += gap
        placed.append((f"t.py::{number}", now, call))
        more[f"t.py::{number}"] = {"setup": setup, "teardown": teardown}
        now += setup + call + teardown
    spans = tuple(
        made(f"|f{number}", f"t.py::{number}", placed[number][1] + begun, seconds, teardown=teardown)
        for number, begun, seconds, teardown in fixtures
        if number < len(placed)
    )
    check(trace(ran({"gw0": placed}, more=more, fixtures=spans)))
