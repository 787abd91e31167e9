"""``toxscreen runs RUN --timeline`` on real runs, and on what cannot be shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from toxscreen.cli.timeline_page import words
from toxscreen.model import BoundKind, Run
from toxscreen.plan.bounds import bounds
from toxscreen.plan.spent import did
from toxscreen.plan.timeline import timeline
from toxscreen.testing import Project, Suite

FILE = "tests/integration/test_a.py"
SUITE = Suite(
    {
        FILE: """\
            import subprocess
            import sys
            import time

            import pytest

            COMPUTE = "import time\\nwhile time.process_time() < 0.1: pass"

            @pytest.fixture(scope="session")
            def database():
                time.sleep(0.1)
                return "database"

            def test_long():
                time.sleep(4)

            def test_computes():
                end = time.process_time() + 0.1
                while time.process_time() < end:
                    pass

            def test_programs():
                subprocess.run([sys.executable, "-c", COMPUTE], check=True)

            @pytest.mark.parametrize("number", range(8))
            def test_small(number, database):
                assert database
            """,
    }
)
TESTS = 11


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run]:
    """A project, and a green run of it with two workers."""
    project = SUITE.at(tmp_path_factory.mktemp("recorded"))
    return project, project.run("--category", "integration", "-n", "2").expect(exit=0).run


def document(text: str) -> dict[str, Any]:
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_the_long_test_is_named_and_both_files_lie_with_the_run(recorded: tuple[Project, Run]) -> None:
    project, run = recorded
    result = project.toxscreen("runs", "last", "--timeline").expect(exit=0)
    lines = result.stdout.splitlines()
    folder = Path(".toxscreen") / "runs" / run.id
    assert lines[0] == f"where the time of run {run.id} went"
    assert lines[2].startswith(f"{TESTS} tests on 2 workers took ")
    line = timeline(run)
    found = bounds(line, int(run.header.host["cores"]))
    assert tuple(lines[1 : lines.index("", 1)]) == words(run, line, found)
    # How much that is of a run depends on how long a busy machine takes to start workers.
    (long,) = (bound for bound in found.bounds if bound.kind is BoundKind.LONG_TEST)
    assert long.words.startswith(f"{FILE}::test_long (4.")
    (slowest,) = (each.split() for each in lines if each.startswith(f"{FILE}::test_long ") and " gw" in each)
    assert 4 <= float(slowest[2]) < 7
    assert lines[-2:] == [
        f"picture: {folder / 'timeline.svg'}",
        f"trace: {folder / 'timeline.json'} (open it in https://ui.perfetto.dev)",
    ]
    trace = document((project.root / folder / "timeline.json").read_text(encoding="utf-8"))
    tests = [event for event in trace["traceEvents"] if event.get("cat") == "test"]
    assert sorted(event["args"]["node_id"] for event in tests) == sorted(run.collected)
    assert {event["args"]["outcome"] for event in tests} == {"passed"}
    assert {event["cat"] for event in trace["traceEvents"] if event["ph"] == "X"} >= {"starting", "test", "call"}
    top = ET.fromstring((project.root / folder / "timeline.svg").read_text(encoding="utf-8"))
    texts = ["".join(each.itertext()) for each in top.iter("{http://www.w3.org/2000/svg}text")]
    assert f"{FILE}::test_long" in texts
    assert {"gw0", "gw1"} <= set(texts)


def test_the_same_as_data(recorded: tuple[Project, Run], tmp_path: Path) -> None:
    project, run = recorded
    result = project.toxscreen("runs", run.id, "--timeline", "--json", "--output", str(tmp_path)).expect(exit=0)
    told = document(result.stdout)
    assert (told["schema"], told["run"], told["workers"]) == (1, run.id, 2)
    assert told["files"] == {"trace": str(tmp_path / "timeline.json"), "picture": str(tmp_path / "timeline.svg")}
    assert {path.name for path in tmp_path.iterdir()} == {"timeline.json", "timeline.svg"}
    assert {"long-test", "start-up"} <= {each["kind"] for each in told["bounds"]}
    (long,) = (each for each in told["bounds"] if each["kind"] == "long-test")
    assert list(long["evidence"]["tests"]) == [f"{FILE}::test_long"]
    assert 0 < long["gain"] <= 4.1
    assert sum(lane["tests"] for lane in told["lanes"]) == TESTS
    for lane in told["lanes"]:
        assert lane["busy"] + lane["before_tests"] + lane["idle"] + lane["after"] == pytest.approx(told["seconds"])
    # Whether what computes does not wait for a core most of the time is the machine's business.
    slow = {each["node_id"]: each["did"] for each in told["slow_tests"]}
    assert slow.items() <= {attempt.node_id: did(attempt) for attempt in run.attempts}.items()
    assert slow[f"{FILE}::test_long"] in {"waited", "slept 4.0 s"}
    assert told["slow_tests"][0]["spent"]["cpu"] < 1.5
    assert result.stderr.startswith(f"where the time of run {run.id} went\n")


def test_a_run_in_one_process(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    run = project.run("--category", "integration", "-n", "0", "-k", "small").expect(exit=0).run
    result = project.toxscreen("runs", run.id, "--timeline", "--json", "--output", str(tmp_path)).expect(exit=0)
    assert "8 tests on 1 worker took " in result.stderr
    (lane,) = document(result.stdout)["lanes"]
    assert (lane["name"], lane["tests"]) == ("main", 8)
    assert lane["busy"] >= 0.1


def test_what_took_the_time_is_said_among_the_slowest_tests(recorded: tuple[Project, Run]) -> None:
    project, run = recorded
    lines = project.toxscreen("runs", run.id).expect(exit=0).stdout.splitlines()
    (columns,) = (line for line in lines if line.startswith("Test ") and "Waited s" in line)
    assert columns.endswith("Did")
    rows = {line.split()[0]: line for line in lines if line.startswith(f"{FILE}::") and " %" in line}
    assert len(rows) == 10
    for attempt in run.attempts:
        if attempt.node_id in rows:
            assert rows[attempt.node_id].endswith(f"  {did(attempt)}")


# what cannot be shown, or written


def test_a_timeline_needs_a_run(recorded: tuple[Project, Run]) -> None:
    result = recorded[0].toxscreen("runs", "--timeline")
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr == (
        "toxscreen: --timeline: needs the run whose time it is about [config-invalid]\n"
        "  toxscreen runs last --timeline\n"
    )


def test_a_folder_without_a_timeline_is_a_mistake(recorded: tuple[Project, Run]) -> None:
    result = recorded[0].toxscreen("runs", "last", "--output", ".")
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr == "toxscreen: --output: is for --timeline only [config-invalid]\n"


def test_an_unknown_run_is_an_error(recorded: tuple[Project, Run]) -> None:
    result = recorded[0].toxscreen("runs", "20991231", "--timeline")
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr.startswith("toxscreen: run '20991231': is not recorded [run-unknown]\n")


def test_a_folder_that_is_not_there_is_an_error(recorded: tuple[Project, Run]) -> None:
    result = recorded[0].toxscreen("runs", "last", "--timeline", "--output", "not/there")
    assert (result.exit, result.stdout) == (2, "")
    told = (
        "cannot be written: there is no folder there [report-unwritable]\n  name another folder with --output FOLDER\n"
    )
    trace, picture = (f"not/there/{name}" for name in ("timeline.json", "timeline.svg"))
    assert result.stderr == f"toxscreen: {trace}: {told.rstrip()}\n{picture}: {told}"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no folder here in which nobody may write")
def test_a_folder_that_takes_no_files_is_an_error(recorded: tuple[Project, Run]) -> None:
    result = recorded[0].toxscreen("runs", "last", "--timeline", "--output", "/proc")
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr.startswith("toxscreen: /proc/timeline.json: cannot be written: ")
    assert result.stderr.count("[report-unwritable]") == 2
    assert "Traceback" not in result.stderr


def test_what_stands_in_the_way_in_the_folder_of_the_run_is_an_error(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_one(): pass\n"}).at(tmp_path)
    run = project.run("--category", "unit", "-n", "0").expect(exit=0).run
    (project.root / ".toxscreen" / "runs" / run.id / "timeline.svg").mkdir()
    result = project.toxscreen("runs", "last", "--timeline")
    assert (result.exit, result.stdout) == (2, "")
    assert result.stderr == (
        f"toxscreen: .toxscreen/runs/{run.id}/timeline.svg: cannot be written: is no file [report-unwritable]\n"
        "  name another folder with --output FOLDER\n"
    )
    below = project.toxscreen("runs", "last", "--timeline", "--output", ".", cwd=project.root / "tests").expect(exit=0)
    assert "picture: ./timeline.svg\n" in below.stdout
    assert (project.root / "tests" / "timeline.svg").is_file()
