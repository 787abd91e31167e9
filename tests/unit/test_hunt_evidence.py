"""Which hunts are evidence: those that looked at everything and came to their end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toxscreen.cli.hunt_evidence import is_whole
from toxscreen.hunt.hunter import Hunted
from toxscreen.hunt.target import Target

HUNTED = Hunted(3, (), (), (), 10, 0, 1.5)
TARGET = Target(Path("project"), (), (), "python", None)


def test_a_hunt_through_a_project_or_one_of_its_categories_is_whole() -> None:
    assert is_whole(HUNTED, TARGET)
    assert is_whole(HUNTED, replace(TARGET, category="unit"))


@pytest.mark.parametrize(
    ("hunted", "target"),
    [
        ({"is_cut": True}, {}),
        ({"is_interrupted": True}, {}),
        ({"broken": (("test_a.py", "SyntaxError"),)}, {}),
        ({"tests": 0}, {}),
        ({}, {"paths": ("tests/unit",)}),
        ({}, {"options": ("-k", "one")}),
    ],
)
def test_what_is_less_is_no_evidence(hunted: dict[str, Any], target: dict[str, Any]) -> None:
    assert not is_whole(replace(HUNTED, **hunted), replace(TARGET, **target))
