"""Tests that hang or end their process: named with stacks or signal, in time, and at the cost of no other result."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from toxscreen.journal.store import run_folders
from toxscreen.model import Attempt, Outcome, RunState
from toxscreen.testing import Project, Result, Suite

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals cannot be blocked here")

FILE = "tests/unit/test_a.py"
#: Seconds that a test of these suites may take, and seconds after which it must have been named at the latest.
LIMIT, LATEST = 1.0, 3.0
SETTINGS = {"pyproject.toml": f"[tool.toxscreen.categories.unit]\ntimeout = {LIMIT}\n"}

OTHERS = """
    import ctypes, os, signal, threading, time
    import pytest

    @pytest.mark.parametrize("n", range(8))
    def test_other(n): pass

    def wait_for_ever():
        time.sleep(300)

    def hang_in_c():
        '''Hold the interpreter's lock, with every signal blocked.'''
        threading.Thread(target=wait_for_ever, daemon=True, name="bystander").start()
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        ctypes.PyDLL(None).sleep(60)
"""
OTHERS_PASSED = {f"{FILE}::test_other[{n}]": "passed" for n in range(8)}


def suite(tests: str) -> Suite:
    return Suite({FILE: OTHERS + tests, **SETTINGS})


def attempt_of(result: Result, test: str) -> Attempt:
    (attempt,) = [attempt for attempt in result.run.attempts if attempt.node_id == f"{FILE}::test_{test}"]
    return attempt


SLEEPS = """
    def test_sleeps():
        threading.Thread(target=wait_for_ever, daemon=True, name="bystander").start()
        time.sleep(60)

    @pytest.mark.timeout(0.5)
    def test_has_a_limit_of_its_own(): time.sleep(60)
"""


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_test_that_sleeps(tmp_path: Path, workers: str) -> None:
    result = suite(SLEEPS).at(tmp_path).run("--category", "unit", workers)
    result.expect(
        exit=1,
        outcomes={
            **OTHERS_PASSED,
            f"{FILE}::test_sleeps": "timed-out",
            f"{FILE}::test_has_a_limit_of_its_own": "timed-out",
        },
        says=[
            "Timeout (>1.0s)",
            "Timeout (>0.5s)",
            "stacks of the other threads",
            "thread bystander",
            "in wait_for_ever",
        ],
    )
    assert result.run.state is RunState.COMPLETE
    # pytest-timeout's clock starts a little before that of the phases.
    assert LIMIT - 0.1 <= attempt_of(result, "sleeps").seconds <= LATEST


def hung(result: Result, test: str, lane: str, seconds: float = LIMIT) -> str:
    """Check one hang that was ended: in time, and named with its place; the text that names it."""
    attempt = attempt_of(result, test)
    assert (attempt.outcome, attempt.lane) == (Outcome.TIMED_OUT, lane)
    assert seconds <= attempt.seconds <= seconds + LATEST - LIMIT
    text = attempt.text or ""
    first, _, stacks = text.partition("\n\nstacks of all threads:\n")
    assert first == (
        f"{FILE}::test_{test} outlived its limit of {seconds:g} s on {lane}, could not be interrupted and was ended"
    )
    assert "in hang_in_c\n" in stacks
    assert "in wait_for_ever\n" in stacks
    assert "... called by pytest" in stacks
    return text


HANGS = "\n    def test_hangs(): hang_in_c()\n"


def test_a_hang_in_c_without_workers(tmp_path: Path) -> None:
    result = (
        suite(HANGS + "    def test_after(): pass\n").at(tmp_path).run("--category", "unit", "-n0", "-p", "no:randomly")
    )
    result.expect(
        exit=-signal.SIGKILL,
        outcomes={**OTHERS_PASSED, f"{FILE}::test_hangs": "timed-out", f"{FILE}::test_after": "not-run"},
        says=["toxscreen: every test that finished before is kept, see `toxscreen runs "],
    )
    assert hung(result, "hangs", "main") in result.stderr
    assert (result.run.state, result.run.failed) == (RunState.DIED, True)


def test_a_hang_in_c_under_xdist(tmp_path: Path) -> None:
    tests = """
    def test_hangs(): hang_in_c()

    @pytest.fixture
    def set_up(): hang_in_c()

    @pytest.mark.timeout(1.5)
    def test_hangs_in_set_up(set_up): pass

    @pytest.fixture
    def torn_down():
        yield
        hang_in_c()

    def test_hangs_in_teardown(torn_down): pass
    """
    names = {"hangs": LIMIT, "hangs_in_set_up": 1.5, "hangs_in_teardown": LIMIT}
    result = suite(tests).at(tmp_path).run("--category", "unit", "-n2")
    result.expect(exit=1, outcomes={**OTHERS_PASSED, **{f"{FILE}::test_{name}": "timed-out" for name in names}})
    assert (result.run.state, result.run.exit_status) == (RunState.COMPLETE, 1)
    for name, seconds in names.items():
        attempt = attempt_of(result, name)
        told = hung(result, name, attempt.lane, seconds)
        assert told.partition("\n")[0] in result.stdout
        assert f"in test_{name}\n" in told or name != "hangs"
        assert f"replay {attempt.lane}: " in result.stdout


def test_a_hang_in_c_where_all_categories_run_together(tmp_path: Path) -> None:
    files = {
        "tests/integration/test_b.py": "import time\ndef test_takes_longer(): time.sleep(1.2)\n",
        "tests/perf/test_c.py": "def test_other(): pass\n",
    }
    result = suite(HANGS).with_files(files).at(tmp_path).run("-n2")
    result.expect(
        exit=1,
        outcomes={
            **OTHERS_PASSED,
            f"{FILE}::test_hangs": "timed-out",
            "tests/integration/test_b.py::test_takes_longer": "passed",
            "tests/perf/test_c.py::test_other": "passed",
        },
    )
    hung(result, "hangs", attempt_of(result, "hangs").lane)


SLOW_FIXTURES = """
    @pytest.fixture
    def slow():
        time.sleep(2.5)
        yield
        time.sleep(2.5)

    @pytest.mark.timeout(0.5{marker})
    def test_passes(slow): pass

    @pytest.mark.timeout(0.5{marker})
    def test_sleeps(slow): time.sleep(60)

    @pytest.mark.timeout(0.5{marker})
    def test_hangs(slow): hang_in_c()

    @pytest.mark.timeout(0.5{marker})
    def test_exits(slow): os._exit(3)

    @pytest.fixture
    def fatal(): os._exit(4)

    @pytest.mark.timeout(0.5{marker})
    def test_exits_in_set_up(fatal): pass
"""


@pytest.mark.parametrize(
    ("marker", "setting"), [(", func_only=True", "false"), ("", "true")], ids=["marker", "setting"]
)
def test_a_limit_for_the_function_alone_spares_its_fixtures(tmp_path: Path, marker: str, setting: str) -> None:
    files = {"pytest.ini": f"[pytest]\ntimeout_func_only = {setting}\n"}
    project = suite(SLOW_FIXTURES.format(marker=marker)).with_files(files).at(tmp_path)
    result = project.run("--category", "unit", "-n2")
    ends = {
        "passes": "passed",
        "sleeps": "timed-out",
        "hangs": "timed-out",
        "exits": "crashed",
        "exits_in_set_up": "crashed",
    }
    result.expect(exit=1, outcomes={**OTHERS_PASSED, **{f"{FILE}::test_{name}": end for name, end in ends.items()}})
    # pytest-timeout's clock starts a little before that of the phases.
    assert attempt_of(result, "sleeps").seconds >= 5 - 0.1
    attempt = attempt_of(result, "hangs")
    assert 3 <= attempt.seconds <= 2.5 + 0.5 + LATEST - LIMIT
    assert (attempt.text or "").startswith(f"{FILE}::test_hangs outlived its limit of 0.5 s on {attempt.lane}, ")


def test_a_hang_after_a_fork_has_its_stacks(tmp_path: Path) -> None:
    tests = """
    @pytest.mark.allow("subprocess")
    def test_hangs():
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        hang_in_c()
    """
    result = suite(tests).at(tmp_path).run("--category", "unit", "-n1")
    result.expect(exit=1, outcomes={**OTHERS_PASSED, f"{FILE}::test_hangs": "timed-out"})
    hung(result, "hangs", attempt_of(result, "hangs").lane)


CRASHES = """
    def test_segfaults(): ctypes.string_at(0)
    def test_exits(): os._exit(3)
    def test_is_killed(): os.kill(os.getpid(), signal.SIGKILL)
"""


def test_crashes_under_xdist(tmp_path: Path) -> None:
    project = suite(CRASHES).at(tmp_path)
    result = project.run("--category", "unit", "-n2")
    words = {
        "segfaults": "it was killed by SIGSEGV (Segmentation fault)",
        "exits": "it exited with status 3",
        "is_killed": "it was killed by SIGKILL (Killed; kill -9, or the system ran out of memory)",
    }
    result.expect(
        exit=1,
        outcomes={**OTHERS_PASSED, **{f"{FILE}::test_{name}": "crashed" for name in words}},
        says=["8 passed"],
    )
    assert (result.run.state, result.run.exit_status) == (RunState.COMPLETE, 1)
    for name, told in words.items():
        attempt = attempt_of(result, name)
        first, _, stacks = (attempt.text or "").partition("\n\n")
        assert first == f"{FILE}::test_{name} was running when {attempt.lane} died: {told}"
        assert first in result.stdout
        assert ("in test_segfaults" in stacks) == (name == "segfaults")
    assert lane_ends(project) == {"segfaults": -signal.SIGSEGV, "exits": 3, "is_killed": -signal.SIGKILL}
    assert len({attempt_of(result, name).lane for name in words}) == 3


def lane_ends(project: Project) -> dict[str, int]:
    """By the test that a worker died of: its exit status, as the journal has it."""
    (folder,) = run_folders(project.root)
    events = map(json.loads, (folder / "run.jsonl").read_text(encoding="utf-8").splitlines())
    return {
        event["node_id"].rpartition("::test_")[2]: event["status"] for event in events if event["kind"] == "lane-down"
    }


@pytest.mark.parametrize(("test", "status"), [("segfaults", -signal.SIGSEGV), ("exits", 3)])
def test_a_crash_without_workers(tmp_path: Path, test: str, status: int) -> None:
    project = suite(CRASHES).at(tmp_path)
    result = project.run("--category", "unit", "-n0", "-p", "no:randomly", "-k", f"other or {test}")
    result.expect(
        exit=status,
        outcomes={**OTHERS_PASSED, f"{FILE}::test_{test}": "crashed"},
        says=[f"toxscreen: pytest died while it was running {FILE}::test_{test}\n"],
    )
    assert result.run.state is RunState.DIED


CODE = """\
def before(number):
    if number:
        return "before"
    return "never"


def after():
    return "after"
"""


def test_coverage_of_what_finished_before_a_crash_is_kept(tmp_path: Path) -> None:
    project = Suite(
        {
            "measured.py": CODE,
            "tests/unit/test_a.py": """
                import os, signal
                import measured

                def test_before(): assert measured.before(1) == "before"
                def test_crashes(): os.kill(os.getpid(), signal.SIGKILL)
                def test_after(): assert measured.after() == "after"
            """,
            "pyproject.toml": """
                [tool.coverage.run]
                branch = true
                core = "ctrace"
                parallel = true
                patch = ["subprocess"]
                source_pkgs = ["measured"]
            """,
        }
    ).at(tmp_path)
    outer = dict.fromkeys(("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE", "COVERAGE_RCFILE"))
    result = project.run(
        *("run", "-m", "pytest", "--category", "unit", "-n1", "-p", "no:randomly"), module="coverage", env=outer
    )
    result.expect(
        exit=1,
        outcomes={
            f"{FILE}::test_before": "passed",
            f"{FILE}::test_crashes": "crashed",
            f"{FILE}::test_after": "passed",
        },
    )
    lanes = {attempt.node_id.rpartition("_")[2]: attempt.lane for attempt in result.run.attempts}
    assert lanes == {"before": "gw0", "crashes": "gw0", "after": "gw1"}
    project.run("combine", module="coverage", env=outer).expect(exit=0)
    project.run("json", module="coverage", env=outer).expect(exit=0)
    measured = json.loads((project.root / "coverage.json").read_text(encoding="utf-8"))["files"]["measured.py"]
    assert measured["executed_lines"] == [1, 2, 3, 7, 8]
    assert measured["missing_lines"] == [4]
    assert measured["missing_branches"] == [[2, 4]]
