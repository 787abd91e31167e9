"""The kit itself: what it runs is real, what it compares is the whole outcome, what it says shows everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toxscreen.guard.process import is_alive
from toxscreen.model import RunState
from toxscreen.testing import Result, Suite, end_started

THREE = Suite(
    {
        "tests/unit/test_a.py": """
            import pytest

            def test_passes(): print("in the test")
            def test_fails(): assert 1 == 2
            def test_skips(): pytest.skip("not today")
        """
    }
)
OUTCOMES = {
    "tests/unit/test_a.py::test_passes": "passed",
    "tests/unit/test_a.py::test_fails": "failed",
    "tests/unit/test_a.py::test_skips": "skipped",
}


def test_a_run_in_a_process_of_its_own(tmp_path: Path) -> None:
    result = THREE.at(tmp_path).run("--category", "unit", "-n0")
    assert result.expect(exit=1, outcomes=OUTCOMES, says=["assert 1 == 2"], never_says=["in the test"]) is result
    assert result.command == ("python", "-m", "pytest", "--category", "unit", "-n0")
    assert (result.run.state, result.run.exit_status) == (RunState.COMPLETE, 1)
    assert result.text == result.stdout + result.stderr


def test_a_run_in_this_process(tmp_path: Path) -> None:
    project = THREE.with_files({"tests/unit/kit_helper.py": "", "tests/unit/test_b.py": "import kit_helper\n"}).at(
        tmp_path
    )
    folder, path, modules = Path.cwd(), list(sys.path), set(sys.modules)
    result = project.run_inline("--category", "unit", "-p", "no:randomly")
    result.expect(exit=1, outcomes=OUTCOMES, says=["assert 1 == 2", "1 failed, 1 passed, 1 skipped"])
    assert (Path.cwd(), list(sys.path)) == (folder, path)
    assert {"kit_helper", "test_a", "test_b"}.isdisjoint(set(sys.modules) - modules)
    assert result.run.order.lanes[0].node_ids == tuple(OUTCOMES)


def test_a_rule_of_the_inner_run_ends_with_it(tmp_path: Path) -> None:
    calls = "import subprocess\ndef test_calls(): subprocess.run(['true'])\n"
    project = Suite({"tests/unit/test_a.py": calls}).at(tmp_path)
    project.run_inline("--category", "unit").expect(exit=1, outcomes={"tests/unit/test_a.py::test_calls": "failed"})
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"exit": 0}, "exit status 1, expected 0"),
        ({"exit": 1, "outcomes": {**OUTCOMES, "tests/unit/test_a.py::test_more": "passed"}}, "test_more': 'passed'}"),
        ({"exit": 1, "outcomes": {}}, "outcomes {'"),
        ({"exit": 1, "says": ["a pony"]}, "is silent of 'a pony'"),
        ({"exit": 1, "never_says": ["assert 1 == 2"]}, "says 'assert 1 == 2'"),
    ],
)
def test_what_differs_is_told_with_the_command_and_both_streams(
    wrong: dict[str, object], says: str, one_result: Result
) -> None:
    with pytest.raises(AssertionError) as raised:
        one_result.expect(**wrong)  # type: ignore[arg-type]
    told = str(raised.value)
    assert says in told
    assert told.endswith(repr(one_result))
    assert "$ python -m pytest --category unit -n0 -s\nexit 1\n-- stdout\n" in told
    assert "assert 1 == 2" in told.partition("-- stdout")[2].partition("-- stderr")[0]
    assert "a word on stderr" in told.partition("-- stderr")[2]


@pytest.fixture(scope="module")
def one_result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    hook = "import os\ndef pytest_sessionfinish(): os.write(2, b'a word on stderr')\n"
    project = THREE.with_files({"conftest.py": hook}).at(tmp_path_factory.mktemp("kit"))
    return project.run("--category", "unit", "-n0", "-s")


def test_no_run_and_two_runs_are_not_one(tmp_path: Path) -> None:
    project = THREE.at(tmp_path)
    with pytest.raises(AssertionError, match=r"^0 runs were recorded, not one\n") as raised:
        _ = project.run("--version").run
    assert "$ python -m pytest --version" in str(raised.value)
    body = f"""
        import subprocess, sys
        for _ in range(2):
            subprocess.run([sys.executable, "-m", "pytest", "--category", "unit", "-n0", {str(project.root)!r}])
    """
    project.write({"twice.py": body})
    result = project.run(module="twice")
    assert [run.header.category for run in result.runs] == ["unit", "unit"]
    with pytest.raises(AssertionError, match=r"^2 runs were recorded, not one\n"):
        _ = result.run


def test_files_are_dedented_and_replaced(tmp_path: Path) -> None:
    suite = Suite({"a.txt": "    one\n      two\n", "deep/er/b.txt": "ü"})
    more = suite.with_files({"a.txt": "three"})
    project = more.at(tmp_path)
    assert suite.files["a.txt"] == "    one\n      two\n"
    assert (project.root / "a.txt").read_text(encoding="utf-8") == "three"
    assert (project.root / "deep/er/b.txt").read_text(encoding="utf-8") == "ü"
    assert (project.root / "pytest.ini").exists()
    project.write(suite.files)
    assert (project.root / "a.txt").read_text(encoding="utf-8") == "one\n  two\n"
    assert not (Suite({"setup.cfg": ""}).at(tmp_path / "other").root / "pytest.ini").exists()


def test_an_outer_run_does_not_reach_the_inner_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_out = ["PYTEST_ADDOPTS", "TOX_ENV_NAME", "TOXSCREEN_RETENTION", "CI", "PYTHONHASHSEED", "GITHUB_ACTIONS"]
    for name in kept_out:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KEPT", "yes")
    monkeypatch.setenv("DROPPED", "yes")
    project = Suite().at(tmp_path)
    variables = project.environment({"DROPPED": None, "CI": "true", "MORE": "1"})
    assert {name: variables.get(name) for name in (*kept_out, "KEPT", "DROPPED", "MORE")} == {
        **dict.fromkeys(kept_out),
        "CI": "true",
        "KEPT": "yes",
        "DROPPED": None,
        "MORE": "1",
    }
    assert (variables["HOME"], variables["TMPDIR"]) == (os.fspath(tmp_path / "home"), os.fspath(tmp_path / "tmp"))


def test_a_run_that_takes_too_long_is_ended_with_all_its_processes(tmp_path: Path) -> None:
    body = """
        import pathlib, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        pathlib.Path("pid").write_text(str(child.pid))
        child.wait()
    """
    project = Suite({"long.py": body}).at(tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        project.run(module="long", timeout=3)
    child = int((project.root / "pid").read_text(encoding="utf-8"))
    deadline = time.monotonic() + 30
    while is_alive(child):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.05)


def test_what_was_started_is_ended_with_all_its_processes_and_pipes(tmp_path: Path) -> None:
    body = """
        import pathlib, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        pathlib.Path("pid.new").write_text(str(child.pid))
        pathlib.Path("pid.new").rename("pid")
        child.wait()
    """
    project = Suite({"long.py": body, "short.py": ""}).at(tmp_path)
    started = project.start(module="long")
    over = project.start(module="short")
    assert over.wait(60) == 0
    file = project.root / "pid"
    deadline = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    end_started()
    assert (started.returncode, over.returncode) == (-signal.SIGKILL, 0)
    for process in (started, over):
        assert process.stdout is not None
        assert process.stderr is not None
        assert (process.stdout.closed, process.stderr.closed) == (True, True)
    while is_alive(int(file.read_text(encoding="utf-8"))):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.05)


#: Runs a test that asks whether Ctrl-C would end it, in a process that ignores Ctrl-C.
IGNORES = """\
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.SIG_IGN)
from toxscreen.testing import Suite
body = "import signal\\ndef test_a(): assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\\n"
result = Suite({"test_a.py": body}).at(Path(sys.argv[1])).run()
print(result.exit, signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
"""


def test_what_is_started_can_be_interrupted_where_interrupts_are_ignored(tmp_path: Path) -> None:
    command = [sys.executable, "-c", IGNORES, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    assert done.stdout == "0 True\n"


def test_the_command(tmp_path: Path) -> None:
    project = THREE.at(tmp_path)
    project.run("--category", "unit", "-n0").expect(exit=1)
    project.toxscreen("runs").expect(exit=0, says=["unit"], never_says=["Traceback"])
    project.toxscreen("runz").expect(exit=2, never_says=["Traceback"])
