"""Which benchmarks need more pairs, and what their pairs prove: sampling in stages, with an end. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

from toxscreen.model import Change, Interval, SelfCheck
from toxscreen.plan.paired_words import of_pairs, of_self_check, told
from toxscreen.plan.ranks import ranks
from toxscreen.plan.series import Method, Series, bounded, ruled

__all__ = ["Method", "Round", "Sampling"]


class Round(NamedTuple):
    """One pair of fresh processes, base and candidate, for some benchmarks."""

    node_ids: tuple[str, ...]
    #: Whether a third process runs, the base once more.
    self_check: bool


@dataclass(slots=True)
class _Sampled:
    """One benchmark."""

    first: Series
    #: The independent batch that a regression needs; None where nothing looks like one.
    second: Series | None = None
    #: The base against itself.
    own: list[float] = field(default_factory=list)
    #: Rounds running without a figure.
    missed: int = 0
    dropped: bool = False

    @property
    def batch(self) -> Series:
        return self.first if self.second is None else self.second


class Sampling:
    """Rounds until everything is decided, or the caller stops. See docs/perf-method.md.

    Args:
        node_ids: benchmarks that both sides have; the error is shared among all of them, broken ones included.
        method: what is asked.
    """

    def __init__(self, node_ids: Sequence[str], method: Method) -> None:
        self.method = method
        ids = tuple(dict.fromkeys(node_ids))
        self._error = method.share(len(ids))
        self._sampled = {node_id: _Sampled(Series(method, self._error)) for node_id in ids}
        # A self-check without a bound would say nothing: with very many benchmarks that takes more pairs.
        fewest = next(count for count in range(1, 1100) if ranks((count,), count, self._error)[0])
        self._own_pairs = max(method.stages[0], fewest)

    def wanted(self) -> Round | None:
        """The next round: all benchmarks that are not decided. None: all are."""
        ids = tuple(node_id for node_id in self._sampled if self._open(node_id))
        if not ids:
            return None
        return Round(ids, any(self._sampled[node_id].first.pairs < self._own_pairs for node_id in ids))

    def add(self, done: Round, ratios: Mapping[str, float], self_ratios: Mapping[str, float] | None = None) -> None:
        """Take what a round found.

        Args:
            done: the round. Figures of others than its benchmarks are not looked at.
            ratios: logs of candidate's time over base's, by node id. One that is missing or not finite is no figure.
            self_ratios: logs of the base's time over the base's.
        """
        for node_id in done.node_ids:
            if not self._open(node_id):
                continue
            sampled = self._sampled[node_id]
            own = (self_ratios or {}).get(node_id)
            if own is not None and isfinite(own):
                sampled.own.append(own)
            figure = ratios.get(node_id)
            if figure is None or not isfinite(figure):
                sampled.missed += 1
                continue
            sampled.missed = 0
            sampled.batch.add(figure)
            if sampled.second is None and sampled.first.change is Change.REGRESSED:
                sampled.second = Series(self.method, self._error)

    def drop(self, node_id: str) -> None:
        """Measure a benchmark no more: it is broken."""
        self._sampled[node_id].dropped = True

    def interval(self, node_id: str) -> Interval | None:
        """The ratio and its bounds, of the batch that decides; None while there are too few pairs for bounds.

        After a regression was confirmed it is the confirmation's: the first batch stopped because it looked slow, and
        its ratio is the larger for it.
        """
        sampled = self._sampled[node_id]
        if sampled.second is None or sampled.second.open:
            return sampled.first.interval()
        return sampled.second.interval()

    def pairs(self, node_id: str) -> int:
        """Pairs with a figure, those of the confirmation not counted."""
        return self._sampled[node_id].first.pairs

    def confirmed_by(self, node_id: str) -> int:
        """Pairs of the confirmation so far; 0 where there is none."""
        second = self._sampled[node_id].second
        return 0 if second is None else second.pairs

    def judged(self, node_id: str) -> tuple[Change, str]:
        """The ruling as of now, and why.

        Returns:
            UNDECIDED while nothing is proved; BROKEN for what was dropped.
        """
        sampled = self._sampled[node_id]
        if sampled.dropped:
            return Change.BROKEN, f"it failed after {of_pairs(sampled.first)}"
        change = sampled.batch.change
        if sampled.second is not None and change is Change.IMPROVED:
            # The two batches contradict each other: something other than the revisions differs.
            change = None
        reason = told(sampled.first, sampled.second)
        if change is None and sampled.missed >= self.method.misses:
            reason = f"no figure in {sampled.missed} rounds running; {reason}"
        return change or Change.UNDECIDED, reason

    def self_checked(self) -> SelfCheck:
        """What the base against itself says: ruled like a first batch that is looked at once."""
        measured = {node_id: each.own for node_id, each in self._sampled.items() if not each.dropped}
        intervals: dict[str, Interval] = {}
        for node_id, own in measured.items():
            count = len(own)
            if found := bounded(own, ranks((count,), count, self._error)[0] if count else 0):
                intervals[node_id] = found
        differing = {
            node_id: interval
            for node_id, interval in intervals.items()
            if ruled(interval, self.method) in {Change.REGRESSED, Change.IMPROVED}
        }
        pairs = max(map(len, measured.values()), default=0)
        return SelfCheck(
            bool(intervals) and not differing,
            of_self_check(differing, len(intervals), len(measured), pairs),
            pairs,
            tuple(intervals.items()),
        )

    def _open(self, node_id: str) -> bool:
        sampled = self._sampled[node_id]
        return not sampled.dropped and sampled.missed < self.method.misses and sampled.batch.open
