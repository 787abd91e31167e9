"""Where runs lie on disk: the state folder, one folder a run, and how long they are kept."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Final

from toxscreen.settings import STATE, state_folder

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: whether a run still runs cannot be told there
    fcntl = None  # type: ignore[assignment]

HEADER: Final = "header.json"
COLLECTION: Final = "collection.json"
#: Shard of the process that leads a run: collection, workers that come and go, the end.
LEAD: Final = "run"
#: Shard of the guard, which tells of processes that it ended or found dead.
GUARD: Final = "guard"
_NAME = re.compile(r"\d{8}T\d{6}Z-.+-[0-9a-f]{4}")


def runs_folder(root: Path) -> Path:
    """Where a project's runs lie, whether or not there are any."""
    return root / STATE / "runs"


def new_run(root: Path, category: str, now: float) -> Path:
    """Make the folder of a new run, with a name no other run has.

    Args:
        root: the project's root.
        category: what runs.
        now: seconds since the epoch.

    Raises:
        OSError: it cannot be made.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    runs = state_folder(root) / "runs"
    runs.mkdir(exist_ok=True)
    while True:
        folder = runs / f"{stamp}-{category}-{secrets.token_hex(2)}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder


def run_folders(root: Path) -> list[Path]:
    """The folders of all recorded runs, newest first."""
    try:
        found = [folder for folder in runs_folder(root).iterdir() if _NAME.fullmatch(folder.name) and folder.is_dir()]
    except OSError:
        return []
    return sorted(found, key=_age, reverse=True)


def _age(folder: Path) -> tuple[str, int, str]:
    """Second of the start, then the folder's own time stamp for runs of the same second."""
    try:
        written = folder.joinpath(HEADER).stat().st_mtime_ns
    except OSError:
        written = 0
    return folder.name[:16], written, folder.name


def prune(root: Path, keep: int) -> int:
    """Remove the oldest finished runs beyond ``keep``.

    Returns:
        How many were removed. Runs still going on stay, and so does what cannot be removed.
    """
    removed = 0
    for folder in run_folders(root)[keep:]:
        if not is_locked(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += not folder.exists()
    return removed


def is_locked(folder: Path) -> bool:
    """Whether another living process still leads the run."""
    if fcntl is None:  # pragma: no cover - Windows
        return False
    try:
        descriptor = os.open(folder / f"{LEAD}.jsonl", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
