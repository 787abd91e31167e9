from __future__ import annotations

import pytest

from shop import stock


def test_one_less() -> None:
    assert stock.take({"tea": 3}, "tea") == 2


def test_the_last_one_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    stock.take({"tea": 1}, "tea")
    assert caplog.messages == ["that was the last tea"]


def test_nothing_left(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LookupError):
        stock.take({}, "tea")
    assert caplog.messages == ["no tea left"]


def test_others_stay() -> None:
    left = {"tea": 2, "cup": 2}
    stock.take(left, "tea")
    assert left == {"tea": 1, "cup": 2}
