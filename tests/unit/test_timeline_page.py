"""What is told of where the time of a run went: sentences, tables, data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from timelines import life, ran

from toxscreen.cli import timeline_page
from toxscreen.cli.timeline_page import data, page, words
from toxscreen.model import Page, Run, RunState, Table
from toxscreen.plan.bounds import bounds
from toxscreen.plan.timeline import timeline

FILES = {"trace": "out/timeline.json", "picture": "out/timeline.svg"}
#: One test of ten seconds on one worker, three of one second on the other.
RUN = ran(
    {
        "gw0": [("a.py::test_long", 2.0, 10.0)],
        "gw1": [(f"b.py::test_{number}", 2.0 + number, 1.0) for number in range(3)],
    },
    more={
        "a.py::test_long": {"cpu": 0.5, "slept": 9.0, "children": 0.25},
        "b.py::test_0": {"cpu": 0.75},
    },
    spans=(life("gw0", 0.5, 2.0), life("gw1", 0.5, 1.5)),
    lasted=12.5,
)


def told(run: Run) -> tuple[str, ...]:
    line = timeline(run)
    return words(run, line, bounds(line))


def shown(run: Run) -> Page:
    line = timeline(run)
    return page(run, line, bounds(line), FILES)


def test_a_run_is_told_whole() -> None:
    found = shown(RUN)
    assert found.title == f"where the time of run {RUN.id} went"
    assert found.notes == (
        "lasted 12.5 s",
        "4 tests on 2 workers took 10.0 s, 1.00 times the ideal of 10.0 s",
        "what the run would be shorter without, each by itself:",
        "1. sleeping, 7.00 s (56.0 %): tests sleep for 9.00 s altogether: a.py::test_long (9.00 s)",
        "   wait for the thing itself, not for a time",
        "2. long-test, 3.50 s (28.0 %): a.py::test_long (10.0 s) takes more than an even share of the work (6.50 s)",
        "   split it, or make it faster",
        (
            "3. collection, 1.50 s (12.0 %): 1.50 s pass from the start of the workers to the first test;"
            " gw0 collected for 1.50 s"
        ),
        "   every worker imports all test files: look for imports and parameters that take long, or name fewer paths",
        "one more worker would save 0.00 s: the longest piece of work takes 10.0 s",
    )
    assert found.tables == (
        Table(
            ("Lane", "Tests", "Busy s", "Busy", "Before tests", "Idle", "After"),
            (
                ("gw0", "1", "10.00", "80.0 %", "16.0 %", "0.0 %", "4.0 %"),
                ("gw1", "3", "3.00", "24.0 %", "12.0 %", "60.0 %", "4.0 %"),
            ),
            "Lanes",
        ),
        Table(
            ("Test", "Lane", "Seconds", "CPU", "Slept", "Other programs", "Waited", "Did"),
            (
                ("a.py::test_long", "gw0", "10.000", "0.500", "9.000", "0.250", "0.250", "slept 9.0 s"),
                ("b.py::test_0", "gw1", "1.000", "0.750", "-", "-", "0.250", "computed"),
                ("b.py::test_1", "gw1", "1.000", "-", "-", "-", "-", "-"),
                ("b.py::test_2", "gw1", "1.000", "-", "-", "-", "-", "-"),
            ),
            "Slow tests",
        ),
    )
    assert found.closing == (
        "picture: out/timeline.svg",
        "trace: out/timeline.json (open it in https://ui.perfetto.dev)",
    )


def test_a_run_that_is_as_short_as_can_be() -> None:
    run = ran({"gw0": [("a.py::a", 0.0, 5.0)], "gw1": [("b.py::b", 0.0, 5.0)]})
    assert told(run) == (
        "lasted 5.00 s",
        "2 tests on 2 workers took 5.00 s, 1.00 times the ideal of 5.00 s",
        "nothing stands out: the run is within 5 % of the ideal",
        "one more worker would save 0.00 s: the longest piece of work takes 5.00 s",
    )


def test_many_small_things_do_not_stand_out() -> None:
    run = ran({"main": [("a.py::a", 4.0, 92.0)]}, workers=0, lasted=100.0, spans=(life("main", 2.0, 4.0),))
    assert told(run)[:3] == (
        "lasted 100.0 s",
        "1 test on 1 worker took 92.0 s, 1.00 times the ideal of 92.0 s",
        "nothing stands out: no one thing costs 5 % of the run",
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.RUNNING, "lasted 12.0 s up to now: it is still running"),
        (RunState.DIED, "lasted 12.0 s as far as is known: it has no end"),
    ],
)
def test_a_run_without_an_end(state: RunState, words: str) -> None:
    assert told(replace(RUN, finished=None, state=state))[0] == words


def test_a_run_without_tests() -> None:
    found = shown(ran({}, lasted=1.0))
    assert found.notes == ("lasted 1.00 s", "no test ran, so nothing can be said of what bounds it")
    assert found.tables == ()


def test_tests_that_took_no_time_have_no_ideal() -> None:
    assert told(ran({"main": [("a", 0.0, 0.0)]}, workers=0))[1] == "1 test on 1 worker took 0.00 s"


@pytest.mark.parametrize(
    ("host", "cores"), [({"cores": "2"}, 2), ({}, None), ({"cores": "many"}, None), ({"cores": "0"}, None)]
)
def test_the_cores_are_those_that_the_record_names(host: dict[str, str], cores: int | None) -> None:
    assert timeline_page._cores(replace(RUN, header=replace(RUN.header, host=host))) == cores


def test_data_is_everything_and_survives_json() -> None:
    line = timeline(RUN)
    found = json.loads(json.dumps(data(RUN, line, bounds(line), FILES)))
    assert {key: value for key, value in found.items() if key not in {"bounds", "words", "slow_tests"}} == {
        "run": RUN.id,
        "seconds": 12.5,
        "first_test": 2.0,
        "last_test": 12.0,
        "workers": 2,
        "ideal": 10.0,
        "one_more_worker": {
            "gain": 0.0,
            "words": "one more worker would save 0.00 s: the longest piece of work takes 10.0 s",
        },
        "lanes": [
            {"name": "gw0", "tests": 1, "busy": 10.0, "before_tests": 2.0, "idle": 0.0, "after": 0.5},
            {"name": "gw1", "tests": 3, "busy": 3.0, "before_tests": 1.5, "idle": 7.5, "after": 0.5},
        ],
        "files": FILES,
    }
    assert found["words"] == list(told(RUN))
    assert [(each["kind"], each["gain"], each["worth_saying"]) for each in found["bounds"]] == [
        ("sleeping", 7.0, True),
        ("long-test", 3.5, True),
        ("collection", 1.5, True),
        ("start-up", 0.5, False),
        ("session-end", 0.5, False),
    ]
    assert found["bounds"][1] == {
        "kind": "long-test",
        "words": "a.py::test_long (10.0 s) takes more than an even share of the work (6.50 s)",
        "remedy": "split it, or make it faster",
        "gain": 3.5,
        "evidence": {
            "tests": {"a.py::test_long": 10.0},
            "even_share_seconds": 6.5,
            "gain_of_longest_alone": 3.5,
        },
        "worth_saying": True,
    }
    assert found["slow_tests"][0] == {
        "node_id": "a.py::test_long",
        "lane": "gw0",
        "seconds": 10.0,
        "spent": {"cpu": 0.5, "slept": 9.0, "children": 0.25, "waited": 0.25},
        "did": "slept 9.0 s",
    }
    assert [each["spent"] for each in found["slow_tests"]][1:] == [
        {"cpu": 0.75, "slept": None, "children": None, "waited": 0.25},
        None,
        None,
    ]
