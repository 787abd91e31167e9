"""Where a hunt takes place: in copies of the project or in the project itself, in a sandbox or not; what changed."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.hunt import sandbox
from toxscreen.hunt.copies import MOST_BYTES, MOST_FILES, Copies
from toxscreen.hunt.hunter import Hunted
from toxscreen.hunt.lab import Limits
from toxscreen.hunt.record import Record, fingerprint
from toxscreen.hunt.target import Target
from toxscreen.hunt.tree import ChangedFile, TooLargeError, Tree, differences, in_words, snapshot

_REFUSED: Final = f"[Errno {errno.EROFS}]"


class Workplace:
    """The place of one hunt.

    Args:
        target: the suite, in its own place.
        folder: the hunt's own.
        in_place: make no copy.
        in_sandbox: let probes write nowhere else.

    Raises:
        MissingToolError: bubblewrap is to be used and not installed.
        HuntError: bubblewrap does not work here.
    """

    def __init__(self, target: Target, folder: Path, *, in_place: bool, in_sandbox: bool) -> None:
        self._folder = folder
        self._root = target.root
        self._notes: list[str] = []
        #: The suite, as it is to be hunted through.
        self.target = target
        if in_sandbox:
            self.target = replace(target, sandbox=(sandbox.program(target.root, folder), folder))
        self._before: Tree | None = None
        try:
            self._before = snapshot(self._root, without=folder)
        except TooLargeError as error:
            self._notes.append(f"what probes change in the project's folder is not looked at: {error}")
        if not in_place:
            self._make_copies()

    def _make_copies(self) -> None:
        try:
            tree = snapshot(self._root, most_files=MOST_FILES, most_bytes=MOST_BYTES, without=self._folder)
        except TooLargeError as error:
            self._notes.append(f"no copy of the project was made: {error}")
            return
        self.target = replace(self.target, copies=Copies(self._root, self._folder / "copies", tree))

    def give_up_copies(self, reason: str) -> None:
        """Go on in the project itself.

        Args:
            reason: why, in words that say "it" for the copy.
        """
        self._notes.append(f"hunted in the project's own folder, since a copy does not do: {reason}")
        self.target = replace(self.target, copies=None)

    def record(self, limits: Limits, *, anew: bool) -> Record | None:
        """The record of the hunt; None, and a note, where it cannot be kept.

        Args:
            limits: of the hunt.
            anew: do not go on with a hunt that was cut short.
        """
        if self._before is None:
            return None
        mark = fingerprint(self.target, self._before, limits.seed)
        try:
            return Record(self._root, mark, host.CLOCK.wall(), anew=anew)
        except OSError as error:
            self._notes.append(f"the hunt is not recorded, so it cannot be gone on with: {error.strerror}")
            return None

    def told(self, hunted: Hunted) -> Hunted:
        """What came of a hunt, with what it did to files."""
        copied = self._copied()
        changed: tuple[ChangedFile, ...] = ()
        if self._before is not None:
            try:
                changed = differences(self._before, snapshot(self._root, without=self._folder))
            except TooLargeError as error:
                self._notes.append(f"what probes changed in the project's folder was not looked at: {error}")
        notes = list(self._notes)
        if copied:
            notes.append(f"the probes changed files in copies of the project: {in_words(copied)}")
        if changed:
            whose = "the project's files, though it was copied" if self.target.copies else "the project's files"
            notes.append(f"the probes changed {whose}: {in_words(changed)}")
        refused = [each.node_id for each in hunted.findings if _REFUSED in (each.text or "")]
        if refused and self.target.sandbox is not None:
            notes.append(f"the sandbox may be the reason, since it is read-only outside of the project: {refused[0]}")
        return replace(hunted, notes=(*hunted.notes, *notes), changed_files=(*changed, *copied))

    def _copied(self) -> tuple[ChangedFile, ...]:
        return self.target.copies.changed() if self.target.copies else ()
