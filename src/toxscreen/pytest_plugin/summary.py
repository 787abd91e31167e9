"""The last lines of a run: what could not be judged, what leaked, and the commands that replay what failed."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import pytest

from toxscreen import host
from toxscreen.pytest_plugin.screen import Screen

_MOST_LANES = 4
_MOST_LEAKS = 20


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
        problems = self.screen.problems
        write = terminalreporter.write_line
        red = self._red if self.screen.target is None else {}
        if problems.errors or problems.warnings or self.screen.leaks or red:
            terminalreporter.write_sep("=", "toxscreen")
        for text in problems.errors:
            write(f"error: {text}", red=True)
        for slug, text in problems.warnings:
            write(f"warning: {text} [{slug}]", yellow=True)
        self._tell_leaks(terminalreporter)
        if red and self.screen.folder is not None:
            self._tell_replay(terminalreporter, self.screen.folder.name)

    def _tell_leaks(self, terminal: pytest.TerminalReporter) -> None:
        for text in self.screen.leaks[:_MOST_LEAKS]:
            terminal.write_line(f"leak: {text}", yellow=True)
        more = len(self.screen.leaks) - _MOST_LEAKS
        if more > 0:
            terminal.write_line(f"leak: and {more} more, see `toxscreen runs`", yellow=True)

    def _tell_replay(self, terminal: pytest.TerminalReporter, run: str) -> None:
        lanes = list(self._red.items())
        for lane, until in lanes[:_MOST_LANES]:
            terminal.write_line(f"replay {lane}: {replay_command(run, lane, until)}")
        if len(lanes) > _MOST_LANES:
            terminal.write_line(f"replay: {len(lanes) - _MOST_LANES} more lanes failed, see `toxscreen runs {run}`")
