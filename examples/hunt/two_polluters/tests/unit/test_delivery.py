from __future__ import annotations

import pytest

from shop import loyalty


def test_new_customers_pay_for_delivery() -> None:
    assert loyalty.delivery("anna") == 499


def test_strangers_pay_for_delivery() -> None:
    assert loyalty.delivery("nobody") == 499


def test_good_customers_pay_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(loyalty.POINTS, "zoe", 100)
    assert loyalty.delivery("zoe") == 0
