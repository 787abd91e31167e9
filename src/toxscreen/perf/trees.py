"""Working trees of git: a revision as it was committed, and the user's own as it is now."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from toxscreen import host
from toxscreen.errors import Place as Where
from toxscreen.errors import PlaceError

#: Made by running things; where nobody has told git to ignore them they are no part of the sources all the same.
_MADE: Final = frozenset(
    {
        "__pycache__",
        ".benchmarks",
        ".hypothesis",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
        ".toxscreen",
    }
)


def check_out(top: Path, tree: Path, commit: str) -> None:
    """Put a commit's files into a folder: a worktree, or a clone where git may not write to the repository.

    Args:
        top: the top folder of the repository.
        tree: the folder, not there yet.
        commit: its full id.

    Raises:
        PlaceError: git does neither.
    """
    if host.git_add_worktree(top, tree, commit):
        return
    shutil.rmtree(tree, ignore_errors=True)
    if not host.git_add_clone(top, tree, commit):
        hint = "look at what `git worktree add` and `git clone --shared` say of it"
        raise PlaceError(f"git checks {commit[:12]} out neither into a worktree nor into a clone", hint=hint)


def changed(top: Path) -> list[str]:
    """Files that differ from the commit, untracked ones included, but for what only running things has made.

    Args:
        top: the top folder of the repository; the files are relative to it.

    Raises:
        PlaceError: git does not say.
    """
    edited, untracked = host.git_edited(top), host.git_untracked(top)
    if edited is None or untracked is None:
        hint = "look at what `git diff HEAD` and `git ls-files --others` say, and how long they take"
        raise PlaceError("git does not say what is not committed", place=Where(os.fspath(top)), hint=hint)
    # A repository inside of this one is listed as a folder.
    own = (name for name in untracked if _MADE.isdisjoint(PurePosixPath(name).parts))
    return sorted({*edited, *(name for name in own if not name.endswith("/"))})


def fingerprint(tree: Path, names: Sequence[str]) -> str:
    """What some files contain and whether they can be run; empty for no files.

    Args:
        tree: the folder that they are relative to.
        names: the files; they need not be there.
    """
    digest = hashlib.sha256()
    for name in names:
        content = b"gone" if _is_beyond_a_link(tree, name) else _content(tree / name)
        digest.update(os.fsencode(name) + b"\0" + content + b"\0")
    return digest.hexdigest() if names else ""


def _is_beyond_a_link(top: Path, name: str) -> bool:
    """Whether a file lies in a folder that is a link by now: then it is somewhere else, and no part of the tree."""
    return any((top / parent).is_symlink() for parent in PurePosixPath(name).parents)


def _content(path: Path) -> bytes:
    try:
        if path.is_symlink():
            return b"link " + os.fsencode(path.readlink())
        if not path.is_file():
            # Of a folder the files are compared, and a pipe or a socket is no content.
            return b"gone"
        with path.open("rb") as file:
            mode = b"x " if os.access(path, os.X_OK) else b"- "
            return mode + hashlib.file_digest(file, "sha256").digest()
    except FileNotFoundError:
        return b"gone"
    except OSError as error:
        return f"unreadable {error.errno}".encode()


def overlay(top: Path, tree: Path, names: Sequence[str]) -> None:
    """Make a tree of the last commit what the user's own is now.

    Args:
        top: the user's own, the top folder of the repository.
        tree: of the commit that is checked out there.
        names: files that differ.

    Raises:
        PlaceError: a file cannot be copied.
    """
    own = [name for name in names if not _is_beyond_a_link(top, name)]
    there = [name for name in own if (top / name).is_symlink() or (top / name).is_file()]
    try:
        for name in set(names).difference(there):
            # What lies beyond a link of the commit is not ours to remove.
            if not _is_beyond_a_link(tree, name) and not _is_folder(tree / name):
                with contextlib.suppress(NotADirectoryError):
                    (tree / name).unlink(missing_ok=True)
        for name in there:
            with contextlib.suppress(FileNotFoundError):
                _copy(top / name, tree / name)
    except OSError as error:
        where = Where(str(error.filename or top))
        raise PlaceError(f"cannot be copied: {error.strerror or error}", place=where) from None


def _copy(source: Path, target: Path) -> None:
    if _is_folder(target):
        # A file has taken the place of a folder, whose files were removed above.
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
