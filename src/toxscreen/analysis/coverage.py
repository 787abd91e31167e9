"""What coverage measured: saved while a process measures, combined and reported afterwards.

The one place that uses coverage.py. It is imported only inside functions: the plugin loads this file in every run.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import re
import sqlite3
import sys
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toxscreen import host
from toxscreen.analysis import covered, sources, stamp
from toxscreen.errors import (
    ConfigError,
    CoverageDataError,
    CoverageEvidenceError,
    MissingToolError,
    Place,
    ToxscreenError,
    raise_together,
)
from toxscreen.gates.percent import some
from toxscreen.model import Base
from toxscreen.settings import FILE

if TYPE_CHECKING:
    from coverage import Coverage

_FLOOR_KEY: Final = "tool.coverage.report.fail_under"
#: Percent.
_WHOLE: Final = 100
#: Where coverage finds its settings, the first one wins.
_SETTINGS: Final = (".coveragerc", ".coveragerc.toml", "setup.cfg", "tox.ini", FILE)
#: Paths of Windows, seen from elsewhere.
_FOREIGN: Final = re.compile(r"[A-Za-z]:[\\/]|.*\\")


@dataclass(frozen=True, slots=True)
class Measured:
    """An environment whose data is part of a report."""

    name: str
    commit: str | None
    data_files: int
    measured_files: int


@dataclass(frozen=True, slots=True)
class Apart:
    """What one environment measured."""

    data_file: Path
    #: Coverage's JSON report.
    document: dict[str, Any]


@contextlib.contextmanager
def inside(root: Path) -> Iterator[list[str]]:
    """Work as coverage started at the root would: it looks there for its configuration and the relative files.

    Yields:
        A list that holds coverage's warnings in the end.
    """
    said: list[str] = []
    with contextlib.chdir(root), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    ours = (warning for warning in caught if warning.category.__module__.startswith("coverage"))
    said += dict.fromkeys(str(warning.message) for warning in ours)


def require() -> None:
    """Raise unless coverage can be imported.

    Raises:
        MissingToolError: it cannot.
    """
    try:
        import coverage  # noqa: F401 - only whether it can be
    except ImportError as error:
        raise MissingToolError(
            f"coverage cannot be imported: {error}",
            hint=f"install it beside toxscreen: {sys.executable} -m pip install coverage",
        ) from None


@contextlib.contextmanager
def _telling(doing: str, *, place: Place | None = None, hint: str | None = None) -> Iterator[None]:
    """Turn what coverage raises into an error of ours.

    Raises:
        CoverageDataError: coverage could not do it.
    """
    from coverage.exceptions import CoverageException, CoverageWarning

    try:
        yield
    except (CoverageException, CoverageWarning, sqlite3.Error, ImportError) as error:
        raise CoverageDataError(f"coverage cannot {doing}: {error}", place=place, hint=hint) from error


def gathered(
    root: Path, names: Iterable[str], *, commit: str | None, changes: str | None
) -> tuple[list[Measured], dict[str, tuple[Path, ...]], float]:
    """What environments measured, the data files of each, and the floor in percent.

    Raises:
        ToxscreenError: something is wrong with one of them.
        ErrorGroup: with several.
    """
    errors: list[ToxscreenError] = []
    measured: list[Measured] = []
    data: dict[str, tuple[Path, ...]] = {}
    floor = 0.0
    for name in names:
        try:
            found = stamp.evidence(root, name, commit=commit, changes=changes)
            measured.append(Measured(name, commit, len(found.data_files), _measured_files(root, name, found)))
            data[name] = found.data_files
        except ToxscreenError as error:
            errors.append(error)
    try:
        floor = _floor(root)
    except ToxscreenError as error:
        errors.append(error)
    raise_together(errors)
    return measured, data, floor


def _measured_files(root: Path, environment: str, found: stamp.Evidence) -> int:
    """How many source files an environment measured.

    Raises:
        CoverageEvidenceError: its data cannot be read, has no branches, or holds nothing.
    """
    from coverage import CoverageData
    from coverage.exceptions import CoverageException

    seen: set[str] = set()
    ran = False
    broken: list[str] = []
    branchless: list[str] = []
    for path in found.data_files:
        try:
            _check_database(path)
            data = CoverageData(path)
            data.read()
            names = data.measured_files()
            seen |= names
            has_lines = any(data.lines(name) for name in names)
            # A child forked after a checkpoint stores branches but not the word that it has them, and then no lines.
            if has_lines and not data.has_arcs():
                branchless.append(path.name)
            ran = ran or has_lines
            data.close(force=True)
        except (CoverageException, sqlite3.Error, OSError) as error:
            broken.append(f"{path.name} ({_in_short(error, path)})")
    count = len(found.data_files)
    if broken:
        what = f"has {len(broken)} of {count} data files that cannot be read: {', '.join(broken)}"
        raise stamp.missing(root, environment, what)
    if branchless:
        what = f"did not measure branches in {len(branchless)} of {count} data files: {', '.join(branchless)}"
        raise stamp.missing(root, environment, what, first="set tool.coverage.run.branch = true")
    if not ran:
        what = f"no line of {len(seen)} known source files ran" if seen else "no source file is in its data"
        raise stamp.missing(root, environment, f"measured nothing: {what} (data files: {count})")
    return len(seen)


def _check_database(path: Path) -> None:
    """Raise unless a file is a whole database of coverage's.

    Coverage itself looks only at the parts that it needs, and turns a strange or empty database into one of its own.

    Raises:
        sqlite3.Error: it is not.
    """
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        answer = database.execute("pragma quick_check(1)").fetchone()[0]
        database.execute("select version from coverage_schema")
    if answer != "ok":
        raise sqlite3.DatabaseError(str(answer).splitlines()[-1])


def _in_short(error: Exception, path: Path) -> str:
    """What an error says, without the path that is named already."""
    return str(error).replace(f"{os.fspath(path)!r}", "it")


def _load(data_file: Path | None) -> Coverage:
    """Coverage with the project's own configuration; `None` keeps data in memory.

    Raises:
        CoverageDataError: the configuration cannot be used.
    """
    from coverage import Coverage

    with _telling("use its configuration"):
        measuring = Coverage.current()
        if measuring is not None:
            # Making a second Coverage relieves the one that measures this process of saving its data at the end.
            atexit.unregister(measuring.save)
            atexit.register(measuring.save)
        cov = Coverage(data_file=None if data_file is None else os.fspath(data_file))
        # Plugins are imported at the first question, and one that cannot be is a mistake of the configuration too.
        cov.get_exclude_list()
        return cov


def _floor(root: Path) -> float:
    """The floor that coverage's configuration sets, in percent.

    Raises:
        ConfigError: none is set, or it is no percentage.
    """
    cov = _load(None)
    fail_under = float(str(cov.get_option("report:fail_under")))
    if 0 < fail_under <= _WHOLE:
        return fail_under
    read = dict(cov.sys_info())["config_file"]
    elsewhere = bool(read) and Path(read) != root / FILE
    place = Place(os.path.relpath(read, root) if elsewhere else FILE, _FLOOR_KEY)
    what = "is not set, or 0: without a floor coverage cannot be judged"
    if fail_under:
        what = f"is {fail_under:g}, must be over 0 and at most {_WHOLE}"
    hint = f"set it in {FILE}: [tool.coverage.report] fail_under = 90"
    if elsewhere:
        hint += f"; coverage takes {place.file} instead of it now"
    raise ConfigError(what, place=place, hint=hint)


def combined(root: Path, place: Path, data: Iterable[Path]) -> Coverage:
    """Coverage with the data of all these files.

    Raises:
        CoverageDataError: they cannot be combined.
    """
    from coverage.exceptions import CoverageWarning

    cov = _load(place / stamp.DATA)
    where = Place(stamp.folder(root).relative_to(root).as_posix())
    hint = "measure the environments again"
    with _telling("combine the data", place=where, hint=hint), warnings.catch_warnings():
        # A file that cannot be combined is only a warning to coverage; here it would be a smaller denominator.
        warnings.simplefilter("error", CoverageWarning)
        cov.combine(data_paths=[os.fspath(path) for path in data], strict=True, keep=True)
    strange = sorted(
        name for name in cov.get_data().measured_files() if _FOREIGN.match(name) and not Path(name).exists()
    )
    if strange:
        told = f"has paths of another machine: {some(strange)}"
        raise CoverageDataError(
            told, place=where, hint=f"say where these files are here, in {FILE}: [tool.coverage.paths]"
        )
    return cov


def apart(root: Path, place: Path, data: Iterable[Path], environment: str) -> Apart:
    """The data of one environment only, as one file, and coverage's JSON report of it.

    Raises:
        CoverageDataError: it cannot be made.
    """
    home = place / "apart" / environment
    home.mkdir(parents=True)
    cov = combined(root, home, data)
    document = _json(cov, home / "coverage.json")
    cov.get_data().close(force=True)
    return Apart(home / stamp.DATA, document)


def _json(cov: Coverage, file: Path, files: Iterable[Path] | None = None) -> dict[str, Any]:
    """Coverage's JSON report, of some files only or of all that are in the data; empty where there are none.

    Raises:
        CoverageDataError: a source cannot be found or read.
    """
    from coverage.exceptions import NoDataError

    hint = "every measured file has to be here and to be Python: see tool.coverage.run and tool.coverage.paths"
    with _telling("report", hint=hint):
        try:
            morfs = None if files is None else [os.fspath(path) for path in files]
            cov.json_report(morfs=morfs, outfile=os.fspath(file))
        except NoDataError:
            return {}
        except (SyntaxError, UnicodeError) as error:
            # Python's own words, which coverage lets through, do not name the file.
            names = cov.get_data().measured_files() if morfs is None else morfs
            place = next((Place(os.path.relpath(name)) for name in sorted(names) if not _is_text(name)), None)
            told = f"the source is no Python text: {error}"
            raise CoverageDataError(told, place=place, hint=hint) from error
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def _is_text(name: str) -> bool:
    try:
        with tokenize.open(name) as file:
            file.read()
    except (OSError, SyntaxError, UnicodeError):
        return False
    return True


def _expected(cov: Coverage, root: Path, measured: Iterable[str]) -> sources.Expected:
    """The source files that should have been measured, as coverage is configured."""
    from coverage.files import GlobMatcher, prep_patterns

    def option(name: str) -> tuple[str, ...]:
        value = cov.get_option(name)
        return tuple(map(str, value)) if isinstance(value, list | tuple) else ()

    out = [GlobMatcher(prep_patterns(option(f"{section}:omit"))) for section in ("run", "report")]
    asked = (*option("run:source"), *option("run:source_dirs"))
    packages = option("run:source_pkgs")
    # Where sources are named, coverage takes no notice of what else is included in a run.
    within = ("report",) if asked or packages else ("run", "report")
    inside = [GlobMatcher(prep_patterns(names)) for section in within if (names := option(f"{section}:include"))]

    def omitted(path: str) -> bool:
        return any(each.match(path) for each in out) or not all(each.match(path) for each in inside)

    paths = cov.get_option("paths")
    places = [str(names[0]) for names in paths.values() if names] if isinstance(paths, dict) else []
    namespaces = bool(cov.get_option("report:include_namespace_packages"))
    return sources.expected(root, sources.Asked(asked, packages, tuple(places), namespaces, omitted), measured)


def never_measured(
    cov: Coverage, root: Path, place: Path, document: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Coverage's JSON report of the source files that are in no data, and the sources that name nothing here.

    Raises:
        CoverageDataError: one of them cannot be read.
    """
    known = {_relative(root, name) for name in (*document["files"], *cov.get_data().measured_files())}
    expected = _expected(cov, root, known)
    lacking = sorted(root / name for name in expected.files - known)
    return (_json(cov, place / "never.json", lacking) if lacking else {}), expected.absent


def at_base(
    root: Path, place: Path, base: Base, document: Mapping[str, Any], never: Iterable[str]
) -> covered.Base | str:
    """What the base excluded, and what it measured and is left out now; in words why nobody can tell.

    Args:
        root: the project's root.
        place: where the files of the base may be written.
        base: the revision.
        document: coverage's JSON report of now.
        never: files that should have been measured now.
    """
    contents = host.git_contents(root, base.commit, lambda name: name.endswith(".py") or name in _SETTINGS)
    if contents is None:
        return f"git cannot read the files of {base.commit[:12]}"
    home = place / "base"
    home.mkdir()
    for name, content in contents.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    now = {_relative(root, name): entry for name, entry in document["files"].items()}
    same = all(_content(root / name) == contents.get(name) for name in _SETTINGS)
    excluded: dict[str, int] = {}
    left_out: dict[str, int] = {}
    try:
        with contextlib.chdir(home):
            cov = _load(None)
            asked = _expected(cov, home, set(now) & set(contents)).files | (set(now) & set(contents))
            for name in sorted(asked):
                gone = name not in now and name not in never and (root / name).exists()
                if same and not gone and name in now and _content(root / name) == contents[name]:
                    count = len(now[name]["excluded_lines"])
                else:
                    with _telling(f"read {name} of {base.commit[:12]}"):
                        _, statements, lines, *_ = cov.analysis2(os.fspath(home / name))
                    count = len(lines)
                    if gone and statements:
                        left_out[name] = len(statements)
                if count:
                    excluded[name] = count
    except ToxscreenError as error:
        return error.message
    finally:
        # Coverage remembers in which folder it was made last, and shortens paths by it.
        _load(None)
    return covered.Base(base.commit, excluded, left_out)


def _relative(root: Path, name: str) -> str:
    """A path from the root with forward slashes, where it lies below it."""
    path = root / name
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else name


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def write(cov: Coverage, folder: Path) -> dict[str, Any]:
    """Write every report, and give the content of the JSON one.

    Raises:
        CoverageEvidenceError: there is nothing to report on.
        CoverageDataError: a source cannot be found or read.
    """
    nothing = CoverageEvidenceError(
        "no statement was measured in any source file",
        place=Place(FILE, "tool.coverage"),
        hint="source, include and omit leave no file with code to report on",
    )
    folder.mkdir()
    document = _json(cov, folder / "coverage.json")
    if not document or not document["totals"]["num_statements"]:
        raise nothing
    with _telling("report"):
        cov.xml_report(outfile=os.fspath(folder / "coverage.xml"))
        cov.lcov_report(outfile=os.fspath(folder / "coverage.lcov"))
        cov.html_report(directory=os.fspath(folder / "html"))
        text = io.StringIO()
        cov.report(file=text, output_format="markdown", show_missing=True)
        (folder / "coverage.md").write_text(text.getvalue(), encoding="utf-8")
    return document
