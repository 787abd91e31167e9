"""What lies in a project, and what has changed in it since."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.hunt.tree import ChangedFile, Entry, TooLargeError, differences, in_words, made, snapshot


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x", encoding="utf-8")


def test_files_folders_and_links_are_seen_and_what_belongs_to_tools_is_not(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "tests/data/b.json", "tests/__pycache__/b.pyc", ".git/HEAD", "sub/.git", "env/pyvenv.cfg")
    write(tmp_path, ".coverage", ".coverage.host.1", ".coveragerc", ".toxscreen/runs/1", "own/log", "node_modules/x.js")
    (tmp_path / "link").symlink_to("tests")
    (tmp_path / ".venv").symlink_to("env")
    found = snapshot(tmp_path, without=tmp_path / "own")
    assert {path: (entry.kind, entry.size) for path, entry in found.items()} == {
        "a.py": ("file", 1),
        ".coveragerc": ("file", 1),
        "link": ("link tests", 0),
        "sub": ("folder", 0),
        "tests": ("folder", 0),
        "tests/data": ("folder", 0),
        "tests/data/b.json": ("file", 1),
    }
    assert made(tmp_path) == [".git", ".venv", "env", "node_modules"]


@pytest.mark.parametrize(
    ("files", "size", "message"), [(1, 2, "it has more than 1 files"), (2, 1, "its files are larger than 0 MB")]
)
def test_what_is_too_large_is_not_looked_at(tmp_path: Path, files: int, size: int, message: str) -> None:
    write(tmp_path, "a", "b")
    with pytest.raises(TooLargeError, match=f"^{message}$"):
        snapshot(tmp_path, most_files=files, most_bytes=size)
    assert len(snapshot(tmp_path, most_files=2, most_bytes=2)) == 2


def test_what_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert (snapshot(tmp_path / "none"), made(tmp_path / "none")) == ({}, [])


def test_differences_are_told_once_and_folders_only_by_themselves() -> None:
    file, folder = Entry("file", 1, 1), Entry("folder")
    before = {"a": file, "b": file, "old": folder, "old/c": file, "gone": folder, "l": Entry("link x")}
    after = {"a": file, "b": Entry("file", 1, 2), "new": folder, "new/d": file, "empty": folder, "l": Entry("link y")}
    assert [(each.change, each.file) for each in differences(before, after)] == [
        ("created", "empty"),
        ("created", "new/d"),
        ("changed", "b"),
        ("changed", "l"),
        ("removed", "gone"),
        ("removed", "old/c"),
    ]
    assert differences(before, before) == ()
    assert differences({}, {"a": file}, "copy") == (ChangedFile("a", "created", "copy"),)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "created 0"),
        (3, "created 0, created 1, created 2"),
        (5, "created 0, created 1, created 2 (and 2 more)"),
    ],
)
def test_changes_in_words(number: int, told: str) -> None:
    assert in_words([ChangedFile(str(each), "created", "project") for each in range(number)]) == told
