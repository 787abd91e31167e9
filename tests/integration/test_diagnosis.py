"""A red run ends with the reasons of its failures, where order or company can be one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toxscreen.testing import Project, Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

AUTO = {"TOXSCREEN_DIAGNOSE": "auto", "COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None}
POLLUTER, VICTIM = "tests/unit/test_a.py::test_debug", "tests/unit/test_b.py::test_total"
FILES = {
    "config.py": "SETTINGS = {'debug': False}\n",
    "tests/unit/test_a.py": """\
        import config

        def test_debug():
            config.SETTINGS["debug"] = True
        """,
    "tests/unit/test_b.py": """\
        import config

        def test_total():
            assert not config.SETTINGS["debug"]

        def test_wrong():
            assert 1 == 2
        """,
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:benchmark\n",
    "pyproject.toml": "[tool.toxscreen]\n",
}
#: One worker, which makes the run a parallel one, and the order as it is written.
PARALLEL = ("--category", "unit", "-n1", "-p", "no:randomly")


def red(tmp_path: Path) -> Project:
    return Suite(FILES).at(tmp_path)


def test_a_red_log_ends_with_the_reason_of_each_failure_and_the_command_to_paste(tmp_path: Path) -> None:
    project = red(tmp_path)
    result = project.run(*PARALLEL, env=AUTO).expect(exit=1)
    _, _, told = result.stdout.partition("toxscreen: diagnosis")
    lines = told.splitlines()
    assert lines[1:4] == [
        "looking for the reason of 2 failed tests, for 60 s at most ...",
        f"{VICTIM} fails after {POLLUTER}: config.SETTINGS['debug'] False -> True (proved)",
        f"  see it: pytest -p no:randomly -p no:toxscreen {POLLUTER} {VICTIM}",
    ]
    assert lines[4] == "tests/unit/test_b.py::test_wrong fails everywhere: no isolation bug"


def test_what_the_run_left_for_others_is_not_written_over(tmp_path: Path) -> None:
    report, kept = tmp_path / "report.xml", tmp_path / "kept"
    options = (f"--junitxml={report}", f"--basetemp={kept}")
    project = red(tmp_path)
    project.write({"tests/unit/test_a.py": f"{FILES['tests/unit/test_a.py']}\n        def test_tmp(tmp_path): pass\n"})
    project.run(*PARALLEL, *options, env=AUTO).expect(exit=1, says=["(proved)"])
    # Each probe in a fresh interpreter runs one or two.
    assert 'tests="4"' in report.read_text(encoding="utf-8")
    assert [path.name for path in kept.iterdir() if path.is_dir() and not path.is_symlink()] == ["popen-gw0"]


@pytest.mark.parametrize(
    ("options", "table"),
    [
        pytest.param(("--screen-diagnose", "off", *PARALLEL), "", id="off"),
        pytest.param(PARALLEL, 'diagnose = "off"\n', id="off in the settings"),
        pytest.param(("--category", "unit", "-n0", "-p", "no:randomly"), "", id="one process, order as written"),
        pytest.param((*PARALLEL, "-k", "debug"), "", id="green"),
    ],
)
def test_no_diagnosis(options: tuple[str, ...], table: str, tmp_path: Path) -> None:
    project = red(tmp_path)
    project.write({"pyproject.toml": f"[tool.toxscreen]\n{table}"})
    env = {**AUTO, "TOXSCREEN_DIAGNOSE": None}
    project.run(*options, env=env).expect(exit=0 if "-k" in options else 1, never_says=["toxscreen: diagnosis"])


def test_a_diagnosis_that_runs_out_of_time_says_so(tmp_path: Path) -> None:
    project = red(tmp_path)
    project.write(
        {
            "pyproject.toml": "[tool.toxscreen]\ndiagnose-budget = 1\n",
            "tests/unit/test_a.py": "import config, time\n\ndef test_debug():\n    config.SETTINGS['debug'] = True\n",
            "tests/unit/test_b.py": """\
                import time, config

                def test_total():
                    time.sleep(0.3)
                    assert not config.SETTINGS["debug"]
                """,
        }
    )
    told = ["for 1 s at most", "the time is over: the setting diagnose-budget gives it more"]
    project.run(*PARALLEL, env=AUTO).expect(exit=1, says=told)


def test_an_option_that_is_wrong(tmp_path: Path) -> None:
    red(tmp_path).run("--screen-diagnose", "on", *PARALLEL).expect(
        exit=2, says=["--screen-diagnose: 'on' is neither auto nor off [config-invalid]"]
    )


def test_a_run_in_which_nothing_failed(tmp_path: Path) -> None:
    project = red(tmp_path)
    project.run(*PARALLEL, "-k", "debug").expect(exit=0)
    project.toxscreen("hunt", "--run", "last").expect(exit=0, says=["no test failed"])
    project.toxscreen("hunt", "--run", "last", "tests").expect(
        exit=2, says=["toxscreen hunt --run: takes no PATH", "a run says itself what it ran, and how"]
    )
