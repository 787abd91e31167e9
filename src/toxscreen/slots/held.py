"""What outlives a server of slots: every slot is a byte of a file beside its socket, locked while a test has it.

A server that begins after another one has ended knows nothing of the tests that are under way. They still have their
bytes, and so nobody runs in their place; the system gives a byte back when its process ends, whatever it died of.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Final

from toxscreen import host
from toxscreen.slots.address import Address

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: a test of the server before may be one too many there
    fcntl = None  # type: ignore[assignment]

# Tests replace these.
_open, _close, _unlink, _fstat = os.open, os.close, os.unlink, os.fstat
_ENDING: Final = ".held"
#: Seconds between two tries: it is waited for only where a server has just ended.
_AGAIN: Final = 0.01


class Held:
    """The bytes of one process; without such a file, every lock is granted.

    Args:
        address: of the server. A port has no file.
    """

    def __init__(self, address: Address) -> None:
        self._path = None if address.token or fcntl is None else address.place + _ENDING
        self._file: int | None = None
        self._identity: tuple[int, int] | None = None

    def lock(self, number: int | None, gone: Callable[[], bool]) -> bool:
        """Wait until no test of an earlier server has a slot.

        Args:
            number: of the slot; None for all of them.
            gone: says whether there is no reason to wait any longer.

        Returns:
            Whether it is had now.
        """
        while (file := self._opened()) is not None:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *(() if number is None else (1, number)))
            except (BlockingIOError, PermissionError):
                if gone():
                    return False
                host.CLOCK.sleep(_AGAIN)
                continue
            except OSError:
                # A file system without locks.
                self._path = None
            else:
                if not _fstat(file).st_nlink:
                    # A server that ended has removed it meanwhile; the next one's tests lock another.
                    self.close()
                    continue
            return True
        return True

    def unlock(self) -> None:
        """Give all back."""
        if self._file is None:
            return
        file = self._opened()
        if file is not None:
            with contextlib.suppress(OSError):
                fcntl.lockf(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give all back, for good."""
        if self._file is not None and host.place(self._file) == self._identity:
            _close(self._file)
        self._file = None

    def remove(self) -> None:
        """Take the file away, unless a test has a byte of it; for the server that ends."""
        if self._path is not None and (file := self._opened()) is not None:
            with contextlib.suppress(OSError):
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _unlink(self._path)
        self.close()

    def _opened(self) -> int | None:
        """Open the file where that is not yet done, or a test has closed it."""
        if self._file is not None and host.place(self._file) != self._identity:
            # The number may by now be somebody else's.
            self._file = None
        if self._file is None and self._path is not None:
            try:
                self._file = _open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                self._path = None
                return None
            self._identity = host.place(self._file)
        return self._file
