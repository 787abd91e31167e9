"""The places of a comparison: the base and the working tree side by side, each installed in an environment of its own.

Nothing of the user's checkout is touched. Both lie below the user's cache, and what is finished there is used again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from toxscreen import host
from toxscreen.analysis.base import find_base, find_revision
from toxscreen.errors import BaseError, BuildError, PlaceError, raise_together
from toxscreen.errors import Place as Where
from toxscreen.model import Revision
from toxscreen.perf import environments, trees
from toxscreen.perf.shelf import NEW, OLD, Place, Shelf, shelf
from toxscreen.perf.side import Side

#: Raised when places made by earlier versions of this are of no use any more.
_FORMAT: Final = "1"
#: Between two builds that count as made at the same time, in seconds: packages are released meanwhile.
_TOGETHER: Final = 3600.0
#: How often a tree is copied that changes meanwhile.
_ATTEMPTS: Final = 3
_SIDES: Final = {OLD: "base", NEW: "candidate"}


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """How places are made."""

    #: For the installer, relative to each side's own folder.
    install: tuple[str, ...] = (".",)
    #: A file of constraints on versions, for both sides; relative to the project's root.
    constraints: Path | None = None
    #: The revision that the settings name, for when nobody named one: the base is where the branch left it.
    usual: str | None = None
    #: The interpreter that environments are made with.
    python: Path = field(default_factory=lambda: Path(sys.executable))
    #: What a side needs besides what it installs itself.
    requires: tuple[str, ...] = ("pytest-benchmark",)
    #: How many places are kept for later, the two in use included.
    keep: int = 4
    #: Seconds that making or filling one environment may take.
    seconds: float = 1200.0
    #: Environment variables.
    variables: Mapping[str, str] = field(default_factory=host.environment)


class Places:
    """Both sides, until they are left."""

    def __init__(
        self, base: Side, candidate: Side, work: Path, notes: tuple[str, ...], leave: contextlib.ExitStack
    ) -> None:
        self.base = base
        self.candidate = candidate
        #: A folder for what is needed meanwhile; where it is left behind, the next run removes it.
        self.work = work
        #: What else there is to say of them.
        self.notes = notes
        self._leave = leave

    def close(self) -> None:
        """Let others have the places; what need not be kept is removed."""
        self._leave.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def prepare(root: Path, against: str | None, options: PlaceOptions, tell: Callable[[str], None]) -> Places:
    """Make or find the places of the base and of the working tree as it is.

    Args:
        root: the project's root.
        against: a revision that somebody named, which is taken as it is; otherwise see :func:`find_base`.
        options: how they are made.
        tell: is told what goes on, in words.

    Returns:
        A context manager. Another comparison of the same repository waits until it is left.

    Raises:
        BaseError: there is no base.
        PlaceError: a place cannot be made.
        BuildError: a revision cannot be installed.
        ErrorGroup: neither can.
    """
    base = _base(root, against, options)
    top = host.git_toplevel(root)
    if top is None:
        raise BaseError("there is no git repository", hint="make this folder a git repository and commit")
    uv = environments.find_uv(options.variables)
    constraints = (root / options.constraints).absolute() if options.constraints is not None else None
    recipe = environments.Recipe(
        options.python, options.install, options.requires, constraints, uv, options.seconds, options.variables
    )
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(shelf(top, options.variables, tell))
        found.prune(max(options.keep, len(_SIDES)))
        stack.callback(_tidy, found, options.keep)
        work = _Work(found, root, top, recipe, tell)
        return work.places(base, stack.pop_all)


def _base(root: Path, against: str | None, options: PlaceOptions) -> Revision:
    if against is not None:
        base = find_revision(root, against)
    else:
        base = find_base(root, None, options.variables, options.usual, setting="perf.against")
    return Revision(base.source, base.commit)


def _tidy(found: Shelf, keep: int) -> None:
    found.sweep()
    found.prune(keep)


class _Work:
    """Makes the places of one comparison.

    Args:
        found: where they are kept.
        root: the project's root.
        top: the top folder of its repository.
        recipe: of the environments.
        tell: is told what goes on.
    """

    def __init__(
        self,
        found: Shelf,
        root: Path,
        top: Path,
        recipe: environments.Recipe,
        tell: Callable[[str], None],
    ) -> None:
        self._shelf, self._top, self._recipe = found, top, recipe
        self._tell = tell
        self._below = Path(os.path.realpath(root)).relative_to(os.path.realpath(top))
        self._same = [_FORMAT, self._below.as_posix(), *recipe.identity()]

    def places(self, base: Revision, stay: Callable[[], contextlib.ExitStack]) -> Places:
        """Both sides; ``stay`` is called once they are there."""
        ways = {OLD: lambda: self._old(base), NEW: self._new}
        made = self._made(ways)
        stale = _stale(made[OLD][1], made[NEW][1])
        if stale is not None:
            self._tell(f"{_SIDES[stale.kind]}: its packages are of another day than the other side's")
            self._shelf.remove(stale)
            made |= self._made({stale.kind: ways[stale.kind]})
        (_, earlier), (candidate, later) = made[OLD], made[NEW]
        sides = self._side(earlier, base), self._side(later, candidate)
        return Places(*sides, self._work_folder(), _notes(earlier, later), stay())

    def _work_folder(self) -> Path:
        try:
            return self._shelf.work()
        except OSError as error:
            told = f"no folder for temporary files can be made: {error.strerror or error}"
            raise PlaceError(told, hint="make room, or set TMPDIR") from None

    def _side(self, place: Place, revision: Revision) -> Side:
        return Side(place.tree / self._below, environments.interpreter(place.environment), revision)

    def _made(self, ways: Mapping[str, Callable[[], tuple[Revision, Place]]]) -> dict[str, tuple[Revision, Place]]:
        """Sides by their kind; why several cannot be built is told together."""
        found, errors = {}, list[BuildError]()
        for kind, make in ways.items():
            try:
                found[kind] = make()
            except OSError as error:
                told = f"its place cannot be made: {error.strerror or error}"
                raise PlaceError(told, place=Where(key=_SIDES[kind])) from None
            except BuildError as error:
                errors.append(error)
        raise_together(errors)
        return found

    def _old(self, base: Revision) -> tuple[Revision, Place]:
        """The base's place, from before or made now."""
        key = self._key(base.commit, "")
        known = self._known(OLD, key)
        if known is None:
            known = self._checked_out(OLD, key, base.commit or "")
            self._finish(known)
        return base, known

    def _new(self) -> tuple[Revision, Place]:
        """The working tree's place, from before or made now."""
        for _ in range(_ATTEMPTS):
            commit, names = host.git_commit(self._top), trees.changed(self._top)
            edits = trees.fingerprint(self._top, names)
            candidate = Revision("the working tree", commit, dirty=bool(names))
            key = self._key(commit, edits)
            known = self._known(NEW, key)
            if known is not None:
                return candidate, known
            place = self._checked_out(NEW, key, commit or "")
            trees.overlay(self._top, place.tree, names)
            if trees.fingerprint(place.tree, names) == edits:
                self._finish(place)
                return candidate, place
            self._shelf.remove(place)
        raise PlaceError("the working tree changes while it is copied", hint="measure when nobody writes to it")

    def _key(self, commit: str | None, edits: str) -> str:
        return hashlib.sha256(json.dumps([*self._same, commit, edits]).encode()).hexdigest()

    def _known(self, kind: str, key: str) -> Place | None:
        """A place from before, as it was when it was made."""
        known = self._shelf.find(kind, key)
        if known is None:
            return None
        if self._is_whole(known):
            known.use()
            self._tell(f"{_SIDES[kind]}: is there already")
            return known
        self._tell(f"{_SIDES[kind]}: was there, but has been changed since")
        self._shelf.remove(known)
        return None

    def _is_whole(self, place: Place) -> bool:
        stamp = place.stamp()
        found = environments.versions(place.environment, self._recipe.variables)
        return stamp is not None and found == stamp.versions and place.restore()

    def _checked_out(self, kind: str, key: str, commit: str) -> Place:
        place = self._shelf.new(kind, key)
        self._tell(f"{_SIDES[kind]}: checks out {commit[:12]}")
        trees.check_out(self._top, place.tree, commit)
        return place

    def _finish(self, place: Place) -> None:
        """Build the environment of a place whose tree is as it is to be."""
        side, project, log = _SIDES[place.kind], place.tree / self._below, place.folder / "build.log"
        if not project.is_dir():
            told = f"the project's folder {self._below.as_posix()!r} is not there"
            raise BaseError(told, place=Where(key=side), hint="name a revision that has it: --against REV")
        self._tell(f"{side}: builds its environment with {'pip' if self._recipe.uv is None else 'uv'}")
        try:
            environments.build(place.environment, project, self._recipe, log, side)
        except BuildError as error:
            # The place itself goes, and the log is worth more than one look.
            kept = self._shelf.log(place.kind)
            shutil.copyfile(log, kept)
            hint = "\n  ".join(filter(None, (error.hint, f"the whole log: {kept}")))
            raise BuildError(error.message, place=error.place, hint=hint) from None
        place.finish(self._versions(place, side))

    def _versions(self, place: Place, side: str) -> dict[str, str]:
        found = environments.versions(place.environment, self._recipe.variables)
        if found is None:
            raise BuildError("the Python of its environment does not start", place=Where(key=side))
        return found


def _stale(old: Place, new: Place) -> Place | None:
    """The older of two places whose packages differ and that were made at different times."""
    one, other = old.stamp(), new.stamp()
    if one is None or other is None or one.versions == other.versions or abs(one.built - other.built) <= _TOGETHER:
        return None
    return old if one.built < other.built else new


def _notes(old: Place, new: Place) -> tuple[str, ...]:
    one, other = old.stamp(), new.stamp()
    told = environments.differences(one.versions, other.versions) if one and other else ""
    notes = [f"the environments differ beyond the project itself: {told}"] if told else []
    if any((place.tree / ".gitmodules").exists() for place in (old, new)):
        notes.append("submodules are not checked out: their folders are empty on both sides")
    return tuple(notes)
