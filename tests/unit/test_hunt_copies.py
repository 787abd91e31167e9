"""Copies of a project: as it is, made what they were again, and shared where they are large."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from toxscreen.hunt.copies import Copies, CopyRefusedError, leading
from toxscreen.hunt.tree import ChangedFile, Entry, snapshot


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for name in ("a.py", "data/b.json", "data/deep/c.txt", ".venv/pyvenv.cfg", ".git/HEAD", "__pycache__/a.pyc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    (root / "empty").mkdir()
    (root / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("data/b.json")
    return root


def texts(copy: Path) -> dict[str, str]:
    return {os.fspath(path.relative_to(copy)): path.read_text() for path in copy.rglob("*") if path.is_file()}


def test_a_copy_is_the_project_with_its_environments_and_without_its_repository(root: Path, tmp_path: Path) -> None:
    copy = Copies(root, tmp_path / "copies", snapshot(root)).take()
    assert copy == tmp_path / "copies" / "1" / "shop"
    assert sorted(path.name for path in copy.iterdir()) == [".venv", "a.py", "data", "empty", "link", "run.sh"]
    assert (copy / ".venv").readlink() == root / ".venv"
    assert (copy / "link").readlink() == Path("data/b.json")
    assert os.access(copy / "run.sh", os.X_OK)
    assert (copy / "data/deep/c.txt").read_text() == "data/deep/c.txt"
    assert (copy / "a.py").stat().st_mtime_ns == (root / "a.py").stat().st_mtime_ns


def test_a_copy_is_made_what_it_was_before_it_is_taken_again(root: Path, tmp_path: Path) -> None:
    copies = Copies(root, tmp_path / "copies", snapshot(root))
    copy = copies.take()
    as_made = texts(copy)
    assert copies.changed() == ()
    (copy / "a.py").write_text("other", encoding="utf-8")
    (copy / "out" / "deep").mkdir(parents=True)
    (copy / "out" / "deep" / "report.txt").write_text("new", encoding="utf-8")
    (copy / "link").unlink()
    shutil.rmtree(copy / "data")
    (copy / "data").write_text("a file now", encoding="utf-8")
    copies.give_back(copy)
    assert copies.take() == copy
    assert texts(copy) == as_made
    assert sorted(path.name for path in copy.iterdir()) == [".venv", "a.py", "data", "empty", "link", "run.sh"]
    told = {(each.change, each.file) for each in copies.changed()}
    assert told == {
        ("created", "out/deep/report.txt"),
        ("changed", "a.py"),
        ("changed", "data"),
        ("removed", "data/b.json"),
        ("removed", "data/deep/c.txt"),
        ("removed", "link"),
    }
    assert ChangedFile("a.py", "changed", "copy") in copies.changed()


def test_a_copy_that_was_removed_is_made_again(root: Path, tmp_path: Path) -> None:
    copies = Copies(root, tmp_path / "copies", snapshot(root))
    copy = copies.take()
    as_made = texts(copy)
    shutil.rmtree(copy.parent)
    copies.restore(copy)
    assert texts(copy) == as_made


def test_nobody_gets_a_copy_that_is_in_use_unless_the_project_is_large(root: Path, tmp_path: Path) -> None:
    tree = snapshot(root)
    small = Copies(root, tmp_path / "small", tree)
    first, second = small.take(), small.take()
    assert first != second
    small.give_back(first)
    assert small.take() == first
    large = Copies(root, tmp_path / "large", {**tree, "a.py": Entry("file", 30_000_000)})
    first = large.take()
    (first / "new").write_text("x", encoding="utf-8")
    assert large.take() == first
    # Somebody is at work in it.
    assert (first / "new").exists()


def test_what_cannot_be_copied_is_said(root: Path, tmp_path: Path) -> None:
    tree = snapshot(root)
    (root / "a.py").unlink()
    copies = Copies(root, tmp_path / "copies", tree)
    with pytest.raises(CopyRefusedError, match=r"^it cannot be made: .*a\.py: No such file or directory$"):
        copies.take()
    assert not (tmp_path / "copies" / "1").exists()


def test_where_a_second_copy_cannot_be_made_there_is_one_for_all(root: Path, tmp_path: Path) -> None:
    copies = Copies(root, tmp_path / "copies", snapshot(root))
    copy = copies.take()
    (root / "a.py").unlink()
    assert copies.take() == copy


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        pytest.param("../b", "../b", id="beside it"),
        pytest.param("/p/data", "/c/data", id="into the project, from the root of the system"),
        pytest.param("../../shared", "/shared", id="out of the project"),
        pytest.param("/etc/hosts", "/etc/hosts", id="elsewhere"),
    ],
)
def test_links_do_not_lead_back_into_the_project(link: str, leads: str) -> None:
    assert leading(link, Path("/p"), "sub/link", Path("/c")) == leads
