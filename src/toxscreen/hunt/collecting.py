"""Tests that fail alone: by themselves, by chance, or for the sake of a file that was collected with theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toxscreen.hunt.lab import REPEATS, TIMES, Lab
from toxscreen.hunt.search import smallest
from toxscreen.hunt.suspects import alike
from toxscreen.model import Isolation, IsolationKind, Probe, Sighting


def judge_red(lab: Lab, node_ids: Sequence[str], alone: Sighting) -> Isolation:
    """Why a test fails alone that was never seen to pass.

    Args:
        lab: runs probes.
        node_ids: all tests of the suite.
        alone: what was seen of the test.

    Raises:
        BudgetError: there is no time left.
    """
    repeats = [lab.probe([alone.node_id]).last for _ in range(REPEATS)]
    failures = sum(each.outcome.red for each in repeats)
    if failures < REPEATS:
        told = "differs with nothing changed"
        kind, counted = IsolationKind.CHANCE, (failures, REPEATS)
        return Isolation(kind, alone.node_id, origin=alone.origin, text=alone.words, failures=counted, note=told)
    return _while_collecting(lab, node_ids, alone)


def _while_collecting(lab: Lab, node_ids: Sequence[str], alone: Sighting) -> Isolation:
    """Whether it passes where only its own file is collected, and which file spoils it where not."""
    own = alone.node_id.partition("::")[0]
    files = list(dict.fromkeys(each.partition("::")[0] for each in node_ids))
    others = [file for file in files if file != own]
    proof: list[Probe] = []

    def red_with(more: Sequence[str]) -> bool:
        # In the order in which pytest would collect them.
        wanted = {own, *more}
        request = replace(lab.request([alone.node_id]), files=tuple(file for file in files if file in wanted))
        (probe,) = lab.judge([request])
        proof.append(probe)
        return alike(probe.last, alone)

    deterministic = Isolation(IsolationKind.DETERMINISTIC, alone.node_id, origin=alone.origin, text=alone.words)
    if not others or red_with(()):
        return replace(deterministic, proof=tuple(proof), proved=bool(proof) or not others)
    found = smallest(others, red_with)
    if found is None:
        return replace(deterministic, note="passes where only its file is collected, but no other file was found")
    proof.clear()
    shown = [red_with(found.partners), red_with(()), red_with(found.partners), red_with(())]
    return Isolation(
        IsolationKind.COLLECTION,
        alone.node_id,
        found.partners,
        alone.origin,
        alone.words,
        proved=shown == [True, False] * TIMES,
        proof=tuple(proof),
    )
