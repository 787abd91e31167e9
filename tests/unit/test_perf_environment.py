"""The environment variables of processes that measure."""

from __future__ import annotations

from pathlib import Path

from toxscreen.model import Revision
from toxscreen.perf.pairing import MARKERS, PairOptions
from toxscreen.perf.process import environment
from toxscreen.perf.side import Side
from toxscreen.pytest_plugin import options

SIDE = Side(Path("/side"), Path("/venv/bin/python"), Revision("main", None))


def test_what_a_process_has_of_the_one_that_compares() -> None:
    around = {
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "PYTHONPATH": "/home/me/shop/src",
        "PYTHONHASHSEED": "0",
        "VIRTUAL_ENV": "/home/me/venv",
        "PYTEST_ADDOPTS": "-x",
        "TOX_ENV_NAME": "perf",
        "TOXSCREEN_SLOTS": "somewhere",
        "COVERAGE_PROCESS_START": "x",
        "COV_CORE_SOURCE": "x",
    }
    assert environment(around, SIDE, Path("/own"), "7", {"MORE": "1"}) == {
        "LANG": "C.UTF-8",
        "PATH": "/venv/bin:/usr/bin",
        "HOME": "/own/home",
        "TMPDIR": "/own/tmp",
        "PYTHONHASHSEED": "7",
        "MORE": "1",
    }


def test_without_a_path() -> None:
    assert environment({}, SIDE, Path("/own"), "7", {})["PATH"] == "/venv/bin"


def test_the_markers_of_the_plugin_that_is_left_out_are_known() -> None:
    declared = {line.partition(":")[0].partition("(")[0] for line in options.MARKERS}
    assert (declared, set(options.CATEGORY_MARKERS)) == (set(MARKERS), set(PairOptions().markers))
