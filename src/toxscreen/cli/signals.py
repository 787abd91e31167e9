"""Signals that ask a command to end, handled for as long as it has something to bring to an end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def handled(names: tuple[str, ...], handler: Callable[[int, object], None]) -> Iterator[None]:
    """Meanwhile, a signal calls a function; one that was ignored before stays ignored, as ``nohup`` wants it.

    Args:
        names: of signals, such as ``SIGTERM``; those that the system lacks are left out.
        handler: is called with the signal's number and the frame.
    """
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # None was not set from Python, and could not be given back.
    previous = {number: signal.getsignal(number) for number in numbers}
    previous = {number: before for number, before in previous.items() if before not in {signal.SIG_IGN, None}}
    for number in previous:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
