"""A pytest process that has collected and then forks once for every probe, so that each starts pristine.

A probe that runs a long sequence splits on its way: the process itself stays as it is after some of the tests and
serves sequences that begin with these, while a fork of it goes on. So what several probes have in common runs once.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from toxscreen.hunt.child.answering import answer
from toxscreen.hunt.child.running import Runner

# Served is also in the state that tests left: they replace functions, these are the real ones.
_exit, _measured_exit = getattr(sys.modules.get("posix"), "_exit", os._exit), os._exit
_close, _fork, _fstat, _kill, _killpg = os.close, os.fork, os.fstat, os.kill, os.killpg
_pipe, _read, _set_inheritable, _setsid = os.pipe, os.read, os.set_inheritable, os.setsid
_setitimer, _waitpid, _write = signal.setitimer, os.waitpid, os.write
_select, _monotonic, _frames = select.select, time.monotonic, sys._current_frames  # noqa: SLF001 - documented
_dumps, _loads = json.dumps, json.loads
_POLL: Final = 0.05
#: How many processes that stay one process keeps: each keeps several in turn.
_MOST_STAYING: Final = 4
#: A sequence splits at so many places at most, and not at all where it has fewer than twice as many tests.
_PLACES: Final = 8
#: Seconds of tests that are worth a fork.
_WORTH: Final = 0.02


@dataclass(slots=True)
class _Probe:
    """A forked process that runs a request, as the process that forked it sees it."""

    request: dict[str, Any]
    process: int
    #: Says after how many tests it stays; closed at its other end when it and all that it started are gone.
    life: int
    #: Takes requests for sequences that begin as its own once it stays; -1 where it takes no more.
    requests: int
    began: float
    hung: bool = False
    #: The tests after which it stays; none while it runs.
    stays: tuple[str, ...] = ()

    def is_late(self) -> bool:
        return not self.hung and not self.stays and _monotonic() - self.began > self.request["limit"]

    def kill(self) -> None:
        for kill in (_killpg, _kill):
            try:
                kill(self.process, signal.SIGKILL)
            except OSError:
                continue

    def dismiss(self) -> None:
        """Let it end, if it stays: it ends when nobody can ask it any more."""
        if self.requests >= 0:
            _close(self.requests)
        self.requests = -1

    def reap(self) -> int | None:
        """Its exit status, negative: the signal; None while it runs."""
        done, status = _waitpid(self.process, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if done else None


class _Server:
    """Forks for requests, from the state in which this process is.

    Args:
        runner: knows the tests.
        folder: where probes write what they see.
        requests: descriptor that is read.
        answers: descriptor that is written to.
        is_root: whether no test has run in this process.
    """

    def __init__(self, runner: Runner, folder: Path, requests: int, answers: int, *, is_root: bool) -> None:
        self.runner = runner
        self.folder = folder
        self.requests = requests
        self.answers = answers
        self.is_root = is_root
        self._probes: dict[int, _Probe] = {}

    def watch(self, probe: _Probe) -> None:
        """Take care of a forked process."""
        self._probes[probe.life] = probe

    def serve(self) -> None:
        """Answer requests until there can be no more."""
        pending = b""
        while True:
            ready, _, _ = _select([self.requests, *self._probes], [], [], _POLL)
            if self.requests in ready:
                chunk = _read(self.requests, 65536)
                if not chunk:
                    # Nobody waits for an answer any more.
                    self._end()
                    return
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    self._take(_loads(line))
            for life, probe in list(self._probes.items()):
                if life in ready:
                    self._hear(probe)
                if probe.is_late():
                    probe.hung = True
                    probe.kill()
                status = probe.reap()
                if status is not None:
                    self._ended(probe, status)

    def _end(self) -> None:
        for probe in self._probes.values():
            if not probe.stays:
                probe.kill()
            probe.dismiss()
        for probe in self._probes.values():
            if probe.stays:
                # It ends those that it forked, then itself.
                with contextlib.suppress(OSError):
                    _waitpid(probe.process, 0)

    def _hear(self, probe: _Probe) -> None:
        told = _read(probe.life, 64)
        if not told:
            return
        probe.stays = tuple(probe.request["node_ids"][: int(told)])
        staying = [each for each in self._probes.values() if each.stays and each.requests >= 0]
        for each in staying[:-_MOST_STAYING]:
            each.dismiss()

    def _ended(self, probe: _Probe, status: int) -> None:
        # What it left running would go on beside the next probe. Its own id may soon belong to somebody else.
        with contextlib.suppress(OSError):
            _killpg(probe.process, signal.SIGKILL)
        del self._probes[probe.life]
        _close(probe.life)
        probe.dismiss()
        if probe.stays:
            # The fork that went on is answered for where it was forked.
            return
        told = {
            "id": probe.request["id"],
            "ended": "hung" if probe.hung else "",
            "status": status,
            "seconds": _monotonic() - probe.began,
        }
        _write(self.answers, (_dumps(told) + "\n").encode())

    def _take(self, request: dict[str, Any]) -> None:
        """Hand a request to the process that has run the most of it, or fork for it."""
        node_ids = tuple(request["node_ids"])
        # A test that runs twice needs a second item, made before the first one ran.
        is_divisible = request.get("branch") and len({*node_ids}) == len(node_ids)
        able = [probe for probe in self._probes.values() if is_divisible and self._can_go_on(probe, node_ids)]
        for probe in sorted(able, key=lambda each: len(each.stays), reverse=True):
            rest = {**request, "node_ids": node_ids[len(probe.stays) :]}
            with contextlib.suppress(OSError):
                _write(probe.requests, (_dumps(rest) + "\n").encode())
                return
        self._fork_for(request)

    def _can_go_on(self, probe: _Probe, node_ids: tuple[str, ...]) -> bool:
        done = len(probe.stays)
        if probe.requests < 0 or not 0 < done < len(node_ids) or node_ids[:done] != probe.stays:
            return False
        # The fixtures that are up there must be at least those that would be if this test came next.
        last, usual = probe.stays[-1], probe.request["node_ids"][done]
        return self.runner.shared(last, node_ids[done]) <= self.runner.shared(last, usual)

    def _fork_for(self, request: dict[str, Any]) -> None:
        began = _monotonic()
        line, process = _forked()
        if process:
            self.watch(_Probe(request, process, line.life, line.requests, began))
            return
        leave = _exit
        try:
            for probe in self._probes.values():
                _close(probe.life)
                probe.dismiss()
            _close(self.requests)
            own = _Own(self, request, began, line) if request.get("branch") else None
            if own is None:
                _close(self.answers)
            if self.is_root:
                self.runner.start_afresh(self.folder / str(request.get("shared") or request["id"]))
            else:
                self.runner.go_on_as_fork()
                self.runner.tear_down_before(request["node_ids"][0])
            if request.get("explain"):
                # Its lines are run nowhere else, so it leaves in the way that keeps a measurement.
                leave = _measured_exit
            answer(self.runner, request, self.folder, own.split if own is not None else None)
            leave(0)
        except BaseException:  # noqa: BLE001 - nothing may come back from a fork
            import traceback

            traceback.print_exc()
            leave(70)
        finally:
            leave(71)
        raise AssertionError("unreachable")


@dataclass(slots=True)
class _Line:
    """What connects a process with its fork; each has its own two ends."""

    life: int
    requests: int


def _forked() -> tuple[_Line, int]:
    """Fork.

    Returns:
        The own ends of what connects the two, and the other's process id: 0 in the fork.
    """
    life, held = _pipe()
    theirs, requests = _pipe()
    process = _fork()
    if process:
        _close(held)
        _close(theirs)
        return _Line(life, requests), process
    _setsid()
    _close(life)
    _close(requests)
    return _Line(held, theirs), 0


class _Own:
    """A probe as it sees itself.

    Args:
        server: of the process that forked it.
        request: what it runs.
        began: when, by the monotonic clock.
        line: to the process that forked it.
    """

    def __init__(self, server: _Server, request: dict[str, Any], began: float, line: _Line) -> None:
        self._server = server
        self._request = request
        self._began = began
        self._line = line
        #: Tests that had run when this process was forked off, and when it was.
        self._before, self._since = 0, began
        self._answers = _fstat(server.answers).st_ino

    def split(self, done: int, total: int) -> None:
        """Between two tests: where it is worth it, stay as it is now for others, and let a fork go on.

        Args:
            done: tests that have run of those that this request has.
            total: tests that it has.
        """
        # The last test is the one in question: halves of those before it are what is asked for next.
        step = (total - 1) // _PLACES
        if step < 2 or done % step or _monotonic() - self._since < _WORTH:  # noqa: PLR2004 - see _PLACES
            return
        try:
            is_whole = _fstat(self._server.answers).st_ino == self._answers
        except OSError:
            is_whole = False
        if not is_whole or len(_frames()) > 1:
            # A test has closed our descriptors, or left threads, which no fork takes along.
            return
        line, process = _forked()
        if not process:
            _close(self._line.life)
            _close(self._line.requests)
            self._line, self._before, self._since = line, done, _monotonic()
            self._server.runner.go_on_as_fork()
            return
        try:
            self._stay(done, line, process)
        finally:
            _measured_exit(0)

    def _stay(self, done: int, line: _Line, process: int) -> None:
        # An alarm that a test has set is none of a server's.
        _setitimer(signal.ITIMER_REAL, 0)
        old = self._server
        server = _Server(old.runner, old.folder, self._line.requests, old.answers, is_root=False)
        rest = {**self._request, "node_ids": self._request["node_ids"][done:]}
        server.watch(_Probe(rest, process, line.life, line.requests, self._began))
        _write(self._line.life, str(done - self._before).encode())
        gc.freeze()
        server.serve()


def serve(runner: Runner, folder: Path, requests: int, answers: int) -> None:
    """Fork for each request line until the pipe is closed.

    Args:
        runner: knows the tests.
        folder: where probes write what they see, each into the file named after its request.
        requests: descriptor with a JSON line a request: ``id``, ``node_ids``, ``limit`` in seconds and, optionally,
            ``branch``: whether it may go on where another sequence was, and be gone on from.
        answers: descriptor that takes a JSON line a probe: ``id``, ``ended``, ``status``, ``seconds``.
    """
    for descriptor in (requests, answers):
        _set_inheritable(descriptor, False)  # noqa: FBT003 - positional only
    gc.collect()
    gc.freeze()
    _Server(runner, folder, requests, answers, is_root=True).serve()
    # No test has run here, so pytest has nothing to tear down and nothing to report.
    _measured_exit(0)
