"""A shard's manifest, the history that it was split by, and JUnit files that are joined."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from toxscreen.analysis import junit
from toxscreen.journal.history import digest_of, read_history, write_history
from toxscreen.journal.manifest import FILE, SCHEMA, read_manifest, read_split, shard_of, write_manifest, write_split
from toxscreen.model import Duration, History, Manifest, Shard

FULL = Manifest(
    schema=SCHEMA,
    run="20260102T030405Z-unit-0a1b",
    shard=Shard(2, 3),
    category="unit",
    environment="3.12-unit",
    commit="c0ffee",
    changes="feed",
    tree="7ree",
    configuration="c0de",
    seed=7,
    python="CPython 3.12",
    history="5a3e",
    collected=("a.py::test_a", "a.py::test_b[é]"),
    planned=("a.py::test_b[é]",),
    ran=("a.py::test_b[é]",),
    files={"runs/r/run.jsonl": "ab", "junit/unit.xml": "cd"},
    junit="junit/unit.xml",
    measuring=77,
    before=("coverage/unit/.coverage.x",),
)


@pytest.mark.parametrize(
    "manifest",
    [
        FULL,
        replace(FULL, environment=None, commit=None, changes=None, tree=None, configuration=None, seed=None),
        replace(FULL, collected=(), planned=(), ran=(), files={}, junit=None, measuring=None, before=()),
    ],
)
def test_a_manifest_comes_back_as_it_was(tmp_path: Path, manifest: Manifest) -> None:
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_what_ran_is_named_by_the_environment_else_the_category() -> None:
    assert (FULL.name, replace(FULL, environment=None).name) == ("3.12-unit", "unit")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"schema": 2}, "is of schema 2, this toxscreen reads 1"),
        ({"schema": "1"}, "is no manifest"),
        ({"collected": ["a.py::test_a"]}, "has no list of what was collected"),
        ({"collected": {"node_ids": [1]}}, "has no list of texts for 'node_ids'"),
        (
            {"collected": {"count": 2, "digest": "", "node_ids": ["a.py::test_a"]}},
            "does not list the 2 tests that were collected, but 1",
        ),
        ({"planned": "all"}, "has no list of texts for 'planned'"),
        ({"history": None}, "has None for 'history'"),
        ({"commit": 5}, "has 5 for 'commit'"),
        ({"seed": "7"}, "has '7' for 'seed'"),
        ({"measuring": 1.5}, "has 1.5 for 'measuring'"),
        ({"files": []}, "has no list of files below the state folder"),
        ({"files": {"../../secret": "ab"}}, "has no list of files below the state folder"),
        ({"files": {"/etc/passwd": "ab"}}, "has no list of files below the state folder"),
        ({"files": {"runs/r//etc/passwd": "ab"}}, "has no list of files below the state folder"),
        ({"files": {"runs/r/\0": "ab"}}, "has no list of files below the state folder"),
        ({"files": {"./run.jsonl": "ab"}}, "has no list of files below the state folder"),
        ({"junit": "runs/r/run.jsonl"}, "has a JUnit file that is none of its files"),
        ({"shard": 2}, "has 2 for its shard"),
        ({"shard": "4/3"}, "there is no shard 4/3"),
        ({"shard": "1/2/3"}, "there is no shard 1/2/3"),
        ({"shard": "1-2"}, "there is no shard 1-2"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    write_manifest(tmp_path, FULL)
    record = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    (tmp_path / FILE).write_text(json.dumps(record | changed), encoding="utf-8")
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        read_manifest(tmp_path)


def test_a_junit_file_outside_is_none(tmp_path: Path) -> None:
    write_manifest(tmp_path, replace(FULL, junit="../unit.xml"))
    with pytest.raises(ValueError, match="has a JUnit file that is none of its files"):
        read_manifest(tmp_path)


def test_the_first_process_says_what_was_collected(tmp_path: Path) -> None:
    write_split(tmp_path, ["b", "a"], "5a3e", process=1)
    write_split(tmp_path, ["c"], "else", process=2)
    assert read_split(tmp_path) == (("a", "b"), "5a3e")
    (tmp_path / "split.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="is no record of a split"):
        read_split(tmp_path)


def test_a_shard_in_a_record() -> None:
    assert shard_of("2/3") == Shard(2, 3)
    for text in ("", "2", "0/3", "a/b", "1/9999999", "1/\u0663"):
        with pytest.raises(ValueError, match=r".+"):
            shard_of(text)


def test_a_history_is_written_for_others_to_read(tmp_path: Path) -> None:
    history = History({"a.py::test_a": Duration(0.1, 0.25, 0.0)}, {"a.py|db": 1.5})
    digest = write_history(tmp_path / "history.json", history)
    assert read_history(tmp_path / "history.json") == history
    assert digest_of(tmp_path / "history.json") == digest
    assert write_history(tmp_path / "again.json", history) == digest
    assert digest_of(tmp_path / "nothing") == ""


def test_suites_of_junit_files_stay_as_they_are(tmp_path: Path) -> None:
    first, second = tmp_path / "1.xml", tmp_path / "2.xml"
    suite = '<testsuite name="{}" tests="1" hostname="{}"><testcase name="a"/></testsuite>'
    first.write_text(f"<testsuites>{suite.format('unit', 'one')}</testsuites>", encoding="utf-8")
    second.write_text(suite.format("unit", "é"), encoding="utf-8")
    root = ET.fromstring(junit.joined([first, second]))
    assert [(each.tag, each.attrib["hostname"], len(each)) for each in root] == [
        ("testsuite", "one", 1),
        ("testsuite", "é", 1),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "a.xml is no XML: no element found"), ("<html/>", "a.xml is no JUnit file, but has 'html' as its root")],
)
def test_what_is_no_junit_file(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        junit.joined([tmp_path / "a.xml"])


def test_a_manifest_that_is_not_even_json_is_called_so(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe[[")
    with pytest.raises(ValueError, match=r"^is no JSON$"):
        read_manifest(tmp_path)
