"""How one service comes up for a run: looked for, and started where it is not up, once for all processes of the run.

The first process that needs a service claims it with a file in the run's folder; the others wait for the answer in the
file beside it. What was started is stopped when the run ends, see stop.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.errors import Place, ServiceError
from toxscreen.guard import stop
from toxscreen.guard.answer import problem_of
from toxscreen.guard.exits import told as exit_told
from toxscreen.guard.process import is_alive
from toxscreen.model import Service
from toxscreen.settings import FILE, state_folder

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: two runs at once may both start a service there
    fcntl = None  # type: ignore[assignment]

#: Seconds that a service may take to come up.
START_LIMIT: Final = 30.0
_POLL: Final = 0.1
#: What checks and files may add to the waiting for another process.
_MARGIN: Final = 15.0


class State(StrEnum):
    """Whether tests can use a service."""

    STARTING = "starting"
    UP = "up"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the processes of a run know of a service; stop.py reads it as JSON."""

    name: str
    state: State
    reason: str = ""
    #: Last lines of what `start` wrote.
    output: tuple[str, ...] = ()
    #: Whether this run started it, and so has to stop it.
    ours: bool = False
    #: The process that `start` began, which founded a group of its own; and when, see `stop.began`.
    process: int = 0
    began: str | None = None
    stop: str | None = None
    root: str = ""

    @classmethod
    def from_json(cls, text: str | bytes) -> Standing:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        raw = json.loads(text)
        return cls(**(raw | {"state": State(raw["state"]), "output": tuple(raw["output"])}))

    def to_json(self) -> str:
        """All fields."""
        return json.dumps(asdict(self))

    def told(self) -> str:
        """That it is unavailable, and why, in one line."""
        reason = f"{self.reason}: {' / '.join(self.output)}" if self.output else self.reason
        return f"service {self.name} is not available: {reason}"

    def error(self) -> ServiceError:
        """The same as an error."""
        return ServiceError(
            self.told(),
            place=Place(FILE, f"tool.toxscreen.services.{self.name}"),
            hint="CI is set, so a missing service is an error: start it before the tests, or mend its `start`",
        )


def judge(problem: str | None, status: int | None, waited: float, limit: float) -> tuple[State, str]:
    """Decide on a service that is being started.

    Args:
        problem: why its check failed; None when it passed.
        status: exit status of `start`, asked before the check; None while it runs.
        waited: seconds since its start.
        limit: seconds it may take.

    Returns:
        The state, and the reason for it.
    """
    if problem is None:
        return State.UP, ""
    if status:
        return State.UNAVAILABLE, exit_told(status).replace("it ", "start ", 1)
    if waited >= limit:
        return State.UNAVAILABLE, f"it did not come up within {limit:g} s: {problem}"
    return State.STARTING, problem


def file_name(service: str) -> str:
    """A file name for a service; different services have different ones, also where case is ignored."""
    if re.fullmatch(r"[a-z0-9_-]{1,60}", service):
        return service
    digest = hashlib.sha256(service.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return re.sub(r"[^A-Za-z0-9_-]", "_", service)[:60] + "." + digest


class Keeper:
    """Brings one service up for a run, or waits for the process that does.

    Args:
        service: as the project declares it.
        folder: through which the run's processes speak.
        root: the project's root, where commands run.
        limit: seconds that it may take to come up.
    """

    def __init__(self, service: Service, folder: Path, root: Path, limit: float = START_LIMIT) -> None:
        name = file_name(service.name)
        self.service = service
        self.folder = folder
        self.root = root
        self.limit = limit
        self._lock = f"{name}.lock"
        self._claim = folder / f"{name}.claim"
        self._record = folder / (name + stop.SERVICE)
        self._log = folder / (name + stop.SERVICE_LOG)

    def ensure(self) -> Standing:
        """How the service stands, once that is settled for the whole run."""
        try:
            try:
                claim = os.open(self._claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                return self._wait_for_other()
            with os.fdopen(claim, "w", encoding="ascii") as file:
                file.write(str(host.process_id()))
            with self._alone_in_checkout():
                return self._bring_up()
        except OSError as error:
            return self._unavailable(f"the run's folder cannot be used: {error}")

    # the process that claimed it

    def _bring_up(self) -> Standing:
        problem = self._problem()
        if problem is None:
            return self._write(Standing(self.service.name, State.UP))
        if self.service.start is None:
            return self._write(self._unavailable(f"{problem}, and it has no `start` command"))
        try:
            process = self._popen(self.service.start)
        except FileNotFoundError:
            program = stop.words(self.service.start)[0]
            return self._write(self._unavailable(f"{program} is not installed"))
        except (OSError, ValueError) as error:
            return self._write(self._unavailable(f"its `start` cannot be run: {error}"))
        started = Standing(
            self.service.name,
            State.STARTING,
            ours=True,
            process=process.pid,
            began=stop.began(process.pid),
            stop=self.service.stop,
            root=os.fspath(self.root),
        )
        try:
            self._write(started)
            if (self.folder / stop.OVER).exists():
                # Whoever stops the services may have looked before that was written.
                stop.stop_services(self.folder)
                return self._unavailable("the run is over")
            return self._write(self._wait_for_start(process, started))
        finally:
            if process.returncode is None:
                # It belongs to the run, which outlives this process; its end is none of subprocess' business.
                process.returncode = 0

    def _popen(self, command: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                stop.words(command),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_for_start(self, process: subprocess.Popen[bytes], started: Standing) -> Standing:
        began = host.CLOCK.elapsed()
        while True:
            status = process.poll()
            state, reason = judge(self._problem(), status, host.CLOCK.elapsed() - began, self.limit)
            if state is State.STARTING:
                host.CLOCK.sleep(_POLL)
                continue
            if status:
                # Up all the same: somebody else started it meanwhile. Otherwise there is nothing for `stop` to find.
                started = replace(started, ours=state is not State.UP, stop=None)
            output = () if state is State.UP else tuple(stop.tail(self._log))
            return replace(started, state=state, reason=reason, output=output)

    def _problem(self) -> str | None:
        return problem_of(self.service.check, self.root)

    def _unavailable(self, reason: str) -> Standing:
        return Standing(self.service.name, State.UNAVAILABLE, reason)

    def _write(self, standing: Standing) -> Standing:
        passing = self._record.with_suffix(".tmp")
        passing.write_text(standing.to_json(), encoding="utf-8")
        passing.replace(self._record)
        return standing

    @contextlib.contextmanager
    def _alone_in_checkout(self) -> Iterator[None]:
        """Two runs that begin together must not both start it: the second finds it up."""
        with contextlib.ExitStack() as held:
            with contextlib.suppress(OSError):
                folder = state_folder(self.root) / "services"
                folder.mkdir(exist_ok=True)
                file = held.enter_context((folder / self._lock).open("a"))
                deadline = host.CLOCK.elapsed() + self.limit
                while not _locked(file.fileno()) and host.CLOCK.elapsed() < deadline:
                    host.CLOCK.sleep(_POLL)
            yield

    # the others

    def _wait_for_other(self) -> Standing:
        deadline = host.CLOCK.elapsed() + 2 * self.limit + _MARGIN
        while host.CLOCK.elapsed() < deadline:
            # Asked before the record is read: a process may write its last word and end.
            alive = self._claimer_lives()
            standing = self._read()
            if standing is not None and standing.state is not State.STARTING:
                return standing
            if not alive:
                return self._unavailable("the process that was starting it died")
            host.CLOCK.sleep(_POLL)
        return self._unavailable("the process that was starting it does not come to an end")

    def _claimer_lives(self) -> bool:
        try:
            return is_alive(int(self._claim.read_bytes()))
        except ValueError:
            # The claim is made, its owner not yet written.
            return True

    def _read(self) -> Standing | None:
        try:
            return Standing.from_json(self._record.read_bytes())
        except FileNotFoundError:
            return None


def _locked(descriptor: int) -> bool:
    if fcntl is None:  # pragma: no cover - Windows
        return True
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
