"""The gate ``isolation``: what the runs that count, and the last hunt, know of tests that depend on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from toxscreen.gates.runs import SOURCE, command, short
from toxscreen.model import Conflict, Evidence, Finding, Missing, Ruling, Run, Verdict

GATE: Final = "isolation"
HUNT: Final = ("toxscreen", "hunt")
#: Kinds of a hunt's findings that are no isolation bugs: one is red in every run, the other is for the gate stability.
_OTHER: Final = frozenset({"deterministic", "chance"})
_MOST_TOLD: Final = 3


def judge(
    counted: Mapping[str, Run],
    expected: Sequence[str],
    conflicts: Mapping[str, Sequence[Conflict]],
    hunt: Evidence | Missing,
    limit: int,
    *,
    hunt_required: bool = False,
) -> Verdict:
    """Judge isolation.

    Args:
        counted: the run that counts of each environment, as :func:`toxscreen.gates.runs.whole` says.
        expected: names of environments.
        conflicts: possible conflicts of each of these runs, by its environment.
        hunt: evidence of the last hunt.
        limit: so many findings may be there.
        hunt_required: whether a hunt of these sources has to be there.
    """
    runs = [counted[name] for name in expected if name in counted]
    absent = [name for name in expected if name not in counted]
    findings = [finding for run in runs for finding in _leaks(run)]
    findings += [
        finding
        for name in expected
        if name in counted
        for finding in _conflicts(counted[name], conflicts.get(name, ()))
    ]
    findings += _hunted(hunt) if isinstance(hunt, Evidence) else []
    tests = len({node_id for run in runs for node_id in run.collected})
    ruling = Ruling.PASS
    remedy: tuple[str, ...] = ()
    told = [_told(findings), _about(hunt)]
    if len(findings) > limit:
        ruling, remedy = Ruling.FAIL, findings[0].remedy
    elif absent or not expected:
        ruling, remedy = Ruling.UNMEASURED, command(*absent)
        told.append(f"no whole run of these sources: {', '.join(absent) or 'none is expected'}")
    elif hunt_required and isinstance(hunt, Missing):
        ruling, remedy = Ruling.UNMEASURED, hunt.command
    sources = [*([short(runs)] if runs else []), *(["evidence hunt"] if isinstance(hunt, Evidence) else [])]
    return Verdict(
        GATE,
        ruling,
        "; ".join(told),
        float(len(findings)) if sources else None,
        float(limit),
        numerator=len(findings),
        denominator=tests,
        findings=tuple(findings),
        unit="findings",
        source=", ".join(sources) or SOURCE,
        remedy=remedy,
    )


def _told(findings: Sequence[Finding]) -> str:
    if not findings:
        return "no leak and no possible conflict"
    more = f" and {len(findings) - _MOST_TOLD} more" if len(findings) > _MOST_TOLD else ""
    return "; ".join(f"{each.subject} {each.message}" for each in findings[:_MOST_TOLD]) + more


def _about(hunt: Evidence | Missing) -> str:
    if isinstance(hunt, Missing):
        return f"no hunt of these sources: its evidence {hunt.reason}"
    category = hunt.data.get("category")
    return f"the hunt looked at {hunt.data.get('tests')} tests{f' of category {category}' if category else ''}"


def _leaks(run: Run) -> list[Finding]:
    """What each test left changed, each thing once."""
    found: dict[tuple[str, str], Finding] = {}
    for attempt in run.attempts:
        for leak in attempt.leaks:
            told = f"leaks {leak.what}: {leak.before} -> {leak.after}"
            by = "" if leak.blamed == attempt.node_id else f" (by {leak.blamed})"
            show = ("toxscreen", "runs", run.id)
            file = attempt.node_id.partition("::")[0]
            finding = Finding("leak", attempt.node_id, told + by, f"run {run.id}, {attempt.lane}", show, file)
            found.setdefault((attempt.node_id, leak.what), finding)
    return list(found.values())


def _conflicts(run: Run, conflicts: Sequence[Conflict]) -> list[Finding]:
    found = []
    for conflict in conflicts:
        (first, lane), *others = conflict.tests
        second = next((node_id for node_id, other in others if other != lane), "another test")
        told = f"and {second} can meet in {conflict.thing}"
        show = ("toxscreen", "runs", run.id)
        found.append(Finding("possible-conflict", first, told, f"run {run.id}", show, first.partition("::")[0]))
    return found


def _hunted(hunt: Evidence) -> list[Finding]:
    found = []
    for each in _listed(hunt.data.get("findings")):
        kind, node_id = str(each.get("kind")), str(each.get("node_id"))
        if kind not in _OTHER:
            told = f"is {kind}: {each.get('summary', node_id)}"
            shown = each.get("command")
            show = tuple(map(str, shown)) if isinstance(shown, list) and shown else hunt.command
            found.append(Finding(f"isolation-{kind}", node_id, told, "evidence hunt", show, node_id.partition("::")[0]))
    return found


def _listed(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
