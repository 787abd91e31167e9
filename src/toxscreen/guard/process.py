"""The guard of a run: a process beside pytest that ends a test which outlived its limit even where pytest cannot.

It is started as a script without site-packages and imports the standard library only. Every process that runs tests
keeps its pulse in a file: what it runs, since which sequence number, with which limit. The stacks come from
faulthandler's own thread inside the hung process, which needs neither the interpreter lock nor a signal.

When the leader dies, the guard ends by becoming stop.py, which stops the services that the run has started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

#: Sequence number, process id, limit in seconds (0: idle), length of the node id that follows.
PULSE = struct.Struct("<QQdH")
#: Bytes of a node id that a pulse holds.
NODE_ID_BYTES = 4000
#: Seconds after a limit at which the stacks are surely written, see `watch.Watch`.
GRACE = 1.0
SUFFIX = ".pulse"
#: What the leader writes when the run ends in an orderly way.
BYE = b"bye"
_POLL = 0.1
_STACK_BYTES = 64 * 1024


class Pulse(NamedTuple):
    """What a process runs at this moment."""

    sequence: int
    process: int
    limit: float
    node_id: str

    @classmethod
    def parse(cls, content: bytes) -> Pulse | None:
        """The pulse of a file's content; None when it is not whole."""
        if len(content) < PULSE.size:
            return None
        sequence, process, limit, length = PULSE.unpack_from(content)
        return cls(sequence, process, limit, content[PULSE.size : PULSE.size + length].decode("utf-8", "replace"))


class Guard:
    """Watches the pulses of one run.

    Args:
        folder: where the pulses lie and where the guard's own journal shard goes.
        leader: process id of the pytest process that leads the run.
        alone: whether that process runs the tests itself, so that nobody else can tell of its end.
        run: the run's name, for the message.
    """

    def __init__(self, folder: Path, leader: int, *, alone: bool, run: str) -> None:
        self.folder = folder
        self.leader = leader
        self.alone = alone
        self.run = run
        self.since: dict[str, tuple[int, float]] = {}

    def pulses(self) -> dict[str, Pulse]:
        """The pulse of every lane."""
        found = {}
        for path in self.folder.glob("*" + SUFFIX):
            with contextlib.suppress(OSError):
                pulse = Pulse.parse(path.read_bytes())
                if pulse is not None:
                    found[path.stem] = pulse
        return found

    def overdue(self, now: float) -> list[tuple[str, Pulse]]:
        """Lanes whose test outlived its limit and grace.

        Args:
            now: seconds of a clock that never runs backwards.
        """
        late = []
        for lane, pulse in self.pulses().items():
            first = self.since.get(lane)
            if first is None or first[0] != pulse.sequence:
                self.since[lane] = (pulse.sequence, now)
            elif pulse.limit and now - first[1] > pulse.limit + GRACE and is_alive(pulse.process):
                late.append((lane, pulse))
        return late

    def end(self, lane: str, pulse: Pulse) -> None:
        """Write down who hung and where, then end the process."""
        text = (
            f"{pulse.node_id} outlived its limit of {pulse.limit:g} s on {lane}, could not be interrupted and was ended"
            f"\n\n{self.stacks(lane)}"
        )
        self.record(lane, pulse, "timed-out", text)
        self.since[lane] = (pulse.sequence, float("inf"))
        with contextlib.suppress(OSError):
            os.kill(pulse.process, getattr(signal, "SIGKILL", signal.SIGTERM))
        if self.alone:
            self.tell(text)

    def stacks(self, lane: str) -> str:
        """What faulthandler wrote in the hung process."""
        with contextlib.suppress(OSError):
            content = (self.folder / f"{lane}.stacks").read_bytes()[-_STACK_BYTES:].decode("utf-8", "replace")
            dumps = content.split("Timeout (")
            if len(dumps) > 1:
                return "stacks of all threads:\n" + without_runner(dumps[-1].partition("\n")[2])
        return "its stacks could not be had: something else in the process uses faulthandler's timer"

    def leader_died(self) -> None:
        """The leading process is gone without a word; where it ran the tests itself, say what it was running."""
        if not self.alone:
            return
        for lane, pulse in self.pulses().items():
            if pulse.limit or pulse.node_id:
                text = f"pytest died while it was running {pulse.node_id}"
                self.record(lane, pulse, "crashed", text)
                self.tell(text)

    def record(self, lane: str, pulse: Pulse, outcome: str, text: str) -> None:
        """Append to the guard's shard of the journal."""
        # A guard starts with every run and hardly ever gets here.
        import json

        event = {
            "kind": "lane-down",
            "time": time.time(),
            "lane": lane,
            "node_id": pulse.node_id,
            "outcome": outcome,
            "text": text,
            "pid": pulse.process,
        }
        with contextlib.suppress(OSError), (self.folder / "guard.jsonl").open("a", encoding="utf-8") as shard:
            shard.write(json.dumps(event) + "\n")

    def tell(self, text: str) -> None:
        """Say it where the person looks, since pytest no longer can."""
        with contextlib.suppress(OSError, ValueError):
            kept = f"every test that finished before is kept, see `toxscreen runs {self.run}`"
            sys.stderr.write(f"\ntoxscreen: {text}\ntoxscreen: {kept if self.run else 'this run is not recorded'}\n")
            sys.stderr.flush()

    def watch(self, said_bye: threading.Event, hung_up: threading.Event) -> None:
        """Look at the pulses until the run is over.

        Args:
            said_bye: set when the leader ended in an orderly way.
            hung_up: set when the leader's end of the pipe is closed, bye or not.
        """
        while not said_bye.is_set():
            for lane, pulse in self.overdue(time.monotonic()):
                self.end(lane, pulse)
                if self.alone:
                    return
            if self.is_orphan(hung_up):
                if not said_bye.is_set():
                    self.leader_died()
                    self.outlive()
                return
            said_bye.wait(_POLL)

    def is_orphan(self, hung_up: threading.Event) -> bool:
        """Whether the leader is gone. Where children get a new parent, that tells; a test may close the pipe."""
        return hung_up.is_set() if sys.platform == "win32" else os.getppid() != self.leader

    def outlive(self) -> None:
        """After the leader's death, end workers that hang; the others end by themselves."""
        while any(pulse.limit and is_alive(pulse.process) for pulse in self.pulses().values()):
            for lane, pulse in self.overdue(time.monotonic()):
                self.end(lane, pulse)
            time.sleep(_POLL)


def without_runner(stacks: str) -> str:
    """Faulthandler's stacks, most recent call first, without the calls by which pytest came to the test."""
    kept: list[str] = []
    in_runner = False
    for line in stacks.rstrip().splitlines():
        if not line.startswith("  "):
            in_runner = False
        elif not in_runner and any(f"{os.sep}{package}{os.sep}" in line for package in ("_pytest", "pluggy")):
            in_runner = True
            kept.append("  ... called by pytest")
        if not in_runner:
            kept.append(line)
    return "\n".join(kept)


def is_alive(process: int) -> bool:
    """Whether a process of that id exists and has not ended; on Windows nobody can tell, and so it does."""
    if sys.platform == "win32":
        # Asking with signal 0 would interrupt it there.
        return True
    try:
        os.kill(process, 0)
    except OSError:
        return False
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def main(arguments: list[str]) -> int:
    """Guard a run: FOLDER LEADER alone|workers RUN."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        # Who ends the whole process group of the run leaves somebody to clean up, who then ends by himself.
        os.setsid()
    folder, leader, mode, run = arguments
    said_bye, hung_up = threading.Event(), threading.Event()

    def listen() -> None:
        # A descriptor, not sys.stdin: an interpreter that ends must not wait for the lock of a buffer.
        heard = b""
        while chunk := os.read(0, len(BYE)):
            heard += chunk
        if BYE in heard:
            said_bye.set()
        hung_up.set()

    threading.Thread(target=listen, daemon=True).start()
    Guard(Path(folder), int(leader), alone=mode == "alone", run=run).watch(said_bye, hung_up)
    if not said_bye.is_set():
        script = os.fspath(Path(__file__).with_name("stop.py"))
        os.execv(sys.executable, [sys.executable, "-I", "-S", script, folder])  # noqa: S606 - our own file
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
