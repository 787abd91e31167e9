"""The server of slots: one thread, one selector, lines of text. What they mean for whom is decided in plan/slots.py."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.plan.slots import Kind, Slots
from toxscreen.slots.address import Address, listen
from toxscreen.slots.client import GO, KEEPS, SHARED
from toxscreen.slots.held import Held
from toxscreen.slots.standstill import LOOK, Standstill

#: Bytes that a line may have.
_LONGEST: Final = 65536
_KINDS: Final = frozenset(kind.value for kind in Kind)


@dataclass(slots=True)
class _Peer:
    """One connection."""

    holder: int
    socket: socket.socket
    buffer: bytes = b""
    environment: str | None = None
    #: Whether it has asked where everything stands.
    asks: bool = False


@dataclass(slots=True)
class _Counts:
    """What the leaders of an environment's runs have told: by holder, what it said last."""

    told: dict[int, dict[str, int]] = field(default_factory=dict)

    def of(self, name: str) -> list[int]:
        return [each.get(name, 0) for each in self.told.values()]


class Server:
    """Hands out slots until it is stopped.

    Args:
        folder: where its socket lies, see :func:`toxscreen.slots.address.listen`.
        total: how many slots there are.
        before: where the last server of this folder was, which is gone.

    Raises:
        OSError: it cannot listen.
    """

    def __init__(self, folder: Path, total: int, before: Address | None = None) -> None:
        self._slots = Slots(total)
        self._peers: dict[int, _Peer] = {}
        self._counts: dict[str, _Counts] = {}
        self._standstill = Standstill()
        self._next = 1
        self._process = os.getpid()
        self._listener, self.address = listen(folder, before)
        self._inode = _inode(self.address)
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for each in (self._listener, self._woken):
            each.settimeout(0)
            self._selector.register(each, selectors.EVENT_READ, None)
        # A daemon: tox may end without a word to plugins.
        self._thread = threading.Thread(target=self._serve, name="toxscreen-slots", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and take the socket's file away; twice is harmless."""
        if self._process != os.getpid() or not self._thread.is_alive():
            return
        self._wake.close()
        self._thread.join()

    def _serve(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            self._close()

    def _close(self) -> None:
        if self._inode is not None and _inode(self.address) == self._inode:
            with contextlib.suppress(OSError):
                Path(self.address.place).unlink()
            Held(self.address).remove()
        self._listener.close()
        for peer in self._peers.values():
            peer.socket.close()
        self._selector.close()
        self._woken.close()

    def _turn(self) -> bool:
        """Deal with all that has come; whether to go on."""
        ready = self._selector.select(None if self._slots.stuck() is None else LOOK)
        now = host.CLOCK.elapsed()
        self._slots.at(now)
        if self._standstill.lasts(self._slots.stuck(), now):
            self._let_go(self._slots.let_through())
        for key, _ in ready:
            if key.fileobj is self._woken:
                return False
            if key.fileobj is self._listener:
                self._accept()
            else:
                self._read(key.data)
        # Last, so that what others had said before is in the answer.
        for peer in [each for each in self._peers.values() if each.asks]:
            peer.asks = False
            self._send(peer, json.dumps(self._status()).encode() + b"\n")
        return True

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            connection.settimeout(0)
            peer = _Peer(self._next, connection)
            self._next += 1
            self._peers[peer.holder] = peer
            self._selector.register(connection, selectors.EVENT_READ, peer)

    def _read(self, peer: _Peer) -> None:
        if peer.holder not in self._peers:
            return
        try:
            data = peer.socket.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, peer.buffer = (peer.buffer + data).split(b"\n")
        if not data or len(peer.buffer) > _LONGEST:
            self._drop(peer)
            return
        for line in lines:
            try:
                self._hear(peer, line.decode())
            except ValueError:
                self._drop(peer)
                return

    def _drop(self, peer: _Peer) -> None:
        """A connection is lost, and what it held is free."""
        if self._peers.pop(peer.holder, None) is not None:
            self._selector.unregister(peer.socket)
            peer.socket.close()
            self._let_go(self._slots.leave(peer.holder))

    def _send(self, peer: _Peer, data: bytes) -> None:
        try:
            sent = peer.socket.send(data)
        except OSError:
            sent = 0
        if sent < len(data):
            # It has not read for long: a process that stands still must not make this one wait.
            self._drop(peer)

    def _let_go(self, granted: list[int]) -> None:
        for holder in granted:
            peer = self._peers.get(holder)
            if peer is not None:
                number = self._slots.number(holder)
                told = SHARED if self._slots.is_sharing(holder) else "" if number is None else str(number)
                self._send(peer, f"{GO} {told}".rstrip().encode() + b"\n")

    def _hear(self, peer: _Peer, line: str) -> None:
        """One line.

        Raises:
            ValueError: it means nothing, or comes before the first.
        """
        word, _, rest = line.partition(" ")
        if peer.environment is None:
            token, _, environment = rest.partition(" ")
            if word != "hello" or token != (self.address.token or "-"):
                raise ValueError(line)
            peer.environment = environment
            return
        if word in _KINDS:
            granted = self._slots.ask(peer.holder, peer.environment, Kind(word), keeps=rest == KEEPS)
        elif word == "back":
            granted = self._slots.give_back(peer.holder)
        elif word == "leave":
            granted = self._slots.leave(peer.holder)
        elif word == "take":
            self._slots.take(peer.holder, peer.environment)
            granted = []
        elif word == "counts":
            self._counts.setdefault(peer.environment, _Counts()).told[peer.holder] = json.loads(rest)
            return
        elif word == "status":
            peer.asks = True
            return
        else:
            raise ValueError(line)
        self._let_go(granted)

    def _status(self) -> dict[str, Any]:
        """How every environment stands, by its name."""
        names = {peer.environment for peer in self._peers.values() if peer.environment} | set(self._counts)
        return {
            name: {
                "holding": self._slots.holding(name),
                "waiting": self._slots.waiting(name),
                "workers": max(counts.of("workers"), default=0),
                "done": sum(counts.of("done")),
                "failed": sum(counts.of("failed")),
                "total": sum(counts.of("total")),
            }
            for name in names
            for counts in (self._counts.get(name, _Counts()),)
        }


def _inode(address: Address) -> tuple[int, int] | None:
    if address.token:
        return None
    try:
        found = Path(address.place).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
