"""What is told of one recorded run, or of all of them: for people and as data. Nothing is read or asked here."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from toxscreen.model import Attempt, Lane, Outcome, Page, Run, RunState, Table
from toxscreen.plan.conflicts import conflicts
from toxscreen.plan.replay import Target, command, red_lanes, seeds
from toxscreen.plan.spent import did

#: Up to so many tests the lanes are shown test by test without being asked for.
FEW = 50
_SLOWEST = 10
_STATES = {
    RunState.COMPLETE: "complete",
    RunState.STOPPED: "stopped before every selected test had run",
    RunState.RUNNING: "still running",
    RunState.DIED: "died: its process is gone and left no last word",
}


def utc(seconds: float) -> str:
    """A moment as date and time in UTC.

    Args:
        seconds: since the epoch.
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def summary(run: Run) -> dict[str, object]:
    """The figures of a run that fit into one row."""
    header = run.header
    return {
        "run": run.id,
        "category": header.category,
        "started": header.started,
        "started_utc": utc(header.started),
        "state": run.state,
        "tests": len({attempt.node_id for attempt in run.attempts}),
        "collected": len(run.collected),
        "red": len(_red(run.attempts)),
        "seconds": None if run.finished is None else round(run.finished - header.started, 3),
        "workers": header.workers,
        "exit_status": run.exit_status,
        "environment": header.environment,
        "replay_of": header.replay_of,
        "shard": header.shard,
        "merged": list(header.merged),
    }


def data(run: Run, program: Sequence[str]) -> dict[str, object]:
    """Everything that is known of a run.

    Args:
        run: the run.
        program: how toxscreen is called.
    """
    red = red_lanes(run)
    return {
        **summary(run),
        "header": asdict(run.header),
        "notes": list(run.notes),
        "outcomes": run.outcomes,
        "collection": list(run.collected),
        "fingerprint": run.order.fingerprint,
        "lanes": [
            {
                "name": lane.name,
                "node_ids": list(lane.node_ids),
                "busy_seconds": round(_seconds(_on(run, lane)), 6),
                "red": len(_red(_on(run, lane))),
            }
            for lane in run.order.lanes
        ],
        "conflicts": [
            {
                "thing": conflict.thing,
                "tests": [{"node_id": node_id, "lane": lane} for node_id, lane in conflict.tests],
            }
            for conflict in conflicts(run.attempts)
        ],
        "attempts": [asdict(attempt) for attempt in run.attempts],
        "replay": [{"lane": lane, "command": replay_command(run, lane, last, program)} for lane, last in red.items()],
    }


def replay_command(run: Run, lane: str, until: str, program: Sequence[str]) -> list[str]:
    """The command that replays a lane up to a test, in the way the run was started.

    Args:
        run: the run.
        lane: one of its lanes.
        until: the last test to run.
        program: how toxscreen is called.
    """
    _, hash_seed = seeds(run, lane)
    target = Target(run.id, lane, until)
    return list(command(target, environment=run.header.environment, hash_seed=hash_seed, program=program))


def page(run: Run, program: Sequence[str], *, order: bool) -> Page:
    """A run for people.

    Args:
        run: the run.
        program: how toxscreen is called.
        order: whether to list what each lane ran, however long.
    """
    unseen: tuple[str, ...] = ()
    tables = [_chosen(run), _lanes(run), _slowest(run), _failures(run), _leaks(run), _conflicts(run)]
    if order or len(run.attempts) <= FEW:
        tables.extend(_order(run, lane) for lane in run.order.lanes)
    else:
        unseen = (f"what each lane ran, in order: {shlex.join([*program, 'runs', run.id, '--order'])}",)
    return Page(
        title=f"run {run.id}",
        notes=tuple(_facts(run)),
        tables=tuple(table for table in tables if table.rows),
        closing=(*_texts(run), *unseen, *_replays(run, program)),
    )


def _facts(run: Run) -> list[str]:
    header = run.header
    counted = Counter(run.outcomes.values())
    lasted = "" if run.finished is None else f", lasted {run.finished - header.started:.2f} s"
    if lasted and run.queued:
        lasted += f", {run.queued:.2f} s of it waiting for slots"
    status = "" if run.exit_status is None else f", exit status {run.exit_status}"
    told = [
        f"category {header.category}, started {utc(header.started)} UTC{lasted}",
        f"{_STATES[run.state]}{status}",
        "tests: " + (", ".join(f"{counted[kind]} {kind}" for kind in Outcome if counted[kind]) or "none"),
        *_seeds(run),
        f"commit {_known(header.commit)}" + (f" with uncommitted changes ({header.changes})" if header.changes else ""),
        f"interpreter {header.executable}",
        ", ".join(f"{name} {version}" for name, version in header.tools.items()),
        f"host: {', '.join(f'{name} {value}' for name, value in header.host.items())}",
        f"pytest was given, in {header.cwd}: {shlex.join(header.argv) or 'no arguments'}",
    ]
    if header.environment:
        told.append(f"tox environment {header.environment}")
    if header.shard:
        told.append(f"shard {header.shard} of the tests")
    if header.merged:
        told.append(f"joined from {len(header.merged)} shards: {', '.join(header.merged)}")
    told.extend(_left_out(run))
    if header.replay_of:
        told.append(f"replay of {header.replay_of}")
    told.extend(
        f"cut off on {attempt.lane}: {attempt.node_id}"
        for attempt in run.attempts
        if attempt.outcome is Outcome.NOT_RUN
    )
    told.extend("lost worker " + lost.partition("\n")[0] for lost in run.lost)
    told.extend(f"note: {note}" for note in run.notes)
    return [fact for fact in told if fact]


def _seeds(run: Run) -> list[str]:
    """The seeds, of each shard where they differ."""
    numbers = range(1, len(run.header.merged) + 1)
    known = {number: seeds(run, f"{number}.") for number in numbers} or {0: seeds(run, None)}
    alike = len(set(known.values())) == 1
    return [
        f"{'' if alike else f'shard {number}: '}seed {_known(seed)}, PYTHONHASHSEED {_known(hash_seed)}"
        for number, (seed, hash_seed) in list(known.items())[: 1 if alike else None]
    ]


def _left_out(run: Run) -> list[str]:
    """What keeps a run from being the whole."""
    selection = run.selection
    if selection is None:
        return []
    told = [f"{count} left out by {who}" for who, count in selection.deselected.items()]
    told += [f"narrowed by {who}" for who in selection.narrowed]
    if selection.other_shards:
        told.append(f"{selection.other_shards} in other shards")
    if selection.elsewhere:
        told.append(f"{selection.elsewhere} of other categories")
    lines = [f"not selected: {', '.join(told)}"] if told else []
    if selection.benchmarks_off:
        lines.append(f"benchmarks disabled: {selection.benchmarks_off}")
    return lines


def _known(value: object) -> str:
    return "not known" if value is None else str(value)


def _chosen(run: Run) -> Table:
    return Table(("Chosen", "Value (where from)"), tuple(run.header.chosen.items()))


def _lanes(run: Run) -> Table:
    rows = []
    for lane in run.order.lanes:
        attempts = _on(run, lane)
        rows.append((lane.name, str(len(attempts)), f"{_seconds(attempts):.2f}", str(len(_red(attempts)))))
    return Table(("Lane", "Tests", "Busy s", "Red"), tuple(rows))


def _slowest(run: Run) -> Table:
    whole = _seconds(run.attempts)
    slowest = sorted(run.attempts, key=lambda attempt: attempt.seconds, reverse=True)[:_SLOWEST]
    rows = [
        (
            attempt.node_id,
            attempt.lane,
            *(f"{seconds:.3f}" for seconds in (attempt.setup, attempt.call, attempt.teardown, attempt.seconds)),
            share(attempt.seconds, whole),
            "-" if attempt.waited is None else f"{attempt.waited:.3f}",
            did(attempt),
        )
        for attempt in slowest
    ]
    columns = ("Test", "Lane", "Set-up s", "Call s", "Teardown s", "Total s", "Share", "Waited s", "Did")
    return Table(columns, tuple(rows), f"Slowest {len(rows)} tests" if len(rows) > 1 else "Slowest test")


def share(part: float, whole: float) -> str:
    """A part in percent with one decimal, which never makes nothing of something or all of nearly all."""
    told = f"{100 * part / whole if whole else 0.0:.1f} %"
    if part and told == "0.0 %":
        return "<0.1 %"
    return ">99.9 %" if part < whole and told == "100.0 %" else told


def _failures(run: Run) -> Table:
    rows = [
        (
            attempt.node_id,
            f"{attempt.lane}, {attempt.place + 1}.",
            attempt.outcome.value,
            f"{attempt.origin.file}:{attempt.origin.line}" if attempt.origin else "",
            (attempt.text or "").partition("\n")[0],
        )
        for attempt in _red(run.attempts)
    ]
    return Table(("Test", "Lane and place", "Outcome", "Raised in", "What"), tuple(rows), "Failures")


def _leaks(run: Run) -> Table:
    rows = [
        (attempt.node_id, leak.what, leak.before, leak.after, "" if leak.blamed == attempt.node_id else leak.blamed)
        for attempt in run.attempts
        for leak in attempt.leaks
    ]
    return Table(("Test", "What leaked", "Before", "After", "Left by"), tuple(rows), "Leaks")


def _conflicts(run: Run) -> Table:
    rows = [
        (conflict.thing if not place else "", node_id, lane)
        for conflict in conflicts(run.attempts)
        for place, (node_id, lane) in enumerate(conflict.tests)
    ]
    return Table(("What is touched", "By test", "On lane"), tuple(rows), "Possible conflicts")


def _order(run: Run, lane: Lane) -> Table:
    rows = [
        (str(attempt.place + 1), attempt.node_id, attempt.outcome.value, f"{attempt.seconds:.3f}")
        for attempt in _on(run, lane)
    ]
    return Table(("Place", "Test", "Outcome", "Seconds"), tuple(rows), f"Order on {lane.name}")


def _texts(run: Run) -> list[str]:
    """What was kept of a failure beyond its first line: stacks and last words."""
    return [
        f"{attempt.node_id} on {attempt.lane}: {attempt.outcome}\n{attempt.text.rstrip()}\n"
        for attempt in _red(run.attempts)
        if attempt.text and "\n" in attempt.text.rstrip()
    ]


def _replays(run: Run, program: Sequence[str]) -> list[str]:
    red = red_lanes(run)
    told = [f"replay {lane}: {shlex.join(replay_command(run, lane, last, program))}" for lane, last in red.items()]
    if len(red) > 1:
        told.append(f"replay all lanes side by side: {shlex.join([*program, 'replay', run.id, '--all-lanes'])}")
    return told


def _on(run: Run, lane: Lane) -> list[Attempt]:
    return [attempt for attempt in run.attempts if attempt.lane == lane.name]


def _red(attempts: Sequence[Attempt]) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.outcome.red]


def _seconds(attempts: Sequence[Attempt]) -> float:
    return sum(attempt.seconds for attempt in attempts)
