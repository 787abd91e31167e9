"""What a test touches outside of its process: files that it changes, ports, databases; to be told audit events.

Two tests that touch the same thing can meet in it. What nobody else can meet in is left out: what the test or its
process has for itself, and the stores of tools that are made for being shared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from toxscreen.model import CONNECTION
from toxscreen.probes.addresses import is_internet, is_local

# Tests replace functions of `os`; these are the real ones.
_abspath, _dirname, _fsdecode, _getpid = os.path.abspath, os.path.dirname, os.fsdecode, os.getpid
_isabs, _isdir = os.path.isabs, os.path.isdir
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
#: Things that are kept of one test.
MOST: Final = 50
#: Folders of tools that share them safely, wherever they lie.
_OF_TOOLS: Final = frozenset({"__pycache__", ".hypothesis", ".pytest_cache", ".toxscreen"})
#: Data of coverage.py; locks, which are there to be shared.
_SHARED_BY_DESIGN: Final = (".lock", ".pyc")
_FOR_ALL: Final = ("/dev/", "/proc/", "/sys/")
_HOST_AND_PORT: Final = 2


class Touched:
    """Takes notes while a test runs.

    Args:
        names: folders, and what to call them, the longest first; below one called "" only the rest is told.
        ignored: how paths begin that are nobody else's business.
    """

    def __init__(self, names: Mapping[str, str], ignored: Iterable[str]) -> None:
        self._names = [
            (folder.rstrip(os.sep) + os.sep, name + os.sep if name else "") for folder, name in names.items()
        ]
        self._ignored = (*_FOR_ALL, *ignored)
        #: Made under random names.
        self._own: set[str] = set()
        self._found: dict[str, None] = {}
        self._process = _getpid()

    def belong_to_this_process(self) -> None:
        """After a fork: what this process does is noted from now on."""
        self._process = _getpid()

    def take(self) -> tuple[str, ...]:
        """What was touched since the last call, each once, such as ``file out/orders.csv`` and ``port 8000``."""
        if not self._found:
            return ()
        found, self._found = tuple(self._found), {}
        return found

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what an audited call touches."""
        read = _READERS.get(event)
        if read is not None:
            try:
                read(self, arguments)
            except (IndexError, OSError, TypeError, ValueError):
                # A call with arguments that are none fails by itself; or the working directory is gone.
                return

    # what the events say

    def _opened(self, arguments: tuple[Any, ...]) -> None:
        path, _, flags = arguments
        # Temporary files without a name are opened by their folder's.
        if flags & _WRITES and not isinstance(path, int) and not _isdir(path):
            self._note_path(path)

    def _changed(self, arguments: tuple[Any, ...]) -> None:
        """Of (path, folder's descriptor)."""
        if arguments[-1] in {-1, None} or _isabs(arguments[0]):
            self._note_path(arguments[0])

    def _renamed(self, arguments: tuple[Any, ...]) -> None:
        source, target, *folders = arguments
        self._changed((source, folders[0]))
        self._changed((target, folders[-1]))

    def _linked(self, arguments: tuple[Any, ...]) -> None:
        self._changed(arguments[1:])

    def _truncated(self, arguments: tuple[Any, ...]) -> None:
        self._note_path(arguments[0])

    def _made_for_itself(self, arguments: tuple[Any, ...]) -> None:
        self._own.add(_abspath(arguments[0]))

    def _database_opened(self, arguments: tuple[Any, ...]) -> None:
        text = _fsdecode(arguments[0])
        if text.startswith("file:"):
            text, _, options = text.removeprefix("file:").partition("?")
            if not {"mode=memory", "mode=ro", "immutable=1"}.isdisjoint(options.split("&")):
                return
            text = "/" + text.lstrip("/") if text.startswith("//") else text
        if text not in {"", ":memory:"}:
            self._note_path(text)

    def _bound(self, arguments: tuple[Any, ...]) -> None:
        used, address = arguments
        if not isinstance(address, tuple):
            self._note_path(address)
        elif is_internet(used) and len(address) >= _HOST_AND_PORT and address[1]:
            self._note(f"port {address[1]}")

    def _connected(self, arguments: tuple[Any, ...]) -> None:
        used, address = arguments
        if not isinstance(address, tuple):
            self._note_path(address, CONNECTION)
        elif is_internet(used) and len(address) >= _HOST_AND_PORT:
            host, port = address[:2]
            self._note(f"{CONNECTION}port {port}" if is_local(host) else f"{CONNECTION}{host}:{port}")

    # how it is called

    def _note_path(self, path: Any, how: str = "") -> None:
        if isinstance(path, int):
            return
        text = _fsdecode(path)
        if text.startswith("\0"):
            # A socket of Linux without a file.
            self._note(f"{how}socket @{text[1:]}")
        elif text:
            full = _abspath(text)
            if not self._is_private(full):
                self._note(f"{how}file {self._named(full)}")

    def _named(self, path: str) -> str:
        for folder, name in self._names:
            if path.startswith(folder):
                return name + path[len(folder) :]
        return path

    def _is_private(self, path: str) -> bool:
        if path.startswith(self._ignored) or path.endswith(_SHARED_BY_DESIGN):
            return True
        *folders, name = path.split(os.sep)  # noqa: PTH206 - a path object takes ten times as long
        if name.startswith(".coverage") or ".pyc." in name or not _OF_TOOLS.isdisjoint((*folders, name)):
            return True
        if self._own:
            above = ""
            while path != above:
                if path in self._own:
                    return True
                above, path = path, _dirname(path)
        return False

    def _note(self, thing: str) -> None:
        # What a forked child touches is not its parent's, which tells nobody of it.
        if len(self._found) < MOST and _getpid() == self._process:
            self._found[thing] = None


_READERS: Final[dict[str, Callable[[Touched, tuple[Any, ...]], None]]] = {
    "open": Touched._opened,  # noqa: SLF001 - its own
    "os.remove": Touched._changed,  # noqa: SLF001 - its own class
    "os.rmdir": Touched._changed,  # noqa: SLF001 - its own class
    "os.rename": Touched._renamed,  # noqa: SLF001 - its own class
    "os.link": Touched._linked,  # noqa: SLF001 - its own class
    "os.symlink": Touched._linked,  # noqa: SLF001 - its own class
    "os.truncate": Touched._truncated,  # noqa: SLF001 - its own class
    "shutil.rmtree": Touched._changed,  # noqa: SLF001 - its own class
    "socket.bind": Touched._bound,  # noqa: SLF001 - its own class
    "socket.connect": Touched._connected,  # noqa: SLF001 - its own class
    "sqlite3.connect": Touched._database_opened,  # noqa: SLF001 - its own class
    "tempfile.mkdtemp": Touched._made_for_itself,  # noqa: SLF001 - its own class
    "tempfile.mkstemp": Touched._made_for_itself,  # noqa: SLF001 - its own class
}
#: Audit events that say what is touched. Making a folder is none: tests make sure that a shared one is there, and that
#: does no harm. Those that remove it are seen.
EVENTS: Final = frozenset(_READERS)
