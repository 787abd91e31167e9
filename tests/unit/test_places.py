"""Places of a comparison without git and installers: where they are, when they count, and what is said of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from toxscreen.errors import PlaceError
from toxscreen.perf import environments
from toxscreen.perf.places import _notes, _stale
from toxscreen.perf.shelf import NEW, OLD, Place, Shelf, cache_folder, files_below, remove_tree
from toxscreen.perf.trees import fingerprint, overlay


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"TOXSCREEN_CACHE": "/c ä", "XDG_CACHE_HOME": "/x"}, "/c ä"),
        ({"TOXSCREEN_CACHE": "", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/toxscreen"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/USUAL/toxscreen"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/USUAL/toxscreen"),
        ({"HOME": "/h"}, "/h/USUAL/toxscreen"),
    ],
)
def test_the_users_cache(variables: Mapping[str, str], folder: str) -> None:
    usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
    assert cache_folder(variables) == Path(folder.replace("USUAL", usual))


def test_a_relative_cache_is_below_the_working_directory() -> None:
    assert cache_folder({"TOXSCREEN_CACHE": "here"}) == Path.cwd() / "here"


def place(folder: Path, name: str = "old-0123456789ab-cdef01") -> Place:
    made = Place(folder / name, "root")
    made.tree.mkdir(parents=True)
    return made


def test_a_place_counts_once_it_is_finished(tmp_path: Path) -> None:
    made = place(tmp_path)
    (made.tree / "a.py").write_text("a", encoding="utf-8")
    assert (made.kind, made.stamp(), made.used(), made.restore()) == (OLD, None, 0.0, False)
    made.finish({"helper": "1.0"})
    stamp = made.stamp()
    assert stamp is not None
    status = (made.tree / "a.py").stat()
    assert (stamp.versions, stamp.files) == ({"helper": "1.0"}, {"a.py": (1, status.st_mtime_ns)})
    assert made.used() > 0


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"built": 1, "versions": 2, "files": 3}', '{"files": {"a": [1]}}']
)
def test_a_torn_stamp_is_none(tmp_path: Path, content: str) -> None:
    made = place(tmp_path)
    (made.folder / "complete.json").write_text(content, encoding="utf-8")
    assert made.stamp() is None


def test_what_was_added_to_a_place_goes_and_what_was_changed_spoils_it(tmp_path: Path) -> None:
    made = place(tmp_path)
    for name in ("a.py", "b.py", ".git"):
        (made.tree / name).write_text("a", encoding="utf-8")
    (made.tree / "link").symlink_to(made.tree)
    made.finish({})
    (made.tree / "deep/er").mkdir(parents=True)
    (made.tree / "deep/er/new.txt").write_text("x", encoding="utf-8")
    (made.tree / "__pycache__").mkdir()
    (made.tree / "__pycache__/a.pyc").write_text("x", encoding="utf-8")
    (made.tree / "another").symlink_to(tmp_path)
    (made.tree / ".git").write_text("git writes there", encoding="utf-8")
    assert made.restore()
    assert sorted(files_below(made.tree)) == ["a.py", "b.py", "link"]
    assert (made.tree / "__pycache__/a.pyc").exists()
    (made.tree / "a.py").write_text("longer", encoding="utf-8")
    assert not made.restore()
    made.finish({})
    os.utime(made.tree / "a.py", (1, 1))
    assert not made.restore()
    made.finish({})
    (made.tree / "a.py").unlink()
    assert not made.restore()


def test_the_place_used_last_comes_first(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, tmp_path / "root")
    first, second = shelf.new(OLD, "a" * 64), shelf.new(NEW, "a" * 64)
    assert [len(each.folder.name) for each in (first, second)] == [23, 23]
    for each in (first, second):
        each.finish({})
    unfinished = shelf.new(OLD, "b" * 64)
    (tmp_path / "old-of-somebody").mkdir()
    for each, when in ((first, 100), (second, 200)):
        os.utime(each.folder / "complete.json", (when, when))
    assert shelf.places() == [second, first, unfinished]
    first.use()
    assert shelf.places() == [first, second, unfinished]
    assert (shelf.find(OLD, "a" * 64), shelf.find(NEW, "a" * 64), shelf.find(NEW, "b" * 64)) == (first, second, None)


def test_a_folder_that_may_not_be_written_to_is_removed(tmp_path: Path) -> None:
    inner = tmp_path / "a/b"
    inner.mkdir(parents=True)
    (inner / "c").write_text("", encoding="utf-8")
    inner.chmod(0o500)
    remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    remove_tree(tmp_path / "a")


# trees


def test_a_fingerprint_is_of_names_content_links_and_modes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1", encoding="utf-8")
    (tmp_path / "l").symlink_to("a")
    assert fingerprint(tmp_path, []) == ""
    seen = [fingerprint(tmp_path, names) for names in (["a"], ["l"], ["b"], ["a", "b"], ["a", "l"])]
    (tmp_path / "a").write_text("2", encoding="utf-8")
    seen.append(fingerprint(tmp_path, ["a"]))
    (tmp_path / "a").chmod(0o755)
    seen.append(fingerprint(tmp_path, ["a"]))
    (tmp_path / "l").unlink()
    (tmp_path / "l").symlink_to("b")
    seen.append(fingerprint(tmp_path, ["l"]))
    assert len(set(seen)) == len(seen)
    # A folder has no content of its own.
    (tmp_path / "b").mkdir()
    assert fingerprint(tmp_path, ["b"]) == seen[2]


@pytest.mark.parametrize("where", ["top/config", "outside"])
def test_nothing_is_removed_through_a_link_that_was_a_folder(tmp_path: Path, where: str) -> None:
    top, tree, target = tmp_path / "top", tmp_path / "tree", tmp_path / where
    (tree / "conf").mkdir(parents=True)
    (tree / "conf" / "a.py").write_text("committed", encoding="utf-8")
    target.mkdir(parents=True)
    (target / "a.py").write_text("mine", encoding="utf-8")
    top.mkdir(exist_ok=True)
    (top / "conf").symlink_to(target)
    # As git lists it: the link is new, and the files of the folder are gone.
    names = ["conf", "conf/a.py"]
    overlay(top, tree, names)
    assert ((target / "a.py").read_text(encoding="utf-8"), (tree / "conf").readlink()) == ("mine", target)
    assert fingerprint(tree, names) == fingerprint(top, names)


def test_nothing_is_removed_through_a_link_that_is_a_folder_now(tmp_path: Path) -> None:
    top, tree, target = tmp_path / "top", tmp_path / "tree", tmp_path / "outside"
    for folder in (top / "conf", tree, target):
        folder.mkdir(parents=True)
    (target / "a.py").write_text("mine", encoding="utf-8")
    (tree / "conf").symlink_to(target)
    (top / "conf" / "b.py").write_text("new", encoding="utf-8")
    overlay(top, tree, ["conf", "conf/a.py", "conf/b.py"])
    assert [path.name for path in target.iterdir()] == ["a.py"]
    assert ((tree / "conf").is_symlink(), [path.name for path in (tree / "conf").iterdir()]) == (False, ["b.py"])


def test_a_file_that_cannot_be_copied_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1", encoding="utf-8")
    (tmp_path / "tree").write_text("no folder", encoding="utf-8")
    with pytest.raises(PlaceError) as raised:
        overlay(tmp_path, tmp_path / "tree", ["a"])
    assert raised.value.render() == f"{tmp_path / 'tree'}: cannot be copied: File exists [perf-place-unusable]"


# environments


def test_an_option_of_the_installer_stands_with_its_value() -> None:
    given = ("-r needs of mine.txt", " -e .", ".[perf]", "name >= 2", "--no-deps")
    assert environments.arguments(given) == ["-r", "needs of mine.txt", "-e", ".", ".[perf]", "name >= 2", "--no-deps"]


def test_an_installer_is_given_what_does_not_mislead_it() -> None:
    kept = {"PATH": "/bin", "HOME": "/h", "PIP_INDEX_URL": "x", "UV_OFFLINE": "1", "GIT_SSH_COMMAND": "ssh"}
    lost = (
        "PYTHONPATH",
        "PIP_TARGET",
        "GIT_DIR",
        "VIRTUAL_ENV",
        "TOX_WORK_DIR",
        "PYTEST_ADDOPTS",
        "COVERAGE_PROCESS_START",
    )
    assert environments.handed_on({**kept, **dict.fromkeys(lost, "x")}) == kept


@pytest.mark.parametrize(
    ("base", "candidate", "told"),
    [
        ({}, {}, ""),
        ({"a": "1"}, {"a": "1"}, ""),
        ({"a": "1", "b": "1"}, {"a": "2", "c": "3"}, "a 1 -> 2, b 1 only in the base, c 3 only in the candidate"),
    ],
)
def test_how_two_environments_differ(base: Mapping[str, str], candidate: Mapping[str, str], told: str) -> None:
    assert environments.differences(base, candidate) == told


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("$ pip install\n" + "".join(f"line {number}  \n\n" for number in range(20)), encoding="utf-8")
    assert environments.tail(log) == "\n  ".join(f"line {number}" for number in range(5, 20))
    log.write_bytes(b"\xff\n$ pip\n")
    assert environments.tail(log) == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ((0.0, "1"), (9999.0, "1"), None),
        ((0.0, "1"), (3600.0, "2"), None),
        ((0.0, "1"), (3601.0, "2"), OLD),
        ((3601.0, "1"), (0.0, "2"), NEW),
    ],
)
def test_of_two_builds_of_different_times_the_earlier_is_made_again(
    tmp_path: Path, old: tuple[float, str], new: tuple[float, str], stale: str | None
) -> None:
    places = place(tmp_path), place(tmp_path, "new-0123456789ab-cdef01")
    for each, (built, version) in zip(places, (old, new), strict=True):
        text = f'{{"built": {built}, "versions": {{"helper": "{version}"}}, "files": {{}}}}'
        (each.folder / "complete.json").write_text(text, encoding="utf-8")
    found = _stale(*places)
    assert (found and found.kind) == stale
    told = ("the environments differ beyond the project itself: helper 1 -> 2",) if old[1] != new[1] else ()
    assert _notes(*places) == told
    (places[1].tree / ".gitmodules").write_text("", encoding="utf-8")
    assert _notes(*places) == (*told, "submodules are not checked out: their folders are empty on both sides")
