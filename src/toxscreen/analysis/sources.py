"""The source files that coverage should measure: what its settings name, as it lies in the project."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Asked(NamedTuple):
    """What coverage's settings say about what is measured."""

    #: Folders and packages, as they are written.
    sources: tuple[str, ...]
    packages: tuple[str, ...]
    #: Folders in which the settings say that sources lie.
    places: tuple[str, ...]
    #: Whether folders without ``__init__.py`` are packages.
    namespaces: bool
    #: Whether the settings leave out a file, given its full path.
    omitted: Callable[[str], bool]


class Expected(NamedTuple):
    """What should have been measured."""

    #: Relative to the root, with forward slashes.
    files: frozenset[str]
    #: Sources and packages that name nothing here.
    absent: tuple[str, ...]


def expected(root: Path, asked: Asked, measured: Iterable[str]) -> Expected:
    """The source files of a project that coverage would measure if they were imported.

    Without any setting these are the packages of which a file was measured. A folder that is named as source counts
    whole, also what has no ``__init__.py``: it can be imported, and coverage itself looks away from it until it is.

    Args:
        root: the project's root.
        asked: what coverage's settings say.
        measured: files in the data, relative to the root with forward slashes where they lie below it.
    """
    known = tuple(measured)
    found: set[Path] = set()
    absent = []
    if not asked.sources and not asked.packages:
        for top in {_top(root, name) for name in known if not PurePosixPath(name).is_absolute()} - {None}:
            found.update(_package(top) if top is not None else ())
    folders = [name for name in asked.sources if (root / name).is_dir()]
    for name in folders:
        # Below the root lie other things than sources; below a folder that somebody named as sources, nothing else.
        namespaces = asked.namespaces or (root / name).resolve() != root.resolve()
        found.update(_folder(root / name, namespaces=namespaces))
    for name in (*(name for name in asked.sources if name not in folders), *asked.packages):
        place = _place(root, name, asked.places)
        if place is not None:
            found.update(_package(place) if place.is_dir() else (place,))
        elif not _was_measured(name, known):
            absent.append(name)
    inside = [Path(os.path.normpath(path)) for path in found]
    names = (
        path.relative_to(root).as_posix()
        for path in inside
        if path.is_relative_to(root) and not asked.omitted(os.fspath(path))
    )
    return Expected(frozenset(names), tuple(absent))


def _top(root: Path, name: str) -> Path | None:
    """The outermost package of a file; None for a file that is in none."""
    folder = (root / name).parent
    top = None
    while (folder / "__init__.py").is_file() and folder.is_relative_to(root) and folder != root:
        top, folder = folder, folder.parent
    return top


def _place(root: Path, name: str, places: Iterable[str]) -> Path | None:
    """Where a package or module lies in the project; None for one that does not."""
    parts = name.split(".")
    # A place of `tool.coverage.paths` may be the package itself, or the folder that it lies in.
    for top in (root, root / "src", *(root / place for place in places), *((root / place).parent for place in places)):
        path = top.joinpath(*parts)
        if path.is_dir():
            return path
        if path.with_suffix(".py").is_file():
            return path.with_suffix(".py")
    return None


def _was_measured(name: str, measured: Iterable[str]) -> bool:
    inside = "/" + name.replace(".", "/").strip("/")
    return any(f"{inside}/" in f"/{file}" or f"/{file}".endswith(f"{inside}.py") for file in measured)


def _folder(folder: Path, *, namespaces: bool) -> Iterator[Path]:
    """The modules directly in a folder, and the packages in it."""
    if namespaces or (folder / "__init__.py").is_file():
        yield from _package(folder)
        return
    for path in sorted(folder.iterdir()):
        if _is_module(path):
            yield path
        elif path.is_dir() and (path / "__init__.py").is_file():
            yield from _package(path)


def _package(folder: Path) -> Iterator[Path]:
    """All modules in a package. Its folders need no ``__init__.py``: they are importable without."""
    for path in sorted(folder.iterdir()):
        if _is_module(path):
            yield path
        elif path.is_dir() and path.name.isidentifier() and path.name != "__pycache__" and not path.is_symlink():
            yield from _package(path)


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" and path.stem.isidentifier() and path.is_file()
