"""The whole audit of a project: its files, what pytest collected of them, and what is said about the difference."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.analysis.discovery import allowed, asked, compare, fixtures
from toxscreen.analysis.discovery.collected import collect
from toxscreen.analysis.discovery.collection import Collection
from toxscreen.analysis.discovery.compare import MISMATCH, Found
from toxscreen.analysis.discovery.looks import Source, look
from toxscreen.errors import AuditError, ToxscreenError
from toxscreen.model import Case, Run
from toxscreen.plan.categories import category_of
from toxscreen.settings import Settings

_TOX: Final = ("tox.ini", "setup.cfg", "tox.toml", "pyproject.toml")
#: Folders that no one writes by hand, where git does not say so.
_MADE: Final = {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env"}


@dataclass(frozen=True, slots=True)
class Audited:
    """What came of an audit."""

    found: tuple[Found, ...]
    #: What would be found, and is on purpose.
    allowed: tuple[Found, ...]
    #: Functions that look like tests and are collected.
    collected: int
    #: Node ids that pytest has.
    node_ids: int
    files: int
    #: Whether git named the files.
    is_tracked: bool
    #: Files that skip themselves, why, and how many functions in them look like tests.
    skipped: tuple[tuple[str, str, int], ...]

    @property
    def lost(self) -> int:
        """Functions that look like tests, are not collected, and not so on purpose."""
        return sum(each.tests for each in self.found)


def audit(
    root: Path, settings: Settings, exemptions: Sequence[str], runs: Sequence[Run], options: Sequence[str]
) -> Audited:
    """Audit a project.

    Args:
        root: its root, resolved.
        settings: what it asks of toxscreen.
        exemptions: its entries of ``allow``.
        runs: recorded runs of the sources as they are.
        options: of pytest.

    Raises:
        AuditError: pytest cannot collect, or there is nothing.
        MissingToolError: there is no pytest.
    """
    tracked = host.git_files(root)
    names = tracked or tuple(walk(root))
    sources = dict(read_sources(root, names))
    if not sources:
        raise AuditError("there is no Python file here", hint="run it in a project, or name one")
    collection = _by_category(collect(root, options), root, settings, options)
    compared = compare.compare(sources, collection)
    words = compare.all_words(sources)
    found = [
        *compared.found,
        *(Found(each) for each in fixtures.unused(sources, collection, words)),
        *(Found(each) for each in asked.unregistered(sources, collection)),
        *(Found(each) for each in asked.never_run(runs, sources)),
    ]
    if settings.configured:
        found.extend(Found(each) for each in asked.unrun(_categories(collection, settings), _commands(root)))
    left, on_purpose = allowed.apply(found, [allowed.parse(each) for each in exemptions])
    return Audited(
        left, on_purpose, compared.collected, len(collection.tests), len(sources), bool(tracked), compared.skipped
    )


def read_sources(root: Path, names: Sequence[str]) -> Iterator[tuple[str, Source]]:
    """What is in each Python file.

    Args:
        root: the project's root.
        names: of files, relative to it, with forward slashes.
    """
    for name in names:
        if not name.endswith(".py"):
            continue
        try:
            source = look((root / name).read_bytes())
        except OSError:
            continue
        if source is not None:
            yield name, source


def walk(root: Path) -> Iterator[str]:
    """The Python files below a root that git says nothing about, without caches, environments and built things."""
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".")
            and each not in _MADE
            and not each.endswith(".egg-info")
            and not (here / each / "pyvenv.cfg").exists()
        )
        yield from ((here / each).relative_to(root).as_posix() for each in sorted(files) if each.endswith(".py"))


def _by_category(collection: Collection, root: Path, settings: Settings, options: Sequence[str]) -> Collection:
    """Files of one base name are no trouble where each belongs to another category: they never meet in one run."""
    clashing = [file for file, text in collection.errors if text == MISMATCH]
    if not clashing or not settings.configured:
        return collection
    try:
        again = collect(root, (*options, *clashing))
    except AuditError:
        return collection
    first = _of_files(collection, settings)
    parted = set()
    for file, own in _of_files(again, settings).items():
        name = file.rpartition("/")[2]
        others = [each for other, each in first.items() if other.rpartition("/")[2] == name]
        if file in clashing and not any(own & each for each in others):
            parted.add(file)
    return replace(
        collection,
        tests=(*collection.tests, *(test for test in again.tests if test.file in parted)),
        errors=tuple(each for each in collection.errors if each[0] not in parted),
    )


def _of_files(collection: Collection, settings: Settings) -> dict[str, set[str | None]]:
    found: dict[str, set[str | None]] = {}
    for test, category in zip(collection.tests, _categories(collection, settings), strict=True):
        found.setdefault(test.file, set()).add(category)
    return found


def _categories(collection: Collection, settings: Settings) -> Iterator[str | None]:
    for test in collection.tests:
        case = Case(test.node_id, test.file, test.markers)
        answer = category_of(case, settings.categories, settings.default_category.value)
        yield None if isinstance(answer, ToxscreenError) else answer


def _commands(root: Path) -> Mapping[str, tuple[str, ...]]:
    found = {}
    for name in _TOX:
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        told = asked.commands(name, text)
        if told:
            found[name] = told
    return found
