"""How far the environments of one tox are, while they run side by side."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Stage(StrEnum):
    """What an environment is doing."""

    SETTING_UP = "setting up"
    #: For a slot: others run.
    WAITING = "waiting"
    #: Whatever is no test: pytest that starts and collects, other programs.
    COMMANDS = "commands"
    TESTS = "tests"
    #: Nothing else runs meanwhile.
    ALONE = "alone"


class Progress(NamedTuple):
    """One environment."""

    name: str
    stage: Stage
    #: Since it was begun.
    seconds: float
    #: Tests that are over, of how many; none are known before they are collected.
    done: int = 0
    total: int = 0
    failed: int = 0
    workers: int = 0
