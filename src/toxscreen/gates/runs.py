"""The gate ``runs``: has every expected environment run all of its tests, on just these sources, and is none red?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from toxscreen.model import CONFIGURED, Finding, Outcome, Ruling, Run, RunState, State, Verdict

GATE: Final = "runs"
SOURCE: Final = "recorded runs"
_MOST_NAMED: Final = 10
_WITHOUT_RESULT: Final = frozenset({Outcome.NOT_RUN})
#: Outcomes of tests of which no line may have run.
_DID_NOTHING: Final = frozenset({Outcome.NOT_RUN, Outcome.SKIPPED})


class Lack(NamedTuple):
    """Why a run is not the whole."""

    slug: str
    #: The rest of a sentence that begins with the run.
    reason: str


def command(*names: str) -> tuple[str, ...]:
    """What runs environments; nothing where there are none."""
    return ("tox", "-e", ",".join(names)) if names else ()


def state_of(run: Run) -> State | None:
    """The sources that a run is of; None where it does not say."""
    header = run.header
    if header.configuration is None:
        return None
    return State(header.commit, header.changes, header.configuration)


def lack(run: Run, may_deselect: Sequence[str] = ()) -> Lack | None:
    """Why a run cannot stand for all tests of its environment.

    Args:
        run: of these sources.
        may_deselect: who may leave out tests, in the words of a :class:`Selection`.

    Returns:
        None where it can.
    """
    return _unfinished(run) or _narrowed(run, may_deselect) or _without_results(run)


def _unfinished(run: Run) -> Lack | None:
    if run.state is RunState.RUNNING:
        return Lack("run-unfinished", "still runs")
    if run.state is RunState.DIED:
        return Lack("run-unfinished", "died and left no last word")
    if run.lost:
        return Lack("run-lost-data", f"has lost a worker, and what it had not told yet ({run.lost[0]})")
    if run.state is RunState.STOPPED:
        without = sum(outcome in _WITHOUT_RESULT for outcome in run.outcomes.values())
        return Lack("run-unfinished", f"was stopped: {_of(without, len(run.collected))} have no result")
    return None


def _narrowed(run: Run, may_deselect: Sequence[str]) -> Lack | None:
    if run.header.replay_of is not None:
        return Lack("run-filtered", f"is a replay of {run.header.replay_of}")
    if run.header.is_part:
        merge = "join all shards with `toxscreen merge DIR...`, a folder of each machine"
        return Lack("run-sharded", f"is shard {run.header.shard} only; {merge}")
    if run.selection is None:
        if run.exit_status not in {0, 1}:
            return Lack("run-unfinished", f"ended with exit status {run.exit_status} before it had collected")
        return Lack("run-older", "was recorded by an older toxscreen, which does not say what was left out")
    told = [f"{count} by {who}" for who, count in run.selection.deselected.items() if _is_filter(who, may_deselect)]
    if told:
        return Lack("run-filtered", f"is filtered: tests were left out, {', '.join(told)}")
    narrowed = [who for who in run.selection.narrowed if _is_filter(who, may_deselect)]
    if narrowed:
        return Lack("run-filtered", f"is filtered by {', '.join(narrowed)}")
    return None


def _is_filter(who: str, may_deselect: Sequence[str]) -> bool:
    return not who.startswith(CONFIGURED) and who not in may_deselect


def _without_results(run: Run) -> Lack | None:
    outcomes = run.outcomes
    if not outcomes:
        left_out = run.selection.deselected if run.selection is not None else {}
        all_of = f": all {sum(left_out.values())} were deselected" if left_out else ""
        return Lack("run-empty", f"ran no test{all_of}")
    if set(outcomes.values()) <= _DID_NOTHING:
        return Lack("run-empty", f"ran no test: all {len(outcomes)} were skipped")
    without = [node_id for node_id, outcome in outcomes.items() if outcome in _WITHOUT_RESULT]
    if without:
        return Lack("run-unfinished", f"has no result of {_of(len(without), len(outcomes))}, such as {without[0]}")
    off = run.selection.benchmarks_off if run.selection is not None else 0
    if off:
        return Lack("benchmarks-disabled", f"did not measure: benchmarks disabled: {off}")
    if run.exit_status not in {0, 1}:
        return Lack("run-unfinished", f"ended with exit status {run.exit_status}")
    return None


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole} test{'' if whole == 1 else 's'}"


def of_now(runs: Iterable[Run], now: State, name: str) -> list[Run]:
    """The runs of an environment and of just these sources, newest first; replays are none.

    Args:
        runs: all that are recorded.
        now: the sources as they are.
        name: the environment.
    """
    found = [run for run in runs if run.name == name and run.header.replay_of is None and state_of(run) == now]
    return sorted(found, key=lambda run: run.header.started, reverse=True)


def whole(runs: Iterable[Run], now: State, expected: Sequence[str], may_deselect: Sequence[str] = ()) -> dict[str, Run]:
    """The run that counts of each environment: the newest whole one of these sources.

    Args:
        runs: all that are recorded, in any order.
        now: the sources as they are.
        expected: names of environments.
        may_deselect: see :func:`lack`.

    Returns:
        Environments without such a run are left out.
    """
    if now.commit is None:
        return {}
    known = list(runs)
    found: dict[str, Run] = {}
    for name in expected:
        for run in of_now(known, now, name):
            if lack(run, may_deselect) is None:
                found[name] = run
                break
    return found


def judge(
    runs: Iterable[Run], now: State, expected: Sequence[str], may_deselect: Sequence[str] = ()
) -> tuple[Verdict, ...]:
    """Judge the recorded runs.

    Args:
        runs: all that are recorded, in any order.
        now: the sources as they are.
        expected: environments, or categories where tox is not used, that have to have run.
        may_deselect: who may leave out tests, in the words of a :class:`Selection`.

    Returns:
        One verdict: tests with a result, of those that were collected.
    """
    known = list(runs)
    if not expected:
        reason = "no environment is expected: name in gates.environments what has to run"
        return (Verdict(GATE, Ruling.UNMEASURED, reason, source=SOURCE),)
    if now.commit is None:
        reason = "without git and a commit, nobody knows of which sources a run is"
        return (Verdict(GATE, Ruling.UNMEASURED, reason, source=SOURCE),)
    counted: dict[str, Run] = {}
    red: list[Finding] = []
    missing: list[Finding] = []
    for name in expected:
        by_category: dict[str, list[Run]] = {}
        for run in of_now(known, now, name):
            by_category.setdefault(run.header.category, []).append(run)
        # An environment may call pytest once for each of several categories: none of them hides another one.
        for category, newest_first in by_category.items():
            label = name if len(by_category) == 1 else f"{name}, category {category}"
            complete = next((run for run in newest_first if lack(run, may_deselect) is None), None)
            if complete is not None:
                counted[label] = complete
            found = _red(complete or newest_first[0])
            red += found
            if complete is None and not found:
                missing.append(_missing(known, newest_first[0], name, may_deselect))
        if not by_category:
            missing.append(_missing(known, None, name, may_deselect))
    return (_verdict(counted, expected, red, missing),)


def _verdict(
    counted: Mapping[str, Run], expected: Sequence[str], red: Sequence[Finding], missing: Sequence[Finding]
) -> Verdict:
    outcomes = [outcome for run in counted.values() for outcome in run.outcomes.values()]
    with_result = sum(outcome not in _WITHOUT_RESULT for outcome in outcomes)
    ruling, told = Ruling.PASS, f"all of {', '.join(expected)} ran whole, and nothing is red"
    remedy: tuple[str, ...] = ()
    if missing:
        remedy = command(*(each.subject for each in missing))
        ruling, told = Ruling.UNMEASURED, "; ".join(f"{each.subject} {each.message}" for each in missing)
    if red:
        ruling, remedy = Ruling.FAIL, red[0].remedy
        named = ", ".join(each.subject for each in red[:_MOST_NAMED])
        more = f" and {len(red) - _MOST_NAMED} more" if len(red) > _MOST_NAMED else ""
        told = f"{len(red)} red: {named}{more}" + (f"; {told}" if missing else "")
    return Verdict(
        GATE,
        ruling,
        told + _by_configuration(counted),
        numerator=with_result,
        denominator=len(outcomes),
        findings=(*red, *missing),
        source=_source(counted),
        remedy=remedy,
    )


def _by_configuration(counted: Mapping[str, Run]) -> str:
    """What the project leaves out by itself is no filter, but no secret either."""
    told = []
    for name, run in counted.items():
        if run.selection is not None:
            told += [f"{name} {count} by {who}" for who, count in run.selection.deselected.items()]
    return f" (left out by the project itself: {', '.join(told)})" if told else ""


def _source(counted: Mapping[str, Run]) -> str:
    return short(counted.values())


def short(runs: Iterable[Run]) -> str:
    """Runs without their date: the end of each name, which `toxscreen runs` shows as well."""
    return ", ".join(run.id.partition("Z-")[2] or run.id for run in runs) or SOURCE


def _red(run: Run) -> list[Finding]:
    """The red tests of a run; where it is red without one, the run itself."""
    show = ("toxscreen", "runs", run.id)
    reds = {attempt.node_id: attempt for attempt in run.attempts if attempt.outcome.red}
    found = []
    for node_id, attempt in reds.items():
        # A test that was tried again counts as it ended.
        if run.outcomes[node_id].red:
            text = (attempt.text or "").partition("\n")[0]
            told = f"{attempt.outcome}{f': {text}' if text else ''}"
            file = node_id.partition("::")[0]
            found.append(Finding("red-test", node_id, told, f"run {run.id}, {attempt.lane}", show, file))
    if not found and run.exit_status == 1:
        found.append(Finding("red-run", run.name, "ended with exit status 1", f"run {run.id}", show))
    return found


def _missing(runs: Sequence[Run], newest: Run | None, name: str, may_deselect: Sequence[str]) -> Finding:
    """Why there is no run that counts of an environment."""
    if newest is not None:
        why = lack(newest, may_deselect)
        slug, reason = why if why is not None else ("run-missing", "cannot be judged")
        return Finding(slug, name, f"{reason}: {newest.id}", f"run {newest.id}", command(name))
    others = [run for run in runs if run.name == name]
    last = max(others, key=lambda run: run.header.started, default=None)
    if last is None:
        return Finding("run-missing", name, "has never run", None, command(name))
    reason = "has run last on other sources"
    if last.header.replay_of is not None:
        reason = "has only been replayed since the sources changed"
    elif last.header.configuration is None:
        reason = "was recorded by an older toxscreen, which does not say of which configuration it is"
    return Finding("run-missing", name, f"{reason}: {last.id}", f"run {last.id}", command(name))
