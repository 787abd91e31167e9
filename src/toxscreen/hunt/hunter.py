"""The hunt: every test alone and twice, then orders, then for each suspect the search, what leaked, and the proof.

A fork proposes, a fresh interpreter decides: what is searched with forks is accused only after fresh interpreters have
shown it both ways twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.errors import HuntError, Place
from toxscreen.hunt.beside import look_beside
from toxscreen.hunt.collecting import judge_red
from toxscreen.hunt.diagnosis import Diagnosis
from toxscreen.hunt.lab import REPEATS, BudgetError, Lab, Limits, Tell
from toxscreen.hunt.orders import Going, can_be_met, going, orders
from toxscreen.hunt.record import Record
from toxscreen.hunt.search import Found, is_minimal, smallest
from toxscreen.hunt.suspects import Failure, Suspect, alike, rest_of, sightings, suspects
from toxscreen.hunt.target import Target
from toxscreen.hunt.tree import ChangedFile
from toxscreen.hunt.verify import Verifier
from toxscreen.model import Isolation, IsolationKind, Outcome, Probe, Sighting, Verified

#: Orders that have all tests in them, also those that hang.
_WITH_ALL: Final = 2


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
    #: What became of earlier findings, where that was asked.
    verified: tuple[Verified, ...] = ()


class Hunter:
    """One hunt through one suite.

    Args:
        target: the suite.
        folder: for everything that probes leave behind.
        limits: how much it may take.
        tell: told of progress.
        record: of this hunt.
    """

    def __init__(self, target: Target, folder: Path, limits: Limits, tell: Tell, record: Record | None = None) -> None:
        self._lab = Lab(target, folder, limits, tell, record)
        self._record = record
        self._alone: dict[str, Sighting] = {}
        self._is_cut = False
        #: Tests whose outcome differed in some order, explained or not.
        self._suspected: dict[str, Suspect] = {}
        self._node_ids: tuple[str, ...] = ()

    @property
    def probes(self) -> int:
        """Probes that are done."""
        return self._lab.forked + self._lab.fresh

    def hunt(self, victim: str | None = None) -> Hunted:
        """Hunt.

        Args:
            victim: explain this test and nothing else.

        Raises:
            HuntError: there is nothing to hunt through, or no such test.
            CopyRefusedError: this suite has to be hunted through without copies of the project.
        """
        return self._within_limits(lambda: self._look_and_explain(victim), victim)

    def diagnose(self, failed: Sequence[Failure]) -> Hunted:
        """Explain what failed in a run, from the order in which it did.

        Args:
            failed: the tests and what ran before them.

        Raises:
            HuntError: there is nothing to hunt through.
            CopyRefusedError: as for `hunt`.
        """
        first = failed[0].node_id if failed else None
        return self._within_limits(lambda: Diagnosis(self._lab, self._node_ids, self._explain).explain(failed), first)

    def verify(self, old: Sequence[Isolation]) -> Hunted:
        """See what has become of earlier findings.

        Args:
            old: the findings.

        Raises:
            HuntError: there is nothing to hunt through.
            CopyRefusedError: as for `hunt`.
        """
        verifier = Verifier(self._lab, old)
        hunted = self._within_limits(lambda: verifier.verify(self._node_ids), None)
        return replace(hunted, verified=verifier.verified)

    def _within_limits(self, search: Callable[[], None], first: str | None) -> Hunted:
        """Search until it is done, the budget ends or a person does not want to wait any longer."""
        lab, is_interrupted = self._lab, False
        try:
            self._node_ids = lab.open(first)
            self._check()
            search()
        except BudgetError:
            self._is_cut = True
        except KeyboardInterrupt:
            is_interrupted = True
            lab.notes.append("interrupted: this was found so far")
        finally:
            lab.close()
        explained = {each.node_id for each in lab.findings}
        lab.notes += [
            f"not explained for want of time: {each} differs after others"
            for each in self._suspected
            if each not in explained
        ]
        self._finish_record(is_whole=not (self._is_cut or is_interrupted))
        return Hunted(
            len(self._node_ids),
            tuple(lab.findings),
            tuple(lab.broken),
            tuple(lab.notes),
            lab.forked,
            lab.fresh,
            lab.spent(),
            self._is_cut,
            is_interrupted,
        )

    def _finish_record(self, *, is_whole: bool) -> None:
        record, lab = self._record, self._lab
        if record is None:
            return
        record.finish(tuple(lab.findings), budget=lab.limits.budget, seconds=lab.spent(), is_whole=is_whole)
        if record.old is not None:
            lab.notes.insert(0, f"gone on with from a hunt that was cut short: {record.known} probes were known")
        if record.problem is not None:
            lab.notes.append(f"the record of this hunt is not whole, so it cannot be gone on with: {record.problem}")

    def _check(self) -> None:
        if not self._node_ids:
            broken = "".join(f"\n  {name}: {text}" for name, text in self._lab.broken)
            raise HuntError(
                "no test was collected",
                place=Place(file=os.fspath(self._lab.target.root)),
                hint=f"could not be collected:{broken}" if broken else "name the folder or the files of the tests",
            )

    def _look_and_explain(self, victim: str | None) -> None:
        lab, node_ids = self._lab, self._node_ids
        if victim is not None and victim not in node_ids:
            raise HuntError(f"there is no test {victim}", hint="give the node id as pytest prints it")
        todo = [victim] if victim is not None else node_ids
        lab.trust_forks(todo)
        found = self._look(victim)
        for number, suspect in enumerate(found):
            lab.tell("explaining", number, len(found))
            lab.findings.append(self._explain(suspect))
        explained = {each.node_id for each in found}
        # These were never seen to pass.
        for node_id in todo:
            alone = self._alone.get(node_id)
            if alone is not None and alone.outcome.red and node_id not in explained:
                lab.findings.append(judge_red(lab, node_ids, alone))
        lab.findings += look_beside(lab, self._alone, explained)

    # what to look for

    def _look(self, victim: str | None) -> list[Suspect]:
        """Every test alone and twice, then all in several orders."""
        began = host.CLOCK.elapsed()
        todo = [victim] if victim is not None else self._node_ids
        twice: list[Suspect] = []
        requests = [self._lab.request([node_id, node_id]) for node_id in todo]
        for probe in self._lab.all(requests, "each test alone, and twice"):
            seen = sightings(probe)
            self._alone[seen[0].node_id] = seen[0]
            if len(seen) > 1 and seen[1].outcome.red and not seen[0].outcome.red:
                twice.append(Suspect(seen[0].node_id, (seen[0].node_id,), seen[0], seen[1]))
        self._lab.trust_copy(self._alone.values())
        found = self._run_orders(host.CLOCK.elapsed() - began, victim)
        # A test that also fails for the sake of others is explained by them.
        return [*found.values(), *(each for each in twice if each.node_id not in found)]

    def _run_orders(self, alone_took: float, victim: str | None) -> dict[str, Suspect]:
        """All tests in several orders, until no more tests can be brought near each other or the time is up.

        Args:
            alone_took: seconds that all tests took alone; no less is worth spending on orders.
            victim: the one test that matters, which is then always the last.
        """
        lab, found = self._lab, self._suspected
        quiet, tried, began = 0, 0, host.CLOCK.elapsed()
        upcoming = orders(self._node_ids, lab.limits.seed)
        if victim is not None:
            self._look_at_halves(victim)
        while batch := list(islice(upcoming, lab.limits.jobs)):
            if victim in found:
                break
            spent = host.CLOCK.elapsed() - began
            state = going(
                quiet,
                spent,
                alone_took,
                is_quick=lab.limits.is_quick,
                is_new=any(order.is_new for order in batch),
                is_half_spent=lab.spent() > lab.limits.budget / 2,
            )
            if state is Going.TIME_UP:
                lab.notes.append(f"{tried} orders were tried, in half of the budget: --budget 1h tries more")
            self._is_cut = state is Going.CUT
            if state is not Going.ON:
                break
            lab.tell(f"all tests, {batch[0].name}")
            before = len(found)
            # As written and reversed they had their chance: each further order would wait for them again.
            hangs = self._hanging() if tried >= _WITH_ALL else set()
            tried += len(batch)
            requests = [
                lab.request([each for each in _ending(order.node_ids, victim) if each not in hangs], branch=True)
                for order in batch
            ]
            for probe in lab.all(requests):
                self._note(probe, found)
                todo = rest_of(probe)
                while todo:
                    after_it = lab.probe(todo)
                    self._note(after_it, found)
                    todo = rest_of(after_it)
            quiet = 0 if len(found) > before else quiet + len(batch)
        return found

    def _hanging(self) -> set[str]:
        """Tests that hang alone and were not seen to do anything else."""
        return {
            node_id
            for node_id, alone in self._alone.items()
            if alone.outcome is Outcome.TIMED_OUT and node_id not in self._suspected
        }

    def _look_at_halves(self, victim: str) -> None:
        """Each half of the tests before the victim: most polluters act alone, and two halves run side by side."""
        others = [node_id for node_id in self._node_ids if node_id != victim]
        middle = len(others) // 2
        halves = [half for half in (others[:middle], others[middle:]) if half]
        self._lab.tell("each half of the tests before the victim")
        for probe in self._lab.all([self._lab.request([*half, victim], branch=True) for half in halves]):
            self._note(probe, self._suspected)

    def _note(self, probe: Probe, found: dict[str, Suspect]) -> None:
        for suspect in suspects(probe, self._alone):
            known = found.get(suspect.node_id)
            if known is None or len(suspect.context) < len(known.context):
                found[suspect.node_id] = suspect

    # what it is

    def _explain(self, suspect: Suspect) -> Isolation:
        node_id = suspect.node_id
        if not self._lab.is_steady([node_id], suspect.alone):
            return self._chance(suspect)
        # Going on where a sequence was before is quick, but files are as that sequence left them later; so is chance.
        found = self._search(suspect, branch=True) or self._search(suspect, branch=False)
        if found is None:
            return self._chance(suspect)
        is_self = suspect.context == (node_id,)
        kind = IsolationKind.VICTIM if suspect.is_victim else IsolationKind.BRITTLE
        kind = IsolationKind.SELF_POLLUTING if is_self else kind
        sequence = (*found.partners, node_id)
        culprits, proved, proof = self._lab.explained_and_shown(sequence, suspect.after, suspect.alone)
        red = suspect.after if suspect.is_victim else suspect.alone
        return Isolation(
            kind,
            node_id,
            () if is_self else found.partners,
            red.origin,
            red.words,
            culprits,
            proved=proved,
            reachable=can_be_met(sequence),
            note=None if proved else "forks show it, fresh interpreters do not always",
            proof=proof,
            cleaner=found.cleaners[0] if found.cleaners else None,
        )

    def _search(self, suspect: Suspect, *, branch: bool) -> Found | None:
        """The partners, if what they show comes back every time, and none can be left out."""
        node_id = suspect.node_id

        def shows(sequence: Sequence[str], *, branch: bool = branch) -> bool:
            return alike(self._lab.probe([*sequence, node_id], branch=branch).last, suspect.after)

        if suspect.context == (node_id,):
            found: Found | None = Found((node_id,), 0, "prefix")
        else:
            found = smallest(suspect.context, shows) if shows(suspect.context) else None
        if found is None or not self._lab.is_steady((*found.partners, node_id), suspect.after):
            return None
        is_sure = not branch or is_minimal(found.partners, lambda rest: shows(rest, branch=False))
        return found if is_sure else None

    def _chance(self, suspect: Suspect) -> Isolation:
        """It did not come back: count how often it fails with nothing changed."""
        sequence = [*suspect.context, suspect.node_id]
        for todo in ([suspect.node_id], sequence):
            seen = [self._lab.probe(todo).last.outcome.red for _ in range(REPEATS)]
            failures = sum(seen)
            if 0 < failures < REPEATS:
                break
        # What was seen before counts: it differed.
        red = suspect.after if suspect.is_victim else suspect.alone
        return Isolation(
            IsolationKind.CHANCE,
            suspect.node_id,
            origin=red.origin,
            text=red.words,
            failures=(failures, REPEATS),
            note="differs with nothing changed" if 0 < failures < REPEATS else "was seen once and did not come back",
        )


def _ending(node_ids: tuple[str, ...], victim: str | None) -> tuple[str, ...]:
    """The tests, with the one that matters at the end."""
    if victim is None:
        return node_ids
    return (*(node_id for node_id in node_ids if node_id != victim), victim)
