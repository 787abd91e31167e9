"""``toxscreen hunt`` and files: probes run in copies or in a sandbox, and what they changed is said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from toxscreen.testing import Project, Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

FILE = "tests/unit/test_a.py"
INI = {"pytest.ini": "[pytest]\naddopts = -p no:benchmark\n"}
#: These lines are measured in test_hunt.py; and coverage writes where a sandbox does not let it.
_UNMEASURED = dict.fromkeys(("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"))


def hunt(project: Project, *arguments: str, exit: int = 1, **env: str) -> dict[str, Any]:  # noqa: A002 - as in the kit
    """Hunt, and what it says to programs."""
    result = project.toxscreen("hunt", "--json", "--jobs", "2", *arguments, env={**_UNMEASURED, **env})
    result.expect(exit=exit, never_says=["Traceback", "INTERNALERROR"])
    told = json.loads(result.stdout)
    assert isinstance(told, dict)
    return told


def found(told: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...], bool]]:
    """What was found: kind, test, partners and whether it is proved."""
    return {(each["kind"], each["node_id"], tuple(each["partners"]), each["proved"]) for each in told["findings"]}


def files_of(root: Path) -> dict[str, bytes]:
    """Every file of a project but what Python itself caches, and records."""
    left_out = {"__pycache__", ".toxscreen"}
    files = (path for path in root.rglob("*") if path.is_file() and not left_out.intersection(path.parts))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def sandboxed() -> bool:
    """Whether bubblewrap is installed and allowed."""
    if shutil.which("bwrap") is None:
        return False
    inside = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "--proc", "/proc", "true"]
    return subprocess.run(inside, capture_output=True, check=False).returncode == 0


def test_what_tests_do_to_files_is_done_to_a_copy_and_found(tmp_path: Path) -> None:
    suite = {
        **INI,
        # As an editable installation does it: modules come from the project itself.
        "tests/conftest.py": "import sys\n\nsys.path.insert(0, {source!r})\n",
        "src/shop.py": """\
            PRICES = {}

            def price(name):
                if PRICES:
                    raise ValueError(name)
            """,
        "data/state.json": "{}\n",
        FILE: """\
            from pathlib import Path
            import shop

            HERE = Path(__file__).parents[2]

            def test_state(): assert (HERE / "data/state.json").read_text() == "{}\\n"
            def test_no_report(): assert not Path("out").exists()
            def test_price(): shop.price("bread")
            def test_sets(): shop.PRICES["bread"] = 1
            def test_stores(): (HERE / "data/state.json").write_text("[]")
            def test_reports():
                Path("out").mkdir(exist_ok=True)
                Path("out/report.txt").write_text("x")
            """,
    }
    project = Suite(suite).at(tmp_path)
    conftest = project.root / "tests" / "conftest.py"
    conftest.write_text(conftest.read_text().format(source=str(project.root / "src")), encoding="utf-8")
    before = files_of(project.root)
    told = hunt(project)
    assert files_of(project.root) == before
    assert found(told) == {
        ("victim", f"{FILE}::test_state", (f"{FILE}::test_stores",), True),
        ("victim", f"{FILE}::test_no_report", (f"{FILE}::test_reports",), True),
        ("victim", f"{FILE}::test_price", (f"{FILE}::test_sets",), True),
    }
    (price,) = (each for each in told["findings"] if each["node_id"] == f"{FILE}::test_price")
    assert (price["origin"]["file"], price["origin"]["line"]) == ("src/shop.py", 5)
    assert [(each["path"], each["proved"]) for each in price["culprits"]] == [("shop.PRICES['bread']", True)]
    assert told["notes"] == [
        "the probes changed files in copies of the project: changed data/state.json, created out/report.txt"
    ]
    assert told["changed_files"] == [
        {"file": "data/state.json", "change": "changed", "where": "copy"},
        {"file": "out/report.txt", "change": "created", "where": "copy"},
    ]
    assert "copies" not in json.dumps(told["findings"])


def test_a_suite_that_needs_its_own_place_is_hunted_there_and_what_changes_is_said(tmp_path: Path) -> None:
    tests = """\
        from pathlib import Path

        def test_repository(): assert Path(".git/HEAD").exists()
        def test_reports(): Path("report.txt").write_text("x")
        """
    project = Suite({**INI, ".git/HEAD": "ref: refs/heads/main\n", FILE: tests}).at(tmp_path)
    told = hunt(project, exit=0)
    assert told["findings"] == []
    assert told["notes"] == [
        f"hunted in the project's own folder, since a copy does not do: {FILE}::test_repository fails in it only",
        "the probes changed the project's files: created report.txt",
    ]
    assert told["changed_files"] == [{"file": "report.txt", "change": "created", "where": "project"}]


@pytest.mark.skipif(not sandboxed(), reason="bubblewrap is not installed, or not allowed to make a sandbox")
def test_a_sandbox_lets_tests_write_nowhere_but_into_a_copy_in_the_place_of_the_project(tmp_path: Path) -> None:
    tests = """\
        import os, tempfile
        from pathlib import Path
        HERE = Path(os.environ["HERE"])
        KEPT = []

        def test_place(): assert Path.cwd() == HERE and (HERE / ".git/HEAD").exists()
        def test_temporary(tmp_path): (tmp_path / "a").write_text("x"), tempfile.mkdtemp()
        def test_inside(): (HERE / "inside").write_text("x")
        def test_victim(): assert not KEPT
        def test_polluter(): KEPT.append(1)
        def test_outside(): (HERE.parent / "outside").write_text("x")
        """
    project = Suite({**INI, ".git/HEAD": "ref: refs/heads/main\n", FILE: tests}).at(tmp_path)
    before = files_of(tmp_path)
    told = hunt(project, "--sandbox", HERE=str(project.root))
    assert files_of(tmp_path) == before
    assert found(told) == {
        ("victim", f"{FILE}::test_victim", (f"{FILE}::test_polluter",), True),
        ("deterministic", f"{FILE}::test_outside", (), True),
    }
    assert told["notes"] == [
        "the probes changed files in copies of the project: created inside",
        f"the sandbox may be the reason, since it is read-only outside of the project: {FILE}::test_outside",
    ]


def test_a_system_without_sandboxes_is_no_traceback(tmp_path: Path) -> None:
    project = Suite({**INI, FILE: "def test_one(): pass\n"}).at(tmp_path)
    program = tmp_path / "bin" / "bwrap"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n", "utf-8")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    result = project.toxscreen("hunt", "--sandbox", env={**_UNMEASURED, "PATH": path})
    result.expect(exit=2, never_says=["Traceback"])
    assert result.stderr == (
        "toxscreen: toxscreen hunt --sandbox: bubblewrap is installed, but this system does not let it make a sandbox: "
        "bwrap: No permissions to create new namespace [hunt-impossible]\n"
        "  allow user namespaces to this user or container, or hunt without --sandbox\n"
    )


@pytest.mark.parametrize(
    ("hazard", "note"),
    [
        pytest.param(
            "threading.Thread(target=threading.Event().wait, name='waiter', daemon=True).start()",
            "forks were compared with more fresh interpreters: thread waiter",
            id="a thread",
        ),
        pytest.param("os.fork = lambda: 1 / 0", "forks are not used: os.fork is replaced", id="no fork"),
    ],
)
def test_what_does_not_bear_forking_is_said(hazard: str, note: str, tmp_path: Path) -> None:
    tests = f"import os, threading\n\n{hazard}\n\ndef test_one(): pass\n"
    told = hunt(Suite({**INI, FILE: tests}).at(tmp_path), exit=0)
    assert (told["notes"], told["probes"]["forked"] > 0) == ([note], "not used" not in note)
