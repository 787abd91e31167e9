"""What is told of a recorded run: pure functions from Run to Page and data."""

from __future__ import annotations

import json

import pytest

from toxscreen.cli.run_page import FEW, data, page, replay_command, share, summary, utc
from toxscreen.model import Attempt, Header, Lane, Leak, Order, Origin, Outcome, Run, RunState, Selection, Table

PROGRAM = ("python", "-m", "toxscreen")
NODE_ID = "tests/unit/test_a.py::test_b[x y]"
HEADER = Header(
    schema=1,
    run="20261122T191401Z-unit-00ff",
    category="unit",
    started=1795374841.5,
    argv=("--category", "unit", "-k", "a or b"),
    cwd="sub",
    executable="/usr/bin/python",
    seed=7,
    hash_seed="8",
    cwd_importable=True,
    commit="abc",
    changes="def",
    workers=2,
    tools={"python": "3.11.7", "pytest": "9.2.0"},
    host={"system": "Linux", "cores": "2"},
    chosen={"workers": "2 (-n)"},
)
PASSED = Attempt("t.py::test_a", "gw0", 0, 1.0, Outcome.PASSED, setup=0.25, call=0.5, teardown=0.25, cpu=0.4)
FAILED = Attempt(
    NODE_ID,
    "gw0",
    1,
    2.0,
    Outcome.FAILED,
    call=1.0,
    origin=Origin("KeyError", "t.py", 12),
    leaks=(
        Leak("os.environ['A']", "absent", "'1'", blamed=NODE_ID),
        Leak("umask", "0o22", "0o77", blamed="fixture mask (scope module, t.py)"),
    ),
    text="KeyError: 'a'",
    touched=("file a.csv", "connection to port 5432"),
    cpu=1.5,
)
CRASHED = Attempt(
    "t.py::test_end", "gw1", 0, 1.5, Outcome.CRASHED, call=2.0, text="it died\n\nFatal Python error\n  stack\n"
)
CUT_OFF = Attempt("t.py::test_late", "gw2", 0, 9.0, Outcome.NOT_RUN, touched=("file a.csv",))
RUN = Run(
    header=HEADER,
    state=RunState.COMPLETE,
    attempts=(PASSED, FAILED, CRASHED, CUT_OFF),
    order=Order(
        (Lane("gw0", (PASSED.node_id, NODE_ID)), Lane("gw1", (CRASHED.node_id,)), Lane("gw2", (CUT_OFF.node_id,))),
        7,
        "fingerprint",
    ),
    collected=(PASSED.node_id, NODE_ID, CRASHED.node_id, CUT_OFF.node_id, "t.py::test_never"),
    exit_status=1,
    finished=1795374846.0,
    selection=Selection(3, {"-k 'a or b'": 2}, ("--ignore old",), 1),
    lost=("gw1: it died\n\nstack",),
    notes=("gw0.jsonl: the last line is torn, its 5 bytes are left out",),
)
GREEN = Run(HEADER, RunState.COMPLETE, (PASSED,), Order((Lane("gw0", (PASSED.node_id,)),), 7, ""), (), 0, 1795374846.0)


def changed(run: Run, **fields: object) -> Run:
    """The run with other fields; those of its header by their names."""
    header = {name: getattr(run.header, name) for name in Header.__slots__}
    own = {name: getattr(run, name) for name in Run.__slots__}
    for name, value in fields.items():
        (header if name in header else own)[name] = value
    return Run(**{**own, "header": Header(**header)})


def test_moments_are_told_in_utc() -> None:
    assert utc(0) == "1970-01-01 00:00:00"


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 0, "0.0 %"),
        (0, 5, "0.0 %"),
        (1, 100_000, "<0.1 %"),
        (1, 3, "33.3 %"),
        (99_999, 100_000, ">99.9 %"),
        (5, 5, "100.0 %"),
    ],
)
def test_shares_do_not_flatter(part: float, whole: float, told: str) -> None:
    assert share(part, whole) == told


def test_a_run_is_told_whole() -> None:
    found = page(RUN, PROGRAM, order=False)
    assert found.title == "run 20261122T191401Z-unit-00ff"
    assert found.notes == (
        "category unit, started 2026-11-22 19:14:01 UTC, lasted 4.50 s",
        "complete, exit status 1",
        "tests: 1 passed, 1 failed, 1 crashed, 2 not-run",
        "seed 7, PYTHONHASHSEED 8",
        "commit abc with uncommitted changes (def)",
        "interpreter /usr/bin/python",
        "python 3.11.7, pytest 9.2.0",
        "host: system Linux, cores 2",
        "pytest was given, in sub: --category unit -k 'a or b'",
        "not selected: 2 left out by -k 'a or b', narrowed by --ignore old, 3 of other categories",
        "benchmarks disabled: 1",
        "cut off on gw2: t.py::test_late",
        "lost worker gw1: it died",
        "note: gw0.jsonl: the last line is torn, its 5 bytes are left out",
    )
    assert found.tables == (
        Table(("Chosen", "Value (where from)"), (("workers", "2 (-n)"),)),
        Table(
            ("Lane", "Tests", "Busy s", "Red"),
            (("gw0", "2", "2.00", "1"), ("gw1", "1", "2.00", "1"), ("gw2", "1", "0.00", "0")),
        ),
        Table(
            ("Test", "Lane", "Set-up s", "Call s", "Teardown s", "Total s", "Share", "Waited s", "Did"),
            (
                ("t.py::test_end", "gw1", "0.000", "2.000", "0.000", "2.000", "50.0 %", "-", "-"),
                ("t.py::test_a", "gw0", "0.250", "0.500", "0.250", "1.000", "25.0 %", "0.600", "waited"),
                (NODE_ID, "gw0", "0.000", "1.000", "0.000", "1.000", "25.0 %", "0.000", "computed"),
                ("t.py::test_late", "gw2", "0.000", "0.000", "0.000", "0.000", "0.0 %", "-", "-"),
            ),
            "Slowest 4 tests",
        ),
        Table(
            ("Test", "Lane and place", "Outcome", "Raised in", "What"),
            (
                (NODE_ID, "gw0, 2.", "failed", "t.py:12", "KeyError: 'a'"),
                ("t.py::test_end", "gw1, 1.", "crashed", "", "it died"),
            ),
            "Failures",
        ),
        Table(
            ("Test", "What leaked", "Before", "After", "Left by"),
            (
                (NODE_ID, "os.environ['A']", "absent", "'1'", ""),
                (NODE_ID, "umask", "0o22", "0o77", "fixture mask (scope module, t.py)"),
            ),
            "Leaks",
        ),
        Table(
            ("What is touched", "By test", "On lane"),
            (("file a.csv", "t.py::test_late", "gw2"), ("", NODE_ID, "gw0")),
            "Possible conflicts",
        ),
        Table(
            ("Place", "Test", "Outcome", "Seconds"),
            (("1", "t.py::test_a", "passed", "1.000"), ("2", NODE_ID, "failed", "1.000")),
            "Order on gw0",
        ),
        Table(("Place", "Test", "Outcome", "Seconds"), (("1", "t.py::test_end", "crashed", "2.000"),), "Order on gw1"),
        Table(("Place", "Test", "Outcome", "Seconds"), (("1", "t.py::test_late", "not-run", "0.000"),), "Order on gw2"),
    )
    assert found.closing == (
        "t.py::test_end on gw1: crashed\nit died\n\nFatal Python error\n  stack\n",
        f"replay gw0: python -m toxscreen replay {RUN.id} --lane gw0 --until '{NODE_ID}'",
        f"replay gw1: python -m toxscreen replay {RUN.id} --lane gw1 --until t.py::test_end",
        f"replay all lanes side by side: python -m toxscreen replay {RUN.id} --all-lanes",
    )


def test_of_a_green_run_there_is_no_failure_no_leak_and_no_replay() -> None:
    found = page(GREEN, PROGRAM, order=False)
    assert [table.title for table in found.tables] == ["", "", "Slowest test", "Order on gw0"]
    assert found.closing == ()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"finished": None}, "category unit, started 2026-11-22 19:14:01 UTC"),
        ({"state": RunState.DIED, "exit_status": None}, "died: its process is gone and left no last word"),
        (
            {"state": RunState.STOPPED, "exit_status": 130},
            "stopped before every selected test had run, exit status 130",
        ),
        ({"state": RunState.RUNNING, "exit_status": None}, "still running"),
        ({"seed": None, "hash_seed": None}, "seed not known, PYTHONHASHSEED not known"),
        ({"commit": None, "changes": None}, "commit not known"),
        ({"changes": None}, "commit abc"),
        ({"argv": (), "cwd": "."}, "pytest was given, in .: no arguments"),
        ({"environment": "3.12-unit"}, "tox environment 3.12-unit"),
        ({"replay_of": "RUN:gw1"}, "replay of RUN:gw1"),
        ({"shard": "2/3"}, "shard 2/3 of the tests"),
        ({"selection": Selection(other_shards=4)}, "not selected: 4 in other shards"),
        ({"merged": ("one", "other")}, "joined from 2 shards: one, other"),
        (
            {"merged": ("one", "other"), "extra": {"shards": [{"shard": "1/2", "seed": 5}, {"shard": "2/2"}]}},
            "shard 2: seed not known, PYTHONHASHSEED not known",
        ),
        ({"attempts": (), "collected": ()}, "tests: none"),
    ],
)
def test_what_is_particular_about_a_run_is_told(fields: dict[str, object], told: str) -> None:
    assert told in page(changed(GREEN, **fields), PROGRAM, order=False).notes


def long_run(tests: int) -> Run:
    attempts = tuple(
        Attempt(f"t.py::test_{place}", "main", place, place, Outcome.PASSED, call=place) for place in range(tests)
    )
    lane = Lane("main", tuple(attempt.node_id for attempt in attempts))
    return changed(GREEN, attempts=attempts, order=Order((lane,), 7, ""))


def test_of_many_tests_only_the_slowest_are_shown_unless_the_order_is_asked_for() -> None:
    run = long_run(FEW + 1)
    found = page(run, PROGRAM, order=False)
    assert [table.title for table in found.tables] == ["", "", "Slowest 10 tests"]
    assert [row[0] for row in found.tables[-1].rows] == [f"t.py::test_{place}" for place in range(FEW, FEW - 10, -1)]
    assert found.closing == (f"what each lane ran, in order: python -m toxscreen runs {run.id} --order",)
    asked = page(run, PROGRAM, order=True)
    assert [row[1] for row in asked.tables[-1].rows] == list(run.order.lanes[0].node_ids)
    assert asked.closing == ()
    assert page(long_run(FEW), PROGRAM, order=False).tables[-1].title == "Order on main"


def test_a_lane_of_a_tox_environment_is_replayed_in_it() -> None:
    run = changed(RUN, environment="3.12-unit")
    assert replay_command(run, "gw0", NODE_ID, PROGRAM) == [
        *("tox", "-e", "3.12-unit", "--hashseed", RUN.header.hash_seed, "--", "--screen-replay"),
        f"{RUN.id}:gw0:{NODE_ID}",
    ]


def test_a_summary_has_the_figures_of_a_row() -> None:
    assert summary(RUN) == {
        "run": RUN.id,
        "category": "unit",
        "started": 1795374841.5,
        "started_utc": "2026-11-22 19:14:01",
        "state": "complete",
        "tests": 4,
        "collected": 5,
        "red": 2,
        "seconds": 4.5,
        "workers": 2,
        "exit_status": 1,
        "environment": None,
        "replay_of": None,
        "shard": None,
        "merged": [],
    }
    assert summary(changed(RUN, finished=None))["seconds"] is None


def test_data_is_everything_and_survives_json() -> None:
    told = json.loads(json.dumps(data(RUN, PROGRAM)))
    assert set(told) == {
        *summary(RUN),
        *("header", "notes", "outcomes", "collection", "fingerprint", "lanes", "attempts", "conflicts", "replay"),
    }
    assert set(told["header"]) == set(Header.__slots__)
    assert told["outcomes"][NODE_ID] == "failed"
    assert told["lanes"][0] == {
        "name": "gw0",
        "node_ids": ["t.py::test_a", NODE_ID],
        "busy_seconds": 2.0,
        "red": 1,
    }
    assert told["attempts"][1] == {
        "node_id": NODE_ID,
        "lane": "gw0",
        "place": 1,
        "started": 2.0,
        "outcome": "failed",
        "setup": 0.0,
        "call": 1.0,
        "teardown": 0.0,
        "origin": {"exception": "KeyError", "file": "t.py", "line": 12, "causes": []},
        "leaks": [
            {"what": "os.environ['A']", "before": "absent", "after": "'1'", "blamed": NODE_ID},
            {"what": "umask", "before": "0o22", "after": "0o77", "blamed": "fixture mask (scope module, t.py)"},
        ],
        "text": "KeyError: 'a'",
        "touched": ["file a.csv", "connection to port 5432"],
        "cpu": 1.5,
        "asserts_nothing": False,
        "slept": None,
        "children": None,
    }
    assert told["conflicts"] == [
        {
            "thing": "file a.csv",
            "tests": [{"node_id": "t.py::test_late", "lane": "gw2"}, {"node_id": NODE_ID, "lane": "gw0"}],
        }
    ]
    assert told["replay"][1] == {
        "lane": "gw1",
        "command": [*PROGRAM, "replay", RUN.id, "--lane", "gw1", "--until", "t.py::test_end"],
    }
