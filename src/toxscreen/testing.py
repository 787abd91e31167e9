"""The kit for testing plugins, conftests and toxscreen itself: a suite as a dict of files, run for real, read back.

def test_order(tmp_path):
    suite = Suite({"tests/unit/test_a.py": "def test_one(): pass"}).at(tmp_path)
    suite.run("--category", "unit", "-n2").expect(exit=0, outcomes={"tests/unit/test_a.py::test_one": "passed"})
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from toxscreen.errors import CorruptJournalError
from toxscreen.journal.read import read_run
from toxscreen.journal.store import run_folders
from toxscreen.model import Run

__all__ = ["Project", "Result", "Suite", "end_started"]

#: Variables of an outer run that must not reach an inner one.
_NOT_INHERITED = frozenset({"CI", "PYTHONHASHSEED"})
_PREFIXES_NOT_INHERITED = ("PYTEST_", "TOX_", "TOXSCREEN_", "GITHUB_")


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """What came of running a suite."""

    command: tuple[str, ...]
    #: Exit status; negative: the signal that ended it.
    exit: int
    stdout: str
    stderr: str
    #: Runs that were recorded meanwhile, oldest first.
    runs: tuple[Run, ...]

    def __repr__(self) -> str:
        return f"$ {shlex.join(self.command)}\nexit {self.exit}\n-- stdout\n{self.stdout}\n-- stderr\n{self.stderr}"

    @property
    def text(self) -> str:
        """Both streams."""
        return self.stdout + self.stderr

    @property
    def run(self) -> Run:
        """The one run that was recorded.

        Raises:
            AssertionError: there is none, or more than one.
        """
        if len(self.runs) != 1:
            raise AssertionError(f"{len(self.runs)} runs were recorded, not one\n{self!r}")
        return self.runs[0]

    @property
    def outcomes(self) -> dict[str, str]:
        """Node id to outcome, as the journal has it."""
        return {node_id: outcome.value for node_id, outcome in self.run.outcomes.items()}

    def expect(
        self,
        *,
        exit: int,  # noqa: A002 - the field's name
        outcomes: Mapping[str, str] | None = None,
        says: Sequence[str] = (),
        never_says: Sequence[str] = (),
    ) -> Result:
        """Compare the whole outcome.

        Args:
            exit: exit status.
            outcomes: node id to outcome of every test that was to run; None when no run is expected to be looked at.
            says: texts that must stand in the output.
            never_says: texts that must not.

        Returns:
            Itself.

        Raises:
            AssertionError: something differs; the message shows the command and both streams.
        """
        wrong = []
        if self.exit != exit:
            wrong.append(f"exit status {self.exit}, expected {exit}")
        if outcomes is not None and self.outcomes != dict(outcomes):
            wrong.append(f"outcomes {self.outcomes}\nexpected {dict(outcomes)}")
        wrong.extend(f"is silent of {text!r}" for text in says if text not in self.text)
        wrong.extend(f"says {text!r}" for text in never_says if text in self.text)
        if wrong:
            raise AssertionError("\n".join([*wrong, repr(self)]))
        return self


@dataclass(frozen=True, slots=True)
class Suite:
    """A project as a dict of file names to contents; contents are dedented."""

    files: Mapping[str, str] = field(default_factory=dict)

    def with_files(self, files: Mapping[str, str]) -> Suite:
        """The same suite with more or other files."""
        return Suite({**self.files, **files})

    def at(self, folder: Path) -> Project:
        """Write the suite below a folder; HOME and temporary files of its runs lie there too."""
        project = Project(folder / "project", folder)
        project.root.mkdir(parents=True, exist_ok=True)
        project.write(self.files)
        # pytest's root must not depend on what lies above the folder.
        if not any((project.root / name).exists() for name in ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")):
            project.write({"pytest.ini": "[pytest]\n"})
        return project


@dataclass(frozen=True, slots=True)
class Project:
    """A suite on disk."""

    root: Path
    #: Where HOME and TMPDIR of its runs are.
    around: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Write or replace files."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(content), encoding="utf-8")

    def environment(self, changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """The environment of a run: this one's, without an outer run's variables, with HOME and TMPDIR of its own.

        A red run is not diagnosed, unless TOXSCREEN_DIAGNOSE is set to auto.

        Args:
            changes: variables to set, or to remove when None.
        """
        variables = {
            name: value
            for name, value in os.environ.items()
            if name not in _NOT_INHERITED and not name.startswith(_PREFIXES_NOT_INHERITED)
        }
        for name, folder in (("HOME", "home"), ("TMPDIR", "tmp")):
            (self.around / folder).mkdir(exist_ok=True)
            variables[name] = os.fspath(self.around / folder)
        # Many runs of a plugin's tests are red on purpose.
        variables["TOXSCREEN_DIAGNOSE"] = "off"
        for name, value in (changes or {}).items():
            variables.pop(name, None)
            if value is not None:
                variables[name] = value
        return variables

    def start(
        self,
        *arguments: str,
        module: str = "pytest",
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[str]:
        """Start ``python -m MODULE ARGUMENTS`` in a process group of its own and do not wait for it.

        A fixture that calls :func:`end_started` ends it where the test fails before it does.
        """
        with _interruptible():
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=cwd or self.root,
                env=self.environment(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        _STARTED.add(process)
        return process

    def run(
        self,
        *arguments: str,
        module: str = "pytest",
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        timeout: float = 120.0,
    ) -> Result:
        """Run ``python -m MODULE ARGUMENTS`` in a process of its own.

        Args:
            arguments: of pytest, or of another module.
            module: what to run.
            env: variables to set, or to remove when None.
            cwd: working directory; the project's root when left out.
            timeout: seconds it may take.
        """
        known = set(run_folders(self.root))
        process = self.start(*arguments, module=module, env=env, cwd=cwd)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except BaseException:
            _end_group(process)
            process.communicate()
            raise
        finally:
            _STARTED.discard(process)
        return self._result(("python", "-m", module, *arguments), process.returncode, stdout, stderr, known)

    def toxscreen(
        self, *arguments: str, env: Mapping[str, str | None] | None = None, cwd: Path | None = None
    ) -> Result:
        """Run the command ``toxscreen ARGUMENTS`` in a process of its own."""
        return self.run(*arguments, module="toxscreen", env=env, cwd=cwd)

    def run_inline(self, *arguments: str) -> Result:
        """Run pytest in this process, without workers: fast, for what does not depend on process state."""
        known = set(run_folders(self.root))
        stdout, stderr = io.StringIO(), io.StringIO()
        given = ["--rootdir", os.fspath(self.root), *arguments]
        if "xdist" in sys.modules:
            given += ["-n", "0"]
        streams = contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr)
        with _kept_modules(), contextlib.chdir(self.root), streams[0], streams[1]:
            status = pytest.main([*given, "-p", "no:cacheprovider"])
        return self._result(("pytest", *given), int(status), stdout.getvalue(), stderr.getvalue(), known)

    def _result(self, command: tuple[str, ...], status: int, stdout: str, stderr: str, known: set[Path]) -> Result:
        recorded = []
        for folder in reversed(run_folders(self.root)):
            if folder not in known:
                with contextlib.suppress(CorruptJournalError):
                    recorded.append(read_run(folder))
        return Result(command, status, stdout, stderr, tuple(recorded))


#: What was started and, as far as is known, lives.
_STARTED: set[subprocess.Popen[str]] = set()


def end_started() -> None:
    """End what :meth:`Project.start` has started, with all that it started, and close its pipes.

    For an autouse fixture: what a failed test leaves running disturbs those after it, and a pipe that nobody has closed
    is a warning in one of them.
    """
    while _STARTED:
        process = _STARTED.pop()
        if process.poll() is None:
            _end_group(process)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end what is started meanwhile, also where this process ignores it, as a shell's job with ``&`` does.

    A signal that is ignored stays ignored in a new program, one that is handled does not. Source: execve(2).
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_group(process: subprocess.Popen[str]) -> None:
    """End a process and what it started: a child that lives on would hold the pipes open."""
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _kept_modules() -> Iterator[None]:
    """What an inner run imports, and puts on the import path, goes with it."""
    modules, path = dict(sys.modules), list(sys.path)
    try:
        yield
    finally:
        for name in set(sys.modules) - set(modules):
            del sys.modules[name]
        sys.modules.update(modules)
        sys.path[:] = path
