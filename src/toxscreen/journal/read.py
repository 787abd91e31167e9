"""Fold shards into a Run, forgiving what a killed process leaves behind and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from toxscreen.errors import CorruptJournalError, Place, UnknownRunError
from toxscreen.journal.codec import event_from_line, header_from_json, json_from
from toxscreen.journal.store import COLLECTION, GUARD, HEADER, LEAD, is_locked, run_folders, runs_folder
from toxscreen.model import (
    Attempt,
    Event,
    EventKind,
    FixtureSpan,
    Header,
    Lane,
    LaneSpan,
    Order,
    Outcome,
    Run,
    RunState,
)
from toxscreen.settings import find_root

#: Stands for the newest run.
LAST: Final = "last"


def fingerprint(node_ids: Iterable[str]) -> str:
    """A short digest of a collection in its order."""
    digest = hashlib.sha256()
    for node_id in node_ids:
        digest.update(node_id.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:16]


def read_run(folder: Path) -> Run:
    """The run recorded in a folder.

    Raises:
        CorruptJournalError: a file is missing, unreadable or not ours.
    """
    header = _read_header(folder)
    notes: list[str] = []
    shards = {path.stem: _read_shard(path, notes) for path in sorted(folder.glob("*.jsonl"))}
    lead, guard = shards.pop(LEAD, []), shards.pop(GUARD, [])
    collected = _read_collection(folder, notes)
    downs = {event.lane: event for event in (*lead, *guard) if event.kind is EventKind.LANE_DOWN}
    lanes: list[Lane] = []
    attempts: list[Attempt] = []
    for name in sorted(shards, key=_natural):
        made = list(_attempts(shards[name], downs.get(name)))
        attempts.extend(made)
        lanes.append(Lane(name, tuple(attempt.node_id for attempt in made)))
    notes.extend(event.text for event in lead if event.kind is EventKind.NOTE and event.text)
    finish = next((event for event in reversed(lead) if event.kind is EventKind.FINISH), None)
    return Run(
        header=header,
        state=_state(folder, finish, {attempt.node_id for attempt in attempts}, collected),
        attempts=tuple(attempts),
        order=Order(tuple(lanes), header.seed, fingerprint(collected)),
        collected=collected,
        exit_status=finish.status if finish else None,
        finished=finish.time if finish else None,
        notes=tuple(notes),
        selection=finish.selection if finish else None,
        lost=tuple(f"{name}: {event.text or 'no last word'}" for name, event in sorted(downs.items())),
        fixtures=tuple(span for name in shards for span in _fixtures(shards[name])),
        spans=tuple(_span(name, shards[name]) for name in sorted(shards, key=_natural) if shards[name]),
    )


def recorded_root(start: Path) -> Path:
    """The root of the project whose runs are meant in a folder: the nearest one upwards that has some.

    A project file further down does not end the search: pytest looks beyond those that say nothing to it.

    Args:
        start: where to begin; the project's root for it is the answer where nothing is recorded.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if os.path.isdir(runs_folder(folder)):  # noqa: PTH112 - Path's raises where a folder may not be searched
            return folder
    return find_root(start)


def find_run(root: Path, name: str | None = None) -> Run:
    """A recorded run by its name or an unambiguous part of it.

    Args:
        root: the project's root.
        name: the run, or "last" for the newest; the newest that failed when left out.

    Raises:
        UnknownRunError: there is no such run, or more than one.
        CorruptJournalError: it cannot be read.
    """
    folders = run_folders(root)
    if name is None:
        return _last_failed(folders)
    return read_run(_folder(folders, name))


def find_folder(root: Path, name: str) -> Path:
    """The folder of a recorded run by its name or an unambiguous part of it.

    Args:
        root: the project's root.
        name: the run, or "last" for the newest.

    Raises:
        UnknownRunError: there is no such run, or more than one.
    """
    return _folder(run_folders(root), name)


def _folder(folders: Sequence[Path], name: str) -> Path:
    if name == LAST and folders:
        return folders[0]
    exact = [folder for folder in folders if folder.name == name]
    matching = exact or [folder for folder in folders if name and name in folder.name]
    if len(matching) == 1:
        return matching[0]
    place = Place(key=f"run {name!r}")
    if matching:
        raise UnknownRunError(
            f"{len(matching)} runs match", place=place, hint="; ".join(folder.name for folder in matching[:5])
        )
    raise UnknownRunError("is not recorded", place=place, hint=_known(name, [folder.name for folder in folders]))


def _known(name: str, names: Sequence[str]) -> str:
    """What to try instead of a run that there is not."""
    from difflib import get_close_matches

    if not names:
        return "no run is recorded here yet"
    near = get_close_matches(name, names, n=1)
    return f"{f'did you mean {near[0]!r}? ' if near else ''}newest: {names[0]}; `toxscreen runs --all` lists all"


def _last_failed(folders: Sequence[Path]) -> Run:
    unreadable: CorruptJournalError | None = None
    for folder in folders:
        try:
            run = read_run(folder)
        except CorruptJournalError as error:
            unreadable = unreadable or error
            continue
        if run.failed and run.attempts and run.header.replay_of is None and run.state is not RunState.RUNNING:
            return run
    if unreadable is not None:
        raise unreadable
    raise UnknownRunError("no recorded run failed", hint="`toxscreen runs` lists what is recorded")


def _read_header(folder: Path) -> Header:
    path = folder / HEADER
    try:
        return header_from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise CorruptJournalError(
            f"the header cannot be read: {told}",
            place=Place(f"{folder.name}/{HEADER}"),
            hint="the run is lost; its folder may be removed",
        ) from None


def _read_collection(folder: Path, notes: list[str]) -> tuple[str, ...]:
    try:
        ids = json_from((folder / COLLECTION).read_text(encoding="utf-8"))
        if not isinstance(ids, list):
            raise ValueError("is no list")
        if not all(isinstance(node_id, str) for node_id in ids):
            raise ValueError("is no list of texts")
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        notes.append(f"{COLLECTION}: {error}: what was collected is not known")
        return ()
    return tuple(ids)


def _read_shard(path: Path, notes: list[str]) -> list[Event]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorruptJournalError(
            f"cannot be read: {error.strerror}", place=Place(f"{path.parent.name}/{path.name}")
        ) from None
    *lines, torn = content.split(b"\n")
    if torn:
        notes.append(f"{path.name}: the last line is torn, its {len(torn)} bytes are left out")
    events = []
    for number, line in enumerate(lines, 1):
        try:
            events.append(event_from_line(line))
        except ValueError as error:
            told = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise CorruptJournalError(
                f"is no journal line: {told}",
                place=Place(f"{path.parent.name}/{path.name}", line=number),
                hint="the file was changed after it was written; remove the line or the run's folder",
            ) from None
    return events


def _fixtures(events: Sequence[Event]) -> Iterable[FixtureSpan]:
    for event in events:
        if event.kind is EventKind.FIXTURE and event.fixture is not None:
            teardown = event.setup is None
            seconds = (event.teardown if teardown else event.setup) or 0.0
            # The line is written when it is over.
            started = event.time - seconds
            yield FixtureSpan(event.lane, event.fixture, event.node_id or "", started, seconds, teardown)


def _span(name: str, events: Sequence[Event]) -> LaneSpan:
    collected = next((event.time for event in events if event.kind is EventKind.COLLECTED), None)
    queued = sum(event.queued or 0.0 for event in events)
    return LaneSpan(name, events[0].time, collected, events[-1].time, queued)


def _attempts(events: Sequence[Event], down: Event | None) -> Iterable[Attempt]:
    """Pair starts with ends; a start without an end is what the worker died of, or was cut off."""
    begun: Event | None = None
    place = 0
    for event in events:
        if event.kind is EventKind.START:
            if begun is not None:
                yield _cut_off(begun, place - 1, None)
            begun = event
            place += 1
        elif event.kind is EventKind.END and begun is not None and event.node_id == begun.node_id:
            yield Attempt(
                node_id=begun.node_id or "",
                lane=event.lane,
                place=place - 1,
                started=begun.time,
                outcome=event.outcome or Outcome.NOT_RUN,
                setup=event.setup or 0.0,
                call=event.call or 0.0,
                teardown=event.teardown or 0.0,
                origin=event.origin,
                leaks=event.leaks,
                text=event.text,
                touched=event.touched,
                cpu=event.cpu,
                asserts_nothing=event.asserts_nothing,
                slept=event.slept,
                children=event.children,
            )
            begun = None
    if begun is not None:
        yield _cut_off(begun, place - 1, down)


def _cut_off(begun: Event, place: int, down: Event | None) -> Attempt:
    outcome, text = Outcome.NOT_RUN, "the run ended while it was running"
    if down is not None and down.outcome is not None:
        outcome, text = down.outcome, down.text or ""
    lasted = max(0.0, down.time - begun.time) if down is not None else 0.0
    return Attempt(begun.node_id or "", begun.lane, place, begun.time, outcome, call=lasted, text=text)


def _state(folder: Path, finish: Event | None, attempted: set[str], collected: Sequence[str]) -> RunState:
    if finish is not None:
        return RunState.COMPLETE if attempted.issuperset(collected) else RunState.STOPPED
    return RunState.RUNNING if is_locked(folder) else RunState.DIED


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sort key by which gw10 comes after gw9."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.findall(r"\d+|\D+", name)]
