"""Files that stay open although tests close descriptors, and others then get their numbers."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from toxscreen.host import place

# Tests replace functions of `os`; these are the real ones.
_close, _open = os.close, os.open


class Kept:
    """A file whose descriptor is looked at before each use.

    Args:
        path: the file.
        flags: how it is opened.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, flags: int) -> None:
        self.path = os.fspath(path)
        self._flags = flags
        self._open()

    def _open(self) -> None:
        self._descriptor = _open(self.path, self._flags, 0o666)
        self._identity = place(self._descriptor)

    def descriptor(self) -> int:
        """Its descriptor, opened again when it is no longer this file's.

        Raises:
            OSError: it cannot be opened again.
        """
        if place(self._descriptor) != self._identity:
            self._open()
        return self._descriptor

    def close(self) -> None:
        """Close it, if it is still open."""
        if place(self._descriptor) == self._identity:
            with contextlib.suppress(OSError):
                _close(self._descriptor)
