"""Process state that tests leave changed: who is blamed, and what the policy makes of it. Real pytest runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.model import Leak
from toxscreen.testing import Result, Suite

FILE = "tests/unit/test_leaks.py"
IN_ORDER = ("--category", "unit", "-n0", "-p", "no:randomly")


def policy(rule: str) -> dict[str, str]:
    return {"pyproject.toml": f"[tool.toxscreen.categories.unit]\nleaks = '{rule}'\n"}


def leaks(result: Result) -> dict[str, list[Leak]]:
    """Every test that leaked, by its name in its file."""
    return {
        attempt.node_id.rpartition("::")[2]: list(attempt.leaks) for attempt in result.run.attempts if attempt.leaks
    }


STATES = """
    import decimal, logging, os, signal, socket, sys
    import pytest

    os.environ["THERE"] = "before"

    def test_clean_first(): pass
    def test_env(): os.environ["NEW"] = "1"
    def test_env_changed(): os.environ["THERE"] = "after"
    def test_clean_between(): pass
    def test_env_removed(): del os.environ["THERE"]
    def test_cwd(): os.chdir("tests")
    def test_path(): sys.path.append("/left/behind")
    def test_path_same_object(): sys.path[-1] = "/left/again"
    def test_argv(): sys.argv = ["other"]
    def test_level(): logging.getLogger().setLevel(logging.ERROR)
    def test_signal(): signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    def test_recursion(): sys.setrecursionlimit(sys.getrecursionlimit() + 7)
    def test_precision(): decimal.getcontext().prec = 5
    def test_socket(): socket.setdefaulttimeout(3)
    def test_two():
        os.environ["A"] = "1"
        os.environ["B"] = "2"
    def test_fails_and_leaks():
        os.environ["NEW"] = "2"
        assert False, "on purpose"
    def test_restores(monkeypatch, tmp_path):
        monkeypatch.setenv("NEW", "3")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
    def test_restores_by_hand():
        os.environ["SHORT"] = "1"
        del os.environ["SHORT"]
    def test_clean_last(): pass
"""


def test_a_leak_fails_the_test_that_leaked_and_no_other(tmp_path: Path) -> None:
    project = Suite({FILE: STATES}).at(tmp_path)
    result = project.run(*IN_ORDER)
    blamed = {
        "env": "os.environ['NEW']",
        "env_changed": "os.environ['THERE']",
        "env_removed": "os.environ['THERE']",
        "cwd": "os.getcwd()",
        "path": "sys.path",
        "path_same_object": "sys.path",
        "argv": "sys.argv",
        "level": "logging.root.level",
        "signal": "signal SIGUSR1",
        "recursion": "sys.getrecursionlimit()",
        "precision": "decimal context",
        "socket": "socket.getdefaulttimeout()",
    }
    clean = ["clean_first", "clean_between", "restores", "restores_by_hand", "clean_last"]
    result.expect(
        exit=1,
        outcomes={
            f"{FILE}::test_{name}": outcome
            for names, outcome in (([*blamed, "two"], "error"), (clean, "passed"), (["fails_and_leaks"], "failed"))
            for name in names
        },
        says=[
            f"{FILE}::test_env left process state changed for the tests after it:\n  os.environ['NEW']: absent -> 1\n",
            f"  os.getcwd(): {project.root} -> {project.root / 'tests'}\n",
            "  sys.path: [...] -> [..., '/left/behind']\n",
            "  sys.path: [..., '/left/behind'] -> [..., '/left/again']\n",
            "  logging.root.level: WARNING -> ERROR\n",
            "  signal SIGUSR1: SIG_DFL -> SIG_IGN\n",
            "  os.environ['A']: absent -> 1\n  os.environ['B']: absent -> 2\n",
            "on purpose",
        ],
    )
    found = leaks(result)
    assert {name: [leak.what for leak in left] for name, left in found.items()} == {
        **{f"test_{name}": [what] for name, what in blamed.items()},
        "test_two": ["os.environ['A']", "os.environ['B']"],
        "test_fails_and_leaks": ["os.environ['NEW']"],
    }
    assert found["test_env_removed"] == [
        Leak("os.environ['THERE']", "after", "absent", f"{FILE}::test_env_removed"),
    ]
    assert found["test_fails_and_leaks"] == [Leak("os.environ['NEW']", "1", "2", f"{FILE}::test_fails_and_leaks")]


THREE = """
    import os
    def test_one(): os.environ["ONE"] = "1"
    def test_two(): os.environ["TWO"] = "2"
    def test_clean(): pass
"""


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_leak_is_reported_where_the_policy_says_so(tmp_path: Path, workers: str) -> None:
    result = Suite({FILE: THREE, **policy("report")}).at(tmp_path).run("--category", "unit", workers)
    result.expect(
        exit=0,
        outcomes={f"{FILE}::test_{name}": "passed" for name in ("one", "two", "clean")},
        says=[
            f"leak: {FILE}::test_one: os.environ['ONE']: absent -> 1",
            f"leak: {FILE}::test_two: os.environ['TWO']: absent -> 2",
        ],
        never_says=["replay"],
    )
    assert leaks(result) == {
        "test_one": [Leak("os.environ['ONE']", "absent", "1", f"{FILE}::test_one")],
        "test_two": [Leak("os.environ['TWO']", "absent", "2", f"{FILE}::test_two")],
    }


def test_a_leak_fails_a_test_of_a_worker(tmp_path: Path) -> None:
    result = Suite({FILE: THREE}).at(tmp_path).run("--category", "unit", "-n2")
    result.expect(
        exit=1,
        outcomes={f"{FILE}::test_one": "error", f"{FILE}::test_two": "error", f"{FILE}::test_clean": "passed"},
        says=["3 passed, 2 errors", f"leak: {FILE}::test_one: os.environ['ONE']: absent -> 1"],
    )
    assert sorted(leaks(result)) == ["test_one", "test_two"]


def test_nobody_looks_where_leaks_are_off(tmp_path: Path) -> None:
    result = Suite({FILE: THREE, **policy("off")}).at(tmp_path).run("--category", "unit", "-n0")
    result.expect(
        exit=0,
        outcomes={f"{FILE}::test_{name}": "passed" for name in ("one", "two", "clean")},
        never_says=["leak:", "os.environ"],
    )
    assert leaks(result) == {}


def test_many_leaks_are_cut_short(tmp_path: Path) -> None:
    body = """
        import os, pytest
        @pytest.mark.parametrize("n", range(23))
        def test_n(n): os.environ[f"LEFT_{n}"] = "1"
    """
    result = Suite({FILE: body, **policy("report")}).at(tmp_path).run(*IN_ORDER)
    result.expect(exit=0, says=["leak: and 3 more, see `toxscreen runs`"])
    assert result.stdout.count("\nleak: ") == 21
    assert len(leaks(result)) == 23


FIXTURES = {
    "tests/unit/test_a_restores.py": """
        import os, pytest

        @pytest.fixture(scope="module", autouse=True)
        def variable():
            os.environ["BORROWED"] = "1"
            yield
            del os.environ["BORROWED"]

        def test_first(): assert os.environ["BORROWED"] == "1"
        def test_leaks(): os.environ["OWN"] = "1"
        def test_last(): pass
    """,
    "tests/unit/test_b_keeps.py": """
        import os, pytest

        @pytest.fixture(scope="module", autouse=True)
        def variable():
            os.environ["KEPT"] = "1"

        def test_first(): pass
        def test_last(): pass
    """,
    "tests/unit/test_c_class.py": """
        import os, pytest

        class TestClass:
            @pytest.fixture(scope="class", autouse=True)
            def folder(self):
                os.chdir("tests")

            def test_first(self): pass
            def test_last(self): pass

        def test_after_the_class(): pass
    """,
    "tests/unit/test_d_function.py": """
        import os, pytest

        @pytest.fixture
        def forgetful():
            os.environ["FORGOTTEN"] = "1"

        @pytest.fixture
        def careful():
            os.environ["CARE"] = "1"
            yield
            del os.environ["CARE"]

        def test_forgetful(forgetful): pass
        def test_careful(careful): pass
    """,
    "tests/unit/test_e_late.py": """
        import os, pytest

        @pytest.fixture(scope="module", autouse=True)
        def late():
            yield
            os.environ["LATE"] = "1"

        def test_first(): pass
        def test_last(): pass
    """,
    "tests/unit/test_f_after.py": "def test_clean(): pass\n",
}


def test_fixtures_that_outlive_a_test_answer_for_what_they_change(tmp_path: Path) -> None:
    result = Suite(FIXTURES).at(tmp_path).run(*IN_ORDER)
    result.expect(
        exit=1,
        outcomes={
            "tests/unit/test_a_restores.py::test_first": "passed",
            "tests/unit/test_a_restores.py::test_leaks": "error",
            "tests/unit/test_a_restores.py::test_last": "passed",
            "tests/unit/test_b_keeps.py::test_first": "passed",
            "tests/unit/test_b_keeps.py::test_last": "error",
            "tests/unit/test_c_class.py::TestClass::test_first": "passed",
            "tests/unit/test_c_class.py::TestClass::test_last": "error",
            "tests/unit/test_c_class.py::test_after_the_class": "passed",
            "tests/unit/test_d_function.py::test_forgetful": "error",
            "tests/unit/test_d_function.py::test_careful": "passed",
            "tests/unit/test_e_late.py::test_first": "passed",
            "tests/unit/test_e_late.py::test_last": "error",
            "tests/unit/test_f_after.py::test_clean": "passed",
        },
        says=["(by fixture variable (scope module, tests/unit/test_b_keeps.py))"],
    )
    blame = {
        attempt.node_id: [(leak.what, leak.blamed) for leak in attempt.leaks]
        for attempt in result.run.attempts
        if attempt.leaks
    }
    assert blame == {
        "tests/unit/test_a_restores.py::test_leaks": [
            ("os.environ['OWN']", "tests/unit/test_a_restores.py::test_leaks"),
        ],
        "tests/unit/test_b_keeps.py::test_last": [
            ("os.environ['KEPT']", "fixture variable (scope module, tests/unit/test_b_keeps.py)"),
        ],
        "tests/unit/test_c_class.py::TestClass::test_last": [
            ("os.getcwd()", "fixture folder (scope class, tests/unit/test_c_class.py::TestClass)"),
        ],
        "tests/unit/test_d_function.py::test_forgetful": [
            ("os.environ['FORGOTTEN']", "tests/unit/test_d_function.py::test_forgetful"),
        ],
        "tests/unit/test_e_late.py::test_last": [
            ("os.environ['LATE']", "tests/unit/test_e_late.py::test_last"),
        ],
    }


# debuggers

SCRIPTED = """
    import pdb, pytest

    class Scripted(pdb.Pdb):
        def __init__(self, **options):
            super().__init__(**options)
            self.cmdqueue = ["import os", "os.environ['BY_HAND'] = '1'", "continue"]
"""
STOPS = """
    import os, pytest

    @pytest.fixture(scope="module")
    def stops(): breakpoint()

    def test_stops(): breakpoint()
    def test_next(): os.environ["NEXT"] = "1"
    def test_leaks(): os.environ["LEFT"] = "1"
    def test_clean(): pass
    def test_fixture_stops(stops): pass
    def test_after_it(): pass
    def test_last(): pass
"""


def test_what_a_debugger_leaves_is_nobodys_leak(tmp_path: Path) -> None:
    project = Suite({FILE: STOPS, "tests/scripted.py": SCRIPTED}).at(tmp_path)
    result = project.run(*IN_ORDER, "-p", "tests.scripted", "--pdbcls=tests.scripted:Scripted")
    result.expect(
        exit=1,
        outcomes={
            f"{FILE}::test_{name}": "error" if name == "leaks" else "passed"
            for name in ("stops", "next", "leaks", "clean", "fixture_stops", "after_it", "last")
        },
        says=["PDB set_trace", "PDB continue"],
    )
    assert leaks(result) == {"test_leaks": [Leak("os.environ['LEFT']", "absent", "1", f"{FILE}::test_leaks")]}


@pytest.mark.parametrize("option", ["--pdb", "--trace"])
def test_nobody_looks_where_a_debugger_is_asked_for(tmp_path: Path, option: str) -> None:
    project = Suite({FILE: THREE, "tests/scripted.py": SCRIPTED}).at(tmp_path)
    result = project.run(*IN_ORDER, option, "--pdbcls=tests.scripted:Scripted")
    result.expect(
        exit=0,
        outcomes={f"{FILE}::test_{name}": "passed" for name in ("one", "two", "clean")},
        never_says=["leak:"],
    )
    assert leaks(result) == {}


def test_a_fixture_that_sets_logging_up_and_back_is_no_leak(tmp_path: Path) -> None:
    body = """
        import logging, pytest

        @pytest.fixture(scope="module")
        def logs():
            handler = logging.NullHandler()
            logging.root.addHandler(handler)
            yield
            logging.root.removeHandler(handler)

        def test_first(logs): pass
        def test_last(): pass
    """
    result = Suite({FILE: body}).at(tmp_path).run(*IN_ORDER)
    result.expect(exit=0, outcomes={f"{FILE}::test_first": "passed", f"{FILE}::test_last": "passed"})
    assert leaks(result) == {}


def test_a_leak_beside_a_teardown_that_fails_is_not_the_next_tests(tmp_path: Path) -> None:
    body = """
        import os
        import pytest

        @pytest.fixture
        def breaks():
            yield
            raise RuntimeError("in teardown")

        def test_leaks(breaks): os.environ["LEFT"] = "1"
        def test_next(): assert os.environ["LEFT"]
    """
    result = Suite({"tests/unit/test_a.py": body}).at(tmp_path).run("--category", "unit", "-n0", "-p", "no:randomly")
    result.expect(
        exit=1,
        outcomes={"tests/unit/test_a.py::test_leaks": "error", "tests/unit/test_a.py::test_next": "passed"},
        says=["RuntimeError: in teardown", "leak: tests/unit/test_a.py::test_leaks: os.environ['LEFT']: absent -> 1\n"],
    )
    blamed = "tests/unit/test_a.py::test_leaks"
    assert leaks(result) == {"test_leaks": [Leak("os.environ['LEFT']", "absent", "1", blamed)]}


def test_the_traceback_of_a_fixture_that_fails_shows_the_fixture_only(tmp_path: Path) -> None:
    project = Suite(
        {
            "tests/unit/conftest.py": """
            import pytest

            @pytest.fixture
            def narrow():
                raise ValueError("no row")

            @pytest.fixture(scope="module")
            def wide():
                raise ValueError("no database")

            @pytest.fixture(scope="module")
            def late():
                yield
                raise ValueError("no end")
            """,
            FILE: """
            def test_narrow(narrow): ...
            def test_wide(wide): ...
            def test_late(late): ...
            """,
        }
    ).at(tmp_path)
    project.run(*IN_ORDER).expect(
        exit=1,
        outcomes={f"{FILE}::test_narrow": "error", f"{FILE}::test_wide": "error", f"{FILE}::test_late": "error"},
        says=["ValueError: no row", "ValueError: no database", "ValueError: no end"],
        never_says=["toxscreen/pytest_plugin", "pluggy/"],
    )
