"""A pytest process that has collected and then forks once for every probe, so that each starts pristine."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

from toxscreen.hunt.child.answering import answer
from toxscreen.hunt.child.running import Runner

_exit = getattr(sys.modules.get("posix"), "_exit", os._exit)
_POLL: Final = 0.05


class _Probe:
    """A forked process that runs a request."""

    def __init__(self, request: dict[str, Any], process: int, life: int) -> None:
        self.request = request
        self.process = process
        #: Closed at its other end when the process and all that it started are gone.
        self.life = life
        self.began = time.monotonic()
        self.hung = False

    def is_late(self) -> bool:
        return not self.hung and time.monotonic() - self.began > self.request["limit"]

    def kill(self) -> None:
        for kill in (os.killpg, os.kill):
            try:
                kill(self.process, signal.SIGKILL)
            except OSError:
                continue

    def reap(self) -> int | None:
        """Its exit status, negative: the signal; None while it runs."""
        done, status = os.waitpid(self.process, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if done else None


def serve(runner: Runner, folder: Path, requests: int, answers: int) -> None:
    """Fork for each request line until the pipe is closed.

    Args:
        runner: knows the tests.
        folder: where probes write what they see, each into the file named after its request.
        requests: descriptor with a JSON line a request: ``id``, ``node_ids``, ``limit`` in seconds.
        answers: descriptor that takes a JSON line a probe: ``id``, ``ended``, ``status``, ``seconds``.
    """
    for descriptor in (requests, answers):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - positional only
    gc.collect()
    gc.freeze()
    running: dict[int, _Probe] = {}
    pending = b""
    while True:
        ready, _, _ = select.select([requests, *running], [], [], _POLL)
        if requests in ready:
            chunk = os.read(requests, 65536)
            if not chunk:
                # Nobody waits for an answer any more.
                for probe in running.values():
                    probe.kill()
                return
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                probe = _fork(runner, folder, json.loads(line), (requests, answers))
                running[probe.life] = probe
        for life, probe in list(running.items()):
            if probe.is_late():
                probe.hung = True
                probe.kill()
            status = probe.reap()
            if status is None:
                continue
            # What it left running would go on beside the next probe. Its own id may soon belong to somebody else.
            with contextlib.suppress(OSError):
                os.killpg(probe.process, signal.SIGKILL)
            del running[life]
            os.close(life)
            told = {
                "id": probe.request["id"],
                "ended": "hung" if probe.hung else "",
                "status": status,
                "seconds": time.monotonic() - probe.began,
            }
            os.write(answers, (json.dumps(told) + "\n").encode())


def _fork(runner: Runner, folder: Path, request: dict[str, Any], pipes: tuple[int, ...]) -> _Probe:
    life, held = os.pipe()
    process = os.fork()
    if process:
        os.close(held)
        return _Probe(request, process, life)
    leave = _exit
    try:
        os.setsid()
        for descriptor in (life, *pipes):
            os.close(descriptor)
        os.set_inheritable(held, False)  # noqa: FBT003 - positional only
        runner.start_afresh(folder / str(request.get("shared") or request["id"]))
        if request.get("explain"):
            # Its lines are run nowhere else, so it leaves in the way that keeps a measurement.
            leave = os._exit
        answer(runner, request, folder)
        leave(0)
    except BaseException:  # noqa: BLE001 - nothing may come back from a fork
        import traceback

        traceback.print_exc()
        leave(70)
    finally:
        leave(71)
    raise AssertionError("unreachable")
