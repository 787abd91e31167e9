"""What a test did with its time, from what was measured of it."""

from __future__ import annotations

from typing import Any

import pytest
from recorded import attempt

from toxscreen.model import Spent
from toxscreen.plan.spent import did, spent


@pytest.mark.parametrize(
    ("fields", "divided", "words"),
    [
        ({}, None, "-"),
        ({"slept": 3.0}, None, "-"),
        ({"cpu": 2.5}, Spent(2.5, None, None, 1.5), "computed"),
        ({"cpu": 1.0}, Spent(1.0, None, None, 3.0), "waited"),
        ({"cpu": 0.25, "slept": 3.04, "children": 0.0}, Spent(0.25, 3.04, 0.0, 0.71), "slept 3.0 s"),
        ({"cpu": 0.5, "slept": 0.0, "children": 2.5}, Spent(0.5, 0.0, 2.5, 1.0), "ran programs"),
        ({"cpu": 0.5, "slept": 0.5, "children": 0.5}, Spent(0.5, 0.5, 0.5, 2.5), "waited"),
        # Two threads, and programs side by side.
        ({"cpu": 7.0, "slept": 0.0, "children": 1.0}, Spent(7.0, 0.0, 1.0, 0.0), "computed"),
        ({"cpu": 1.0, "slept": 0.0, "children": 9.0}, Spent(1.0, 0.0, 9.0, 0.0), "ran programs"),
    ],
)
def test_four_seconds_are_divided(fields: dict[str, Any], divided: Spent | None, words: str) -> None:
    ran = attempt("a", setup=0.5, call=3.0, teardown=0.5, **fields)
    assert spent(ran) == (divided and pytest.approx(divided))
    assert did(ran) == words
