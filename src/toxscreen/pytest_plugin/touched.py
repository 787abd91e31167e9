"""Where a pytest process has folders for itself: what its tests do there is nobody else's business."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from toxscreen import host
from toxscreen.probes.touching import Touched
from toxscreen.pytest_plugin.screen import worker_input


def touched_in(config: pytest.Config, root: Path) -> Touched:
    """Who takes notes of this process's tests.

    Args:
        config: pytest's; its folder for temporary files is private.
        root: the project's; what lies below it is told by its path from there.
    """
    temporary = Path(host.environment().get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir())
    private = [
        os.fspath(folder / name) for folder in {temporary, temporary.resolve()} for name in ("pytest-", "toxscreen-")
    ]
    if config.option.basetemp:
        base = Path(config.option.basetemp).absolute()
        # A worker's lies in that of the run, where workers that know of each other share what they lock.
        private.append(os.fspath(base.parent if worker_input(config) is not None else base) + os.sep)
    return Touched({os.fspath(root): ""}, private)
