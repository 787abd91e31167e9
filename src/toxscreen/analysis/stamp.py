"""Which environment measured what: the folder of an environment's coverage data and the stamp beside the data.

A stamp is written when an environment begins to measure and compared when its data is combined. Knows nothing of
coverage itself.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.errors import ConfigError, CoverageDataError, CoverageEvidenceError, Place, raise_together
from toxscreen.model import Stamp
from toxscreen.settings import STATE, state_folder

#: Version of the shape of a stamp.
SCHEMA: Final = 1
FILE: Final = "stamp.json"
#: Folder of the reports, beside the environments' folders; no environment can have its name.
REPORT: Final = "report"
#: What coverage calls its data files, before the dot and the suffix of each process.
DATA: Final = ".coverage"

_NAME = re.compile(r"\w[\w.+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Data that an environment left, and when and of what it was made."""

    stamp: Stamp
    data_files: tuple[Path, ...]


def folder(root: Path) -> Path:
    """Where all coverage data of a project lies."""
    return root / STATE / "coverage"


def is_name(text: str) -> bool:
    """Whether an environment can have this name: a folder gets it."""
    return _NAME.fullmatch(text) is not None and text.casefold() != REPORT


def environment_names(words: Iterable[str], *, asked_by: str) -> tuple[str, ...]:
    """The environments that words name: separated by spaces or commas, each once, in the order given.

    Args:
        words: what was typed.
        asked_by: what they were typed for, for the message.

    Raises:
        ConfigError: a name that cannot be the name of a folder of an environment.
        ErrorGroup: several.
    """
    names = tuple(dict.fromkeys(name for word in words for name in re.split(r"[\s,]+", word) if name))
    raise_together(
        ConfigError(
            f"{name!r} cannot be the name of an environment",
            place=Place(key=asked_by),
            hint=f"a name is made of letters, digits and '_-+.', begins with none of '-+.', and is not {REPORT!r}",
        )
        for name in names
        if not is_name(name)
    )
    return names


def data_files(home: Path) -> tuple[Path, ...]:
    """The data files that processes left in an environment's folder, in order of their names."""
    if not home.is_dir():
        return ()
    found = (path for path in home.iterdir() if path.name.startswith(f"{DATA}.") and not path.name.endswith("-journal"))
    return tuple(sorted(path for path in found if path.is_file()))


def environments(root: Path) -> tuple[str, ...]:
    """The environments that have coverage data, in order of their names."""
    top = folder(root)
    if not top.is_dir():
        return ()
    homes = (path for path in top.iterdir() if path.name != REPORT and not path.name.startswith("."))
    return tuple(sorted(path.name for path in homes if data_files(path)))


def begin(root: Path, environment: str) -> tuple[Stamp, int]:
    """Make an environment's folder ready for measuring: data of an earlier run goes, a new stamp comes.

    Only what coverage and this module wrote there is removed.

    Args:
        root: the project's root.
        environment: a name that :func:`environment_names` accepted.

    Returns:
        The stamp, and how many files were removed.

    Raises:
        OSError: the folder cannot be written.
    """
    stamp = Stamp(SCHEMA, environment, host.git_commit(root), host.git_changes(root), host.CLOCK.wall())
    removed = _empty(root, environment)
    _sign(root, stamp)
    return stamp, removed


def adopt(root: Path, stamp: Stamp, data: Mapping[str, Path]) -> int:
    """Take data that was measured elsewhere for an environment's own, in the place of what was there.

    Args:
        root: the project's root.
        stamp: of which environment and sources the data is.
        data: files, by the suffix that each gets.

    Returns:
        How many files were removed.

    Raises:
        OSError: the folder cannot be written, or a file not be read.
    """
    # What is taken may lie in the very folder that is emptied.
    contents = {suffix: file.read_bytes() for suffix, file in data.items()}
    removed = _empty(root, stamp.environment)
    for suffix, content in contents.items():
        (folder(root) / stamp.environment / f"{DATA}.{suffix}").write_bytes(content)
    # Last: who is ended in between leaves data that no stamp vouches for.
    _sign(root, stamp)
    return removed


def _empty(root: Path, environment: str) -> int:
    """Empty an environment's folder, and say how many files were removed."""
    home = folder(root) / environment
    home.mkdir(parents=True, exist_ok=True)
    state_folder(root)
    # The stamp goes first: data that cannot be removed must not be left with a stamp that vouches for it.
    old = [path for path in home.iterdir() if path.name in {FILE, DATA} or path.name.startswith(f"{DATA}.")]
    old = [path for path in old if path.is_file() or path.is_symlink()]
    for path in sorted(old, key=lambda path: path.name != FILE):
        path.unlink(missing_ok=True)
    return len(old)


def _sign(root: Path, stamp: Stamp) -> None:
    file = folder(root) / stamp.environment / FILE
    file.write_text(json.dumps(asdict(stamp), indent=2) + "\n", encoding="utf-8")


def evidence(root: Path, environment: str, *, commit: str | None, changes: str | None) -> Evidence:
    """The data of an environment, if it was made from the sources as they are.

    Args:
        root: the project's root.
        environment: its name.
        commit: the commit checked out now; None without git.
        changes: fingerprint of the uncommitted changes of now.

    Raises:
        CoverageEvidenceError: there is no data, or it is not of these sources.
    """
    home = folder(root) / environment
    files = data_files(home)
    if not home.is_dir():
        raise missing(root, environment, "was expected, but has never measured: there is no such folder")
    if not (home / FILE).exists():
        left = f"data files: {len(files)}" if files else "no data"
        raise missing(root, environment, f"was expected, but there is no {FILE}, and {left}")
    stamp = read(root, environment)
    if stamp.commit != commit:
        what = f"was measured at {_commit(stamp.commit)}, the sources are now at {_commit(commit)}"
        raise missing(root, environment, what)
    if stamp.changes != changes:
        what = f"was measured with {_changes(stamp.changes)}, the sources now have {_changes(changes)}"
        raise missing(root, environment, what)
    if not files:
        first = "set tool.coverage.run.parallel = true" if (home / DATA).exists() else ""
        raise missing(root, environment, f"began to measure, but left no data file {DATA}.*", first=first)
    return Evidence(stamp, files)


def read(root: Path, environment: str) -> Stamp:
    """The stamp of an environment.

    Raises:
        CoverageEvidenceError: it cannot be read, or is not a stamp of this environment.
    """
    try:
        stamp = stored(folder(root) / environment / FILE)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise missing(root, environment, f"has a {FILE} that cannot be read ({reason})") from None
    if stamp.schema != SCHEMA:
        raise missing(root, environment, f"has a {FILE} of schema {stamp.schema!r}, this toxscreen reads {SCHEMA}")
    if stamp.environment != environment:
        raise missing(root, environment, f"has the {FILE} of environment {stamp.environment!r}")
    return stamp


def stored(path: Path) -> Stamp:
    """The stamp in a file.

    Raises:
        OSError: it cannot be read.
        ValueError, KeyError, TypeError, RecursionError: it is no stamp.
    """
    record = json.loads(path.read_text(encoding="utf-8"))
    stamp = Stamp(*(record[key] for key in ("schema", "environment", "commit", "changes", "time")))
    if not all(isinstance(mark, str | None) for mark in (stamp.commit, stamp.changes)):
        raise TypeError("commit and changes must be texts or null")
    if type(record["time"]) not in {int, float}:
        raise TypeError("time must be a number")
    return stamp


def missing(root: Path, environment: str, what: str, *, first: str = "") -> CoverageEvidenceError:
    """The error for an environment whose evidence cannot be used.

    Args:
        root: the project's root.
        environment: its name.
        what: the rest of the sentence that begins with the environment.
        first: what to do before it is measured again.
    """
    place = Place((folder(root) / environment).relative_to(root).as_posix())
    hint = f"{first + ', then ' if first else ''}make it with: tox -e {shlex.quote(environment)}"
    return CoverageEvidenceError(f"environment {environment!r} {what}", place=place, hint=hint)


@contextmanager
def using(root: Path) -> Iterator[None]:
    """Turn a refusal of the file system into an error with a place.

    Raises:
        CoverageDataError: a file or folder could not be read or written.
    """
    try:
        yield
    except OSError as error:
        path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else folder(root)
        place = Place(path.relative_to(root).as_posix() if path.is_relative_to(root) else os.fspath(path))
        hint = f"coverage data and reports are kept in {folder(root).relative_to(root).as_posix()}"
        raise CoverageDataError(f"cannot be used: {error.strerror or error}", place=place, hint=hint) from error


def _commit(commit: str | None) -> str:
    return "no commit" if commit is None else f"commit {commit[:12]}"


def _changes(changes: str | None) -> str:
    return "no uncommitted changes" if changes is None else f"the uncommitted changes {changes}"
