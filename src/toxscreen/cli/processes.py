"""Run child processes side by side; an interrupt reaches each of them once, and ours never leaves them behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Final, TypeAlias

from toxscreen.cli.signals import handled
from toxscreen.errors import MissingToolError, Place

#: The number of a signal that asks us to stop, or a job that ended.
_Event: TypeAlias = "int | tuple[Job, subprocess.Popen[bytes]]"

#: Signals that are handed on; whoever sends more wants an end at once.
_POLITE: Final = 2


@dataclass(frozen=True, slots=True)
class Job:
    """A process to be run."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    #: Where both of its streams go, without a standard input; None leaves it this process's own streams.
    output: IO[bytes] | None = None
    #: Where its standard output goes when `output` is None; this process's own when both are.
    stdout: IO[str] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended."""

    job: Job
    process: int
    #: Exit status; negative: the signal that ended it.
    status: int

    def told(self) -> str:
        """The end in words."""
        return f"exit status {self.status}" if self.status >= 0 else f"ended by signal {-self.status}"


def run_all(jobs: Sequence[Job], on_end: Callable[[Ended], None]) -> bool:
    """Start all jobs at once and wait for them.

    Args:
        jobs: what to run.
        on_end: called for each job when it ended, never for two at a time.

    Returns:
        Whether the jobs were told to stop, by Ctrl-C or by a signal to end.

    Raises:
        MissingToolError: a program cannot be started; those already running are ended.
    """
    # A terminal's Ctrl-C goes to its whole foreground group, which then includes the children. Where no terminal
    # does that, they get a group of their own and the signal from us: once either way.
    forward = os.name == "posix" and not (sys.stdin is not None and sys.stdin.isatty())
    running: list[subprocess.Popen[bytes]] = []
    events: SimpleQueue[_Event] = SimpleQueue()
    stops: list[int] = []
    # One that comes while a job starts reaches that job too.
    with handled(("SIGINT", "SIGTERM"), lambda number, _: events.put(number)):
        for job in jobs:
            try:
                process = _start(job, own_group=forward)
            except OSError as error:
                _kill(running)
                hint = "the run's own interpreter may have been removed or replaced"
                raise MissingToolError(
                    f"cannot be started: {error.strerror}", place=Place(job.command[0]), hint=hint
                ) from None
            running.append(process)
            threading.Thread(target=_wait, args=(job, process, events), daemon=True).start()
        while running:
            event = events.get()
            if not isinstance(event, int):
                running.remove(event[1])
                on_end(Ended(event[0], event[1].pid, event[1].returncode))
                continue
            stops.append(event)
            if len(stops) > _POLITE:
                _kill(running)
            elif forward or event != signal.SIGINT:
                for process in running:
                    process.send_signal(event)
    return bool(stops)


def _start(job: Job, *, own_group: bool) -> subprocess.Popen[bytes]:
    separate = job.output is not None
    return subprocess.Popen(
        job.command,
        cwd=job.folder,
        env=dict(job.environment),
        stdin=subprocess.DEVNULL if separate else None,
        stdout=job.output if separate else job.stdout,
        stderr=subprocess.STDOUT if separate else None,
        process_group=0 if own_group else None,
    )


def _wait(job: Job, process: subprocess.Popen[bytes], events: SimpleQueue[_Event]) -> None:
    process.wait()
    events.put((job, process))


def _kill(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.kill()
