"""Whether a service answers: a URL, a host and port, or a command that exits 0."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from toxscreen.guard import stop
from toxscreen.guard.exits import told as exit_told

#: Seconds that one check may take.
LIMIT: Final = 5.0
_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")
_SERVER_ERROR: Final = 500


def problem_of(check: str, root: Path) -> str | None:
    """Ask once.

    Args:
        check: as declared: a URL of http or https, ``host:port``, or else a command.
        root: folder in which a command runs.

    Returns:
        None when the service is up; else what is wrong, in words.
    """
    if re.match(r"https?://", check, re.IGNORECASE):
        return _problem_of_url(check)
    address = _ADDRESS.fullmatch(check)
    if address is not None:
        return _problem_of_port(address["host"].strip("[]"), int(address["port"]))
    return _problem_of_command(check, root)


def _problem_of_url(url: str) -> str | None:
    """Any answer below 500 is a sign of life; redirects are not followed, proxies are not asked."""
    # It loads dozens of modules, and every categorised run loads this file.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    try:
        parts = urlsplit(url)
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        with contextlib.closing(connect(parts.hostname or "", parts.port, timeout=LIMIT)) as connection:
            connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
            status = connection.getresponse().status
    except (OSError, HTTPException, ValueError) as error:
        return f"{url} does not answer: {_told(error)}"
    return f"{url} answers with status {status}" if status >= _SERVER_ERROR else None


def _problem_of_port(name: str, port: int) -> str | None:
    try:
        socket.create_connection((name, port), timeout=LIMIT).close()
    except (OSError, OverflowError, ValueError) as error:
        return f"nothing listens at {name}:{port}: {_told(error)}"
    return None


def _told(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _problem_of_command(command: str, root: Path) -> str | None:
    # A file, not a pipe: what the command leaves in the background may keep a pipe open for ever.
    with tempfile.TemporaryDirectory(prefix="toxscreen-") as folder:
        log = Path(folder, "output")
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    stop.words(command),
                    cwd=root,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            status = _wait(process)
        except FileNotFoundError:
            return f"its check `{command}` is not installed"
        except (OSError, ValueError) as error:
            return f"its check `{command}` cannot be run: {error}"
        if status == 0:
            return None
        said = " / ".join(stop.tail(log))
    why = f"took longer than {LIMIT:g} s" if status is None else exit_told(status).removeprefix("it ")
    return f"its check `{command}` {why}{': ' if said else ''}{said}"


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    """Exit status of a check; None when it took too long and was ended. Interrupted, it is ended as well."""
    try:
        return process.wait(LIMIT)
    except BaseException as error:
        with contextlib.suppress(OSError):
            getattr(os, "killpg", os.kill)(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            return None
        raise
