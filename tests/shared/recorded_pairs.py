"""Pairs that were really measured, kept in a file of JSON lines, and decisions made over them again and again."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from paired_noise import Noise, Rates

from toxscreen.model import Change
from toxscreen.plan.paired import Method, Sampling

#: By how much pytest-benchmark's usual ``--benchmark-compare-fail=mean:5%`` lets a run be slower.
COMPARE_FAIL = 0.05


class Pair(NamedTuple):
    """One pair of one benchmark: a line of the file, in the order in which they were measured."""

    #: In words: "A/A idle", "A/B 5 % with three neighbours".
    condition: str
    #: By how much the candidate is slower, relative; 0 for equal revisions.
    planted: float
    node_id: str
    #: Log of candidate's time over base's.
    ratio: float
    #: Seconds of one execution, where they are known.
    base: float | None = None
    candidate: float | None = None


def of_round(
    condition: str, planted: float, ratios: Mapping[str, float], seconds: Mapping[str, tuple[float, float]]
) -> list[Pair]:
    """The pairs of one round, one of each benchmark.

    Args:
        condition: under which they were measured.
        planted: by how much the candidate was made slower.
        ratios: logs of candidate's time over base's, by node id.
        seconds: base's and candidate's, by node id, where they are known.
    """
    return [
        Pair(condition, planted, node_id, ratio, *seconds.get(node_id, (None, None)))
        for node_id, ratio in ratios.items()
    ]


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Append pairs to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(pair._asdict()) + "\n" for pair in pairs)


def read_pairs(path: Path) -> list[Pair]:
    """All pairs of a file.

    Raises:
        ValueError: a line is not a pair; the message says which.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(Pair(**json.loads(line)))
        except (TypeError, ValueError) as problem:
            raise ValueError(f"{path.name}:{number} is not a pair: {problem}") from problem
    return found


def by_benchmark(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs of each benchmark by themselves, in their order."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.node_id, []).append(pair)
    return list(found.values())


def resampled(series: Sequence[Sequence[float]], block: int) -> Noise:
    """Figures drawn from recorded ones, of one benchmark a draw.

    Single ones (a block of 1) are sound where one pair tells nothing of the next. Blocks of pairs that followed each
    other keep a burst together (D. N. Politis and J. P. Romano, A circular block-resampling procedure, 1992).

    Args:
        series: the figures of each benchmark in their order.
        block: how many stay together.
    """

    def figures(rng: random.Random) -> Iterator[float]:
        recorded = rng.choice(series)
        while True:
            start = rng.randrange(len(recorded))
            for number in range(block):
                yield recorded[(start + number) % len(recorded)]

    return figures


def in_order(series: Sequence[Sequence[float]], method: Method) -> Counter[Change]:
    """Decisions over the pairs as they were measured, each pair used once; an unfinished last decision is none."""
    changes: Counter[Change] = Counter()
    for figures in series:
        rest = iter(figures)
        sampling = Sampling(["b"], method)
        for figure in rest:
            wanted = sampling.wanted()
            if wanted is not None:
                sampling.add(wanted, {"b": figure})
            if sampling.wanted() is None:
                changes[sampling.judged("b")[0]] += 1
                sampling = Sampling(["b"], method)
    return changes


def clings(figures: Sequence[float]) -> float:
    """How much one figure tells of the next: their correlation, with figures far out pulled in."""
    if len(figures) < 3 or stdev(figures) == 0:
        return 0.0
    ranks = {place: rank for rank, place in enumerate(sorted(range(len(figures)), key=lambda place: figures[place]))}
    values = [ranks[place] - (len(figures) - 1) / 2 for place in range(len(figures))]
    return sum(one * two for one, two in pairwise(values)) / sum(value * value for value in values)


def fails_by_stored(pairs: Sequence[Pair]) -> tuple[int, int]:
    """What a stored baseline would have said of the same seconds: a candidate held against the base of the pair before.

    Returns:
        Failures over 5 %, and comparisons; none where the seconds are not known.
    """
    compared = [
        after.candidate / before.base
        for before, after in pairwise(pairs)
        if before.base and after.candidate and before.node_id == after.node_id
    ]
    return sum(ratio > 1 + COMPARE_FAIL for ratio in compared), len(compared)


def told(name: str, rates: Rates) -> dict[str, Any]:
    """A row of figures to show."""
    return {
        "what": name,
        "decisions": rates.changes.total(),
        **{change.value: rates.changes[change] for change in Change if rates.changes[change]},
        "suspected": rates.suspected,
        "pairs": round(rates.pairs, 1),
    }


def described(series: Sequence[Sequence[float]]) -> dict[str, Any]:
    """How many pairs there are, how noisy they are and how much they cling."""
    return {
        "pairs recorded": sum(map(len, series)),
        "deviation": round(fmean(stdev(figures) for figures in series if len(figures) > 1), 4),
        "clings": round(fmean(map(clings, series)), 2),
    }
