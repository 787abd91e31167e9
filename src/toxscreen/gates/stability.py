"""The gate ``stability``: tests that passed and failed although nothing was changed, over all recorded runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from toxscreen.gates.runs import SOURCE
from toxscreen.model import Evidence, Finding, Missing, Outcome, Ruling, Run, Verdict

GATE: Final = "stability"
#: So unlikely has it to be that an unstable test has passed by luck ever since the code was changed.
_LUCK: Final = 0.05
_GREEN: Final = frozenset({Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED})

#: What decides the outcome of a test, apart from chance: environment, sources, interpreter and tools.
_Same = tuple[object, ...]


@dataclass(slots=True)
class _History:
    """What was seen of one test in one environment."""

    #: Red and green ones in equal circumstances.
    seen: dict[_Same, tuple[int, int]] = field(default_factory=dict)
    #: Moment, circumstances and whether it was red, of each attempt.
    attempts: list[tuple[float, _Same, bool]] = field(default_factory=list)
    run: str = ""

    def add(self, same: _Same, run: Run, moment: float, *, is_red: bool) -> None:
        red, green = self.seen.get(same, (0, 0))
        self.seen[same] = (red + is_red, green + (not is_red))
        self.attempts.append((moment, same, is_red))
        if is_red:
            self.run = run.id


def judge(runs: Iterable[Run], limit: int, hunt: Evidence | Missing | None = None) -> Verdict:
    """Judge how sure outcomes are.

    A test that was unstable and has passed since the code was changed, so often that luck is less likely than 5 %,
    is not counted any more; neither is one that the newest run of its environment did not collect.

    Args:
        runs: all that are recorded, in any order; replays, and runs of unknown sources, are not looked at.
        limit: so many tests may be unstable.
        hunt: the last one; what it says to fail by chance counts as well.
    """
    known = sorted((run for run in runs if _is_usable(run)), key=lambda run: run.header.started)
    histories: dict[tuple[str, str], _History] = {}
    gone = _gone(known)
    for run in known:
        same = _same(run)
        for attempt in run.attempts:
            if attempt.outcome.red or attempt.outcome in _GREEN:
                key = run.name, attempt.node_id
                history = histories.setdefault(key, _History())
                history.add(same, run, attempt.started, is_red=attempt.outcome.red)
    twice = {key for key, history in histories.items() if any(sum(pair) > 1 for pair in history.seen.values())}
    findings = [
        finding
        for (name, node_id), history in sorted(histories.items())
        if node_id not in gone.get(name, frozenset()) and (finding := _finding(name, node_id, history)) is not None
    ]
    chances = _chances(hunt)
    named = {each.subject for each in findings}
    findings += [each for each in chances if each.subject not in named]
    return _verdict(findings, len(known), len(twice) + len({each.subject for each in chances} - named), limit)


def _verdict(findings: list[Finding], runs: int, denominator: int, limit: int) -> Verdict:
    source = f"{runs} {SOURCE}"
    if not denominator:
        told = f"in {runs} recorded runs no test has run twice on the same sources, so none could change"
        return Verdict(GATE, Ruling.NOT_APPLICABLE, told, limit=limit, numerator=0, denominator=0, source=source)
    ruling = Ruling.FAIL if len(findings) > limit else Ruling.PASS
    told = f"no outcome of {denominator} tests that ran twice on the same sources changed"
    if findings:
        told = "; ".join(f"{each.subject} {each.message}" for each in findings[:3])
        told += f" and {len(findings) - 3} more" if len(findings) > 3 else ""  # noqa: PLR2004 - as many as are told
    remedy = findings[0].remedy if findings else ()
    measured = float(len(findings))
    numbers = (measured, float(limit), len(findings), denominator)
    return Verdict(GATE, ruling, told, *numbers, findings=tuple(findings), unit="tests", source=source, remedy=remedy)


def _is_usable(run: Run) -> bool:
    header = run.header
    return header.replay_of is None and header.commit is not None and header.configuration is not None


def _same(run: Run) -> _Same:
    header = run.header
    # A commit's content counts, not its message.
    content = header.tree or header.commit
    return run.name, content, header.changes, header.configuration, tuple(sorted(header.tools.items()))


def _gone(known: list[Run]) -> dict[str, frozenset[str]]:
    """Tests of each environment that its newest unfiltered run did not collect."""
    found = {}
    for name in {run.name for run in known}:
        mine = [run for run in known if run.name == name]
        newest = [run for run in mine if run.collected and run.selection is not None and not _is_narrow(run)]
        if newest:
            seen = {attempt.node_id for run in mine for attempt in run.attempts}
            found[name] = frozenset(seen.difference(newest[-1].collected))
    return found


def _is_narrow(run: Run) -> bool:
    return run.selection is None or bool(run.selection.deselected or run.selection.narrowed)


def _finding(name: str, node_id: str, history: _History) -> Finding | None:
    """A test that is unstable as far as anybody knows."""
    unstable = [same for same, (red, green) in history.seen.items() if red and green]
    if not unstable:
        return None
    last = unstable[-1]
    red, green = history.seen[last]
    last_red = max(moment for moment, _, is_red in history.attempts if is_red)
    since = sum(moment > last_red and same != last for moment, same, _ in history.attempts)
    luck = (1 - red / (red + green)) ** since
    if luck <= _LUCK:
        return None
    needed = math.ceil(math.log(_LUCK) / math.log(1 - red / (red + green)))
    told = f"failed {red} of {red + green} times on the same sources in {name}"
    if since:
        told += f"; since they changed it has passed {since} times, {needed} would show that this is over"
    show = ("toxscreen", "runs", history.run)
    return Finding("unstable-test", node_id, told, f"run {history.run}", show, node_id.partition("::")[0])


def _chances(hunt: Evidence | Missing | None) -> list[Finding]:
    """What a hunt of these sources says to fail by chance."""
    if not isinstance(hunt, Evidence):
        return []
    found = []
    for each in _listed(hunt.data.get("findings")):
        if each.get("kind") == "chance":
            node_id = str(each.get("node_id"))
            told = f"fails by chance, the hunt says: {each.get('summary', node_id)}"
            found.append(Finding("unstable-test", node_id, told, "evidence hunt", hunt.command))
    return found


def _listed(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
