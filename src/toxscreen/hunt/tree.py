"""The files of a project: what is there, and what has changed since. It reads, and decides nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

#: Files beyond which nobody looks for changes.
MOST_FILES: Final = 50_000
#: Folders that belong to tools, whatever lies in them; and folders that others have made and that are only read.
CACHES: Final = frozenset(
    {
        "__pycache__",
        ".benchmarks",
        ".hypothesis",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".toxscreen",
    }
)
MADE: Final = frozenset({".git", ".nox", ".tox", ".venv", "node_modules"})
#: What was done to a file, in the order in which it is told.
_CHANGES: Final = ("created", "changed", "removed")
_MOST_TOLD: Final = 3


class Entry(NamedTuple):
    """What is known of a path without reading it."""

    #: ``file``, ``folder``, or ``link`` with what it leads to.
    kind: str
    #: Bytes, of files only.
    size: int = 0
    mtime_ns: int = 0


#: Paths relative to a folder, with slashes.
Tree = dict[str, Entry]


class TooLargeError(Exception):
    """There is more than somebody was ready to look at; the text says what."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that is not what it was."""

    file: str
    #: ``created``, ``changed`` or ``removed``.
    change: str
    #: ``project``, or ``copy``: that of the project in which probes ran.
    where: str


def snapshot(
    root: Path, *, most_files: int = MOST_FILES, most_bytes: int | None = None, without: Path | None = None
) -> Tree:
    """What lies in a folder, but for version control, environments and caches.

    Args:
        root: the folder.
        most_files: how many files and folders to look at.
        most_bytes: how large all files may be together.
        without: a folder in it that is left out.

    Raises:
        TooLargeError: there are more files or bytes than that.
    """
    found: Tree = {}
    size = 0
    for path, entry in _walk(os.fspath(root), "", os.fspath(without) if without else None):
        found[path] = entry
        size += entry.size
        if len(found) > most_files:
            raise TooLargeError(f"it has more than {most_files} files")
        if most_bytes is not None and size > most_bytes:
            raise TooLargeError(f"its files are larger than {most_bytes // 1_000_000} MB")
    return found


def _walk(folder: str, prefix: str, without: str | None) -> Iterator[tuple[str, Entry]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        # It went away, or nobody may look.
        return
    for each in entries:
        path = prefix + each.name
        try:
            if each.is_symlink():
                if each.name not in MADE:
                    yield path, Entry(f"link {Path(each.path).readlink()}")
            elif each.is_dir():
                if not _is_left_out(each.name) and not _is_environment(each.path) and each.path != without:
                    yield path, Entry("folder")
                    yield from _walk(each.path, f"{path}/", without)
            elif each.is_file() and not _is_left_out(each.name):
                status = each.stat()
                yield path, Entry("file", status.st_size, status.st_mtime_ns)
        except OSError:
            continue


def _is_left_out(name: str) -> bool:
    """Whether it is the name of version control, an environment, a cache or measured coverage."""
    return name in CACHES or name in MADE or name == ".coverage" or name.startswith(".coverage.")


def _is_environment(folder: str) -> bool:
    return Path(folder, "pyvenv.cfg").exists()


def made(root: Path) -> list[str]:
    """Names of environments and version control at the top of a folder: tests may read them."""
    try:
        found = [each for each in root.iterdir() if each.is_dir()]
    except OSError:
        return []
    return sorted(each.name for each in found if each.name in MADE or _is_environment(os.fspath(each)))


def differences(before: Tree, after: Tree, where: str = "project") -> tuple[ChangedFile, ...]:
    """What was created, changed and removed; folders only where nothing in them says it already.

    Args:
        before: what was there.
        after: what is there.
        where: whose files these are.
    """
    found = {
        "created": [path for path in after if path not in before],
        "changed": [path for path in after if path in before and after[path] != before[path]],
        "removed": [path for path in before if path not in after],
    }
    told = []
    for change in _CHANGES:
        paths = found[change]
        said = {path.rpartition("/")[0] for path in paths}
        told += [ChangedFile(path, change, where) for path in sorted(paths) if path not in said]
    return tuple(told)


def in_words(changes: Sequence[ChangedFile]) -> str:
    """The first changes, and how many more there are: ``created out/a.txt, changed b.json (and 3 more)``."""
    first = ", ".join(f"{each.change} {each.file}" for each in changes[:_MOST_TOLD])
    more = len(changes) - _MOST_TOLD
    return f"{first} (and {more} more)" if more > 0 else first
