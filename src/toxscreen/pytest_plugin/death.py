"""What a worker died of: the test it ran, the signal or exit status, its last words."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toxscreen.guard.exits import told
from toxscreen.guard.pulse import SUFFIX, Pulse
from toxscreen.guard.words import without_runner
from toxscreen.journal.codec import event_from_line

_FAULT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a worker's process."""

    #: The test that it ran; None when it ran none.
    node_id: str | None
    text: str
    #: Exit status, negative for a signal; None when it is not known.
    status: int | None
    #: Whether the guard has written it into the journal already.
    recorded: bool = False


def death_of(node: Any, folder: Path) -> Death:
    """Find out what ended a worker.

    Args:
        node: pytest-xdist's WorkerController.
        folder: where the run's pulses lie.
    """
    lane = str(node.gateway.id)
    hung = _hung(folder, lane)
    if hung is not None:
        return hung
    status = _status(node)
    node_id = _running(folder, lane)
    text = f"{node_id or 'no test'} was running when {lane} died: {told(status)}"
    last_words = _last_words(folder, lane)
    return Death(node_id, f"{text}\n\n{last_words}" if last_words else text, status)


def _hung(folder: Path, lane: str) -> Death | None:
    """What the guard says of a lane whose test it ended."""
    try:
        lines = (folder / "guard.jsonl").read_bytes().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        with contextlib.suppress(ValueError):
            event = event_from_line(line)
            if event.lane == lane:
                return Death(event.node_id, event.text or "", None, recorded=True)
    return None


def _running(folder: Path, lane: str) -> str | None:
    try:
        pulse = Pulse.parse((folder / f"{lane}{SUFFIX}").read_bytes())
    except OSError:
        return None
    return pulse.node_id or None if pulse else None


def _status(node: Any) -> int | None:
    """Exit status of the worker's process, which execnet keeps for gateways on this machine."""
    process = getattr(getattr(node.gateway, "_io", None), "popen", None)
    if process is None:
        return None
    try:
        return int(process.wait(timeout=5))
    except (subprocess.TimeoutExpired, OSError):
        return None


def _last_words(folder: Path, lane: str) -> str:
    try:
        return without_runner((folder / f"{lane}.fault").read_bytes()[-_FAULT_BYTES:].decode("utf-8", "replace"))
    except OSError:
        return ""
