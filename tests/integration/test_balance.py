"""Tests dealt out by how long they took before: real workers, seen in the journal, and what may go wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from toxscreen.journal.history import history_file
from toxscreen.model import Run, RunState
from toxscreen.testing import Project, Result, Suite

FILE = "tests/unit/test_a.py"
UNIT = ("--category", "unit", "-p", "no:cacheprovider")
TWO = (*UNIT, "-n2", "-p", "no:randomly")
UNKNOWN, BALANCED = "toxscreen: no duration is known of any", "toxscreen: balanced by the durations that are known of"


def remember(project: Project, tests: Mapping[str, float], fixtures: Mapping[str, float] | None = None) -> None:
    """Let earlier runs have taken so long."""
    file = history_file(project.root)
    file.parent.mkdir(exist_ok=True)
    record = {
        "schema": 1,
        "runs": [],
        "folded": 1,
        "tests": {node_id: [1, [0.0, seconds, 0.0]] for node_id, seconds in tests.items()},
        "fixtures": {key: [1, seconds] for key, seconds in (fixtures or {}).items()},
    }
    file.write_text(json.dumps(record), encoding="utf-8")


def numbered(number: int, body: str = "pass", head: str = "") -> Suite:
    """A file of tests that all do the same."""
    lines = ["import os, time", "import pytest", "from pathlib import Path", head]
    return Suite({FILE: "\n".join([*lines, *(f"def test_{each}(): {body}" for each in range(number))])})


def ids(numbers: range) -> list[str]:
    return [f"{FILE}::test_{number}" for number in numbers]


def passed(number: int) -> dict[str, str]:
    return dict.fromkeys(ids(range(number)), "passed")


def lanes(run: Run) -> dict[str, tuple[str, ...]]:
    """What each worker ran, without what all names begin with."""
    return {lane.name: tuple(each.rpartition("::")[2] for each in lane.node_ids) for lane in run.order.lanes}


def lane_of(run: Run, test: str) -> str:
    (name,) = [name for name, tests in lanes(run).items() if test in tests]
    return name


# whether


@pytest.mark.parametrize(
    ("options", "table", "env"),
    [
        pytest.param(("-n2", "--screen-balance", "off"), "", {}, id="off"),
        pytest.param(("-n2",), 'balance = "off"', {}, id="off in the settings"),
        pytest.param(("-n2",), "", {"TOXSCREEN_BALANCE": "off"}, id="off in the environment"),
        pytest.param(("-n2", "--dist", "load"), "", {}, id="--dist load"),
        pytest.param(("-n2", "--dist", "loadfile"), "", {}, id="--dist loadfile"),
        pytest.param(("-n2", "-d"), "", {}, id="-d"),
        pytest.param(("-n2", "--maxschedchunk", "1"), "", {}, id="--maxschedchunk"),
        pytest.param(("-n2",), "", {"PYTEST_ADDOPTS": "--dist worksteal"}, id="PYTEST_ADDOPTS"),
        pytest.param(("-n1",), "", {}, id="one worker"),
        pytest.param(("-n0",), "", {}, id="no worker"),
        pytest.param(("-p", "no:xdist"), "", {}, id="no xdist"),
    ],
)
def test_hands_off(tmp_path: Path, options: tuple[str, ...], table: str, env: dict[str, str | None]) -> None:
    project = numbered(6).with_files({"pyproject.toml": f"[tool.toxscreen]\n{table}\n"}).at(tmp_path)
    project.run(*UNIT, *options, env=env).expect(exit=0, outcomes=passed(6), never_says=[UNKNOWN, BALANCED])


def test_each_worker_runs_all_where_that_is_asked_for(tmp_path: Path) -> None:
    result = numbered(3).at(tmp_path).run(*UNIT, "-n2", "--dist", "each")
    result.expect(exit=0, says=["6 passed"], never_says=[UNKNOWN, BALANCED])


def test_the_option_wins_over_the_settings(tmp_path: Path) -> None:
    project = numbered(6).with_files({"pyproject.toml": '[tool.toxscreen]\nbalance = "off"\n'}).at(tmp_path)
    project.run(*TWO, "--screen-balance", "auto").expect(exit=0, outcomes=passed(6), says=[f"{UNKNOWN}: 0 of 6 tests"])


@pytest.mark.parametrize("workers", ["-n2", "-n0"])
def test_an_option_that_is_wrong(tmp_path: Path, workers: str) -> None:
    numbered(1).at(tmp_path).run(*UNIT, workers, "--screen-balance", "on").expect(
        exit=2, says=["--screen-balance: 'on' is neither auto nor off [config-invalid]"]
    )


def test_a_scheduler_of_the_projects_own_wins(tmp_path: Path) -> None:
    conftest = """
        from xdist.scheduler import LoadScheduling

        class Own(LoadScheduling): pass

        def pytest_xdist_make_scheduler(config, log): return Own(config, log)
    """
    result = numbered(6).with_files({"conftest.py": conftest}).at(tmp_path).run(*TWO, "-v")
    result.expect(exit=0, outcomes=passed(6), says=["scheduling tests via Own"], never_says=[UNKNOWN])


# what


def test_it_learns_from_run_to_run(tmp_path: Path) -> None:
    project = numbered(9).at(tmp_path)
    project.run(*TWO).expect(exit=0, outcomes=passed(9), says=[f"{UNKNOWN}: 0 of 9 tests"])
    project.write(dict(numbered(10).files))
    project.run(*TWO).expect(exit=0, outcomes=passed(10), says=[f"{BALANCED}: 9 of 10 tests"])


def test_the_longest_tests_go_first_each_to_a_worker_of_its_own(tmp_path: Path) -> None:
    project = numbered(40).at(tmp_path)
    remember(project, dict.fromkeys(ids(range(40)), 0.1) | {f"{FILE}::test_20": 5.0, f"{FILE}::test_30": 4.0})
    result = project.run(*TWO).expect(exit=0, outcomes=passed(40), says=[f"{BALANCED}: 40 of 40 tests"])
    assert sorted(tests[0] for tests in lanes(result.run).values()) == ["test_20", "test_30"]


def test_random_order_is_kept_in_what_is_left_free(tmp_path: Path) -> None:
    project = numbered(60).at(tmp_path)
    remember(project, dict.fromkeys(ids(range(60)), 0.001))

    def run(seed: int) -> Run:
        return project.run(*UNIT, "-n2", "--randomly-seed", str(seed)).expect(exit=0, outcomes=passed(60)).run

    first, second = run(1), run(2)
    assert first.collected != second.collected
    for made in (first, second):
        place = {node_id.rpartition("::")[2]: number for number, node_id in enumerate(made.collected)}
        backwards = [
            (before, after)
            for tests in lanes(made).values()
            for before, after in pairwise(tests)
            if place[before] > place[after]
        ]
        # Where the machine is slow, one worker takes over what another one has not begun.
        assert len(backwards) <= 4


GROUPS = """
    import pytest

    @pytest.mark.parametrize("n", range(30))
    def test_any(n): pass

    @pytest.mark.xdist_group("one")
    class TestOne:
        @pytest.mark.parametrize("n", range(8))
        def test_grouped(self, n): pass

    @pytest.mark.parametrize("n", [pytest.param(n, marks=pytest.mark.xdist_group("two")) for n in range(8)])
    def test_two(n): pass
"""


@pytest.mark.parametrize("known", [True, False], ids=["with history", "first run"])
def test_groups_stay_on_one_worker(tmp_path: Path, *, known: bool) -> None:
    project = Suite({FILE: GROUPS}).at(tmp_path)
    if known:
        project.run(*UNIT, "-n3").expect(exit=0)
    result = project.run(*UNIT, "-n3").expect(exit=0, says=["46 passed"])
    for group in ("grouped", "two"):
        assert len({lane for lane, tests in lanes(result.run).items() for test in tests if group in test}) == 1


SHARED = """
    import pytest

    @pytest.fixture(scope="module")
    def slow(): pass

    @pytest.mark.parametrize("n", range(10))
    def test_before(n): pass

    @pytest.mark.parametrize("n", range(12))
    def test_slow(slow, n): pass

    @pytest.mark.parametrize("n", range(10))
    def test_after(n): pass
"""


@pytest.mark.parametrize(
    ("seconds", "fixture", "set_ups"),
    [pytest.param(0.1, 1.0, 1, id="together"), pytest.param(1.0, 0.5, 2, id="split, where it pays")],
)
def test_tests_that_share_a_fixture(tmp_path: Path, seconds: float, fixture: float, set_ups: int) -> None:
    project = Suite({FILE: SHARED}).at(tmp_path)
    slow = [f"{FILE}::test_slow[{n}]" for n in range(12)]
    others = [f"{FILE}::test_{name}[{n}]" for name in ("before", "after") for n in range(10)]
    remember(project, dict.fromkeys(slow, seconds) | dict.fromkeys(others, 0.2), {f"{FILE}|slow": fixture})
    result = project.run(*TWO).expect(exit=0, says=["32 passed"])
    runs = [
        before is None or not before.startswith("test_slow")
        for tests in lanes(result.run).values()
        for before, test in zip([None, *tests], tests, strict=False)
        if test.startswith("test_slow")
    ]
    assert sum(runs) == set_ups


def test_tests_alone_come_last_on_one_worker(tmp_path: Path) -> None:
    body = """
        import pytest

        @pytest.mark.parametrize("n", range(3))
        @pytest.mark.alone
        def test_alone(n): pass

        @pytest.mark.parametrize("n", range(20))
        def test_any(n): pass
    """
    result = Suite({FILE: body}).at(tmp_path).run(*TWO).expect(exit=0, says=["23 passed"])
    (found,) = [tests for tests in lanes(result.run).values() if "test_alone[0]" in tests]
    assert found[-3:] == ("test_alone[0]", "test_alone[1]", "test_alone[2]")


# few tests


@pytest.mark.parametrize("number", [1, 2, 3, 7])
@pytest.mark.parametrize("known", [True, False], ids=["with history", "first run"])
def test_fewer_tests_than_workers(tmp_path: Path, number: int, *, known: bool) -> None:
    project = numbered(number).at(tmp_path)
    if known:
        remember(project, dict.fromkeys(ids(range(number)), 0.5))
    result = project.run(*UNIT, "-n4").expect(exit=0, outcomes=passed(number))
    assert result.run.state is RunState.COMPLETE


def test_no_test_at_all(tmp_path: Path) -> None:
    numbered(3).at(tmp_path).run(*TWO, "-k", "nothing").expect(exit=2, says=["[nothing-ran]"], never_says=[UNKNOWN])


# a history that does not fit


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param('{"schema": 1, "runs"', id="torn"),
        pytest.param("[1, 2]", id="something else"),
        pytest.param('{"schema": 99, "runs": [], "folded": 0, "tests": {}, "fixtures": {}}', id="of another version"),
        pytest.param(
            '{"schema": 1, "runs": [], "folded": 1, "tests": {"x.py::y": [1, [0, 9, 0]]}, "fixtures": {}}',
            id="from another project",
        ),
    ],
)
def test_a_history_that_says_nothing(tmp_path: Path, content: str) -> None:
    project = numbered(8).at(tmp_path)
    remember(project, {})
    history_file(project.root).write_text(content, encoding="utf-8")
    project.run(*TWO).expect(exit=0, outcomes=passed(8), says=[f"{UNKNOWN}: 0 of 8 tests"])


def test_tests_that_were_removed_or_renamed_since(tmp_path: Path) -> None:
    project = numbered(12).at(tmp_path)
    remember(project, dict.fromkeys([*ids(range(6)), f"{FILE}::test_old", f"{FILE}::test_gone"], 0.3))
    project.run(*TWO).expect(exit=0, outcomes=passed(12), says=[f"{BALANCED}: 6 of 12 tests"])


def test_tests_that_now_take_much_longer_than_remembered(tmp_path: Path) -> None:
    project = numbered(24, "time.sleep(0.1)").at(tmp_path)
    remember(project, dict.fromkeys(ids(range(24)), 0.0001) | {f"{FILE}::test_0": 100.0})
    result = project.run(*TWO).expect(exit=0, outcomes=passed(24))
    # Neither had to wait for the other to end: one takes over what the other has not begun.
    assert min(map(len, lanes(result.run).values())) >= 6


# workers that die, start late, or see something else


DIES = """
def test_dies(): os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("known", [True, False], ids=["with history", "first run"])
def test_what_a_dead_worker_had_is_run_by_others(tmp_path: Path, *, known: bool) -> None:
    project = numbered(30, "time.sleep(0.02)", DIES).at(tmp_path)
    if known:
        remember(project, dict.fromkeys(ids(range(30)), 0.02) | {f"{FILE}::test_dies": 0.05})
    result = project.run(*TWO)
    result.expect(
        exit=1,
        outcomes={**passed(30), f"{FILE}::test_dies": "crashed"},
        says=["replacing crashed worker", "1 failed, 30 passed"],
    )
    assert result.run.state is RunState.COMPLETE


def test_a_worker_that_comes_for_a_dead_one_takes_part(tmp_path: Path) -> None:
    """The other worker waits until it has come."""
    head = f"{DIES}\nif os.environ.get('PYTEST_XDIST_WORKER') == 'gw2': Path('come').touch()"
    body = "[time.sleep(0.05) for _ in range(500) if not Path('come').exists()]"
    project = numbered(30, body, head).at(tmp_path)
    result = project.run(*TWO, "--timeout", "30")
    result.expect(exit=1, outcomes={**passed(30), f"{FILE}::test_dies": "crashed"})
    assert lanes(result.run)["gw2"]


def test_a_worker_that_starts_late(tmp_path: Path) -> None:
    """The one waits in its conftest.py until the other has collected."""
    conftest = """
        import os, time
        from pathlib import Path

        WORKER = os.environ.get("PYTEST_XDIST_WORKER")

        def pytest_configure(config):
            while WORKER == "gw1" and not Path("collected").exists():
                time.sleep(0.01)

        def pytest_collection_finish(session):
            if WORKER == "gw0":
                Path("collected").touch()
    """
    project = numbered(30, "time.sleep(0.02)").with_files({"conftest.py": conftest}).at(tmp_path)
    result = project.run(*TWO).expect(exit=0, outcomes=passed(30))
    assert set(lanes(result.run)) == {"gw0", "gw1"}


def test_workers_that_collect_different_tests(tmp_path: Path) -> None:
    body = """
        import os, pytest

        @pytest.mark.parametrize("worker", [os.environ.get("PYTEST_XDIST_WORKER")])
        def test_one(worker): pass
    """
    project = Suite({FILE: body}).at(tmp_path)
    says = ["Different tests were collected between gw", "To see why this happens see 'Known limitations'", "1 error"]
    for options in ((), ("--dist", "load")):
        project.run(*TWO, *options).expect(exit=2, says=says, never_says=[UNKNOWN])


# runs that end early


@pytest.mark.parametrize(("option", "failures"), [("-x", 1), ("--maxfail=2", 2)])
@pytest.mark.parametrize("known", [True, False], ids=["with history", "first run"])
def test_a_run_that_stops_at_a_failure(tmp_path: Path, option: str, failures: int, *, known: bool) -> None:
    """Workers give back what they have not begun, where pytest-xdist alone would run all that was dealt out."""
    project = numbered(200, "time.sleep(0.02)", "def test_first(): assert 0\ndef test_second(): assert 0").at(tmp_path)
    names = [f"{FILE}::test_first", f"{FILE}::test_second"]
    if known:
        remember(project, dict.fromkeys([*names, *ids(range(200))], 0.02))
    result = project.run(*TWO, option)
    result.expect(exit=1, says=[f"stopping after {failures} failures"])
    assert result.run.state is RunState.STOPPED
    assert len(result.run.attempts) < 100


def test_such_a_run_can_be_replayed(tmp_path: Path) -> None:
    project = numbered(30, "time.sleep(0.01)", "def test_red(): assert 0").at(tmp_path)
    remember(project, dict.fromkeys(ids(range(30)), 0.01))
    made: Result = project.run(*UNIT, "-n2").expect(exit=1, outcomes={**passed(30), f"{FILE}::test_red": "failed"})
    lane = lane_of(made.run, "test_red")
    again = project.toxscreen("replay", made.run.id)
    again.expect(exit=1, says=["same order, same outcomes"])
    assert lanes(again.run)["main"] == lanes(made.run)[lane]
