"""Judges parts of one combined measurement: each file, packages, what an environment covers alone or alone covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from toxscreen.gates.covered import KIND, Covered, Source, sums
from toxscreen.gates.lines import write_jumps, write_lines
from toxscreen.gates.percent import reached, shown
from toxscreen.model import Finding, Ruling, Verdict
from toxscreen.settings.gates import Gates


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


def files(covered: Covered, limits: Gates) -> Verdict:
    """Whether each file reaches the limit of files; one that nobody measured has nothing covered."""
    limit = limits.value("coverage-file")
    if limit is None:
        return unasked("coverage-files", "coverage-file")
    parts = [_Part(file.name, file.covered, file.countable, limit, of_file(file)) for file in covered.files]
    return _parts("coverage-files", "files", parts, len(covered.files), covered)


def packages(covered: Covered, limits: Gates) -> Verdict:
    """Whether each package that has a limit reaches it."""
    demanded: Mapping[str, float] = limits.value("coverage-packages")
    if not demanded:
        return unasked("coverage-packages", "coverage-packages")
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


def categories(covered: Covered, limits: Gates) -> Verdict:
    """Whether each environment that has a limit covers so much alone."""
    demanded: Mapping[str, float] = limits.value("coverage-categories")
    if not demanded:
        return unasked("coverage-categories", "coverage-categories")
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


def exclusive(covered: Covered, limits: Gates) -> Verdict:
    """How many of the lines that ran just one environment covers."""
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
        asked=limit is not None,
    )
    if limit is None:
        return verdict
    # At most so many percent: at least the others are covered twice.
    passed = bool(owners) and reached(len(owners) - count, len(owners), 100 - limit)
    ruling = (Ruling.PASS if passed else Ruling.FAIL) if owners else Ruling.UNMEASURED
    told = f"{reason}, {'at or under' if passed else 'over'} {limit:g} %"
    return replace(verdict, ruling=ruling, reason=told, findings=() if passed else verdict.findings)


def unasked(gate: str, key: str) -> Verdict:
    """The verdict of a gate for which nobody set a limit."""
    return Verdict(gate, Ruling.NOT_APPLICABLE, f"no limit is set: gates.{key}", source=KIND, asked=False)


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


def of_file(file: Source) -> Finding:
    """What is not covered of a file."""
    return finding(file.name, file, jumps=True) if file.measured else never(file)


def never(file: Source) -> Finding:
    """That nobody measured a file."""
    message = f"no environment measured this file: {len(file.statements)} statements"
    return Finding("coverage-never", file.name, message, file=file.name, line=1)


def finding(subject: str, file: Source, *, jumps: bool) -> Finding:
    """What is not covered of a measured file: its lines, and where asked for its branches."""
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
