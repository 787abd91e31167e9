"""The slots of one tox: its environments hold a blanket each, and all toxes of a checkout share one server."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from toxscreen.plan.slots import Kind
from toxscreen.slots.address import ADDRESS, ENVIRONMENT
from toxscreen.slots.client import Client
from toxscreen.slots.meeting import meet

#: Seconds between two looks whether the tox that serves is still there.
_LOOK: Final = 0.25


class Budget:
    """Hands out the cores of this machine to the environments of this tox, and to those of others that join it.

    Args:
        folder: of the checkout, where its toxes meet.
        total: how many tests may run at once.

    Raises:
        OSError: the folder cannot be used, or nothing can be listened to.
    """

    def __init__(self, folder: Path, total: int) -> None:
        self.folder = folder
        self.total = total
        self._lock = threading.Lock()
        self._blankets: dict[str, Client] = {}
        #: Those whose turn has come.
        self._granted: set[str] = set()
        self._over = threading.Event()
        self._meet()
        if self._server is None:
            threading.Thread(target=self._follow, name="toxscreen-follow", daemon=True).start()

    def _meet(self) -> None:
        self.address, self._server = meet(self.folder, self.total)
        self._asking = Client(self.address, self._key(""), patience=0.0)

    def _follow(self) -> None:
        """Take over when the tox that serves ends."""
        while self._server is None and not self._over.wait(_LOOK):
            with self._lock:
                if self._asking.status() is not None:
                    continue
                try:
                    self._meet()
                except OSError:
                    return
                # Who still waits finds the new server by itself.
                for name in self._granted:
                    self._blankets[name].close()
                    anew = self._blankets[name] = Client(self.address, self._key(name))
                    anew.take()

    @staticmethod
    def _key(name: str) -> str:
        """Another tox may have an environment of the same name."""
        return f"{os.getpid()}:{name}"

    def variables(self, name: str) -> dict[str, str]:
        """What the commands of an environment need to ask for slots."""
        return {ADDRESS: str(self.address), ENVIRONMENT: self._key(name)}

    def begin(self, name: str, interrupted: Callable[[], bool]) -> None:
        """Wait for the blanket of an environment; twice is harmless.

        Args:
            name: of the environment.
            interrupted: says whether to wait no longer.
        """
        with self._lock:
            if name in self._blankets:
                return
            client = self._blankets[name] = Client(self.address, self._key(name))
        granted = client.acquire(Kind.BLANKET, interrupted)
        with self._lock:
            if granted and self._blankets.get(name) is client:
                self._granted.add(name)

    def end(self, name: str) -> None:
        """The commands of an environment are over; twice is harmless."""
        with self._lock:
            client = self._blankets.pop(name, None)
            self._granted.discard(name)
        if client is not None:
            client.close()

    def status(self) -> dict[str, Any]:
        """How each environment of this tox stands, see :class:`toxscreen.slots.server.Server`."""
        with self._lock:
            told = self._asking.status() or {}
        return {name.removeprefix(self._key("")): told[name] for name in told if name.startswith(self._key(""))}

    def stop(self) -> None:
        """This tox is over; another one takes over if there is one."""
        self._over.set()
        with self._lock:
            for client in (*self._blankets.values(), self._asking):
                client.close()
            if self._server is not None:
                self._server.stop()
