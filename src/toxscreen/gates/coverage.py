"""Judges one combined measurement of coverage: the whole, its branches, files, packages and environments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from toxscreen.gates import coverage_changed, coverage_excluded, coverage_parts
from toxscreen.gates.covered import Covered, Source, read, sums
from toxscreen.gates.percent import floor, reached, shown, some
from toxscreen.gates.ruling import unmeasured
from toxscreen.model import Changes, Evidence, Finding, Missing, Ruling, Verdict
from toxscreen.settings.gates import Gates

#: Names of all gates of this module, in the order of their verdicts.
GATES = (
    "coverage",
    "coverage-branches",
    "coverage-files",
    "coverage-packages",
    "coverage-categories",
    "coverage-changed",
    "coverage-exclusive",
    "coverage-excluded",
)
_SOURCE = "one combined measurement of {}"


def judge(
    evidence: Evidence | Missing,
    changes: Changes | str,
    limits: Gates,
    expected: Sequence[str],
    is_test: Callable[[str], bool],
) -> tuple[Verdict, ...]:
    """A verdict of each gate of :data:`GATES`.

    Args:
        evidence: of kind ``coverage``.
        changes: what differs from the base; in words why nobody can tell.
        limits: what gates demand.
        expected: environments that must have been combined.
        is_test: whether a file is a test, or belongs to tests.
    """
    covered = read(evidence) if isinstance(evidence, Evidence) else evidence
    if isinstance(covered, Missing):
        return tuple(_without(gate, covered, limits) for gate in GATES)
    source = _SOURCE.format(", ".join(covered.alone) or "nothing")
    verdicts = (
        _total(covered, limits),
        _branches(covered, limits),
        coverage_parts.files(covered, limits),
        coverage_parts.packages(covered, limits),
        coverage_parts.categories(covered, limits),
        coverage_changed.judge(covered, changes, limits.value("coverage-changed")),
        coverage_parts.exclusive(covered, limits),
        coverage_excluded.judge(covered, changes, limits.value("coverage-excluded")),
    )
    lack = _incomplete(covered, expected, is_test)
    return tuple(
        replace(
            each,
            ruling=Ruling.UNMEASURED if lack and _counts(each) else each.ruling,
            reason=f"{lack}; of the rest: {each.reason}" if lack and _counts(each) else each.reason,
            source=each.source or source,
            remedy=each.remedy or (() if _lacks_base(each, changes) and not lack else covered.made_by),
        )
        for each in verdicts
    )


def _lacks_base(verdict: Verdict, changes: Changes | str) -> bool:
    """Whether no measurement would help."""
    return isinstance(changes, str) and verdict.ruling is Ruling.UNMEASURED


def _without(gate: str, missing: Missing, limits: Gates) -> Verdict:
    """What is not asked needs no evidence."""
    key = _KEYS.get(gate)
    if key is not None and limits.value(key) in (None, {}):
        return coverage_parts.unasked(gate, key)
    return unmeasured(gate, missing)


#: The limits of the gates that are asked only where one is set.
_KEYS = {
    "coverage-branches": "coverage-branches",
    "coverage-files": "coverage-file",
    "coverage-packages": "coverage-packages",
    "coverage-categories": "coverage-categories",
    "coverage-changed": "coverage-changed",
    "coverage-exclusive": "coverage-exclusive",
}


def _counts(verdict: Verdict) -> bool:
    """Whether a verdict rests on the measurement as a whole."""
    return verdict.ruling is not Ruling.NOT_APPLICABLE


def _incomplete(covered: Covered, expected: Iterable[str], is_test: Callable[[str], bool]) -> str:
    """Why the measurement is not about all that it should be about; nothing where it is."""
    told = []
    if lacking := [name for name in expected if name not in covered.alone]:
        told.append(f"not combined: {', '.join(lacking)}")
    if covered.absent:
        told.append(f"source names nothing here: {', '.join(covered.absent)}")
    if covered.late:
        told.append(f"imported before coverage began, so measured in part: {some(covered.late)}")
    if not any(file.statements for file in covered.measured):
        told.append("no statement was measured")
    elif all(is_test(file.name) for file in covered.measured):
        told.append("only tests were measured, nothing that they test")
    return "; ".join(told)


def _total(covered: Covered, limits: Gates) -> Verdict:
    ran, countable = sums(covered.measured)
    statements = sum(len(file.statements) for file in covered.measured)
    if not countable:
        return Verdict("coverage", Ruling.UNMEASURED, "nothing could have run", numerator=0, denominator=0)
    asked = limits.value("coverage")
    limit = covered.fail_under if asked is None else asked
    counts = (ran, statements, countable - statements)
    verdict = floor(*counts, covered.never, fail_under=limit, precision=covered.precision)
    never = tuple(coverage_parts.never(file) for file in covered.files if not file.measured)
    low = () if reached(ran, countable, limit) else _gaps(covered.measured)
    return replace(verdict, findings=(*never, *low))


def _branches(covered: Covered, limits: Gates) -> Verdict:
    ran, all_jumps = (sum(len(jumps) for jumps in part) for part in zip(*_jumps(covered.files), strict=True))
    measured = sum(len(file.jumps) for file in covered.measured)
    limit = limits.value("coverage-branches")
    told = f"{ran} of {all_jumps} branches ran, {shown(ran, all_jumps, limit, covered.precision)}"
    verdict = Verdict(
        "coverage-branches",
        Ruling.NOT_APPLICABLE,
        f"{told}; no limit is set: gates.coverage-branches",
        measured=100 * ran / all_jumps if all_jumps else None,
        limit=limit,
        numerator=ran,
        denominator=measured,
        expected_denominator=all_jumps,
        unit="%",
        asked=limit is not None,
    )
    if limit is None:
        return verdict
    if not all_jumps:
        return replace(verdict, reason=f"the sources have 0 branches in {len(covered.files)} files")
    passed = reached(ran, all_jumps, limit)
    untaken = tuple(coverage_parts.finding(file.name, file, jumps=True) for file in covered.files if file.missing.jumps)
    return replace(
        verdict,
        ruling=Ruling.PASS if passed else Ruling.FAIL,
        reason=f"{told}, {'at or over' if passed else 'under'} {limit:g} %",
        findings=() if passed else untaken,
    )


def _jumps(files: Iterable[Source]) -> list[tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]]:
    # One file of nothing more: `zip` of no files at all has no two parts.
    return [*((file.ran.jumps, file.jumps) for file in files), (frozenset(), frozenset())]


def _gaps(files: Iterable[Source]) -> tuple[Finding, ...]:
    return tuple(coverage_parts.of_file(file) for file in files if file.missing.lines or file.missing.jumps)
