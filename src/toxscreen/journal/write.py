"""Append events to one shard: one process, one file, one system call an event, never a failed test."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from toxscreen.journal.codec import event_to_line
from toxscreen.model import Event

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

# Tests replace functions of `os`; these are the real ones.
_close, _fstat, _getpid, _open, _write = os.close, os.fstat, os.getpid, os.open, os.write

#: Bytes kept in memory while the disk takes nothing.
_PATIENCE: Final = 16 * 1024 * 1024
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Shard:
    """The journal file of one process.

    An event that cannot be written is kept and tried again with the next one, from the very byte that was missing, so
    that a disk that was full for a while leaves a whole record. Nothing is ever raised: `problem` tells.

    Args:
        path: the file; its folder exists.
        lock: whether to mark the run as going on, see :func:`toxscreen.journal.store.is_locked`.
    """

    def __init__(self, path: Path, *, lock: bool = False) -> None:
        self.path = path
        #: What went wrong, in words; None while all is well or all was caught up with.
        self.problem: str | None = None
        self._pending = bytearray()
        self._lost = False
        self._lock = lock
        self._process = _getpid()
        self._descriptor = -1
        self._identity = (0, 0)
        try:
            self._reopen()
        except OSError as error:
            self.problem = self._told(error)

    def _reopen(self) -> None:
        # The old number may belong to somebody else by now.
        self._descriptor = -1
        self._descriptor = _open(self.path, _FLAGS, 0o666)
        self._identity = self._place(self._descriptor)
        if self._lock and fcntl is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _told(self, error: OSError) -> str:
        return f"{self.path.name}: {error.strerror or error}"

    @staticmethod
    def _place(descriptor: int) -> tuple[int, int]:
        status = _fstat(descriptor)
        return status.st_dev, status.st_ino

    def write(self, event: Event) -> None:
        """Append an event."""
        self.write_line(event_to_line(event))

    def write_line(self, line: bytes) -> None:
        """Append a line made by the codec. In a forked child nothing is written: the record is the parent's."""
        if _getpid() != self._process or self._lost:
            return
        if not self._pending and self._written(line):
            return
        if len(self._pending) + len(line) > _PATIENCE:
            self._lost = True
            return
        self._pending += line
        self.flush()

    def _written(self, line: bytes) -> bool:
        """Whether a whole line went out at once, as nearly all do."""
        try:
            status = _fstat(self._descriptor)
            if status.st_ino != self._identity[1] or status.st_dev != self._identity[0]:
                return False
            count = _write(self._descriptor, line)
        except OSError:
            return False
        if count < len(line):
            self._pending += line[count:]
            self.flush()
        return True

    def flush(self) -> None:
        """Hand what is pending to the system."""
        try:
            while self._pending:
                if not self._is_ours():
                    self._reopen()
                del self._pending[: _write(self._descriptor, self._pending)]
        except OSError as error:
            self.problem = self._told(error)
        else:
            if not self._lost:
                self.problem = None

    def _is_ours(self) -> bool:
        """Whether the descriptor is still the shard: tests close descriptors, and others get their numbers."""
        try:
            return self._place(self._descriptor) == self._identity
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            return False

    def close(self) -> None:
        """Write what is pending and close the file."""
        if _getpid() != self._process:
            return
        self.flush()
        try:
            if self._descriptor >= 0 and self._is_ours():
                _close(self._descriptor)
        except OSError:
            pass
        self._descriptor = -1
        self._lost = True
