"""Whether what tools find in the code got worse, for each rule and symbol. Pure: it runs no tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from toxscreen.gates import ratchet
from toxscreen.gates.quality_values import FOUND, LOOKED, Quality, carried, part, parts, read, tool_of, values
from toxscreen.gates.ratchet import Change, Key, Ratchet
from toxscreen.model import Evidence, Finding, Measured, Missing, Ruling, Verdict

#: What makes the evidence.
COMMAND: Final = ("toxscreen", "quality")

_GATE = "quality"
#: What the sums of a tool's values are.
_UNITS = {"complexity": "complexity", "lizard": "complexity"}
#: Findings that the reason tells.
_SHOWN = 3


def judge(
    evidence: Evidence | Missing, base: Ratchet | Missing | None, own: Ratchet | None, tools: Sequence[str]
) -> tuple[Verdict, ...]:
    """One verdict for each tool that is asked for, or was on the base.

    Args:
        evidence: of the kind ``quality``.
        base: the ratchet of the base; None where the base has no such file, missing where nobody knows the base.
        own: the ratchet as it is here; None where there is none.
        tools: what ``tool.toxscreen.gates.quality`` names.
    """
    known = base if isinstance(base, Ratchet) else Ratchet()
    dropped = {tool for key in known.values if (tool := tool_of(key)) is not None} - set(tools)
    verdicts = [_judge(evidence, base, own, tool) for tool in tools] + [_dropped(tool) for tool in sorted(dropped)]
    if verdicts:
        return tuple(verdicts)
    reason = "tool.toxscreen.gates.quality names no tool, and the base has no values of one"
    return (Verdict(_GATE, Ruling.NOT_APPLICABLE, reason, asked=False),)


def _judge(evidence: Evidence | Missing, base: Ratchet | Missing | None, own: Ratchet | None, tool: str) -> Verdict:
    command = (*COMMAND, tool)
    if isinstance(evidence, Missing):
        return _unmeasured(tool, f"the evidence {evidence.kind} {evidence.reason}", evidence.command)
    try:
        quality = read(evidence.data)
    except ValueError as error:
        return _unmeasured(tool, f"the evidence {evidence.kind} cannot be read ({error})", command)
    measured = quality.tools.get(tool)
    if measured is None:
        return _unmeasured(tool, f"{tool} has not run", command)
    if measured.failure or not measured.files:
        return _unmeasured(tool, f"{tool} {measured.failure or 'looked at no file'}", measured.remedy or command)
    if isinstance(base, Missing):
        return _unmeasured(tool, f"the {base.kind} {base.reason}", base.command)
    before, mine = part(base, tool), part(own, tool)
    if before is None and mine is None:
        told = f"there are no values of {tool} in a {ratchet.FILE}, neither here nor on the base: make it, commit it"
        return _unmeasured(tool, told, ratchet.COMMAND)
    return _compared(quality, measured, before, mine)


def _unmeasured(tool: str, reason: str, remedy: tuple[str, ...]) -> Verdict:
    return Verdict(f"{_GATE}-{tool}", Ruling.UNMEASURED, reason, unit=_unit(tool), remedy=remedy)


def _dropped(tool: str) -> Verdict:
    reason = f"the base has values of {tool} in {ratchet.FILE}, and tool.toxscreen.gates.quality no longer names it"
    return Verdict(f"{_GATE}-{tool}", Ruling.FAIL, reason, unit=_unit(tool))


def _unit(tool: str) -> str:
    return _UNITS.get(tool, "findings")


def _compared(quality: Quality, measured: Measured, base: Ratchet | None, own: Ratchet | None) -> Verdict:
    tool, now = measured.tool, values(measured)
    before = None if base is None else carried(base, now, quality)
    # A renamed function does not oblige anybody to write the file anew.
    own = None if own is None else carried(own, now, quality)
    limits = ratchet.in_effect(before, own) or Ratchet()
    told = ratchet.compare(limits, now)
    findings = [
        *(_worse(each, measured) for each in told.worse),
        *(_unlooked(each.key, measured) for each in told.gone if each.key.kind == LOOKED and quality.has(each.key)),
        *_loosened(tool, before, own, quality),
    ]
    better = sum(each.key.kind == FOUND for each in told.better)
    reason = _worst(findings) if findings else f"nothing that {tool} counts is worse than on the base"
    if better:
        reason += f"; {better} better, which `{' '.join(ratchet.COMMAND)}` makes the limit"
    if base is None:
        reason += f"; the base has no values of {tool} in {ratchet.FILE}, those here are the start"
    known = None if quality.expected is None else quality.expected | set(measured.files)
    return Verdict(
        f"{_GATE}-{tool}",
        Ruling.FAIL if findings else Ruling.PASS,
        reason,
        measured=_sum(now),
        limit=_sum(limits.values),
        denominator=len(measured.files),
        expected_denominator=None if known is None else len(known),
        findings=tuple(findings),
        unit=_unit(tool),
        source=f"{tool} {measured.version} on {len(measured.files)} files",
        remedy=measured.command if findings else ratchet.COMMAND if better else (),
    )


def _sum(found: Mapping[Key, float]) -> float:
    return sum(value for key, value in found.items() if key.kind == FOUND)


def _worst(findings: Sequence[Finding]) -> str:
    shown = "; ".join(f"{each.subject}: {each.message}" for each in findings[:_SHOWN])
    more = f"; {len(findings) - _SHOWN} more" if len(findings) > _SHOWN else ""
    return f"worse than on the base: {shown}{more}"


# findings


def _worse(change: Change, measured: Measured) -> Finding:
    _, rule, file, symbol = parts(change.key)
    line = measured.lines.get(change.key.name.partition(" ")[2])
    told = f"{rule} {change.before:g} -> {change.now:g}"
    return Finding("quality-worse", f"{file}:{symbol}", told, remedy=measured.command, file=file, line=line or None)


def _unlooked(key: Key, measured: Measured) -> Finding:
    told = f"{measured.tool} looked at files here, and no longer does"
    return Finding("quality-unchecked", key.name.partition(" ")[2], told, remedy=measured.command)


def _loosened(tool: str, before: Ratchet | None, own: Ratchet | None, quality: Quality) -> Iterator[Finding]:
    if before is not None and own is None:
        told = f"its values of {tool} were removed, the base has them"
        yield Finding("ratchet-looser", ratchet.FILE, told, remedy=ratchet.COMMAND, file=ratchet.FILE)
        return
    for each in ratchet.looser(before, own):
        if each.key.kind == FOUND or quality.has(each.key):
            told = f"{ratchet.FILE} is looser than on the base, {each.before:g} -> {each.now:g}"
            yield Finding("ratchet-looser", each.key.name, told, remedy=ratchet.COMMAND, file=ratchet.FILE)


# writing the ratchet


def new_ratchet(
    evidence: Evidence | Missing, base: Ratchet | Missing | None, own: Ratchet | None, tools: Sequence[str]
) -> Ratchet:
    """What ``toxscreen gate --write-ratchet`` writes: nowhere looser than the base, for what the base knows.

    The values of a tool that could not measure stay as they are, and so do those of other gates.

    Args:
        evidence: as for :func:`judge`.
        base: as for :func:`judge`; where nobody knows it, the file here may not become looser.
        own: as for :func:`judge`.
        tools: as for :func:`judge`.

    Raises:
        ValueError: the evidence is none.
    """
    if isinstance(base, Missing):
        base = own
    kept = dict((ratchet.in_effect(base, own) or Ratchet()).values)
    if isinstance(evidence, Missing):
        return Ratchet(kept)
    quality = read(evidence.data)
    for tool in tools:
        measured = quality.tools.get(tool)
        if measured is None or measured.failure or not measured.files:
            continue
        now, before = values(measured), part(base, tool)
        before = None if before is None else carried(before, now, quality)
        kept = {key: value for key, value in kept.items() if tool_of(key) != tool}
        kept |= ratchet.tightened(before, now).values
    return Ratchet(kept)
