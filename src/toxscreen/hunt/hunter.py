"""The hunt: every test alone and twice, then orders, then for each suspect the search, what leaked, and the proof.

A fork proposes, a fresh interpreter decides: what is searched with forks is accused only after fresh interpreters have
shown it both ways twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.errors import ExitWhileCollectingError, HuntError, Place
from toxscreen.hunt.copies import CopyRefusedError
from toxscreen.hunt.orders import can_be_met, orders
from toxscreen.hunt.prober import Fresh, Prober, Request, Warm, run
from toxscreen.hunt.search import Found, smallest
from toxscreen.hunt.suspects import Suspect, alike, rest_of, sharing, sightings, suspects
from toxscreen.hunt.target import Collected, Target
from toxscreen.hunt.tree import ChangedFile
from toxscreen.model import Culprit, Isolation, IsolationKind, Outcome, Probe, Sighting

#: Tests that are run both forked and fresh before forks are trusted.
_SAMPLE: Final = 3
#: And so many where something in the process does not bear forking well.
_LARGE_SAMPLE: Final = 10
#: Tests that fail alone in a copy of the project which are also run in the project, and how often to be sure.
_MOST_TRIED: Final = 3
_TRIES: Final = 4
#: Orders without a new suspect after which more of them are not worth their time.
_QUIET_ORDERS: Final = 6
#: Orders are cheap where tests are few: for so many seconds at least, or so many orders in a row.
_LEAST_SECONDS: Final = 2.0
_MOST_QUIET_ORDERS: Final = 24
#: How often something is repeated that may be chance.
_REPEATS: Final = 5
#: How often two tests are run side by side before they are believed to get along; and how many pairs.
_ROUNDS: Final = 5
_MOST_PAIRS: Final = 40
#: Files that end pytest when they are imported, before a hunt gives up.
_MOST_EXITS: Final = 10
#: How often fresh interpreters show a proof, each way.
_TIMES: Final = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a hunt may take."""

    #: Seconds for everything but the proof of what was found in them.
    budget: float = 300.0
    #: Seconds that one test may take.
    test: float = 60.0
    jobs: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Hunted:
    """What came of a hunt."""

    tests: int
    findings: tuple[Isolation, ...]
    #: Files that could not be collected, and why.
    broken: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    forked: int
    fresh: int
    seconds: float
    #: Whether the budget ended before the search did.
    is_cut: bool = False
    #: Whether a person ended it.
    is_interrupted: bool = False
    #: What it did to the project's files, or to those of the copies in which it ran.
    changed_files: tuple[ChangedFile, ...] = ()


#: Told of each step: what is done, how much of it, of how much (0: not known), and how many findings there are.
Tell = Callable[[str, int, int, int], None]


class _BudgetError(Exception):
    """There is no time left."""


class Hunter:
    """One hunt through one suite.

    Args:
        target: the suite.
        folder: for everything that probes leave behind.
        limits: how much it may take.
        tell: told of progress.
    """

    def __init__(self, target: Target, folder: Path, limits: Limits, tell: Tell) -> None:
        self._target = target
        self._folder = folder
        self._limits = limits
        self._tell = tell
        self._began = host.CLOCK.elapsed()
        self._findings: list[Isolation] = []
        self._notes: list[str] = []
        self._alone: dict[str, Sighting] = {}
        self._count = {"forked": 0, "fresh": 0}
        self._is_cut = False
        #: Tests whose outcome differed in some order, explained or not.
        self._suspected: dict[str, Suspect] = {}
        self._node_ids: tuple[str, ...] = ()
        self._warm: Warm | None = None
        self._prober: Prober
        self._fresh = Fresh(target, folder / "fresh", limits.jobs)
        #: Files that end pytest when they are imported, and how.
        self._exits: list[tuple[str, str]] = []

    def hunt(self, victim: str | None = None) -> Hunted:
        """Hunt.

        Args:
            victim: explain this test and nothing else.

        Raises:
            HuntError: there is nothing to hunt through, or no such test.
            CopyRefusedError: this suite has to be hunted through without copies of the project.
        """
        is_interrupted = False
        with ExitStack() as stack:
            self._warm = self._prober = self._start()
            stack.callback(self._warm.close)
            collected = self._warm.collected
            if self._target.copies is not None:
                self._check_copy(collected)
            if not collected.node_ids:
                broken = "".join(f"\n  {name}: {text}" for name, text in (*self._exits, *collected.broken))
                raise HuntError(
                    "no test was collected",
                    place=Place(file=os.fspath(self._target.root)),
                    hint=f"could not be collected:{broken}" if broken else "name the folder or the files of the tests",
                )
            node_ids = self._node_ids = collected.node_ids
            if victim is not None and victim not in node_ids:
                raise HuntError(f"there is no test {victim}", hint="give the node id as pytest prints it")
            try:
                self._trust_forks(node_ids)
                found = self._look(node_ids, victim)
                for number, suspect in enumerate(found):
                    self._tell("explaining", number, len(found), len(self._findings))
                    self._findings.append(self._explain(suspect))
                self._judge_red([victim] if victim is not None else node_ids, {each.node_id for each in found})
                self._look_beside(found)
            except _BudgetError:
                self._is_cut = True
            except KeyboardInterrupt:
                is_interrupted = True
                self._notes.append("interrupted: this was found so far")
        explained = {each.node_id for each in self._findings}
        self._notes += [
            f"not explained for want of time: {each} differs after others"
            for each in self._suspected
            if each not in explained
        ]
        return Hunted(
            len(node_ids),
            tuple(self._findings),
            (*self._exits, *collected.broken),
            tuple(self._notes),
            self._count["forked"],
            self._count["fresh"],
            self._spent(),
            self._is_cut,
            is_interrupted,
        )

    def _start(self) -> Warm:
        """Collect; files that end the interpreter when they are imported are left out."""
        while True:
            try:
                return Warm(self._target, self._folder / f"warm{len(self._exits)}", self._limits.jobs)
            except ExitWhileCollectingError as error:
                if len(self._exits) == _MOST_EXITS:
                    raise
                self._exits.append((error.file, f"ended pytest with status {error.status} when it was imported"))
                options = (*self._target.options, f"--ignore={error.file}")
                self._target = replace(self._target, options=options)
                self._fresh = Fresh(self._target, self._folder / "fresh", self._limits.jobs)
            except HuntError as error:
                if self._target.copies is None:
                    raise
                raise CopyRefusedError("the suite cannot be collected in it") from error

    def _check_copy(self, collected: Collected) -> None:
        """What was collected in a copy is what is collected in the project.

        Raises:
            CopyRefusedError: it is not.
        """
        if collected.elsewhere:
            raise CopyRefusedError(collected.elsewhere)
        if not collected.broken:
            return
        in_place = Warm(replace(self._target, copies=None), self._folder / "in-place", 1)
        in_place.close()
        if in_place.collected.node_ids != collected.node_ids:
            raise CopyRefusedError(f"{collected.broken[0][0]} cannot be collected in it")

    def _trust_copy(self) -> None:
        """Run a few tests that fail alone in the project itself: the copy must not be at fault.

        Raises:
            CopyRefusedError: one of them fails in the copy only, again and again.
        """
        failed = [each.node_id for each in self._alone.values() if each.outcome in {Outcome.FAILED, Outcome.ERROR}]
        in_place = Fresh(replace(self._target, copies=None), self._folder / "in-place", self._limits.jobs)
        for node_id in failed[:_MOST_TRIED] if self._target.copies is not None else ():
            request = self._request([node_id])
            for _ in range(_TRIES):
                (there,) = self._all(in_place, [request])
                if there.last.outcome.red or not run(self._fresh, request).last.outcome.red:
                    break
            else:
                raise CopyRefusedError(f"{node_id} fails in it only")

    # probes

    def _all(self, prober: Prober, requests: Iterable[Request], step: str = "", total: int = 0) -> list[Probe]:
        found = []
        for probe in prober.run_all(requests):
            self._count[probe.how] += 1
            found.append(probe)
            if step:
                self._tell(step, len(found), total, len(self._findings))
        return found

    def _spent(self) -> float:
        return host.CLOCK.elapsed() - self._began

    def _probe(self, node_ids: Sequence[str]) -> Probe:
        if self._spent() > self._limits.budget:
            raise _BudgetError
        probe = run(self._prober, self._request(node_ids))
        self._count[probe.how] += 1
        return probe

    def _request(self, node_ids: Sequence[str], files: tuple[str, ...] = ()) -> Request:
        # A sequence may take longer than a test, but a hang in it is a hang of one test.
        return Request(tuple(node_ids), self._limits.test + 0.5 * len(node_ids), files)

    # what to look for

    def _trust_forks(self, node_ids: Sequence[str]) -> None:
        """Run a few tests forked and fresh; where they differ, forks are not to be trusted."""
        told = self._warm.collected if self._warm is not None else Collected((), ())
        if told.unforkable:
            self._notes.append(f"forks are not used: {', '.join(told.unforkable)}")
            self._prober = self._fresh
            return
        size = _SAMPLE
        if told.hazards:
            size = _LARGE_SAMPLE
            self._notes.append(f"forks were compared with more fresh interpreters: {', '.join(told.hazards)}")
        sample = {node_ids[len(node_ids) * place // size] for place in range(size)}
        requests = [self._request([node_id]) for node_id in sorted(sample)]
        forked = {probe.node_ids: probe.last for probe in self._all(self._prober, requests)}
        for probe in self._all(self._fresh, requests, "comparing forks with fresh interpreters", len(requests)):
            if alike(forked[probe.node_ids], probe.last):
                continue
            again = [run(prober, self._request(probe.node_ids)).last for prober in (self._prober, self._fresh)]
            if alike(*again):
                # One difference that does not come back is the test's own.
                continue
            differs = f"{again[0].outcome} forked, {again[1].outcome} in a fresh interpreter"
            self._notes.append(f"forks are not used: {probe.node_ids[0]} is {differs}")
            self._prober = self._fresh
            return

    def _look(self, node_ids: Sequence[str], victim: str | None) -> list[Suspect]:
        """Every test alone and twice, then all in several orders."""
        began = host.CLOCK.elapsed()
        requests = [self._request([node_id, node_id]) for node_id in ([victim] if victim is not None else node_ids)]
        twice: list[Suspect] = []
        for probe in self._all(self._prober, requests, "each test alone, and twice", len(requests)):
            seen = sightings(probe)
            self._alone[seen[0].node_id] = seen[0]
            if len(seen) > 1 and seen[1].outcome.red and not seen[0].outcome.red:
                twice.append(Suspect(seen[0].node_id, (seen[0].node_id,), seen[0], seen[1]))
        self._trust_copy()
        found = self._run_orders(node_ids, host.CLOCK.elapsed() - began, victim)
        # A test that also fails for the sake of others is explained by them.
        return [*found.values(), *(each for each in twice if each.node_id not in found)]

    def _run_orders(self, node_ids: Sequence[str], alone_took: float, victim: str | None) -> dict[str, Suspect]:
        """All tests in several orders, until some orders in a row show nothing new.

        Args:
            node_ids: all tests.
            alone_took: seconds that all tests took alone; no less is worth spending on orders.
            victim: the one test that matters, which is then always the last.
        """
        found = self._suspected
        quiet, began = 0, host.CLOCK.elapsed()
        upcoming = orders(node_ids, self._limits.seed)
        while batch := list(islice(upcoming, self._limits.jobs)):
            spent = host.CLOCK.elapsed() - began
            is_quiet = quiet >= _QUIET_ORDERS and spent >= max(alone_took, _LEAST_SECONDS)
            if is_quiet or quiet >= _MOST_QUIET_ORDERS or victim in found:
                break
            if self._spent() > self._limits.budget / 2:
                # The other half is for explaining what was found.
                self._is_cut = True
                break
            self._tell(f"all tests, {batch[0].name}", 0, 0, len(found))
            before = len(found)
            for probe in self._all(self._prober, [self._request(_ending(order.node_ids, victim)) for order in batch]):
                self._note(probe, found)
                todo = rest_of(probe)
                while todo:
                    after_it = self._probe(todo)
                    self._note(after_it, found)
                    todo = rest_of(after_it)
            quiet = 0 if len(found) > before else quiet + len(batch)
        return found

    def _note(self, probe: Probe, found: dict[str, Suspect]) -> None:
        for suspect in suspects(probe, self._alone):
            known = found.get(suspect.node_id)
            if known is None or len(suspect.context) < len(known.context):
                found[suspect.node_id] = suspect

    # what it is

    def _explain(self, suspect: Suspect) -> Isolation:
        node_id = suspect.node_id
        again = self._probe([*suspect.context, node_id]).last
        if not alike(again, suspect.after) or not self._is_steady([node_id], suspect.alone):
            return self._chance(suspect)

        def shows(sequence: Sequence[str]) -> bool:
            return alike(self._probe([*sequence, node_id]).last, suspect.after)

        if suspect.context == (node_id,):
            found: Found | None = Found((node_id,), 0, "prefix")
            kind = IsolationKind.SELF_POLLUTING
        else:
            kind = IsolationKind.VICTIM if suspect.is_victim else IsolationKind.BRITTLE
            found = smallest(suspect.context, shows)
        if found is None:
            return self._chance(suspect)
        sequence = (*found.partners, node_id)
        if not self._is_steady(sequence, suspect.after):
            return self._chance(suspect)
        culprits: tuple[Culprit, ...] = ()
        if self._warm is not None and self._prober is self._warm:
            culprits = self._warm.explain(sequence, self._limits.test)
        red = suspect.after if suspect.is_victim else suspect.alone
        return self._prove(
            Isolation(
                kind,
                node_id,
                found.partners if kind is not IsolationKind.SELF_POLLUTING else (),
                red.origin,
                _text(red),
                culprits,
                reachable=can_be_met(sequence),
                note=f"run in between, {found.cleaners[0]} keeps it from showing" if found.cleaners else None,
            ),
            sequence,
            suspect,
        )

    def _is_steady(self, sequence: Sequence[str], expected: Sighting) -> bool:
        """Whether the last test of a sequence ends in the same way every time: chance accuses innocents."""
        probes = (self._probe(sequence) for _ in range(_REPEATS))
        return all(alike(probe.last, expected) for probe in probes)

    def _prove(self, finding: Isolation, sequence: tuple[str, ...], suspect: Suspect) -> Isolation:
        """Show it both ways in fresh interpreters."""
        with_it, without = self._request(sequence), self._request([finding.node_id])
        proof = self._all(self._fresh, [with_it, without] * _TIMES)
        proved = all(
            alike(probe.last, suspect.after if probe.node_ids == sequence else suspect.alone) for probe in proof
        )
        note = finding.note if proved else "forks show it, fresh interpreters do not always"
        return replace(finding, proved=proved, proof=tuple(proof), note=note)

    def _chance(self, suspect: Suspect) -> Isolation:
        """It did not come back: count how often it fails with nothing changed."""
        sequence = [*suspect.context, suspect.node_id]
        for todo in ([suspect.node_id], sequence):
            seen = [self._probe(todo).last.outcome.red for _ in range(_REPEATS)]
            failures = sum(seen)
            if 0 < failures < _REPEATS:
                break
        # What was seen before counts: it differed.
        red = suspect.after if suspect.is_victim else suspect.alone
        return Isolation(
            IsolationKind.CHANCE,
            suspect.node_id,
            origin=red.origin,
            text=_text(red),
            failures=(failures, _REPEATS),
            note="differs with nothing changed" if 0 < failures < _REPEATS else "was seen once and did not come back",
        )

    def _judge_red(self, node_ids: Sequence[str], explained: set[str]) -> None:
        """Tests that fail alone and were never seen to pass: by themselves, by chance, or by what was collected."""
        for node_id in node_ids:
            alone = self._alone.get(node_id)
            if alone is None or not alone.outcome.red or node_id in explained:
                continue
            repeats = [self._probe([node_id]).last for _ in range(_REPEATS)]
            failures = sum(each.outcome.red for each in repeats)
            if failures < _REPEATS:
                told = "differs with nothing changed"
                kind, counted = IsolationKind.CHANCE, (failures, _REPEATS)
                self._findings.append(
                    Isolation(kind, node_id, origin=alone.origin, text=_text(alone), failures=counted, note=told)
                )
                continue
            self._findings.append(self._while_collecting(node_id, alone))

    def _look_beside(self, found: Sequence[Suspect]) -> None:
        """Run tests that touch the same file or port side by side, those first that no order has explained."""
        known = {each.node_id for each in found}
        pairs = {pair: thing for pair, thing in sharing(self._alone).items() if not known & set(pair)}
        for number, (pair, thing) in enumerate(list(pairs.items())[:_MOST_PAIRS]):
            self._tell("side by side", number, len(pairs), len(self._findings))
            forks = self._warm if self._warm is not None and self._prober is self._warm else self._fresh
            red = self._beside(forks, pair)[0]
            if red is not None:
                self._findings.append(self._prove_conflict(pair, thing, red))
        if len(pairs) > _MOST_PAIRS:
            self._notes.append(f"{len(pairs) - _MOST_PAIRS} pairs of tests that share a file or port were not tried")

    def _beside(self, prober: Warm | Fresh, pair: tuple[str, str]) -> tuple[Sighting | None, list[Probe]]:
        """The first failure of two tests side by side, each twice, and the probes that show it, if any."""
        for _ in range(_ROUNDS):
            if self._spent() > self._limits.budget and prober is self._warm:
                break
            probes = prober.beside([self._request((node_id, node_id)) for node_id in pair])
            for probe in sorted(probes, key=lambda each: each.node_ids):
                self._count[probe.how] += 1
                red = next((each for each in sightings(probe) if each.outcome.red), None)
                if red is not None:
                    return red, probes
        return None, []

    def _prove_conflict(self, pair: tuple[str, str], thing: str, red: Sighting) -> Isolation:
        """Twice red beside each other, twice green alone, in fresh interpreters."""
        shown = [self._beside(self._fresh, pair) for _ in range(_TIMES)]
        together = [probe for _, probes in shown for probe in probes]
        alone = self._all(self._fresh, [self._request((node_id, node_id)) for node_id in pair] * _TIMES)
        green = all(not each.outcome.red for probe in alone for each in sightings(probe))
        proved = green and all(failure is not None for failure, _ in shown)
        partner = pair[0] if red.node_id == pair[1] else pair[1]
        culprit = Culprit(thing, "one test", "two at a time", "files", proved=False)
        return Isolation(
            IsolationKind.CONFLICT,
            red.node_id,
            (partner,),
            red.origin,
            _text(red),
            (culprit,),
            proved=proved,
            reachable=True,
            note=None if proved else "forks show it, fresh interpreters did not twice",
            proof=(*together, *alone),
        )

    def _while_collecting(self, node_id: str, alone: Sighting) -> Isolation:
        """Whether it passes where only its own file is collected, and which file spoils it where not."""
        own = node_id.partition("::")[0]
        files = list(dict.fromkeys(each.partition("::")[0] for each in self._node_ids))
        others = [file for file in files if file != own]
        proof: list[Probe] = []

        def red_with(more: Sequence[str]) -> bool:
            # In the order in which pytest would collect them.
            wanted = {own, *more}
            request = self._request([node_id], tuple(file for file in files if file in wanted))
            (probe,) = self._all(self._fresh, [request])
            proof.append(probe)
            return alike(probe.last, alone)

        deterministic = Isolation(IsolationKind.DETERMINISTIC, node_id, origin=alone.origin, text=_text(alone))
        if not others or red_with(()):
            return replace(deterministic, proof=tuple(proof), proved=bool(proof) or not others)
        found = smallest(others, red_with)
        if found is None:
            return replace(deterministic, note="passes where only its file is collected, but no other file was found")
        proof.clear()
        shown = [red_with(found.partners), red_with(()), red_with(found.partners), red_with(())]
        return Isolation(
            IsolationKind.COLLECTION,
            node_id,
            found.partners,
            alone.origin,
            _text(alone),
            proved=shown == [True, False] * _TIMES,
            proof=tuple(proof),
        )


def _ending(node_ids: tuple[str, ...], victim: str | None) -> tuple[str, ...]:
    """The tests, with the one that matters at the end."""
    if victim is None:
        return node_ids
    return (*(node_id for node_id in node_ids if node_id != victim), victim)


def _text(sighting: Sighting) -> str:
    """What went wrong, in one line: of a test that hung or died there is no more than that."""
    return sighting.text or sighting.outcome.value
