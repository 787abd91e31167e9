"""Which tests change the project's files, as seen in a probe."""

from __future__ import annotations

from pathlib import Path

from toxscreen.hunt.prober import touching
from toxscreen.model import Outcome, Sighting


def test_tests_that_touch_files_of_the_project_are_writers_and_no_others() -> None:
    touched = {
        "t.py::test_inside": ("port 8000", "file /home/me/shop/out/a.txt"),
        "t.py::test_beside": ("file /home/me/shop2/a.txt", "file /home/me/shop"),
        "t.py::test_temporary": ("file TMPDIR/home/me/shop/a.txt",),
        "t.py::test_nothing": (),
    }
    seen = [Sighting(node_id, Outcome.PASSED, touched=things) for node_id, things in touched.items()]
    assert touching(seen, Path("/home/me/shop")) == {"t.py::test_inside"}
    assert touching([], Path("/home/me/shop")) == set()
