"""``toxscreen hunt`` on what it cannot work with, and on tests that do their worst: it says so, and goes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from toxscreen.guard.process import is_alive
from toxscreen.testing import Project, Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

FILE = "tests/unit/test_a.py"
OTHER = "tests/unit/test_b.py"
ONE = {FILE: "def test_one(): pass\n"}
INI = {"pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:benchmark\n", "state.py": "KEPT = {}\n"}
#: A victim and its polluter, beside whatever else there is.
PAIR = {
    **INI,
    OTHER: """\
        from state import KEPT

        def test_bread(): assert "bread" not in KEPT
        def test_bakes(): KEPT["bread"] = 1
        """,
}
BREAD = ("victim", f"{OTHER}::test_bread", (f"{OTHER}::test_bakes",))


#: The lines that these hunts run are measured in test_hunt.py; measuring each interpreter again takes a minute.
_UNMEASURED = dict.fromkeys(("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"))


def hunt(project: Project, *arguments: str, exit: int = 1) -> dict[str, Any]:  # noqa: A002 - as in the kit
    """Hunt, and what it says to programs."""
    result = project.toxscreen("hunt", "--json", "--jobs", "2", *arguments, env=_UNMEASURED)
    result.expect(exit=exit, never_says=["Traceback", "INTERNALERROR"])
    told = json.loads(result.stdout)
    assert isinstance(told, dict)
    return told


def found(told: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...]]]:
    """What was found: kind, test and partners, all of it proved."""
    assert [each["node_id"] for each in told["findings"] if not each["proved"]] == []
    return {(each["kind"], each["node_id"], tuple(each["partners"])) for each in told["findings"]}


# what it is given


@pytest.mark.parametrize(
    ("files", "arguments", "message"),
    [
        pytest.param(
            {},
            [],
            "toxscreen: {root}: no test was collected [hunt-impossible]\n  name the folder or the files of the tests\n",
            id="no tests",
        ),
        pytest.param(
            ONE,
            ["--", "-k", "nothing"],
            "toxscreen: {root}: no test was collected [hunt-impossible]\n  name the folder or the files of the tests\n",
            id="nothing selected",
        ),
        pytest.param(
            {FILE: "import no_such_thing\n"},
            [],
            "toxscreen: {root}: no test was collected [hunt-impossible]\n"
            f"  could not be collected:\n  {FILE}: ModuleNotFoundError: No module named 'no_such_thing'\n",
            id="nothing but a broken file",
        ),
        pytest.param(
            ONE,
            ["test"],
            "toxscreen: toxscreen hunt: there is no test [config-invalid]\n  name a project or its tests\n",
            id="no such path",
        ),
        pytest.param(
            ONE,
            ["--victim", f"{FILE}::test_two"],
            f"toxscreen: there is no test {FILE}::test_two [hunt-impossible]\n  give the node id as pytest prints it\n",
            id="no such test",
        ),
        pytest.param(
            ONE,
            ["--category", "unti"],
            "toxscreen: {root}: pytest ended with status 2 before it had collected [hunt-impossible]\n"
            "  the end of what it printed:\n"
            "  toxscreen: --category: there is no category 'unti' [category-unknown]\n"
            "    did you mean 'unit'? known: integration, perf, real-world, unit\n",
            id="no such category",
        ),
        pytest.param(
            ONE,
            ["--python", "/bin/true"],
            "toxscreen: {root}: pytest ended with status 0 before it had collected [hunt-impossible]\n"
            "  it printed nothing\n",
            id="no interpreter",
        ),
    ],
)
def test_what_cannot_be_hunted_through(
    files: dict[str, str], arguments: list[str], message: str, tmp_path: Path
) -> None:
    project = Suite(files).at(tmp_path)
    result = project.toxscreen("hunt", *arguments).expect(exit=2)
    assert (result.stdout, result.stderr) == ("", message.replace("{root}", str(project.root)))


def test_an_option_that_pytest_does_not_know(tmp_path: Path) -> None:
    result = Suite(ONE).at(tmp_path).toxscreen("hunt", "--", "--nope", env=_UNMEASURED)
    result.expect(exit=2, never_says=["Traceback"])
    assert result.stderr.splitlines()[0].endswith(
        "pytest ended with status 4 before it had collected [hunt-impossible]"
    )
    assert "error: unrecognized arguments: --nope" in result.stderr


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    result = Suite(ONE).at(tmp_path).toxscreen("hunt", "--python", "/nonexistent").expect(exit=2)
    assert result.stdout == ""
    reason = "/nonexistent cannot be started: No such file or directory [hunt-impossible]"
    assert result.stderr.splitlines() == [
        f"toxscreen: toxscreen hunt --python: {reason}",
        "  name a Python interpreter that has the project's packages and pytest",
    ]


def test_files_that_cannot_be_collected(tmp_path: Path) -> None:
    broken = {
        "exits": ("import sys\nsys.exit(3)\n", "ended pytest with status 3 when it was imported"),
        "imports": ("import no_such_thing\n", "ModuleNotFoundError: No module named 'no_such_thing'"),
        "syntax": ("def broken(:\n", "SyntaxError: invalid syntax"),
    }
    files = {f"tests/unit/test_{name}.py": content for name, (content, _) in broken.items()}
    told = hunt(Suite({**PAIR, **files}).at(tmp_path))
    assert (found(told), [each["file"] for each in told["broken"]]) == ({BREAD}, [*files])
    for each, (_, reason) in zip(told["broken"], broken.values(), strict=True):
        assert each["reason"].endswith(reason)


def test_a_broken_file_beside_clean_ones_cannot_be_judged(tmp_path: Path) -> None:
    project = Suite({**ONE, OTHER: "import no_such_thing\n"}).at(tmp_path)
    result = project.toxscreen("hunt", env=_UNMEASURED).expect(exit=2, never_says=["Traceback"])
    lines = result.stdout.splitlines()
    assert lines[0] == "hunt through project: no findings"
    assert lines[-1].startswith(f"not collected: {OTHER}: ")
    assert lines[-1].endswith("ModuleNotFoundError: No module named 'no_such_thing'")


def test_a_suite_that_is_red_from_the_start(tmp_path: Path) -> None:
    tests = """\
        import os
        import pytest

        @pytest.fixture
        def broken(): raise OSError("no")

        def test_sum(): assert 1 + 1 == 3
        def test_set_up(broken): pass
        def test_gone(): os._exit(3)
        """
    told = hunt(Suite({**PAIR, FILE: tests}).at(tmp_path))
    red = {("deterministic", f"{FILE}::test_{name}", ()) for name in ("sum", "set_up", "gone")}
    assert found(told) == {BREAD, *red}
    (gone,) = (each for each in told["findings"] if each["node_id"] == f"{FILE}::test_gone")
    # It was not seen to end: how its process ended says it.
    assert {(len(probe["seen"]), probe["ended"], probe["status"]) for probe in gone["proof"]} == {(0, "died", 3)}


# tests that do their worst


HARMLESS = {
    # Alone, for what is closed cannot be printed to.
    "closes standard output": """\
        import os

        def test_closes():
            os.close(1)
            os.close(2)
        """,
    "prints bytes, forks, leaves a thread and a process": """\
        import os, subprocess, sys, threading

        def test_prints():
            sys.stdout.buffer.write(bytes(range(256)))
            os.write(1, bytes(range(256)))
            os.write(2, b"\\xff\\n{\\"node_id\\": \\"x\\"}\\n")

        def test_forks():
            child = os.fork()
            if not child:
                os._exit(3)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3

        def test_leaves_a_thread():
            threading.Thread(target=threading.Event().wait, daemon=True).start()

        def test_leaves_a_process():
            global left
            left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        """,
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_no_other_test_is_no_finding(name: str, tmp_path: Path) -> None:
    told = hunt(Suite({**PAIR, FILE: HARMLESS[name]}).at(tmp_path))
    assert (found(told), told["notes"]) == ({BREAD}, [])


REPLACED = {
    "os.close": (
        "import os",
        "os.open = os.close = os.read = os.write = os.pipe = lambda *_: 99",
        "assert os.open(os.devnull, os.O_RDONLY) != 99",
    ),
    "time.time": (
        "import time",
        "time.time = lambda: 0.0",
        "assert time.time() > 1",
    ),
    "os.fork": (
        "import os",
        "os.fork = os.waitpid = os._exit = os.kill = None",
        "assert os.fork is not None",
    ),
    "os.open": (
        "import os",
        "os.open = os.write = os.setsid = lambda *_: 99",
        "assert os.open is not os.write",
    ),
}


@pytest.mark.parametrize("name", REPLACED)
def test_a_function_of_the_system_that_is_replaced_for_good(name: str, tmp_path: Path) -> None:
    imports, replaces, needs = REPLACED[name]
    tests = f"{imports}\n\ndef test_needs():\n    {needs}\n\ndef test_replaces():\n    {replaces}\n"
    told = hunt(Suite({**INI, FILE: tests}).at(tmp_path), "--victim", f"{FILE}::test_needs")
    assert found(told) == {("victim", f"{FILE}::test_needs", (f"{FILE}::test_replaces",))}


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    tests = """\
        import os, pathlib, tempfile

        def test_reads(): assert pathlib.Path("state.py").read_text()

        def test_goes():
            folder = tempfile.mkdtemp()
            os.chdir(folder)
            os.rmdir(folder)

        def test_other(): pass
        """
    told = hunt(Suite({**INI, FILE: tests}).at(tmp_path))
    assert found(told) == {("victim", f"{FILE}::test_reads", (f"{FILE}::test_goes",))}


def test_a_test_that_hangs(tmp_path: Path) -> None:
    tests = "import threading\n\ndef test_hangs():\n    threading.Event().wait()\n"
    told = hunt(Suite({**PAIR, FILE: tests}).at(tmp_path), "--test-limit", "0.5s")
    hangs = ("deterministic", f"{FILE}::test_hangs", ())
    assert found(told) == {BREAD, hangs}
    (finding,) = (each for each in told["findings"] if each["node_id"] == hangs[1])
    assert {(len(probe["seen"]), probe["ended"]) for probe in finding["proof"]} == {(0, "hung")}


# a person ends it


def test_interrupted_it_tells_what_was_found_so_far(tmp_path: Path) -> None:
    suite = {
        **INI,
        "began.py": "import os\n\nPROCESS = os.getpid()\n",
        FILE: """\
            import os, pathlib
            import began
            from state import KEPT

            HERE = pathlib.Path.cwd()

            def test_bread():
                if "bread" in KEPT and os.getpid() == began.PROCESS:
                    # In a fresh interpreter: the proof.
                    with (HERE / "shown").open("a") as file:
                        file.write("x")
                assert "bread" not in KEPT

            def test_bakes(): KEPT["bread"] = 1
            def test_other(): pass

            def test_red():
                if (HERE / "shown").exists() and (HERE / "shown").read_text() == "xx":
                    (HERE / "reached").write_text(str(os.getpid()))
                    os.read(os.pipe()[0], 1)
                raise AssertionError
            """,
    }
    project = Suite(suite).at(tmp_path)
    os.mkfifo(project.root / "reached")
    process = project.start("hunt", "--in-place", "--jobs", "1", module="toxscreen", env=_UNMEASURED)
    hanging = 0
    try:
        hanging = int((project.root / "reached").read_text())
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
        # A probe that outlived the hunt would keep this test until its time is up.
        while is_alive(hanging):
            time.sleep(0.01)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if hanging:
            with contextlib.suppress(ProcessLookupError):
                os.kill(hanging, signal.SIGKILL)
    assert (process.returncode, stderr) == (130, "")
    lines = stdout.splitlines()
    assert lines[0] == "hunt through project: 1 finding"
    assert "interrupted: this was found so far" in lines
    assert f"{FILE}::test_bread fails after {FILE}::test_bakes" in lines
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == []
