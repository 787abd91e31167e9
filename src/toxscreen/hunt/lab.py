"""Where a hunt runs its probes: within a budget, counted, forked where forks can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.errors import ExitWhileCollectingError, HuntError
from toxscreen.hunt.copies import CopyRefusedError
from toxscreen.hunt.prober import Fresh, Prober, Request, Warm, run
from toxscreen.hunt.record import Record
from toxscreen.hunt.suspects import alike
from toxscreen.hunt.target import Collected, Target
from toxscreen.model import Culprit, Isolation, Outcome, Probe, Sighting

#: Tests that are run both forked and fresh before forks are trusted.
_SAMPLE: Final = 3
#: And so many where something in the process does not bear forking well.
_LARGE_SAMPLE: Final = 10
#: Tests that fail alone in a copy of the project which are also run in the project, and how often to be sure.
_MOST_TRIED: Final = 3
_TRIES: Final = 4
#: Files that end pytest when they are imported, before a hunt gives up.
_MOST_EXITS: Final = 10
#: How often something is repeated that may be chance.
REPEATS: Final = 5
#: How often fresh interpreters show a proof, each way.
TIMES: Final = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a hunt may take."""

    #: Seconds for everything but the proof of what was found in them.
    budget: float = 300.0
    #: Seconds that one test may take.
    test: float = 60.0
    jobs: int = 2
    seed: int = 1
    #: Whether orders end when some in a row show nothing new, although they would bring other tests together.
    is_quick: bool = False


#: Told of each step: what is done, how much of it, of how much (0: not known), and how many findings there are.
Tell = Callable[[str, int, int, int], None]


class BudgetError(Exception):
    """There is no time left."""


class Lab:
    """Runs the probes of one hunt.

    Args:
        target: the suite.
        folder: for everything that probes leave behind.
        limits: how much it may take.
        tell: told of progress.
        record: takes what probes see, and may know it from a hunt that was cut short.
    """

    def __init__(self, target: Target, folder: Path, limits: Limits, tell: Tell, record: Record | None = None) -> None:
        self.target = target
        self.limits = limits
        #: What was found so far, and what else is to be said.
        self.findings: list[Isolation] = []
        self.notes: list[str] = []
        #: Files that could not be collected, and why.
        self.broken: list[tuple[str, str]] = []
        self.forked, self.fresh = 0, 0
        self._record = record
        self._folder = folder
        self._tell = tell
        self._began = host.CLOCK.elapsed()
        self._warm: Warm | None = None
        self._fresh = Fresh(target, folder / "fresh", limits.jobs)
        self._is_forking = True
        self._stack = ExitStack()
        #: Waits for the fresh probes that were started while the suite was collected.
        self._ahead: Callable[[], list[Probe]] = list

    def open(self, victim: str | None = None) -> tuple[str, ...]:
        """Collect; files that end the interpreter when they are imported are left out.

        Args:
            victim: a test that will be run alone in a fresh interpreter, which begins meanwhile.

        Returns:
            The node ids of all tests.

        Raises:
            HuntError: the suite cannot be collected.
            CopyRefusedError: this suite has to be hunted through without copies of the project.
        """
        if victim is not None:
            ahead = replace(self.request([victim]), files=files_of([victim]))
            self._ahead = self._stack.enter_context(self._fresh.ahead([ahead]))
        exits = 0
        while self._warm is None:
            try:
                self._warm = Warm(self.target, self._folder / f"warm{exits}", self.limits.jobs)
                self._stack.callback(self._warm.close)
            except ExitWhileCollectingError as error:
                if exits == _MOST_EXITS:
                    raise
                exits += 1
                self.broken.append((error.file, f"ended pytest with status {error.status} when it was imported"))
                options = (*self.target.options, f"--ignore={error.file}")
                self.target = replace(self.target, options=options)
                self._fresh = Fresh(self.target, self._folder / "fresh", self.limits.jobs)
            except HuntError as error:
                if self.target.copies is None:
                    raise
                raise CopyRefusedError("the suite cannot be collected in it") from error
        if self.target.copies is not None:
            self._check_copy(self._warm.collected)
        self.broken += self._warm.collected.broken
        return self._warm.collected.node_ids

    def _check_copy(self, collected: Collected) -> None:
        """What was collected in a copy is what is collected in the project."""
        if collected.elsewhere:
            raise CopyRefusedError(collected.elsewhere)
        if not collected.broken:
            return
        in_place = Warm(replace(self.target, copies=None), self._folder / "in-place", 1)
        in_place.close()
        if in_place.collected.node_ids != collected.node_ids:
            raise CopyRefusedError(f"{collected.broken[0][0]} cannot be collected in it")

    def trust_copy(self, alone: Iterable[Sighting]) -> None:
        """Run a few tests that fail alone in the project itself: a copy of it must not be at fault.

        Args:
            alone: each test as it was seen alone.

        Raises:
            CopyRefusedError: one of them fails in the copy only, again and again.
        """
        failed = [each.node_id for each in alone if each.outcome in {Outcome.FAILED, Outcome.ERROR}]
        in_place = Fresh(replace(self.target, copies=None), self._folder / "in-place", self.limits.jobs)
        for node_id in failed[:_MOST_TRIED] if self.target.copies is not None else ():
            request = replace(self.request([node_id]), files=files_of([node_id]))
            for _ in range(_TRIES):
                (there,) = self._all(in_place, [request], "")
                if there.last.outcome.red or not run(self._fresh, request).last.outcome.red:
                    break
            else:
                raise CopyRefusedError(f"{node_id} fails in it only")

    def close(self) -> None:
        """End what runs."""
        self._stack.close()

    def trust_forks(self, node_ids: Sequence[str]) -> None:
        """Run a few tests forked and fresh; where they differ, forks are not to be trusted.

        Args:
            node_ids: all tests.
        """
        if self._warm is None:
            return
        collected, size = self._warm.collected, _SAMPLE
        if collected.unforkable:
            self.notes.append(f"forks are not used: {', '.join(collected.unforkable)}")
            self._is_forking = False
            return
        if collected.hazards:
            size = _LARGE_SAMPLE
            self.notes.append(f"forks were compared with more fresh interpreters: {', '.join(collected.hazards)}")
        sample = {node_ids[len(node_ids) * place // size] for place in range(size)}
        requests = [self.request([node_id]) for node_id in sorted(sample)]
        forked = {probe.node_ids: probe.last for probe in self.all(requests)}
        probes = [self._counted(probe) for probe in self._ahead()]
        done = {probe.node_ids for probe in probes}
        todo = [replace(each, files=files_of(each.node_ids)) for each in requests if each.node_ids not in done]
        for probe in (*probes, *self.judge(todo, "comparing forks with fresh interpreters")):
            if alike(forked[probe.node_ids], probe.last):
                continue
            request = self.request(probe.node_ids)
            again = [run(prober, request).last for prober in (self._warm, self._fresh)]
            if alike(*again):
                # One difference that does not come back is the test's own, or that of another file's import.
                continue
            told = f"{again[0].outcome} forked, {again[1].outcome} in a fresh interpreter"
            self.notes.append(f"forks are not used: {probe.node_ids[0]} is {told}")
            self._is_forking = False
            return

    def tell(self, step: str, done: int = 0, total: int = 0) -> None:
        """Say where the hunt is.

        Args:
            step: what is done.
            done: how much of it.
            total: of how much; 0: not known.
        """
        self._tell(step, done, total, len(self.findings))

    def spent(self) -> float:
        """Seconds since the hunt began."""
        return host.CLOCK.elapsed() - self._began

    def request(self, node_ids: Sequence[str], *, branch: bool = False) -> Request:
        """A request for some tests in order, with the time that they may take."""
        # A sequence may take longer than a test, but a hang in it is a hang of one test.
        return Request(tuple(node_ids), self.limits.test + 0.5 * len(node_ids), branch=branch)

    def check_budget(self) -> None:
        """Go on only while there is time.

        Raises:
            BudgetError: there is none left.
        """
        if self.spent() > self.limits.budget:
            raise BudgetError

    def probe(self, node_ids: Sequence[str], *, branch: bool = False) -> Probe:
        """Run some tests in the usual way.

        Raises:
            BudgetError: there is no time left.
        """
        self.check_budget()
        (probe,) = self.all([self.request(node_ids, branch=branch)])
        return probe

    def all(self, requests: Sequence[Request], step: str = "") -> list[Probe]:
        """Run probes in the usual way: forked, where forks can be trusted.

        Args:
            requests: what to run.
            step: what to call it when progress is told; nothing is told where this is empty.
        """
        prober = self._warm if self._warm is not None and self._is_forking else self._fresh
        known, todo = self._recalled("fresh" if prober is self._fresh else "forked", requests)
        return [*known, *self._all(prober, todo, step, self._record)]

    def _recalled(self, how: str, requests: Sequence[Request]) -> tuple[list[Probe], list[Request]]:
        """What a hunt that was cut short has seen already, and what is still to be run."""
        known, todo = [], []
        for request in requests:
            probe = self._record.recall(how, request.node_ids) if self._record is not None else None
            if probe is None:
                todo.append(request)
            else:
                known.append(probe)
        return known, todo

    def judge(self, requests: Sequence[Request], step: str = "") -> list[Probe]:
        """Run probes in fresh interpreters."""
        return self._all(self._fresh, requests, step)

    def _all(self, prober: Prober, requests: Sequence[Request], step: str, record: Record | None = None) -> list[Probe]:
        found = []
        for probe in prober.run_all(requests):
            self._counted(probe)
            if record is not None:
                record.add(probe)
            found.append(probe)
            if step:
                self.tell(step, len(found), len(requests))
        return found

    def _counted(self, probe: Probe) -> Probe:
        if probe.how == "forked":
            self.forked += 1
        else:
            self.fresh += 1
        return probe

    def beside(self, requests: Sequence[Request], *, fresh: bool) -> list[Probe]:
        """Run probes at the same time, with the same HOME and temporary files.

        Args:
            requests: what to run.
            fresh: whether in fresh interpreters.
        """
        prober = self._warm if self._warm is not None and self._is_forking and not fresh else self._fresh
        return [self._counted(probe) for probe in prober.beside(requests)]

    def is_steady(self, sequence: Sequence[str], expected: Sighting) -> bool:
        """Whether the last test of a sequence ends in the same way every time: chance accuses innocents.

        Raises:
            BudgetError: there is no time left.
        """
        self.check_budget()
        return all(alike(probe.last, expected) for probe in self.all([self.request(sequence)] * REPEATS))

    def explain(self, sequence: Sequence[str]) -> tuple[Culprit, ...]:
        """What leaked into the last test of a sequence; nothing where forks cannot be trusted."""
        if self._warm is None or not self._is_forking:
            return ()
        return self._warm.explain(sequence, self.limits.test)

    def explained_and_shown(
        self, sequence: Sequence[str], after: Sighting, alone: Sighting
    ) -> tuple[tuple[Culprit, ...], bool, tuple[Probe, ...]]:
        """What leaked, and both ways in fresh interpreters, twice, what the tests before the last one do to it.

        Only the files of these tests are collected, as they are by who pastes the command; where that does not show
        it, everything is.

        Args:
            sequence: partners, then the test that depends on them.
            after: what that test does after them.
            alone: what it does alone.

        Returns:
            What leaked, whether it was shown each time, and all probes.
        """
        own, whole = (
            [replace(self.request(node_ids), files=files) for node_ids in (sequence, sequence[-1:])] * TIMES
            for files in (files_of(sequence), ())
        )
        # Each in a copy of its own, they go on while forks look for what leaked. In one folder they would meet, and who
        # asked for one job wants nothing beside another.
        is_apart = self.target.copies is not None and self.limits.jobs > 1
        with self._fresh.ahead(own if is_apart else []) as wait:
            culprits = self.explain(sequence)
            proof = tuple(self._counted(probe) for probe in wait())
        proof = proof or tuple(self.judge(own))
        shown = self._is_shown(proof, len(sequence), after, alone)
        if not shown:
            proof = tuple(self.judge(whole))
            shown = self._is_shown(proof, len(sequence), after, alone)
        return culprits, shown, proof

    @staticmethod
    def _is_shown(proof: Sequence[Probe], length: int, after: Sighting, alone: Sighting) -> bool:
        return all(alike(probe.last, after if len(probe.node_ids) == length else alone) for probe in proof)


def files_of(node_ids: Sequence[str]) -> tuple[str, ...]:
    """The files that hold these tests."""
    return tuple(sorted({node_id.partition("::")[0] for node_id in node_ids}))
