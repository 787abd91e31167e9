"""Why tests failed in a run: each is looked at alone, in the order that failed, and beside what ran at the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from toxscreen.hunt.beside import look_beside
from toxscreen.hunt.collecting import judge_red
from toxscreen.hunt.lab import BudgetError, Lab, files_of
from toxscreen.hunt.suspects import Failure, Suspect, alike, sightings
from toxscreen.model import Isolation, IsolationKind, Sighting

#: Tests that ran on other workers at the time and are looked at, too.
_MOST_MEANWHILE: Final = 20


class Diagnosis:
    """Explains the failures of a run.

    Args:
        lab: runs probes; takes the findings.
        node_ids: all tests that are there now.
        explain: why a test differs after others.
    """

    def __init__(self, lab: Lab, node_ids: Sequence[str], explain: Callable[[Suspect], Isolation]) -> None:
        self._lab = lab
        self._node_ids = node_ids
        self._explain = explain
        self._there = {*node_ids}
        self._alone: dict[str, Sighting] = {}

    def explain(self, failed: Sequence[Failure]) -> None:
        """Explain each.

        Args:
            failed: the tests that failed.

        Raises:
            BudgetError: there is no time left.
        """
        there = [each for each in failed if each.node_id in self._there]
        self._lab.notes += [f"not explained, for it is gone: {each.node_id}" for each in failed if each not in there]
        if not there:
            return
        self._lab.trust_forks([there[0].node_id])
        self._see_alone([each.node_id for each in there])
        self._lab.trust_copy(self._alone.values())
        there = self._without_those_that_fail_everywhere(there)
        for number, failure in enumerate(there):
            self._lab.tell("explaining", number, len(there))
            try:
                # Before what needs no explanation.
                self._lab.findings.insert(number, self._explained(failure))
            except BudgetError:
                self._lab.notes.append(f"not explained for want of time: {_counted(there[number:])}")
                raise

    def _see_alone(self, node_ids: Sequence[str]) -> None:
        todo = [self._lab.request([node_id]) for node_id in node_ids if node_id not in self._alone]
        for probe in self._lab.all(todo, "alone"):
            self._alone[probe.node_ids[0]] = sightings(probe)[0]

    def _without_those_that_fail_everywhere(self, failed: list[Failure]) -> list[Failure]:
        """Settle what fails alone, again, and where only its own file is collected; the others are left."""
        red = [each.node_id for each in failed if self._alone[each.node_id].outcome.red]
        again = self._lab.all([self._lab.request([node_id]) for node_id in red], "alone again")
        red = [probe.node_ids[0] for probe in again if alike(probe.last, self._alone[probe.node_ids[0]])]
        own = [replace(self._lab.request([node_id]), files=files_of([node_id])) for node_id in red]
        settled = set()
        for probe in self._lab.judge(own, "alone in a fresh interpreter"):
            alone = self._alone[probe.node_ids[0]]
            if alike(probe.last, alone):
                settled.add(alone.node_id)
                self._lab.findings.append(
                    Isolation(
                        IsolationKind.DETERMINISTIC,
                        alone.node_id,
                        origin=alone.origin,
                        text=alone.words,
                        proved=True,
                        proof=(probe,),
                    )
                )
        return [each for each in failed if each.node_id not in settled]

    def _explained(self, failure: Failure) -> Isolation:
        alone = self._alone[failure.node_id]
        if alone.outcome.red:
            return judge_red(self._lab, self._node_ids, alone)
        context = tuple(node_id for node_id in failure.context if node_id in self._there)
        if context:
            after = self._lab.probe([*context, failure.node_id], branch=True).last
            if after.outcome.red:
                return self._explain(Suspect(failure.node_id, context, alone, after))
        return self._conflict(failure) or self._unexplained(failure, alone)

    def _conflict(self, failure: Failure) -> Isolation | None:
        """The test that shares something with this one and ran beside it, where one of the two fails again."""
        if not self._alone[failure.node_id].touched:
            return None
        others = [node_id for node_id in failure.meanwhile if node_id in self._there][:_MOST_MEANWHILE]
        self._see_alone(others)
        for other in others:
            pair = {node_id: self._alone[node_id] for node_id in (failure.node_id, other)}
            found = look_beside(self._lab, pair, ())
            if found:
                return found[0]
        return None

    def _unexplained(self, failure: Failure, alone: Sighting) -> Isolation:
        seen = replace(alone, outcome=failure.outcome, origin=failure.origin, text=failure.text)
        return Isolation(
            IsolationKind.CHANCE,
            failure.node_id,
            origin=seen.origin,
            text=seen.words,
            note="passes alone and after the tests that ran before it: chance, or something outside",
        )


def _counted(failed: Sequence[Failure]) -> str:
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"{failed[0].node_id}{more}"
