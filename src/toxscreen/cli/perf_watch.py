"""What is shown while two revisions are compared: what goes on, and on a terminal how sure each benchmark is by now."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from toxscreen import host
from toxscreen.cli.perf_page import bounds, ratio
from toxscreen.model import Change
from toxscreen.perf.comparing import Progress
from toxscreen.report.visible import visible

#: Undecided benchmarks that are shown at a time.
_MOST: Final = 10
#: Seconds between two lines where there is no terminal: systems of CI end jobs that say nothing for ten minutes.
_SIGN_OF_LIFE: Final = 60.0


class Watch:
    """Follows a comparison.

    Args:
        console: where to show it; standard error when left out. What is no terminal gets a line a minute.
        elapsed: the clock.
    """

    def __init__(self, console: Console | None = None, elapsed: Callable[[], float] = host.CLOCK.elapsed) -> None:
        self._elapsed = elapsed
        self._step = "looking for what to compare with"
        self._progress: Progress | None = None
        self._told = 0.0
        self._said = elapsed()
        self._console = console or Console(stderr=True)
        self._live = (
            Live(console=self._console, transient=True, refresh_per_second=4, get_renderable=self._render)
            if self._console.is_terminal
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
        self._say()

    def follow(self, progress: Progress) -> None:
        """How far the measuring is, and how sure each benchmark is by now."""
        self._step, self._progress, self._told = progress.step, progress, self._elapsed()
        self._say()

    def _say(self) -> None:
        now = self._elapsed()
        if self._live is None and now - self._said >= _SIGN_OF_LIFE:
            self._said = now
            self._console.print(Text(visible(self.lines()[0])), soft_wrap=True)

    def lines(self) -> list[str]:
        """What is shown now."""
        if self._progress is None:
            return [f"{self._step} ..."]
        standings = self._progress.standings
        left = self._progress.budget - self._progress.seconds - (self._elapsed() - self._told)
        still = [each for each in standings if each.change is Change.UNDECIDED]
        hidden = len(still) - _MOST
        return [
            f"{self._step}: {len(standings) - len(still)} of {len(standings)} decided, {max(0.0, left):.0f} s left",
            *(
                f"  {each.node_id}  {ratio(each.interval) or '?'} ({bounds(each.interval) or 'too few pairs'}),"
                f" pairs: {each.pairs}"
                for each in still[:_MOST]
            ),
            *([f"  and {hidden} more"] if hidden > 0 else []),
        ]

    def _render(self) -> Group:
        return Group(*(Text(visible(line), no_wrap=True, overflow="ellipsis") for line in self.lines()))
