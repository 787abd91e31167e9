"""How many shards an environment needs for a wanted time, and the matrix as CI systems read it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import run

from toxscreen.cli.matrix import _besides
from toxscreen.model import Duration, History, LaneSpan, Outcome, Workload
from toxscreen.plan.matrix import Count, rows, shards_for
from toxscreen.report import pipeline

relaxed = settings(max_examples=50, database=None, deadline=None)


def work(seconds: tuple[float, ...], workers: int = 1, startup: float = 0.0) -> Workload:
    return Workload("unit", seconds, workers, startup, "run R")


@relaxed
@given(
    st.lists(st.floats(0.0, 100.0), min_size=1, max_size=50).map(tuple),
    st.integers(1, 8),
    st.floats(0.0, 60.0),
    st.floats(1.0, 300.0),
)
def test_the_fewest_shards_that_are_done_in_time(
    seconds: tuple[float, ...], workers: int, startup: float, wall: float
) -> None:
    def lasts(shards: int) -> float:
        return startup + max(*seconds, sum(seconds) / workers / shards)

    count = shards_for(work(seconds, workers, startup), wall)
    assert 1 <= count.shards <= len(seconds)
    assert count.seconds == pytest.approx(lasts(count.shards))
    # Another shard would not be in time either, and one less would take longer than this.
    in_time = lasts(count.shards) <= wall + 1e-6
    assert in_time or lasts(count.shards + 1) > wall - 1e-6
    assert count.shards == 1 or lasts(count.shards - 1) > (wall if in_time else lasts(count.shards)) - 1e-6


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (
            work((1.0,) * 600, 2, 10.0),
            Count(2, 160.0, "600 tests take 600.0 s, on 2 workers 300.0 s, and 10.0 s to start (run R)"),
        ),
        (work((1.0,)), Count(1, 1.0, "1 tests take 1.0 s, on 1 worker 1.0 s, and 0.0 s to start (run R)")),
        (
            work((400.0, 100.0)),
            Count(
                2,
                400.0,
                "2 tests take 500.0 s, on 1 worker 500.0 s, and 0.0 s to start (run R); 300 s cannot be had: a machine "
                "needs 400.0 s with its longest test, more do not help",
            ),
        ),
        (
            work((1.0, 1.0), 1, 310.0),
            Count(
                2,
                311.0,
                "2 tests take 2.0 s, on 1 worker 2.0 s, and 310.0 s to start (run R); 300 s cannot be had: a machine "
                "needs 311.0 s to start, more do not help",
            ),
        ),
        (work((0.0, 0.0), 1, 310.0), None),
        (work(()), Count(1, None, "nothing is known of its time: run R")),
    ],
)
def test_how_many_and_why(load: Workload, expected: Count | None) -> None:
    count = shards_for(load, 300.0)
    assert count == expected or (expected is None and count.shards == 1)


def test_with_several_interpreters_tox_is_asked_for_each() -> None:
    both = rows([work((1.0,) * 600)], ("3.11", "3.12"), 300.0)
    assert [(row.python, row.tox, row.shards) for row in both] == [("3.11", "3.11-unit", 2), ("3.12", "3.12-unit", 2)]
    assert [row.tox for row in rows([work(())], ("3.12",), 300.0)] == ["unit"]
    assert [(row.python, row.tox) for row in rows([work(())], (), 300.0)] == [(None, "unit")]


@pytest.mark.parametrize(
    ("name", "python"), [("3.12-unit", "3.12"), ("py311-unit", "3.11"), ("py3.13", "3.13"), ("3.14t-unit", "3.14t")]
)
def test_an_environment_that_names_its_interpreter_is_one_row(name: str, python: str) -> None:
    made = rows([Workload(name, (1.0,), 1, 0.0, "R")], ("3.11", "3.12"), 300.0)
    assert [(row.environment, row.python, row.tox) for row in made] == [(name, python, name)]


@pytest.mark.parametrize("name", ["pyramid", "py3-unit", "4.1-unit", "unit-3.12"])
def test_other_names_name_none(name: str) -> None:
    made = rows([Workload(name, (1.0,), 1, 0.0, "R")], ("3.11", "3.12"), 300.0)
    assert [row.tox for row in made] == [f"3.11-{name}", f"3.12-{name}"]


def test_waiting_for_other_environments_is_no_start_of_a_machine() -> None:
    seconds = History({"a.py::test_a": Duration(0.0, 1.0, 0.0)})
    alone = run("unit", {"a.py::test_a": Outcome.PASSED}, lasted=60.0)
    waited = replace(alone, spans=(LaneSpan("main", 0.0, queued=57.0),))
    assert [_besides(each, seconds) for each in (waited, alone)] == [2.0, 59.0]


def test_github_reads_one_line_with_a_job_for_each_shard() -> None:
    text = pipeline.github(rows([work((1.0,) * 600), Workload("perf", (), 1, 0.0, "R")], ("3.12",), 300.0))
    assert text.count("\n") == 1
    common = {"python": "3.12"}
    assert json.loads(text) == [
        {**common, "name": "unit 1 of 2", "environment": "unit", "tox": "unit", "shard": "1/2"},
        {**common, "name": "unit 2 of 2", "environment": "unit", "tox": "unit", "shard": "2/2"},
        {**common, "name": "perf", "environment": "perf", "tox": "perf", "shard": "1/1"},
    ]
