"""Whether others kept the machine busy meanwhile."""

from __future__ import annotations

from typing import Final

from toxscreen import host

#: Cores that others may keep busy on average before it is worth a word.
_BUSY: Final = 0.2


class Machine:
    """Watches from now on."""

    def __init__(self) -> None:
        self._began = host.CLOCK.elapsed()
        self._busy = host.busy_seconds()
        self._own = _own()

    def notes(self) -> list[str]:
        """What there is to say; nothing on a quiet machine, or on one that does not tell."""
        busy, seconds = host.busy_seconds(), host.CLOCK.elapsed() - self._began
        if busy is None or self._busy is None or seconds <= 0:
            return []
        others = (busy - self._busy - (_own() - self._own)) / seconds
        if others < _BUSY:
            return []
        return [f"the machine was busy: others kept {others:.1f} of its cores at work while it was measured"]


def _own() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    return host.CLOCK.computed() + (host.CLOCK.children() or 0.0)
