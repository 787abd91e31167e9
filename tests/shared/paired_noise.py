"""Noise of paired measurements, as machines make it, and decisions over it. All from a seeded generator."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from math import log1p
from statistics import fmean

from toxscreen.model import Change
from toxscreen.plan.paired import Method, Sampling

#: Log ratios of pairs of equal revisions, one after the other, without end.
Noise = Callable[[random.Random], Iterator[float]]


def normal(deviation: float) -> Noise:
    def figures(rng: random.Random) -> Iterator[float]:
        while True:
            yield rng.gauss(0.0, deviation)

    return figures


def heavy_tails(scale: float) -> Noise:
    """Student's t with two degrees of freedom: no variance at all."""

    def figures(rng: random.Random) -> Iterator[float]:
        while True:
            yield scale * rng.gauss(0.0, 1.0) / math.sqrt(rng.expovariate(1.0))

    return figures


def bursts(quiet: float, loud: float) -> Noise:
    """A neighbour comes for about eight pairs and then stays away for about sixteen."""

    def figures(rng: random.Random) -> Iterator[float]:
        busy = False
        while True:
            busy = rng.random() >= 1 / 8 if busy else rng.random() < 1 / 16
            yield rng.gauss(0.0, loud if busy else quiet)

    return figures


def spikes(deviation: float) -> Noise:
    """One in seven pairs is hit by something, on one side or the other."""

    def figures(rng: random.Random) -> Iterator[float]:
        while True:
            hit = rng.choice((-1, 1)) * rng.expovariate(1 / 0.2) if rng.random() < 1 / 7 else 0.0
            yield rng.gauss(0.0, deviation) + hit

    return figures


def drift(deviation: float, swing: float) -> Noise:
    """One side is better off for a while, then the other: a wave over 100 pairs."""

    def figures(rng: random.Random) -> Iterator[float]:
        phase = rng.uniform(0.0, 2 * math.pi)
        for number in count():
            yield rng.gauss(0.0, deviation) + swing * math.sin(phase + 2 * math.pi * number / 100)

    return figures


def clinging(deviation: float, kept: float) -> Noise:
    """Each pair keeps a share of what was wrong with the one before: not independent."""

    def figures(rng: random.Random) -> Iterator[float]:
        now = rng.gauss(0.0, deviation)
        while True:
            yield now
            now = kept * now + rng.gauss(0.0, deviation * math.sqrt(1 - kept * kept))

    return figures


#: What the decision is held against, by name.
NOISES: dict[str, Noise] = {
    "1 %": normal(0.01),
    "2 %": normal(0.02),
    "3 %": normal(0.03),
    "heavy tails": heavy_tails(0.015),
    "bursts": bursts(0.01, 0.06),
    "spikes": spikes(0.02),
    "drift": drift(0.01, 0.005),
    "clinging": clinging(0.02, 0.5),
    "clinging a lot": clinging(0.02, 0.8),
}


@dataclass(frozen=True, slots=True)
class Rates:
    """What many decisions came to."""

    changes: Counter[Change]
    #: Pairs of a decision, those of confirmations counted.
    pairs: float
    #: Regressions of first batches, confirmed or not.
    suspected: int
    #: Comparisons whose self-check failed.
    self_failed: int

    def share(self, change: Change) -> float:
        """Decisions of one kind, of all."""
        return self.changes[change] / self.changes.total()


def decided(noise: Noise, change: float, comparisons: int, benchmarks: int = 1, method: Method | None = None) -> Rates:
    """Decide many times.

    Args:
        noise: of the pairs of each benchmark.
        change: by how much the candidate is slower, relative.
        comparisons: how many, with a seed each.
        benchmarks: of each comparison.
        method: None is the default.
    """
    changes: Counter[Change] = Counter()
    pairs, suspected, failed = [], 0, 0
    for seed in range(comparisons):
        rng = random.Random(seed)
        node_ids = [f"b{number}" for number in range(benchmarks)]
        measured = {node_id: noise(rng) for node_id in node_ids}
        sampling = Sampling(node_ids, method or Method())
        while wanted := sampling.wanted():
            ratios = {node_id: log1p(change) + next(measured[node_id]) for node_id in wanted.node_ids}
            own = {node_id: next(measured[node_id]) for node_id in wanted.node_ids if wanted.self_check}
            sampling.add(wanted, ratios, own)
        changes.update(sampling.judged(node_id)[0] for node_id in node_ids)
        pairs += [sampling.pairs(node_id) + sampling.confirmed_by(node_id) for node_id in node_ids]
        suspected += sum(sampling.confirmed_by(node_id) > 0 for node_id in node_ids)
        failed += not sampling.self_checked().passed
    return Rates(changes, fmean(pairs), suspected, failed)
