"""``toxscreen hunt``: what it finds in small suites is what is wrong with them, and nothing else is accused."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from judged import Grove

from toxscreen.hunt.hunter import Hunter
from toxscreen.hunt.lab import Limits
from toxscreen.hunt.suspects import Suspect
from toxscreen.hunt.target import Target
from toxscreen.model import Isolation
from toxscreen.testing import Project, Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

EXAMPLES = Path(__file__).parents[2] / "examples" / "hunt"
#: The one that is left out has a test of its own: which of its two tests suffers is chance.
NAMES = sorted(file.parent.name for file in EXAMPLES.glob("*/expected.json") if file.parent.name != "shared_file")
WITH_A_SEQUENCE = {"victim", "brittle", "self-polluting"}

POLLUTER = "tests/unit/test_settings.py::test_prices_in_euros"
VICTIM = "tests/unit/test_prices.py::test_price_names_the_currency"

#: Measuring each interpreter that a hunt starts takes longer than the hunt. So of hunts that run the same lines one is
#: measured; of the examples, these.
MEASURED = {"chance", "collecting", "failed_polluter", "self_polluting"}
#: Of these the probes are measured too.
MEASURED_PROBES = {"failed_polluter", "self_polluting"}
_UNMEASURED = dict.fromkeys(("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"))

STATE = {"state.py": "KEPT = {}\n", "pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:benchmark\n"}


def example(name: str, folder: Path) -> Project:
    """A copy of an example."""
    project = Project(folder / "project", folder)
    shutil.copytree(EXAMPLES / name, project.root, ignore=shutil.ignore_patterns("__pycache__"))
    return project


def hunt(
    project: Project,
    *arguments: str,
    exit: int = 1,  # noqa: A002 - as in the kit
    is_measured: bool = False,
    cwd: Path | None = None,
) -> dict[str, Any]:
    """Hunt, and what it says to programs. No hunt leaves files behind but its record."""
    before = files_of(project.root)
    env = None if is_measured else _UNMEASURED
    result = project.toxscreen("hunt", "--json", "--jobs", "2", *arguments, env=env, cwd=cwd)
    result.expect(exit=exit, never_says=["Traceback"])
    told = json.loads(result.stdout)
    assert isinstance(told, dict)
    assert (told["schema"], told["cut_short"], told["interrupted"]) == (1, False, False)
    assert (result.runs, files_of(project.root), [*(project.around / "tmp").iterdir()]) == ((), before, [])
    # A whole hunt is evidence for a gate.
    kept = {path.name for path in (project.root / ".toxscreen").iterdir()} - {"evidence"}
    assert kept == {".gitignore", "hunts"}
    return told


def unmeasured_python(folder: Path) -> tuple[str, str]:
    """Options with which a hunt is measured, but not the interpreters that it starts."""
    script = folder / "python"
    unset = " ".join(_UNMEASURED)
    script.write_text(f'#!/bin/sh\nunset {unset}\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return "--python", os.fspath(script)


def found(told: dict[str, Any]) -> set[tuple[str, str, frozenset[str]]]:
    """What was found: kind, test and partners."""
    return {(each["kind"], each["node_id"], frozenset(each["partners"])) for each in told["findings"]}


def fails(proof: Sequence[dict[str, Any]], node_ids: Sequence[str]) -> list[bool]:
    """Of the probes with these tests, whether the last test failed."""
    return [each["seen"][-1]["outcome"] in {"failed", "error"} for each in proof if each["node_ids"] == list(node_ids)]


def files_of(root: Path) -> dict[str, bytes]:
    """Every file of a project but what Python itself caches, and records."""
    left_out = {"__pycache__", ".toxscreen"}
    files = (path for path in root.rglob("*") if path.is_file() and not left_out.intersection(path.parts))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


# one suite per disease


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wrong_is_found_and_nothing_else(name: str, tmp_path: Path) -> None:
    expected = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))["findings"]
    python = unmeasured_python(tmp_path) if name in MEASURED - MEASURED_PROBES else ()
    told = hunt(example(name, tmp_path), *python, is_measured=name in MEASURED)
    assert found(told) == {(each["kind"], each["test"], frozenset(each["partners"])) for each in expected}
    assert len(told["findings"]) == len(expected)
    assert (told["broken"], told["notes"]) == ([], [])
    culprits = {each["test"]: each["culprit"] for each in expected}
    for finding in told["findings"]:
        assert finding["proved"] == (finding["kind"] != "chance")
        assert {probe["how"] for probe in finding["proof"]} <= {"fresh"}
        if finding["kind"] not in WITH_A_SEQUENCE:
            continue
        culprit = finding["culprits"][0]
        assert (culprit["path"], culprit["proved"]) == (culprits[finding["node_id"]], True)
        alone = [finding["node_id"]]
        before = finding["partners"] or alone
        needs_them = finding["kind"] == "brittle"
        assert fails(finding["proof"], [*before, *alone]) == [not needs_them] * 2
        assert fails(finding["proof"], alone) == [needs_them] * 2
        assert len(finding["proof"]) == 4


# for people


@pytest.mark.parametrize("name", ["one_polluter", "brittle"])
def test_a_person_is_told_what_leaked_and_how_to_see_it(name: str, tmp_path: Path) -> None:
    (expected,) = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))["findings"]
    project = example(name, tmp_path)
    result = project.toxscreen("hunt", ".", "--victim", expected["test"], env=_UNMEASURED)
    lines = result.expect(exit=1, never_says=["Traceback"]).stdout.splitlines()
    says = {"one_polluter": "fails after", "brittle": "fails without"}[name]
    place = lines.index(f"{expected['test']} {says} {expected['partners'][0]}")
    assert lines[0] == "hunt through project: 1 finding"
    assert lines[place + 1].startswith(f"  {expected['culprit']}: ")
    assert lines[place + 1].endswith(" (proved: undone, the outcome turns)")
    (command,) = (line.removeprefix("  see it: ") for line in lines if line.startswith("  see it: "))
    program, *arguments = shlex.split(command)
    assert program == "pytest"
    project.run(*arguments, env=_UNMEASURED).expect(exit=1, says=["1 failed"])
    (page,) = (line.removeprefix("  how to mend it: ") for line in lines if line.startswith("  how to mend it: "))
    assert (page, (EXAMPLES.parents[1] / page).is_file()) == ("docs/isolation/module-state.md", True)


def test_a_clean_suite(tmp_path: Path) -> None:
    tests = """\
        import pytest
        import state

        @pytest.fixture
        def kept():
            state.KEPT["mine"] = 1
            yield state.KEPT
            state.KEPT.clear()

        def test_kept(kept): assert kept == {"mine": 1}

        def test_nothing_is_kept(): assert state.KEPT == {}

        @pytest.mark.skip
        def test_skipped(): raise AssertionError

        @pytest.mark.xfail
        def test_known_to_fail(): raise AssertionError
        """
    project = Suite({**STATE, "tests/unit/test_a.py": tests}).at(tmp_path)
    result = project.toxscreen("hunt", env=_UNMEASURED).expect(exit=0)
    title, counts = result.stdout.splitlines()
    assert title == "hunt through project: no findings"
    assert counts.startswith("4 tests, ")
    assert result.stderr == ""


def test_orders_go_on_while_they_bring_tests_together(tmp_path: Path) -> None:
    tests = "\n".join(f"def test_{number}(): pass" for number in range(60))
    project = Suite({**STATE, "tests/unit/test_a.py": tests}).at(tmp_path)
    quick = hunt(project, "--quick", exit=0)
    # Alone, with some of them fresh as well, and two dozen orders that show nothing.
    assert quick["probes"]["forked"] <= 60 + 3 + 26
    whole = hunt(project, exit=0)
    assert whole["probes"]["forked"] > quick["probes"]["forked"] + 6
    assert (whole["cut_short"], whole["notes"]) == (False, [])


# what is hunted


TWO_VICTIMS = {
    **STATE,
    "tests/unit/test_a.py": """\
        from state import KEPT

        def test_bread(): assert "bread" not in KEPT
        def test_salt(): assert "salt" not in KEPT
        def test_bakes(): KEPT["bread"] = 1
        def test_salts(): KEPT["salt"] = 1
        """,
}
BREAD = ("victim", "tests/unit/test_a.py::test_bread", frozenset({"tests/unit/test_a.py::test_bakes"}))
SALT = ("victim", "tests/unit/test_a.py::test_salt", frozenset({"tests/unit/test_a.py::test_salts"}))


def test_two_tests_that_share_a_file_are_found_side_by_side(tmp_path: Path) -> None:
    told = hunt(example("shared_file", tmp_path), *unmeasured_python(tmp_path), is_measured=True)
    (finding,) = told["findings"]
    assert (finding["kind"], finding["proved"]) == ("conflict", True)
    assert {finding["node_id"], *finding["partners"]} == {
        "tests/unit/test_monthly_export.py::test_every_month_has_its_orders",
        "tests/unit/test_yearly_export.py::test_export_of_a_whole_year",
    }
    assert [(each["path"], each["kind"]) for each in finding["culprits"]] == [("file TMPDIR/shop-orders.csv", "files")]
    assert {probe["how"] for probe in finding["proof"]} == {"fresh"}


def test_what_a_test_undoes_itself_is_not_what_leaked_from_it(tmp_path: Path) -> None:
    files = {
        **STATE,
        "tests/unit/test_a.py": """\
            from state import KEPT

            def test_once(monkeypatch):
                monkeypatch.setenv("UNDONE", "1")
                assert "bread" not in KEPT
                KEPT["bread"] = 1
            """,
    }
    (finding,) = hunt(Suite(files).at(tmp_path))["findings"]
    assert (finding["kind"], finding["proved"]) == ("self-polluting", True)
    assert [(each["path"], each["proved"]) for each in finding["culprits"]] == [("state.KEPT['bread']", True)]


class _Impatient(Hunter):
    def _explain(self, suspect: Suspect) -> Isolation:  # noqa: ARG002 - Ctrl-C comes whatever it is
        raise KeyboardInterrupt


def test_what_there_was_no_time_to_explain_is_named(tmp_path: Path) -> None:
    project = Suite(TWO_VICTIMS).at(tmp_path)
    hunter = _Impatient(Target(project.root), tmp_path / "hunt", Limits(jobs=2), lambda *_: None)
    hunted = hunter.hunt()
    assert (hunted.findings, hunted.is_interrupted, hunted.is_cut) == ((), True, False)
    assert set(hunted.notes) == {
        "interrupted: this was found so far",
        f"not explained for want of time: {BREAD[1]} differs after others",
        f"not explained for want of time: {SALT[1]} differs after others",
    }


def test_one_victim_in_one_file_is_explained_and_nothing_else(tmp_path: Path) -> None:
    other = {"tests/unit/test_b.py": "from state import KEPT\n\ndef test_pepper(): KEPT['bread'] = 2\n"}
    project = Suite({**TWO_VICTIMS, **other}).at(tmp_path)
    told = hunt(project, "unit/test_a.py", "--victim", BREAD[1], is_measured=True, cwd=project.root / "tests")
    assert (found(told), told["tests"]) == ({BREAD}, 4)


def test_a_victim_that_is_none(tmp_path: Path) -> None:
    told = hunt(Suite(TWO_VICTIMS).at(tmp_path), "--victim", "tests/unit/test_a.py::test_bakes", exit=0)
    assert told["findings"] == []


@pytest.mark.parametrize("path", [["--victim", SALT[1]], [".", "--victim", SALT[1]], ["--victim", SALT[1], "tests"]])
def test_options_of_pytest_reach_it(path: list[str], tmp_path: Path) -> None:
    told = hunt(Suite(TWO_VICTIMS).at(tmp_path), *path, "--", "-k", "salt")
    assert (found(told), told["tests"]) == ({SALT}, 2)


@pytest.mark.parametrize("category", ["unit", "slow"])
def test_one_category(category: str, tmp_path: Path) -> None:
    files = {
        "state.py": "KEPT = {}\n",
        "pyproject.toml": """\
            [tool.toxscreen.categories.slow]
            paths = []
            markers = ["slow"]

            [tool.pytest.ini_options]
            pythonpath = ["."]
            markers = ["slow: takes its time"]
            addopts = ["--strict-markers", "-p", "no:benchmark"]
            """,
        "tests/unit/test_a.py": TWO_VICTIMS["tests/unit/test_a.py"],
        "tests/others/test_b.py": """\
            import pytest
            from state import KEPT

            pytestmark = pytest.mark.slow

            def test_sugar(): assert "sugar" not in KEPT
            def test_sweetens(): KEPT.update(bread=1, salt=1, sugar=1)
            """,
    }
    slow = ("victim", "tests/others/test_b.py::test_sugar", frozenset({"tests/others/test_b.py::test_sweetens"}))
    # The probes of a category's tests write what they measured while they run.
    told = hunt(Suite(files).at(tmp_path), "--category", category, is_measured=category == "slow")
    assert (found(told), told["tests"]) == {"unit": ({BREAD, SALT}, 4), "slow": ({slow}, 2)}[category]


def test_workers_and_random_order_in_the_settings_of_pytest_do_not_matter(tmp_path: Path) -> None:
    ini = "[pytest]\npythonpath = .\naddopts = -n 2 -p randomly --strict-markers --strict-config -x -p no:benchmark\n"
    tests = """\
        import subprocess
        import sys
        import pytest
        from state import KEPT

        pytestmark = pytest.mark.unit

        def test_bread(): assert "bread" not in KEPT

        @pytest.mark.allow("subprocess")
        def test_bakes():
            subprocess.run([sys.executable, "-c", ""], check=True)
            KEPT["bread"] = 1

        @pytest.mark.timeout(20)
        def test_other(): pass
        """
    told = hunt(Suite({**STATE, "pytest.ini": ini, "tests/unit/test_a.py": tests}).at(tmp_path))
    assert (found(told), told["notes"]) == ({BREAD}, [])


# nobody is accused who has not done it


#: What no example shows; among suites with nothing wrong. tests/perf has all kinds, and many more of each.
PLANTED = [
    "three polluters together",
    "brittle, two state-setters together",
    "either, in two ways",
    "chain",
    "shielded",
]


@pytest.mark.timeout(180)
def test_only_what_was_planted_is_accused(tmp_path: Path) -> None:
    grove = Grove(dict(enumerate([*PLANTED, *["none"] * (24 - len(PLANTED))])), seed=1)
    project = Suite(grove.files).at(tmp_path)
    # These suites need no plugins.
    env = {**_UNMEASURED, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    told = json.loads(project.toxscreen("hunt", "--quick", "--json", "--jobs", "2", env=env).expect(exit=1).stdout)
    score = grove.score(told["findings"])
    assert (score.wrong, score.lost) == ((), ())
    assert (score.undone, told["tests"], told["notes"]) == (score.in_sequence, len(grove.tests), [])
