"""Two commands measured side by side: fresh processes in alternating order, CPU time, the median over the pairs."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any


@dataclass(frozen=True, slots=True)
class Pairs:
    """CPU seconds of a command without and with what is measured, pair by pair."""

    without: tuple[float, ...]
    with_it: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median over the pairs of with / without."""
        return statistics.median(b / a for a, b in zip(self.without, self.with_it, strict=True))

    @property
    def added(self) -> float:
        """Median over the pairs of with - without, in seconds."""
        return statistics.median(b - a for a, b in zip(self.without, self.with_it, strict=True))

    def told(self) -> dict[str, Any]:
        """Figures for pytest-benchmark's ``extra_info``."""
        return {
            "pairs": len(self.without),
            "ratio": round(self.ratio, 4),
            "added_ms": round(self.added * 1000, 2),
            "without_ms": round(statistics.median(self.without) * 1000, 2),
            "with_ms": round(statistics.median(self.with_it) * 1000, 2),
        }


def cpu_seconds(arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> float:
    """CPU time of ``python -m pytest ARGUMENTS`` and of what it waited for.

    Args:
        arguments: of pytest.
        cwd: working directory.
        env: the whole environment.

    Raises:
        AssertionError: pytest did not exit with status 0.
    """
    process = Popen([sys.executable, "-m", "pytest", "-q", *arguments], cwd=cwd, env=env, stdout=DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"pytest {' '.join(arguments)} ended with status {process.returncode}"
    return used.ru_utime + used.ru_stime


def measure(without: Sequence[str], with_it: Sequence[str], pairs: int, cwd: Path, env: Mapping[str, str]) -> Pairs:
    """Run both commands as often as asked, neither always first, after one round that warms the caches."""
    found: dict[bool, list[float]] = {False: [], True: []}
    commands = {False: without, True: with_it}
    for number in range(-1, pairs):
        for ours in (False, True) if number % 2 else (True, False):
            seconds = cpu_seconds(commands[ours], cwd, env)
            if number >= 0:
                found[ours].append(seconds)
    return Pairs(tuple(found[False]), tuple(found[True]))
