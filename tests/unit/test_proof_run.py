"""What a run of changed tests says, without one: outcomes by function, and why nothing is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.analysis.differing import is_test_side
from toxscreen.analysis.proof import prove
from toxscreen.analysis.proof_reporter import function_of
from toxscreen.analysis.proof_run import Told, foreign, import_home, without_answer
from toxscreen.model import Base, Changes, Policy


def test_packages_from_elsewhere_are_told(tmp_path: Path) -> None:
    inside = str(tmp_path / "src/shop/__init__.py")
    assert foreign({"shop": inside, "new": ""}, tmp_path, "base") == ""
    told = "shop is imported from /lib/shop.py, and not from the copy of the project (base)"
    assert foreign({"other": inside, "shop": "/lib/shop.py"}, tmp_path, "base") == told


def test_a_run_without_an_answer_is_told() -> None:
    assert without_answer("now", None, "") == "the changed tests took longer than 600 s (now)"
    told = "pytest did not come to its end (base, exit status 4): two / three / four"
    assert without_answer("base", 4, "one\ntwo\n\nthree\nfour\n") == told


def test_outcomes_are_those_of_functions() -> None:
    assert function_of("tests/test_a.py::TestA::test_it[x::y-1]") == "tests/test_a.py::TestA.test_it"
    told = Told(
        (), "", {"a": [("passed", ""), ("failed", "no")], "b": [("passed", ""), ("skipped", "")], "c": [("", "")]}
    )
    assert [(told.failed(name), told.passed(name), told.why(name)) for name in "abcd"] == [
        (True, False, "no"),
        (False, True, ""),
        (False, False, ""),
        (False, False, ""),
    ]


@pytest.mark.parametrize(
    ("file", "home"),
    [
        ("src/shop/deep/a.py", ("src", "shop")),
        ("src/one.py", ("src", "one")),
        ("shop/a.py", (".", "shop")),
        ("setup.py", (".", "setup")),
        ("my-scripts/a.py", None),
    ],
)
def test_where_a_file_is_imported_from(file: str, home: tuple[str, str] | None) -> None:
    assert import_home(file) == home


@pytest.mark.parametrize(
    ("file", "answer"),
    [
        ("tests/data/a.csv", True),
        ("src/shop/tests/helpers.py", True),
        ("spec/a.py", True),
        ("test_a.py", True),
        ("src/a_test.py", True),
        ("conftest.py", True),
        ("src/shop/testing.py", False),
        ("src/contest.py", False),
        ("docs/test_a.md", False),
    ],
)
def test_what_belongs_to_tests(file: str, *, answer: bool) -> None:
    policy = Policy("spec", ("spec",), (), "random", 0, 0.0, 0.0, "none", subprocesses=False, leaks="off")
    assert is_test_side(file, [policy]) is answer


def test_without_changes_there_is_nothing_to_prove(tmp_path: Path) -> None:
    told = prove(tmp_path, Changes(Base("c0ffee", "main")), (), {})
    assert (told["base"], told["changed_source"], told["proved"], told["problem"]) == ("c0ffee", [], [], "")
