"""The gates ``suite-budget`` and ``category-budget``: how long one waits for the tests, and what for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from toxscreen.gates.runs import SOURCE, command, short
from toxscreen.model import Attempt, Finding, Ruling, Run, Verdict

SUITE: Final = "suite-budget"
CATEGORY: Final = "category-budget"
_SLOWEST: Final = 10
#: Seconds that are worth a word; they are shown with one decimal.
_MOMENT: Final = 0.1


def lasted(run: Run) -> float:
    """Seconds from the beginning of a run to its end."""
    return max(0.0, (run.finished or run.header.started) - run.header.started)


def by_itself(run: Run) -> float:
    """Seconds that a run would have taken without others beside it: its workers waited for slots meanwhile.

    Part of that they waited for each other. So it is not less than the longest test, nor than all tests on all cores.
    """
    seconds = [attempt.seconds for attempt in run.attempts]
    cores = run.header.host.get("cores", "")
    together = sum(seconds) / max(1, int(cores) if cores.isdecimal() else 1)
    return max(lasted(run) - run.queued, min(lasted(run), max(together, *seconds, 0.0)))


def waited_for(runs: Sequence[Run]) -> float:
    """Seconds in which at least one of some runs went on: what runs side by side is waited for once.

    Args:
        runs: that ended; the time between them does not count.
    """
    total, until = 0.0, float("-inf")
    for begun, ended in sorted((run.header.started, run.header.started + lasted(run)) for run in runs):
        total += max(0.0, ended - max(begun, until))
        until = max(until, ended)
    return total


def judge_suite(counted: Mapping[str, Run], expected: Sequence[str], limit: float) -> Verdict:
    """Judge the time that all expected environments take together.

    Args:
        counted: the run that counts of each environment, as :func:`toxscreen.gates.runs.whole` says.
        expected: names of environments.
        limit: seconds.
    """
    runs = [counted[name] for name in expected if name in counted]
    absent = [name for name in expected if name not in counted]
    total, summed = waited_for(runs), sum(map(lasted, runs))
    beside = f"; one after the other {summed:.1f} s" if summed - total >= _MOMENT else ""
    told = f"{', '.join(run.name for run in runs)} took {total:.1f} s{beside}" if runs else "nothing ran"
    ruling = Ruling.PASS
    findings: tuple[Finding, ...] = ()
    remedy: tuple[str, ...] = ()
    if total > limit:
        # With those that are absent it would be even more.
        ruling, findings = Ruling.FAIL, slowest(runs)
        remedy = ("toxscreen", "runs", max(runs, key=lasted).id)
    elif absent or not expected:
        ruling = Ruling.UNMEASURED
        told += f"; no whole run of these sources: {', '.join(absent) or 'none is expected'}"
        remedy = command(*absent)
    return Verdict(
        SUITE,
        ruling,
        told,
        round(total, 3) if runs else None,
        limit,
        numerator=len(runs),
        denominator=len(expected),
        expected_denominator=len(expected),
        findings=findings,
        unit="s",
        source=short(runs),
        remedy=remedy,
    )


def judge_categories(counted: Mapping[str, Run], expected: Sequence[str], budgets: Mapping[str, float]) -> Verdict:
    """Judge the time of each environment by the budget of its category; waiting for slots is not held against it.

    Args:
        counted: as for :func:`judge_suite`.
        expected: names of environments.
        budgets: seconds by category; 0 is none.

    Returns:
        One verdict; it is measured by the environment that needs most of its budget.
    """
    runs = [counted[name] for name in expected if name in counted]
    absent = [name for name in expected if name not in counted]
    limited = [(run, budgets[run.header.category]) for run in runs if budgets.get(run.header.category)]
    over = [(run, budget) for run, budget in limited if by_itself(run) > budget]
    if not limited:
        if absent or not expected:
            told = f"no whole run of these sources: {', '.join(absent) or 'none is expected'}"
            remedy = command(*absent)
            return Verdict(CATEGORY, Ruling.UNMEASURED, told, unit="s", source=SOURCE, remedy=remedy)
        told = f"none of the categories that ran has a budget: {', '.join(run.header.category for run in runs)}"
        return Verdict(CATEGORY, Ruling.NOT_APPLICABLE, told, unit="s", source=short(runs))
    worst, limit = max(limited, key=lambda each: by_itself(each[0]) / each[1])
    ruling, remedy = Ruling.PASS, ()
    told = f"{worst.name} took {by_itself(worst):.1f} of {limit:g} s{_beside(worst)}, the largest share"
    if over:
        ruling, remedy = Ruling.FAIL, ("toxscreen", "runs", worst.id)
    elif absent:
        ruling, remedy = Ruling.UNMEASURED, command(*absent)
        told += f"; no whole run of these sources: {', '.join(absent)}"
    return Verdict(
        CATEGORY,
        ruling,
        told,
        round(by_itself(worst), 3),
        limit,
        numerator=len(limited) - len(over),
        denominator=len(limited),
        expected_denominator=len(limited) + len(absent),
        findings=tuple(
            Finding(
                "category-over-budget",
                run.name,
                f"took {by_itself(run):.1f} s{_beside(run)}, its category {run.header.category} has {budget:g} s",
                f"run {run.id}",
                ("toxscreen", "runs", run.id),
            )
            for run, budget in over
        ),
        unit="s",
        source=short(runs),
        remedy=remedy,
    )


def _beside(run: Run) -> str:
    return f" and {run.queued:.1f} s of waiting for slots" if run.queued >= _MOMENT else ""


def slowest(runs: Sequence[Run], most: int = _SLOWEST) -> tuple[Finding, ...]:
    """The tests that took longest, each with its share and how much of it was waiting.

    Args:
        runs: to look at.
        most: how many tests.
    """
    attempts = [(attempt, run) for run in runs for attempt in run.attempts]
    whole = sum(attempt.seconds for attempt, _ in attempts)
    found = sorted(attempts, key=lambda each: each[0].seconds, reverse=True)[:most]
    return tuple(
        Finding(
            "slow-test",
            attempt.node_id,
            f"{attempt.seconds:.2f} s{_share(attempt.seconds, whole)}{_waited(attempt)}",
            f"run {run.id}, {attempt.lane}",
            file=attempt.node_id.partition("::")[0],
        )
        for attempt, run in found
    )


def _share(part: float, whole: float) -> str:
    return f", {100 * part / whole:.1f} % of what all tests took" if whole else ""


def _waited(attempt: Attempt) -> str:
    waited = attempt.waited
    return "" if waited is None else f", {waited:.2f} s of it slept or waited"
