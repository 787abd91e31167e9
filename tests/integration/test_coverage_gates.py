"""Evidence of coverage on real projects: changes, files that nobody measured, exclusions, data from elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from toxscreen import host
from toxscreen.analysis import evidence
from toxscreen.analysis.base import find_base
from toxscreen.analysis.changes import find_changes
from toxscreen.analysis.differing import source_functions
from toxscreen.analysis.limits import limits, limits_at
from toxscreen.gates import coverage
from toxscreen.gates import limits as gate_of_limits
from toxscreen.gates.requirements import executed_by
from toxscreen.model import Evidence, Missing, Ruling, Verdict
from toxscreen.settings.gates import load_gates

PYPROJECT = """\
[tool.coverage.run]
branch = true
parallel = true
relative_files = true
source = ["src"]

[tool.coverage.report]
fail_under = 50
precision = 2
"""
CALC = """\
def sign(number):
    if number > 0:
        return "positive"
    return "negative"


def left():  # pragma: no cover
    return 1
"""
DATA = ".toxscreen/coverage"
LETTERS = "größe und maß"


def _is_test(file: str) -> bool:
    return file.startswith("tests/")


@dataclass(frozen=True)
class Project:
    """A project under git, in a folder with spaces, and the commands that a person types in it."""

    root: Path

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def toxscreen(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "toxscreen", "coverage", *arguments)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**outside, "COVERAGE_FILE": str(self.root / DATA / "unit" / ".coverage")},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )

    def measure(self) -> None:
        assert self.toxscreen("--begin", "unit").returncode == 0
        done = self.python("-m", "coverage", "run", "unit.py")
        assert (done.returncode, done.stderr) == (0, "")

    def data(self) -> Path:
        (found,) = (self.root / DATA / "unit").glob(".coverage.*")
        return found

    def evidence(self) -> Evidence | Missing:
        return evidence.read(self.root, "coverage", evidence.state(self.root), ("make",))

    def judged(self, against: str | None = None) -> dict[str, Verdict]:
        """The verdicts, as `toxscreen gate` puts them together."""
        base = find_base(self.root, against, {})
        demanded = load_gates(self.root, {})
        verdicts = coverage.judge(self.evidence(), find_changes(self.root, base), demanded, ("unit",), _is_test)
        floor = gate_of_limits.judge(limits(self.root), limits_at(self.root, base))
        return {verdict.gate: verdict for verdict in (*verdicts, floor)}

    def kept(self) -> dict[str, bytes]:
        """The content of everything that combining writes."""
        top = self.root / ".toxscreen"
        parts = [top / "evidence", top / "coverage/report", top / "coverage/.coverage", top / "coverage/trend.jsonl"]
        files = [path for part in parts for path in (part, *part.rglob("*")) if path.is_file()]
        return {path.relative_to(top).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two commits, the second one on a branch."""
    made = Project(tmp_path / "mein Projekt")
    made.write("pyproject.toml", PYPROJECT)
    made.write(".gitignore", "__pycache__/\n")
    made.write("src/app/__init__.py", "")
    made.write(f"src/app/{LETTERS}.py", CALC)
    made.write("src/app/plain.py", CALC)
    made.write(
        "unit.py",
        "import sys\nsys.path.insert(0, 'src')\nfrom importlib import import_module\n"
        f"import_module('app.{LETTERS}').sign(1)\nimport_module('app.plain').sign(1)\n",
    )
    made.git("init", "--quiet", "--initial-branch", "main")
    made.commit("first")
    made.git("checkout", "--quiet", "-b", "work")
    return made


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_change_is_held_against_the_base(project: Project) -> None:
    """Lines that ran and lines that did not, a renamed file, binary and generated ones, names that are not English."""
    base = project.git("rev-parse", "HEAD")
    project.git("mv", "src/app/plain.py", "src/app/renamed.py")
    project.write(f"src/app/{LETTERS}.py", CALC.replace('"negative"', '(\n        "minus"\n    )'))
    project.write("unit.py", (project.root / "unit.py").read_text(encoding="utf-8").replace("app.plain", "app.renamed"))
    (project.root / "src/app/picture.png").write_bytes(bytes(range(256)))
    (project.root / "src/app/made.txt").write_text("generated\n" * 1000, encoding="utf-8")
    project.commit("second")
    project.measure()
    done = project.toxscreen("unit", "--against", "main")
    assert (done.returncode, done.stderr) == (0, "")
    told = (
        f"0 of 1 changed statements and branches ran (1 and 0), 0.00 %, under 80 %, against {base[:12]} (main)"
        "; not among the sources and so not judged: unit.py"
    )
    assert f"changed: {told}" in done.stdout
    assert f"  src/app/{LETTERS}.py: changed and not covered: lines 4" in done.stdout
    document = answer(project.toxscreen("unit", "--against", "main", "--json"))
    assert document["changed"] == {
        "ruling": "fail",
        "reason": told,
        "covered": 0,
        "countable": 1,
        "expected": 1,
        "limit": 80.0,
        "findings": [{"file": f"src/app/{LETTERS}.py", "line": 4, "message": "changed and not covered: lines 4"}],
    }
    found = project.evidence()
    assert isinstance(found, Evidence)
    assert found.command == ("toxscreen", "coverage", "unit", "--against", "main")
    judged = project.judged()
    assert {gate: verdict.ruling for gate, verdict in judged.items()} == {
        "coverage": Ruling.PASS,
        "coverage-branches": Ruling.NOT_APPLICABLE,
        "coverage-files": Ruling.NOT_APPLICABLE,
        "coverage-packages": Ruling.NOT_APPLICABLE,
        "coverage-categories": Ruling.NOT_APPLICABLE,
        "coverage-changed": Ruling.FAIL,
        "coverage-exclusive": Ruling.NOT_APPLICABLE,
        "coverage-excluded": Ruling.PASS,
        "coverage-floor": Ruling.PASS,
    }
    assert judged["coverage-excluded"].reason == f"4 lines are excluded, as many as the 4 of {base[:12]}"
    # The gate on functions reads the same evidence: of those that changed, the renamed file's are no news.
    differing = source_functions(project.root, find_changes(project.root, find_base(project.root, "main", {})), ())
    aside = "; not measured by coverage and so not asked: unit.py"
    (executed,) = executed_by(("unit",), found, differing, "main")
    assert (executed.ruling, executed.reason) == (Ruling.PASS, f"1 of 1 changed function run in unit{aside}")
    # The last commit itself changed the same; a commit that changes no line of code has nothing to cover.
    project.commit("third")
    project.measure()
    assert project.toxscreen("unit").returncode == 0
    changed = project.judged("HEAD^")["coverage-changed"]
    assert changed.ruling is Ruling.NOT_APPLICABLE
    assert "has 0 executable lines in 0 files" in changed.reason


def test_what_nobody_measured_and_what_is_excluded_now_fails(project: Project) -> None:
    """A new file that no data knows, a pragma, a pattern, a file that is left out, a floor that is lowered."""
    base = project.git("rev-parse", "HEAD")
    text = PYPROJECT.replace("= 50", "= 40").replace('["src"]', '["app"]\nomit = ["*/plain.py"]\n')
    project.write("pyproject.toml", text + 'exclude_also = ["if number"]\n')
    project.write("tool.py", "")
    project.measure()
    project.write("src/app/new.py", "def one():\n    return 1\n")
    # The data was made before the file came: as by an installed wheel that lacks it.
    stamp = project.root / DATA / "unit/stamp.json"
    changes = evidence.state(project.root).changes
    stamp.write_text(json.dumps(json.loads(stamp.read_text("utf-8")) | {"changes": changes}), encoding="utf-8")
    done = project.toxscreen("unit")
    assert done.returncode == 1
    assert "never measured: src/app/new.py" in done.stdout
    judged = project.judged()
    assert judged["coverage"].ruling is Ruling.FAIL
    assert judged["coverage"].reason.endswith("; never measured: src/app/new.py")
    assert judged["coverage-changed"].reason.startswith("changed and never measured: src/app/new.py")
    excluded = judged["coverage-excluded"]
    assert (excluded.ruling, excluded.limit) == (Ruling.FAIL, 4)
    assert [finding.file for finding in excluded.findings] == [f"src/app/{LETTERS}.py", "src/app/plain.py"]
    floor = judged["coverage-floor"]
    assert floor.ruling is Ruling.FAIL
    assert floor.reason.startswith(f"fail_under was 50 and is 40, against {base[:12]}")
    (project.root / "src/app/new.py").write_bytes(b"\xff\xfe = 1\n")
    changes = evidence.state(project.root).changes
    stamp.write_text(json.dumps(json.loads(stamp.read_text("utf-8")) | {"changes": changes}), encoding="utf-8")
    before = project.kept()
    assert refused(project.toxscreen("unit")).startswith("toxscreen: src/app/new.py: the source is no Python text: ")
    assert project.kept() == before


@pytest.mark.parametrize("where", ["shallow", "detached", "merge", "unborn", "nogit", "revision"])
def test_where_there_is_a_base_and_where_there_is_none(project: Project, where: str) -> None:
    if where == "shallow":
        project.commit("second")
        target = project.root.parent / "shallow"
        project.git("clone", "--quiet", "--depth", "1", "--single-branch", project.root.as_uri(), str(target))
        project = Project(target)
    elif where == "detached":
        project.commit("second")
        project.git("checkout", "--quiet", "--detach")
    elif where == "merge":
        project.commit("second")
        project.git("checkout", "--quiet", "main")
        project.git("merge", "--quiet", "--no-ff", "--message", "merged", "work")
    elif where in {"unborn", "nogit"}:
        shutil.rmtree(project.root / ".git")
        if where == "unborn":
            project.git("init", "--quiet")
    project.measure()
    against = {"revision": ["--against", "gone"], "shallow": ["--against", "main"]}
    # Without being asked for it, the total is told all the same.
    assert project.toxscreen("unit").returncode == 0
    before = project.kept()
    done = project.toxscreen("unit", *against.get(where, ["--against", "HEAD"]))
    if where in {"detached", "merge"}:
        assert done.returncode == 0, done.stderr
        assert "changed: the diff against" in done.stdout
        return
    expected = {
        "shallow": "there is no revision 'main': the clone is shallow",
        "revision": "there is no revision 'gone'",
        "unborn": "there is no git commit to compare with",
        "nogit": "there is no git commit to compare with",
    }
    assert expected[where] in refused(done)
    assert "[base-missing]" in done.stderr
    assert project.kept() == before


def test_data_of_another_version_or_machine_is_refused(project: Project) -> None:
    project.measure()
    assert project.toxscreen("unit").returncode == 0
    before, data = project.kept(), project.data()
    content = data.read_bytes()
    with contextlib.closing(sqlite3.connect(data)) as database, database:
        database.execute("update coverage_schema set version = 99")
    told = refused(project.toxscreen("unit"))
    assert f"has 1 of 1 data files that cannot be read: {data.name} (" in told
    assert "99" in told
    data.write_bytes(content)
    with contextlib.closing(sqlite3.connect(data)) as database, database:
        database.execute(r"update file set path = 'C:\builds\' || replace(path, '/', '\')")
    told = refused(project.toxscreen("unit"))
    assert "has paths of another machine: C:/builds/src/app/__init__.py" in told
    assert "say where these files are here, in pyproject.toml: [tool.coverage.paths]" in told
    assert "[coverage-unusable]" in told
    assert project.kept() == before
    # Mapped, the same data is good.
    project.write("pyproject.toml", PYPROJECT + "\n[tool.coverage.paths]\nhere = [\"src\", 'C:\\builds\\src']\n")
    stamp = project.root / DATA / "unit/stamp.json"
    changes = host.git_changes(project.root)
    stamp.write_text(json.dumps(json.loads(stamp.read_text("utf-8")) | {"changes": changes}), encoding="utf-8")
    done = project.toxscreen("unit", "--json")
    assert done.returncode == 0, done.stderr
    assert [file["file"] for file in answer(done)["files"]] == [
        "src/app/__init__.py",
        f"src/app/{LETTERS}.py",
        "src/app/plain.py",
    ]


def test_a_project_without_tests_and_evidence_that_cannot_be_kept(project: Project) -> None:
    assert "no environment is named" in refused(project.toxscreen())
    told = refused(project.toxscreen("unit"))
    assert "environment 'unit' was expected, but has never measured" in told
    project.measure()
    (project.root / ".toxscreen/evidence").touch()
    before = project.kept()
    assert ".toxscreen/evidence/coverage.json: cannot be written" in refused(project.toxscreen("unit"))
    assert project.kept() == before


def test_the_total_is_compared_with_the_base(project: Project) -> None:
    project.measure()
    # What killed processes left goes; what one that runs is making stays.
    left = [project.root / DATA / name for name in (".new-4194305-x", ".new-old", f".new-{os.getpid()}-x")]
    for folder in left:
        folder.mkdir()
    assert project.toxscreen("unit").returncode == 0
    assert [folder.exists() for folder in left] == [False, False, True]
    base = project.git("rev-parse", "HEAD")
    project.write("unit.py", (project.root / "unit.py").read_text("utf-8").replace("sign(1)", "sign(0)", 1))
    project.commit("second")
    project.measure()
    done = project.toxscreen("unit")
    assert f"trend: ±0.00 since {base[:12]} (the base)" in done.stdout
    lines = (project.root / DATA / "trend.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["commit"] for line in lines] == [base, project.git("rev-parse", "HEAD")]
    badge = json.loads((project.root / DATA / "report/badge.json").read_text("utf-8"))
    percent = answer(project.toxscreen("unit", "--json"))["totals"]["percent"]
    assert badge == {"schemaVersion": 1, "label": "coverage", "message": f"{percent}%", "color": "green"}
    assert f"{percent}%</text>" in (project.root / DATA / "report/badge.svg").read_text("utf-8")
