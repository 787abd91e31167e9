from __future__ import annotations


def test_cents() -> None:
    assert f"{5 / 100:.2f}" == "0.05"


def test_whole_amounts() -> None:
    assert f"{500 / 100:.2f}" == "5.00"
