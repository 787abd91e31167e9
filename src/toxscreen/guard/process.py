"""The guard of a run: a process beside pytest that ends a test which outlived its limit even where pytest cannot.

Every process that runs tests keeps its pulse in a file: what it runs, since which sequence number, with which limit.
The stacks come from faulthandler's own thread inside the hung process, which needs neither the interpreter lock nor a
signal. When the leader dies, the guard ends by becoming stop.py, which stops the services that the run has started.

Every run starts a guard. It imports what the interpreter has in itself and little else, which takes a third of the time
of pathlib, signal, threading and typing; what it has to say, and hardly ever does, is in words.py.
"""

from __future__ import annotations

# The module below `signal`, which makes enums of everything.
import _signal as signal  # type: ignore[import-not-found]
import _thread
import os
import sys
import time

from toxscreen.guard.pulse import SUFFIX, Pulse

#: Seconds after a limit at which the stacks are surely written, see `watch.Watch`.
GRACE = 1.0
#: What the leader writes when the run ends in an orderly way.
BYE = b"bye"
_POLL = 0.1


class Leash:
    """The pipe from the leader: what was heard from it."""

    def __init__(self) -> None:
        #: The leader ended in an orderly way.
        self.said_bye = False
        #: The leader's end is closed, bye or not.
        self.hung_up = False
        self._silence = _thread.allocate_lock()
        self._silence.acquire()

    def listen(self, descriptor: int) -> None:
        """Read to the end; to be called once, in a thread of its own."""
        # A descriptor, not sys.stdin: an interpreter that ends must not wait for the lock of a buffer.
        heard = b""
        while chunk := os.read(descriptor, len(BYE)):
            heard += chunk
        self.hung_up = True
        if BYE in heard:
            self.bye()

    def bye(self) -> None:
        """The leader ended in an orderly way."""
        self.said_bye = True
        self._silence.release()

    def wait(self, seconds: float) -> None:
        """Wait until the leader says bye, at the longest so many seconds."""
        if self._silence.acquire(timeout=seconds):
            self._silence.release()


class Guard:
    """Watches the pulses of one run.

    Args:
        folder: where the pulses lie and where the guard's own journal shard goes.
        leader: process id of the pytest process that leads the run.
        alone: whether that process runs the tests itself, so that nobody else can tell of its end.
        run: the run's name, for the message.
    """

    def __init__(self, folder: str, leader: int, *, alone: bool, run: str) -> None:
        self.folder = folder
        self.leader = leader
        self.alone = alone
        self.run = run
        self.since: dict[str, tuple[int, float]] = {}

    def pulses(self) -> dict[str, Pulse]:
        """The pulse of every lane."""
        found: dict[str, Pulse] = {}
        try:
            names = os.listdir(self.folder)
        except OSError:
            return found
        for name in names:
            if name.endswith(SUFFIX):
                try:
                    with open(os.path.join(self.folder, name), "rb") as file:
                        pulse = Pulse.parse(file.read())
                except OSError:
                    continue
                if pulse is not None:
                    found[name.removesuffix(SUFFIX)] = pulse
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
        from pathlib import Path

        from toxscreen.guard import words

        folder = Path(self.folder)
        text = words.hung(folder, lane, pulse)
        words.record(folder, lane, pulse, "timed-out", text)
        self.since[lane] = (pulse.sequence, float("inf"))
        try:
            os.kill(pulse.process, getattr(signal, "SIGKILL", signal.SIGTERM))
        except OSError:
            pass
        if self.alone:
            words.tell(text, self.run)

    def leader_died(self) -> None:
        """The leading process is gone without a word; where it ran the tests itself, say what it was running."""
        if not self.alone:
            return
        from pathlib import Path

        from toxscreen.guard import words

        for lane, pulse in self.pulses().items():
            if pulse.limit or pulse.node_id:
                text = f"pytest died while it was running {pulse.node_id}"
                words.record(Path(self.folder), lane, pulse, "crashed", text)
                words.tell(text, self.run)

    def watch(self, leash: Leash) -> None:
        """Look at the pulses until the run is over.

        Args:
            leash: what is heard from the leader.
        """
        while not leash.said_bye:
            for lane, pulse in self.overdue(time.monotonic()):
                self.end(lane, pulse)
                if self.alone:
                    return
            if self.is_orphan(leash):
                if not leash.said_bye:
                    self.leader_died()
                    self.outlive()
                return
            leash.wait(_POLL)

    def is_orphan(self, leash: Leash) -> bool:
        """Whether the leader is gone. Where children get a new parent, that tells; a test may close the pipe."""
        return leash.hung_up if sys.platform == "win32" else os.getppid() != self.leader

    def outlive(self) -> None:
        """After the leader's death, end workers that hang; the others end by themselves."""
        while any(pulse.limit and is_alive(pulse.process) for pulse in self.pulses().values()):
            for lane, pulse in self.overdue(time.monotonic()):
                self.end(lane, pulse)
            time.sleep(_POLL)


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
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except (OSError, IndexError):
        return True


def main(arguments: list[str]) -> None:
    """Guard a run: FOLDER LEADER alone|workers RUN."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "setsid"):
        try:
            # Who ends the whole process group of the run leaves somebody to clean up, who then ends by himself.
            os.setsid()
        except OSError:
            pass
    folder, leader, mode, run = arguments
    leash = Leash()
    _thread.start_new_thread(leash.listen, (0,))
    Guard(folder, int(leader), alone=mode == "alone", run=run).watch(leash)
    if not leash.said_bye:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stop.py")
        os.execv(sys.executable, [sys.executable, "-I", "-S", script, folder])  # noqa: S606 - our own file
