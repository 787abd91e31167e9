from __future__ import annotations

import pytest

from shop import shares


def test_equal_shares() -> None:
    assert shares.shares(900, 3) == [300, 300, 300]


def test_a_cent_is_left_over() -> None:
    assert shares.shares(1000, 3) == [333, 333, 334]


@pytest.mark.parametrize("people", [1, 2, 7])
def test_nothing_is_lost(people: int) -> None:
    assert sum(shares.shares(1000, people)) == 1000


def test_nobody_pays() -> None:
    with pytest.raises(ZeroDivisionError):
        shares.shares(1000, 0)
