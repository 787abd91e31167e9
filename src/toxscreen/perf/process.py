"""A process that runs a side's benchmarks: how it is started, told what to do, heard and ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.perf.side import Side

_CHILD: Final = Path(__file__).with_name("child.py")
#: Variables of the process that compares: other tools', and those through which both sides could import the same.
_NOT_INHERITED: Final = frozenset(
    {
        "PYTHONHASHSEED",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PYTHONSAFEPATH",
        "VIRTUAL_ENV",
        "__PYVENV_LAUNCHER__",
    }
)
_PREFIXES_NOT_INHERITED: Final = ("TOX_", "PYTEST_", "COVERAGE_", "COV_CORE_", "TOXSCREEN_")
#: Left out: what keeps files, shuffles, or looks at each test. Others stay, a conftest.py may need their hooks.
_PLUGINS: Final = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:toxscreen")
_OPTIONS: Final = ("-o", "addopts=", "--benchmark-enable", "--color=no")
#: Seconds that a process may take to end by itself, or to write down where it hangs.
_GRACE: Final = 5.0
_TAIL_LINES: Final = 12
#: How the fault handler's line above the stack of the main thread ends.
_STACK: Final = "(most recent call first):"


class GoneError(Exception):
    """A process that has ended, or did not answer and was ended; the text says which."""


def environment(
    variables: Mapping[str, str], side: Side, folder: Path, seed: str, more: Mapping[str, str]
) -> dict[str, str]:
    """The environment variables of a process.

    Args:
        variables: those of this process.
        side: whose benchmarks it runs.
        folder: where HOME and TMPDIR are.
        seed: of the hashes.
        more: what is set beyond that.
    """
    own = {
        name: value
        for name, value in variables.items()
        if name not in _NOT_INHERITED | host.GIT_VARIABLES and not name.startswith(_PREFIXES_NOT_INHERITED)
    }
    path = os.pathsep.join(filter(None, (os.fspath(side.python.parent), own.get("PATH"))))
    places = {"HOME": os.fspath(folder / "home"), "TMPDIR": os.fspath(folder / "tmp")}
    return {**own, **places, "PATH": path, "PYTHONHASHSEED": seed, **more}


class Child:
    """One process with pytest in it.

    Args:
        side: whose benchmarks it runs.
        where: that side in words, for what is said of its end.
        folder: of its own, which is made.
        orders: what it is for, see child.py.
        arguments: of pytest: files, and the user's options.
        seed: of the hashes.
        more: environment variables.
        limit: seconds that anything may take.
    """

    def __init__(
        self,
        side: Side,
        where: str,
        folder: Path,
        orders: Mapping[str, Any],
        arguments: Sequence[str],
        *,
        seed: str,
        more: Mapping[str, str],
        limit: float,
    ) -> None:
        self._where = where
        self._folder = folder
        self._limit = limit
        self._buffer = b""
        try:
            for name in ("home", "tmp"):
                (folder / name).mkdir(parents=True)
        except OSError as error:
            raise GoneError(f"the process {where} has no place to work in: {error}") from None
        reads, self._orders = os.pipe()
        self._answers, writes = os.pipe()
        leash, self._leash = os.pipe()
        theirs = {"reads": reads, "writes": writes, "leash": leash}
        told = json.dumps({**orders, "folder": os.fspath(side.folder), **theirs})
        options = (*_PLUGINS, *_OPTIONS, f"--rootdir={side.folder}")
        command = [os.fspath(side.python), os.fspath(_CHILD), told, *options, *arguments]
        try:
            with (folder / "log").open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=side.folder,
                    env=environment(host.environment(), side, folder, seed, more),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=tuple(theirs.values()),
                    start_new_session=True,
                )
        except OSError as error:
            self._close()
            raise GoneError(f"the process {where} cannot be started: {error}") from None
        finally:
            for descriptor in theirs.values():
                os.close(descriptor)

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order and wait for the answer.

        Raises:
            GoneError: there is none.
        """
        self.say(**order)
        return self.hear()

    def say(self, **order: Any) -> None:
        """Give an order; where nobody hears it, no answer will come either."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._orders, (json.dumps(order) + "\n").encode())

    def hear(self, limit: float | None = None) -> dict[str, Any]:
        """The next thing it says.

        Args:
            limit: seconds that this may take, where it is another than usual.

        Raises:
            GoneError: it has ended, or takes longer.
        """
        limit = self._limit if limit is None else limit
        deadline = host.CLOCK.elapsed() + limit
        while b"\n" not in self._buffer:
            left = deadline - host.CLOCK.elapsed()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise self._hung(limit)
            chunk = os.read(self._answers, 65536)
            if not chunk:
                raise self._ended()
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _hung(self, limit: float) -> GoneError:
        # Pytest's fault handler writes down where it was.
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        return GoneError(f"no answer for {limit:g} s {self._where}\n{self._stack()}")

    def _ended(self) -> GoneError:
        try:
            status = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return GoneError(f"the process {self._where} says nothing any more\n{self.tail()}")
        if status < 0:
            with contextlib.suppress(ValueError):
                return GoneError(
                    f"the process {self._where} was ended by {signal.Signals(-status).name}\n{self.tail()}"
                )
        return GoneError(f"the process {self._where} ended with status {status}\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of what it printed."""
        return "\n".join(self._printed()[-_TAIL_LINES:])

    def _stack(self) -> str:
        """Where it was, innermost call first, as its fault handler has written it down; else what it printed last."""
        lines = self._printed()
        begins = [number for number, line in enumerate(lines) if line.endswith(_STACK)]
        return "\n".join(lines[begins[-1] + 1 :][:_TAIL_LINES]) if begins else self.tail()

    def _printed(self) -> list[str]:
        try:
            text = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if line.strip()]

    def finish(self) -> None:
        """Let it end by itself, and end what is left of it."""
        self.say(end=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self.kill()

    def kill(self) -> None:
        """End it with everything that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close()

    def _close(self) -> None:
        for descriptor in (self._orders, self._answers, self._leash):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._orders = self._answers = self._leash = -1
