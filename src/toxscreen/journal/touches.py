"""What the tests of a run touched, without reading the rest: each run asks at its end, and mostly it is nothing."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from toxscreen.journal.codec import event_from_line
from toxscreen.model import Event

#: Stands in the lines of tests that touched something; within a text, quotes are escaped.
_TOUCHED: Final = b',"touched":['


def touches(folder: Path) -> list[Event]:
    """The events of a run that say what a test touched, without reading the others.

    Args:
        folder: the run's; what cannot be read of it is left out.
    """
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        try:
            content = path.read_bytes()
        except OSError:
            continue
        if _TOUCHED in content:
            for line in content.split(b"\n"):
                if _TOUCHED in line:
                    with contextlib.suppress(ValueError):
                        found.append(event_from_line(line))
    return found
