"""Runs folded to History: how long each test and each wide fixture takes, kept in one file that can be made again.

The file is a cache: what is wrong with it is not told, it is made anew from the runs that are still there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.journal.codec import header_from_json, json_from
from toxscreen.journal.store import GUARD, HEADER, LEAD, is_locked, run_folders
from toxscreen.model import Duration, EventKind, History, Outcome
from toxscreen.settings import STATE, state_folder

FILE: Final = "history.json"
SCHEMA: Final = 1
#: So many of the last durations are kept of each test; of fewer than three the lower median hides one that was slow.
_SAMPLES: Final = 5
#: What is kept of a test that ran once: the run, and the one duration.
_ONE: Final = 2
#: After so many runs without it a test is forgotten: it was removed, or has another name.
_FORGOTTEN: Final = 1000
#: How a test ended whose duration says how long it takes.
_TELLING: Final = (Outcome.PASSED, Outcome.SKIPPED, Outcome.FAILED, Outcome.XFAILED, Outcome.XPASSED)
_PHASES: Final = ("setup", "call", "teardown")
#: What stands in the lines of interest, so that the others need not be read.
_END, _FIXTURE = b'"kind":"end"', b'"kind":"fixture"'

#: Last seen in which run (counted), then the last durations, oldest first.
_Samples = dict[str, list[Any]]


def history_file(root: Path) -> Path:
    """Where a project's history lies, whether or not there is one."""
    return root / STATE / FILE


def load_history(root: Path, *, but: Path | None = None) -> History:
    """What the runs of a project say about time, those included that ended since somebody asked last.

    Args:
        root: the project's root.
        but: folder of a run that goes on, from which nothing is to be learned yet: not every system tells that it does.
    """
    kept = _Kept.read(history_file(root))
    if kept.add(folder for folder in run_folders(root) if but is None or folder.name != but.name):
        with contextlib.suppress(OSError):
            kept.write(state_folder(root) / FILE)
    return kept.history()


def read_history(path: Path) -> History:
    """The history of a file as it is, without looking for newer runs; an empty one where it cannot be read."""
    return _Kept.read(path).history()


def write_history(path: Path, history: History) -> str:
    """Write a history down as it is now, so that all processes of a run plan by the same one.

    Args:
        path: the file.
        history: what :func:`read_history` will answer.

    Returns:
        A digest of the file, by which a reader knows that it has read this.

    Raises:
        OSError: it cannot be written.
    """
    kept = _Kept()
    kept.tests = {node_id: [0, list(seconds)] for node_id, seconds in history.tests.items()}
    kept.fixtures = {key: [0, seconds] for key, seconds in history.fixtures.items()}
    kept.write(path)
    return digest_of(path)


def digest_of(path: Path) -> str:
    """A digest of a file; that of nothing where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


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
        if _is_partial(folder):
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
        #: Of the tests that set up or tore down such fixtures: what of each phase that took.
        shared: dict[str, list[float]] = {}
        for record in _records([line for line in content.split(b"\n") if _END in line or _FIXTURE in line]):
            if record.get("kind") == EventKind.FIXTURE:
                _fold_fixture(record, longest, shared)
            else:
                self._fold_test(record, shared)
        for key, seconds in longest.items():
            fixtures[key] = max(fixtures.get(key, 0.0), sum(seconds))

    def _fold_test(self, record: dict[str, Any], shared: dict[str, list[float]]) -> None:
        node_id = record.get("node_id")
        if not isinstance(node_id, str) or record.get("outcome") not in _TELLING:
            return
        phases = [_seconds(record.get(phase)) for phase in _PHASES]
        wide = shared.pop(node_id, None)
        if wide is not None:
            phases = [round(max(0.0, seconds - others), 6) for seconds, others in zip(phases, wide, strict=True)]
        _note(self.tests, node_id, self.folded, phases)

    def history(self) -> History:
        tests = {
            node_id: Duration(*(map(_median, zip(*samples[1:], strict=True)) if len(samples) > _ONE else samples[1]))
            for node_id, samples in self.tests.items()
        }
        return History(tests, {key: _median(samples[1:]) for key, samples in self.fixtures.items()})


def _fold_fixture(record: dict[str, Any], longest: dict[str, list[float]], shared: dict[str, list[float]]) -> None:
    key, node_id = record.get("fixture"), record.get("node_id")
    if not isinstance(key, str) or not isinstance(node_id, str):
        return
    for place, phase in enumerate(("setup", "teardown")):
        seconds = _seconds(record.get(phase))
        # Set up again and again on one worker, it takes as long as one time does.
        each = longest.setdefault(key, [0.0, 0.0])
        each[place] = max(each[place], seconds)
        during = record.get("during", phase)
        if during in _PHASES:
            shared.setdefault(node_id, [0.0, 0.0, 0.0])[_PHASES.index(during)] += seconds


def _note(samples: _Samples, name: str, run: int, value: object) -> None:
    kept = samples.get(name)
    if kept is None:
        samples[name] = [run, value]
        return
    kept[0] = run
    kept.append(value)
    if len(kept) > _SAMPLES + 1:
        del kept[1]


def _median(values: Sequence[float]) -> float:
    """The lower median. The library's own takes so long that 50,000 tests would have to wait for it."""
    return sorted(values)[(len(values) - 1) // 2]


def _records(lines: list[bytes]) -> list[dict[str, Any]]:
    """The JSON objects of lines; all at once, which is twice as fast, unless one of them is none."""
    try:
        records = json_from(b"[" + b",".join(lines) + b"]")
    except ValueError:
        records = [_value(line) for line in lines]
    return [record for record in records if isinstance(record, dict)]


def _value(line: bytes) -> object:
    try:
        return json_from(line)
    except ValueError:
        return None


def _is_partial(folder: Path) -> bool:
    """Whether a run says too little: a lane that is replayed alone takes another time than beside others.

    A shard counts when it is merged. Until then all machines must remember the same.
    """
    try:
        header = header_from_json((folder / HEADER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return header.replay_of is not None or header.is_part


def _seconds(value: object) -> float:
    """A number of seconds; 0 for what is none."""
    return value if isinstance(value, float) and 0.0 <= value < math.inf else 0.0


def _are_seconds(samples: object) -> bool:
    """Whether it is a number of a run and at least one of seconds."""
    if not isinstance(samples, list):
        return False
    try:
        _, _, *_ = samples
        return all(0 <= value < math.inf for value in samples)
    except (TypeError, ValueError):
        return False


def _are_durations(samples: object) -> bool:
    """Whether it is a number of a run and at least one of seconds of the three phases."""
    if not isinstance(samples, list):
        return False
    try:
        run, _, *_ = samples
        return 0 <= run < math.inf and all(
            0 <= setup < math.inf and 0 <= call < math.inf and 0 <= teardown < math.inf
            for setup, call, teardown in samples[1:]
        )
    except (TypeError, ValueError):
        return False
