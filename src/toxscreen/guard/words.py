"""The guard's words: who hung and where, who died, for the journal and for the person who looks on.

Read only when there is something to say, so that a guard starts fast.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from toxscreen.guard.pulse import Pulse

_STACK_BYTES: Final = 64 * 1024


def hung(folder: Path, lane: str, pulse: Pulse) -> str:
    """A test outlived its limit.

    Args:
        folder: where pulses and stacks lie.
        lane: its worker's name.
        pulse: what the worker ran.
    """
    return (
        f"{pulse.node_id} outlived its limit of {pulse.limit:g} s on {lane}, could not be interrupted and was ended"
        f"\n\n{_stacks(folder / f'{lane}.stacks')}"
    )


def _stacks(file: Path) -> str:
    """What faulthandler wrote in the hung process."""
    with contextlib.suppress(OSError):
        content = file.read_bytes()[-_STACK_BYTES:].decode("utf-8", "replace")
        dumps = content.split("Timeout (")
        if len(dumps) > 1:
            return "stacks of all threads:\n" + without_runner(dumps[-1].partition("\n")[2])
    return "its stacks could not be had: something else in the process uses faulthandler's timer"


def without_runner(stacks: str) -> str:
    """Faulthandler's stacks, most recent call first, without the calls by which pytest came to the test."""
    kept: list[str] = []
    in_runner = False
    for line in stacks.rstrip().splitlines():
        if not line.startswith("  "):
            in_runner = False
        elif not in_runner and any(f"{os.sep}{package}{os.sep}" in line for package in ("_pytest", "pluggy")):
            in_runner = True
            kept.append("  ... called by pytest")
        if not in_runner:
            kept.append(line)
    return "\n".join(kept)


def record(folder: Path, lane: str, pulse: Pulse, outcome: str, text: str) -> None:
    """Append to the guard's shard of the journal, as far as the disk allows."""
    event = {
        "kind": "lane-down",
        "time": time.time(),
        "lane": lane,
        "node_id": pulse.node_id,
        "outcome": outcome,
        "text": text,
        "pid": pulse.process,
    }
    with contextlib.suppress(OSError), (folder / "guard.jsonl").open("a", encoding="utf-8") as shard:
        shard.write(json.dumps(event) + "\n")


def tell(text: str, run: str) -> None:
    """Say it where the person looks, since pytest no longer can.

    Args:
        text: what happened.
        run: the run's name; empty when it is not recorded.
    """
    with contextlib.suppress(OSError, ValueError):
        kept = f"every test that finished before is kept, see `toxscreen runs {run}`"
        sys.stderr.write(f"\ntoxscreen: {text}\ntoxscreen: {kept if run else 'this run is not recorded'}\n")
        sys.stderr.flush()
