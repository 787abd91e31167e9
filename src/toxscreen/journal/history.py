"""Runs folded to History: how long each test and each wide fixture takes, kept in one file that can be made again.

The file is a cache: what is wrong with it is not told, it is made anew from the runs that are still there.
"""

from __future__ import annotations

import contextlib
import json
import math
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.journal.codec import header_from_json, json_from
from toxscreen.journal.store import GUARD, HEADER, LEAD, is_locked, run_folders
from toxscreen.model import Duration, History, Outcome
from toxscreen.settings import STATE, state_folder

FILE: Final = "history.json"
SCHEMA: Final = 1
#: So many of the last durations are kept of each test; of fewer than three the lower median hides one that was slow.
_SAMPLES: Final = 5
#: After so many runs without it a test is forgotten: it was removed, or has another name.
_FORGOTTEN: Final = 1000
#: How a test ended whose duration says how long it takes.
_TELLING: Final = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.XFAILED, Outcome.XPASSED, Outcome.SKIPPED})
_PHASES: Final = ("setup", "call", "teardown")
#: What stands in the lines of interest, so that the others need not be read.
_END, _FIXTURE = b'"kind":"end"', b'"kind":"fixture"'

#: Last seen in which run (counted), then the last durations, oldest first.
_Samples = dict[str, list[Any]]


def history_file(root: Path) -> Path:
    """Where a project's history lies, whether or not there is one."""
    return root / STATE / FILE


def load_history(root: Path) -> History:
    """What the runs of a project say about time, those included that ended since somebody asked last.

    Args:
        root: the project's root.
    """
    kept = _Kept.read(history_file(root))
    if kept.add(run_folders(root)):
        with contextlib.suppress(OSError):
            kept.write(state_folder(root) / FILE)
    return kept.history()


def read_history(path: Path) -> History:
    """The history of a file as it is, without looking for newer runs; an empty one where it cannot be read."""
    return _Kept.read(path).history()


class _Kept:
    """The content of the file: the last durations of everything, and which runs they are from."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.folded = 0
        self.tests: _Samples = {}
        self.fixtures: _Samples = {}

    @classmethod
    def read(cls, path: Path) -> _Kept:
        kept = cls()
        try:
            record = json_from(path.read_bytes())
        except (OSError, ValueError):
            return kept
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            return kept
        runs, folded = record.get("runs"), record.get("folded")
        tests, fixtures = record.get("tests"), record.get("fixtures")
        if (
            isinstance(runs, list)
            and isinstance(folded, int)
            and isinstance(tests, dict)
            and isinstance(fixtures, dict)
            and all(_are_durations(samples) for samples in tests.values())
            and all(_are_seconds(samples) for samples in fixtures.values())
        ):
            kept.runs, kept.folded, kept.tests, kept.fixtures = list(map(str, runs)), folded, tests, fixtures
        return kept

    def write(self, path: Path) -> None:
        """Write all of it at once: who reads meanwhile reads the old one.

        Raises:
            OSError: it cannot be written.
        """
        record = {
            "schema": SCHEMA,
            "runs": self.runs,
            "folded": self.folded,
            "tests": self.tests,
            "fixtures": self.fixtures,
        }
        draft = path.with_name(f"{path.name}.{host.process_id()}")
        try:
            draft.write_text(json.dumps(record, separators=(",", ":")), encoding="utf-8")
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def add(self, folders: Iterable[Path]) -> bool:
        """Fold in the runs that are not yet.

        Returns:
            Whether there were any.
        """
        there = list(folders)
        known = set(self.runs)
        new = [folder for folder in there if folder.name not in known and not is_locked(folder)]
        for folder in reversed(new):
            self.folded += 1
            self._fold(folder)
        names = {folder.name for folder in there}
        self.runs = [name for name in self.runs if name in names] + [folder.name for folder in reversed(new)]
        for samples in (self.tests, self.fixtures):
            for name in [name for name, each in samples.items() if self.folded - each[0] > _FORGOTTEN]:
                del samples[name]
        return bool(new)

    def _fold(self, folder: Path) -> None:
        if _is_replay(folder):
            # A lane of its own, without neighbours: that takes another time.
            return
        fixtures: dict[str, float] = {}
        for shard in sorted(folder.glob("*.jsonl")):
            if shard.stem not in {LEAD, GUARD}:
                self._fold_shard(shard, fixtures)
        for key, seconds in fixtures.items():
            _note(self.fixtures, key, self.folded, round(seconds, 6))

    def _fold_shard(self, shard: Path, fixtures: dict[str, float]) -> None:
        """Tests are noted at once; a fixture is set up on several workers, and the longest of them is taken."""
        try:
            content = shard.read_bytes()
        except OSError:
            return
        longest: dict[str, list[float]] = {}
        #: Of the tests that set up or tore down such fixtures: what of their time that took.
        shared: dict[str, list[float]] = {}
        for line in content.split(b"\n"):
            if _FIXTURE in line:
                _fold_fixture(_record(line), longest, shared)
            elif _END in line:
                self._fold_test(_record(line), shared)
        for key, seconds in longest.items():
            fixtures[key] = max(fixtures.get(key, 0.0), sum(seconds))

    def _fold_test(self, record: dict[str, Any], shared: dict[str, list[float]]) -> None:
        node_id, outcome = record.get("node_id"), record.get("outcome")
        phases = [_seconds(record.get(phase)) for phase in _PHASES]
        if isinstance(node_id, str) and outcome in _TELLING:
            setup, teardown = shared.pop(node_id, (0.0, 0.0))
            own = (phases[0] - setup, phases[1], phases[2] - teardown)
            _note(self.tests, node_id, self.folded, [round(max(0.0, seconds), 6) for seconds in own])

    def history(self) -> History:
        tests = {
            node_id: Duration(*(statistics.median_low(phase) for phase in zip(*samples[1:], strict=True)))
            for node_id, samples in self.tests.items()
        }
        fixtures = {key: statistics.median_low(samples[1:]) for key, samples in self.fixtures.items()}
        return History(tests, fixtures)


def _fold_fixture(record: dict[str, Any], longest: dict[str, list[float]], shared: dict[str, list[float]]) -> None:
    key, node_id = record.get("fixture"), record.get("node_id")
    if not isinstance(key, str) or not isinstance(node_id, str):
        return
    for place, phase in enumerate(("setup", "teardown")):
        seconds = _seconds(record.get(phase))
        # Set up again and again on one worker, it takes as long as one time does.
        each = longest.setdefault(key, [0.0, 0.0])
        each[place] = max(each[place], seconds)
        shared.setdefault(node_id, [0.0, 0.0])[place] += seconds


def _note(samples: _Samples, name: str, run: int, value: object) -> None:
    kept = samples.setdefault(name, [run])
    kept[0] = run
    kept.append(value)
    del kept[1:-_SAMPLES]


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json_from(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _is_replay(folder: Path) -> bool:
    try:
        return header_from_json((folder / HEADER).read_text(encoding="utf-8")).replay_of is not None
    except (OSError, ValueError):
        return False


def _seconds(value: object) -> float:
    """A number of seconds; 0 for what is none."""
    return float(value) if isinstance(value, int | float) and _is_second(value) else 0.0


def _is_second(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _are_seconds(samples: object) -> bool:
    return isinstance(samples, list) and len(samples) > 1 and all(map(_is_second, samples))


def _are_durations(samples: object) -> bool:
    return (
        isinstance(samples, list)
        and len(samples) > 1
        and _is_second(samples[0])
        and all(
            isinstance(each, list) and len(each) == len(_PHASES) and all(map(_is_second, each)) for each in samples[1:]
        )
    )
