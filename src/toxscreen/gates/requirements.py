"""What is required of tests: that they assert, that they run what has changed, that they fail without the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from toxscreen.gates import covered
from toxscreen.model import (
    ChangedFunctions,
    Evidence,
    Finding,
    Function,
    Missing,
    Outcome,
    Ruling,
    Run,
    RunState,
    Verdict,
)

NO_ASSERTION: Final = "no-assertion"
EXECUTED_BY: Final = "executed-by"
PROVES_CHANGE: Final = "proves-change"
#: What makes the evidence of :func:`proves_change`.
PROOF_COMMAND: Final = ("toxscreen", "audit", "--proves-change")


def no_assertion(limit: int | None, runs: Mapping[str, Run | Missing]) -> tuple[Verdict, ...]:
    """Tests that can assert nothing.

    Args:
        limit: how many there may be; None: nobody asks.
        runs: of each environment that has to have run, its last whole one.
    """
    if limit is None:
        return ()
    good = {name: run for name, run in runs.items() if isinstance(run, Run) and run.state is RunState.COMPLETE}
    source = f"recorded runs of {', '.join(runs)}"
    for name, run in runs.items():
        if name not in good:
            why = f"the run of {name} {run.reason}" if isinstance(run, Missing) else f"the run of {name} is {run.state}"
            command = run.command if isinstance(run, Missing) else ("tox", "-e", name)
            return (Verdict(NO_ASSERTION, Ruling.UNMEASURED, why, limit=limit, source=source, remedy=command),)
    attempts = {attempt.node_id: attempt for run in good.values() for attempt in run.attempts}
    expected = {node_id for run in good.values() for node_id in run.collected}
    if not attempts:
        why = "no test ran" if runs else "there is no environment that should have run"
        return (Verdict(NO_ASSERTION, Ruling.UNMEASURED, why, limit=limit, expected_denominator=0, source=source),)
    findings = tuple(
        Finding(
            "test-asserts-nothing",
            node_id,
            "neither it nor its helpers and fixtures can assert anything; "
            "assert what it is about, or mark it with @pytest.mark.must_not_raise",
            file=node_id.partition("::")[0],
        )
        for node_id, attempt in sorted(attempts.items())
        if attempt.asserts_nothing and attempt.outcome is Outcome.PASSED
    )
    count = len(findings)
    return (
        Verdict(
            NO_ASSERTION,
            Ruling.PASS if count <= limit else Ruling.FAIL,
            f"{_counted(count, 'test')} of {len(attempts)} can assert nothing",
            measured=count,
            limit=limit,
            numerator=count,
            denominator=len(attempts),
            expected_denominator=len(expected),
            findings=findings,
            source=source,
        ),
    )


def executed_by(
    environments: Sequence[str],
    coverage: Evidence | Missing,
    changed: Sequence[ChangedFunctions] | Missing,
    base: str,
) -> tuple[Verdict, ...]:
    """Whether a test of certain environments runs each function that differs from the base.

    Args:
        environments: of which one is enough; none: nobody asks.
        coverage: evidence of which lines each environment ran.
        changed: functions that differ, of all files that are no tests.
        base: the revision in words.
    """
    if not environments:
        return ()
    named = " or ".join(environments)
    if isinstance(coverage, Missing):
        why = f"the evidence {coverage.kind} {coverage.reason}"
        return (Verdict(EXECUTED_BY, Ruling.UNMEASURED, why, remedy=coverage.command, source=coverage.kind),)
    if isinstance(changed, Missing):
        return (Verdict(EXECUTED_BY, Ruling.UNMEASURED, changed.reason, remedy=changed.command, source=coverage.kind),)
    source = f"evidence {coverage.kind}, changes since {base}"
    known = covered.read(coverage)
    if isinstance(known, Missing):
        why = f"the evidence {known.kind} {known.reason}"
        return (Verdict(EXECUTED_BY, Ruling.UNMEASURED, why, remedy=known.command, source=source),)
    ran = _executed(known)
    lacking = [name for name in environments if name not in known.alone]
    if lacking:
        why = f"no line is recorded of {', '.join(lacking)}"
        return (Verdict(EXECUTED_BY, Ruling.UNMEASURED, why, remedy=("tox", "-e", lacking[0]), source=source),)
    asked = [each for each in changed if _is_measured(each.file, ran)]
    broken = [each for each in asked if each.problem]
    if broken:
        why = f"{broken[0].file}: {broken[0].problem}"
        return (Verdict(EXECUTED_BY, Ruling.UNMEASURED, why, source=source),)
    left_out = sorted({each.file for each in changed} - {each.file for each in asked})
    aside = f"; not measured by coverage and so not asked: {', '.join(left_out)}" if left_out else ""
    wanted = [(each.file, it) for each in asked for it in each.functions if it.body or it.shares_line]
    if not wanted:
        why = f"0 functions of the {_counted(len(asked), 'measured file')} that changed since {base} differ{aside}"
        return (Verdict(EXECUTED_BY, Ruling.NOT_APPLICABLE, why, denominator=0, source=source),)
    findings = tuple(
        _unexecuted(file, function, named, measured=file in ran)
        for file, function in wanted
        if not any(function.body & ran.get(file, {}).get(name, frozenset()) for name in environments)
    )
    done = len(wanted) - len(findings)
    return (
        Verdict(
            EXECUTED_BY,
            Ruling.FAIL if findings else Ruling.PASS,
            f"{done} of {_counted(len(wanted), 'changed function')} run in {named}{aside}",
            measured=done,
            limit=len(wanted),
            numerator=done,
            denominator=len(wanted),
            expected_denominator=len(wanted),
            findings=findings,
            source=source,
        ),
    )


def proves_change(
    asked: bool,  # noqa: FBT001 - a limit like others
    proof: Evidence | Missing,
    base: str | None,
) -> tuple[Verdict, ...]:
    """Whether a changed test fails without the change.

    Args:
        asked: whether anybody asks.
        proof: evidence ``requirements``, see :mod:`toxscreen.analysis.proof`.
        base: the commit that changes are compared with; None where there is none.
    """
    if not asked:
        return ()
    if isinstance(proof, Missing):
        why = f"the evidence {proof.kind} {proof.reason}"
        return (Verdict(PROVES_CHANGE, Ruling.UNMEASURED, why, source=proof.kind, remedy=PROOF_COMMAND),)
    verdict = proof_verdict(proof.data)
    against = str(proof.data.get("base"))
    if verdict.ruling is Ruling.UNMEASURED or against == base:
        return (verdict,)
    # Against a base that is chosen well, such as the commit itself, nothing has changed.
    why = (
        f"the evidence {proof.kind} is against {against[:12]}, and changes are compared with {(base or 'nothing')[:12]}"
    )
    command = (*PROOF_COMMAND, "--against", base) if base else PROOF_COMMAND
    return (Verdict(PROVES_CHANGE, Ruling.UNMEASURED, why, source=proof.kind, remedy=command),)


def proof_verdict(data: Mapping[str, object]) -> Verdict:
    """What a proof on the base's source comes to.

    Args:
        data: of the evidence ``requirements``.
    """
    told: Any = data
    try:
        base = f"{told['base'][:12]} ({told['base_source']})"
        source = f"evidence requirements, changed tests on the source of {base}"
        files, tests = list(told["changed_source"]), list(told["changed_tests"])
        proved = [(each["test"], each["why"]) for each in told["proved"]]
        passed, problem = list(told["passed_on_base"]), str(told["problem"])
    except (KeyError, TypeError, AttributeError) as error:
        why = f"the evidence requirements cannot be used ({type(error).__name__}: {error})"
        return Verdict(PROVES_CHANGE, Ruling.UNMEASURED, why, remedy=PROOF_COMMAND)
    if not files:
        why = f"0 lines of code outside of tests differ from {base}"
        return Verdict(PROVES_CHANGE, Ruling.NOT_APPLICABLE, why, source=source)
    numbers: dict[str, Any] = {"numerator": len(proved), "denominator": len(tests), "source": source}
    numbers |= {"measured": len(proved), "limit": 1, "expected_denominator": len(tests)}
    if proved:
        named = "; ".join(f"{test} ({why})" for test, why in proved)
        return Verdict(PROVES_CHANGE, Ruling.PASS, f"without the change {_fail(len(proved))}: {named}", **numbers)
    if problem:
        return Verdict(PROVES_CHANGE, Ruling.UNMEASURED, problem, remedy=PROOF_COMMAND, **numbers)
    if not tests:
        message = f"no test differs from {base}, and these do: {', '.join(files)}"
        finding = Finding("change-without-test", files[0], message, file=files[0])
        reason = f"no test has changed with {', '.join(files)}"
        return Verdict(
            PROVES_CHANGE, Ruling.FAIL, reason, numerator=0, denominator=0, findings=(finding,), source=source
        )
    findings = tuple(
        Finding(
            "change-not-tested",
            test,
            f"passes on the source of {base} too: it does not test the change",
            file=str(test).partition("::")[0],
        )
        for test in passed
    )
    reason = f"of {_counted(len(passed), 'changed test')} none fails without the change: they do not test it"
    return Verdict(PROVES_CHANGE, Ruling.FAIL, reason, findings=findings, **numbers)


def _unexecuted(file: str, function: Function, named: str, *, measured: bool) -> Finding:
    if not measured:
        why = f"no environment measured the file, so no line of it is known to run in {named}"
    elif not function.body:
        why = "its body stands on the line of its def, which runs when the file is imported: put it on lines of its own"
    else:
        why = f"no line of its body runs in {named}"
    return Finding("function-not-executed", f"{file}:{function.name}", why, file=file, line=function.first)


def _is_measured(file: str, ran: Mapping[str, object]) -> bool:
    """Whether coverage looks at a file, or at others below a folder around it other than the root."""
    folders = file.split("/")[:-1]
    around = tuple("/".join(folders[: depth + 1]) + "/" for depth in range(len(folders)))
    return file in ran or any(known.startswith(around) for known in ran)


def _executed(known: covered.Covered) -> dict[str, dict[str, frozenset[int]]]:
    """The lines that each environment ran of each measured file."""
    return {
        file.name: {name: ran[file.name].lines for name, ran in known.alone.items() if file.name in ran}
        for file in known.measured
    }


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _fail(count: int) -> str:
    return f"{count} test{' fails' if count == 1 else 's fail'}"
