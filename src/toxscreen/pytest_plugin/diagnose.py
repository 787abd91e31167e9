"""Why the tests of a red run failed, said at the end of its log: a hunt that starts from the orders that failed."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from toxscreen import host
from toxscreen.pytest_plugin.screen import Screen

#: Seconds that a diagnosis may take, or this share of the run's, whichever is more, where nobody says.
LEAST, SHARE = 60.0, 0.1
#: The rest of the time is for the proof of what was found.
_FOR_SEARCH: Final = 0.75
#: Seconds in which a diagnosis that is told to stop says what it has.
_GRACE: Final = 5.0
_MOST_TOLD: Final = 10
#: Where the run is measured: the diagnosis is not to be.
_MEASURES: Final = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")


def worth_it(screen: Screen, *, workers: int, is_random: bool) -> bool:
    """Whether the order of a run, or what ran beside, can be why a test of it fails.

    Args:
        screen: the run; one that replays another has been looked at.
        workers: processes that run tests; 0 is this one.
        is_random: whether the order is.
    """
    return screen.target is None and screen.folder is not None and (workers > 0 or is_random)


def allowed(asked: float, seconds: float) -> float:
    """Seconds that a diagnosis may take.

    Args:
        asked: what the settings say; 0: what is usual.
        seconds: how long the run took.
    """
    return asked or max(LEAST, SHARE * seconds)


class Diagnose:
    """Registered in the process that leads the run, before a test can change its environment."""

    def __init__(self, screen: Screen, *, workers: int) -> None:
        self._screen = screen
        self._workers = workers
        self._began = host.CLOCK.elapsed()
        variables = host.environment()
        self._environment = {name: value for name, value in variables.items() if name not in _MEASURES}
        self._folder = Path.cwd()
        self._red: set[str] = set()
        self._is_interrupted = False

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count what failed."""
        if report.failed:
            self._red.add(report.nodeid)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Whoever presses Ctrl-C does not want to wait."""
        self._is_interrupted = excinfo.type is KeyboardInterrupt

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Diagnose, and write what came of it."""
        is_random = bool(getattr(config.option, "randomly_reorganize", False))
        folder = self._screen.folder
        if not self._red or self._is_interrupted or folder is None:
            return
        if not worth_it(self._screen, workers=self._workers, is_random=is_random):
            return
        limit = allowed(self._screen.settings.diagnose_budget.value, host.CLOCK.elapsed() - self._began)
        terminalreporter.write_sep("-", "toxscreen: diagnosis")
        counted = f"{len(self._red)} failed test{'s' if len(self._red) > 1 else ''}"
        terminalreporter.write_line(f"looking for the reason of {counted}, for {limit:.0f} s at most ...")
        terminalreporter.flush()
        began = host.CLOCK.elapsed()
        for line in _lines(*self._hunt(folder.name, limit)):
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"the diagnosis took {host.CLOCK.elapsed() - began:.1f} s")

    def _hunt(self, run: str, limit: float) -> tuple[dict[str, Any], str]:
        """What the hunt says, and why it says nothing."""
        search = max(limit * _FOR_SEARCH, 1.0)
        program = [sys.executable, "-P", "-m", "toxscreen"]
        command = [*program, "hunt", "--json", "--run", run, "--budget", f"{search:.1f}s"]
        # Standard error has the same for people; a pipe that nobody reads would stop the hunt.
        quiet = subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=quiet,
                stdout=subprocess.PIPE,
                stderr=quiet,
            )
        except OSError as error:
            return {}, f"cannot be started: {error.strerror}"
        heard = b""
        try:
            heard, _ = process.communicate(timeout=limit)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            with contextlib.suppress(OSError):
                process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                heard, _ = process.communicate(timeout=_GRACE)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        try:
            told: dict[str, Any] = json.loads(heard)
        except ValueError:
            return {"interrupted": True}, ""
        return told, "\n".join(each["message"] for each in told.get("errors", ()))


def _lines(told: dict[str, Any], problem: str) -> list[str]:
    """What was found, in lines for the end of a log."""
    if problem:
        return [f"no diagnosis: {problem}"]
    lines = []
    findings = told.get("findings", [])
    for each in findings[:_MOST_TOLD]:
        lines.append(each["summary"])
        if each["command"]:
            lines.append(f"  see it: {each['command']}")
    if len(findings) > _MOST_TOLD:
        lines.append(f"and {len(findings) - _MOST_TOLD} more: toxscreen hunt --run last")
    lines += [note for note in told.get("notes", []) if not note.startswith("interrupted")]
    if told.get("cut_short") or told.get("interrupted"):
        lines.append("the time is over: the setting diagnose-budget gives it more")
    return lines
