"""Signals are handled meanwhile, and as before afterwards."""

from __future__ import annotations

import signal

from toxscreen.cli.signals import handled


def test_a_signal_is_handled_meanwhile_and_as_before_afterwards() -> None:
    heard: list[int] = []
    before = signal.getsignal(signal.SIGTERM)
    with handled(("SIGTERM", "SIG_THAT_NO_SYSTEM_HAS"), lambda number, _: heard.append(number)):
        signal.raise_signal(signal.SIGTERM)
    assert (heard, signal.getsignal(signal.SIGTERM)) == ([signal.SIGTERM], before)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    heard: list[int] = []
    try:
        with handled(("SIGTERM",), lambda number, _: heard.append(number)):
            signal.raise_signal(signal.SIGTERM)
        assert (heard, signal.getsignal(signal.SIGTERM)) == ([], signal.SIG_IGN)
    finally:
        signal.signal(signal.SIGTERM, before)
