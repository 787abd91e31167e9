"""Learns what pytest collects: the project's own pytest runs once with our part in it, and no test runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.analysis.discovery.collection import Collection, read
from toxscreen.errors import AuditError, MissingToolError

#: The names of pytest_plugin/audited.py, which is the other side.
PLUGIN: Final = "toxscreen.pytest_plugin.audited"
FOLDER: Final = "TOXSCREEN_AUDIT"
COLLECTED, COLLECTING = "collected.json", "collecting"
#: Variables of an outer run that mean nothing, or harm, here.
_NOT_HANDED_ON: Final = ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID")
#: Seconds that collecting may take.
_LIMIT: Final = 600.0
#: Files that end pytest, each of which costs one more start.
_EXITS: Final = 10
#: Warnings of pytest's about tests. A project may make them errors, which then take the place of what they warn of.
_TOLD: Final = ("PytestAssertRewriteWarning", "PytestCollectionWarning", "PytestUnknownMarkWarning")
_SHOWN: Final = 10


def collect(root: Path, options: Sequence[str] = ()) -> Collection:
    """Collect all tests of a project, of whatever category.

    Args:
        root: the project's root, resolved; pytest is started there.
        options: of pytest.

    Raises:
        MissingToolError: there is no pytest.
        AuditError: it cannot collect, or there is nothing.
    """
    exits: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="toxscreen-audit-") as name:
        folder = Path(name).resolve()
        while True:
            left_out = [f"--ignore={file}" for file, _ in exits]
            done = _run(root, folder, (*options, *left_out))
            told = _read(folder / COLLECTED)
            if told is not None:
                break
            exits.append((_culprit(root, folder, done), f"exit status {done.returncode}"))
            if len(exits) > _EXITS:
                raise AuditError(f"more than {_EXITS} files end pytest when they are imported", hint=exits[0][0])
    collection = read(told, root, exits)
    if not collection.tests:
        reasons = [f"{file}: {text}" for file, text in (*collection.errors, *collection.exits)]
        hint = "; ".join(reasons[:_SHOWN]) or _end(done.stdout) or "run `pytest --collect-only` and see why"
        raise AuditError("pytest collects no test, so there is nothing to compare with", hint=hint)
    return collection


def _run(root: Path, folder: Path, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    given: Mapping[str, str] = host.environment()
    env = {name: value for name, value in given.items() if name not in _NOT_HANDED_ON}
    env |= {FOLDER: os.fspath(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    cache = ("-o", f"cache_dir={folder / 'cache'}")
    warned = [f"-Wdefault::pytest.{name}" for name in _TOLD]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", PLUGIN, *cache, *warned, *options]
    try:
        return subprocess.run(
            command,
            cwd=root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_LIMIT,
        )
    except subprocess.TimeoutExpired:
        raise AuditError(f"pytest had not collected after {_LIMIT:g} s", hint="see which import hangs") from None


def _read(file: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(file.read_text(encoding="utf-8", errors="surrogatepass"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _culprit(root: Path, folder: Path, done: subprocess.CompletedProcess[str]) -> str:
    """The file that pytest ended in.

    Raises:
        ToxscreenError: it ended for another reason.
    """
    mark = folder / COLLECTING
    if not mark.exists():
        if "No module named pytest" in done.stdout:
            raise MissingToolError("there is no pytest here", hint="install it beside toxscreen")
        told = f"pytest ended with status {done.returncode} and collected nothing"
        raise AuditError(told, hint=_end(done.stdout) or "run `pytest --collect-only` and see why")
    file = Path(mark.read_text(encoding="utf-8"))
    mark.unlink()
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else os.fspath(file)


def _end(output: str) -> str:
    """The last lines that say something."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("=")]
    return "\n  ".join(lines[-_SHOWN:])
