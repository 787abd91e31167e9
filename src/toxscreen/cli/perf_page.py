"""What a comparison of two revisions says: for people, for programs, and as a status."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any, Final

from toxscreen.errors import Exit
from toxscreen.model import Change, Clock, Compared, Comparison, Interval, Memory, Page, Revision, Section, Table

_COLUMNS: Final = ("Benchmark", "Ratio", "Interval", "Pairs", "Ruling", "Base", "Candidate", "Memory")
_DECIDED: Final = frozenset({Change.REGRESSED, Change.IMPROVED, Change.SAME})
#: What somebody wants to read first.
_ORDER: Final = (
    Change.REGRESSED,
    Change.BROKEN,
    Change.UNDECIDED,
    Change.IMPROVED,
    Change.GONE,
    Change.NEW,
    Change.SAME,
)
#: Rulings that have more to say than the table.
_TOLD: Final = frozenset({Change.REGRESSED, Change.BROKEN, Change.UNDECIDED})
#: Extra information of a benchmark that is shown.
_MOST_EXTRA: Final = 10
_KIB: Final = 1024
#: From so many times on, percents are no longer read.
_MANIFOLD: Final = 10
#: Share, and number of blocks, that come and go without a reason that anybody could find.
_LITTLE, _HANDFUL = 0.001, 10


def status(comparison: Comparison) -> Exit:
    """What a comparison means; a regression counts only where the base does not differ from itself.

    Args:
        comparison: all of it, or as far as it came.
    """
    changes = {each.change for each in comparison.compared}
    if not comparison.complete:
        return Exit.INTERRUPTED
    if not comparison.self_check.passed or is_of_one_commit(comparison):
        return Exit.UNJUDGED
    if Change.REGRESSED in changes:
        return Exit.FOUND
    return Exit.UNJUDGED if changes & {Change.UNDECIDED, Change.BROKEN} or not changes & _DECIDED else Exit.CLEAN


def is_of_one_commit(comparison: Comparison) -> bool:
    """Whether both sides are the same, so that nothing is compared."""
    return comparison.base.commit == comparison.candidate.commit and not comparison.candidate.dirty


def page(comparison: Comparison, closing: Sequence[str] = ()) -> Page:
    """A table of all benchmarks, and why those are ruled so that need looking at.

    Args:
        comparison: all of it, or as far as it came.
        closing: lines at the end: what was written where.
    """
    compared = sorted(comparison.compared, key=lambda each: (_ORDER.index(each.change), each.node_id))
    counted = Counter(each.change for each in compared)
    told = ", ".join(f"{counted[change]} {change}" for change in _ORDER if counted[change]) or "no benchmark"
    return Page(
        f"performance: {told}",
        notes=tuple(_notes(comparison)),
        tables=(Table(_COLUMNS, tuple(_row(each) for each in compared)),) if compared else (),
        sections=tuple(_section(each) for each in compared if each.change in _TOLD),
        closing=(*_meaning(comparison), *closing),
    )


def data(comparison: Comparison) -> dict[str, object]:
    """The same for programs, and for gates. What is not finite is null."""
    told: dict[str, Any] = _json(asdict(comparison))
    for each in told["compared"]:
        each["extra"] = dict(each["extra"])
    told["self_check"]["intervals"] = dict(told["self_check"]["intervals"])
    return told


def _json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, StrEnum):
        return value.value
    if hasattr(value, "_asdict"):
        return _json(value._asdict())
    if isinstance(value, dict):
        return {str(key): _json(each) for key, each in value.items()}
    return [_json(each) for each in value] if isinstance(value, tuple | list) else value


def _notes(comparison: Comparison) -> Iterable[str]:
    yield f"base: {_revision(comparison.base)}"
    yield f"candidate: {_revision(comparison.candidate)}"
    took = f"{comparison.seconds:.0f} s of measuring, at most {comparison.budget:.0f} s"
    yield f"resolution: {100 * comparison.resolution:g} %; {took}"
    check = comparison.self_check
    yield f"base against itself: {'passed' if check.passed else 'not passed'}, {check.reason}"
    yield from comparison.notes


def _revision(revision: Revision) -> str:
    commit = revision.commit[:12] if revision.commit else "no commit"
    named = f"{commit} ({revision.name})" if revision.name and revision.name != revision.commit else commit
    return f"{named}, with uncommitted changes" if revision.dirty else named


def _row(each: Compared) -> tuple[str, ...]:
    pairs = f"{each.pairs}+{each.confirmed_by}" if each.confirmed_by else str(each.pairs) if each.pairs else ""
    return (
        each.node_id,
        ratio(each.interval),
        bounds(each.interval),
        pairs,
        f"{each.change} (wall)" if each.clock is Clock.WALL and each.change in _DECIDED else each.change.value,
        duration(each.base_seconds),
        duration(each.candidate_seconds),
        _memory(each.base_memory, each.candidate_memory),
    )


def ratio(found: Interval | None) -> str:
    """Candidate over base."""
    return "" if found is None or not math.isfinite(found.ratio) else f"{found.ratio:.3f}"


def bounds(found: Interval | None) -> str:
    """Where the ratio lies; nothing where nobody can say."""
    if found is None or not (math.isfinite(found.low) and math.isfinite(found.high)):
        return ""
    return f"{found.low:.3f} to {found.high:.3f}"


def duration(seconds: float | None) -> str:
    """A time in the unit that suits it."""
    if seconds is None:
        return ""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _memory(base: Memory | None, candidate: Memory | None) -> str:
    """Peak on both sides, and blocks where their number changed; the data has every byte."""
    if candidate is None or base is None:
        known = candidate or base
        return "" if known is None else _bytes(known.peak)
    if abs(candidate.peak - base.peak) < _LITTLE * base.peak:
        told = _bytes(candidate.peak)
    else:
        told = f"{_bytes(base.peak)} -> {_bytes(candidate.peak)}{_factor(base.peak, candidate.peak)}"
    is_same = abs(candidate.blocks - base.blocks) <= max(_HANDFUL, _LITTLE * base.blocks)
    return told if is_same else f"{told}, blocks {base.blocks} -> {candidate.blocks}"


def _factor(base: int, candidate: int) -> str:
    """A change in percent, or in times where that would be a long number."""
    if not base:
        return ""
    factor = candidate / base
    return f" ({100 * (factor - 1):+.1f} %)" if factor < _MANIFOLD else f" ({factor:.0f} times)"


def _bytes(count: int) -> str:
    if count < _KIB:
        return f"{count} B"
    return f"{count / _KIB:.1f} KiB" if count < _KIB**2 else f"{count / _KIB**2:.1f} MiB"


def _section(each: Compared) -> Section:
    extra = [f"{name}: {value}" for name, value in each.extra[:_MOST_EXTRA]]
    return Section(f"{each.node_id}: {each.change}", (*each.reason.splitlines(), *extra))


def _meaning(comparison: Comparison) -> Iterable[str]:
    """Why the status is not 0, where the table does not say it."""
    changes = {each.change for each in comparison.compared}
    if not comparison.complete:
        yield "interrupted: what was found so far is told, nothing of it is kept for gates"
    elif is_of_one_commit(comparison):
        yield "not judged: the base is what is checked out; name another one (--against)"
    elif not changes:
        yield "not judged: no benchmark was found (pytest tests with the fixture benchmark of pytest-benchmark)"
    elif changes == {Change.NEW}:
        yield "not judged: the base has none of these benchmarks"
    elif not changes & (_DECIDED | {Change.UNDECIDED, Change.BROKEN}):
        yield "not judged: no benchmark is in both revisions"
    elif changes & _DECIDED and not comparison.self_check.passed:
        yield f"not judged: the base against itself did not pass: {comparison.self_check.reason}"
    elif changes & {Change.UNDECIDED, Change.BROKEN} and Change.REGRESSED not in changes:
        yield "not judged: give undecided ones more time (--budget), a quieter machine or a coarser --resolution"
