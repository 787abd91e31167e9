"""Why a benchmark is ruled as it is, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from toxscreen.model import Change, Interval
from toxscreen.plan.series import Series


def told(first: Series, second: Series | None) -> str:
    """The reason of a ruling.

    Args:
        first: the benchmark's pairs.
        second: those that had to confirm a regression; None where there was none.
    """
    if second is None:
        return _said(first)
    seen = of_interval(first.interval())
    if second.change is Change.REGRESSED:
        return f"{seen} in {of_pairs(first)}, confirmed by {second.pairs} others: {of_interval(second.interval())}"
    slower = f"looked slower in {of_pairs(first)}, {seen}"
    if second.change is Change.SAME:
        return f"{slower}, but not in {second.pairs} others: {_within(second)}"
    if second.change is Change.IMPROVED:
        return f"{slower}, but faster in {second.pairs} others: {of_interval(second.interval())}"
    if second.open:
        return f"{slower}, but of the pairs to confirm it only {second.pairs} were made"
    return f"{slower}, but {second.pairs} others did not confirm it: {of_interval(second.interval())}"


def of_pairs(series: Series) -> str:
    """How many pairs there are."""
    return f"{series.pairs} pair{'' if series.pairs == 1 else 's'}"


def of_interval(interval: Interval | None) -> str:
    """A ratio as a change, with its bounds."""
    if interval is None:
        return "too few for bounds"
    return f"{_change(interval.ratio)} % ({_change(interval.low)} to {_change(interval.high)} %)"


def of_self_check(differing: Mapping[str, Interval], bounded: int, of: int, pairs: int) -> str:
    """What the base against itself showed.

    Args:
        differing: benchmarks that differ from themselves.
        bounded: of how many there are bounds.
        of: how many there are.
        pairs: most pairs of any of them.
    """
    if differing:
        worst = max(differing, key=lambda node_id: abs(differing[node_id].ratio - 1))
        more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
        return f"base against base differs: {worst} by {of_interval(differing[worst])}{more}"
    if not bounded:
        return f"base against base was not measured often enough: {pairs} times"
    some = "" if bounded == of else f" of {of}"
    return f"base against base shows no difference in {bounded}{some} benchmark{'' if of == 1 else 's'}, {pairs} pairs"


def _said(series: Series) -> str:
    interval, count = series.interval(), of_pairs(series)
    if interval is None:
        return f"{count}, {of_interval(interval)}"
    if series.change is Change.SAME:
        return f"{_within(series)} in {count}"
    if series.change is None:
        most = "" if series.open else ", the most there are"
        return f"still {of_interval(interval)} after {count}{most}"
    return f"{of_interval(interval)} in {count}"


def _within(series: Series) -> str:
    return f"within {100 * series.method.resolution:g} %: {of_interval(series.interval())}"


def _change(ratio: float) -> str:
    # Not "-0.0".
    return f"{round(100 * (ratio - 1), 1) + 0.0:+.1f}"
