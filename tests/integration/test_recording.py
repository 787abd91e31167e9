"""The record of a run: whole, never mixed, never the reason that a test fails, whatever happens to run and machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toxscreen.errors import CorruptJournalError
from toxscreen.guard.process import is_alive
from toxscreen.journal.read import read_run
from toxscreen.journal.store import is_locked, run_folders
from toxscreen.model import Outcome, Run, RunState
from toxscreen.testing import Project, Suite

#: Seconds after which something that should have happened long ago is missed.
DEADLINE = 50.0
POSIX = os.name == "posix"


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every whole journal line of a run."""
    return [
        json.loads(line)
        for shard in folder.glob("*.jsonl")
        for line in shard.read_text(encoding="utf-8").splitlines(keepends=True)
        if line.endswith("\n")
    ]


def starts_and_ends(folder: Path) -> Counter[tuple[str, str]]:
    return Counter((line["kind"], line["node_id"]) for line in lines(folder) if line["kind"] in {"start", "end"})


def until(question: Callable[[], bool], what: str) -> None:
    """Ask again and again until the answer is yes."""
    deadline = time.monotonic() + DEADLINE
    while not question():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)


def ended_tests(project: Project) -> int:
    """How many tests of the one run have an end line."""
    return sum(line["kind"] == "end" for folder in run_folders(project.root) for line in lines(folder))


@contextlib.contextmanager
def started(project: Project, *arguments: str, module: str = "pytest") -> Iterator[subprocess.Popen[str]]:
    """A run that goes on; whatever is left of it afterwards is ended."""
    process = project.start(*arguments, module=module)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=DEADLINE)


EVERY_OUTCOME = """
    import pytest

    def test_passes(): pass
    def test_fails(): assert 0, "on purpose"
    def test_skips(): pytest.skip("not here")
    @pytest.mark.skip(reason="never")
    def test_skipped(): pass
    @pytest.mark.xfail
    def test_xfails(): assert 0
    @pytest.mark.xfail
    def test_xpasses(): pass
    @pytest.fixture
    def broken(): raise RuntimeError("in set-up")
    def test_set_up(broken): pass
    @pytest.fixture
    def breaks():
        yield
        raise RuntimeError("in teardown")
    def test_teardown(breaks): pass
    def test_both(breaks): assert 0
    def test_chain():
        try:
            {}["key"]
        except KeyError as error:
            raise ValueError("wrapped") from error
"""
OUTCOMES = {
    f"tests/unit/test_a.py::test_{name}": outcome
    for name, outcome in {
        "passes": "passed",
        "fails": "failed",
        "skips": "skipped",
        "skipped": "skipped",
        "xfails": "xfailed",
        "xpasses": "xpassed",
        "set_up": "error",
        "teardown": "error",
        "both": "failed",
        "chain": "failed",
    }.items()
}


@pytest.mark.parametrize(("workers", "lanes"), [("-n0", ["main"]), ("-n2", ["gw0", "gw1"])])
def test_every_test_has_a_start_and_an_end(tmp_path: Path, workers: str, lanes: list[str]) -> None:
    project = Suite({"tests/unit/test_a.py": EVERY_OUTCOME}).at(tmp_path)
    arguments = ("--category", "unit", workers, "--randomly-seed=7")
    run = project.run(*arguments).expect(exit=1, outcomes=OUTCOMES).run
    (folder,) = run_folders(project.root)
    assert starts_and_ends(folder) == Counter((kind, node_id) for kind in ("start", "end") for node_id in OUTCOMES)
    assert (run.state, run.exit_status, run.notes) == (RunState.COMPLETE, 1, ())
    assert sorted(run.collected) == sorted(OUTCOMES)
    assert [lane.name for lane in run.order.lanes] == lanes
    assert (run.header.argv, run.header.cwd, run.header.seed) == (arguments, ".", 7)
    assert run.header.workers == (0 if lanes == ["main"] else 2)
    assert {"python", "toxscreen", "pytest", "pytest-xdist"} <= set(run.header.tools)
    attempts = {attempt.node_id.rpartition("_")[2]: attempt for attempt in run.attempts}
    assert [attempts[name].text for name in ("fails", "skips", "teardown")] == [
        "AssertionError: on purpose",
        "not here",
        "RuntimeError: in teardown",
    ]
    origin = attempts["chain"].origin
    assert origin is not None
    assert (origin.exception, origin.file) == ("ValueError", "tests/unit/test_a.py")
    assert [(cause.exception, cause.line < origin.line) for cause in origin.causes] == [("KeyError", True)]
    for attempt in run.attempts:
        assert run.header.started <= attempt.started
        assert 0 <= attempt.seconds < DEADLINE
    assert (project.root / ".toxscreen" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    left = {path.name for path in folder.iterdir()}
    assert left == {"header.json", "collection.json", "run.jsonl", *(f"{lane}.jsonl" for lane in lanes)}


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    body = "import pytest\n@pytest.mark.parametrize('n', range(40))\ndef test_n(n): pass\n"
    suite = {"tests/unit/test_a.py": body, "tests/integration/test_b.py": body}
    project = Suite(suite).at(tmp_path)
    ids = {
        category: {f"tests/{category}/test_{letter}.py::test_n[{n}]" for n in range(40)}
        for category, letter in (("unit", "a"), ("integration", "b"))
    }
    with started(project, "--category", "unit", "-n2") as one, started(project, "--category", "integration") as other:
        for process in (one, other):
            _, stderr = process.communicate(timeout=DEADLINE)
            assert (process.returncode, stderr) == (0, "")
    runs = {run.header.category: run for run in map(read_run, run_folders(project.root))}
    assert {category: set(run.outcomes) for category, run in runs.items()} == ids
    for run in runs.values():
        assert (run.state, run.notes, set(run.outcomes.values())) == (RunState.COMPLETE, (), {Outcome.PASSED})


MANY = """
    import pytest, time

    @pytest.mark.parametrize("n", range(300))
    def test_n(n): time.sleep(0.05)
"""


def interrupted_run(project: Project) -> Run:
    """The one recorded run; its finished tests passed, and it has no other results."""
    (folder,) = run_folders(project.root)
    run = read_run(folder)
    assert len(run.collected) == 300
    counts = Counter(run.outcomes.values())
    assert set(counts) == {Outcome.PASSED, Outcome.NOT_RUN}
    assert 10 <= counts[Outcome.PASSED] < 300
    assert starts_and_ends(folder).most_common(1)[0][1] == 1
    return run


@pytest.mark.skipif(not POSIX, reason="there is no SIGKILL here")
def test_the_record_outlives_its_killed_leader(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": MANY}).at(tmp_path)
    with started(project, "--category", "unit", "-n2") as process:
        until(lambda: ended_tests(project) >= 10, "ten tests end")
        process.kill()
        process.wait(timeout=DEADLINE)
        (folder,) = run_folders(project.root)
        workers = [line["pid"] for line in lines(folder) if line["kind"] == "lane-up"]
        assert len(workers) == 2
        until(lambda: not any(map(is_alive, workers)), "the workers end by themselves")
    run = interrupted_run(project)
    assert (run.state, run.exit_status, run.failed) == (RunState.DIED, None, True)


@pytest.mark.skipif(not POSIX, reason="there is no SIGKILL here")
def test_the_record_outlives_a_killed_pytest_without_workers(tmp_path: Path) -> None:
    body = """
        import os, signal

        def test_first(): pass
        def test_kills(): os.kill(os.getpid(), signal.SIGKILL)
        def test_last(): pass
    """
    result = Suite({"tests/unit/test_a.py": body}).at(tmp_path).run("--category", "unit", "-n0", "-p", "no:randomly")
    result.expect(
        exit=-signal.SIGKILL,
        outcomes={
            "tests/unit/test_a.py::test_first": "passed",
            "tests/unit/test_a.py::test_kills": "crashed",
            "tests/unit/test_a.py::test_last": "not-run",
        },
        says=["toxscreen: pytest died while it was running tests/unit/test_a.py::test_kills\n"],
    )
    assert result.run.state is RunState.DIED


@pytest.mark.skipif(not POSIX, reason="there is no SIGKILL here")
def test_the_record_outlives_a_killed_tox(tmp_path: Path) -> None:
    tox_ini = f"""
        [tox]
        env_list = unit
        [testenv]
        skip_install = true
        allowlist_externals = *
        commands = {sys.executable} -m pytest --category unit -n2
    """
    project = Suite({"tests/unit/test_a.py": MANY, "tox.ini": tox_ini}).at(tmp_path)
    with started(project, "-e", "unit", module="tox") as process:
        until(lambda: ended_tests(project) >= 10, "ten tests end")
        process.kill()
        process.wait(timeout=DEADLINE)
        (folder,) = run_folders(project.root)
        workers = [line["pid"] for line in lines(folder) if line["kind"] == "lane-up"]
        until(lambda: not is_locked(folder), "pytest ends by itself, with nobody to read what it says")
        until(lambda: not any(map(is_alive, workers)), "its workers do as well")
    run = read_run(folder)
    assert run.header.environment == "unit"
    assert starts_and_ends(folder).most_common(1)[0][1] == 1
    assert Counter(run.outcomes.values())[Outcome.PASSED] >= 10
    assert set(run.outcomes.values()) <= {Outcome.PASSED, Outcome.NOT_RUN}


@pytest.mark.skipif(not POSIX, reason="whether a run goes on cannot be told here")
def test_a_run_that_goes_on_is_said_to_and_is_not_forgotten(tmp_path: Path) -> None:
    project = Suite(
        {
            "tests/unit/test_a.py": MANY,
            "tests/perf/test_b.py": "def test_one(): pass\n",
            "pyproject.toml": "[tool.toxscreen]\nretention = 1\n",
        }
    ).at(tmp_path)
    with started(project, "--category", "unit", "-n2"):
        until(lambda: ended_tests(project) >= 1, "a test ends")
        (folder,) = run_folders(project.root)
        assert read_run(folder).state is RunState.RUNNING
        project.run("--category", "perf").expect(exit=0)
        project.run("--category", "perf").expect(exit=0)
        assert folder in run_folders(project.root)
        assert read_run(folder).state is RunState.RUNNING
    until(lambda: not is_locked(folder), "the lock goes with the process")
    assert read_run(folder).state is RunState.DIED


@pytest.mark.skipif(not POSIX, reason="there are no process groups here")
@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_ctrl_c_keeps_what_is_finished(tmp_path: Path, workers: str) -> None:
    project = Suite({"tests/unit/test_a.py": MANY}).at(tmp_path)
    with started(project, "--category", "unit", workers) as process:
        until(lambda: ended_tests(project) >= 10, "ten tests end")
        os.killpg(process.pid, signal.SIGINT)
        stdout, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert "KeyboardInterrupt" in stdout
    run = interrupted_run(project)
    assert (run.state, run.exit_status) == (RunState.STOPPED, 130)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_first_failure_may_end_a_run(tmp_path: Path, workers: str) -> None:
    body = """
        import pytest

        @pytest.mark.parametrize("n", range(200))
        def test_n(n): assert n != 4
    """
    project = Suite({"tests/unit/test_a.py": body}).at(tmp_path)
    result = project.run("--category", "unit", workers, "-x", "--randomly-dont-reorganize").expect(exit=1)
    assert (result.run.state, result.run.exit_status) == (RunState.STOPPED, 1)
    assert result.outcomes["tests/unit/test_a.py::test_n[4]"] == "failed"
    counts = Counter(result.outcomes.values())
    assert counts["failed"] == 1
    assert counts["not-run"] > 0


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize("file", [".toxscreen", ".toxscreen/runs"])
def test_tests_pass_where_nothing_can_be_recorded(tmp_path: Path, file: str, workers: str) -> None:
    body = "def test_one(): pass\ndef test_two(): pass\n"
    project = Suite({"tests/unit/test_a.py": body, file: "a file where a folder should be"}).at(tmp_path)
    result = project.run("--category", "unit", workers, "-p", "no:cacheprovider")
    result.expect(
        exit=0, says=["2 passed", "warning: the run is not recorded: "], never_says=["Traceback", "toxscreen: run "]
    )
    assert result.text.count("[journal-unwritable]") == 1
    assert result.runs == ()
    assert list((tmp_path / "tmp").glob("toxscreen-*")) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_tests_pass_in_a_folder_that_is_read_only(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_one(): pass\n"}).at(tmp_path)
    project.root.chmod(0o555)
    try:
        result = project.run("--category", "unit", "-n0", "-p", "no:cacheprovider")
    finally:
        project.root.chmod(0o755)
    result.expect(exit=0, says=["1 passed", "warning: the run is not recorded: ", "Permission denied"])
    assert result.text.count("[journal-unwritable]") == 1


#: A limit of file sizes stands in for a disk that is full: from test 3 on nothing can be written.
FULL_DISK = """
    import os, resource
    import pytest

    LIMITS = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full(yes):
        if not hasattr(pytest, "controller"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, LIMITS[1]) if yes else LIMITS)

    def pytest_configure(config):
        if not hasattr(config, "workerinput") and config.option.tx:
            pytest.controller = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(item):
        number = item.callspec.params["n"]
        if number in (3, {free_again}):
            full(number == 3)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(): full(False)
"""
EIGHT = "import pytest\n@pytest.mark.parametrize('n', range(8))\ndef test_n(n): pass\n"


def on_a_full_disk(folder: Path, free_again: int | None) -> Project:
    files = {"conftest.py": FULL_DISK.replace("{free_again}", str(free_again)), "tests/unit/test_a.py": EIGHT}
    return Suite(files).at(folder)


@pytest.mark.skipif(not POSIX, reason="there is no limit of file sizes here")
@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_tests_pass_on_a_full_disk(tmp_path: Path, workers: str) -> None:
    project = on_a_full_disk(tmp_path, None)
    arguments = ("--category", "unit", workers, "-p", "no:randomly", "-p", "no:cacheprovider")
    result = project.run(*arguments)
    result.expect(
        exit=0,
        outcomes={f"tests/unit/test_a.py::test_n[{n}]": "passed" if n < 3 else "not-run" for n in range(8)},
        says=["8 passed", "warning: the record is not whole: "],
    )
    shard = "main" if workers == "-n0" else "gw0"
    assert f"warning: the record is not whole: {shard}.jsonl: File too large [journal-unwritable]" in result.text
    assert result.text.count("[journal-unwritable]") == 1


@pytest.mark.skipif(not POSIX, reason="there is no limit of file sizes here")
def test_a_disk_that_was_full_for_a_while_leaves_a_whole_record(tmp_path: Path) -> None:
    arguments = ("--category", "unit", "-n0", "-p", "no:randomly", "-p", "no:cacheprovider")
    project = on_a_full_disk(tmp_path, 6)
    result = project.run(*arguments).expect(
        exit=0,
        outcomes={f"tests/unit/test_a.py::test_n[{n}]": "passed" for n in range(8)},
        never_says=["journal-unwritable"],
    )
    assert (result.run.state, result.run.notes) == (RunState.COMPLETE, ())


def test_only_the_last_runs_are_kept(tmp_path: Path) -> None:
    project = Suite(
        {"tests/unit/test_a.py": "def test_one(): pass\n", "pyproject.toml": "[tool.toxscreen]\nretention = 2\n"}
    ).at(tmp_path)
    runs = [project.run("--category", "unit", "-n0").expect(exit=0).run.id for _ in range(3)]
    assert [folder.name for folder in run_folders(project.root)] == [runs[2], runs[1]]
    last = project.run("--category", "unit", "-n0", env={"TOXSCREEN_RETENTION": "1"}).expect(exit=0).run.id
    assert [folder.name for folder in run_folders(project.root)] == [last]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_does_not_write_into_the_record(tmp_path: Path) -> None:
    body = """
        import os, sys
        import pytest

        @pytest.mark.parametrize("n", range(6))
        def test_n(n):
            if n == 1:
                # This child goes on as if it were pytest.
                child = os.fork()
                if child:
                    assert os.waitpid(child, 0)[1] == 0
            if n == 3:
                # This one ends in the ordinary way, which waits for threads.
                child = os.fork()
                if not child:
                    sys.exit(7)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    """
    project = Suite({"tests/integration/test_a.py": body}).at(tmp_path)
    result = project.run("--category", "integration", "-n0", "-p", "no:randomly")
    ids = [f"tests/integration/test_a.py::test_n[{n}]" for n in range(6)]
    result.expect(exit=0, outcomes=dict.fromkeys(ids, "passed"))
    (folder,) = run_folders(project.root)
    assert starts_and_ends(folder) == Counter((kind, node_id) for kind in ("start", "end") for node_id in ids)
    assert [line["pid"] for line in lines(folder) if "pid" in line] == [
        line["pid"] for line in lines(folder) if line["kind"] == "lane-up"
    ]
    assert Counter(line["kind"] for line in lines(folder))["finish"] == 1


@pytest.mark.skipif(not POSIX, reason="descriptors are closed otherwise here")
def test_a_test_that_closes_all_descriptors(tmp_path: Path) -> None:
    body = """
        import os, time
        import pytest

        def test_first(): pass

        def test_closes():
            os.closerange(3, 256)
            # Now others get the numbers.
            global FILES
            FILES = [open(f"mine{n}", "w+") for n in range(30)]

        @pytest.mark.parametrize("n", range(4))
        def test_longer_than_the_limit_together(n): time.sleep(0.6)

        def test_nobody_wrote_there():
            for file in FILES:
                assert file.read() == ""
                file.close()
    """
    project = Suite(
        {"tests/unit/test_a.py": body, "pyproject.toml": "[tool.toxscreen.categories.unit]\ntimeout = 1\n"}
    ).at(tmp_path)
    longer = [f"longer_than_the_limit_together[{n}]" for n in range(4)]
    # Coverage and pytest's own log would not survive it.
    result = project.run(
        *("--category", "unit", "-n0", "-s", "-p", "no:randomly", "-p", "no:logging", "-p", "no:faulthandler"),
        env={"COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None},
    )
    result.expect(
        exit=0,
        outcomes={
            f"tests/unit/test_a.py::test_{name}": "passed"
            for name in ("first", "closes", *longer, "nobody_wrote_there")
        },
        never_says=["died", "warning: the record", "Traceback"],
    )
    assert (result.run.state, result.run.notes) == (RunState.COMPLETE, ())


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_a_test_that_replaces_clock_and_os(tmp_path: Path, workers: str) -> None:
    body = """
        import os, time

        def test_first(): pass

        def test_replaces():
            def broken(*arguments, **options): raise RuntimeError("not for toxscreen")
            time.time = time.perf_counter = time.monotonic = lambda: 0.0
            for name in ("open", "write", "close", "getpid", "pwrite", "unlink"):
                setattr(os, name, broken)

        def test_last(): pass
    """
    hook = """
        import os, time
        import pytest

        KEPT = [(module, name, getattr(module, name)) for module, names in (
            (os, ("open", "write", "close", "getpid", "pwrite", "unlink")),
            (time, ("time", "perf_counter", "monotonic")),
        ) for name in names if hasattr(module, name)]

        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish():
            for module, name, value in KEPT:
                setattr(module, name, value)
    """
    project = Suite({"tests/unit/test_a.py": body, "conftest.py": hook}).at(tmp_path)
    before = time.time()
    result = project.run("--category", "unit", workers, "-p", "no:randomly", "-p", "no:cacheprovider")
    result.expect(
        exit=0,
        outcomes={f"tests/unit/test_a.py::test_{name}": "passed" for name in ("first", "replaces", "last")},
        never_says=["not for toxscreen", "warning:"],
    )
    assert result.run.state is RunState.COMPLETE
    times = [attempt.started for attempt in result.run.attempts]
    assert before <= times[0] <= times[1] <= times[2] <= time.time()


def test_names_of_all_kinds(tmp_path: Path) -> None:
    body = """
        import pytest

        @pytest.mark.parametrize("value", [1, 2, 3, 4, 5, 6], ids=[
            "with space", "[brackets]", "ümläut-日本", "line\\nfeed", "co::lon", "sla/sh \\\\ \\"quote\\" 'tick'",
        ])
        def test_n(value): pass
    """
    setting = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support"
    project = Suite(
        {"tests/unit/tést with space.py": body, "pytest.ini": f"[pytest]\n{setting} = true\npython_files = *.py\n"}
    ).at(tmp_path / "prøject with späce")
    names = ["with space", "[brackets]", "ümläut-日本", "line\nfeed", "co::lon", "sla/sh \\ \"quote\" 'tick'"]
    result = project.run("--category", "unit", "-n2").expect(
        exit=0, outcomes={f"tests/unit/tést with space.py::test_n[{name}]": "passed" for name in names}
    )
    assert (result.run.state, result.run.notes) == (RunState.COMPLETE, ())


def test_a_record_without_a_header_is_told_and_hides_no_other(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_one(): pass\n"}).at(tmp_path)
    first = project.run("--category", "unit", "-n0").run
    (folder,) = run_folders(project.root)
    (folder / "header.json").unlink()
    with pytest.raises(CorruptJournalError, match="the header cannot be read"):
        read_run(folder)
    second = project.run("--category", "unit", "-n0").expect(exit=0).run
    assert first.id != second.id


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_record_that_is_removed_while_it_is_made(tmp_path: Path, workers: str) -> None:
    body = """
        import pathlib, shutil

        def test_removes(): shutil.rmtree(pathlib.Path(__file__).parents[2] / ".toxscreen")
        def test_last(): pass
    """
    project = Suite({"tests/unit/test_a.py": body}).at(tmp_path)
    result = project.run("--category", "unit", workers, "-p", "no:randomly")
    result.expect(exit=0, says=["2 passed", "was removed while it ran [journal-unwritable]"], never_says=["Traceback"])
    assert (result.runs, result.stderr, run_folders(project.root)) == ((), "", [])


def test_a_test_that_breaks_sleeping_for_good(tmp_path: Path) -> None:
    body = """
        import time

        def broken(seconds): raise ZeroDivisionError

        def test_breaks(): time.sleep = broken
    """
    result = Suite({"tests/unit/test_a.py": body}).at(tmp_path).run("--category", "unit", "-n0")
    result.expect(exit=0, outcomes={"tests/unit/test_a.py::test_breaks": "passed"}, never_says=["Traceback"])


def test_a_red_run_without_a_terminal_says_how_to_replay_it(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_one(): assert 0\n"}).at(tmp_path)
    result = project.run("--category", "unit", "-n0", "-p", "no:terminal")
    result.expect(exit=1, outcomes={"tests/unit/test_a.py::test_one": "failed"})
    (line,) = result.stderr.splitlines()
    assert line.startswith("toxscreen: replay main: ")
    assert line.endswith(f"replay {result.run.id} --lane main --until tests/unit/test_a.py::test_one")
