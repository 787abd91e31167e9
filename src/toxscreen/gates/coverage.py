"""Judges one combined measurement of coverage: the whole, its branches, files, packages and environments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from toxscreen.gates import coverage_changed, coverage_excluded
from toxscreen.gates.covered import KIND, Covered, Source, read, sums
from toxscreen.gates.lines import write_jumps, write_lines
from toxscreen.gates.percent import floor, reached, shown
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


class _Part(NamedTuple):
    """A part of the sources that has a limit of its own."""

    name: str
    covered: int
    countable: int
    limit: float
    finding: Finding

    @property
    def reached(self) -> bool:
        return reached(self.covered, self.countable, self.limit)


def judge(
    evidence: Evidence | Missing, changes: Changes | str, limits: Gates, expected: Sequence[str]
) -> tuple[Verdict, ...]:
    """A verdict of each gate of :data:`GATES`.

    Args:
        evidence: of kind ``coverage``.
        changes: what differs from the base; in words why nobody can tell.
        limits: what gates demand.
        expected: environments that must have been combined.
    """
    covered = read(evidence) if isinstance(evidence, Evidence) else evidence
    if isinstance(covered, Missing):
        return tuple(_without(gate, covered, limits) for gate in GATES)
    source = _SOURCE.format(", ".join(covered.alone) or "nothing")
    verdicts = (
        _total(covered, limits),
        _branches(covered, limits),
        _files(covered, limits),
        _packages(covered, limits),
        _categories(covered, limits),
        coverage_changed.judge(covered, changes, limits.value("coverage-changed")),
        _exclusive(covered, limits),
        coverage_excluded.judge(covered, changes, limits.value("coverage-excluded")),
    )
    lack = _incomplete(covered, expected)
    return tuple(
        replace(
            each,
            ruling=Ruling.UNMEASURED if lack and _counts(each) else each.ruling,
            reason=f"{lack}; of the rest: {each.reason}" if lack and _counts(each) else each.reason,
            source=each.source or source,
            remedy=each.remedy or covered.made_by,
        )
        for each in verdicts
    )


def _without(gate: str, missing: Missing, limits: Gates) -> Verdict:
    """What is not asked needs no evidence."""
    key = _KEYS.get(gate)
    return unmeasured(gate, missing) if key is None or limits.value(key) else _unasked(gate, key)


#: The limits of the gates that are asked only where one is set.
_KEYS = {
    "coverage-branches": "coverage-branches",
    "coverage-files": "coverage-file",
    "coverage-packages": "coverage-packages",
    "coverage-categories": "coverage-categories",
    "coverage-exclusive": "coverage-exclusive",
}


def _unasked(gate: str, key: str) -> Verdict:
    return Verdict(gate, Ruling.NOT_APPLICABLE, f"no limit is set: gates.{key}", source=KIND)


def _counts(verdict: Verdict) -> bool:
    """Whether a verdict rests on the measurement as a whole."""
    return verdict.ruling is not Ruling.NOT_APPLICABLE


def _incomplete(covered: Covered, expected: Iterable[str]) -> str:
    """Why the measurement is not about all that it should be about; nothing where it is."""
    told = []
    if lacking := [name for name in expected if name not in covered.alone]:
        told.append(f"not combined: {', '.join(lacking)}")
    if covered.absent:
        told.append(f"source names nothing here: {', '.join(covered.absent)}")
    if not any(file.statements for file in covered.measured):
        told.append("no statement was measured")
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
    never = tuple(_never(file) for file in covered.files if not file.measured)
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
    )
    if limit is None:
        return verdict
    if not all_jumps:
        return replace(verdict, reason=f"the sources have 0 branches in {len(covered.files)} files")
    passed = reached(ran, all_jumps, limit)
    untaken = tuple(_finding(file.name, file, jumps=True) for file in covered.files if file.missing.jumps)
    return replace(
        verdict,
        ruling=Ruling.PASS if passed else Ruling.FAIL,
        reason=f"{told}, {'at or over' if passed else 'under'} {limit:g} %",
        findings=() if passed else untaken,
    )


def _jumps(files: Iterable[Source]) -> list[tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]]:
    # One file of nothing more: `zip` of no files at all has no two parts.
    return [*((file.ran.jumps, file.jumps) for file in files), (frozenset(), frozenset())]


def _files(covered: Covered, limits: Gates) -> Verdict:
    limit = limits.value("coverage-file")
    if limit is None:
        return _unasked("coverage-files", "coverage-file")
    parts = [_Part(file.name, file.covered, file.countable, limit, _of_file(file)) for file in covered.files]
    return _parts("coverage-files", "files", parts, len(covered.files), covered)


def _packages(covered: Covered, limits: Gates) -> Verdict:
    demanded: Mapping[str, float] = limits.value("coverage-packages")
    if not demanded:
        return _unasked("coverage-packages", "coverage-packages")
    parts, unknown = [], []
    for name, limit in demanded.items():
        files = package(covered.files, name)
        if not files:
            unknown.append(name)
            continue
        ran, countable = sums(files)
        message = f"{ran} of {countable} ran in {len(files)} files of {name}, under {limit:g} %"
        finding = Finding("coverage-low", name, message, file=_lowest(files).name)
        parts.append(_Part(name, ran, countable, limit, finding))
    verdict = _parts("coverage-packages", "packages", parts, len(demanded), covered)
    return _lacking(verdict, unknown, "no source file is in")


def _categories(covered: Covered, limits: Gates) -> Verdict:
    demanded: Mapping[str, float] = limits.value("coverage-categories")
    if not demanded:
        return _unasked("coverage-categories", "coverage-categories")
    parts, unknown = [], []
    countable = sums(covered.files)[1]
    for name, limit in demanded.items():
        if name not in covered.alone:
            unknown.append(name)
            continue
        ran = sum(len(each.lines) + len(each.jumps) for each in covered.alone[name].values())
        message = f"{name} alone covers {ran} of {countable}, under {limit:g} %"
        parts.append(_Part(name, ran, countable, limit, Finding("coverage-low", name, message)))
    verdict = _parts("coverage-categories", "environments", parts, len(demanded), covered)
    return _lacking(verdict, unknown, "not combined:")


def _lacking(verdict: Verdict, names: Sequence[str], told: str) -> Verdict:
    if not names:
        return verdict
    # A limit that was missed stays missed, whatever else is not known.
    ruling = Ruling.FAIL if verdict.ruling is Ruling.FAIL else Ruling.UNMEASURED
    return replace(verdict, ruling=ruling, reason=f"{told} {', '.join(names)}; {verdict.reason}")


def _parts(gate: str, noun: str, parts: Sequence[_Part], expected: int, covered: Covered) -> Verdict:
    """The verdict on parts that have each a limit; its numbers are those of the part that is worst off."""
    good = sum(part.reached for part in parts)
    bad = [part for part in parts if not part.reached]
    worst = min(parts, key=lambda part: _percent(part) - part.limit, default=None)
    reason = f"{good} of {expected} {noun} reach their limit"
    if worst is not None:
        least = shown(worst.covered, worst.countable, worst.limit, covered.precision)
        reason += f"; lowest against its limit of {worst.limit:g} %: {worst.name} with {least}"
    return Verdict(
        gate,
        Ruling.PASS if parts and not bad else Ruling.FAIL if bad else Ruling.UNMEASURED,
        reason,
        measured=None if worst is None else _percent(worst),
        limit=None if worst is None else worst.limit,
        numerator=good,
        denominator=len(parts),
        expected_denominator=expected,
        findings=tuple(part.finding for part in bad),
        unit="%",
    )


def _percent(part: _Part) -> float:
    return 100 * part.covered / part.countable if part.countable else 100.0


def _exclusive(covered: Covered, limits: Gates) -> Verdict:
    owners: dict[tuple[str, int], list[str]] = {}
    for environment, files in covered.alone.items():
        for name, ran in files.items():
            for line in ran.lines:
                owners.setdefault((name, line), []).append(environment)
    single: dict[tuple[str, str], set[int]] = {}
    for (name, line), environments in owners.items():
        if len(environments) == 1:
            single.setdefault((environments[0], name), set()).add(line)
    count, limit = sum(map(len, single.values())), limits.value("coverage-exclusive")
    each = {name: sum(len(lines) for (owner, _), lines in single.items() if owner == name) for name in covered.alone}
    told = ", ".join(f"{name} {number}" for name, number in each.items())
    reason = f"{count} of {len(owners)} lines that ran are covered by one environment only ({told or 'no environment'})"
    verdict = Verdict(
        "coverage-exclusive",
        Ruling.NOT_APPLICABLE,
        f"{reason}; no limit is set: gates.coverage-exclusive",
        measured=100 * count / len(owners) if owners else None,
        limit=limit,
        numerator=count,
        denominator=len(owners),
        expected_denominator=len(owners),
        findings=tuple(
            Finding(
                "coverage-exclusive",
                name,
                f"only {owner} covers lines {write_lines(lines)}",
                file=name,
                line=min(lines),
            )
            for (owner, name), lines in sorted(single.items())
        ),
        unit="%",
    )
    if limit is None:
        return verdict
    # At most so many percent: at least the others are covered twice.
    passed = bool(owners) and reached(len(owners) - count, len(owners), 100 - limit)
    ruling = (Ruling.PASS if passed else Ruling.FAIL) if owners else Ruling.UNMEASURED
    told = f"{reason}, {'at or under' if passed else 'over'} {limit:g} %"
    return replace(verdict, ruling=ruling, reason=told, findings=() if passed else verdict.findings)


# words


def package(files: Iterable[Source], name: str) -> list[Source]:
    """The files of a package: of ``a.b`` those below a folder ``a/b``, the outermost one of that name.

    Args:
        files: all files.
        name: with dots, or a folder with slashes.
    """
    wanted = tuple(name.strip("/").split("/") if "/" in name else name.split("."))
    found: dict[int, list[Source]] = {}
    for file in files:
        parts = tuple(file.name.removesuffix(".py").split("/"))
        places = range(1 if "/" in name else len(parts))
        depth = next((at for at in places if parts[at : at + len(wanted)] == wanted), None)
        if depth is not None:
            found.setdefault(depth, []).append(file)
    return found[min(found)] if found else []


def _gaps(files: Iterable[Source]) -> tuple[Finding, ...]:
    return tuple(_of_file(file) for file in files if file.missing.lines or file.missing.jumps)


def _of_file(file: Source) -> Finding:
    return _finding(file.name, file, jumps=True) if file.measured else _never(file)


def _never(file: Source) -> Finding:
    message = f"no environment measured this file: {len(file.statements)} statements"
    return Finding("coverage-never", file.name, message, file=file.name, line=1)


def _finding(subject: str, file: Source, *, jumps: bool) -> Finding:
    told = []
    if file.missing.lines:
        told.append(f"lines {write_lines(file.missing.lines)}")
    if jumps and file.missing.jumps:
        told.append(f"branches {write_jumps(file.missing.jumps)}")
    first = min((*file.missing.lines, *(source for source, _ in file.missing.jumps)), default=1)
    message = f"{file.covered} of {file.countable} ran; missing: {'; '.join(told) or 'nothing'}"
    return Finding("coverage-missing", subject, message, file=file.name, line=first)


def _lowest(files: Sequence[Source]) -> Source:
    return max(files, key=lambda file: (len(file.missing.lines) + len(file.missing.jumps), file.name))
