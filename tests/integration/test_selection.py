"""Which part of the whole a real run was, who left out the rest, and what the gate makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from toxscreen.analysis import evidence
from toxscreen.gates.runs import judge
from toxscreen.model import Ruling, Selection
from toxscreen.testing import Project, Suite

SUITE = Suite(
    {
        "tests/unit/test_a.py": """
            import pytest

            def test_one(): pass
            @pytest.mark.smoke
            def test_two(): pass
        """,
        "tests/more/test_d.py": """
            import pytest

            @pytest.mark.perf
            def test_three(): pass
        """,
        "tests/unit/old/test_b.py": "def test_four(): pass",
        "tests/integration/test_c.py": "def test_five(): pass",
    }
)
ONE = "tests/unit/test_a.py::test_one"
INI = "[pytest]\nmarkers = smoke\n"
LEAVING_OUT = """
    def pytest_collection_modifyitems(config, items):
        left_out = [item for item in items if item.name == "test_one"]
        items[:] = [item for item in items if item not in left_out]
"""
SAYING_SO = f"{LEAVING_OUT}        config.hook.pytest_deselected(items=left_out)\n"
SILENTLY = "a plugin that does not say so"


@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        ({}, (), Selection(1)),
        ({}, ("tests",), Selection(1)),
        ({}, ("tests/unit",), Selection()),
        ({}, ("-k", "one or four"), Selection(0, {"-k 'one or four'": 2})),
        ({}, ("-m", "smoke"), Selection(0, {"-m smoke": 3})),
        ({}, ("--deselect", ONE), Selection(1, {f"--deselect {ONE}": 1})),
        ({}, ("--ignore", "tests/unit/old"), Selection(1, {}, ("--ignore tests/unit/old",))),
        ({}, ("tests/unit/test_a.py",), Selection(0, {}, ("the paths given: tests/unit/test_a.py",))),
        ({}, (ONE,), Selection(0, {}, (f"the paths given: {ONE}",))),
        (
            {"pytest.ini": f"{INI}addopts = -m 'not smoke' --ignore=tests/unit/old\n"},
            (),
            Selection(1, {"addopts: -m 'not smoke'": 1}, ("addopts: --ignore tests/unit/old",)),
        ),
        ({"pytest.ini": f"{INI}addopts = -m 'not smoke'\n"}, ("-m", "smoke"), Selection(0, {"-m smoke": 3})),
        ({"tests/conftest.py": SAYING_SO}, (), Selection(1, {"tests/conftest.py": 1})),
        ({"tests/conftest.py": LEAVING_OUT}, (), Selection(1, {SILENTLY: 1})),
    ],
)
def test_who_left_out_what(
    tmp_path: Path, files: dict[str, str], arguments: tuple[str, ...], expected: Selection
) -> None:
    project = SUITE.with_files({"pytest.ini": INI, **files}).at(tmp_path)
    assert project.run("--category", "unit", *arguments, "-n0").run.selection == expected


def in_git(project: Project) -> None:
    """A commit of everything."""
    options = ("-c", "user.name=a", "-c", "user.email=a@b.invalid", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "-A"), (*options, "commit", "-qm", "all")):
        subprocess.run(["git", *command], cwd=project.root, check=True, env=project.environment())


def test_a_whole_run_is_evidence_and_a_filtered_one_is_not(tmp_path: Path) -> None:
    project = SUITE.with_files({"pytest.ini": INI}).at(tmp_path)
    in_git(project)
    filtered = project.run("--category", "unit", "-n2", "-k", "one").expect(exit=0).run
    (verdict,) = judge([filtered], evidence.state(project.root), ("unit",))
    assert verdict.ruling is Ruling.UNMEASURED
    assert verdict.reason == f"unit is filtered: tests were left out, 3 by -k one: {filtered.id}"
    whole = project.run("--category", "unit", "-n0").expect(exit=0).run
    tree = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], cwd=project.root, check=True, capture_output=True)
    assert whole.header.tree == tree.stdout.decode().strip()
    (verdict,) = judge([whole, filtered], evidence.state(project.root), ("unit",))
    assert (verdict.ruling, verdict.numerator, verdict.denominator) == (Ruling.PASS, 3, 3)
    project.write({"tests/unit/test_a.py": "def test_one(): pass"})
    (verdict,) = judge([whole, filtered], evidence.state(project.root), ("unit",))
    assert verdict.reason == f"unit has run last on other sources: {whole.id}"


UNLUCKY = Suite(
    {
        "tests/unit/test_skipped.py": """
            import pytest

            @pytest.mark.skip(reason="not today")
            def test_it(): pass
        """,
        "tests/integration/test_crash.py": """
            import os, time

            def test_waits(): time.sleep(0.1)
            def test_dies(): os._exit(3)
        """,
        "tests/perf/test_speed.py": "def test_speed(benchmark): benchmark(len, [])",
    }
)


def test_skipped_crashed_and_unmeasured_is_not_green(tmp_path: Path) -> None:
    pytest.importorskip("pytest_benchmark")
    project = UNLUCKY.at(tmp_path)
    in_git(project)
    skipped = project.run("--category", "unit", "-n0").expect(exit=0).run
    crashed = project.run("--category", "integration", "-n1").expect(exit=1).run
    unmeasured = project.run("--category", "perf", "-n2").expect(exit=0).run
    assert unmeasured.selection == Selection(benchmarks_off=1)
    now = evidence.state(project.root)
    told = {}
    for run in (skipped, crashed, unmeasured):
        (verdict,) = judge([run], now, (run.name,))
        told[run.name] = (verdict.ruling, verdict.reason)
    assert told == {
        "unit": (Ruling.UNMEASURED, f"unit ran no test: all 1 were skipped: {skipped.id}"),
        "integration": (Ruling.FAIL, "1 red: tests/integration/test_crash.py::test_dies"),
        "perf": (Ruling.UNMEASURED, f"perf did not measure: benchmarks disabled: 1: {unmeasured.id}"),
    }
    assert len(crashed.lost) == 1
    (waiting,) = [each for each in crashed.attempts if each.node_id.endswith("test_waits")]
    assert waiting.waited is not None
    assert 0.05 < waiting.waited <= waiting.seconds


def test_a_hunt_for_everything_leaves_evidence_for_gates(tmp_path: Path) -> None:
    project = Suite(
        {
            "test_a.py": """
                import os

                def test_sets(): os.environ["POISON"] = "1"
                def test_minds(): assert "POISON" not in os.environ
            """
        }
    ).at(tmp_path)
    in_git(project)
    now = evidence.state(project.root)
    project.toxscreen("hunt").expect(exit=1)
    found = evidence.read(project.root, "hunt", now, ())
    assert getattr(found, "command", None) == ("toxscreen", "hunt")
    data = getattr(found, "data", {})
    assert (data["tests"], data["category"]) == (2, None)
    (finding,) = data["findings"]
    assert finding == {
        "kind": "victim",
        "node_id": "test_a.py::test_minds",
        "partners": ["test_a.py::test_sets"],
        "proved": True,
        "summary": finding["summary"],
        "command": [
            *("pytest", "-p", "no:randomly", "-p", "no:toxscreen"),
            *("test_a.py::test_sets", "test_a.py::test_minds"),
        ],
    }
