"""Copies of a project in which probes run, so that what they do to its files is done to nobody's."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

from toxscreen.hunt.tree import ChangedFile, TooLargeError, Tree, differences, made, snapshot

#: A project that is larger is hunted through where it lies.
MOST_FILES: Final = 20_000
MOST_BYTES: Final = 200_000_000
#: So small a project gets a copy for each fresh interpreter that runs at a time.
_FEW_FILES: Final = 2_000
_FEW_BYTES: Final = 20_000_000


class CopyRefusedError(Exception):
    """The suite cannot be hunted through in a copy; the text says why, about the copy as "it"."""


class Copies:
    """Copies of one project; whoever takes one that is free finds it as it was made.

    Args:
        root: of the project.
        folder: for the copies.
        tree: what the project consists of.
    """

    def __init__(self, root: Path, folder: Path, tree: Tree) -> None:
        self.root = root
        self._folder = folder
        self._tree = tree
        self._is_small = len(tree) <= _FEW_FILES and sum(each.size for each in tree.values()) <= _FEW_BYTES
        #: What each copy was like when it was made, and how many use it.
        self._fresh: dict[Path, Tree] = {}
        self._users: dict[Path, int] = {}
        self._changed: dict[ChangedFile, None] = {}

    def take(self) -> Path:
        """A copy; of a large project always the same one.

        Raises:
            CopyRefusedError: it cannot be made: the disk is full, or a file may not be read.
        """
        free = next((copy for copy, users in self._users.items() if not users), None)
        if free is not None:
            self.restore(free)
        elif self._users and not self._is_small:
            free = next(iter(self._users))
        else:
            try:
                free = self._make()
            except CopyRefusedError:
                if not self._users:
                    raise
                # One for all is better than none.
                free = next(iter(self._users))
        self._users[free] = self._users.get(free, 0) + 1
        return free

    def give_back(self, copy: Path) -> None:
        """It is used no more."""
        self._users[copy] -= 1

    def restore(self, copy: Path) -> None:
        """Make it what it was, as far as the system lets us, and remember what was done to it."""
        try:
            changes = self._look_at(copy)
        except TooLargeError:
            # Its folder itself stays: processes stand in it.
            for path in copy.iterdir():
                _remove(path)
            changes = differences(self._fresh[copy], snapshot(copy))
        if not changes:
            return
        for each in changes:
            if each.change != "removed":
                _remove(copy / each.file)
        with contextlib.suppress(OSError):
            copy.mkdir(parents=True, exist_ok=True)
        for each in changes:
            if each.change != "created":
                with contextlib.suppress(OSError):
                    (copy / each.file).parent.mkdir(parents=True, exist_ok=True)
                    self._copy(each.file, copy)
        for folder in sorted(set(snapshot(copy)) - set(self._fresh[copy]), reverse=True):
            # They held files that were created.
            with contextlib.suppress(OSError):
                (copy / folder).rmdir()

    def changed(self) -> tuple[ChangedFile, ...]:
        """All that was done to copies, each file once."""
        for copy in self._fresh:
            with contextlib.suppress(TooLargeError):
                self._look_at(copy)
        return tuple(self._changed)

    def _look_at(self, copy: Path) -> tuple[ChangedFile, ...]:
        changes = differences(self._fresh[copy], snapshot(copy), "copy")
        self._changed |= dict.fromkeys(changes)
        return changes

    def _make(self) -> Path:
        # The last part of the path stays: it may be the name of a package.
        copy = self._folder / str(len(self._users) + 1) / (self.root.name or "root")
        try:
            copy.mkdir(parents=True)
            for path in self._tree:
                self._copy(path, copy)
            for name in made(self.root):
                # Environments and their like are read, and too large to be copied; a repository would be written to.
                if name != ".git":
                    self._copy(name, copy)
        except OSError as error:
            shutil.rmtree(copy.parent, ignore_errors=True)
            raise CopyRefusedError(f"it cannot be made: {error.filename or copy}: {error.strerror}") from None
        self._fresh[copy] = snapshot(copy)
        return copy

    def _copy(self, path: str, copy: Path) -> None:
        source, target = self.root / path, copy / path
        entry = self._tree.get(path)
        if entry is None:
            target.symlink_to(source)
        elif entry.kind == "folder":
            target.mkdir(exist_ok=True)
        elif entry.kind == "file":
            shutil.copy2(source, target)
        else:
            target.symlink_to(leading(entry.kind.removeprefix("link "), self.root, path, copy))


def leading(link: str, root: Path, path: str, copy: Path) -> str:
    """Where a link in a copy leads: into the copy where it led into the project, otherwise to what it led to.

    Args:
        link: where it leads in the project.
        root: of the project.
        path: of the link, relative to the root.
        copy: of the project.
    """
    full = Path(os.path.normpath(root / Path(path).parent / link))
    if not full.is_relative_to(root):
        return os.fspath(full)
    return os.fspath(copy / full.relative_to(root)) if Path(link).is_absolute() else link


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()
