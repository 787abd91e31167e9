"""``toxscreen audit`` on real projects: what pytest really collects, its text, data, exit status and evidence."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from toxscreen.testing import Project, Suite

SICK = {
    "pyproject.toml": (
        '[tool.toxscreen]\n[tool.toxscreen.audit]\nallow = ["ignored-directory: examples  # for users", '
        '"file-name: gone.py"]\n[tool.pytest.ini_options]\ntestpaths = ["tests"]\nfilterwarnings = ["error"]\n'
    ),
    "tox.ini": "[testenv]\ncommands = pytest --category unit\n",
    "examples/test_shown.py": "def test_shown(): assert True\n",
    "tests/conftest.py": "import pytest\n@pytest.fixture\ndef nobody(): ...\n@pytest.fixture\ndef cart(): ...\n",
    "tests/unit/test_same.py": "def test_unit(cart): assert True\n",
    "tests/integration/test_same.py": "def test_integration(): assert True\n",
    "tests/unit/test_exit.py": "import sys\nsys.exit(3)\ndef test_never(): assert True\n",
    "tests/unit/test_broken.py": "import no_such_module\ndef test_never(): assert True\n",
    "tests/unit/test_lib.py": "import pytest\npytest.importorskip('no_such_module')\ndef test_lib(): assert True\n",
    "tests/unit/test_odd.py": """
import unittest
import pytest
class Base:
    def __init__(self): ...
class TestBuilt:
    def __init__(self): ...
    def test_built(self): assert True
class TestMade(Base):
    def test_made(self): assert True
class TestKept(unittest.TestCase):
    async def test_unawaited(self): assert False
class TestAwaited(unittest.IsolatedAsyncioTestCase):
    async def test_awaited(self): assert True
async def test_async(): assert False
@pytest.mark.parametrize("x", list())
def test_empty(x): assert x
@pytest.mark.slwo
def test_marked(): assert True
""",
}


def audited(project: Project, *arguments: str, status: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(project.toxscreen("audit", "--json", *arguments).expect(exit=status).stdout)
    return document


def test_what_is_lost_in_a_project_is_told_and_kept(tmp_path: Path) -> None:
    project = Suite(SICK).at(tmp_path)
    document = audited(project, status=1)
    odd = "tests/unit/test_odd.py"
    assert [(each["slug"], each["subject"], each["line"], each["tests"]) for each in document["findings"]] == [
        ("async-test", f"{odd}::TestKept::test_unawaited", 12, 0),
        ("async-test", f"{odd}::test_async", 15, 0),
        ("class-constructor", f"{odd}::TestBuilt", 6, 1),
        ("class-constructor", f"{odd}::TestMade", 9, 1),
        ("empty-parameters", f"{odd}::test_empty", 17, 0),
        ("import-exits", "tests/unit/test_exit.py", None, 1),
        ("import-fails", "tests/unit/test_broken.py", None, 1),
        ("unused-fixture", "tests/conftest.py::nobody", 3, 0),
        ("unregistered-marker", "slwo", 18, 0),
        ("category-not-run", "integration", None, 0),
        ("unused-exception", "file-name: gone.py", None, 0),
    ]
    assert (document["collected"], document["lost"], document["files_from"]) == (7, 4, "walk")
    assert [(each["slug"], each["subject"]) for each in document["allowed"]] == [("ignored-directory", "examples")]
    assert [(each["file"], each["tests"]) for each in document["skipped_files"]] == [("tests/unit/test_lib.py", 1)]
    kept = json.loads((project.root / ".toxscreen/evidence/audit.json").read_text(encoding="utf-8"))
    assert kept["command"] == ["toxscreen", "audit"]
    assert kept["data"] == {key: value for key, value in document.items() if key not in {"root", "schema"}}


def test_a_clean_project_under_git_is_clean_and_selecting_changes_nothing(tmp_path: Path) -> None:
    files = {".gitignore": "made/\n.toxscreen/\n", "made/test_made.py": "def test_made(): assert True\n"}
    files |= {"pytest.ini": "[pytest]\ntestpaths = tests\n", "tests/test_a.py": "def test_a(): assert True\n"}
    project = Suite(files).at(tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True, timeout=60)
    result = project.toxscreen("audit", "--", "-k", "nothing").expect(exit=0)
    assert (
        result.stdout.split()
        == (
            f"audit of {project.root.name}: 0 findings "
            "1 of 1 functions that look like tests are collected (1 node ids) "
            "evidence: .toxscreen/evidence/audit.json"
        ).split()
    )


def test_what_cannot_be_judged(tmp_path: Path) -> None:
    project = Suite({"pytest.ini": "[pytest]\n", "tests/test_a.py": "x = 1\n"}).at(tmp_path)
    nothing = project.toxscreen("audit").expect(exit=2)
    assert nothing.stderr.startswith(
        "toxscreen: pytest collects no test, so there is nothing to compare with [audit-impossible]\n"
    )
    project.write({"tests/conftest.py": "import no_such_module\n"})
    broken = project.toxscreen("audit").expect(exit=2)
    assert "toxscreen: pytest ended with status 4 and collected nothing [audit-impossible]" in broken.stderr
    assert "No module named 'no_such_module'" in broken.stderr
    absent = project.toxscreen("audit", "nowhere").expect(exit=2)
    assert absent.stderr == (
        "toxscreen: toxscreen audit: there is no folder nowhere [config-invalid]\n  name the folder of a project\n"
    )
    alone = project.toxscreen("audit", "--against", "main").expect(exit=2)
    assert alone.stderr.startswith("toxscreen: toxscreen audit --against: only --proves-change compares [config-")
    proof = project.toxscreen("audit", "--proves-change", "--", "-x").expect(exit=2)
    assert proof.stderr.startswith("toxscreen: toxscreen audit --proves-change: takes no options of pytest [config-")
    project.write({"pyproject.toml": '[tool.toxscreen.audit]\nallow = ["examples"]\n'})
    wrong = project.toxscreen("audit").expect(exit=2)
    told = "toxscreen: pyproject.toml: tool.toxscreen.audit.allow: is 'examples', must be \"SLUG: "
    assert wrong.stderr.startswith(told)
    assert not (project.root / ".toxscreen" / "evidence").exists()


def test_a_category_in_the_options_of_the_project_hides_no_other(tmp_path: Path) -> None:
    files = {
        "pytest.ini": "[pytest]\naddopts = --category unit\n",
        "tests/unit/test_a.py": "def test_a(): assert True\n",
        "tests/integration/test_b.py": "def test_b(): assert True\n",
    }
    document = audited(Suite(files).at(tmp_path), status=0)
    assert (document["findings"], document["collected"]) == ([], 2)
