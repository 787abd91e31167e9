"""Where a project's places are kept: a folder below the user's cache, one run at a time, finished ones used again.

A place is a folder with a working tree and an environment. It counts only once it is stamped: what a run that was
killed has left behind has no stamp and is taken away by the next one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from toxscreen import host
from toxscreen.errors import Place as Where
from toxscreen.errors import PlaceError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

#: Names the folder in which all projects' places lie.
VARIABLE: Final = "TOXSCREEN_CACHE"
#: Places begin with one of these; they are of one length, so that paths are, too: their lengths are seen in times.
OLD, NEW = "old", "new"
_NAME: Final = re.compile(f"(?:{OLD}|{NEW})-[0-9a-f]{{12}}-[0-9a-f]{{6}}")
_STAMP: Final = "complete.json"
_ORIGIN: Final = "project"
_LOCK: Final = "lock"
#: Holds the path of the folder that the run under way works in; its own paths are short, for sockets in it.
_WORK: Final = "work"
_WORK_BEGINS: Final = "toxscreen-perf-"
#: Seconds between two looks at a lock that another has.
_PATIENCE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is known of a finished place."""

    #: Seconds since the epoch.
    built: float
    #: Of the packages in its environment, the project itself left out.
    versions: Mapping[str, str]
    #: Size and time of each file that was there when it was finished.
    files: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder for one side.

    Args:
        folder: the place.
        name: of the working tree's folder; it may be the name of a package.
    """

    folder: Path
    name: str

    @property
    def kind(self) -> str:
        """``OLD`` or ``NEW``."""
        return self.folder.name.partition("-")[0]

    @property
    def tree(self) -> Path:
        """The working tree, as large as the repository."""
        return self.folder / "tree" / self.name

    @property
    def environment(self) -> Path:
        """The folder of the virtual environment."""
        return self.folder / "env"

    def stamp(self) -> Stamp | None:
        """What is known of it; None where it was never finished."""
        try:
            told = json.loads((self.folder / _STAMP).read_text(encoding="utf-8"))
            files = {name: (int(size), int(time)) for name, (size, time) in told["files"].items()}
            return Stamp(float(told["built"]), dict(told["versions"]), files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def finish(self, versions: Mapping[str, str]) -> None:
        """From now on it may be used again.

        Raises:
            OSError: the stamp cannot be written.
        """
        told = {"built": host.CLOCK.wall(), "versions": dict(versions), "files": files_below(self.tree)}
        beside = self.folder / f"{_STAMP}.new"
        beside.write_text(json.dumps(told, ensure_ascii=True), encoding="utf-8")
        beside.replace(self.folder / _STAMP)

    def restore(self) -> bool:
        """Take away what has been added to the tree since it was finished, but for bytecode.

        Returns:
            Whether it is now as it was; False where a file was changed or removed.
        """
        stamp = self.stamp()
        if stamp is None:
            return False
        now = files_below(self.tree)
        if any(now.get(name) != known for name, known in stamp.files.items()):
            return False
        for name in now.keys() - stamp.files.keys():
            with contextlib.suppress(OSError):
                (self.tree / name).unlink()
        return files_below(self.tree).keys() == stamp.files.keys()

    def use(self) -> None:
        """It is the one used last."""
        with contextlib.suppress(OSError):
            os.utime(self.folder / _STAMP)

    def used(self) -> float:
        """When it was used last; 0 where it was never finished."""
        try:
            return (self.folder / _STAMP).stat().st_mtime
        except OSError:
            return 0.0


class Shelf:
    """A project's places. Whoever has it has the lock.

    Args:
        folder: of the project's places.
        top: the top folder of its repository.
    """

    def __init__(self, folder: Path, top: Path) -> None:
        self.folder = folder
        self._top = top

    def places(self) -> list[Place]:
        """All places, the one used last first; unfinished ones last."""
        found = [Place(each, self._tree_name()) for each in self.folder.iterdir() if _NAME.fullmatch(each.name)]
        return sorted(found, key=Place.used, reverse=True)

    def find(self, kind: str, key: str) -> Place | None:
        """A finished place.

        Args:
            kind: ``OLD`` or ``NEW``.
            key: what its content is known by.
        """
        return next((each for each in self.places() if each.folder.name.startswith(self._begin(kind, key))), None)

    def new(self, kind: str, key: str) -> Place:
        """An unfinished place, its folder made. No two have ever the same name: an installer may outlive its run.

        Raises:
            OSError: it cannot be made.
        """
        place = Place(self.folder / f"{self._begin(kind, key)}{secrets.token_hex(3)}", self._tree_name())
        place.tree.parent.mkdir(parents=True)
        return place

    def work(self) -> Path:
        """A new folder for what one run needs only while it lasts, among the system's temporary files.

        Raises:
            OSError: it cannot be made.
        """
        self._remove_work()
        folder = Path(tempfile.mkdtemp(prefix=_WORK_BEGINS))
        (self.folder / _WORK).write_bytes(os.fsencode(folder))
        return folder

    def _remove_work(self) -> None:
        """Take the last run's folder away."""
        with contextlib.suppress(OSError):
            folder = Path(os.fsdecode((self.folder / _WORK).read_bytes()))
            if folder.name.startswith(_WORK_BEGINS):
                remove_tree(folder)
            (self.folder / _WORK).unlink()

    def log(self, kind: str) -> Path:
        """The file that keeps what a failed installer printed."""
        return self.folder / f"{kind}.log"

    def remove(self, place: Place) -> None:
        """Take a place away; git knows nothing of it afterwards."""
        # Whatever becomes of the rest, it does not count any more.
        with contextlib.suppress(OSError):
            (place.folder / _STAMP).unlink()
        host.git_remove_worktree(self._top, place.tree)
        remove_tree(place.folder)
        # Of a folder that somebody else removed git still knows.
        host.git_remove_worktree(self._top, place.tree)

    def sweep(self) -> int:
        """Take away what was never finished, what a run worked with, and what git knows of places that are gone.

        Returns:
            How many were never finished.
        """
        self._remove_work()
        left = [place for place in self.places() if place.stamp() is None]
        for place in left:
            self.remove(place)
        for tree in host.git_worktrees(self._top):
            if tree.parent.parent.parent == self.folder and not tree.exists():
                host.git_remove_worktree(self._top, tree)
        return len(left)

    def prune(self, keep: int) -> None:
        """Take away all but so many places, those used last."""
        for place in self.places()[keep:]:
            self.remove(place)

    def _tree_name(self) -> str:
        return self._top.name or "root"

    def _begin(self, kind: str, key: str) -> str:
        return f"{kind}-{key[:12]}-"


@contextlib.contextmanager
def shelf(top: Path, variables: Mapping[str, str], tell: Callable[[str], None]) -> Iterator[Shelf]:
    """The places of a project, for as long as they are needed; another run waits meanwhile.

    Args:
        top: the top folder of the project's repository.
        variables: environment variables.
        tell: is told that another run has them.

    Raises:
        PlaceError: the cache cannot be written.
    """
    real = Path(os.path.realpath(top))
    cache = cache_folder(variables)
    folder = Path(os.path.realpath(cache)) / f"{_plain(real.name)}-{_digest(os.fspath(real))}"
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(_locked(folder, tell))
            (folder / _ORIGIN).write_bytes(os.fsencode(real))
            found = Shelf(folder, real)
            left = found.sweep()
            _forget_lost_projects(folder.parent, folder)
        except OSError as error:
            hint = f"make room, or set {VARIABLE} to a folder that can be written to"
            told = f"cannot be used: {error.strerror or error}"
            raise PlaceError(told, place=Where(os.fspath(folder)), hint=hint) from None
        if left:
            tell(f"removed what {left} interrupted {'run has' if left == 1 else 'runs have'} left behind")
        yield found


def cache_folder(variables: Mapping[str, str]) -> Path:
    """Where all projects' places lie: what ``TOXSCREEN_CACHE`` names, else ``toxscreen`` in the user's cache.

    Args:
        variables: environment variables.
    """
    own = variables.get(VARIABLE)
    if own:
        return Path(own).expanduser().absolute()
    if os.name == "nt":  # pragma: no cover - Windows
        local = variables.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "toxscreen" / "Cache"
    home = Path(variables["HOME"]) if variables.get("HOME") else Path.home()
    usual = variables.get("XDG_CACHE_HOME", "")
    # The specification of XDG says that a relative one is to be ignored.
    if Path(usual).is_absolute():
        return Path(usual) / "toxscreen"
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "toxscreen"


def files_below(tree: Path) -> dict[str, tuple[int, int]]:
    """Size and time, in nanoseconds, of all files below a folder but git's own and bytecode; links are not followed."""
    found = {}
    for folder, folders, files in os.walk(tree):
        folders[:] = [name for name in folders if name not in {".git", "__pycache__"}]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118 - many
        for name in (*files, *links):
            path = os.path.join(folder, name)  # noqa: PTH118 - there are many
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                found[os.path.relpath(path, tree)] = (status.st_size, status.st_mtime_ns)
    found.pop(".git", None)
    return found


def remove_tree(folder: Path) -> None:
    """Take a folder away, as far as the system lets us; folders that may not be written to are, too."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for inner, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(inner).chmod(stat.S_IRWXU)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    with (folder / _LOCK).open("a+", encoding="ascii") as file:
        told = False
        while not _take(file):
            if not told:
                file.seek(0)
                tell(f"waits for another comparison of this project (process {file.read().strip() or 'unknown'})")
                told = True
            host.CLOCK.sleep(_PATIENCE)
        file.truncate(0)
        file.write(f"{host.process_id()}\n")
        file.flush()
        yield


def _take(file: IO[str]) -> bool:
    if fcntl is None:  # pragma: no cover - Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _forget_lost_projects(cache: Path, own: Path) -> None:
    """Take away the places of projects whose folder is gone, unless somebody uses them."""
    for folder in cache.iterdir():
        # Another user's, or one that another run removes just now, is in nobody's way.
        with contextlib.suppress(OSError):
            if folder != own and _is_lost(Path(os.fsdecode((folder / _ORIGIN).read_bytes()))):
                with (folder / _LOCK).open("a+", encoding="ascii") as file:
                    if _take(file):
                        remove_tree(folder)


def _is_lost(project: Path) -> bool:
    try:
        project.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    return False


def _plain(name: str) -> str:
    """A name that no installer stumbles over."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("._")[:24] or "project"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
