"""Exit statuses of processes in words."""

from __future__ import annotations

import signal


def told(status: int | None) -> str:
    """An exit status in words.

    Args:
        status: as subprocess gives it: negative is a signal, None is unknown.
    """
    if status is None:
        return "its exit status is not known"
    if status >= 0:
        return f"it exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        return f"it was killed by signal {-status}"
    meaning = signal.strsignal(-status) or ""
    if name == "SIGKILL":
        meaning += "; kill -9, or the system ran out of memory"
    return f"it was killed by {name} ({meaning})"
