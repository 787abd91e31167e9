"""The proof that tests test a change: changed tests run on the source of the base, and those that fail there run now.

Both happen in one working tree of git in a temporary folder: the base with the tests of now, then all of now. The
project itself is not touched, and no run of it is recorded.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.analysis import proof_run
from toxscreen.analysis.differing import changed_tests, is_test_side, source_files
from toxscreen.errors import BaseError
from toxscreen.model import Changes, Policy

#: Begins the names of the temporary folders; the id of the process that made it follows.
PREFIX: Final = "toxscreen-proof-"
_TREE: Final = "tree"
#: Configure tests and their tools, and so are those of now.
_CONFIGURATION: Final = ("pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "setup.cfg")
#: Made by building, and so unknown to git; without them nothing can be imported.
_BUILT: Final = ("*.py", "*.so", "*.pyd")


def prove(root: Path, changes: Changes, policies: Sequence[Policy], environment: Mapping[str, str]) -> dict[str, Any]:
    """Look whether a changed test fails without the change.

    Args:
        root: the project's root.
        changes: since the base.
        policies: of all categories.
        environment: variables that pytest is given.

    Returns:
        Data of the evidence ``requirements``: ``base``, ``base_source``, ``changed_source`` (files), ``changed_tests``
        (functions), ``failed_on_base``, ``proved`` (both with reasons), ``passed_on_base``, ``problem`` (in words).

    Raises:
        BaseError: git makes no working tree of the base.
    """
    told: dict[str, Any] = {
        "base": changes.base.commit,
        "base_source": changes.base.source,
        "changed_source": list(source_files(root, changes, policies)),
        "changed_tests": [],
        "failed_on_base": [],
        "proved": [],
        "passed_on_base": [],
        "problem": "",
    }
    candidates = changed_tests(root, changes, policies)
    if not told["changed_source"] or not candidates:
        return told
    sweep(root)
    with _tree(root, changes.base.commit) as (folder, tree):
        beside = [file for file in changes.lines if is_test_side(file, policies)]
        _copy(root, tree, [*beside, *_CONFIGURATION])
        _copy(root, tree, [file for file in host.git_ignored(root, *_BUILT) if (tree / file).parent.is_dir()])
        run = proof_run.Run(root, folder, tree, tuple(told["changed_source"]), environment)
        base = run.tests("base", candidates)
        told |= _on_base(base, policies)
        failed = [each["test"] for each in told["failed_on_base"]]
        if failed and not base.problem:
            _make_now(root, tree, changes)
            now = run.tests("now", failed)
            told["proved"] = [each for each in told["failed_on_base"] if now.passed(each["test"])]
            told["changed_tests"] = sorted({*told["changed_tests"], *now.names})
            if not now.problem:
                # Helpers and fixtures of a file that cannot be imported are no tests.
                told["failed_on_base"] = [each for each in told["failed_on_base"] if each["test"] in now.names]
            if not told["proved"]:
                told["problem"] = now.problem or _still_failing(now, failed)
    return told


def _on_base(base: proof_run.Told, policies: Sequence[Policy]) -> dict[str, Any]:
    """What the run on the base's source came to."""
    told: dict[str, Any] = {"changed_tests": sorted(base.names), "problem": base.problem}
    if base.problem:
        return told
    failed = [{"test": name, "why": base.why(name)} for name in sorted(base.names) if base.failed(name)]
    told["passed_on_base"] = [name for name in sorted(base.names) if base.passed(name)]
    for each in base.broken:
        if is_test_side(each["file"], policies):
            # What it wants to import or use is what is new.
            why = f"its file cannot be imported there: {each['why']}"
            wanted = [name for name in base.wanted if name.startswith(f"{each['node']}::")]
            failed += [{"test": name, "why": why} for name in wanted]
        else:
            told["problem"] = f"the source of the base cannot be imported: {each['file']}: {each['why']}"
    told["failed_on_base"] = failed
    if not failed and not told["passed_on_base"] and base.names:
        told["problem"] = (
            told["problem"] or f"none of the changed tests ran on the base: {', '.join(sorted(base.names))}"
        )
    return told


def _still_failing(now: proof_run.Told, failed: Sequence[str]) -> str:
    first = next((name for name in failed if now.failed(name)), "")
    if first:
        return f"what fails on the base fails now too: {first}: {now.why(first)}"
    broken = next(iter(now.broken), None)
    why = f"{broken['node']}: {broken['why']}" if broken else "pytest runs none of it"
    return f"what fails on the base does not run now: {why}"


def sweep(root: Path) -> None:
    """Take away what runs of this that were killed have left behind.

    Args:
        root: the project's root.
    """
    for tree in host.git_worktrees(root):
        if tree.name != _TREE or not tree.parent.name.startswith(PREFIX):
            continue
        process = tree.parent.name.removeprefix(PREFIX).partition("-")[0]
        if process.isdecimal() and not host.is_running(int(process)):
            _remove(root, tree)


@contextmanager
def _tree(root: Path, commit: str) -> Iterator[tuple[Path, Path]]:
    """A temporary folder, and in it the project as it was at a commit."""
    top = host.git_toplevel(root)
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix=f"{PREFIX}{host.process_id()}-")))
    tree = folder / _TREE
    try:
        if top is None or not host.git_add_worktree(root, tree, commit):
            raise BaseError(
                f"git makes no working tree of {commit[:12]}", hint="look at what `git worktree add` says of it"
            )
        project = tree / root.resolve().relative_to(top.resolve())
        project.mkdir(parents=True, exist_ok=True)
        yield folder, project
    finally:
        _remove(root, tree)


def _remove(root: Path, tree: Path) -> None:
    host.git_remove_worktree(root, tree)
    shutil.rmtree(tree.parent, ignore_errors=True)
    # Of a folder that somebody else removed git still knows.
    host.git_remove_worktree(root, tree)


def _make_now(root: Path, tree: Path, changes: Changes) -> None:
    for file in host.git_files(tree) or ():
        if not os.path.lexists(root / file):
            (tree / file).unlink(missing_ok=True)
    _copy(root, tree, changes.lines)


def _copy(root: Path, tree: Path, files: Iterator[str] | Sequence[str] | Mapping[str, object]) -> None:
    for file in files:
        if os.path.lexists(root / file):
            target = tree / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            with contextlib.suppress(IsADirectoryError):
                shutil.copy2(root / file, target, follow_symlinks=False)
