"""One of the two revisions that are compared, as it lies on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toxscreen.model import Revision


@dataclass(frozen=True, slots=True)
class Side:
    """A revision's files, and the environment in which it is installed."""

    folder: Path
    python: Path
    revision: Revision
    #: Why it cannot be measured.
    problem: str | None = None
