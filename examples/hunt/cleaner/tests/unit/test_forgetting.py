from __future__ import annotations

from shop import rates


def test_forget() -> None:
    rates.remember("GBP", 0.79)
    rates.forget()
    assert "GBP" not in rates.known()
