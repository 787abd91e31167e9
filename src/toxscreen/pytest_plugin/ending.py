"""The exit status of a run: 0, 1, 2 or 130, in the sense of errors.Exit, also where pytest has others."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from toxscreen.errors import Exit
from toxscreen.pytest_plugin.collect import nothing_ran
from toxscreen.pytest_plugin.screen import Screen


class Ending:
    """Settles the exit status, in the process that reports to the user."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._interrupted = False

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C; pytest-xdist and -x use subclasses of the same exception."""
        self._interrupted = excinfo.type is KeyboardInterrupt

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Say why nothing ran before the summary is written, and settle the status after it."""
        self._explain_nothing(session)
        try:
            return (yield)
        finally:
            self._explain_nothing(session)
            session.exitstatus = self._status(session)

    def _explain_nothing(self, session: pytest.Session) -> None:
        if (
            session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
            and not self.screen.problems.errors
            and not self.screen.is_empty_shard
        ):
            self.screen.problems.add_error(
                nothing_ran(self.screen, self.screen.deselected, _missing(session.config)).render()
            )

    def _status(self, session: pytest.Session) -> int:
        if self._interrupted:
            return int(Exit.INTERRUPTED)
        if self.screen.problems.errors or session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            return int(Exit.UNJUDGED)
        if session.exitstatus == pytest.ExitCode.INTERRUPTED and _has_red_tests(session):
            # -x and --maxfail under pytest-xdist end like an interrupt.
            return int(Exit.FOUND)
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED and _has_broken_files(session):
            # pytest-xdist calls this a failure, pytest alone an interrupt: what was not collected was not judged.
            return int(Exit.UNJUDGED)
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.screen.is_empty_shard:
            # More shards than tests: there is nothing to do here, and the merge proves that the others did all.
            return int(Exit.CLEAN)
        return int(session.exitstatus)


def _missing(config: pytest.Config) -> list[str]:
    """Files that were asked for and are not there; with workers, pytest-xdist keeps that to itself."""
    if config.option.pyargs:
        return []
    files = [argument.partition("::")[0] for argument in config.args]
    return [file for file in dict.fromkeys(files) if not (config.invocation_params.dir / file).exists()]


def _has_red_tests(session: pytest.Session) -> bool:
    """Whether a test failed; a file that could not be collected is none."""
    return any(isinstance(report, pytest.TestReport) for report in _red_reports(session))


def _has_broken_files(session: pytest.Session) -> bool:
    """Whether nothing is red but files that could not be collected."""
    reports = _red_reports(session)
    return bool(reports) and all(isinstance(report, pytest.CollectReport) for report in reports)


def _red_reports(session: pytest.Session) -> list[object]:
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    return terminal.stats.get("failed", []) + terminal.stats.get("error", []) if terminal is not None else []
