"""Two sides measured in pairs of fresh processes, which wait at the same benchmark and compute in turn."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import statistics
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from toxscreen import host
from toxscreen.errors import BenchmarksError, Place, PlaceError
from toxscreen.model import Clock, Memory
from toxscreen.perf.blocks import Block, figure, is_waiting
from toxscreen.perf.process import Child, GoneError
from toxscreen.perf.side import Side
from toxscreen.perf.turns import AGAIN, BASE, CANDIDATE, IN, NotMeasuredError, Turns

#: Markers that toxscreen's plugin declares in every project.
MARKERS: Final = ("waits", "allow", "needs", "alone", "must_not_raise")
#: Seconds that starting and collecting may take at least.
_COLLECTING: Final = 300.0


class Wanted(Protocol):
    """What is to be measured next."""

    @property
    def node_ids(self) -> tuple[str, ...]:
        """Benchmarks."""

    @property
    def self_check(self) -> bool:
        """Whether a third process runs the base once more."""


@dataclass(frozen=True, slots=True)
class PairOptions:
    """How pairs are measured."""

    #: Where benchmarks are, relative to the project's root.
    paths: tuple[str, ...] = ("tests/perf",)
    #: Of pytest.
    options: tuple[str, ...] = ()
    #: An expression as pytest's ``-k`` takes it.
    select: str | None = None
    #: Patterns of node ids that are measured by the clock on the wall, besides those with the marker ``waits``.
    waits: tuple[str, ...] = ()
    #: Seconds that a set-up, a block or a teardown may take.
    limit: float = 60.0
    #: Whether tests can import from the project's root, as with ``python -m pytest``.
    cwd_importable: bool = False
    #: Markers of categories, which may stand on tests although the plugin that declares them is left out.
    markers: tuple[str, ...] = ("unit", "integration", "real_world", "perf")
    #: Environment variables beyond those of this process.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: Of the order of blocks and of hash seeds; None: another one each time.
    seed: int | None = None
    #: A file to which each pair's blocks are appended, a JSON line each.
    record: Path | None = None
    #: Where processes have their folders; None: among the system's temporary files.
    work: Path | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What there is to measure."""

    both: tuple[str, ...]
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    #: Why a benchmark cannot be measured.
    broken: Mapping[str, str] = field(default_factory=dict)
    #: Files of benchmarks that differ between the sides.
    differing: tuple[str, ...] = ()
    #: Modules that both sides import from the same place, which belongs to neither: those are not compared.
    shared: tuple[str, ...] = ()
    #: Why files were skipped as a whole, on both sides.
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What one round of fresh processes has shown; benchmarks that were not measured are missing."""

    #: Log ratios, candidate over base.
    ratios: dict[str, float]
    #: Log ratios, base over base.
    self_ratios: dict[str, float]
    #: Seconds of one execution, of base and candidate.
    seconds: dict[str, tuple[float, float]]
    #: Why a benchmark cannot be measured.
    broken: dict[str, str]
    #: Skipped on both sides, and why.
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class About:
    """What is known of a benchmark."""

    clock: Clock = Clock.CPU
    group: str | None = None
    #: Executions of a block, and blocks of a process: the same in all pairs.
    times: int | None = None
    blocks: int = 1
    #: Whether it is measured by the CPU and spends most of its time otherwise, in all pairs; None before the first.
    is_waiting: bool | None = None
    #: What it said itself on the candidate's side.
    extra: Mapping[str, str] = field(default_factory=dict)


class Pairing:
    """Measures pairs; a context manager that leaves no process and no file behind.

    Args:
        base: the one side.
        candidate: the other.
        options: how.

    Raises:
        PlaceError: there is no room for temporary files.
    """

    def __init__(self, base: Side, candidate: Side, options: PairOptions | None = None) -> None:
        self.base, self.candidate = base, candidate
        self.options = options or PairOptions()
        self.about: dict[str, About] = {}
        self._sides = {BASE: base, CANDIDATE: candidate, AGAIN: base}
        self._chance = random.Random(self.options.seed)  # noqa: S311 - no secrets
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="toxscreen-perf-", dir=self.options.work))
        except OSError as error:
            hint = "make room, or set TMPDIR"
            raise PlaceError(
                f"no folder for temporary files can be made: {error.strerror or error}", hint=hint
            ) from None
        self._number = 0
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what runs, remove what it wrote."""
        while self._children:
            self._children.pop().kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    # what there is

    def collect(self) -> Collected:
        """Collect on both sides.

        Returns:
            What is measured, and what is not; in the order of the candidate.

        Raises:
            BenchmarksError: a side cannot be collected at all.
        """
        found = {name: self._collected(name) for name in (BASE, CANDIDATE)}
        tests = {name: {test["node_id"]: test for test in told["tests"]} for name, told in found.items()}
        broken: dict[str, str] = {}
        for name, told in found.items():
            other = tests[BASE if name == CANDIDATE else CANDIDATE]
            for file, text in told["broken"]:
                why = f"cannot be collected {IN[name]}: {text}"
                broken.update(dict.fromkeys([each for each in other if file_of(each) == file] or [file], why))
            for file, text in told["skipped"]:
                why = f"is skipped as a whole {IN[name]}: {text}"
                broken.update({each: why for each in other if file_of(each) == file})
        for node_id, test in {**tests[BASE], **tests[CANDIDATE]}.items():
            waits = test["waits"] or any(fnmatch(node_id, pattern) for pattern in self.options.waits)
            self.about[node_id] = About(Clock.WALL if waits else Clock.CPU, test["group"])
        both = [each for each in tests[CANDIDATE] if each in tests[BASE] and each not in broken]
        shared = set(found[BASE]["elsewhere"]).intersection(found[CANDIDATE]["elsewhere"])
        return Collected(
            tuple(both),
            tuple(each for each in tests[CANDIDATE] if each not in tests[BASE] and each not in broken),
            tuple(each for each in tests[BASE] if each not in tests[CANDIDATE] and each not in broken),
            broken,
            tuple(file for file in dict.fromkeys(map(file_of, both)) if self._differs(file)),
            tuple(sorted(shared)),
            {file: why for file, why in found[CANDIDATE]["skipped"] if file in dict(found[BASE]["skipped"])},
        )

    def _collected(self, name: str) -> dict[str, Any]:
        side = self._sides[name]
        paths = [path for path in self.options.paths if (side.folder / path).exists()]
        if not paths:
            return {"tests": [], "broken": [], "skipped": [], "elsewhere": []}
        select = ("-k", self.options.select) if self.options.select else ()
        try:
            with self._started([name], "collect", [*select, *paths]) as (told, _):
                return told[name]
        except GoneError as error:
            why, _, printed = str(error).partition("\n")
            raise BenchmarksError(
                f"the benchmarks cannot be collected {IN[name]}: {why}",
                place=Place(file=str(side.folder)),
                hint=printed.replace("\n", "\n  ") or None,
            ) from None

    def _differs(self, file: str) -> bool:
        contents = []
        for side in (self.base, self.candidate):
            try:
                contents.append(hashlib.sha256((side.folder / file).read_bytes()).digest())
            except OSError:
                return True
        return contents[0] != contents[1]

    # processes

    @contextmanager
    def _started(
        self, names: Sequence[str], mode: str, arguments: Sequence[str]
    ) -> Iterator[tuple[dict[str, dict[str, Any]], dict[str, Child]]]:
        """Processes that have collected; they import side by side, and measure on one core.

        Yields:
            What each collected, and the processes.

        Raises:
            GoneError: one of them has not come so far.
        """
        usable = host.usable_cores()
        hash_seed = "0" if mode == "memory" else str(self._chance.getrandbits(32))
        cores = self._chance.sample(usable, len(usable))
        children: dict[str, Child] = {}
        with ExitStack() as stack:
            for place, name in enumerate(self._shuffled(names)):
                self._number += 1
                folder = self._folder / f"{self._number:06}"
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
                orders = {
                    "mode": mode,
                    "core": cores[place % len(cores)] if cores and mode != "collect" else None,
                    "seed": hash_seed,
                    "markers": (*MARKERS, *self.options.markers),
                    "cwd_importable": self.options.cwd_importable,
                }
                child = Child(
                    self._sides[name],
                    IN[name],
                    folder,
                    orders,
                    [*self.options.options, *arguments],
                    seed=hash_seed,
                    more=self.options.variables,
                    limit=self.options.limit,
                )
                self._children.append(child)
                stack.callback(self._end, child)
                children[name] = child
            # The base is asked first, always.
            children = {name: children[name] for name in names}
            told = {}
            for name, child in children.items():
                told[name] = child.hear(max(self.options.limit, _COLLECTING))
                if told[name]["said"] != "collected":
                    raise GoneError(str(told[name]["text"]))
            if cores and mode != "collect":
                for child in children.values():
                    child.say(core=cores[0])
            yield told, children
            for child in children.values():
                child.finish()

    def _end(self, child: Child) -> None:
        if child in self._children:
            self._children.remove(child)
            child.kill()

    # rounds

    def run(self, wanted: Wanted) -> RoundResult:
        """Measure each benchmark once on each side, in fresh processes.

        Args:
            wanted: which, and whether the base is measured twice.

        Returns:
            What they showed; a benchmark that fails, ends its process or hangs is broken, the others go on.
        """
        found = RoundResult({}, {}, {}, {})
        names = [BASE, CANDIDATE, *([AGAIN] if wanted.self_check else [])]

        def measure(node_id: str, turns: Turns) -> None:
            about = self.about.setdefault(node_id, About())
            if turns.is_once:
                about.times = 1
            elif about.times is None:
                about.times, about.blocks = turns.calibrate()
            else:
                turns.warm(about.times)
            blocks = turns.blocks(about.times, about.blocks)
            about.extra = turns.end()
            self._keep(found, node_id, blocks)

        broken, skipped = self._each(names, "measure", wanted.node_ids, measure)
        return replace(found, broken={**found.broken, **broken}, skipped=skipped)

    def memory(self, node_ids: Collection[str]) -> dict[str, tuple[Memory, Memory]]:
        """What one execution allocates, on both sides, in processes of their own.

        Args:
            node_ids: benchmarks.

        Returns:
            Of base and candidate, by node id; those that failed are missing.
        """
        found: dict[str, tuple[Memory, Memory]] = {}

        def measure(node_id: str, turns: Turns) -> None:
            if not turns.is_once:
                turns.warm(1)
            told = [turns.ask(name, block=1, kept=True) for name in (BASE, CANDIDATE)]
            turns.end()
            base, candidate = (Memory(each["peak"], each["blocks"]) for each in told)
            found[node_id] = (base, candidate)

        self._each([BASE, CANDIDATE], "memory", node_ids, measure)
        return found

    def _each(
        self, names: Sequence[str], mode: str, node_ids: Collection[str], measure: Callable[[str, Turns], None]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Go through benchmarks; where a process is lost, the next ones get new processes.

        Returns:
            What is broken and what is skipped, and why.
        """
        broken: dict[str, str] = {}
        skipped: dict[str, str] = {}
        todo = list(node_ids)
        while todo:
            has_begun = False
            try:
                with self._started(names, mode, list(dict.fromkeys(map(file_of, todo)))) as (_, children):
                    has_begun = True
                    while todo:
                        following = todo[1] if len(todo) > 1 else None
                        try:
                            measure(todo[0], Turns(children, todo[0], following, self._shuffled))
                        except NotMeasuredError as error:
                            (skipped if error.is_skipped else broken)[todo[0]] = str(error)
                        todo.pop(0)
            except GoneError as error:
                lost = todo[: 1 if has_begun else None]
                broken.update(dict.fromkeys(lost, str(error)))
                del todo[: len(lost)]
        return broken, skipped

    def _shuffled(self, names: Sequence[str]) -> list[str]:
        return self._chance.sample(names, len(names))

    def _keep(self, found: RoundResult, node_id: str, blocks: Mapping[str, Sequence[Block]]) -> None:
        about = self.about[node_id]
        waits = about.clock is Clock.CPU and is_waiting(blocks[BASE])
        about.is_waiting = waits and about.is_waiting is not False
        ratio = figure(blocks[BASE], blocks[CANDIDATE], about.clock)
        if ratio is None:
            found.broken[node_id] = "takes no time that the clock could tell"
            return
        found.ratios[node_id] = ratio
        again = figure(blocks[BASE], blocks[AGAIN], about.clock) if AGAIN in blocks else None
        if again is not None:
            found.self_ratios[node_id] = again
        executions = about.times or 1
        base, candidate = (
            statistics.median(block.on(about.clock) for block in blocks[name]) / executions
            for name in (BASE, CANDIDATE)
        )
        found.seconds[node_id] = (base, candidate)
        if self.options.record is not None:
            line = {"node_id": node_id, "clock": about.clock, "executions": executions, "blocks": blocks}
            with self.options.record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def file_of(node_id: str) -> str:
    """The file that a node id begins with."""
    return node_id.partition("::")[0]
