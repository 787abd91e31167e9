"""Reading back what the hunt's child wrote: what was collected, and the lines of a probe that may have died."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toxscreen.hunt import child
from toxscreen.hunt.target import COLLECTED, COLLECTING, ORDERS, Collected, read_collected, read_lines, sighting
from toxscreen.model import Frame, Origin, Outcome, Sighting


def test_both_sides_have_the_same_names() -> None:
    assert (ORDERS, COLLECTED, COLLECTING) == (child.ORDERS, child.COLLECTED, child.COLLECTING)


# what was collected


def test_what_was_collected_is_read_with_what_could_not_be(tmp_path: Path) -> None:
    told = {"node_ids": ["t.py::test_b", "t.py::test_ä[x y]"], "broken": [["u.py", "ImportError: no x"]]}
    (tmp_path / COLLECTED).write_text(json.dumps(told), encoding="utf-8")
    assert read_collected(tmp_path) == Collected(
        ("t.py::test_b", "t.py::test_ä[x y]"), (("u.py", "ImportError: no x"),)
    )


def test_a_suite_without_tests_was_collected_all_the_same(tmp_path: Path) -> None:
    (tmp_path / COLLECTED).write_text('{"node_ids": [], "broken": []}', encoding="utf-8")
    assert read_collected(tmp_path) == Collected((), ())


@pytest.mark.parametrize(
    "content", [None, b"", b'{"node_ids": ["t.p', b"\xff\xfe"], ids=["none", "empty", "torn", "bytes"]
)
def test_what_was_not_collected_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / COLLECTED).write_bytes(content)
    assert read_collected(tmp_path) is None


# the lines of a probe


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b'{"a": 1}\n{"end": true}\n', [{"a": 1}, {"end": True}], id="whole"),
        pytest.param(b'{"a": 1}\n{"end": true}', [{"a": 1}, {"end": True}], id="without the last line's end"),
        pytest.param(b'{"a": 1}\n{"b": "tor', [{"a": 1}], id="torn"),
        pytest.param(b'{"a": 1}\n{"b": "\xc3', [{"a": 1}], id="torn in a character"),
        pytest.param(b'{"a": 1}\n\x00\xff\n{"c": 3}\n', [{"a": 1}], id="nothing after what is spoilt"),
        pytest.param(b'{"a": "\\u2028 \\n"}\n', [{"a": "\u2028 \n"}], id="ends of lines in a text"),
    ],
)
def test_lines_are_read_as_far_as_they_are_whole(tmp_path: Path, content: bytes, lines: list[dict[str, Any]]) -> None:
    (tmp_path / "1.jsonl").write_bytes(content)
    assert read_lines(tmp_path / "1.jsonl") == lines


def test_a_probe_that_wrote_nothing_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "1.jsonl") == []
    assert read_lines(tmp_path) == []


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        pytest.param(
            {"node_id": "t.py::test_a", "outcome": "passed"}, Sighting("t.py::test_a", Outcome.PASSED), id="green"
        ),
        pytest.param(
            {"node_id": "t.py::test_a", "outcome": "passed", "touched": ["file TMPDIR/a.csv", "port 8000"]},
            Sighting("t.py::test_a", Outcome.PASSED, touched=("file TMPDIR/a.csv", "port 8000")),
            id="what it touched",
        ),
        pytest.param(
            {"node_id": "t.py::test_a", "outcome": "error", "text": "gone"},
            Sighting("t.py::test_a", Outcome.ERROR, None, "gone"),
            id="red without an exception",
        ),
        pytest.param(
            {
                "node_id": "t.py::test_a",
                "outcome": "failed",
                "origin": {"exception": "KeyError", "file": "t.py", "line": 3, "causes": []},
                "text": "KeyError: 'x'",
            },
            Sighting("t.py::test_a", Outcome.FAILED, Origin("KeyError", "t.py", 3), "KeyError: 'x'"),
            id="red",
        ),
        pytest.param(
            {
                "node_id": "t.py::test_a",
                "outcome": "failed",
                "origin": {
                    "exception": "AppError",
                    "file": "app.py",
                    "line": 3,
                    "causes": [
                        {"exception": "KeyError", "file": "db.py", "line": 4},
                        {"exception": "OSError", "file": "io.py", "line": 5},
                    ],
                },
                "text": "AppError",
            },
            Sighting(
                "t.py::test_a",
                Outcome.FAILED,
                Origin("AppError", "app.py", 3, (Frame("KeyError", "db.py", 4), Frame("OSError", "io.py", 5))),
                "AppError",
            ),
            id="red with causes",
        ),
    ],
)
def test_a_line_is_read_as_a_sighting(told: dict[str, Any], seen: Sighting) -> None:
    assert sighting(json.loads(json.dumps(told))) == seen


def test_an_outcome_that_is_none_is_not_taken_for_one() -> None:
    with pytest.raises(ValueError, match=r"^'fine' is not a valid Outcome$"):
        sighting({"node_id": "t.py::test_a", "outcome": "fine"})
