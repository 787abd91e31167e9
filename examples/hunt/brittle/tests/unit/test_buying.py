from __future__ import annotations

import pytest

from shop import session


def test_login_greets() -> None:
    assert session.login("Anna") == "Hello Anna"


def test_bill_is_for_the_customer() -> None:
    assert session.checkout(1250) == "Anna owes 12.50"


def test_bill_for_another_customer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(session.CURRENT, "customer", "Ben")
    assert session.checkout(99) == "Ben owes 0.99"
