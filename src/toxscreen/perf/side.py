"""One of two revisions, ready to be measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toxscreen.model import Revision


@dataclass(frozen=True, slots=True)
class Side:
    """A revision's own folder and its own Python."""

    #: The project in it: what corresponds to the project's root.
    folder: Path
    #: Of the environment in which it is installed.
    python: Path
    revision: Revision
