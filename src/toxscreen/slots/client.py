"""One process's connection to the server of slots, among tests that close descriptors, fork and replace functions.

Who loses the connection goes on without: a lost budget is slower, never red.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from toxscreen import host
from toxscreen.plan.slots import Kind
from toxscreen.slots.address import Address
from toxscreen.slots.held import Held

# Tests replace these; here are the real ones. Of sockets the class below `socket.socket`, which nobody can change.
_getpid = os.getpid
_Socket = socket.SocketType
_STREAM = socket.SOCK_STREAM
#: Seconds after which somebody who waits looks whether there is still a reason to.
_LOOK: Final = 0.25
#: How long a server may take to come back: another tox takes over where the first one has ended.
_PATIENCE: Final = 2.0
_AGAIN: Final = 0.05
#: How long a server may take to read.
_STALLED: Final = 30.0
#: How long it may take to say how everything stands.
_ANSWERS: Final = 2.0
#: What a server says to who may go on: which slot it is follows where it is one for a test.
GO: Final = "go"
#: Connections that may be lost while one waits: whoever ends them all hands out no slots.
_LOSSES: Final = 20
#: What is said after the kind by who has something up from the tests before.
KEEPS: Final = "keeps"
#: What follows for who runs beside others although it, or one of them, was to be alone.
SHARED: Final = "shared"
_IS_POSIX = os.name == "posix"


class Client:
    """Asks for slots; no call fails, whatever happens to the server.

    Args:
        address: of the server.
        environment: the name under which to ask.
        apart: what to connect within, where a rule about network calls may be in force.
        patience: seconds for which the first connection is tried: at any moment another tox may be about to take over.
    """

    def __init__(
        self,
        address: Address,
        environment: str,
        apart: Callable[[], AbstractContextManager[None]] = nullcontext,
        patience: float = _PATIENCE,
    ) -> None:
        self.address = address
        self.environment = environment
        #: Why there are no slots any more; None as long as there are.
        self.problem: str | None = None
        #: Whether the last slot was granted beside somebody although one of the two was to be alone.
        self.shares = False
        self._apart = apart
        self._socket: Any = None
        self._identity: tuple[int, int] | None = None
        self._buffer = b""
        #: What was asked for and not yet granted.
        self._asked: Kind | None = None
        self._process = _getpid()
        self._patience = patience
        self._held = Held(address)
        _Forks.add(self)

    # what is asked

    def acquire(self, kind: Kind, gone: Callable[[], bool] = lambda: False, *, keeps: bool = False) -> bool:
        """Wait for a slot.

        Args:
            kind: which.
            gone: says whether there is no reason to wait any longer.
            keeps: whether something is up here that whoever holds the slots may wait for.

        Returns:
            Whether it was granted. False: it is gone, or there is no server.
        """
        if self._asked not in {None, kind}:
            # An answer to what was asked for before may be under way.
            self._disconnect()
        losses = 0
        while self._is_usable():
            if self._asked is not None or self._send(f"{kind.value} {KEEPS}" if keeps else kind.value):
                self._asked = kind
                line = self._line(gone)
                if line is not None:
                    self._asked = None
                    return self._is_granted(kind, line, gone)
                if self._socket is not None:
                    return False
            losses += 1
            if losses > _LOSSES:
                self._refuse()
            else:
                host.CLOCK.sleep(_AGAIN)
        return False

    def _is_granted(self, kind: Kind, line: bytes, gone: Callable[[], bool]) -> bool:
        """Whether the answer to what was asked for lets one go on; waits for a test of an earlier server."""
        word, _, told = line.decode(errors="replace").partition(" ")
        self.shares = told == SHARED
        if word != GO or (kind is Kind.SLOT and not self.shares and not told.isdecimal()):
            self._refuse()
            return False
        # What is shared is locked already: by those it is shared with.
        if kind is Kind.BLANKET or self.shares or self._held.lock(int(told) if told else None, gone):
            return True
        self._disconnect()
        return False

    def give_back(self) -> None:
        """The slot is free again."""
        self._unlock()
        if self._socket is not None and self._is_usable():
            self._send("back")

    def leave(self) -> None:
        """No more tests here for now; other things may follow."""
        self._unlock()
        if self._socket is not None and self._is_usable():
            self._asked = None
            self._send("leave")

    def take(self) -> None:
        """Take the environment's blanket without waiting."""
        if self._is_usable():
            self._send("take")

    def count(self, counts: Mapping[str, int]) -> None:
        """Tell how far the tests are."""
        if self._is_usable():
            self._send(f"counts {json.dumps(counts)}")

    def status(self) -> dict[str, Any] | None:
        """How all environments stand, see `Server._status`; None without a server."""
        if not self._is_usable() or not self._send("status"):
            return None
        deadline = host.CLOCK.elapsed() + _ANSWERS
        line = self._line(lambda: host.CLOCK.elapsed() > deadline)
        if line is None:
            self._disconnect()
            return None
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            # Somebody else listens there by now.
            self._disconnect()
            return None
        return told

    def close(self) -> None:
        """Give everything back."""
        if self._process == _getpid():
            self._held.close()
            self._disconnect()
            self.problem = self.problem or "closed"
        _Forks.discard(self)

    def _unlock(self) -> None:
        """Before the server hears of it, and gives the slot to the next."""
        if self._process == _getpid():
            self._held.unlock()

    # the connection

    def _is_usable(self) -> bool:
        """Connect where that is not yet done, or a test closed the connection."""
        if self._process != _getpid():
            return False
        if self._socket is not None and _IS_POSIX and host.place(self._socket.fileno()) != self._identity:
            # The number may by now be somebody else's.
            self._socket.detach()
            self._forget()
        if self._socket is None and self.problem is None:
            self._connect()
        return self._socket is not None

    def _connect(self) -> None:
        deadline = host.CLOCK.elapsed() + self._patience
        while True:
            connection: Any = None
            try:
                with self._apart():
                    family, target = self.address.target()
                    connection = _Socket(family, _STREAM)
                    connection.settimeout(_STALLED)
                    connection.connect(target)
                    connection.sendall(f"hello {self.address.token or '-'} {self.environment}\n".encode())
            except OSError as error:
                if connection is not None:
                    connection.close()
                if host.CLOCK.elapsed() >= deadline:
                    self.problem = str(error)
                    return
                host.CLOCK.sleep(_AGAIN)
                continue
            self._socket = connection
            if _IS_POSIX:
                self._identity = host.place(connection.fileno())
            return

    def _send(self, line: str) -> bool:
        try:
            self._socket.settimeout(_STALLED)
            self._socket.sendall(line.encode() + b"\n")
        except OSError:
            self._disconnect()
            return False
        return True

    def _line(self, gone: Callable[[], bool]) -> bytes | None:
        """The next line; None when the connection is lost, or there is no reason to wait for it."""
        self._socket.settimeout(_LOOK)
        while b"\n" not in self._buffer:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                if gone():
                    return None
                continue
            except OSError:
                data = b""
            if not data:
                self._disconnect()
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _refuse(self) -> None:
        """Go on without: somebody else listens there by now."""
        self._disconnect()
        self.problem = f"whoever listens at {self.address.place} hands out no slots"

    def _disconnect(self) -> None:
        connection = self._socket
        self._forget()
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _forget(self) -> None:
        self._socket = None
        self._buffer = b""
        self._asked = None

    def after_fork(self) -> None:
        """In a child: it holds no slot and must not keep the parent's from dying with it."""
        if self._socket is not None:
            if host.place(self._socket.fileno()) == self._identity:
                self._disconnect()
            else:
                self._socket.detach()
                self._forget()
        self.problem = "this process was forked from the one that asks for slots"


class _Forks:
    """Tells every client of this process after a fork; what is told to the interpreter once stays told."""

    clients: Final[set[Client]] = set()
    followed = False

    @classmethod
    def add(cls, client: Client) -> None:
        cls.clients.add(client)
        if not cls.followed and hasattr(os, "register_at_fork"):
            cls.followed = True
            os.register_at_fork(after_in_child=cls.after)

    @classmethod
    def discard(cls, client: Client) -> None:
        cls.clients.discard(client)

    @classmethod
    def after(cls) -> None:
        for client in cls.clients:
            client.after_fork()
        cls.clients.clear()
