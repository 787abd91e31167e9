"""What `tox -p` shows: one line for each environment while it runs, and what the failed ones printed at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Self

from toxscreen import host
from toxscreen.model import Progress
from toxscreen.plan.slots import stage_of
from toxscreen.report.progress import begun, ended, progress_lines, still_running

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

#: Seconds between two looks: for a terminal, and for a log that somebody waits for.
_LOOK: Final = 0.25
_SIGN_OF_LIFE: Final = 60.0
_ANSI: Final = {"green": "\033[32m", "yellow": "\033[33m", "red": "\033[31m"}
_STYLES: Final = {"OK": "green", "SKIP": "yellow", "FAIL": "red"}


class Display:
    """Stands where tox has its spinner, and is spoken to in the same way.

    Args:
        handler: through which tox writes.
        status: says how environments stand, by name.
        live: whether lines may be redrawn, if it is a terminal.
        colored: whether colours are wanted.
    """

    def __init__(self, handler: Any, status: Callable[[], dict[str, Any]], *, live: bool, colored: bool) -> None:
        #: Set by tox; it is silent of the last environment, which we are not.
        self.print_report = True
        self._handler = handler
        self._status = status
        self._stream = handler.stdout
        self._colored = colored
        self._wants_live = live and self._stream.isatty()
        self._live: Live | None = None
        self._lock = threading.Lock()
        #: When the environments that run were begun.
        self._begun: dict[str, float] = {}
        self._known: dict[str, Any] = {}
        #: Whose output tox writes next, and whether it passed.
        self._ended = ("", True)
        self._kept: list[tuple[str, bool, tuple[bytes, bytes]]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="toxscreen-display", daemon=True)

    # as tox's spinner

    def __enter__(self) -> Self:
        if self._wants_live:
            self._live = self._made_live()
        if hasattr(self._handler, "write_out_err"):
            self._write = self._handler.write_out_err
            self._handler.write_out_err = self._keep
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._live is not None:
            self._live.stop()
        if hasattr(self, "_write"):
            del self._handler.write_out_err
            self._tell_kept()

    def add(self, name: str) -> None:
        """An environment begins; on its own thread."""
        with self._lock:
            self._begun[name] = host.CLOCK.elapsed()
        if self._live is None:
            self._say(begun(name))

    def update_spinner(self, result: Any, success: bool) -> None:  # noqa: FBT001 - tox's own signature
        """An environment has ended; its output comes next."""
        ending = "SKIP" if result.skipped and success else "OK" if success else "FAIL"
        self._known |= self._status()
        with self._lock:
            began = self._begun.pop(result.name, None)
        self._ended = (result.name, success)
        if began is not None:
            self._say(ended(self._progress(result.name, began), ending), _STYLES[ending])

    # what is shown

    def _say(self, line: str, style: str = "") -> None:
        if self._live is not None:
            from rich.text import Text

            self._live.console.print(Text(line, style=style), soft_wrap=True)
            return
        if style and self._colored:
            line = f"{_ANSI[style]}{line}\033[39m"
        self._stream.write(line + "\n")
        self._stream.flush()

    def _look(self) -> None:
        while not self._over.wait(_LOOK if self._live is not None else _SIGN_OF_LIFE):
            self._known |= self._status()
            if self._live is None and self._begun:
                self._say(still_running(self._running()))

    def _running(self) -> list[Progress]:
        with self._lock:
            environments = list(self._begun.items())
        return [self._progress(name, began) for name, began in environments]

    def _progress(self, name: str, began: float) -> Progress:
        known = self._known.get(name, {})
        return Progress(
            name,
            stage_of(known.get("holding", ()), known.get("waiting", ()), known.get("total", 0)),
            host.CLOCK.elapsed() - began,
            *(known.get(each, 0) for each in ("done", "total", "failed", "workers")),
        )

    def _made_live(self) -> Live | None:
        try:
            from rich.console import Console
            from rich.live import Live
            from rich.text import Text
        except ImportError:
            return None

        def block() -> RenderableType:
            lines = progress_lines(self._running())
            return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")

        console = Console(file=self._stream, no_color=not self._colored, highlight=False)
        live = Live(
            get_renderable=block,
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=1 / _LOOK,
        )
        live.start()
        return live

    # what environments printed

    def _keep(self, out_err: tuple[bytes, bytes]) -> None:
        self._kept.append((*self._ended, out_err))

    def _tell_kept(self) -> None:
        """Those that failed last, where one looks first."""
        told = ""
        for name, passed, out_err in sorted(self._kept, key=lambda each: not each[1]):
            if name != told:
                told = name
                self._stream.write(f"\n===== {name}: {'OK' if passed else 'FAIL'}, what it printed =====\n")
            self._stream.flush()
            self._write(out_err)
            for stream in (self._stream, self._handler.stderr):
                stream.flush()
