"""What a test touches outside of its process: files that it writes, ports that it binds, databases that it opens."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

_abspath, _fsdecode, _getpid = os.path.abspath, os.fsdecode, os.getpid
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
#: Events whose first argument is a path that is changed; of `os.rename` the second one is as well.
_PATHS: Final = frozenset({"os.remove", "os.rename", "os.truncate", "os.mkdir", "os.rmdir", "shutil.rmtree"})
_MOST: Final = 50
_PORT_AT: Final = 1


class Touched:
    """Takes notes while a test runs.

    Args:
        names: folders that differ from probe to probe, and what to call them, the longest first.
        ignored: paths below these are nobody's business: each probe and each test has its own.
    """

    def __init__(self, names: dict[str, str], ignored: tuple[str, ...]) -> None:
        self._names = names
        self._ignored = ignored
        self._found: dict[str, None] = {}
        self._process = _getpid()
        sys.addaudithook(self._hear)

    def belong_to_this_process(self) -> None:
        """After a fork: what this process does is noted from now on."""
        self._process = _getpid()

    def take(self) -> list[str]:
        """What was touched since the last call, each once."""
        found, self._found = list(self._found), {}
        return found

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            flags = arguments[2]
            if isinstance(flags, int) and flags & _WRITES:
                self._note_path(arguments[0])
        elif event in _PATHS:
            self._note_path(arguments[0])
            if event == "os.rename":
                self._note_path(arguments[1])
        elif event == "socket.bind":
            address = arguments[1]
            if isinstance(address, tuple) and len(address) > _PORT_AT and address[_PORT_AT]:
                self._note(f"port {address[_PORT_AT]}")
            elif isinstance(address, str | bytes):
                self._note_path(address)
        elif event == "sqlite3.connect":
            self._note_path(arguments[0])

    def _note_path(self, path: object) -> None:
        if not isinstance(path, str | bytes) or path in {":memory:", "", b""}:
            return
        try:
            full = _abspath(_fsdecode(path))
        except OSError:
            # The working directory is gone.
            return
        if full.startswith(("/dev/", "/proc/", *self._ignored)) or "__pycache__" in full or full.endswith(".pyc"):
            return
        for folder, name in self._names.items():
            if full.startswith(folder):
                full = name + full[len(folder) :]
                break
        self._note(f"file {full}")

    def _note(self, thing: str) -> None:
        if len(self._found) < _MOST and _getpid() == self._process:
            self._found[thing] = None
