"""Shards' runs to one run: lanes get the number of their shard, all shards begin at the same moment.

Nothing is judged here: whether the shards are the whole has been proved before.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from toxscreen.errors import CorruptJournalError
from toxscreen.journal.codec import event_to_line, header_to_json, json_from
from toxscreen.journal.read import read_run
from toxscreen.journal.store import COLLECTION, GUARD, HEADER, LEAD, new_run, run_folders
from toxscreen.model import Event, EventKind, Header, Part, RunState, Selection
from toxscreen.plan.replay import without_replay

#: Shards that are no lanes.
_OTHERS: Final = (LEAD, GUARD)


def joined(root: Path, merged: Sequence[str]) -> Path | None:
    """The whole run that was made of just these before; None where there is none.

    Args:
        root: the project's root.
        merged: names of the shards' runs, in their order.
    """
    for folder in run_folders(root):
        try:
            record = json_from((folder / HEADER).read_bytes())
        except (OSError, ValueError):
            continue
        if not isinstance(record, dict) or record.get("merged") != list(merged):
            continue
        # A merge that was ended half way leaves a run without its last word, and is made again.
        with contextlib.suppress(CorruptJournalError):
            if read_run(folder).state is RunState.COMPLETE:
                return folder
    return None


def join(root: Path, parts: Sequence[tuple[Part, Path]], now: float) -> Path:
    """Write the run that shards make together.

    A lane ``gw0`` of the second shard becomes ``2.gw0``. Times are moved so that all shards begin at once: clocks of
    machines differ, and for how long a job waited for its machine says nothing of the tests.

    Args:
        root: the project's root.
        parts: what :func:`toxscreen.gates.shards.judge` found nothing against, each with its run's folder, in the order
            of the shards.
        now: seconds since the epoch, for the name.

    Returns:
        The folder of the run.

    Raises:
        OSError: it cannot be written.
    """
    runs = [part.run for part, _ in parts]
    begun = min(run.header.started for run in runs)
    folder = new_run(root, runs[0].header.category, now)
    collected = sorted(node_id for run in runs for node_id in run.collected)
    (folder / HEADER).write_text(header_to_json(_header(folder.name, parts, begun)), encoding="utf-8")
    (folder / COLLECTION).write_text(json.dumps(collected, indent=0), encoding="utf-8")
    others: dict[str, list[bytes]] = {name: [] for name in _OTHERS}
    for part, source in parts:
        shift = begun - part.run.header.started
        for shard in sorted(source.glob("*.jsonl")):
            lines = _moved(shard, part.shard.number, shift)
            if shard.stem in others:
                others[shard.stem] += lines
            else:
                (folder / f"{part.shard.number}.{shard.name}").write_bytes(b"".join(lines))
    if others[GUARD]:
        (folder / f"{GUARD}.jsonl").write_bytes(b"".join(others[GUARD]))
    ended = max(begun + (run.finished or run.header.started) - run.header.started for run in runs)
    last = Event(
        EventKind.FINISH,
        ended,
        LEAD,
        status=max(run.exit_status or 0 for run in runs),
        selection=_selection([run.selection for run in runs if run.selection is not None]),
    )
    # Last, because a run without its last word counts for nothing.
    (folder / f"{LEAD}.jsonl").write_bytes(b"".join([*others[LEAD], event_to_line(last)]))
    return folder


def _header(name: str, parts: Sequence[tuple[Part, Path]], begun: float) -> Header:
    first = parts[0][0].run.header
    headers = [part.run.header for part, _ in parts]
    seeds, hash_seeds = {each.seed for each in headers}, {each.hash_seed for each in headers}
    shards = [
        {
            "shard": str(part.shard),
            "run": part.run.id,
            "workers": part.run.header.workers,
            "started": part.run.header.started,
            "seconds": round((part.run.finished or 0.0) - part.run.header.started, 3),
            "seed": part.run.header.seed,
            "hash_seed": part.run.header.hash_seed,
            "host": part.run.header.host,
        }
        for part, _ in parts
    ]
    return replace(
        first,
        run=name,
        started=begun,
        argv=tuple(without_replay(first.argv)),
        seed=first.seed if len(seeds) == 1 else None,
        hash_seed=first.hash_seed if len(hash_seeds) == 1 else None,
        shard=None,
        merged=tuple(each.run for each in headers),
        extra={**first.extra, "shards": shards},
    )


def _moved(shard: Path, number: int, shift: float) -> list[bytes]:
    """The lines of a journal file, with the lane's new name; the run's own end is left out."""
    *lines, _ = shard.read_bytes().split(b"\n")
    moved = []
    for line in lines:
        record: dict[str, Any] = json_from(line)
        if record["kind"] == EventKind.FINISH:
            continue
        if record["lane"] not in _OTHERS:
            record["lane"] = f"{number}.{record['lane']}"
        elif record["kind"] == EventKind.NOTE and "text" in record:
            record["text"] = f"shard {number}: {record['text']}"
        record["time"] = round(record["time"] + shift, 6)
        moved.append(json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n")
    return moved


def _selection(selections: Iterable[Selection]) -> Selection | None:
    """What the shards left out: each the same, but for the benchmarks among its own tests."""
    known = list(selections)
    if not known:
        return None
    off = sum(selection.benchmarks_off for selection in known)
    deselected: Mapping[str, int] = known[0].deselected
    return Selection(known[0].elsewhere, deselected, known[0].narrowed, off)
