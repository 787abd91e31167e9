"""The gate ``coverage-ratchet``: coverage may not be lower than it once was, whatever the floor. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from toxscreen.gates import ratchet
from toxscreen.gates.covered import Covered, read, sums
from toxscreen.gates.ratchet import Key, Ratchet
from toxscreen.gates.ruling import unmeasured
from toxscreen.model import Evidence, Finding, Missing, Ruling, Verdict

GATE: Final = "coverage-ratchet"
KIND: Final = "coverage"
#: The key of all files together.
TOTAL: Final = Key(KIND, "total")


def values(covered: Covered, scope: str) -> dict[Key, float]:
    """Percent of lines and branches that ran, by key of the ratchet.

    Args:
        covered: the measurement.
        scope: one of :data:`toxscreen.settings.gates.RATCHET_SCOPES`.
    """
    if scope == "off":
        return {}
    ran, countable = sums(covered.files)
    found = {TOTAL: 100 * ran / countable} if countable else {}
    if scope == "files":
        found |= {Key(KIND, each.name): 100 * each.covered / each.countable for each in covered.files if each.countable}
    return found


def judge(
    evidence: Evidence | Missing, base: Ratchet | Missing | None, own: Ratchet | None, scope: str
) -> tuple[Verdict, ...]:
    """Whether coverage is lower than on the base, or than the file here says.

    Args:
        evidence: of kind ``coverage``.
        base: the ratchet of the base; None where the base has no such file, missing where nobody knows the base.
        own: the ratchet as it is here; None where there is none.
        scope: one of :data:`toxscreen.settings.gates.RATCHET_SCOPES`.
    """
    if scope == "off":
        return ()
    covered = read(evidence) if isinstance(evidence, Evidence) else evidence
    if isinstance(covered, Missing):
        return (unmeasured(GATE, covered),)
    if isinstance(base, Missing):
        return (Verdict(GATE, Ruling.UNMEASURED, f"the {base.kind} {base.reason}", unit="%", remedy=base.command),)
    now = values(covered, scope)
    if TOTAL not in now:
        return (Verdict(GATE, Ruling.UNMEASURED, "nothing could have run", numerator=0, denominator=0, unit="%"),)
    before, mine = _part(base, now), _part(own, now)
    if before is None and mine is None:
        told = f"there is no coverage in a {ratchet.FILE}, neither here nor on the base: make it, commit it"
        return (Verdict(GATE, Ruling.UNMEASURED, told, unit="%", remedy=ratchet.COMMAND),)
    return (_compared(covered, now, before, mine),)


def _part(whole: Ratchet | None, now: Mapping[Key, float]) -> Ratchet | None:
    """What is said of files that are still there; None where no coverage is."""
    if whole is None or TOTAL not in whole.values:
        return None
    return whole.where(lambda key: key in now)


def _compared(covered: Covered, now: Mapping[Key, float], base: Ratchet | None, own: Ratchet | None) -> Verdict:
    limits = ratchet.in_effect(base, own) or Ratchet()
    findings = [
        Finding("coverage-lower", each.key.name, f"{each.before:.2f} % -> {ratchet.rounded(each.key, each.now):.2f} %")
        for each in ratchet.compare(limits, now).worse
    ]
    findings += [
        Finding(
            "ratchet-looser",
            each.key.name,
            f"{ratchet.FILE} allows less than on the base: {each.before:g} -> {each.now:g}",
        )
        for each in ratchet.looser(base, own)
    ]
    findings = [each if each.subject == TOTAL.name else replace(each, file=each.subject) for each in findings]
    ran, countable = sums(covered.files)
    told = f"lower than on the base: {findings[0].subject}: {findings[0].message}" if findings else "nothing is lower"
    return Verdict(
        GATE,
        Ruling.FAIL if findings else Ruling.PASS,
        told if base is not None else f"{told}; the base has no coverage in {ratchet.FILE}, that here is the start",
        measured=now[TOTAL],
        limit=limits.values.get(TOTAL),
        numerator=ran,
        denominator=countable,
        expected_denominator=countable,
        findings=tuple(findings),
        unit="%",
        source=f"coverage of {', '.join(covered.alone)}",
        remedy=() if not findings else covered.made_by,
    )


def new_ratchet(evidence: Evidence | Missing, base: Ratchet | Missing | None, kept: Ratchet, scope: str) -> Ratchet:
    """What ``toxscreen gate --write-ratchet`` writes of coverage: nowhere less than the base.

    Args:
        evidence: of kind ``coverage``; where it lacks, what was there stays.
        base: as for :func:`judge`.
        kept: what is written of other gates, and of coverage so far.
        scope: one of :data:`toxscreen.settings.gates.RATCHET_SCOPES`.
    """
    covered = read(evidence) if isinstance(evidence, Evidence) else evidence
    if scope == "off" or isinstance(covered, Missing):
        return kept
    now = values(covered, scope)
    before = kept if isinstance(base, Missing) else base
    known = None if before is None or TOTAL not in before.values else before.where(lambda key: key in now)
    others = {key: value for key, value in kept.values.items() if key.kind != KIND}
    return Ratchet({**others, **ratchet.tightened(known, now).values})
