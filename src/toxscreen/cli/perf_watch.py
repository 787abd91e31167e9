"""What a terminal shows while two revisions are compared: what goes on, and how sure each benchmark is by now."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from toxscreen import host
from toxscreen.cli.perf_page import bounds, ratio
from toxscreen.model import Interval
from toxscreen.report.visible import visible

#: Benchmarks that are shown at a time: those that were measured last.
_MOST: Final = 10


class Watch:
    """Follows a comparison.

    Args:
        budget: seconds that measuring may take.
        console: where to show it; standard error when left out, and only where it is a terminal.
        elapsed: the clock.
    """

    def __init__(
        self, budget: float, console: Console | None = None, elapsed: Callable[[], float] = host.CLOCK.elapsed
    ) -> None:
        self.budget = budget
        self._elapsed = elapsed
        self._step = "looking for what to compare with"
        self._total = 0
        self._done: set[str] = set()
        self._open: dict[str, str] = {}
        self._began: float | None = None
        shown = console or Console(stderr=True)
        self._live = (
            Live(console=shown, transient=True, refresh_per_second=4, get_renderable=self._render)
            if shown.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, words: str) -> None:
        """What is done now: building an environment, say."""
        self._step = words

    def begin(self, total: int) -> None:
        """Measuring begins.

        Args:
            total: benchmarks that are in both revisions.
        """
        self._began, self._total = self._elapsed(), total

    def measured(self, node_id: str, found: Interval | None, pairs: int) -> None:
        """What is known of a benchmark that is not decided."""
        told = f"{ratio(found) or '?'} ({bounds(found) or 'too few pairs'}), pairs: {pairs}"
        self._open.pop(node_id, None)
        self._open[node_id] = told

    def decided(self, node_id: str) -> None:
        """Nothing more is measured of a benchmark."""
        self._open.pop(node_id, None)
        self._done.add(node_id)

    def lines(self) -> list[str]:
        """What is shown now."""
        if self._began is None:
            return [f"{self._step} ..."]
        left = max(0.0, self.budget - (self._elapsed() - self._began))
        hidden = max(0, len(self._open) - _MOST)
        more = [f"and {hidden} more"] if hidden else []
        shown = list(self._open.items())[-_MOST:]
        return [
            f"{self._step}: {len(self._done)} of {self._total} decided, {left:.0f} s left",
            *(f"  {node_id}  {told}" for node_id, told in shown),
            *more,
        ]

    def _render(self) -> Group:
        return Group(*(Text(visible(line), no_wrap=True, overflow="ellipsis") for line in self.lines()))
