"""The last lines of a run: what could not be judged, what leaked, where tests can meet, how to replay what failed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toxscreen import host
from toxscreen.pytest_plugin.screen import Screen

_MOST_LANES = 4
_MOST_LEAKS = 20
_MOST_CONFLICTS = 5


def replay_command(run: str, lane: str, until: str) -> str:
    """The exact command to paste for a lane of this process's run.

    Args:
        run: the run's name.
        lane: the worker's.
        until: the last test to run.
    """
    from toxscreen.plan.replay import Target, command

    variables = host.environment()
    return shlex.join(
        command(
            Target(run, lane, until),
            environment=variables.get("TOX_ENV_NAME"),
            hash_seed=variables.get("PYTHONHASHSEED"),
            program=["toxscreen"] if host.same_program("toxscreen") else [sys.executable, "-m", "toxscreen"],
        )
    )


class Summary:
    """Prints the end of a categorised run."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        #: Lane to its last red test.
        self._red: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Remember the last failure of each lane."""
        if report.failed:
            node = getattr(report, "node", None)
            self._red[node.gateway.id if node is not None else "main"] = report.nodeid

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the section, when there is something in it."""
        lines = list(self._lines())
        if lines:
            terminalreporter.write_sep("=", "toxscreen")
        for text, colour in lines:
            terminalreporter.write_line(text, **dict.fromkeys(colour, True))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Say it all the same where pytest has no terminal (``-p no:terminal``)."""
        if not session.config.pluginmanager.hasplugin("terminalreporter"):
            sys.stderr.writelines(f"toxscreen: {text}\n" for text, _ in self._lines())

    def _lines(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each line, and the colour that it has on a terminal."""
        problems, leaks = self.screen.problems, self.screen.leaks
        for text in problems.errors:
            yield f"error: {text}", ("red",)
        for slug, text in problems.warnings:
            yield f"warning: {text} [{slug}]", ("yellow",)
        for text in leaks[:_MOST_LEAKS]:
            yield f"leak: {text}", ("yellow",)
        if len(leaks) > _MOST_LEAKS:
            yield f"leak: and {len(leaks) - _MOST_LEAKS} more, see `toxscreen runs`", ("yellow",)
        if self.screen.target is None and self.screen.folder is not None:
            yield from _conflicts(self.screen.folder)
            yield from self._replays(self.screen.folder.name)

    def _replays(self, run: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        for lane, until in list(self._red.items())[:_MOST_LANES]:
            yield f"replay {lane}: {replay_command(run, lane, until)}", ()
        if len(self._red) > _MOST_LANES:
            yield f"replay: {len(self._red) - _MOST_LANES} more lanes failed, see `toxscreen runs {run}`", ()


def _conflicts(folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    from toxscreen.journal.touches import touches

    touched = touches(folder)
    if not touched:
        return
    from toxscreen.plan.conflicts import conflicts, told

    found = conflicts(touched)
    for conflict in found[:_MOST_CONFLICTS]:
        yield f"possible conflict: {told(conflict)}", ("yellow",)
    if len(found) > _MOST_CONFLICTS:
        yield f"possible conflict: {len(found) - _MOST_CONFLICTS} more, see `toxscreen runs {folder.name}`", ("yellow",)
