"""Where a server of slots listens: a socket in a folder, or a port of this machine where there are no such sockets."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
import stat
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

#: Variables through which an environment's commands learn where to ask, and under what name.
ADDRESS: Final = "TOXSCREEN_SLOTS"
ENVIRONMENT: Final = "TOXSCREEN_SLOTS_ENV"
#: Bytes that the path of a socket may have on every system: macOS has room for 103.
_LONGEST: Final = 100
_NAME: Final = "slots.sock"
_LAST_PORT: Final = 65535
_LOOPBACK: Final = "127.0.0.1"
_IS_WINDOWS = os.name == "nt"


class Address(NamedTuple):
    """Where to connect to, and what to say first."""

    #: A path, or the number of a port.
    place: str
    #: Empty for a path: who may open the file may speak.
    token: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``unix:PATH`` or ``tcp:PORT:TOKEN``.

        Raises:
            ValueError: it is neither.
        """
        kind, _, rest = text.partition(":")
        if kind == "unix" and rest:
            return cls(rest)
        port, _, token = rest.partition(":")
        if kind == "tcp" and port.isascii() and port.isdecimal() and int(port) <= _LAST_PORT and token:
            return cls(port, token)
        raise ValueError(f"{text!r} is no address of slots")

    def __str__(self) -> str:
        return f"tcp:{self.place}:{self.token}" if self.token else f"unix:{self.place}"

    def target(self) -> tuple[int, str | tuple[str, int]]:
        """Family and address, as sockets take them.

        Raises:
            OSError: the system has no sockets with a path.
        """
        if self.token:
            return socket.AF_INET, (_LOOPBACK, int(self.place))
        family = getattr(socket, "AF_UNIX", None)
        if family is None:
            raise OSError(f"no sockets with a path on this system: {self.place}")
        return int(family), self.place


def listen(folder: Path, before: Address | None = None) -> tuple[socket.socket, Address]:
    """Listen for the processes of a tox or of a run; nobody else does so for this folder.

    Args:
        folder: where the socket is to lie. Where its path is too long, it lies in a folder for temporary files.
        before: where the last one listened, and is looked for by those who asked it: its port is taken if it is free.

    Raises:
        OSError: neither works, nor does a port of this machine.
    """
    if hasattr(socket, "AF_UNIX") and not _IS_WINDOWS:
        for path in _paths(folder):
            try:
                path.unlink(missing_ok=True)
                return _listening(Address(os.fspath(path)))
            except OSError:
                continue
    if before is not None and before.token:
        with contextlib.suppress(OSError):
            return _listening(before)
    return _listening(Address("0", secrets.token_hex(16)))


def _listening(address: Address) -> tuple[socket.socket, Address]:
    family, target = address.target()
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        if address.token and os.name == "posix":
            # Connections that the last server closed keep the port for minutes; Windows shares it at once.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(target)
        server.listen(128)
    except BaseException:
        server.close()
        raise
    if address.token:
        address = Address(str(server.getsockname()[1]), address.token)
    return server, address


def _paths(folder: Path) -> list[Path]:
    """Where the socket of a folder may lie, the best place first."""
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    places = [folder / _NAME]
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108 - looked at before it is used
        private = Path(parent, f"toxscreen-{os.getuid()}")
        path = private / f"{digest}.sock"
        if len(os.fsencode(path)) <= _LONGEST and _is_private(private):
            places.append(path)
    return [path for path in places if len(os.fsencode(path)) <= _LONGEST]


def _is_private(folder: Path) -> bool:
    """Make a folder that nobody else can write to; whether it is one."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
