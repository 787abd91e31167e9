"""``toxscreen runs`` on what real runs recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toxscreen.cli.run_page import summary, utc
from toxscreen.journal.store import run_folders
from toxscreen.model import Lane, Run
from toxscreen.testing import Project, Suite

SUITE = Suite(
    {
        "tests/unit/test_a.py": """\
            import os
            import signal
            import pytest

            @pytest.mark.parametrize("text", ["a:b", "[c]", "ü"])
            def test_text(text):
                pass

            def test_wrong():
                assert {"a": 1} == {"a": 2}

            def test_leak():
                os.environ["LEFT_BEHIND"] = "1"

            @pytest.mark.skip(reason="not today")
            def test_skipped():
                pass

            def test_crash():
                os.kill(os.getpid(), signal.SIGSEGV)
            """,
    }
)
OUTCOMES = {
    "tests/unit/test_a.py::test_text[a:b]": "passed",
    "tests/unit/test_a.py::test_text[[c]]": "passed",
    "tests/unit/test_a.py::test_text[\\xfc]": "passed",
    "tests/unit/test_a.py::test_wrong": "failed",
    "tests/unit/test_a.py::test_leak": "error",
    "tests/unit/test_a.py::test_skipped": "skipped",
    "tests/unit/test_a.py::test_crash": "crashed",
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run, Run]:
    """A project with two runs: a red one of workers, then a green one in process."""
    project = SUITE.at(tmp_path_factory.mktemp("recorded"))
    red = project.run("--category", "unit", "-n", "2").expect(exit=1, outcomes=OUTCOMES).run
    green = project.run("--category", "unit", "-n", "0", "-k", "text").expect(exit=0).run
    return project, red, green


@pytest.fixture
def spoilt(recorded: tuple[Project, Run, Run], tmp_path: Path) -> Project:
    """A copy of the project, to be changed."""
    project = Project(tmp_path / "project", tmp_path)
    shutil.copytree(recorded[0].root, project.root)
    return project


def shard(project: Project, run: Run, name: str) -> Path:
    return project.root / ".toxscreen" / "runs" / run.id / name


def document(text: str) -> dict[str, Any]:
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def lane_of(run: Run, node_id: str) -> Lane:
    return next(lane for lane in run.order.lanes if node_id in lane.node_ids)


# the list


def test_runs_are_listed_newest_first(recorded: tuple[Project, Run, Run]) -> None:
    project, red, green = recorded
    result = project.toxscreen("runs").expect(exit=0)
    title, _, columns, *rows = result.stdout.splitlines()
    assert (title, columns.split("  ")[0], "Started (UTC)" in columns) == ("2 recorded runs, newest first", "Run", True)
    assert [tuple(row.split()) for row in rows] == [
        (green.id, "unit", *utc(green.header.started).split(), "complete", "3", "0", rows[0].split()[7], "in-process"),
        (red.id, "unit", *utc(red.header.started).split(), "complete", "7", "3", rows[1].split()[7], "2"),
    ]


def test_the_list_as_data(recorded: tuple[Project, Run, Run]) -> None:
    project, red, green = recorded
    result = project.toxscreen("runs", "--json", cwd=project.root / "tests").expect(exit=0)
    assert document(result.stdout) == {
        "schema": 1,
        "recorded": 2,
        "runs": [{**summary(green), "error": None}, {**summary(red), "error": None}],
    }
    assert result.stderr.startswith("2 recorded runs, newest first\n")


def test_where_nothing_is_recorded_the_list_says_so(tmp_path: Path) -> None:
    project = Suite().at(tmp_path)
    result = project.toxscreen("runs", "--json").expect(exit=0)
    assert document(result.stdout) == {"schema": 1, "recorded": 0, "runs": []}
    assert result.stderr == f"no run is recorded in {project.root}\n`pytest --category NAME` records one\n"


def test_only_the_newest_are_listed_unless_all_are_asked_for(
    spoilt: Project, recorded: tuple[Project, Run, Run]
) -> None:
    _, red, green = recorded
    older = [f"20200101T0000{second:02d}Z-unit-0000" for second in range(20)]
    for name in older:
        shutil.copytree(shard(spoilt, green, "."), shard(spoilt, green, f"../{name}"))
    result = spoilt.toxscreen("runs").expect(exit=0)
    title, _, _, *rows, _, closing = result.stdout.splitlines()
    assert (title, len(rows)) == ("22 recorded runs, newest first", 20)
    assert closing == "2 older; --all lists every one"
    result = spoilt.toxscreen("runs", "--all", "--json").expect(exit=0)
    told = document(result.stdout)
    assert (told["recorded"], len(told["runs"])) == (22, 22)
    assert [each["run"] for each in told["runs"][:2]] == [green.id, red.id]
    assert "older" not in result.stderr


def test_what_is_particular_stands_in_the_remark(spoilt: Project, recorded: tuple[Project, Run, Run]) -> None:
    _, _, green = recorded
    header = shard(spoilt, green, "header.json")
    record = json.loads(header.read_text(encoding="utf-8"))
    header.write_text(json.dumps(record | {"environment": "unit", "replay_of": "R:gw0"}), encoding="utf-8")
    lines = shard(spoilt, green, "run.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    last = json.loads(lines[-1])
    assert last["kind"] == "finish"
    shard(spoilt, green, "run.jsonl").write_text("".join([*lines[:-1], json.dumps(last | {"status": 130}) + "\n"]))
    rows = spoilt.toxscreen("runs").expect(exit=0).stdout.splitlines()
    (row,) = (row for row in rows if row.startswith(green.id))
    assert row.endswith("in-process  replay of R:gw0, tox environment unit, exit status 130")


def test_unreadable_runs_are_rows_with_the_reason(spoilt: Project, recorded: tuple[Project, Run, Run]) -> None:
    _, red, green = recorded
    header = shard(spoilt, green, "header.json")
    header.write_text(json.dumps(json.loads(header.read_text(encoding="utf-8")) | {"started": 99_999_999_999_999}))
    lane = red.order.lanes[0].name
    with shard(spoilt, red, f"{lane}.jsonl").open("r+", encoding="utf-8") as file:
        file.write("spoilt ")
    result = spoilt.toxscreen("runs", "--json").expect(exit=0)
    told = document(result.stdout)["runs"]
    assert {each["run"]: each["error"]["place"] for each in told} == {
        green.id: f"{green.id}/header.json",
        red.id: f"{red.id}/{lane}.jsonl:1",
    }
    for each in told:
        (row,) = (row for row in result.stderr.splitlines() if row.startswith(each["run"]))
        assert row.split("  ")[3].strip() == "unreadable" or "  unreadable  " in row
        assert row.endswith(f"{each['error']['place']}: {each['error']['message']}")


# one run


def test_one_run_is_shown_to_a_person(recorded: tuple[Project, Run, Run]) -> None:
    project, red, _ = recorded
    result = project.toxscreen("runs", red.id[8:]).expect(exit=0)
    lines = result.stdout.splitlines()
    assert lines[0] == f"run {red.id}"
    assert "complete, exit status 1" in lines
    assert "tests: 3 passed, 1 failed, 1 error, 1 skipped, 1 crashed" in lines
    assert f"seed {red.header.seed}, PYTHONHASHSEED {red.header.seed}" in lines
    assert "pytest was given, in .: --category unit -n 2" in lines
    assert {"Slowest 7 tests", "Failures", "Leaks"} <= set(lines)
    for lane in filter(lambda lane: lane.node_ids, red.order.lanes):
        start = lines.index(f"Order on {lane.name}") + 2
        shown = [line.split() for line in lines[start : start + len(lane.node_ids)]]
        assert [(words[0], words[1]) for words in shown] == [
            (str(place), node_id) for place, node_id in enumerate(lane.node_ids, 1)
        ]
    crash = "tests/unit/test_a.py::test_crash"
    lane_name = lane_of(red, crash).name
    kept = result.stdout[result.stdout.index(f"\n{crash} on {lane_name}: crashed\n") :]
    assert f"{crash} was running when {lane_name} died: it was killed by SIGSEGV" in kept
    assert "in test_crash" in kept
    (leak,) = (
        line for line in lines if line.split()[:2] == ["tests/unit/test_a.py::test_leak", "os.environ['LEFT_BEHIND']"]
    )
    (kept_leak,) = (each for attempt in red.attempts for each in attempt.leaks)
    assert leak.split("  ")[-1].strip() == kept_leak.after
    assert f" replay {red.id} --lane {lane_name} --until " in result.stdout


def test_one_run_as_data(recorded: tuple[Project, Run, Run]) -> None:
    project, red, _ = recorded
    result = project.toxscreen("runs", red.id, "--json").expect(exit=0)
    told = document(result.stdout)
    assert told["schema"] == 1
    assert told["outcomes"] == OUTCOMES
    assert [(lane["name"], tuple(lane["node_ids"])) for lane in told["lanes"]] == [
        (lane.name, lane.node_ids) for lane in red.order.lanes
    ]
    assert [(each["node_id"], each["lane"], each["place"], each["outcome"]) for each in told["attempts"]] == [
        (each.node_id, each.lane, each.place, each.outcome) for each in red.attempts
    ]
    for replay in told["replay"]:
        command = replay["command"]
        assert command[-6:-1] == ["replay", red.id, "--lane", replay["lane"], "--until"]
        assert OUTCOMES[command[-1]] in {"failed", "error", "crashed"}
    assert {replay["lane"] for replay in told["replay"]} == {each.lane for each in red.attempts if each.outcome.red}


def test_the_last_run_is_the_newest(recorded: tuple[Project, Run, Run]) -> None:
    project, _, green = recorded
    result = project.toxscreen("runs", "last", "--order").expect(exit=0)
    assert result.stdout.startswith(f"run {green.id}\n")
    assert "Failures" not in result.stdout


def test_a_torn_last_line_is_noted_and_the_rest_is_shown(spoilt: Project, recorded: tuple[Project, Run, Run]) -> None:
    _, _, green = recorded
    path = shard(spoilt, green, "main.jsonl")
    content = path.read_bytes()[:-10]
    path.write_bytes(content)
    torn = len(content.rpartition(b"\n")[2])
    result = spoilt.toxscreen("runs", green.id).expect(exit=0)
    lines = result.stdout.splitlines()
    assert f"note: main.jsonl: the last line is torn, its {torn} bytes are left out" in lines
    assert f"cut off on main: {green.order.lanes[0].node_ids[-1]}" in lines
    assert "tests: 2 passed, 1 not-run" in lines


@pytest.mark.parametrize("number", [1, 3])
def test_a_spoilt_line_is_an_error_with_file_and_line(
    spoilt: Project, recorded: tuple[Project, Run, Run], number: int
) -> None:
    _, _, green = recorded
    path = shard(spoilt, green, "main.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = b'{"kind": "start", "time"\n'
    path.write_bytes(b"".join(lines))
    result = spoilt.toxscreen("runs", green.id)
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr.startswith(f"toxscreen: {green.id}/main.jsonl:{number}: is no journal line: ")
    assert result.stderr.splitlines()[0].endswith(" [journal-corrupt]")


def test_an_unknown_run_is_an_error_that_names_the_newest(recorded: tuple[Project, Run, Run]) -> None:
    project, _, green = recorded
    result = project.toxscreen("runs", "20991231")
    assert (result.exit, result.stdout) == (2, "")
    first, hint = result.stderr.splitlines()
    assert first == "toxscreen: run '20991231': is not recorded [run-unknown]"
    assert hint == f"  newest: {green.id}; `toxscreen runs --all` lists all"


def test_an_ambiguous_part_is_an_error_that_names_what_matches(recorded: tuple[Project, Run, Run]) -> None:
    project, _, _ = recorded
    result = project.toxscreen("runs", "unit")
    names = [folder.name for folder in run_folders(project.root)]
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr == f"toxscreen: run 'unit': 2 runs match [run-unknown]\n  {'; '.join(names)}\n"


def test_last_of_nothing_is_an_error(tmp_path: Path) -> None:
    result = Suite().at(tmp_path).toxscreen("runs", "last")
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr == "toxscreen: run 'last': is not recorded [run-unknown]\n  no run is recorded here yet\n"


# where one stands


def test_runs_of_a_subproject_that_pytest_recorded_further_up(tmp_path: Path) -> None:
    project = Suite(
        {
            "pyproject.toml": "[tool.pytest.ini_options]\n",
            "pkg/pyproject.toml": "[project]\nname = 'pkg'\n",
            "pkg/tests/test_a.py": "import pytest\n@pytest.mark.unit\ndef test_red(): raise AssertionError\n",
        }
    ).at(tmp_path)
    inside = project.root / "pkg"
    outcomes = {"pkg/tests/test_a.py::test_red": "failed"}
    first = project.run("--category", "unit", "-n0", cwd=inside).expect(exit=1, outcomes=outcomes).run
    shown = project.toxscreen("runs", "last", cwd=inside).expect(exit=0)
    assert shown.stdout.startswith(f"run {first.id}\n")
    again = project.toxscreen("replay", "last", cwd=inside).expect(exit=1, outcomes=outcomes).run
    assert again.header.replay_of == f"{first.id}:main"


@pytest.mark.parametrize("command", [("runs",), ("replay",), ("coverage", "unit")], ids=lambda words: words[0])
def test_a_current_folder_that_is_gone_is_an_error(tmp_path: Path, command: tuple[str, ...]) -> None:
    project = Suite().at(tmp_path)
    gone = tmp_path / "gone"
    gone.mkdir()
    script = "import os, sys, toxscreen.cli.main as cli; os.rmdir(os.getcwd()); sys.exit(cli.main(sys.argv[1:]))"
    (project.root / "gone.py").write_text(script)
    env = {"PYTHONPATH": str(project.root)}
    result = project.run(*command, module="gone", env=env, cwd=gone)
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr == (
        "toxscreen: the current folder cannot be used: No such file or directory [config-invalid]\n"
        "  change to a folder of the project\n"
    )


@pytest.mark.parametrize("arguments", [("runs", "--json"), ("runs", "nonsense", "--json")], ids=["answer", "error"])
def test_a_reader_of_the_data_that_has_gone_away_is_no_error(
    recorded: tuple[Project, Run, Run], arguments: tuple[str, ...]
) -> None:
    project, _, _ = recorded
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "toxscreen", *arguments],
            cwd=project.root,
            env=project.environment(),
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(write)
    assert done.returncode == (0 if arguments == ("runs", "--json") else 2)
    first = "2 recorded runs, newest first" if done.returncode == 0 else "toxscreen: run 'nonsense': is not recorded"
    assert done.stderr.startswith(first)
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_name_is_no_run(recorded: tuple[Project, Run, Run]) -> None:
    project, _, green = recorded
    for command in ("runs", "replay"):
        result = project.toxscreen(command, "")
        assert (result.exit, result.stdout, result.runs) == (2, "", ())
        assert result.stderr == (
            "toxscreen: run '': is not recorded [run-unknown]\n"
            f"  newest: {green.id}; `toxscreen runs --all` lists all\n"
        )
