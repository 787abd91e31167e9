"""What has changed since the base: which lines of which files are new."""

from __future__ import annotations

from pathlib import Path

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from toxscreen import host
from toxscreen.analysis.base import hint_for
from toxscreen.errors import BaseError
from toxscreen.model import Base, Changes


def find_changes(root: Path, base: Base) -> Changes:
    """What differs between a base and the files as they are, untracked files included.

    Args:
        root: the project's root.
        base: the revision.

    Raises:
        BaseError: git cannot compare with it.
    """
    text = host.git_diff(root, base.commit)
    if text is None:
        raise BaseError(f"git cannot compare with {base.commit[:12]}", hint=hint_for(root))
    try:
        patch = PatchSet(text)
    except UnidiffParseError as error:
        raise BaseError(f"what git says of {base.commit[:12]} cannot be read: {error}") from None
    lines: dict[str, frozenset[int]] = {}
    added, binary = set[str](), set[str]()
    for file in patch:
        if file.is_removed_file:
            continue
        if file.is_binary_file:
            binary.add(file.path)
        if file.is_added_file:
            added.add(file.path)
        new = {line.target_line_no for hunk in file for line in hunk if line.is_added}
        lines[file.path] = frozenset(number for number in new if number is not None)
    for name in host.git_untracked(root) or ():
        added.add(name)
        try:
            count = len((root / name).read_text(encoding="utf-8").splitlines())
        except (OSError, ValueError):
            binary.add(name)
            count = 0
        lines[name] = frozenset(range(1, count + 1))
    return Changes(base, lines, frozenset(added), frozenset(binary))
