"""One report of what several environments measured, and the evidence that gates read: made as a whole, then shown."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.analysis import coverage, covered, evidence, figures, stamp, trend
from toxscreen.analysis.base import find_base
from toxscreen.analysis.figures import Figures
from toxscreen.analysis.late import is_late
from toxscreen.errors import BaseError
from toxscreen.gates.covered import KIND
from toxscreen.model import Base, Evidence, Verdict

#: Begins the name of a folder in which something is made, before the id of the process.
_NEW: Final = ".new-"


@dataclass(frozen=True, slots=True)
class Report:
    """Combined coverage."""

    environments: tuple[coverage.Measured, ...]
    files: tuple[Figures, ...]
    #: Names of the files that the project's configuration keeps out of tables.
    unlisted: frozenset[str]
    total: Figures
    verdict: Verdict
    #: Source files that no environment measured.
    never: tuple[str, ...]
    #: Format and path relative to the root of every report that was written.
    written: dict[str, str]
    notes: tuple[str, ...]
    #: What gates read of it.
    evidence: Evidence
    #: What changes are compared with; None where nobody can tell.
    base: Base | None


#: Makes further files of the total and its verdict: content by name.
More = Callable[[Figures, Verdict], Mapping[str, str]]


def report(
    root: Path,
    environments: Iterable[str],
    *,
    against: str | None,
    usual: str | None,
    command: Sequence[str],
    more: More,
) -> Report:
    """Combine the data of exactly these environments, write every report, and hold the total against the floor.

    Nothing is written unless the evidence is complete. The data of the environments stays as it is.

    Args:
        root: the project's root.
        environments: names that :func:`toxscreen.analysis.stamp.environment_names` accepted.
        against: revision that somebody named to compare changes with.
        usual: the one that the settings name; where it is not there, nothing is compared.
        command: what makes the evidence anew.
        more: makes further files that are written beside the reports.

    Raises:
        CoverageEvidenceError: data is absent, foreign, stale or empty.
        CoverageDataError: coverage cannot use data, sources or its configuration.
        ConfigError: there is no usable floor.
        BaseError: there is no revision ``against``.
        EvidenceError: the evidence cannot be kept.
        MissingToolError: coverage is not installed.
        ErrorGroup: several of these.
        OSError: the file system refused.
    """
    names = tuple(environments)
    state = evidence.state(root)
    notes = [] if state.commit else ["no git commit here: nothing tells whether the data was made from these sources"]
    others = [name for name in stamp.environments(root) if name not in names]
    if others:
        notes.append(f"not asked for, not combined: {', '.join(others)}")
    base = _base(root, against, usual)
    with coverage.inside(root) as said:
        coverage.require()
        measured, data, floor = coverage.gathered(root, names, commit=state.commit, changes=state.changes)
        with _workplace(root) as place:
            apart = {name: coverage.apart(root, place, data[name], name) for name in data if len(data) > 1}
            documents = {name: each.document for name, each in apart.items()}
            # What is combined already need not be read once more.
            inputs = {name: (each.data_file,) for name, each in apart.items()} or data
            cov = coverage.combined(root, place, [path for each in inputs.values() for path in each])
            document = coverage.write(cov, place / stamp.REPORT)
            never, absent = coverage.never_measured(cov, root, place, document)
            options = {key: cov.get_option(f"report:{key}") for key in ("precision", "skip_covered", "skip_empty")}
            precision = int(str(options["precision"]))
            unknown = {name: covered.countable(entry) for name, entry in covered.files(never).items()}
            total, verdict = figures.judged(document, unknown, fail_under=floor, precision=precision)
            cov.get_data().close(force=True)
            alone = [
                covered.Alone(each.name, each.commit, each.data_files, documents.get(each.name, document))
                for each in measured
            ]
            texts = _texts(root, (*document["files"], *unknown))
            late = {
                covered.posix(name)
                for each in alone
                for name, entry in covered.files(each.document).items()
                if is_late(texts.get(name, ""), entry["executed_lines"])
            }
            found = covered.evidence(
                document,
                never,
                alone,
                texts,
                base=base if isinstance(base, str) else coverage.at_base(root, place, base, document, unknown),
                absent=absent,
                late=late,
                fail_under=floor,
                precision=precision,
            )
            for name, text in more(total, verdict).items():
                (place / stamp.REPORT / name).write_text(text, encoding="utf-8")
            evidence.write(root, KIND, found, command, state)
            written = _publish(root, place)
    files = [figures.of_file(name, entry) for name, entry in document["files"].items()]
    unlisted = {file.name for file in files if options["skip_covered"] and file.whole}
    unlisted |= {file.name for file in files if options["skip_empty"] and not file.statements}
    if unlisted:
        notes.append(f"files not listed (skip_covered, skip_empty): {len(unlisted)} of {len(files)}")
    notes += [f"named as source, and not here: {name}" for name in absent]
    notes += [f"never measured: {name}" for name in sorted(unknown)]
    notes += [f"imported before coverage began, so measured in part: {name}" for name in sorted(late)]
    if isinstance(base, str) and state.commit:
        notes.append(f"not compared with a base: {base}")
    compared = None if isinstance(base, str) else base
    notes += trend.note(root, state, names, verdict, precision=precision, base=compared)
    told = Evidence(KIND, state, host.CLOCK.wall(), tuple(command), found)
    every = (tuple(measured), tuple(files), frozenset(unlisted), total, verdict, tuple(sorted(unknown)), written)
    return Report(*every, (*notes, *said), told, compared)


def _base(root: Path, against: str | None, usual: str | None) -> Base | str:
    """The revision to compare with; in words why there is none, unless somebody named it.

    Raises:
        BaseError: the named one is not there.
    """
    try:
        return find_base(root, against, host.environment(), usual)
    except BaseError as error:
        if against is not None:
            raise
        return error.message


@contextlib.contextmanager
def _workplace(root: Path) -> Iterator[Path]:
    """A folder beside the environments' folders in which everything is made before it is shown."""
    top = stamp.folder(root)
    for left in top.glob(f"{_NEW}*"):
        process = left.name.removeprefix(_NEW).partition("-")[0]
        # Of a process that was killed; another one may be at work beside this one.
        if not process.isdecimal() or not host.is_running(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=f"{_NEW}{host.process_id()}-", dir=top))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _texts(root: Path, names: Iterable[str]) -> dict[str, str]:
    """The text of source files; those that are no UTF-8 text are left out."""
    texts = {}
    for name in names:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            texts[name] = (root / name).read_text(encoding="utf-8-sig")
    return texts


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
    kinds |= {"badge": "badge.svg", "endpoint": "badge.json"}
    paths = {kind: reports / name for kind, name in kinds.items() if (reports / name).exists()}
    paths["data"] = top / stamp.DATA
    return {kind: path.relative_to(root).as_posix() for kind, path in paths.items()}
