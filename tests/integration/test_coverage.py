"""``toxscreen coverage`` on real projects: real coverage, real git, each command in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CALC = '''\
"""Numbers."""


def sign(number):
    if number > 0:
        return "positive"
    if number < 0:
        # under zero
        return "negative"
    return "zero"


def add(items):
    total = 0
    for item in items:
        total += item
    return total


def unused():
    one = 1

    return one
'''
BRANCHES = """\
def walk(items, stop):
    for item in items:
        if item == stop:
            break
        if item:
            item += 1
    print(items)


def choose(flag):
    if flag:
        print(flag)
"""
PYPROJECT = """\
[tool.coverage.run]
branch = true
parallel = true
relative_files = true
source = ["pkg"]

[tool.coverage.report]
fail_under = 80
precision = 2
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    ".gitignore": "__pycache__/\n",
    "pkg/__init__.py": "",
    "pkg/calc.py": CALC,
    "unit.py": "from pkg.calc import sign\nsign(1)\nsign(0)\n",
    "integration.py": "from pkg.calc import add, sign\nadd([1])\nsign(0)\n",
    "nothing.py": "",
    "forks.py": """\
import os, sys
from pkg.calc import add, sign, unused
from toxscreen.analysis.checkpoint import Checkpoints
sign(1)
assert Checkpoints().after_test() > 0
child = os.fork()
if not child:
    sign(-1)
    sys.exit()
os.waitpid(child, 0)
add([1])
unused()
""",
    "killed.py": """\
import os, signal, sys
from pkg.calc import add, sign, unused
from toxscreen.analysis.checkpoint import Checkpoints
checkpoints = Checkpoints()
sign(1)
assert checkpoints.after_test() > 0
eval(sys.argv[1])
assert checkpoints.after_test() > 0
unused()
os.kill(os.getpid(), signal.SIGKILL)
""",
}
DATA = ".toxscreen/coverage"
NO_FLOOR = "is not set, or 0: without a floor coverage cannot be judged"


@dataclass(frozen=True)
class Project:
    """A project on disk, and the commands that a person types in it."""

    root: Path

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip()

    def toxscreen(self, *arguments: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "toxscreen", "coverage", *arguments],
            cwd=self.root / folder,
            env={name: value for name, value in os.environ.items() if name not in {"COVERAGE_FILE", "COVERAGE_RCFILE"}},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )

    def python(self, environment: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python for an environment, without the measurement that this test itself may be part of."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**outside, "COVERAGE_FILE": str(self.root / DATA / environment / ".coverage"), **variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )

    def measure(self, environment: str, script: str = "") -> None:
        """What an environment does: begin, then run something under coverage."""
        assert self.toxscreen("--begin", environment).returncode == 0
        done = self.python(environment, "-m", "coverage", "run", script or f"{environment}.py")
        assert (done.returncode, done.stderr) == (0, "")

    def data(self, environment: str) -> Path:
        """The only data file of an environment."""
        (found,) = (self.root / DATA / environment).glob(".coverage.*")
        return found

    def reports(self) -> dict[str, bytes]:
        """The content of everything that combining writes."""
        top = self.root / DATA
        files = [top / ".coverage", *(top / "report").rglob("*")]
        return {path.relative_to(top).as_posix(): path.read_bytes() for path in files if path.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project under git, in a folder with spaces and letters that are not English."""
    root = tmp_path / "mein schönes Projekt"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    made = Project(root)
    made.git("init", "--quiet")
    made.git("add", ".")
    made.git("commit", "--quiet", "--message", "first")
    return made


@pytest.fixture
def measured(project: Project) -> Project:
    """The project, with the data of two environments."""
    project.measure("unit")
    project.measure("integration")
    return project


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the command refused, as lines; every refusal ends with status 2 and nothing on standard output."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("toxscreen: ")
    return done.stderr.removeprefix("toxscreen: ").splitlines()


def row(text: str, name: str) -> list[str]:
    """Cells of a printed line about ``name``: its words, without what frames them."""
    (line,) = (line for line in text.splitlines() if re.search(rf"(^|\W){re.escape(name)}(\W|$)", line) and "%" in line)
    return re.findall(r"[\w./>%-]+", line)


# combining


def test_environments_are_combined_reported_and_held_to_the_floor(measured: Project) -> None:
    commit = measured.git("rev-parse", "HEAD")
    before = {name: measured.data(name).read_bytes() for name in ("unit", "integration")}
    done = measured.toxscreen("unit,integration unit", "--json", folder="pkg")
    assert done.returncode == 0, done.stderr
    numbers = {"statements": 14, "missing": 3, "branches": 6, "partial": 1, "percent": "80.00"}
    empty = {"statements": 0, "missing": 0, "branches": 0, "partial": 0, "percent": "100.00"}
    reports = f"{DATA}/report"
    assert answer(done) == {
        "schema": 1,
        "environments": [
            {"name": "unit", "files": 1, "measured_files": 2, "commit": commit},
            {"name": "integration", "files": 1, "measured_files": 2, "commit": commit},
        ],
        "totals": {**numbers, "covered": 16, "countable": 20, "percent_exact": 80.0},
        "fail_under": 80.0,
        "ruling": "pass",
        "files": [
            {"file": "pkg/__init__.py", **empty, "missing_lines": ""},
            {"file": "pkg/calc.py", **numbers, "missing_lines": "9, 21-23"},
        ],
        "reports": {
            "xml": f"{reports}/coverage.xml",
            "html": f"{reports}/html/index.html",
            "json": f"{reports}/coverage.json",
            "lcov": f"{reports}/coverage.lcov",
            "markdown": f"{reports}/coverage.md",
            "badge": f"{reports}/badge.svg",
            "endpoint": f"{reports}/badge.json",
            "data": f"{DATA}/.coverage",
        },
        "never_measured": [],
        "notes": [f"not compared with a base: commit {commit[:12]} has no parent here"],
    }
    for path in answer(done)["reports"].values():
        assert (measured.root / path).stat().st_size > 0
    assert {name: measured.data(name).read_bytes() for name in before} == before
    assert sorted(path.name for path in (measured.root / DATA).iterdir()) == [
        ".coverage",
        "integration",
        "report",
        "trend.jsonl",
        "unit",
    ]
    assert (measured.root / ".toxscreen/.gitignore").read_text(encoding="utf-8") == "*\n"
    assert measured.git("status", "--porcelain") == ""


def test_new_reports_take_the_place_of_old_ones(measured: Project) -> None:
    assert measured.toxscreen("unit").returncode == 1
    left = measured.root / DATA / "report/html/old.html"
    left.touch()
    assert measured.toxscreen("unit", "integration").returncode == 0
    assert not left.exists()
    assert json.loads(measured.reports()["report/coverage.json"])["totals"]["missing_lines"] == 3
    assert sorted(path.name for path in (measured.root / DATA).iterdir()) == [
        ".coverage",
        "integration",
        "report",
        "trend.jsonl",
        "unit",
    ]


def test_a_person_reads_what_coverage_itself_would_print(measured: Project) -> None:
    done = measured.toxscreen("unit", "integration")
    assert (done.returncode, done.stderr) == (0, "")
    ours = row(done.stdout, "pkg/calc.py")
    theirs = row(
        measured.python("unit", "-m", "coverage", "report", "--show-missing", f"--data-file={DATA}/.coverage").stdout,
        "pkg/calc.py",
    )
    assert theirs == ["pkg/calc.py", "14", "3", "6", "1", "80.00%", "9", "21-23"]
    assert "".join(ours) == "".join(theirs)
    for line in (
        f"unit: commit {measured.git('rev-parse', 'HEAD')[:12]}, data files: 1, source files: 2",
        f"markdown: {DATA}/report/coverage.md",
        "coverage is 80.00 %, at or over the floor of 80 %: 16 of 20 ran (14 statements and 6 branches)",
    ):
        assert line in done.stdout


def test_missing_branches_are_written_as_coverage_writes_them(project: Project) -> None:
    (project.root / "pkg/calc.py").write_text(BRANCHES, encoding="utf-8")
    (project.root / "unit.py").write_text(
        "from pkg.calc import choose, walk\nwalk([1, 2], 2)\nchoose(True)\n", encoding="utf-8"
    )
    project.measure("unit")
    done = project.toxscreen("unit", "--json")
    (file,) = (file for file in answer(done)["files"] if file["file"] == "pkg/calc.py")
    assert file["missing_lines"] == "2->7, 5->2, 11->exit"
    theirs = project.python("unit", "-m", "coverage", "report", "-m", f"--data-file={DATA}/.coverage").stdout
    assert re.search(r"pkg/calc\.py.*%\s+(.*)", theirs)[1] == file["missing_lines"]  # type: ignore[index]


def test_under_the_floor_is_a_finding_and_the_reports_are_written(measured: Project) -> None:
    done = measured.toxscreen("unit")
    assert done.returncode == 1
    assert "coverage is 50.00 %, under the floor of 80 %: 10 of 20 ran (14 statements and 6 branches)" in done.stdout
    assert "not asked for, not combined: integration" in done.stdout
    assert "| pkg/calc.py         |       14 |        7 |" in (measured.root / DATA / "report/coverage.md").read_text(
        "utf-8"
    )


def test_a_total_is_not_rounded_up_to_the_floor(project: Project) -> None:
    # 199 of 250 are 79.6 %: coverage itself rounds that to 80, which reaches the floor.
    lines = "value = 0\n" * 198 + "def left():\n" + "    value = 1\n" * 51
    (project.root / "pkg/calc.py").write_text(lines, encoding="utf-8")
    (project.root / "pyproject.toml").write_text(PYPROJECT.replace("precision = 2", "precision = 0"), encoding="utf-8")
    (project.root / "unit.py").write_text("import pkg.calc\n", encoding="utf-8")
    project.measure("unit")
    done = project.toxscreen("unit")
    assert (done.returncode, done.stderr) == (1, "")
    assert "coverage is 79 %, under the floor of 80 %: 199 of 250 ran (250 statements and 0 branches)" in done.stdout
    assert row(done.stdout, "TOTAL") == ["TOTAL", "250", "51", "0", "0", "79", "%"]
    theirs = project.python("unit", "-m", "coverage", "report", f"--data-file={DATA}/.coverage")
    assert (theirs.returncode, row(theirs.stdout, "TOTAL")[-1]) == (0, "80%")


def test_files_that_the_configuration_hides_are_counted(measured: Project) -> None:
    text = PYPROJECT + "skip_covered = true\nskip_empty = true\n"
    (measured.root / "pyproject.toml").write_text(text, encoding="utf-8")
    measured.measure("unit")
    done = measured.toxscreen("unit")
    assert done.returncode == 1
    assert "pkg/__init__.py" not in done.stdout
    assert "files not listed (skip_covered, skip_empty): 1 of 2" in done.stdout


# evidence


def test_everything_wrong_with_the_evidence_is_told_at_once_and_nothing_is_written(measured: Project) -> None:
    assert measured.toxscreen("unit", "integration").returncode == 0
    top, before = measured.root / DATA, measured.reports()
    for name in (
        "stampless",
        "dataless",
        "corrupt",
        "garbage",
        "torn",
        "hollow",
        "foreign",
        "alien",
        "branchless",
        "idle",
    ):
        shutil.copytree(top / "unit", top / name)
        stamp = top / name / "stamp.json"
        stamp.write_text(stamp.read_text(encoding="utf-8").replace('"unit"', f'"{name}"'), encoding="utf-8")
    (top / "stampless/stamp.json").unlink()
    measured.data("dataless").unlink()
    (top / "corrupt/stamp.json").write_text('{"schema": 1}', encoding="utf-8")
    for name, content in (
        ("garbage", b"no database"),
        ("hollow", b""),
        ("torn", measured.data("unit").read_bytes()[:9000]),
    ):
        measured.data(name).write_bytes(content)
    measured.data("alien").unlink()
    with contextlib.closing(sqlite3.connect(top / "alien/.coverage.x")) as database:
        database.execute("create table birds (name)")
    shutil.copy(top / "unit/stamp.json", top / "foreign/stamp.json")
    for name, arguments in (("branchless", ["--rcfile=", "--source=pkg", "unit.py"]), ("idle", ["nothing.py"])):
        measured.data(name).unlink()
        options = ["--parallel-mode"] if name == "branchless" else []
        assert measured.python(name, "-m", "coverage", "run", *options, *arguments).returncode == 0
    files = {name: measured.data(name).name for name in ("garbage", "torn", "hollow", "branchless")}
    expected = {
        "absent": "was expected, but has never measured: there is no such folder",
        "stampless": "was expected, but there is no stamp.json, and data files: 1",
        "dataless": "began to measure, but left no data file .coverage.*",
        "corrupt": "has a stamp.json that cannot be read (KeyError: 'environment')",
        "garbage": f"has 1 of 1 data files that cannot be read: {files['garbage']} (file is not a database)",
        "torn": f"has 1 of 1 data files that cannot be read: {files['torn']} (database disk image is malformed)",
        "hollow": f"has 1 of 1 data files that cannot be read: {files['hollow']} (no such table: coverage_schema)",
        "foreign": "has the stamp.json of environment 'unit'",
        "alien": "has 1 of 1 data files that cannot be read: .coverage.x (no such table: coverage_schema)",
        "branchless": f"did not measure branches in 1 of 1 data files: {files['branchless']}",
        "idle": "measured nothing: no line of 2 known source files ran (data files: 1)",
    }
    done = measured.toxscreen("unit", *expected)
    told = []
    for name, what in expected.items():
        first = "set tool.coverage.run.branch = true, then " if name == "branchless" else ""
        told += [
            f"{DATA}/{name}: environment '{name}' {what} [coverage-evidence]",
            f"  {first}make it with: tox -e {name}",
        ]
    assert errors(done) == told
    assert measured.reports() == before
    assert sorted(path.name for path in top.iterdir() if path.name.startswith(".")) == [".coverage"]


def test_a_data_file_that_is_damaged_inside_is_refused(measured: Project) -> None:
    data = measured.data("unit")
    content = data.read_bytes()
    data.write_bytes(content[:-4096] + bytes(4096))
    told = errors(measured.toxscreen("unit"))
    what = f"{DATA}/unit: environment 'unit' has 1 of 1 data files that cannot be read: {data.name} (Page "
    assert told[0].startswith(what), told
    assert told[1:] == ["  make it with: tox -e unit"]


def test_data_of_another_commit_is_refused(measured: Project) -> None:
    old = measured.git("rev-parse", "HEAD")
    measured.git("commit", "--quiet", "--allow-empty", "--message", "second")
    new = measured.git("rev-parse", "HEAD")
    measured.measure("integration")
    what = f"was measured at commit {old[:12]}, the sources are now at commit {new[:12]}"
    assert errors(measured.toxscreen("unit", "integration")) == [
        f"{DATA}/unit: environment 'unit' {what} [coverage-evidence]",
        "  make it with: tox -e unit",
    ]
    measured.measure("unit")
    assert measured.toxscreen("unit", "integration").returncode == 0


def test_data_of_sources_that_were_edited_since_is_refused(measured: Project) -> None:
    (measured.root / "pkg/calc.py").write_text(CALC + "\n\nMORE = 1\n", encoding="utf-8")
    first, second = (line for line in errors(measured.toxscreen("unit", "integration")) if "environment" in line)
    assert re.fullmatch(
        rf"{DATA}/unit: environment 'unit' was measured with no uncommitted changes, "
        r"the sources now have the uncommitted changes [0-9a-f]{16} \[coverage-evidence\]",
        first,
    )
    assert "environment 'integration' was measured with no uncommitted changes" in second
    measured.measure("unit")
    stored = json.loads((measured.root / DATA / "unit/stamp.json").read_text(encoding="utf-8"))
    assert re.fullmatch("[0-9a-f]{16}", stored["changes"])
    assert measured.toxscreen("unit").returncode == 1


def test_without_git_the_answer_says_what_cannot_be_told(measured: Project) -> None:
    shutil.rmtree(measured.root / ".git")
    measured.measure("unit")
    done = measured.toxscreen("unit", "--json")
    assert (done.returncode, answer(done)["environments"]) == (
        1,
        [{"name": "unit", "files": 1, "measured_files": 2, "commit": None}],
    )
    assert answer(done)["notes"] == [
        "no git commit here: nothing tells whether the data was made from these sources",
        "not asked for, not combined: integration",
    ]


def test_beginning_removes_what_an_earlier_run_measured_and_nothing_else(measured: Project) -> None:
    home = measured.root / DATA / "unit"
    (home / "notes.txt").write_text("mine", encoding="utf-8")
    (home / ".coveragerc").write_text("mine", encoding="utf-8")
    (home / ".coverage").touch()
    (home / ".coverage.folder").mkdir()
    other = measured.data("integration")
    done = measured.toxscreen("--begin", "unit", "--json", folder="pkg")
    stored = json.loads((home / "stamp.json").read_text(encoding="utf-8"))
    assert (done.returncode, answer(done)) == (0, {**stored, "schema": 1, "folder": f"{DATA}/unit", "removed": 3})
    assert (stored["environment"], stored["commit"], stored["changes"]) == (
        "unit",
        measured.git("rev-parse", "HEAD"),
        None,
    )
    assert sorted(path.name for path in home.iterdir()) == [
        ".coverage.folder",
        ".coveragerc",
        "notes.txt",
        "stamp.json",
    ]
    assert other.exists()
    assert errors(measured.toxscreen("unit", "integration")) == [
        f"{DATA}/unit: environment 'unit' began to measure, but left no data file .coverage.* [coverage-evidence]",
        "  make it with: tox -e unit",
    ]


# arguments and configuration


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--begin", "../unit"],
            [
                "toxscreen coverage --begin: '../unit' cannot be the name of an environment [config-invalid]",
                "  a name is made of letters, digits and '_-+.', begins with none of '-+.', and is not 'report'",
            ],
        ),
        (["--begin", ""], ["toxscreen coverage --begin: takes one environment and nothing else [config-invalid]"]),
        (["--begin", "a,b"], ["toxscreen coverage --begin: takes one environment and nothing else [config-invalid]"]),
        (
            ["--begin", "a", "b"],
            ["toxscreen coverage --begin: takes one environment and nothing else [config-invalid]"],
        ),
        (
            [","],
            [
                "toxscreen coverage: no environment is named [config-invalid]",
                "  name every environment that must have data; those that have some: none",
            ],
        ),
    ],
)
def test_arguments_that_make_no_sense(project: Project, arguments: list[str], told: list[str]) -> None:
    assert errors(project.toxscreen(*arguments)) == told
    assert not (project.root / ".toxscreen").exists()


@pytest.mark.parametrize(
    ("name", "text", "what", "hint"),
    [
        ("pyproject.toml", PYPROJECT.replace("fail_under = 80\n", ""), NO_FLOOR, ""),
        ("pyproject.toml", PYPROJECT.replace("= 80", "= 101"), "is 101, must be over 0 and at most 100", ""),
        (".coveragerc", "[run]\nbranch = true\n", NO_FLOOR, "; coverage takes .coveragerc instead of it now"),
    ],
)
def test_without_a_floor_nothing_is_judged(project: Project, name: str, text: str, what: str, hint: str) -> None:
    (project.root / name).write_text(text, encoding="utf-8")
    project.toxscreen("--begin", "unit")
    assert errors(project.toxscreen("unit")) == [
        f"{DATA}/unit: environment 'unit' began to measure, but left no data file .coverage.* [coverage-evidence]",
        "  make it with: tox -e unit",
        f"{name}: tool.coverage.report.fail_under: {what} [config-invalid]",
        f"  set it in pyproject.toml: [tool.coverage.report] fail_under = 90{hint}",
    ]


@pytest.mark.parametrize(
    ("before", "after", "pattern"),
    [
        (
            "fail_under = 80",
            'fail_under = "high"',
            r"coverage cannot use its configuration: .*fail_under.* \[coverage-unusable\]",
        ),
        (
            "[tool.coverage.run]",
            "[tool.coverage.run",
            r"pyproject\.toml:1: is not valid TOML: .* \[config-invalid\]",
        ),
        (
            "branch = true",
            'branch = true\nplugins = ["no_plugin"]',
            r"coverage cannot use its configuration: .*no_plugin.* \[coverage-unusable\]",
        ),
        (
            "precision = 2",
            "precision = -1",
            r"coverage cannot report: .*precision.* \[coverage-unusable\]",
        ),
    ],
)
def test_a_configuration_that_coverage_refuses(project: Project, before: str, after: str, pattern: str) -> None:
    project.measure("unit")
    data = project.data("unit")
    kept = data.read_bytes()
    (project.root / "pyproject.toml").write_text(PYPROJECT.replace(before, after), encoding="utf-8")
    project.toxscreen("--begin", "unit")
    data.write_bytes(kept)
    told = errors(project.toxscreen("unit"))
    assert re.fullmatch(pattern, told[0]), told
    assert not (project.root / DATA / "report").exists()


def test_a_source_that_is_gone_is_an_error(project: Project) -> None:
    (project.root / "unit.py").write_text(
        "import pathlib\nimport pkg.calc\npathlib.Path(pkg.calc.__file__).unlink()\n", encoding="utf-8"
    )
    project.measure("unit")
    project.git("checkout", "--", "unit.py", "pkg")
    (project.root / "pkg/calc.py").unlink()
    data = project.data("unit")
    kept = data.read_bytes()
    project.toxscreen("--begin", "unit")
    data.write_bytes(kept)
    told = errors(project.toxscreen("unit"))
    assert re.fullmatch(r"coverage cannot report: No source for code: '.*calc\.py'.* \[coverage-unusable\]", told[0])
    assert told[1:] == [
        "  every measured file has to be here and to be Python: see tool.coverage.run and tool.coverage.paths"
    ]


@pytest.mark.parametrize("omit", ["*/calc.py", "*"])
def test_no_statement_is_nothing_measured(project: Project, omit: str) -> None:
    (project.root / "pyproject.toml").write_text(PYPROJECT + f'omit = ["{omit}"]\n', encoding="utf-8")
    project.measure("unit")
    assert errors(project.toxscreen("unit")) == [
        "pyproject.toml: tool.coverage: no statement was measured in any source file [coverage-evidence]",
        "  source, include and omit leave no file with code to report on",
    ]


def test_coverage_that_is_not_installed_is_named(project: Project) -> None:
    project.measure("unit")
    script = """\
import sys
sys.modules["coverage"] = None
from toxscreen.cli.main import main
sys.exit(main(["coverage", "unit"]))
"""
    done = project.python("unit", "-c", script)
    told = errors(done)
    assert re.fullmatch(r"coverage cannot be imported: .* \[tool-missing\]", told[0])
    assert told[1] == f"  install it beside toxscreen: {sys.executable} -m pip install coverage"


def test_a_state_folder_that_is_a_file_is_named(project: Project) -> None:
    (project.root / ".toxscreen").write_text("", encoding="utf-8")
    assert errors(project.toxscreen("--begin", "unit")) == [
        f"{DATA}/unit: cannot be used: Not a directory [coverage-unusable]",
        f"  coverage data and reports are kept in {DATA}",
    ]


# saving while measuring


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_what_ran_before_a_checkpoint_outlives_a_killed_process(project: Project) -> None:
    assert project.toxscreen("--begin", "unit").returncode == 0
    for last in ("add([1])", "sign(-1)"):
        # Both begin alike: coverage must not take the second file for a copy of the first.
        done = project.python("unit", "-m", "coverage", "run", "killed.py", last)
        assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "", "")
    done = project.toxscreen("unit", "--json")
    (calc,) = (file for file in answer(done)["files"] if file["file"] == "pkg/calc.py")
    assert answer(done)["environments"][0]["files"] == 2
    assert (done.returncode, calc["missing_lines"]) == (0, "10, 21-23")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_what_a_child_ran_that_was_forked_after_a_checkpoint_counts(project: Project) -> None:
    assert project.toxscreen("--begin", "unit").returncode == 0
    done = project.python("unit", "-m", "coverage", "run", "forks.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = project.toxscreen("unit", "--json")
    assert (done.returncode, done.stderr.count("error")) == (0, 0)
    (calc,) = (file for file in answer(done)["files"] if file["file"] == "pkg/calc.py")
    assert answer(done)["environments"][0]["files"] == 2
    # The child alone ran line 8, its parent alone the rest; nobody asked for the sign of zero.
    assert calc["missing_lines"] == "10"


def test_a_process_that_is_measured_itself_keeps_its_measurement(measured: Project, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "rc").write_text("[run]\nbranch = true\nparallel = true\nsource_pkgs = toxscreen\n", encoding="utf-8")
    around = {"COVERAGE_FILE": str(outer / ".coverage"), "COVERAGE_PROCESS_START": str(outer / "rc")}
    done = measured.python("unit", "-m", "toxscreen", "coverage", "unit", "integration", **around)
    assert (done.returncode, done.stderr) == (0, "")
    (data,) = outer.glob(".coverage.*")
    told = measured.python("unit", "-m", "coverage", "report", f"--data-file={data}", "--rcfile=", "--fail-under=0")
    assert int(row(told.stdout, "cli/coverage.py")[-1].rstrip("%")) > 50


def test_a_checkpoint_without_coverage_does_nothing(project: Project) -> None:
    script = """import sys
from toxscreen.analysis.checkpoint import Checkpoints, checkpoint
assert checkpoint() is None
assert Checkpoints().after_test() is None
assert "coverage" not in sys.modules
import coverage
assert checkpoint() is None
coverage.Coverage.current = lambda: 1 / 0
assert checkpoint() is None
"""
    # With -S no start-up file of any package imports coverage beforehand.
    paths = [str(path) for path in sys.path if path]
    done = project.python("unit", "-S", "-c", f"import sys; sys.path[:] = {paths!r}\n{script}")
    assert (done.returncode, done.stderr) == (0, "")


def test_saving_stops_when_its_budget_is_spent(project: Project) -> None:
    script = """from pkg.calc import sign
from toxscreen.analysis.checkpoint import Checkpoints
from toxscreen.host import Clock
now = 0.0
def slow():
    # Every look at the clock takes a second: a save costs one, and so does the question whether it is due.
    global now
    now += 1.0
    return now
checkpoints = Checkpoints(Clock(elapsed=slow))
print([checkpoints.after_test() for _ in range(8)])
"""
    (project.root / "unit.py").write_text(script, encoding="utf-8")
    done = project.python("unit", "-m", "coverage", "run", "unit.py")
    assert (done.returncode, done.stdout) == (0, "[1.0, 1.0, None, None, None, 1.0, None, None]\n")
