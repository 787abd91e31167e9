"""Replays of real runs: the same tests in the same order with the same seeds and teardown points, and what is said."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from toxscreen.guard.process import is_alive
from toxscreen.model import Outcome, Run
from toxscreen.testing import Project, Suite

CONFTEST = """\
    import os
    import random

    import pytest

    def log(text):
        name = f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}.txt"
        with open(os.path.join(os.environ["LOGS"], name), "a", encoding="utf-8") as file:
            file.write(text + "\\n")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(item):
        log(f"begin {item.nodeid} {hash('a text')}")

    def pytest_runtest_logfinish(nodeid):
        log(f"end {nodeid}")

    def fixture_of(scope):
        @pytest.fixture(scope=scope, name=scope)
        def fixture(request):
            log(f"up {scope} {request.node.nodeid}")
            yield
            log(f"down {scope} {request.node.nodeid}")
        return fixture

    session, package, module = map(fixture_of, ("session", "package", "module"))
    class_, function = fixture_of("class"), fixture_of("function")

    @pytest.fixture(autouse=True)
    def dice():
        log(f"dice {random.random()}")
"""
#: A test fails when the sum of what ran before it in its process is odd: nearly every other order has other outcomes.
STATE = """\
    seen = []

    def check(number):
        before = sum(seen)
        seen.append(number)
        assert before % 2 == 0, f"dirty after {len(seen) - 1} tests"
"""
SUMS = """\
    import pytest
    import state

    @pytest.mark.parametrize("number", range(6), ids=["a:b", "[c]", "d::e", "sp ace", "\\u00fc", "me@home"])
    def test_sum(number, session, module, function):
        state.check(number)

    @pytest.mark.usefixtures("class")
    class TestMore:
        def test_one(self, package):
            state.check(1)

        def test_three(self):
            state.check(3)
"""
SUITE = Suite(
    {
        "tests/unit/conftest.py": CONFTEST,
        "tests/unit/state.py": STATE,
        "tests/unit/test_sums.py": SUMS,
        "tests/unit/für alle/test_größe.py": SUMS,
        "tests/unit/test_going.py": "import state\ndef test_gone(): state.check(5)\n",
    }
)
#: With 17 tests, 11 of them odd, on two workers, some test runs after an odd one: the run is red in any order.
COUNT = 17


@dataclass(frozen=True)
class Recorded:
    """A red run of two workers, in a project whose path has spaces and letters beyond ASCII."""

    project: Project
    run: Run
    logs: Path

    def copy(self, folder: Path) -> Recorded:
        """The same in another place, to be changed."""
        folder.mkdir()
        project = Project(folder / "project", folder)
        shutil.copytree(self.project.root, project.root)
        return Recorded(project, self.run, self.logs)

    @property
    def header(self) -> Path:
        return self.project.root / ".toxscreen" / "runs" / self.run.id / "header.json"

    def change_header(self, **changes: object) -> None:
        """Rewrite fields of the recorded header."""
        record = json.loads(self.header.read_text(encoding="utf-8"))
        self.header.write_text(json.dumps(record | changes), encoding="utf-8")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("rote Läufe")
    project = SUITE.at(folder)
    logs = folder / "logs"
    logs.mkdir()
    result = project.run("--category", "unit", "-n", "2", env={"LOGS": os.fspath(logs)})
    assert (result.exit, len(result.run.attempts)) == (1, COUNT), repr(result)
    return Recorded(project, result.run, logs)


@pytest.fixture
def red(pristine: Recorded, tmp_path: Path) -> Recorded:
    """A copy of its own for each test: what one records, another must not find."""
    return pristine.copy(tmp_path / "größer und kleiner")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def log_of(folder: Path, lane: str) -> list[str]:
    """What the only process of a lane logged."""
    (file,) = folder.glob(f"{lane}-*.txt")
    return file.read_text(encoding="utf-8").splitlines()


def outcomes_of(run: Run, lane: str) -> list[tuple[str, Outcome]]:
    return [(attempt.node_id, attempt.outcome) for attempt in run.attempts if attempt.lane == lane]


def first_red_lane(run: Run) -> str:
    return min((attempt for attempt in run.attempts if attempt.outcome.red), key=lambda found: found.started).lane


def document(text: str) -> dict[str, Any]:
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


# the same again


def test_by_default_the_lane_of_the_first_failure_of_the_last_red_run_is_replayed(red: Recorded, logs: Path) -> None:
    lane = first_red_lane(red.run)
    result = red.project.toxscreen("replay", "--json", env={"LOGS": os.fspath(logs)})
    ran = outcomes_of(red.run, lane)
    assert document(result.stdout) == {
        "schema": 1,
        "run": red.run.id,
        "interrupted": False,
        "lanes": [
            {
                "lane": lane,
                "node_ids": [node_id for node_id, _ in ran],
                "command": [
                    *(red.run.header.executable, "-m", "pytest", "--screen-replay", f"{red.run.id}:{lane}"),
                    *("--category", "unit", "-n", "2"),
                ],
                "status": 1,
                "run": result.run.id,
                "same_order": True,
                "same_outcomes": True,
                "differences": [],
            }
        ],
    }
    assert outcomes_of(result.run, "main") == ran
    assert log_of(logs, "main") == log_of(red.logs, lane)
    (other,) = {each.name for each in red.run.order.lanes} - {lane}
    also = [f"red as well: {other};"] if any(found.red for _, found in outcomes_of(red.run, other)) else []
    first = next(node_id for node_id, found in ran if found.red)
    assert result.run.header.replay_of == f"{red.run.id}:{lane}"
    result.expect(
        exit=1,
        says=[
            f"replay of run {red.run.id}\nlane {lane}, where {first} was the first to fail\n",
            f"\nlane {lane}: {len(ran)} tests\n",
            f"seed {red.run.header.seed}, PYTHONHASHSEED {red.run.header.hash_seed}",
            f"lane {lane}: exit status 1; same order, same outcomes",
            f"toxscreen: replaying {len(ran)} tests of lane {lane}",
            *also,
        ],
        never_says=["new since", "gone since"],
    )


def test_until_a_test_tears_down_what_was_torn_down_then(red: Recorded, logs: Path) -> None:
    lane, place = next(
        (lane, place)
        for lane in red.run.order.lanes
        for place in range(1, len(lane.node_ids) - 1)
        if lane.node_ids[place].split("::")[0] == lane.node_ids[place + 1].split("::")[0]
    )
    until = lane.node_ids[place]
    result = red.project.toxscreen(
        "replay", red.run.id, "--lane", lane.name, "--until", until, env={"LOGS": os.fspath(logs)}
    )
    expected = outcomes_of(red.run, lane.name)[: place + 1]
    assert outcomes_of(result.run, "main") == expected
    then = log_of(red.logs, lane.name)
    now = log_of(logs, "main")
    assert now[: now.index(f"end {until}") + 1] == then[: then.index(f"end {until}") + 1]
    result.expect(
        exit=1 if any(outcome.red for _, outcome in expected) else 0,
        says=[f"lane {lane.name}, as asked", f"up to {until}", "same order, same outcomes"],
    )


def test_all_lanes_run_side_by_side_and_talk_one_after_the_other(red: Recorded, logs: Path) -> None:
    result = red.project.toxscreen("replay", red.run.id, "--all-lanes", env={"LOGS": os.fspath(logs)})
    replays = {run.header.replay_of: run for run in result.runs}
    lanes = [lane.name for lane in red.run.order.lanes]
    assert sorted(replays, key=str) == [f"{red.run.id}:{lane}" for lane in lanes]
    for lane in lanes:
        assert outcomes_of(replays[f"{red.run.id}:{lane}"], "main") == outcomes_of(red.run, lane)
    logged = sorted(file.read_text(encoding="utf-8") for file in logs.iterdir())
    assert logged == sorted(file.read_text(encoding="utf-8") for file in red.logs.iterdir())
    status = {lane: int(any(outcome.red for _, outcome in outcomes_of(red.run, lane))) for lane in lanes}
    whole = [result.stdout.index(f"\nlane {lane}: exit status {status[lane]}\n==") for lane in lanes]
    sections = [result.stdout[start:] for start in whole]
    for section, lane in zip(sections, lanes, strict=True):
        own = section[: section.index(" deselected in ")]
        assert f"toxscreen: replaying {len(outcomes_of(red.run, lane))} tests of lane {lane}\n" in own
        assert own.count("test session starts") == 1
    result.expect(
        exit=1,
        says=[
            "every lane, side by side",
            *(f"lane {lane}: exit status {status[lane]}; same order, same outcomes" for lane in lanes),
        ],
    )
    # Each began before the other had ended.
    first, second = (replays[f"{red.run.id}:{lane}"] for lane in lanes)
    assert first.finished is not None
    assert second.finished is not None
    assert max(first.header.started, second.header.started) < min(first.finished, second.finished)


@pytest.mark.parametrize("time_of_trial", range(5))
def test_any_random_split_is_replayed_at_the_first_try(red: Recorded, logs: Path, time_of_trial: int) -> None:
    made = red.project.run("--category", "unit", "-n", "2", env={"LOGS": os.fspath(logs)}).expect(exit=1)
    result = red.project.toxscreen(
        "replay", made.run.id, "--all-lanes", "--json", env={"LOGS": os.fspath(logs)}
    ).expect(exit=1)
    told = {each["lane"]: (each["same_order"], each["same_outcomes"]) for each in document(result.stdout)["lanes"]}
    assert told == {lane.name: (True, True) for lane in made.run.order.lanes}


# inside pytest


def test_a_changed_collection_is_told_and_the_rest_is_replayed(red: Recorded, logs: Path) -> None:
    gone = "tests/unit/test_going.py::test_gone"
    lane = next(lane for lane in red.run.order.lanes if gone in lane.node_ids)
    (red.project.root / "tests/unit/test_going.py").unlink()
    new = ["tests/unit/test_coming.py::test_a", "tests/unit/test_coming.py::test_b"]
    red.project.write({"tests/unit/test_coming.py": "def test_a(): pass\ndef test_b(): pass\n"})
    result = red.project.toxscreen("replay", red.run.id, "--lane", lane.name, env={"LOGS": os.fspath(logs)})
    left = [node_id for node_id in lane.node_ids if node_id != gone]
    assert [attempt.node_id for attempt in result.run.attempts] == left
    then, now = dict(outcomes_of(red.run, lane.name)), result.run.outcomes
    changed = {node_id for node_id in left if then[node_id] is not now[node_id]}
    # What ran after the lost test of an odd number finds the other parity.
    assert changed == set(lane.node_ids[lane.node_ids.index(gone) + 1 :])
    result.expect(
        exit=1 if any(outcome.red for outcome in now.values()) else 0,
        says=[
            f"toxscreen: replaying {len(left)} tests of lane {lane.name}",
            f"toxscreen: gone since that run: 1 test ({gone})",
            f"toxscreen: new since that run, left out: 2 tests ({', '.join(new)})",
            f"lane {lane.name}: exit status {result.exit}; another order, other outcomes",
        ],
    )
    rows = result.stdout[result.stdout.index("\nLane  Test") :]
    assert [line.split()[-2:] for line in rows.splitlines() if gone in line] == [[then[gone].value, "absent"]]


def test_a_lane_of_which_nothing_is_left_cannot_be_replayed(red: Recorded, logs: Path) -> None:
    lane = red.run.order.lanes[0]
    shutil.rmtree(red.project.root / "tests")
    red.project.write({"tests/unit/test_other.py": "def test_a(): pass\n"})
    until = lane.node_ids[0]
    target = f"{red.run.id}:{lane.name}:{until}"
    result = red.project.run("--screen-replay", target, env={"LOGS": os.fspath(logs)})
    assert result.run.attempts == ()
    result.expect(exit=2, says=[f"gone since that run: 1 test ({until})", "[nothing-ran]"])


def test_what_selects_stops_or_looks_back_does_not_disturb_a_replay(red: Recorded, logs: Path) -> None:
    env = {"LOGS": os.fspath(logs)}
    arguments = ("--category", "unit", "-n", "2", "-x", "--lf", "--sw", "-k", "sum or more", "tests")
    made = red.project.run(*arguments, env=env).expect(exit=1)
    lane = first_red_lane(made.run)
    result = red.project.run("--screen-replay", f"{made.run.id}:{lane}", *arguments, env=env)
    assert outcomes_of(result.run, "main") == outcomes_of(made.run, lane)
    result.expect(exit=1, says=["replaying"], never_says=["new since", "gone since", "replay main:"])


def test_a_file_that_cannot_be_imported_stops_a_replay_no_more_than_the_run(tmp_path: Path) -> None:
    files = {
        "tests/unit/test_broken.py": "import no_such_module\n",
        "tests/unit/test_red.py": "def test_red(): raise AssertionError\ndef test_green(): pass\n",
    }
    project = Suite(files).at(tmp_path)
    made = project.run("--category", "unit", "-n", "1").expect(exit=1, says=["no_such_module"])
    result = project.toxscreen("replay", made.run.id)
    assert outcomes_of(result.run, "main") == outcomes_of(made.run, "gw0")
    result.expect(exit=1, says=["no_such_module", "lane gw0: exit status 1; same order, same outcomes"])


def test_a_run_that_names_packages_is_replayed(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/checks/__init__.py": "",
        "shop/checks/test_red.py": "def test_red(): raise AssertionError\ndef test_green(): pass\n",
        "other/test_other.py": "raise RuntimeError('was imported')\n",
        "pyproject.toml": "[tool.toxscreen.categories.unit]\npaths = ['shop']\n",
    }
    project = Suite(files).at(tmp_path)
    made = project.run("--category", "unit", "-n0", "--pyargs", "shop.checks").expect(exit=1)
    result = project.toxscreen("replay", made.run.id)
    assert [name.rpartition("::")[2] for name, _ in sorted(outcomes_of(result.run, "main"))] == [
        "test_green",
        "test_red",
    ]
    assert outcomes_of(result.run, "main") == outcomes_of(made.run, "main")
    result.expect(exit=1, says=["same order, same outcomes"], never_says=["was imported"])


def test_groups_that_loadgroup_appended_are_found_again(tmp_path: Path) -> None:
    marked = "import pytest\nimport state\n" + "".join(
        f"@pytest.mark.xdist_group('g{number % 2}')\ndef test_{number}(): state.check({number})\n"
        for number in range(8)
    )
    suite = Suite({"tests/unit/state.py": STATE, "tests/unit/test_grouped.py": marked})
    project = suite.at(tmp_path)
    made = project.run("--category", "unit", "-n", "2", "--dist", "loadgroup").expect(exit=1)
    # Not every pytest lets pytest-xdist append the groups to node ids; make the journal one that has them.
    for file in (project.root / ".toxscreen" / "runs" / made.run.id).iterdir():
        text = file.read_text(encoding="utf-8")
        grouped = re.sub(r"(::test_(\d))(?=[\"\\])", lambda found: f"{found[1]}@g{int(found[2]) % 2}", text)
        file.write_text(grouped, encoding="utf-8")
    lane = first_red_lane(made.run)
    ran = [(node_id.partition("@")[0], outcome) for node_id, outcome in outcomes_of(made.run, lane)]
    first = [outcome for _, outcome in ran].index(Outcome.FAILED)
    result = project.toxscreen("replay", made.run.id, "--lane", lane, "--until", ran[first][0])
    assert outcomes_of(result.run, "main") == ran[: first + 1]
    assert result.run.collected == tuple(node_id for node_id, _ in ran[: first + 1])
    result.expect(
        exit=1,
        says=[f"up to {ran[first][0]}@g", "same order, same outcomes"],
        never_says=["new since", "gone since"],
    )


def test_a_serial_run_from_a_subfolder_is_replayed_from_anywhere(tmp_path: Path) -> None:
    suite = Suite(
        {
            "tests/unit/test_red.py": """\
                import importlib.util
                import os

                def test_where():
                    assert os.path.basename(os.getcwd()) == "tests"

                def test_the_folder_is_not_importable():
                    assert importlib.util.find_spec("only_here") is None
                """,
            "tests/only_red.py": "",
            "src/empty.txt": "",
        }
    )
    project = suite.at(tmp_path)
    made = project.run(
        "--category", "unit", "-n0", "unit", cwd=project.root / "tests", env={"PYTHONSAFEPATH": "1"}
    ).expect(exit=0)
    assert (made.run.header.cwd, made.run.header.cwd_importable) == ("tests", False)
    result = project.toxscreen("replay", made.run.id[:-2], cwd=project.root / "src")
    assert outcomes_of(result.run, "main") == outcomes_of(made.run, "main")
    result.expect(
        exit=0,
        says=[
            "lane main, the first one",
            "no test of that run was red",
            "lane main: exit status 0; same order, same outcomes",
        ],
    )


def test_a_test_that_killed_its_worker_kills_its_replay(tmp_path: Path) -> None:
    suite = Suite({"tests/unit/test_end.py": "import os\ndef test_a(): pass\ndef test_end(): os._exit(7)\n"})
    project = suite.at(tmp_path)
    made = project.run("--category", "unit", "-n", "2").expect(exit=1)
    result = project.toxscreen("replay", "--json", "--until", "tests/unit/test_end.py::test_end")
    (told,) = document(result.stdout)["lanes"]
    assert (told["status"], told["same_order"], told["same_outcomes"]) == (7, True, True)
    assert outcomes_of(result.run, "main")[-1] == ("tests/unit/test_end.py::test_end", Outcome.CRASHED)
    assert made.run.id == document(result.stdout)["run"]
    result.expect(exit=1, says=["exit status 7; same order, same outcomes"])


# interrupts


@pytest.mark.parametrize("which", [("--lane", "gw0"), ("--all-lanes",)], ids=["one", "all"])
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_every_process_and_keeps_what_there_is(tmp_path: Path, which: tuple[str, ...]) -> None:
    waiting = """\
        import os, time
        from pathlib import Path

        def test_{name}():
            if "WAIT" in os.environ:
                Path(os.environ["WAIT"], "{name}").write_text(str(os.getpid()))
                while True:
                    time.sleep(0.01)
        """
    suite = Suite({f"tests/integration/test_{name}.py": waiting.format(name=name) for name in ("a", "b")})
    project = suite.at(tmp_path)
    made = project.run("--category", "integration", "-n", "2").expect(exit=0)
    signs = tmp_path / "signs"
    signs.mkdir()
    lanes = len(made.run.order.lanes) if which == ("--all-lanes",) else 1
    process = project.start("replay", made.run.id, *which, "--json", module="toxscreen", env={"WAIT": os.fspath(signs)})
    try:
        deadline = time.monotonic() + 40
        while sum(file.stat().st_size > 0 for file in signs.iterdir()) < lanes:
            assert time.monotonic() < deadline, process.communicate(timeout=5)
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=40)
    finally:
        process.kill()
    told = document(stdout)
    assert (process.returncode, told["interrupted"], len(told["lanes"])) == (130, True, lanes), stderr
    assert {each["status"] for each in told["lanes"]} == {130}
    assert f"replay of run {made.run.id} was interrupted" in stderr
    assert stderr.count("! KeyboardInterrupt !") == lanes
    assert not any(is_alive(int(file.read_text(encoding="utf-8"))) for file in signs.iterdir())


# what cannot be replayed, or not as it was


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nonsense",), "toxscreen: run 'nonsense': is not recorded [run-unknown]\n  newest: "),
        (("{run}", "--lane", "gw7"), "toxscreen: run {run}: has no lane 'gw7' [run-unknown]\n  did you mean 'gw1'?"),
        (
            ("{run}", "--until", "tests/unit/test_going.py::test_goon"),
            (
                "toxscreen: run {run}: no lane ran 'tests/unit/test_going.py::test_goon' [run-unknown]\n"
                "  did you mean 'tests/unit/test_going.py::test_gone'"
            ),
        ),
        (
            ("{run}", "--lane", "gw0", "--until", "qqq"),
            "toxscreen: lane gw0 did not run 'qqq' [run-unknown]\n  `toxscreen runs",
        ),
        (
            ("--all-lanes", "--until", "x"),
            (
                "toxscreen: toxscreen replay --all-lanes: takes neither a lane nor --until [config-invalid]\n"
                "  replay one lane,"
            ),
        ),
        (("{run}:gw0", "--all-lanes"), "toxscreen: toxscreen replay --all-lanes: takes neither a lane nor --until ["),
    ],
    ids=["run", "lane", "test", "test-of-a-lane", "all-until", "all-and-one"],
)
def test_what_does_not_exist_is_named_with_what_does(red: Recorded, arguments: tuple[str, ...], says: str) -> None:
    result = red.project.toxscreen("replay", *(argument.format(run=red.run.id) for argument in arguments))
    assert (result.exit, result.stdout, result.runs) == (2, "", ())
    assert result.stderr.startswith(says.format(run=red.run.id))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("", "toxscreen: --screen-replay: names no run [run-unknown]\n  `toxscreen runs` lists what is recorded\n"),
        ("nonsense", "toxscreen: run 'nonsense': is not recorded [run-unknown]\n"),
        ("{run}:gw7", "toxscreen: run {run}: has no lane 'gw7' [run-unknown]\n  did you mean 'gw1'?"),
        ("{run}:gw0:qqq", "toxscreen: lane gw0 did not run 'qqq' [run-unknown]\n"),
    ],
    ids=["none", "run", "lane", "test"],
)
def test_what_does_not_exist_is_named_inside_pytest(red: Recorded, logs: Path, target: str, says: str) -> None:
    env = {"LOGS": os.fspath(logs)}
    result = red.project.run("--screen-replay", target.format(run=red.run.id), env=env)
    assert (result.exit, result.stdout, result.runs) == (2, "", ())
    assert result.stderr.startswith(says.format(run=red.run.id))


def test_where_nothing_is_recorded_nothing_is_replayed(tmp_path: Path) -> None:
    project = Suite().at(tmp_path)
    result = project.toxscreen("replay", "--json").expect(exit=2)
    assert result.stderr == (
        "toxscreen: no recorded run failed [run-unknown]\n  `toxscreen runs` lists what is recorded\n"
    )
    assert document(result.stdout) == {
        "schema": 1,
        "errors": [
            {
                "slug": "run-unknown",
                "message": "no recorded run failed",
                "place": "",
                "hint": "`toxscreen runs` lists what is recorded",
            }
        ],
    }


def test_a_run_without_a_test_cannot_be_replayed(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_a(): pass\n"}).at(tmp_path)
    made = project.run("--category", "unit", "-n0", "-k", "nothing").expect(exit=2)
    project.toxscreen("replay", made.run.id).expect(
        exit=2, says=[f"toxscreen: run {made.run.id}: no test was begun in it [replay-impossible]\n"]
    )


def test_a_journal_with_a_spoilt_line_cannot_be_replayed_and_a_torn_one_can(red: Recorded, logs: Path) -> None:
    lane = red.run.order.lanes[0]
    shard = red.header.parent / f"{lane.name}.jsonl"
    lines = shard.read_bytes().splitlines(keepends=True)
    shard.write_bytes(b"".join([*lines[:2], b'{"kind": "st\n', *lines[3:]]))
    red.project.toxscreen("replay", red.run.id).expect(
        exit=2, says=[f"toxscreen: {red.run.id}/{lane.name}.jsonl:3: is no journal line: ", "[journal-corrupt]"]
    )
    # Cut off in the middle of the third test.
    third = [number for number, line in enumerate(lines) if b'"kind":"start"' in line][2]
    shard.write_bytes(b"".join(lines[: third + 1]) + lines[third + 1][:20])
    result = red.project.toxscreen("replay", red.run.id, "--lane", lane.name, env={"LOGS": os.fspath(logs)})
    assert [node_id for node_id, _ in outcomes_of(result.run, "main")] == list(lane.node_ids[:3])
    result.expect(exit=result.exit, says=[f"lane {lane.name}: 3 tests", "same order, same outcomes"])


def test_a_spoilt_header_is_named(red: Recorded) -> None:
    red.header.write_text("{", encoding="utf-8")
    red.project.toxscreen("replay", red.run.id).expect(
        exit=2, says=[f"toxscreen: {red.run.id}/header.json: the header cannot be read: ", "[journal-corrupt]"]
    )


def test_a_folder_that_is_gone_is_named(red: Recorded) -> None:
    red.change_header(cwd="tests/lost")
    red.project.toxscreen("replay", red.run.id).expect(
        exit=2,
        says=[
            f"toxscreen: run {red.run.id}: was started in tests/lost, which is no folder any more [replay-impossible]\n"
        ],
    )


def test_what_is_not_as_it_was_is_told(red: Recorded, tmp_path: Path, logs: Path) -> None:
    in_tox = f"tox -e unit --hashseed {red.run.header.hash_seed} -- --screen-replay {red.run.id}:LANE"
    lost = os.fspath(tmp_path / "lost" / "python")
    red.change_header(executable=lost, environment="unit")
    lane = first_red_lane(red.run)
    result = red.project.toxscreen("replay", red.run.id, env={"LOGS": os.fspath(logs)})
    assert outcomes_of(result.run, "main") == outcomes_of(red.run, lane)
    result.expect(
        exit=1,
        says=[
            f"not with {lost}, which the run used and which is gone",
            f"without the variables that tox sets for unit; with them: {in_tox}",
            "same order, same outcomes",
        ],
    )


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_an_interpreter_that_cannot_be_started_is_named(red: Recorded, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("", encoding="utf-8")
    red.change_header(executable=os.fspath(broken))
    red.project.toxscreen("replay", red.run.id).expect(
        exit=2, says=[f"toxscreen: {broken}: cannot be started: ", "[tool-missing]"]
    )
