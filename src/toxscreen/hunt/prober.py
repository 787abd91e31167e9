"""Runs probes: forked from a process that has collected, or each in a fresh interpreter. Same question, same answer."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from toxscreen import host
from toxscreen.errors import ExitWhileCollectingError, HuntError, Place
from toxscreen.hunt.target import COLLECTED, COLLECTING, Collected, Target, read_collected, read_lines, sighting
from toxscreen.model import Culprit, Ended, Probe, Sighting

#: Seconds that collecting may take before anything is known of its usual length.
COLLECTION_LIMIT: Final = 600.0
_TAIL_LINES: Final = 15
#: Seconds that the process which forks may take to end its probes and itself.
_GRACE: Final = 2.0
#: Seconds beyond the limit after which an answer is not waited for: whoever ends probes then is gone itself.
_LOST: Final = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """A probe to be run."""

    node_ids: tuple[str, ...]
    #: Seconds after which it is ended; collecting does not count.
    limit: float
    #: Files to collect alone, for a fresh interpreter; everything where there are none.
    files: tuple[str, ...] = ()
    #: Whether what it has in common with a sequence that ran before need not be run again, where that can be.
    branch: bool = False


class Prober(Protocol):
    """Something that runs probes."""

    def run_all(self, requests: Iterable[Request]) -> Iterator[Probe]:
        """Run probes, several at a time; they come back in the order in which they end."""


def run(prober: Prober, request: Request) -> Probe:
    """Run one probe."""
    (probe,) = prober.run_all([request])
    return probe


class Warm:
    """A pytest process that collects once and forks for each probe.

    Args:
        target: the suite.
        folder: for everything that probes leave behind.
        jobs: how many probes run at a time.

    Raises:
        HuntError: the suite cannot be collected.
    """

    def __init__(self, target: Target, folder: Path, jobs: int) -> None:
        self._target = target
        self._folder = folder
        self._jobs = jobs
        self._number = 0
        self._buffer = b""
        self._copy = target.copies.take() if target.copies else None
        #: Whether a probe wrote into the copy; and the tests that were seen to.
        self._is_dirty = False
        self._writers: set[str] = set()
        folder.mkdir(parents=True)
        child_reads, self._requests = os.pipe()
        self._answers, child_writes = os.pipe()
        orders = {"mode": "serve", "folder": os.fspath(folder), "requests": child_reads, "answers": child_writes}
        try:
            self._process = target.start(
                orders, folder / "server", copy=self._copy, pass_fds=(child_reads, child_writes)
            )
        finally:
            os.close(child_reads)
            os.close(child_writes)
        try:
            self.collected = self._wait()
        except BaseException:
            self.close()
            raise

    def _wait(self) -> Collected:
        deadline = host.CLOCK.elapsed() + COLLECTION_LIMIT
        while host.CLOCK.elapsed() < deadline:
            found = read_collected(self._folder)
            if found is not None:
                return found
            if self._process.poll() is not None:
                break
            host.CLOCK.sleep(0.01)
        raise not_collected(self._target, self._folder / "server", self._folder / COLLECTING, self._process.poll())

    def run_all(self, requests: Iterable[Request]) -> Iterator[Probe]:
        """Run probes, several at a time; they come back in the order in which they end.

        Raises:
            HuntError: the process that forks is gone.
        """
        waiting = deque(requests)
        running: dict[int, Request] = {}
        spoilt: set[int] = set()
        while waiting or running:
            if not running:
                self._restore()
            while waiting and len(running) < self._jobs and self._may_start(waiting[0], running):
                request = waiting.popleft()
                running[self._ask(request, {})] = request
            told = self._answer(running)
            request = running.pop(told["id"])
            known = len(self._writers)
            probe = self._probe(told, request)
            if told["id"] in spoilt:
                waiting.append(request)
                continue
            if len(self._writers) > known:
                # What runs beside it may have seen what it wrote, and is run again.
                spoilt.update(running)
            yield probe

    def _may_start(self, request: Request, running: Mapping[int, Request]) -> bool:
        """What a probe writes into the copy is nothing that another one may find."""
        if not running:
            return True
        return not self._is_dirty and not any(
            self._writers.intersection(each.node_ids) for each in (request, *running.values())
        )

    def _restore(self) -> None:
        if self._is_dirty and self._target.copies is not None and self._copy is not None:
            self._target.copies.restore(self._copy)
        self._is_dirty = False

    def beside(self, requests: Sequence[Request]) -> list[Probe]:
        """Run probes at the same time, with the same HOME and temporary files."""
        self._restore()
        shared = f"shared{self._number}"
        running = {self._ask(request, {"shared": shared}): request for request in requests}
        found = []
        while running:
            told = self._answer(running)
            found.append(self._probe(told, running.pop(told["id"])))
        return found

    def explain(self, node_ids: Sequence[str], limit: float) -> tuple[Culprit, ...]:
        """What leaks into the last test from those before it."""
        self._restore()
        request = Request(tuple(node_ids), limit * 10)
        told = self._answer({self._ask(request, {"explain": {"limit": limit}}): request})
        # What its own forks touched was not told.
        self._is_dirty = self._copy is not None
        lines = read_lines(self._folder / f"{told['id']}.jsonl")
        return tuple(Culprit(**line["culprit"]) for line in lines if "culprit" in line)

    def _ask(self, request: Request, more: dict[str, Any]) -> int:
        self._number += 1
        asked = {"node_ids": request.node_ids, "limit": request.limit, "branch": request.branch}
        order = {"id": self._number, **asked, **more}
        try:
            os.write(self._requests, (json.dumps(order) + "\n").encode())
        except OSError:
            raise self._gone() from None
        return self._number

    def _answer(self, running: Mapping[int, Request]) -> dict[str, Any]:
        """What is told of one of these; of what was given up before, nothing is heard any more."""
        limit = max(request.limit for request in running.values()) + _LOST
        deadline = host.CLOCK.elapsed() + limit
        while True:
            while b"\n" not in self._buffer:
                left = deadline - host.CLOCK.elapsed()
                if left < 0 or not select.select([self._answers], [], [], left)[0]:
                    # A suite may kill the process that was to answer.
                    return {"id": min(running), "ended": "hung", "status": None, "seconds": limit}
                chunk = os.read(self._answers, 65536)
                if not chunk:
                    raise self._gone()
                self._buffer += chunk
            line, _, self._buffer = self._buffer.partition(b"\n")
            told: dict[str, Any] = json.loads(line)
            if told["id"] in running:
                return told

    def _gone(self) -> HuntError:
        return HuntError(
            f"the pytest process that forks has ended with status {self._process.wait()}",
            place=Place(file=os.fspath(self._target.root)),
            hint=_tail(self._folder / "server" / "log"),
        )

    def _probe(self, told: dict[str, Any], request: Request) -> Probe:
        lines = read_lines(self._folder / f"{told['id']}.jsonl")
        ended = _how_it_ended(lines, hung=told["ended"] == "hung")
        seen = _seen(lines)
        if self._copy is not None:
            writers = touching(seen, self._target.root)
            self._writers |= writers
            self._is_dirty = self._is_dirty or ended is not Ended.DONE or bool(writers)
        return Probe(request.node_ids, "forked", seen, ended, round(told["seconds"], 4), told["status"])

    def close(self) -> None:
        """End the process; probes end with it."""
        if self._copy is not None and self._target.copies is not None:
            self._target.copies.give_back(self._copy)
        for descriptor in (self._requests, self._answers):
            os.close(descriptor)
        # Probes have sessions of their own: the process that forked them ends them when it hears no more.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        if self._process.poll() is None:
            _kill_group(self._process)
        self._process.wait()


@dataclass(slots=True)
class _Running:
    """A fresh interpreter at work."""

    request: Request
    place: Path
    process: subprocess.Popen[bytes]
    began: float
    #: Says that its copy of the project is free; does nothing where it has none of its own.
    give_back: Callable[[], None]
    #: When it had collected; None before.
    collected: float | None = None

    def probe(self) -> Probe | None:
        """What it saw, once it has ended or has to be ended; None while it may go on."""
        now = host.CLOCK.elapsed()
        if self.collected is None and (self.place / COLLECTED).exists():
            self.collected = now
        status = self.process.poll()
        lines = read_lines(self.place / "seen.jsonl")
        is_done = bool(lines) and "end" in lines[-1]
        # Collecting has a limit of its own: it is no test's fault.
        late = (
            now - self.began > COLLECTION_LIMIT if self.collected is None else now - self.collected > self.request.limit
        )
        if status is None and not is_done and not late:
            return None
        # A suite may leave threads and processes that do not let the interpreter end.
        self.end()
        ended = _how_it_ended(lines, hung=status is None)
        return Probe(self.request.node_ids, "fresh", _seen(lines), ended, round(now - self.began, 4), status)

    def end(self) -> None:
        """End it and what it started."""
        _kill_group(self.process)
        self.process.wait()
        self.give_back()


class Fresh:
    """A new interpreter for each probe.

    Args:
        target: the suite.
        folder: for everything that probes leave behind.
        jobs: how many probes run at a time.
    """

    def __init__(self, target: Target, folder: Path, jobs: int) -> None:
        self._target = target
        self._folder = folder
        self._jobs = jobs
        self._number = 0

    def run_all(self, requests: Iterable[Request]) -> Iterator[Probe]:
        """Run probes, several at a time; they come back in the order in which they end."""
        waiting = deque(requests)
        running: list[_Running] = []
        try:
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    running.append(self._start(waiting.popleft()))
                yield from _ended(running)
        finally:
            for each in running:
                each.end()

    @contextlib.contextmanager
    def ahead(self, requests: Sequence[Request]) -> Iterator[Callable[[], list[Probe]]]:
        """Start probes at once, as many as run at a time, and wait for all of them later.

        Args:
            requests: what to run.

        Returns:
            A context, at whose end they are ended, with the function that waits for them.
        """
        waiting = deque(requests)
        running = [self._start(waiting.popleft()) for _ in range(min(self._jobs, len(waiting)))]

        def wait() -> list[Probe]:
            found = list[Probe]()
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    running.append(self._start(waiting.popleft()))
                found += _ended(running)
            return found

        try:
            yield wait
        finally:
            for each in running:
                each.end()

    def beside(self, requests: Sequence[Request]) -> list[Probe]:
        """Run probes at the same time, with the same HOME and temporary files."""
        shared = self._folder / f"shared{self._number}"
        gate = shared / "gate"
        copies = self._target.copies
        copy = copies.take() if copies else None
        running: list[_Running] = []
        found: list[Probe] = []
        try:
            for request in requests:
                running.append(self._start(request, shared, gate, copy))  # noqa: PERF401 - those that run are ended
            # Who ends before it has collected is not waited for.
            while not all((each.place / COLLECTED).exists() or each.process.poll() is not None for each in running):
                host.CLOCK.sleep(0.005)
            gate.touch()
            while running:
                found += _ended(running)
        finally:
            for each in running:
                each.end()
            if copies and copy:
                copies.give_back(copy)
        return found

    def _start(
        self, request: Request, shared: Path | None = None, gate: Path | None = None, copy: Path | None = None
    ) -> _Running:
        self._number += 1
        place = self._folder / f"fresh{self._number}"
        place.mkdir(parents=True)
        orders = {
            "mode": "once",
            "folder": os.fspath(place),
            "request": {"id": "seen", "node_ids": request.node_ids},
            "gate": os.fspath(gate) if gate else None,
        }
        copies, give_back = self._target.copies, _nothing
        if copies is not None and copy is None:
            copy = copies.take()
            give_back = partial(copies.give_back, copy)
        process = self._target.start(orders, place, files=request.files, shared=shared, copy=copy)
        return _Running(request, place, process, host.CLOCK.elapsed(), give_back)


def _nothing() -> None:
    """Give nothing back."""


def touching(seen: Sequence[Sighting], root: Path) -> set[str]:
    """The tests that were seen to change files of the project.

    Args:
        seen: of a probe.
        root: of the project.
    """
    below = f"file {root}{os.sep}"
    return {each.node_id for each in seen if any(thing.startswith(below) for thing in each.touched)}


def _ended(running: list[_Running]) -> list[Probe]:
    """Wait a moment, then take out those that have ended."""
    host.CLOCK.sleep(0.01)
    found = []
    for each in list(running):
        probe = each.probe()
        if probe is not None:
            running.remove(each)
            found.append(probe)
    return found


def _how_it_ended(lines: Sequence[dict[str, Any]], *, hung: bool) -> Ended:
    if lines and "end" in lines[-1]:
        return Ended.DONE
    return Ended.HUNG if hung else Ended.DIED


def _seen(lines: Sequence[dict[str, Any]]) -> tuple[Sighting, ...]:
    return tuple(sighting(line) for line in lines if "node_id" in line)


def not_collected(target: Target, place: Path, collecting: Path, status: int | None) -> HuntError:
    """The error for a suite that pytest could not collect.

    Args:
        target: the suite.
        place: where the log of pytest lies.
        collecting: the file that names what was being imported.
        status: exit status of pytest; None when it had to be given up.
    """
    file = ""
    with contextlib.suppress(OSError):
        file = collecting.read_text(encoding="utf-8")
    how = "took too long" if status is None else f"ended with status {status}"
    message = f"pytest {how} before it had collected{f', while it imported {file}' if file else ''}"
    where, hint = Place(file=os.fspath(target.root)), _tail(place / "log")
    if file and status is not None:
        return ExitWhileCollectingError(message, file=file, status=status, place=where, hint=hint)
    return HuntError(message, place=where, hint=hint)


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    except OSError:
        return ""
    return "\n  ".join(["the end of what it printed:", *lines[-_TAIL_LINES:]]) if lines else "it printed nothing"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        process.kill()
