"""The gate ``performance``: what the last comparison of two revisions says of each benchmark. It measures nothing."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from toxscreen.model import Change, Evidence, Finding, Missing, Ruling, Verdict

GATE: Final = "performance"
#: Name of the evidence, and what makes it.
KIND: Final = "perf"
COMMAND: Final = ("toxscreen", "perf")

_DECIDED: Final = frozenset({Change.REGRESSED, Change.IMPROVED, Change.SAME})
_UNDECIDED: Final = frozenset({Change.UNDECIDED, Change.BROKEN})
_MOST_TOLD: Final = 3
#: What is told where interpreters differ.
_WORST_FIRST: Final = (Ruling.FAIL, Ruling.UNMEASURED, Ruling.NOT_APPLICABLE, Ruling.PASS)
#: Resolutions are written as decimal fractions.
_ROUNDING: Final = 1e-9


def judge(
    evidence: Evidence | Missing, limit: int | None, resolution: float, bases: Collection[str] | str
) -> tuple[Verdict, ...]:
    """One verdict, or none where nobody asks; that of the interpreter which is worst off.

    Args:
        evidence: of the kind ``perf``: a comparison for each interpreter that made one.
        limit: so many benchmarks may have become slower; None: nobody asks.
        resolution: percent; a comparison that could not see so little says nothing.
        bases: the commits that a comparison may be with; in words why nobody knows any.
    """
    if limit is None:
        return ()
    if isinstance(evidence, Missing):
        return (_unmeasured(f"the evidence {evidence.kind} {evidence.reason}", limit, evidence.command),)
    verdicts = {name: _judge(data, limit, resolution, bases) for name, data in comparisons(evidence).items()}
    if not verdicts:
        return (_unmeasured(f"the evidence {KIND} holds no comparison", limit, COMMAND),)
    worst = min(verdicts, key=lambda name: _WORST_FIRST.index(verdicts[name].ruling))
    verdict = verdicts[worst]
    if len(verdicts) > 1:
        verdict = replace(verdict, reason=f"{worst}, the worst of {len(verdicts)}: {verdict.reason}")
    return (verdict,)


def comparisons(evidence: Evidence) -> dict[str, Any]:
    """What the evidence holds for each interpreter, by its name; nothing where that cannot be read."""
    found = evidence.data.get("comparisons")
    return dict(found) if isinstance(found, Mapping) else {}


def _judge(data: Any, limit: int, resolution: float, bases: Collection[str] | str) -> Verdict:
    try:
        told = _lack(data, resolution, bases)
        return _unmeasured(told, limit, COMMAND) if told else _judged(data, limit)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return _unmeasured(
            f"the evidence {KIND} cannot be understood ({type(error).__name__}: {error})", limit, COMMAND
        )


def _unmeasured(reason: str, limit: int, remedy: Sequence[str]) -> Verdict:
    return Verdict(
        GATE, Ruling.UNMEASURED, reason, limit=limit, unit="benchmarks", source="evidence perf", remedy=tuple(remedy)
    )


def _lack(data: Mapping[str, Any], resolution: float, bases: Collection[str] | str) -> str:
    """Why a comparison cannot be judged; nothing where it can."""
    if isinstance(bases, str):
        return f"nothing to compare with: {bases}"
    commit = str(data["base"]["commit"])
    # Compared with a base that is chosen well, such as the commit itself, nothing is slower.
    if commit not in bases:
        wanted = " or ".join(sorted(each[:12] for each in bases)) or "nothing"
        return f"the evidence {KIND} is against {commit[:12]}, and changes are compared with {wanted}"
    if data["candidate"]["commit"] == commit and not data["candidate"]["dirty"]:
        return f"the evidence {KIND} compares {commit[:12]} with itself"
    asked = 100 * float(data["resolution"])
    if not asked <= resolution + _ROUNDING:
        return f"the evidence {KIND} has a resolution of {asked:g} %, at most {resolution:g} % are allowed"
    if not data["complete"]:
        return f"the evidence {KIND} is of a comparison that was cut short"
    check, changes = data["self_check"], {Change(each["change"]) for each in data["compared"]}
    # Where nothing was measured, nothing could be checked.
    is_checked = check["passed"] is True or not changes & (_DECIDED | {Change.UNDECIDED})
    return "" if is_checked else f"the base against itself did not pass: {check['reason']}"


def _judged(data: Mapping[str, Any], limit: int) -> Verdict:
    compared = [(Change(each["change"]), each) for each in data["compared"]]
    regressed = [each for change, each in compared if change is Change.REGRESSED]
    open_ones = [each for change, each in compared if change in _UNDECIDED]
    decided = sum(change in _DECIDED for change, _ in compared)
    ruling, reason, blamed = Ruling.PASS, "", regressed
    if len(regressed) > limit:
        ruling = Ruling.FAIL
        reason = _listed("slower than on the base", regressed)
    elif open_ones:
        ruling, blamed = Ruling.UNMEASURED, open_ones
        reason = _listed("not decided", open_ones)
    elif not decided:
        ruling, reason = _nothing(compared)
    else:
        reason = f"none of {decided} is slower" if not regressed else _listed("slower than on the base", regressed)
    for change, words in ((Change.IMPROVED, "faster"), (Change.NEW, "new"), (Change.GONE, "gone")):
        count = sum(each is change for each, _ in compared)
        reason += f"; {words}: {count}" if count and decided else ""
    skipped = len(data.get("skipped", ()))
    reason += f"; skipped: {skipped}" if skipped else ""
    findings = tuple(_finding(each) for each in blamed)
    base = data["base"]
    return Verdict(
        GATE,
        ruling,
        reason,
        measured=len(regressed) if decided else None,
        limit=limit,
        numerator=len(regressed),
        denominator=decided,
        expected_denominator=decided + len(open_ones) + skipped,
        findings=findings,
        unit="benchmarks",
        source=f"evidence perf, against {base['commit'][:12]} ({base['name']})",
        # A comparison of one benchmark is no evidence.
        remedy=COMMAND if ruling is Ruling.UNMEASURED else findings[0].remedy if findings else (),
    )


def _nothing(compared: Sequence[tuple[Change, object]]) -> tuple[Ruling, str]:
    """What there is to say where no benchmark is on both sides."""
    changes = {change for change, _ in compared}
    if changes == {Change.NEW}:
        return Ruling.NOT_APPLICABLE, f"the base has no benchmark, all {len(compared)} are new"
    if Change.GONE in changes:
        # Otherwise a new name for all of them would be a way around the gate.
        return Ruling.UNMEASURED, "no benchmark of the base is left to compare with"
    return Ruling.UNMEASURED, "no benchmark was found"


def _listed(words: str, entries: Sequence[Mapping[str, Any]]) -> str:
    shown = ", ".join(f"{each['node_id']} ({_ratio(each)})" for each in entries[:_MOST_TOLD])
    more = f" and {len(entries) - _MOST_TOLD} more" if len(entries) > _MOST_TOLD else ""
    return f"{words}: {shown}{more}"


def _ratio(entry: Mapping[str, Any]) -> str:
    interval = entry.get("interval")
    if interval is None or not math.isfinite(ratio := float(interval["ratio"])):
        return str(entry["change"])
    return f"{100 * (ratio - 1):+.1f} %"


def _finding(entry: Mapping[str, Any]) -> Finding:
    node_id, change = str(entry["node_id"]), str(entry["change"])
    name = node_id.rpartition("::")[2].partition("[")[0]
    told = f"{change}: {entry['reason']}"
    return Finding(
        f"performance-{change}",
        node_id,
        told,
        "evidence perf",
        (*COMMAND, "--select", name),
        node_id.partition("::")[0],
    )
