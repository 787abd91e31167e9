"""Finds the shards that lie in folders, and writes what they make together. Wires only: `gates.shards` judges."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.analysis import junit, stamp
from toxscreen.errors import CorruptJournalError, MergeError, Place, ToxscreenError, raise_together
from toxscreen.journal.codec import header_from_json
from toxscreen.journal.history import load_history
from toxscreen.journal.join import join, joined
from toxscreen.journal.manifest import read_manifest, run_files, shard_of
from toxscreen.journal.read import read_run
from toxscreen.journal.store import HEADER
from toxscreen.model import Finding, Header, Manifest, Part, Run, Stamp
from toxscreen.settings import STATE, state_folder

_RUNS: Final = "runs"
#: Below a run's folder: the shard's data as it was before it was joined where it lies, so that it can be joined again.
_KEPT: Final = "shard"
_CATEGORY: Final = re.compile(r"\w[\w.-]*")
#: What stands in the header of a run, and in the manifest as well.
_BOTH: Final = ("category", "environment", "commit", "changes", "tree", "configuration", "seed")


@dataclass(frozen=True, slots=True)
class Found:
    """A shard's run, and where its data lies."""

    part: Part
    folder: Path
    #: The state folder that it was found in; None where it lies alone.
    state: Path | None

    def file(self, name: str) -> Path | None:
        """A file by its path below the state folder."""
        inside = f"{_RUNS}/{self.part.run.id}/"
        if name.startswith(inside):
            return self.folder / name.removeprefix(inside)
        return None if self.home is None else self.home / name

    @property
    def home(self) -> Path | None:
        """What paths of its data are relative to."""
        kept = self.folder / _KEPT
        return kept if kept.is_dir() else self.state

    @property
    def measured(self) -> Path | None:
        """The folder of its coverage data."""
        return None if self.home is None else self.home / "coverage" / self.part.run.name

    @property
    def coverage(self) -> tuple[Path, ...]:
        """Its coverage data."""
        return stamp.data_files(self.measured) if self.measured is not None else ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """What lies in some folders."""

    #: By environment, or category.
    shards: Mapping[str, tuple[Found, ...]]
    #: What cannot even be read.
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """One run that shards made together."""

    run: Run
    shards: tuple[Found, ...]
    #: Whether the run was there already.
    is_old: bool
    #: Files of coverage data.
    coverage: int


def gather(here: Path, names: Sequence[str]) -> Gathered:
    """Look for shards.

    Args:
        here: what names are relative to.
        names: state folders, folders that have one, or folders of single runs.

    Raises:
        MergeError: a folder is none of these, or cannot be read.
        ErrorGroup: several are not.
    """
    wrong: list[ToxscreenError] = []
    shards: dict[str, list[Found]] = {}
    findings: list[Finding] = []
    notes: list[str] = []
    seen: set[Path] = set()
    for name in names:
        try:
            state, folders = _runs_in(here / name)
            new = [folder for folder in folders if folder.resolve() not in seen]
            if folders and not new:
                notes.append(f"was named before: {name}")
                continue
            found, lost, told = _shards_in(name, state, new)
        except OSError as error:
            hint = "an unpacked archive may have lost permissions: chmod -R u+rX"
            what = os.fspath(error.filename) if error.filename else name
            wrong.append(MergeError(f"{what} cannot be read: {error.strerror or error}", place=Place(name), hint=hint))
            continue
        if not folders and state is None:
            hint = f"hand over the {STATE} of each machine, or a folder that has it"
            wrong.append(MergeError("holds no recorded runs", place=Place(name), hint=hint))
            continue
        seen |= {folder.resolve() for folder in folders}
        if not found and not lost:
            findings.append(Finding("shard-none", name, "holds no run of a shard: run with --screen-shard I/N there"))
        findings += lost
        notes += told
        for each in found:
            shards.setdefault(each.part.run.name, []).append(each)
    raise_together(wrong)
    order = {name: tuple(sorted(each, key=lambda found: found.part.shard)) for name, each in sorted(shards.items())}
    return Gathered(order, tuple(findings), tuple(notes))


def _runs_in(place: Path) -> tuple[Path | None, list[Path]]:
    """The state folder that is meant, and the folders of its runs."""
    if (place / HEADER).is_file():
        home = place.resolve()
        return (home.parent.parent if home.parent.name == _RUNS else None), [place]
    for state in (place / STATE, place):
        if (state / _RUNS).is_dir():
            return state, sorted(each for each in (state / _RUNS).iterdir() if (each / HEADER).exists())
    return None, []


def _shards_in(
    source: str, state: Path | None, folders: Sequence[Path]
) -> tuple[list[Found], list[Finding], list[str]]:
    """The shards of one machine: of each the newest run, if it is of the sources that ran there last."""
    headers, findings = _headers(source, folders)
    newest = sorted((each for each in headers if headers[each].shard), key=lambda each: -headers[each].started)
    sources: dict[str, tuple[object, ...]] = {}
    taken: dict[tuple[str, str | None], Path] = {}
    categories: dict[str, set[str]] = {}
    pythons: dict[str, set[str]] = {}
    notes = []
    for folder in newest:
        header = headers[folder]
        name = header.environment or header.category
        mine = (header.commit, header.changes, header.configuration)
        is_old = sources.setdefault(name, mine) != mine
        if not is_old:
            categories.setdefault(name, set()).add(header.category)
            with contextlib.suppress(OSError, ValueError):
                pythons.setdefault(name, set()).add(read_manifest(folder).python)
        if is_old or (name, header.shard) in taken:
            notes.append(f"not looked at, a later one is there: shard {header.shard} of {name}, {source}, {header.run}")
            continue
        taken[name, header.shard] = folder
    findings += _mixed(source, "shard-category", "category", categories)
    findings += _mixed(source, "shard-python", "interpreter", pythons)
    found = []
    for folder in taken.values():
        try:
            found.append(_found(source, state, folder))
        except (CorruptJournalError, ValueError) as error:
            told = error.render().replace("\n ", ";") if isinstance(error, ToxscreenError) else str(error)
            findings.append(Finding("shard-unreadable", source, f"run {folder.name}: {told}"))
    return found, findings, notes


def _headers(source: str, folders: Sequence[Path]) -> tuple[dict[Path, Header], list[Finding]]:
    """The headers of runs, and what is wrong with those that cannot be used."""
    headers: dict[Path, Header] = {}
    findings = []
    for folder in folders:
        try:
            header = header_from_json((folder / HEADER).read_text(encoding="utf-8"))
            name = header.environment or header.category
            # Folders get these names.
            if not stamp.is_name(name) or not _CATEGORY.fullmatch(header.category):
                raise ValueError(f"nothing can be called {name!r}, of category {header.category!r}")
        except (OSError, ValueError) as error:
            findings.append(Finding("shard-unreadable", source, f"the header of run {folder.name}: {error}"))
        else:
            headers[folder] = header
    return headers, findings


def _mixed(source: str, slug: str, what: str, several: Mapping[str, set[str]]) -> Iterator[Finding]:
    """A later run of another category, say, is no second try: what the first one found must not be lost."""
    for name, each in several.items():
        if len(each) > 1:
            told = f"ran {', '.join(sorted(each))} in one environment, of which one run counts"
            yield Finding(slug, name, f"{source} {told}: give each {what} an environment of its own")


def _found(source: str, state: Path | None, folder: Path) -> Found:
    run = read_run(folder)
    manifest, damage = None, []
    try:
        manifest = read_manifest(folder)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        damage.append(f"its manifest {error}")
    shard = shard_of(run.header.shard or "")
    found = Found(Part(source, shard, run, manifest), folder, state)
    if manifest is not None:
        damage += [*_damage(found, manifest), *_lost_coverage(found, manifest)]
    measured = len(found.coverage) if _stamp(found) is not None or found.coverage else None
    return Found(Part(source, shard, run, manifest, tuple(damage), measured), folder, state)


def _damage(found: Found, manifest: Manifest) -> Iterator[str]:
    """What is not as the manifest says."""
    run = found.part.run
    if (manifest.run, str(manifest.shard), manifest.name) != (run.id, run.header.shard, run.name):
        yield f"its manifest is that of run {manifest.run}, shard {manifest.shard}"
    for name in _BOTH:
        if getattr(manifest, name) != getattr(run.header, name):
            yield f"its manifest and its header differ in {name!r}"
    if manifest.planned != tuple(sorted(run.collected)):
        yield "its manifest lists other tests than were to run"
    for name, digest in manifest.files.items():
        file = found.file(name)
        if file is None or not file.is_file():
            yield f"{name} is gone"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            yield f"{name} is not what it was"
    for file in sorted(run_files(found.folder)):
        if (name := f"{_RUNS}/{run.id}/{file.name}") not in manifest.files:
            yield f"{name} is new"


def _lost_coverage(found: Found, manifest: Manifest) -> Iterator[str]:
    """What of its coverage data is not there, as far as the stamp and the manifest tell."""
    run = found.part.run
    known = _stamp(found)
    if known is None:
        if found.coverage:
            yield f"its coverage data has no {stamp.FILE}"
        return
    if (known.commit, known.changes) != (manifest.commit, manifest.changes) or known.time > run.header.started:
        yield "its coverage data is that of another run"
    process = manifest.measuring
    if process is not None and not any(f".pid{process}." in file.name for file in found.coverage):
        yield f"the coverage data of the pytest process ({process}) is gone"
    elif not found.coverage:
        yield "it began to measure coverage, and left no data"
    for file in found.coverage:
        is_own = process is not None and f".pid{process}." in file.name
        if not is_own and f"coverage/{run.name}/{file.name}" not in manifest.files:
            yield f"coverage/{run.name}/{file.name} is new"


def _stamp(found: Found) -> Stamp | None:
    if found.measured is not None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            return stamp.stored(found.measured / stamp.FILE)
    return None


def write(root: Path, shards: Mapping[str, Sequence[Found]]) -> list[Joined]:
    """Write what proved shards make together: runs, coverage data, JUnit files, history.

    Args:
        root: of the project that gets it.
        shards: by environment or category, in their order.

    Raises:
        MergeError: a JUnit file cannot be read, or something not be written.
    """
    try:
        documents = _junit(root, shards)
        for each in shards.values():
            if not all(_is_in(root, found) for found in each):
                _keep([found for found in each if _is_in(root, found)])
        written = [_write(root, name, tuple(each)) for name, each in shards.items()]
        for name, document in documents.items():
            file = state_folder(root) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_name(f"{file.name}.{host.process_id()}")
            draft.write_bytes(document)
            draft.replace(file)
    except OSError as error:
        place = Place(os.fspath(error.filename) if error.filename else STATE)
        raise MergeError(f"cannot be written: {error.strerror or error}", place=place) from None
    load_history(root)
    return written


def _is_in(root: Path, found: Found) -> bool:
    return found.state is not None and found.state.resolve() == (root / STATE).resolve()


def _keep(shards: Iterable[Found]) -> None:
    """Keep what the joined data takes the place of, before it does."""
    for found in shards:
        kept = found.folder / _KEPT
        manifest, measured = found.part.manifest, found.measured
        if kept.is_dir() or manifest is None or found.state is None or measured is None:
            continue
        outside = {name for name in manifest.files if not name.startswith(f"{_RUNS}/")}
        outside |= {f"coverage/{found.part.run.name}/{file.name}" for file in (*found.coverage, measured / stamp.FILE)}
        draft = found.folder / f"{_KEPT}.{host.process_id()}"
        for name in sorted(outside):
            if (file := found.state / name).is_file():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, draft / name)
        if draft.is_dir():
            draft.rename(kept)


def _junit(root: Path, shards: Mapping[str, Sequence[Found]]) -> dict[str, bytes]:
    """The joined JUnit files, by their paths below the state folder; one of which all lies here already stays."""
    files: dict[str, list[Path]] = {}
    elsewhere: set[str] = set()
    for found in (each for parts in shards.values() for each in parts):
        name = found.part.manifest.junit if found.part.manifest is not None else None
        file = found.file(name) if name is not None else None
        if name is not None and file is not None:
            files.setdefault(name, []).append(file)
            if not _is_in(root, found):
                elsewhere.add(name)
    documents = {}
    for name, each in files.items():
        if name not in elsewhere:
            continue
        try:
            documents[name] = junit.joined(each)
        except ValueError as error:
            raise MergeError(f"cannot be joined: {error}", place=Place(name)) from None
    return documents


def _write(root: Path, name: str, shards: tuple[Found, ...]) -> Joined:
    old = joined(root, [found.part.run.id for found in shards])
    folder = old or join(root, [(found.part, found.folder) for found in shards], host.CLOCK.wall())
    data = {
        f"{found.part.shard.number}.{file.name.removeprefix(f'{stamp.DATA}.')}": file
        for found in shards
        for file in found.coverage
    }
    if data and not all(_is_in(root, found) for found in shards):
        header = shards[0].part.run.header
        begun = min(found.part.run.header.started for found in shards)
        stamp.adopt(root, Stamp(stamp.SCHEMA, name, header.commit, header.changes, begun), data)
    return Joined(read_run(folder), shards, old is not None, len(data))
