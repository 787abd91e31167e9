"""Two releases of somebody else's package, whose benchmarks were written for pytest-benchmark, compared as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from upstream import Cache, Pin, missing_registry, unpack

EARLIER = Pin("pint", "0.25", "22911a30d682ee0540d656571c19a7b1806ce00b2be88a16f67218108b7b8cc2", 0)
LATER = Pin("pint", "0.25.3", "f8f5df6cf65314d74da1ade1bf96f8e3e4d0c41b51577ac53c49e7d44ca5acee", 0)
BENCHMARKS = "pint/testsuite/benchmarks"
#: Of two files, with fixtures of conftest.py, parametrised; all of them, several hundred, would take long.
SELECTED = "test_build_cache or test_build_by_mul or test_parse_expression"
WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def commit(pin: Pin, cache: Cache, root: Path, around: Path) -> None:
    """Make a release what is committed last."""
    for each in root.iterdir():
        if each.name != ".git":
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    shutil.copytree(unpack(pin, cache.sdist(pin), around), root, dirs_exist_ok=True)
    for arguments in (("add", "--all", "--force"), (*WHO, "commit", "--quiet", "--message", str(pin))):
        git(root, *arguments)


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, timeout=60)


def compared(root: Path, around: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit status and document of a comparison."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_", "TOX"))}
    done = subprocess.run(
        [sys.executable, "-m", "toxscreen", "perf", "--json", *arguments],
        cwd=root,
        env={**kept, "TOXSCREEN_CACHE": os.fspath(around / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.stdout.startswith("{"), done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    for error in document.get("errors", ()):
        missing_registry(LATER, str(error))
    return done.returncode, document


@pytest.mark.timeout(500)
def test_two_releases_of_a_package_are_compared_unchanged(
    cache: Cache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "pint"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    for pin in (EARLIER, LATER):
        commit(pin, cache, root, tmp_path / pin.version)
    arguments = ("--against", "HEAD^1", "--select", SELECTED, "--resolution", "10%", "--budget", "60s", BENCHMARKS)
    status, document = compared(root, tmp_path, *arguments)
    changes = [each["change"] for each in document["compared"]]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{EARLIER} to {LATER}: {', '.join(f'{changes.count(x)} {x}' for x in dict.fromkeys(changes))}\n"
        )
    assert (len(changes) >= 5, set(changes) <= {"same", "improved", "regressed", "undecided"}) == (True, True), document
    assert all(each["pairs"] and each["base_seconds"] and each["candidate_seconds"] for each in document["compared"])
    wanted = 2 if "undecided" in changes or not document["self_check"]["passed"] else 0
    assert status == (1 if "regressed" in changes and document["self_check"]["passed"] else wanted)
    assert (
        subprocess.run(
            ["git", "status", "--porcelain"], cwd=root, check=True, capture_output=True, text=True, timeout=60
        ).stdout
        == ""
    )
