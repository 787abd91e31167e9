"""All toxes of one checkout share one server: who comes first serves, and when it ends another one takes over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from toxscreen.slots.address import Address
from toxscreen.slots.client import Client
from toxscreen.slots.server import Server

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: two toxes that begin at the same moment may each serve there
    fcntl = None  # type: ignore[assignment]

_ADDRESS = "address"


def meet(folder: Path, total: int) -> tuple[Address, Server | None]:
    """Find the server of a folder, or become it.

    What a server that was killed left behind is in nobody's way: nobody answers there.

    Args:
        folder: made when it is missing.
        total: how many slots there are, if this process is to serve.

    Returns:
        Its address; the server, if it is this process's.

    Raises:
        OSError: the folder cannot be used, or nothing can be listened to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        file = folder / _ADDRESS
        address = _read(file)
        if address is not None and _answers(address):
            return address, None
        server = Server(folder, total, address)
        try:
            file.write_text(str(server.address), encoding="utf-8")
        except OSError:
            server.stop()
            raise
        return server.address, server


def _read(file: Path) -> Address | None:
    try:
        return Address.parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _answers(address: Address) -> bool:
    client = Client(address, "", patience=0.0)
    try:
        return client.status() is not None
    finally:
        client.close()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two that begin together must not both find nobody there."""
    with contextlib.ExitStack() as held:
        if fcntl is not None:
            file = held.enter_context((folder / "lock").open("a"))
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
