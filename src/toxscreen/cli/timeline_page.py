"""``toxscreen runs RUN --timeline``: where the time of a run went, in words, as tables, and as two files to look at."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from toxscreen.cli.command import Answer, here
from toxscreen.cli.output import outputs
from toxscreen.cli.run_page import share
from toxscreen.journal.read import read_run
from toxscreen.model import Attempt, Bound, Bounded, Page, Run, RunState, SliceKind, Table, Timeline, Track
from toxscreen.plan.bounds import WORTH_SAYING, bounds
from toxscreen.plan.spent import did, spent
from toxscreen.plan.timeline import timeline
from toxscreen.plan.timely import told
from toxscreen.report import timeline_svg, trace

_TRACE: Final = "timeline.json"
_PICTURE: Final = "timeline.svg"
_SLOWEST: Final = 10
_PERFETTO: Final = "https://ui.perfetto.dev"


def answer(folder: Path, output: str | None) -> Answer:
    """Write the timeline of a run, and say what bounds it.

    Args:
        folder: of the run.
        output: the folder to write to; None: that of the run.

    Raises:
        CorruptJournalError: the run cannot be read.
        ReportError: a file cannot be written.
        ErrorGroup: neither can.
    """
    into = _shown(folder) if output is None else output
    hint = "name another folder with --output FOLDER"
    to_trace, to_picture = outputs([os.path.join(into, name) for name in (_TRACE, _PICTURE)], hint)  # noqa: PTH118 - as it was given
    run = read_run(folder)
    line = timeline(run)
    found = bounds(line, _cores(run))
    to_trace.write(trace.render(line))
    to_picture.write(timeline_svg.render(line, words(run, line, found)))
    files = {"trace": to_trace.name, "picture": to_picture.name}
    return Answer(page(run, line, found, files), data(run, line, found, files))


def _shown(folder: Path) -> str:
    """A folder as a person here would write it."""
    try:
        return os.fspath(folder.relative_to(here()))
    except ValueError:
        return os.fspath(folder)


def _cores(run: Run) -> int | None:
    cores = run.header.host.get("cores", "")
    return int(cores) if cores.isdecimal() and int(cores) else None


def words(run: Run, line: Timeline, found: Bounded) -> tuple[str, ...]:
    """What bounds a run, in sentences.

    Args:
        run: the run.
        line: its timeline.
        found: what bounds it.
    """
    lines = [f"lasted {told(line.seconds)}" + _unfinished(run)]
    tests = len(run.attempts)
    if not tests:
        return (*lines, "no test ran, so nothing can be said of what bounds it")
    workers = f"{line.workers} {'worker' if line.workers == 1 else 'workers'}"
    times = f", {line.makespan / found.ideal:.2f} times the ideal of {told(found.ideal)}" if found.ideal else ""
    lines.append(f"{tests} {'test' if tests == 1 else 'tests'} on {workers} took {told(line.makespan)}{times}")
    worth = [bound for bound in found.bounds if _is_worth(bound, line)]
    if worth:
        lines.append("what the run would be shorter without, each by itself:")
    elif line.seconds <= (1 + WORTH_SAYING) * found.ideal:
        lines.append(f"nothing stands out: the run is within {100 * WORTH_SAYING:g} % of the ideal")
    else:
        lines.append(f"nothing stands out: no one thing costs {100 * WORTH_SAYING:g} % of the run")
    for place, bound in enumerate(worth, 1):
        lines.append(
            f"{place}. {bound.kind.value}, {told(bound.gain)} ({share(bound.gain, line.seconds)}): {bound.words}"
        )
        lines.append(f"   {bound.remedy}")
    return (*lines, found.one_more_words)


def _unfinished(run: Run) -> str:
    if run.finished is not None:
        return ""
    return " up to now: it is still running" if run.state is RunState.RUNNING else " as far as is known: it has no end"


def _is_worth(bound: Bound, line: Timeline) -> bool:
    return bound.gain >= WORTH_SAYING * line.seconds


def page(run: Run, line: Timeline, found: Bounded, files: Mapping[str, str]) -> Page:
    """Where the time of a run went, for people.

    Args:
        run: the run.
        line: its timeline.
        found: what bounds it.
        files: "trace" and "picture", as they were written.
    """
    tables = (_lanes(line), _slow(run))
    return Page(
        title=f"where the time of run {run.id} went",
        notes=words(run, line, found),
        tables=tuple(table for table in tables if table.rows),
        closing=(f"picture: {files['picture']}", f"trace: {files['trace']} (open it in {_PERFETTO})"),
    )


def _lanes(line: Timeline) -> Table:
    rows = []
    for track in line.tracks:
        use = _use(track)
        parts = [share(use[name], line.seconds) for name in ("busy", "before_tests", "idle", "after")]
        rows.append((track.lane, str(len(track.tests)), f"{use['busy']:.2f}", *parts))
    return Table(("Lane", "Tests", "Busy s", "Busy", "Before tests", "Idle", "After"), tuple(rows), "Lanes")


def _use(track: Track) -> dict[str, float]:
    """Seconds of a lane, by what it did."""
    return {
        "busy": track.spent(SliceKind.TEST, SliceKind.FIXTURE),
        "before_tests": track.spent(SliceKind.STARTING, SliceKind.COLLECTING),
        "idle": track.spent(SliceKind.IDLE),
        "after": track.spent(SliceKind.AFTER),
    }


def _slowest(run: Run) -> Sequence[Attempt]:
    return sorted(run.attempts, key=lambda attempt: attempt.seconds, reverse=True)[:_SLOWEST]


def _slow(run: Run) -> Table:
    rows = []
    for attempt in _slowest(run):
        found = spent(attempt)
        parts = (None, None, None, None) if found is None else found
        cells = ("-" if part is None else f"{part:.3f}" for part in parts)
        rows.append((attempt.node_id, attempt.lane, f"{attempt.seconds:.3f}", *cells, did(attempt)))
    columns = ("Test", "Lane", "Seconds", "CPU", "Slept", "Other programs", "Waited", "Did")
    return Table(columns, tuple(rows), "Slow tests" if len(rows) > 1 else "Slowest test")


def data(run: Run, line: Timeline, found: Bounded, files: Mapping[str, str]) -> dict[str, object]:
    """The same for programs; times are in seconds.

    Args:
        run: the run.
        line: its timeline.
        found: what bounds it.
        files: "trace" and "picture", as they were written.
    """
    return {
        "run": run.id,
        "seconds": round(line.seconds, 6),
        "first_test": round(line.first, 6),
        "last_test": round(line.last, 6),
        "workers": line.workers,
        "ideal": round(found.ideal, 6),
        "words": list(words(run, line, found)),
        "bounds": [
            {**asdict(bound), "gain": round(bound.gain, 6), "worth_saying": _is_worth(bound, line)}
            for bound in found.bounds
        ],
        "one_more_worker": {"gain": round(found.one_more, 6), "words": found.one_more_words},
        "lanes": [
            {
                "name": track.lane,
                "tests": len(track.tests),
                **{name: round(seconds, 6) for name, seconds in _use(track).items()},
            }
            for track in line.tracks
        ],
        "slow_tests": [
            {
                "node_id": attempt.node_id,
                "lane": attempt.lane,
                "seconds": round(attempt.seconds, 6),
                "spent": None if (parts := spent(attempt)) is None else parts._asdict(),
                "did": did(attempt),
            }
            for attempt in _slowest(run)
        ],
        "files": dict(files),
    }
