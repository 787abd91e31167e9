"""Time limits that hold inside C code: the pulse that each test process keeps, and the guard that reads it."""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import mmap
import os
import subprocess
import sys
from pathlib import Path

import toxscreen
from toxscreen import host
from toxscreen.guard import process as guard
from toxscreen.guard.kept import Kept
from toxscreen.guard.pulse import NODE_ID_BYTES, PULSE, SUFFIX
from toxscreen.host import place

# Tests replace functions of `os`; these are the real ones.
_close, _getpid, _write = os.close, os.getpid, os.write
#: Seconds after the limit at which faulthandler writes the stacks, at the latest and at the earliest. Within this
#: window an armed timer serves the next test too, so that short tests do not pay for one each.
_LATEST = guard.GRACE - 0.2
_EARLIEST = _LATEST - 0.5
#: Seconds that the guard may take to end when it is told to.
_PATIENCE = 5.0
#: What the guard's interpreter runs: not the file, which would be compiled each time. The standard library comes first.
_START = "import sys; sys.path.append(sys.argv[1]); from toxscreen.guard.process import main; main(sys.argv[2:])"


class Watch:
    """The pulse of this process, and the timer that writes its stacks.

    Args:
        folder: where pulses lie.
        lane: the worker's name.
    """

    def __init__(self, folder: Path, lane: str) -> None:
        self._process = _getpid()
        self._sequence = 0
        self._armed_for = 0.0
        self._pulse: mmap.mmap | None = None
        self._stacks: Kept | None = None
        with contextlib.suppress(OSError):
            self._stacks = Kept(folder / f"{lane}.stacks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            self._pulse = _page(folder / f"{lane}{SUFFIX}")
        #: That of a test which runs this run inside itself.
        self._outer = _Forks.watch
        _Forks.watch = self
        _Forks.follow()

    def begin(self, node_id: str, limit: float) -> None:
        """A test starts, or gets a limit anew.

        Args:
            node_id: the test.
            limit: seconds; 0 is no limit.
        """
        self._beat(node_id, limit)
        if limit and self._stacks is not None:
            due = host.CLOCK.elapsed() + limit
            if not due + _EARLIEST <= self._armed_for <= due + _LATEST:
                self._armed_for = due + _LATEST
                self._arm(limit + _LATEST)

    def idle(self) -> None:
        """No test runs."""
        self._beat("", 0.0)

    def pause(self) -> None:
        """A person debugs: nothing ends by itself."""
        self.idle()
        self.disarm()

    def disarm(self) -> None:
        """Stop faulthandler's timer."""
        if self._armed_for and _getpid() == self._process:
            self._armed_for = 0.0
            faulthandler.cancel_dump_traceback_later()

    def close(self) -> None:
        """The process runs no more tests."""
        if _getpid() != self._process:
            return
        self.idle()
        self.disarm()
        if self._stacks is not None:
            self._stacks.close()
        if self._pulse is not None:
            self._pulse.close()
        self._pulse = self._stacks = None
        _Forks.watch = self._outer
        if self._outer is not None:
            self._outer.resume()

    def before_fork(self) -> None:
        """Stop the timer: a child that ends would wait for its thread, which a fork does not copy."""
        if self._armed_for and _getpid() == self._process:
            faulthandler.cancel_dump_traceback_later()

    def resume(self) -> None:
        """Start the timer again with what is left of its time: after a fork, or after a run inside a test."""
        if self._armed_for and _getpid() == self._process:
            self._arm(max(self._armed_for - host.CLOCK.elapsed(), 0.01))

    def _beat(self, node_id: str, limit: float) -> None:
        if self._pulse is None or _getpid() != self._process:
            return
        self._sequence += 1
        name = node_id.encode("utf-8", "replace")[:NODE_ID_BYTES]
        content = PULSE.pack(self._sequence, self._process, limit, len(name)) + name
        self._pulse[: len(content)] = content

    def _arm(self, seconds: float) -> None:
        if self._stacks is None or _getpid() != self._process:
            return
        try:
            faulthandler.dump_traceback_later(seconds, file=self._stacks.descriptor())
        except (OSError, RuntimeError, ValueError):
            self._stacks = None


def _page(path: Path) -> mmap.mmap | None:
    """A file as memory: two beats a test, each a system call, would be a tenth of what a small test takes.

    No test can close it, and a process that is killed leaves its last beat behind.

    Raises:
        OSError: it cannot be made; all its bytes are written at once, so that a full disk shows here and not later.
    """
    if sys.platform == "win32":
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        size = PULSE.size + NODE_ID_BYTES
        if os.write(descriptor, bytes(size)) < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


class _Forks:
    """Tells the watch of this process before and after a fork; what is told to the interpreter once stays told."""

    watch: Watch | None = None
    followed = False

    @classmethod
    def follow(cls) -> None:
        if not cls.followed and hasattr(os, "register_at_fork"):
            cls.followed = True
            os.register_at_fork(before=cls.before, after_in_parent=cls.after)

    @classmethod
    def before(cls) -> None:
        if cls.watch is not None:
            cls.watch.before_fork()

    @classmethod
    def after(cls) -> None:
        if cls.watch is not None:
            cls.watch.resume()


class GuardProcess:
    """The guard of a run, as its leader sees it.

    Args:
        folder: where the pulses lie.
        run: the run's name.
        alone: whether this process runs the tests itself.
    """

    def __init__(self, folder: Path, run: str, *, alone: bool) -> None:
        self.problem: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = _getpid()
        # A bare descriptor: a file object would complain when it goes, had a test closed what is below it.
        reading, self._pipe = os.pipe()
        self._identity = place(self._pipe)
        mode = "alone" if alone else "workers"
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            _START,
            os.fspath(Path(toxscreen.__file__).parent.parent),
            os.fspath(folder),
            str(_getpid()),
            mode,
            run,
        ]
        try:
            self._process = subprocess.Popen(command, stdin=reading, stdout=subprocess.DEVNULL)
        except OSError as error:
            self.problem = f"a test that hangs inside C code will not be ended: {error}"
            os.close(self._pipe)
        finally:
            os.close(reading)

    def bye(self) -> None:
        """End the guard in an orderly way."""
        process = self._process
        if process is None or _getpid() != self._leader:
            return
        self._process = None
        if place(self._pipe) != self._identity:
            # A test closed the pipe; its descriptor may by now belong to somebody else.
            process.kill()
            process.wait()
            return
        with contextlib.suppress(OSError):
            _write(self._pipe, guard.BYE)
        _close(self._pipe)
        # Not Popen.wait with a limit: it sleeps by time.sleep, which a test may have replaced for good.
        deadline = host.CLOCK.elapsed() + _PATIENCE
        while process.poll() is None:
            if host.CLOCK.elapsed() > deadline:
                process.kill()
                process.wait()
            else:
                host.CLOCK.sleep(0.002)
