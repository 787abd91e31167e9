"""The environment variables of processes that measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.errors import PlaceError
from toxscreen.model import Revision
from toxscreen.perf.pairing import MARKERS, Pairing, PairOptions
from toxscreen.perf.process import Child, GoneError, environment
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


def test_without_room_for_files_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "full").touch()
    with pytest.raises(PlaceError) as raised:
        Pairing(SIDE, SIDE, PairOptions(work=tmp_path / "full"))
    assert raised.value.render() == (
        "no folder for temporary files can be made: Not a directory [perf-place-unusable]\n  make room, or set TMPDIR"
    )
    with pytest.raises(GoneError) as gone:
        Child(SIDE, "in the base", tmp_path / "full" / "000001", {}, [], seed="1", more={}, limit=1.0)
    assert str(gone.value).startswith("the process in the base has no place to work in: [Errno 20] Not a directory")
