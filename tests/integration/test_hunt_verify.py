"""``toxscreen hunt --verify``: what became of earlier findings, in suites that were mended, changed and left alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from toxscreen.testing import Project, Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

INI = {"pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:benchmark\n", "state.py": "KEPT = {}\n"}
#: The lines that these hunts run are measured in unit tests and test_hunt.py.
_UNMEASURED = dict.fromkeys(("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"))


def hunt(project: Project, *arguments: str, exit: int) -> dict[str, Any]:  # noqa: A002 - as in the kit
    """Hunt or verify, and what is said to programs."""
    result = project.toxscreen("hunt", "--json", "--jobs", "2", *arguments, env=_UNMEASURED)
    told = json.loads(result.expect(exit=exit, never_says=["Traceback", "INTERNALERROR"]).stdout)
    assert isinstance(told, dict)
    return told


def verify(project: Project, document: dict[str, Any], *, exit: int) -> dict[str, tuple[str, str]]:  # noqa: A002
    """What became of the findings in a document: the name of each test, the ruling and why."""
    (project.around / "old.json").write_text(json.dumps(document), encoding="utf-8")
    told = hunt(project, "--verify", "../old.json", exit=exit)
    assert {probe["how"] for each in told["verified"] for probe in each["probes"]} <= {"fresh"}
    return {each["node_id"].partition("::")[2]: (each["ruling"], each["words"]) for each in told["verified"]}


def test_findings_of_a_hunt_from_first_to_last(tmp_path: Path) -> None:
    tests = """\
        from state import KEPT

        def test_bread(): assert "bread" not in KEPT
        def test_milk(): assert "milk" not in KEPT
        def test_shops(): KEPT.update(bread=1, milk=1)
        def test_sum(): assert 1 + 1 == 3
        """
    project = Suite({**INI, "test_a.py": tests}).at(tmp_path)
    document = hunt(project, exit=1)
    assert verify(project, document, exit=1) == {
        "test_bread": ("still there", "fails after them, 2 of 2 times"),
        "test_milk": ("still there", "fails after them, 2 of 2 times"),
        "test_sum": ("still there", "fails alone, 2 of 2 times"),
    }
    changed = """\
        from state import KEPT

        def test_added_above(): pass

        def test_bread(): assert "bread" not in KEPT
        def test_milk(): KEPT["milk" if KEPT else "shopping"] if KEPT else None
        def test_shops(): KEPT.update(eggs=1)
        """
    project.write({"test_a.py": changed})
    assert verify(project, document, exit=1) == {
        "test_bread": ("fixed", "passes after them, 2 of 2 times"),
        "test_milk": ("changed", "fails after them in another way: KeyError: 'milk', test_a.py:6"),
        "test_sum": ("gone", "test_a.py::test_sum: is not in its file any more"),
    }
    # From elsewhere, by the root that the document names, and without the time to look.
    arguments = ("--verify", "old.json", "--budget", "0.001s")
    told = project.toxscreen("hunt", *arguments, cwd=tmp_path, env=_UNMEASURED).expect(exit=2)
    lines = told.stdout.splitlines()
    assert lines[0] == "findings in project: 3 not judged"
    assert sum(line.endswith("not judged: there was no time left (--budget)") for line in lines) == 3


EVERY_KIND = {
    **INI,
    "test_a.py": """\
        import fcntl, os, tempfile, time
        from state import KEPT

        def test_sets_up(): KEPT["ready"] = 1
        def test_brittle(): assert KEPT["ready"]

        def test_self():
            assert "self" not in KEPT
            KEPT["self"] = 1

        def test_spoilt(): assert "spoilt" not in KEPT

        def test_chance():
            with open(os.environ["COUNTER"], "ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(b"x")
                file.flush()
                assert file.tell() % 2

        def claim():
            place = os.path.join(tempfile.gettempdir(), "claimed")
            os.mkdir(place)
            time.sleep(0.3)
            os.rmdir(place)

        def test_claims(): claim()
        def test_also_claims(): claim()
        def test_victim(): assert "gone" not in KEPT
        """,
    "test_b.py": "from state import KEPT\nKEPT['spoilt'] = 1\ndef test_nothing(): pass\n",
}


def origin(exception: str, file: str = "test_a.py") -> dict[str, Any]:
    return {"exception": exception, "file": file, "line": 1, "causes": []}


def finding(kind: str, name: str, *partners: str, exception: str = "AssertionError") -> dict[str, Any]:
    return {"kind": kind, "node_id": f"test_a.py::{name}", "partners": partners, "origin": origin(exception)}


def test_every_kind_while_it_is_there_and_when_it_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTER", str(tmp_path / "counter"))
    project = Suite(EVERY_KIND).at(tmp_path)
    findings = [
        finding("brittle", "test_brittle", "test_a.py::test_sets_up", exception="KeyError"),
        finding("self-polluting", "test_self"),
        finding("polluted-while-collecting", "test_spoilt", "test_b.py"),
        finding("chance", "test_chance"),
        finding("conflict", "test_claims", "test_a.py::test_also_claims", exception="FileExistsError"),
        finding("victim", "test_victim", "test_gone.py::test_gone"),
    ]
    document = {"schema": 1, "root": str(project.root), "findings": findings}
    found = verify(project, document, exit=1)
    assert found.pop("test_victim") == ("gone", "test_gone.py::test_gone: its file is not there any more")
    assert found["test_chance"] == ("still there", "fails, 5 of 10 times")
    assert {ruling for ruling, _ in found.values()} == {"still there"}
    mended = """\
        import pytest

        @pytest.fixture(autouse=True)
        def ready(monkeypatch): monkeypatch.setattr("test_a.KEPT", {"ready": 1})
        """
    project.write({"conftest.py": mended})
    document["findings"] = [findings[0], findings[2], findings[-1]]
    assert verify(project, document, exit=0) == {
        "test_brittle": ("fixed", "passes alone, 2 of 2 times"),
        "test_spoilt": ("fixed", "passes collected together, 2 of 2 times"),
        "test_victim": ("gone", "test_gone.py::test_gone: its file is not there any more"),
    }
