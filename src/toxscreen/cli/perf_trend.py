"""How benchmarks came to where they are: of earlier comparisons, or of files of other tools. Shown, never judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from toxscreen.cli.command import Answer
from toxscreen.cli.perf_page import duration
from toxscreen.errors import BenchmarkFileError, raise_together
from toxscreen.model import Page, Table
from toxscreen.perf import foreign, trend
from toxscreen.perf.foreign import Sample

_CHAINS = ("Benchmark", "Comparisons", "Since", "Until", "Last", "All together", "Now")
_FILES = ("Benchmark", "Measured", "First", "Last", "Change", "Fastest", "From", "To")


def of_project(root: Path) -> Answer:
    """The ratios that this project remembers.

    Args:
        root: the project's root.
    """
    steps = trend.read(root)
    chains = trend.chains(steps)
    rows = tuple(
        (
            each.node_id,
            str(each.steps),
            each.since[:12],
            each.until[:12],
            f"{each.last:.3f}",
            f"{each.whole:.3f}",
            duration(each.seconds),
        )
        for each in chains
    )
    where = (trend.folder(root) / trend.FILE).relative_to(root).as_posix()
    if not rows:
        told = f"no comparison is remembered in {where}: those count in which nothing is slower or left open"
        return Answer(Page("performance: no trend", notes=(told,)), {"chains": [], "steps": []})
    page = Page(
        f"performance: trend of {_many(len(rows), 'benchmark')} over {_many(len(steps), 'comparison')}",
        notes=(
            "candidate over base: below 1 is faster; a chain ends where a comparison lacks",
            "nothing is judged here",
        ),
        tables=(Table(_CHAINS, rows),),
        closing=(f"read from {where}",),
    )
    return Answer(page, {"chains": [each._asdict() for each in chains], "steps": [each._asdict() for each in steps]})


def of_files(folder: Path, names: Sequence[str]) -> Answer:
    """What files of pytest-benchmark and pyperf say, oldest first.

    Args:
        folder: to which the names are relative.
        names: of the files.

    Raises:
        BenchmarkFileError: one cannot be read.
        ErrorGroup: several cannot.
    """
    samples: list[Sample] = []
    wrong: list[BenchmarkFileError] = []
    for name in names:
        try:
            samples += foreign.read(folder / name, name)
        except BenchmarkFileError as error:
            wrong.append(error)
    raise_together(wrong)
    # A file that does not say when stands where it was named.
    if all(each.when is not None for each in samples):
        samples.sort(key=lambda each: each.when or 0.0)
    by_name: dict[str, list[Sample]] = {}
    for each in samples:
        by_name.setdefault(each.name, []).append(each)
    machines = sorted({each.machine for each in samples if each.machine})
    notes = ["seconds as the files have them; nothing is judged here"]
    if len(machines) > 1:
        notes.append(f"measured on {len(machines)} machines, whose seconds do not compare: {', '.join(machines)}")
    page = Page(
        f"performance: {_many(len(by_name), 'benchmark')} in {_many(len(set(names)), 'file')}",
        notes=tuple(notes),
        tables=(Table(_FILES, tuple(_row(name, found) for name, found in sorted(by_name.items()))),),
    )
    return Answer(page, {"benchmarks": {name: [each._asdict() for each in found] for name, found in by_name.items()}})


def _row(name: str, found: Sequence[Sample]) -> tuple[str, ...]:
    first, last = found[0], found[-1]
    change = f"{100 * (last.seconds / first.seconds - 1):+.1f} %" if len(found) > 1 else ""
    return (
        name,
        str(len(found)),
        duration(first.seconds),
        duration(last.seconds),
        change,
        duration(min(each.seconds for each in found)),
        _when(first),
        _when(last),
    )


def _when(sample: Sample) -> str:
    label = sample.label[:12]
    return label if sample.when is None else f"{label} ({datetime.fromtimestamp(sample.when, UTC):%Y-%m-%d})"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
