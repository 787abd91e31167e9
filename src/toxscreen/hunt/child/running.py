"""Running given tests one after the other in this process, and writing down what is seen of each."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from toxscreen.model import Outcome
from toxscreen.probes.origin import origin_of
from toxscreen.probes.touching import Touched

# Tests replace functions of `os`; these are the real ones.
_close, _open, _write = os.close, os.open, os.write
_dumps = json.dumps
#: Descriptors from here on are rarely closed by tests that close "all".
_HIGH: Final = 500
#: The seed of `random` at the start of each probe: a probe repeated is the same probe.
_SEED: Final = 1
_MOST_TEXT: Final = 300


class Runner:
    """Runs node ids of this session.

    Args:
        config: of pytest.
        root: of the project.
        copy: of the project, in which this process was started; what is told names the project instead.
    """

    def __init__(self, config: pytest.Config, root: str, copy: str | None = None) -> None:
        self._config = config
        self._root = root
        self._copy = copy
        #: What counts as the project's own lies below one of these.
        self.roots = [Path(each) for each in (root, copy) if each is not None]
        self._cwd: Path | None = None
        self._items: dict[str, pytest.Item] = {}
        self._descriptor = -1
        self._reports: list[pytest.TestReport] = []
        self._error: BaseException | None = None
        self._touched: Touched | None = None
        #: Every line of this probe, for those that go on where it is.
        self._said = b""

    def learn(self, items: Sequence[pytest.Item]) -> list[str]:
        """Take the collected tests.

        Returns:
            Their node ids, in the order of collection.
        """
        for item in items:
            self._items.setdefault(item.nodeid, item)
        with contextlib.suppress(OSError):
            self._cwd = Path.cwd()
        return list(self._items)

    def elsewhere(self) -> str:
        """Why the copy of the project does not do, in words that say "it" for the copy; nothing where it does."""
        copy = self._copy
        if copy is None:
            return ""
        if not self._config.rootpath.is_relative_to(copy):
            return f"pytest's root is {self._config.rootpath}, outside of it"
        for node_id, item in self._items.items():
            if copy in node_id:
                return f"{node_id.partition('[')[0]} has a path of it in its node id"
            if not item.path.is_relative_to(copy):
                return f"{item.path} lies outside of it"
        return ""

    def start_afresh(self, folder: Path) -> None:
        """After a fork: temporary files, HOME and captured output of this process's own.

        Args:
            folder: made for it.
        """
        if self._cwd is not None:
            # Another probe may have removed the folder, and it was made again.
            with contextlib.suppress(OSError):
                os.chdir(self._cwd)
        home, temporary = folder / "home", folder / "tmp"
        for each in (home, temporary):
            each.mkdir(parents=True, exist_ok=True)
        os.environ["HOME"] = str(home)
        os.environ["TMPDIR"] = str(temporary)
        tempfile.tempdir = None
        factory: Any = getattr(self._config, "_tmp_path_factory", None)
        if factory is not None:
            # As the option --basetemp sets it. A process beside this one may share the temporary files.
            factory._given_basetemp = temporary / f"pytest-{os.getpid()}"  # noqa: SLF001 - no other way
            factory._basetemp = None  # noqa: SLF001 - so that it is made anew
        self.go_on_as_fork()

    def go_on_as_fork(self) -> None:
        """After a fork in which tests go on: captured output and notes of this process's own."""
        if self._touched is not None:
            self._touched.belong_to_this_process()
        capture: Any = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is not None and capture.is_globally_capturing():
            # Its temporary files are shared with every other fork.
            capture.stop_global_capturing()
            capture.start_global_capturing()
            # As it is between tests.
            capture.suspend_global_capture(in_=False)

    def report_to(self, file: Path) -> None:
        """Begin a probe, or go on with one in a file of its own.

        Args:
            file: takes a JSON line for each test; the process may die at any moment.
        """
        self._descriptor = _high(_open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        if self._touched is not None:
            _write(self._descriptor, self._said)
            return
        temporary, home = str(Path(tempfile.gettempdir()).resolve()), str(Path.home().resolve())
        self._touched = Touched({temporary: "TMPDIR", home: "HOME"}, (f"{temporary}{os.sep}pytest-",))
        sys.addaudithook(self._touched.hear)
        random.seed(_SEED)

    def shared(self, one: str, other: str) -> int:
        """How many nodes (session, folders, file, classes) two tests share: their fixtures may stay up in between."""
        chains = [self._items[node_id].listchain()[:-1] for node_id in (one, other)]
        return sum(first is second for first, second in zip(*chains, strict=False))

    def tear_down_before(self, node_id: str) -> None:
        """Tear down what the tests that have run left up and the given one does not share."""
        with contextlib.suppress(BaseException):
            # In a whole sequence this would be an error of the test before, which ran elsewhere.
            item = self._items[node_id]
            item.session._setupstate.teardown_exact(item)  # noqa: SLF001 - what pytest does after each test

    def run_all(
        self,
        node_ids: Sequence[str],
        after: str | None = None,
        between: Callable[[int, int], None] | None = None,
    ) -> None:
        """Run tests in order; one that stands there twice is set up and torn down twice.

        Args:
            node_ids: what to run; those that were not collected are said to be missing.
            after: the test that runs after all of these, whose fixtures stay up.
            between: called between two tests with the number of those that have run and of all.
        """
        todo = [self._items[node_id] for node_id in node_ids if node_id in self._items]
        for node_id in node_ids:
            if node_id not in self._items:
                self.write({"missing": node_id})
        # A second item of its own, made while the first is untouched: pytest tears down what the next does not share.
        queue = [_again(item) if item in todo[:place] else item for place, item in enumerate(todo)]
        last = self._items.get(after) if after is not None else None
        if last is not None and last in todo:
            # Otherwise its own fixtures would stay up, and what they undo would count as leaked.
            last = _again(last)
        is_divisible = len({*node_ids}) == len(node_ids) == len(queue)
        for done, (item, following) in enumerate(zip(queue, [*queue[1:], last], strict=True)):
            if done and is_divisible and between is not None:
                between(done, len(queue))
            self._reports = []
            self._error = None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._say(item)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what the phases say."""
        self._reports.append(report)

    def pytest_exception_interact(self, call: pytest.CallInfo[object], report: object) -> None:
        """Keep the first failure's exception."""
        if isinstance(report, pytest.TestReport) and self._error is None and call.excinfo is not None:
            self._error = call.excinfo.value

    def mute(self) -> None:
        """Say nothing any more: this process is a fork within a probe, and somebody else reports."""
        self._descriptor = -1

    @property
    def last_is_red(self) -> bool:
        """Whether the last test that ran is red."""
        return _outcome(self._reports)[0].red

    def write(self, told: dict[str, Any]) -> None:
        """One line for the hunter, in one system call."""
        if self._descriptor < 0:
            return
        line = _dumps(told)
        if self._copy is not None:
            line = line.replace(_dumps(self._copy)[1:-1], _dumps(self._root)[1:-1])
        encoded = f"{line}\n".encode()
        self._said += encoded
        _write(self._descriptor, encoded)

    def _outside(self) -> str:
        """What paths of the project begin with where modules are not imported from the copy."""
        if self._copy is None:
            return ""
        return f"{Path(self._root, self._config.rootpath.relative_to(self._copy))}{os.sep}"

    def _say(self, item: pytest.Item) -> None:
        outcome, report = _outcome(self._reports)
        told: dict[str, Any] = {"node_id": item.nodeid, "outcome": outcome.value}
        touched = self._touched.take() if self._touched is not None else ()
        if touched:
            told["touched"] = touched
        if outcome.red:
            if self._error is not None:
                file, line, _ = item.location
                told["origin"] = _plain(
                    origin_of(self._error, self._config.rootpath, (file, (line or 0) + 1)), self._outside()
                )
            crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
            text = getattr(crash, "message", None) or str(getattr(report, "longrepr", ""))
            told["text"] = text.strip().partition("\n")[0][:_MOST_TEXT]
        self.write(told)


def _outcome(reports: Sequence[pytest.TestReport]) -> tuple[Outcome, pytest.TestReport | None]:
    """How a test ended, and the report that says so."""
    for report in reports:
        if report.failed:
            return (Outcome.FAILED if report.when == "call" else Outcome.ERROR), report
    for report in reports:
        if report.skipped and type(report) is pytest.TestReport:
            return (Outcome.XFAILED if hasattr(report, "wasxfail") else Outcome.SKIPPED), report
    for report in reports:
        if report.when == "call":
            return (Outcome.XPASSED if getattr(report, "wasxfail", None) is not None else Outcome.PASSED), report
    return Outcome.NOT_RUN, None


def _plain(origin: Any, outside: str) -> dict[str, Any]:
    frames = [
        {
            "exception": each.exception,
            "file": each.file.removeprefix(outside).replace(os.sep, "/") if outside else each.file,
            "line": each.line,
        }
        for each in (origin, *origin.causes)
    ]
    return {**frames[0], "causes": frames[1:]}


def _again(item: pytest.Item) -> pytest.Item:
    twin = copy.copy(item)
    if hasattr(twin, "_initrequest"):
        twin._initrequest()  # noqa: SLF001 - what pytest does before it runs an item again
    return twin


def _high(descriptor: int) -> int:
    """The same file under a number that tests seldom touch."""
    try:
        import fcntl

        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    except (ImportError, OSError):
        return descriptor
    _close(descriptor)
    return high
