from __future__ import annotations

from shop import rates


def test_no_rate_is_known_at_first() -> None:
    assert rates.known() == []


def test_nothing_is_nothing_everywhere() -> None:
    assert rates.exchanged(0, 0.92) == 0
