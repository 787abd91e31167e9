"""``@pytest.mark.alone`` in a run with workers and without tox: the leader itself hands out slots to its workers.

Only where such a test was collected; all other runs pay for one look at a file.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from toxscreen.probes.calls import exempt
from toxscreen.pytest_plugin.screen import Screen, tx_count

if TYPE_CHECKING:
    from toxscreen.slots.server import Server

#: Made by a worker that has collected such a test; then the leader's answer is in the other one.
_WANTED, _ADDRESS = "wanted.alone", "address.alone"
#: All workers of one run ask under the same name.
_NAME = "run"


class AloneInRun:
    """Serves the workers, in the process that leads the run."""

    def __init__(self, config: pytest.Config, screen: Screen) -> None:
        self.config = config
        self.screen = screen
        self._server: Server | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """Before any test is handed to a worker."""
        folder = self.screen.pulses
        if self._server is not None or folder is None or not (folder / _WANTED).exists():
            return
        with exempt():
            self._serve(folder)

    def _serve(self, folder: Path) -> None:
        from toxscreen.slots.server import Server

        try:
            self._server = Server(folder, tx_count(self.config))
            (folder / _ADDRESS).write_text(str(self._server.address), encoding="utf-8")
        except OSError as error:
            self.screen.problems.warn("slots-lost", f"@pytest.mark.alone has no effect in this run: {error}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """No worker is left."""
        if self._server is not None:
            self._server.stop()


class AloneInWorker:
    """Tells the leader that such a test is there, in a process that runs tests."""

    def __init__(self, config: pytest.Config, screen: Screen) -> None:
        self.config = config
        self.screen = screen

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        """Before the leader hears that this worker has collected."""
        folder = self.screen.pulses
        if not self.screen.has_alone or folder is None:
            return
        from toxscreen.pytest_plugin.slots import Slotted

        with contextlib.suppress(OSError):
            (folder / _WANTED).touch()
        self.config.pluginmanager.register(Slotted(self.config, self.screen, _asked_late(folder)), "toxscreen-slotted")


def _asked_late(folder: Path) -> Any:
    """Reader of the address, which is there when the first test is."""

    def find() -> tuple[str, str] | None:
        try:
            with open(os.fspath(folder / _ADDRESS), encoding="utf-8") as file:  # noqa: PTH123 - tests replace Path's
                return file.read(), _NAME
        except OSError:
            return None

    return find
