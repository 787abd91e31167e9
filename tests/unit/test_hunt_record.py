"""The record of a hunt: what it knows again, of which hunts, and what it does about damage."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from toxscreen.hunt.record import Record, fingerprint, unfinished
from toxscreen.hunt.target import Target
from toxscreen.hunt.tree import Entry
from toxscreen.model import Ended, Frame, Isolation, IsolationKind, Origin, Outcome, Probe, Sighting

MARK = "f" * 64
RED = Sighting("t.py::b", Outcome.FAILED, Origin("KeyError", "t.py", 3, (Frame("OSError", "u.py", 4),)), "no", ("x",))
GREEN = Sighting("t.py::b", Outcome.PASSED)


def probe(seen: Sighting = RED, how: str = "forked") -> Probe:
    first = Sighting("t.py::a", Outcome.SKIPPED)
    return Probe(("t.py::a", "t.py::b"), "fresh" if how == "fresh" else "forked", (first, seen), Ended.DONE, 0.25, 0)


def record(root: Path, mark: str = MARK, now: float = 0.0, *, anew: bool = False) -> Record:
    return Record(root, mark, now, anew=anew)


def finish(kept: Record, *, is_whole: bool) -> None:
    finding = Isolation(IsolationKind.VICTIM, "t.py::b", ("t.py::a",))
    kept.finish((finding,), budget=60.0, seconds=1.23456, is_whole=is_whole)


def test_a_hunt_that_was_cut_short_is_known_again_and_then_again(tmp_path: Path) -> None:
    first = record(tmp_path)
    first.add(probe())
    first.add(probe(GREEN))
    finish(first, is_whole=False)
    for hours in (1, 2):
        again = record(tmp_path, now=hours * 3600.0)
        assert (again.known, again.old is not None) == (2, True)
        # A probe that ran twice is known twice: chance is not made certain.
        told = [again.recall("forked", probe().node_ids) for _ in range(3)]
        assert told == [probe(), probe(GREEN), None]
        assert again.recall("fresh", probe().node_ids) is None
        assert again.recall("forked", ("t.py::b",)) is None
        finish(again, is_whole=False)


def test_what_is_written(tmp_path: Path) -> None:
    kept = record(tmp_path)
    kept.add(probe())
    finish(kept, is_whole=True)
    lines = [json.loads(line) for line in kept.file.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == {"schema": 1, "fingerprint": MARK, "started": 0.0, "resumes": None}
    assert lines[2]["finding"]["node_id"] == "t.py::b"
    assert lines[3] == {"done": True, "budget": 60.0, "seconds": 1.235}


@pytest.mark.parametrize("why", ["it was whole", "another fingerprint", "asked for", "another schema"])
def test_what_is_not_gone_on_with(why: str, tmp_path: Path) -> None:
    first = record(tmp_path)
    first.add(probe())
    finish(first, is_whole=why == "it was whole")
    if why == "another schema":
        text = first.file.read_text(encoding="utf-8")
        first.file.write_text(text.replace('"schema": 1', '"schema": 2'), encoding="utf-8")
    again = record(tmp_path, "e" * 64 if why == "another fingerprint" else MARK, 1.0, anew=why == "asked for")
    assert (again.known, again.old, again.recall("forked", probe().node_ids)) == (0, None, None)


@pytest.mark.parametrize("damage", [b'{"probe": {"how": "fork', b"\xff\xfe", b"[]\n", b"", b'{"probe": 3}\n'])
def test_what_was_killed_while_it_wrote_keeps_what_was_whole(damage: bytes, tmp_path: Path) -> None:
    first = record(tmp_path)
    first.add(probe())
    first.file.write_bytes(first.file.read_bytes() + damage)
    assert record(tmp_path, now=1.0).recall("forked", probe().node_ids) == probe()


@pytest.mark.parametrize("content", [b"", b"\n", b"[1]\n", b"\x00\x01", b"{}\n"])
def test_a_file_that_is_no_record_is_passed_over(content: bytes, tmp_path: Path) -> None:
    first = record(tmp_path)
    first.add(probe())
    first.file.with_name("20990101T000000Z-ffff.jsonl").write_bytes(content)
    assert unfinished(tmp_path, MARK) == first.file


def test_the_last_ten_are_kept(tmp_path: Path) -> None:
    kept = [record(tmp_path, now=float(second)) for second in range(12)]
    assert [each.file.exists() for each in kept] == [False] * 2 + [True] * 10


def test_another_tree_or_another_way_is_another_hunt(tmp_path: Path) -> None:
    target, tree = Target(tmp_path, python="py"), {"t.py": Entry("file", 3, 7)}
    marks = [
        fingerprint(target, tree, 1),
        fingerprint(target, {"t.py": Entry("file", 3, 8)}, 1),
        fingerprint(target, {**tree, "u.py": Entry("file")}, 1),
        fingerprint(target, tree, 2),
        *(
            fingerprint(replace(target, **changed), tree, 1)
            for changed in (
                {"paths": ("t.py",)},
                {"options": ("-x",)},
                {"python": "other"},
                {"category": "unit"},
                {"hash_seed": "1"},
                {"sandbox": ("bwrap", tmp_path)},
            )
        ),
    ]
    assert len({*marks}) == len(marks)
    assert fingerprint(target, dict(tree), 1) == marks[0]
