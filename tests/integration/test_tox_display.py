"""What `tox -p` shows, on a terminal and in a log: progress, and what environments printed when all have ended."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from toxing import FAST, PYTEST, suite, tox

from toxscreen.testing import Project

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away from tox here")

PASSES = f"{sys.executable} -c \"print('all is well')\""
FAILS = f"{sys.executable} -c \"import sys; print('to stdout'); print('to stderr', file=sys.stderr); sys.exit(3)\""
TESTS = f"{PYTEST} --category unit -n 2"
FILES = {"tests/unit/test_some.py": "def test_good(): pass\ndef test_bad(): assert 0\n"}
SHOWN = f"commands = {PASSES}\nparallel_show_output = true"


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d+ s\b", "N s", text)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return suite({"quiet": PASSES, "shown": SHOWN, "fails": FAILS, "unit": TESTS}, FILES, 2).at(tmp_path)


def test_a_log_says_what_begins_and_ends_and_then_what_failed(project: Project) -> None:
    result = tox(project)
    assert result.exit == 1
    lines = without_times(result.stdout).splitlines()
    names = ("quiet", "shown", "fails", "unit")
    logs = [number for number, line in enumerate(lines) if line.startswith("===== ") and line.endswith(" =====")]
    assert sorted(lines[: len(names) * 2]) == sorted(
        [
            *(f"{name}: started" for name in names),
            "quiet: OK after N s",
            "shown: OK after N s",
            "fails: FAIL after N s",
            "unit: FAIL after N s: 2 tests, 1 failed, 2 workers",
        ]
    )
    assert lines[len(names) * 2] == ""
    assert logs[0] == len(names) * 2 + 1
    shown = "===== shown: OK, what it printed ====="
    # Those that failed last, in the order in which they ended.
    assert lines[logs[0]] == shown, repr(result)
    assert sorted(lines[number] for number in logs[1:]) == [
        "===== fails: FAIL, what it printed =====",
        "===== unit: FAIL, what it printed =====",
    ]
    assert lines.index("all is well") in range(logs[0], logs[1])
    assert result.stdout.count("all is well\n") == 1
    assert result.stderr == "to stderr\n", repr(result)
    fails = lines.index("===== fails: FAIL, what it printed =====")
    assert lines[fails + 2] == "to stdout"
    assert lines[-1].startswith("  evaluation failed :(")
    assert [line.split(" (")[0].strip() for line in lines[-5:-1]] == [
        "quiet: OK",
        "shown: OK",
        "fails: FAIL code 3",
        "unit: FAIL code 1",
    ]


def on_a_terminal(project: Project, *arguments: str) -> tuple[int, str]:
    """Exit status of tox, and all that it wrote to its terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tox", *arguments],
        cwd=project.root,
        env=project.environment({**FAST, "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": None}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 65536):
            written += data
    except OSError:
        pass  # what Linux says when the other side is closed
    finally:
        os.close(ours)
    return process.wait(), written.decode()


def test_a_terminal_shows_a_line_for_each_environment(project: Project) -> None:
    status, written = on_a_terminal(project, "-p", "all")
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    assert status == 1
    assert "\x1b[32mquiet: OK after" in written, "in green"
    assert re.search(r"^unit +(setting up|waiting|commands|tests) +\d+ s", plain, re.MULTILINE), plain
    assert re.search(r"unit: FAIL after \S+ s: 2 tests, 1 failed, 2 workers\r\n", plain)
    assert plain.count("===== unit: FAIL, what it printed =====") == 1
    assert plain.index("unit: FAIL after") < plain.index("what it printed") < plain.index("1 failed, 1 passed")
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") > 0, "the cursor is there again"


@pytest.mark.parametrize(
    ("arguments", "says", "never_says"),
    [
        (("-p", "all", "--parallel-live"), ["to stdout"], ["started", "what it printed"]),
        (("-p", "all", "-e", "fails"), ["to stdout", "fails: FAIL"], ["started", "what it printed"]),
        (("-p", "1"), ["quiet: OK ✔ in", "to stdout"], ["started", "what it printed"]),
    ],
    ids=["live", "one environment", "one at a time"],
)
def test_elsewhere_everything_is_as_tox_does_it(
    project: Project, arguments: tuple[str, ...], says: list[str], never_says: list[str]
) -> None:
    tox(project, *arguments, env={"PYTHONUTF8": "1"}).expect(
        exit=3 if "-e" in arguments else 1, says=says, never_says=never_says
    )


def test_a_tox_without_the_parts_that_we_replace_keeps_its_own_display(project: Project) -> None:
    # As if they had other names.
    project.write(
        {
            "toxfile.py": (project.root / "toxfile.py").read_text()
            + "import toxscreen.tox_plugin\ntoxscreen.tox_plugin._SPINNER = '_AnotherSpinner'\n"
        }
    )
    result = tox(project, env={"PYTHONUTF8": "1"})
    result.expect(
        exit=1, says=["FAIL ✖ in", "to stdout", "1 failed, 1 passed"], never_says=["started", "what it printed"]
    )
    assert (project.root / ".tox/.toxscreen-slots/address").exists(), "and the budget holds all the same"
