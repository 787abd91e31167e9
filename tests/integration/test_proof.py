"""``toxscreen audit --proves-change`` on a real repository: real git, a real pytest on the source of the base."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from toxscreen.analysis import proof
from toxscreen.cli import audit_proof
from toxscreen.cli.command import Answer
from toxscreen.report.markdown import render

BASE = {
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-x --strict-markers'\n",
    "src/shop/__init__.py": '"""Shop."""\n',
    "src/shop/price.py": "def price(count):\n    return count * 2\n",
    "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef count():\n    return 3\n",
    "tests/unit/test_price.py": (
        "import pytest\nfrom shop.price import price\n\n\ndef test_old():\n    assert price(1) == 2\n\n\n"
        "@pytest.mark.parametrize('n', [0, 1])\ndef test_many(n):\n    assert price(n) == 2 * n\n"
    ),
}


def put(root: Path, files: dict[str, str]) -> None:
    """Write files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def git(root: Path, *arguments: str) -> str:
    """What a git command prints."""
    own = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", "-C", root, *own, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with one commit."""
    root = tmp_path / "the shop é"
    put(root, BASE)
    git(tmp_path, "init", "-q", "-b", "main", os.fspath(root))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def ask(root: Path, against: str | None = None) -> tuple[Answer, dict[str, Any]]:
    """The answer, and the evidence that was written; nothing may be left behind."""
    before = git(root, "status", "--porcelain")
    answer = audit_proof.answer(argparse.Namespace(against=against), root)
    assert git(root, "status", "--porcelain").replace("?? .toxscreen/\n", "") == before
    assert git(root, "worktree", "list").count("\n") == 1
    assert not list(Path(tempfile.gettempdir()).glob(f"{proof.PREFIX}{os.getpid()}-*"))
    data = json.loads((root / ".toxscreen/evidence/requirements.json").read_text(encoding="utf-8"))["data"]
    return answer, data


def test_a_test_that_fails_on_the_base_and_passes_now_proves_the_change(shop: Path) -> None:
    tests = BASE["tests/unit/test_price.py"].replace("[0, 1]", "[0, 1, 10]").replace("== 2 * n", "== min(2 * n, 9)")
    # Of the same size as before: compiled files must not be taken for it.
    put(shop, {"src/shop/price.py": "def price(c):\n    return min(c*2, 9)\n", "tests/unit/test_price.py": tests})
    answer, data = ask(shop)
    name = "tests/unit/test_price.py::test_many"
    proved = [{"test": name, "why": "assert 20 == 9"}]
    assert (answer.status, data["proved"], data["passed_on_base"], data["problem"]) == (0, proved, [], "")
    assert (data["changed_source"], data["changed_tests"]) == (["src/shop/price.py"], [name])
    assert f"without the change 1 test fails: {name} (assert 20 == 9)" in answer.page.closing[0]
    assert "| passes |" in render(answer.page)


def test_tests_that_pass_on_the_base_do_not_test_the_change(shop: Path) -> None:
    added = "\n\ndef test_more(count):\n    assert price(count) == 6\n"
    put(shop, {"tests/unit/test_price.py": BASE["tests/unit/test_price.py"] + added})
    put(shop, {"src/shop/price.py": "def price(count):\n    return min(count * 2, 9)\n"})
    git(shop, "add", "-A")
    git(shop, "commit", "-qm", "second")
    answer, data = ask(shop, "HEAD~1")
    assert (answer.status, data["passed_on_base"]) == (1, ["tests/unit/test_price.py::test_more"])
    assert "of 1 changed test none fails without the change" in answer.page.closing[0]


def test_a_new_name_that_the_base_lacks_is_a_failure_there(shop: Path) -> None:
    new = "from shop.tax import tax\n\n\ndef helper():\n    return tax(1)\n\n\n"
    new += "def test_tax():\n    assert helper() == 1\n"
    put(shop, {"src/shop/tax.py": "def tax(x):\n    return x\n", "tests/unit/test_tax.py": new})
    answer, data = ask(shop)
    why = "its file cannot be imported there: ModuleNotFoundError: No module named 'shop.tax'"
    proved = [{"test": "tests/unit/test_tax.py::test_tax", "why": why}]
    assert (answer.status, data["proved"], data["failed_on_base"]) == (0, proved, proved)


def test_a_base_that_cannot_be_imported_tells_nothing(shop: Path) -> None:
    put(shop, {"src/shop/price.py": "import nowhere_at_all\n"})
    git(shop, "commit", "-qam", "broken")
    new = BASE["tests/unit/test_price.py"].replace("price(1) == 2", "price(2) == 4")
    put(shop, {"src/shop/price.py": BASE["src/shop/price.py"], "tests/unit/test_price.py": new})
    answer, data = ask(shop)
    why = "the source of the base cannot be imported: src/shop/price.py: ModuleNotFoundError: No module named"
    assert (answer.status, data["problem"]) == (2, f"{why} 'nowhere_at_all'")


def test_a_test_that_fails_now_too_proves_nothing(shop: Path) -> None:
    new = BASE["tests/unit/test_price.py"].replace("price(1) == 2", "price(1) == 3")
    put(shop, {"src/shop/price.py": "def price(count):\n    return count * 4\n", "tests/unit/test_price.py": new})
    answer, data = ask(shop)
    told = "what fails on the base fails now too: tests/unit/test_price.py::test_old: assert 4 == 3"
    assert (answer.status, data["problem"]) == (2, told)


def test_pytest_that_does_not_begin_is_told(shop: Path) -> None:
    put(shop, {"src/shop/price.py": "def price(count):\n    return count + count + 1\n"})
    new = BASE["tests/unit/test_price.py"].replace("price(1) == 2", "price(1) == 3")
    put(
        shop, {"tests/unit/test_price.py": new, "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--nonsense'\n"}
    )
    answer, data = ask(shop)
    assert answer.status == 2
    assert "pytest did not come to its end (base, exit status 4)" in data["problem"]
    assert "--nonsense" in data["problem"]


def test_without_changed_source_or_changed_tests_nothing_is_run(shop: Path) -> None:
    put(shop, {"src/shop/price.py": "# prices\n" + BASE["src/shop/price.py"]})
    answer, data = ask(shop)
    assert (answer.status, data["changed_source"]) == (0, [])
    assert "not-applicable: 0 lines of code outside of tests differ" in answer.page.closing[0]
    put(shop, {"src/shop/price.py": "def price(count):\n    return count + count\n"})
    answer, data = ask(shop)
    assert (answer.status, data["changed_tests"]) == (1, [])
    assert "fail: no test has changed with src/shop/price.py" in answer.page.closing[0]


def test_what_a_killed_run_left_behind_is_taken_away(shop: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    own = Path(tempfile.mkdtemp(prefix=f"{proof.PREFIX}{os.getpid()}-")) / "tree"
    stale = Path(tempfile.mkdtemp(prefix=f"{proof.PREFIX}{ended.pid}-")) / "tree"
    for tree in (own, stale):
        git(shop, "worktree", "add", "--detach", os.fspath(tree), "HEAD")
    proof.sweep(shop)
    assert (own.exists(), stale.parent.exists()) == (True, False)
    listed = git(shop, "worktree", "list")
    assert (os.fspath(own) in listed, os.fspath(stale) in listed) == (True, False)
    git(shop, "worktree", "remove", "--force", os.fspath(own))
    own.parent.rmdir()
