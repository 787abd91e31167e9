"""Concurrency conflicts: two tests that pass in every order and fail only beside each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Final

from toxscreen.hunt.lab import TIMES, Lab
from toxscreen.hunt.suspects import sharing, sightings
from toxscreen.model import Culprit, Isolation, IsolationKind, Probe, Sighting

#: How often two tests are run side by side before they are believed to get along; and how many pairs.
_ROUNDS: Final = 5
_MOST_PAIRS: Final = 40


def look_beside(lab: Lab, alone: Mapping[str, Sighting], explained: Collection[str]) -> list[Isolation]:
    """Run tests that touch the same file or port side by side.

    Args:
        lab: runs probes.
        alone: each test as it was seen alone.
        explained: tests whose failure has another explanation.

    Returns:
        Those that fail then.
    """
    found = []
    pairs = {pair: thing for pair, thing in sharing(alone).items() if not {*explained} & {*pair}}
    for number, (pair, thing) in enumerate(islice(pairs.items(), _MOST_PAIRS)):
        lab.tell("side by side", number, len(pairs))
        red, _ = _beside(lab, pair, fresh=False)
        if red is not None:
            found.append(_prove(lab, pair, thing, red))
    if len(pairs) > _MOST_PAIRS:
        lab.notes.append(f"{len(pairs) - _MOST_PAIRS} pairs of tests that share a file or port were not tried")
    return found


def _beside(lab: Lab, pair: tuple[str, str], *, fresh: bool) -> tuple[Sighting | None, list[Probe]]:
    """The first failure of two tests side by side, each twice, if any, and the last probes that were made."""
    probes: list[Probe] = []
    for _ in range(_ROUNDS):
        if lab.spent() > lab.limits.budget and not fresh:
            break
        probes = lab.beside([lab.request((node_id, node_id)) for node_id in pair], fresh=fresh)
        for probe in sorted(probes, key=lambda each: each.node_ids):
            red = next((each for each in sightings(probe) if each.outcome.red), None)
            if red is not None:
                return red, probes
    return None, probes


def beside_and_alone(
    lab: Lab, pair: tuple[str, str]
) -> tuple[tuple[Sighting | None, ...], tuple[Probe, ...], tuple[Probe, ...]]:
    """Two tests side by side and each by itself, in fresh interpreters, twice.

    Args:
        lab: runs probes.
        pair: the tests.

    Returns:
        Of each time the first failure side by side, or None; the probes side by side; the probes by themselves.
    """
    shown = [_beside(lab, pair, fresh=True) for _ in range(TIMES)]
    alone = lab.judge([lab.request((node_id, node_id)) for node_id in pair] * TIMES)
    return tuple(red for red, _ in shown), tuple(probe for _, probes in shown for probe in probes), tuple(alone)


def _prove(lab: Lab, pair: tuple[str, str], thing: str, red: Sighting) -> Isolation:
    """Twice red beside each other, twice green alone, in fresh interpreters."""
    shown, together, alone = beside_and_alone(lab, pair)
    green = all(not each.outcome.red for probe in alone for each in sightings(probe))
    proved = green and all(failure is not None for failure in shown)
    partner = pair[0] if red.node_id == pair[1] else pair[1]
    culprit = Culprit(thing, "one test", "two at a time", "files", proved=False)
    return Isolation(
        IsolationKind.CONFLICT,
        red.node_id,
        (partner,),
        red.origin,
        red.words,
        (culprit,),
        proved=proved,
        reachable=True,
        note=None if proved else "forks show it, fresh interpreters did not twice",
        proof=(*together, *alone),
    )
