"""What a hunt has seen, written down while it goes on: one that was cut short is gone on with, not begun again.

A line of JSON a probe, appended and flushed. Nobody writes into another hunt's file, so two hunts at once do no harm.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import toxscreen
from toxscreen.hunt.target import Target, sighting
from toxscreen.hunt.tree import Tree
from toxscreen.model import Ended, Isolation, Probe, Sighting
from toxscreen.settings import STATE, state_folder

SCHEMA: Final = 1
#: Older records are removed.
_MOST_KEPT: Final = 10


def fingerprint(target: Target, tree: Tree, seed: int) -> str:
    """Of all that decides what a probe sees: another fingerprint is another hunt.

    Args:
        target: the suite.
        tree: the project's files.
        seed: of the shuffled orders.
    """
    how = (target.paths, target.options, target.python, target.category, target.hash_seed)
    where = (target.copies is not None, target.sandbox is not None)
    facts = (toxscreen.__version__, os.fspath(target.root), how, where, seed, sorted(tree.items()))
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()


class Record:
    """The record of one hunt.

    Args:
        root: of the project.
        mark: the fingerprint.
        now: seconds since the epoch.
        anew: do not look for a hunt that was cut short.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, root: Path, mark: str, now: float, *, anew: bool = False) -> None:
        folder = state_folder(root) / "hunts"
        folder.mkdir(exist_ok=True)
        old = None if anew else unfinished(root, mark)
        self._known: dict[tuple[str, tuple[str, ...]], list[Probe]] = {}
        self._asked: Counter[tuple[str, tuple[str, ...]]] = Counter()
        #: The record of the hunt that is gone on with.
        self.old = old.name if old is not None else None
        probes = list(_probes(old)) if old is not None else []
        for probe in probes:
            self._known.setdefault((probe.how, probe.node_ids), []).append(probe)
        #: How many probes need not be run again.
        self.known = len(probes)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        self.file = folder / f"{stamp}-{secrets.token_hex(2)}.jsonl"
        self.file.touch(exist_ok=False)
        #: Why the record is not whole, when it is not.
        self.problem: str | None = None
        self._write({"schema": SCHEMA, "fingerprint": mark, "started": round(now, 3), "resumes": self.old})
        for probe in probes:
            # This one may be cut short as well.
            self.add(probe)
        for each in sorted(folder.glob("*.jsonl"))[:-_MOST_KEPT]:
            each.unlink(missing_ok=True)

    def recall(self, how: str, node_ids: tuple[str, ...]) -> Probe | None:
        """What the same probe saw in the hunt that is gone on with; asked again, what it saw the next time."""
        key = how, node_ids
        seen = self._known.get(key, [])
        number = self._asked[key]
        self._asked[key] += 1
        return seen[number] if number < len(seen) else None

    def add(self, probe: Probe) -> None:
        """Write down what a probe saw, in this hunt or the one before."""
        self._write(
            {
                "probe": {
                    "how": probe.how,
                    "node_ids": probe.node_ids,
                    "seen": [_told(each) for each in probe.seen],
                    "ended": probe.ended,
                    "seconds": probe.seconds,
                    "status": probe.status,
                }
            }
        )

    def finish(self, findings: tuple[Isolation, ...], *, budget: float, seconds: float, is_whole: bool) -> None:
        """The end.

        Args:
            findings: what was found.
            budget: seconds that the search might take.
            seconds: what it took.
            is_whole: whether there is nothing to go on with.
        """
        for each in findings:
            self._write({"finding": asdict(each)})
        self._write({"done": is_whole, "budget": budget, "seconds": round(seconds, 3)})

    def _write(self, line: dict[str, Any]) -> None:
        if self.problem is not None:
            return
        try:
            # Whoever ends a hunt may not come to close a file.
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
        except OSError as error:
            self.problem = f"{self.file}: {error.strerror}"


def unfinished(root: Path, mark: str) -> Path | None:
    """The newest record of a hunt with this fingerprint, if that hunt did not come to its end.

    Args:
        root: of the project.
        mark: the fingerprint.
    """
    try:
        found = sorted((root / STATE / "hunts").glob("*.jsonl"), reverse=True)
    except OSError:
        return None
    for file in found:
        lines = list(_lines(file))
        if lines and lines[0].get("fingerprint") == mark and lines[0].get("schema") == SCHEMA:
            return None if lines[-1].get("done") else file
    return None


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The lines up to the first that is torn."""
    with contextlib.suppress(OSError, ValueError), file.open("rb") as stream:
        for line in stream:
            told = json.loads(line)
            if not isinstance(told, dict):
                return
            yield told


def _probes(file: Path) -> Iterator[Probe]:
    with contextlib.suppress(KeyError, TypeError, ValueError):
        for line in _lines(file):
            if "probe" in line:
                yield _probe(line["probe"])


def _told(seen: Sighting) -> dict[str, Any]:
    told: dict[str, Any] = {"node_id": seen.node_id, "outcome": seen.outcome}
    if seen.origin is not None:
        told["origin"] = asdict(seen.origin)
    if seen.text is not None:
        told["text"] = seen.text
    if seen.touched:
        told["touched"] = seen.touched
    return told


def _probe(told: dict[str, Any]) -> Probe:
    return Probe(
        tuple(told["node_ids"]),
        told["how"],
        tuple(sighting(each) for each in told["seen"]),
        Ended(told["ended"]),
        told["seconds"],
        told["status"],
    )
