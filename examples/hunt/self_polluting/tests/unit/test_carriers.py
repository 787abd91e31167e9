from __future__ import annotations

import pytest

from shop import carriers


def test_cost_of_one_parcel() -> None:
    assert carriers.cost("post", 1) == 499


def test_cost_of_many_parcels() -> None:
    assert carriers.cost("bike", 3) == 897


def test_a_new_carrier_can_be_used() -> None:
    carriers.register("drone", 999)
    assert carriers.cost("drone", 2) == 1998


def test_a_known_carrier_is_refused() -> None:
    with pytest.raises(ValueError, match="post"):
        carriers.register("post", 1)


def test_nobody_brings_it() -> None:
    with pytest.raises(KeyError):
        carriers.cost("nobody", 1)
