"""Stopping the services that a run has started, written once for the leader and for the guard of a dead leader.

The guard runs this file as a script without site-packages: it imports the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Any

#: Suffixes of what a run knows of a service, and of the service's output.
SERVICE, SERVICE_LOG = ".service", ".log"
#: Made before the services are stopped: a process that sees it starts none any more.
OVER = "services.over"
#: Seconds that a stop command may take, and that a process may take to end after each signal.
_STOP_LIMIT, _STOP_GRACE = 30.0, 5.0
_POLL = 0.05
_TAIL_BYTES, _TAIL_LINES = 4096, 8


def stop_services(folder: Path) -> list[str]:
    """Stop every service that a run has started, the last one first.

    Args:
        folder: where the run's processes keep what they know of services.

    Returns:
        What went wrong, in words.
    """
    with contextlib.suppress(OSError):
        (folder / OVER).touch()
    records = []
    for path in folder.glob("*" + SERVICE):
        with contextlib.suppress(OSError, ValueError):
            records.append((path.stat().st_mtime_ns, path, json.loads(path.read_bytes())))
    problems = []
    for _, path, service in sorted(records, key=lambda record: record[0], reverse=True):
        if service["ours"]:
            problems.extend(_stop(service, path.with_suffix(SERVICE_LOG)))
        with contextlib.suppress(OSError):
            path.unlink()
    return problems


def _stop(service: dict[str, Any], log: Path) -> list[str]:
    """Stop one service: by its command, then by ending what is left of the processes that its start began."""
    name, process, problems = service["name"], service["process"], []
    running = group_runs(process, service["began"])
    if service["stop"] is not None:
        problem = _run_stop(service["stop"], service["root"], log)
        if problem is not None:
            problems.append(f"service {name}: {problem}")
        elif running:
            _wait_for_end(process, service["began"])
    elif not running and service["state"] == "up":
        problems.append(
            f"service {name}: nothing is left of what `start` began; if it went into the background it still runs, "
            "and only a `stop` command can end it"
        )
    if not end_group(process, service["began"]):
        problems.append(f"service {name}: process {process} could not be ended")
    return problems


def _run_stop(command: str, root: str, log: Path) -> str | None:
    """Run a stop command; what went wrong, or None."""
    import subprocess

    try:
        with log.open("ab") as output:
            done = subprocess.run(
                words(command),
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_STOP_LIMIT,
                check=False,
                start_new_session=True,
            )
    except subprocess.TimeoutExpired:
        return f"its stop command took longer than {_STOP_LIMIT:g} s"
    except (OSError, ValueError) as error:
        return f"its stop command cannot be run: {error}"
    if done.returncode == 0:
        return None
    return f"its stop command exited with status {done.returncode}: {' / '.join(tail(log))}"


def words(command: str) -> list[str]:
    """A command as a list of arguments; no shell takes part.

    Raises:
        ValueError: it is empty, or a quotation has no end.
    """
    found = shlex.split(command)
    if not found:
        raise ValueError("it is empty")
    return found


def tail(file: Path) -> list[str]:
    """The last lines of a file, without empty ones; nothing where it cannot be read."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line.rstrip() for line in lines if line.strip()][-_TAIL_LINES:]


def began(process: int) -> str | None:
    """When a process began, in the system's own count; None where that cannot be told."""
    fields = _stat(str(process))
    return fields[19] if fields else None


def _stat(process: str) -> list[str]:
    """State, parent, group and so on of a process, from Linux' process table; empty elsewhere and for no process."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def group_runs(process: int, since: str | None) -> bool:
    """Whether something of a process group runs.

    Args:
        process: the process that founded the group.
        since: what `began` said of it, so that a newcomer with its number is not taken for it.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.waitpid(process, os.WNOHANG)
    now = began(process)
    if now is not None and since is not None and now != since:
        return False
    if Path("/proc/self/stat").exists():
        others = (_stat(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return any(fields[2] == str(process) and fields[0] != "Z" for fields in others if fields)
    try:
        getattr(os, "killpg", os.kill)(process, 0)
    except OSError:
        return False
    return True


def end_group(process: int, since: str | None) -> bool:
    """End a process group, politely first.

    Returns:
        Whether nothing of it runs any more.
    """
    for name in ("SIGTERM", "SIGKILL"):
        if not group_runs(process, since):
            return True
        with contextlib.suppress(OSError):
            getattr(os, "killpg", os.kill)(process, getattr(signal, name, signal.SIGTERM))
        if _wait_for_end(process, since):
            return True
    return False


def _wait_for_end(process: int, since: str | None) -> bool:
    deadline = time.monotonic() + _STOP_GRACE
    while group_runs(process, since):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def main(arguments: list[str]) -> int:
    """Stop the services of a run whose leader died: FOLDER."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            # The guard ignores them; a stop command should find them as usual.
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    for problem in stop_services(Path(arguments[0])):
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"toxscreen: {problem}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
