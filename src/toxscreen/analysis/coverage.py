"""What coverage measured: saved while a process measures, combined and reported afterwards.

The one place that uses coverage.py. It is imported only inside functions: the plugin loads this file in every run.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toxscreen import host
from toxscreen.analysis import figures, stamp
from toxscreen.analysis.figures import Figures
from toxscreen.errors import (
    ConfigError,
    CoverageDataError,
    CoverageEvidenceError,
    MissingToolError,
    Place,
    ToxscreenError,
    raise_together,
)
from toxscreen.host import CLOCK, Clock
from toxscreen.model import Verdict
from toxscreen.settings import FILE

if TYPE_CHECKING:
    from coverage import Coverage

_FLOOR_KEY: Final = "tool.coverage.report.fail_under"
#: Percent.
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """An environment whose data is part of a report."""

    name: str
    commit: str | None
    data_files: int
    measured_files: int


@dataclass(frozen=True, slots=True)
class Report:
    """Combined coverage."""

    environments: tuple[Measured, ...]
    files: tuple[Figures, ...]
    #: Names of the files that the project's configuration keeps out of tables.
    unlisted: frozenset[str]
    total: Figures
    verdict: Verdict
    #: Format and path relative to the root of every report that was written.
    written: dict[str, str]
    notes: tuple[str, ...]


def checkpoint(clock: Clock = CLOCK) -> float | None:
    """Write what this process has measured so far to its data file; costs nothing where coverage is not measuring.

    Never raises.

    Returns:
        Seconds it took; None when nothing was written.
    """
    module = sys.modules.get("coverage")
    if module is None:
        return None
    try:
        measuring = module.Coverage.current()
        if measuring is None:
            return None
        begun = clock.elapsed()
        # `get_data` flushes to the file as `save` does, but leaves the file's name alone. A name with a hash of data
        # that has grown since would be taken for a duplicate of a file with the same beginning, and skipped.
        # What it warns about (a package not imported so far) is only worth saying at the end, when coverage repeats it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            measuring.get_data()
        return clock.elapsed() - begun
    except Exception:  # noqa: BLE001 - a test must not fail because its coverage could not be saved early
        return None


def report(root: Path, environments: Iterable[str]) -> Report:
    """Combine the data of exactly these environments, write every report, and hold the total against the floor.

    Nothing is written unless the evidence is complete. The data of the environments stays as it is.

    Args:
        root: the project's root.
        environments: names that :func:`toxscreen.analysis.stamp.environment_names` accepted.

    Raises:
        CoverageEvidenceError: data is absent, foreign, stale or empty.
        CoverageDataError: coverage cannot use data, sources or its configuration.
        ConfigError: there is no usable floor.
        MissingToolError: coverage is not installed.
        ErrorGroup: several of these.
        OSError: the file system refused.
    """
    names = tuple(environments)
    commit, changes = host.git_commit(root), host.git_changes(root)
    notes = [] if commit else ["no git commit here: nothing tells whether the data was made from these sources"]
    others = [name for name in stamp.environments(root) if name not in names]
    if others:
        notes.append(f"not asked for, not combined: {', '.join(others)}")
    with _inside(root) as said:
        _require()
        measured, data, floor = _gathered(root, names, commit=commit, changes=changes)
        with _workplace(root) as place:
            cov = _combined(root, place, data)
            document = _write(cov, place / stamp.REPORT)
            options = {key: cov.get_option(f"report:{key}") for key in ("precision", "skip_covered", "skip_empty")}
            total, verdict = figures.judged(document, fail_under=floor, precision=int(str(options["precision"])))
            cov.get_data().close(force=True)
            written = _publish(root, place)
    files = [figures.of_file(name, entry) for name, entry in document["files"].items()]
    unlisted = {file.name for file in files if options["skip_covered"] and file.whole}
    unlisted |= {file.name for file in files if options["skip_empty"] and not file.statements}
    if unlisted:
        notes.append(f"files not listed (skip_covered, skip_empty): {len(unlisted)} of {len(files)}")
    return Report(tuple(measured), tuple(files), frozenset(unlisted), total, verdict, written, (*notes, *said))


@contextlib.contextmanager
def _inside(root: Path) -> Iterator[list[str]]:
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


def _require() -> None:
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


def _gathered(
    root: Path, names: Iterable[str], *, commit: str | None, changes: str | None
) -> tuple[list[Measured], list[Path], float]:
    """What environments measured, all their data files, and the floor in percent.

    Raises:
        ToxscreenError: something is wrong with one of them.
        ErrorGroup: with several.
    """
    errors: list[ToxscreenError] = []
    measured: list[Measured] = []
    data: list[Path] = []
    floor = 0.0
    for name in names:
        try:
            evidence = stamp.evidence(root, name, commit=commit, changes=changes)
            measured.append(Measured(name, commit, len(evidence.data_files), _measured_files(root, name, evidence)))
            data += evidence.data_files
        except ToxscreenError as error:
            errors.append(error)
    try:
        floor = _floor(root)
    except ToxscreenError as error:
        errors.append(error)
    raise_together(errors)
    return measured, data, floor


def _measured_files(root: Path, environment: str, evidence: stamp.Evidence) -> int:
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
    for path in evidence.data_files:
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
    count = len(evidence.data_files)
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


@contextlib.contextmanager
def _workplace(root: Path) -> Iterator[Path]:
    """A folder beside the environments' folders in which everything is made before it is shown."""
    place = Path(tempfile.mkdtemp(prefix=".new-", dir=stamp.folder(root)))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _combined(root: Path, place: Path, data: Iterable[Path]) -> Coverage:
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
    return cov


def _write(cov: Coverage, folder: Path) -> dict[str, Any]:
    """Write every report, and give the content of the JSON one.

    Raises:
        CoverageEvidenceError: there is nothing to report on.
        CoverageDataError: a source cannot be found or read.
    """
    from coverage.exceptions import NoDataError

    hint = "every measured file has to be here and to be Python: see tool.coverage.run and tool.coverage.paths"
    nothing = CoverageEvidenceError(
        "no statement was measured in any source file",
        place=Place(FILE, "tool.coverage"),
        hint="source, include and omit leave no file with code to report on",
    )
    folder.mkdir()
    file = folder / "coverage.json"
    with _telling("report", hint=hint):
        try:
            cov.json_report(outfile=os.fspath(file))
        except NoDataError:
            raise nothing from None
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not document["totals"]["num_statements"]:
            raise nothing
        cov.xml_report(outfile=os.fspath(folder / "coverage.xml"))
        cov.lcov_report(outfile=os.fspath(folder / "coverage.lcov"))
        cov.html_report(directory=os.fspath(folder / "html"))
        text = io.StringIO()
        cov.report(file=text, output_format="markdown", show_missing=True)
        (folder / "coverage.md").write_text(text.getvalue(), encoding="utf-8")
    return document


def _publish(root: Path, place: Path) -> dict[str, str]:
    """Put new data and reports in the place of the old ones, and say where they are."""
    top = stamp.folder(root)
    reports = top / stamp.REPORT
    (place / stamp.DATA).replace(top / stamp.DATA)
    if reports.exists():
        reports.replace(place / "old")
    (place / stamp.REPORT).replace(reports)
    kinds = {"xml": "coverage.xml", "html": "html/index.html", "json": "coverage.json"}
    kinds |= {"lcov": "coverage.lcov", "markdown": "coverage.md"}
    paths = {kind: reports / name for kind, name in kinds.items()} | {"data": top / stamp.DATA}
    return {kind: path.relative_to(root).as_posix() for kind, path in paths.items()}
