"""How far environments are, one line each, for somebody who waits for them."""

from __future__ import annotations

from collections.abc import Sequence

from toxscreen.model import Progress


def progress_lines(environments: Sequence[Progress]) -> list[str]:
    """One line for each environment that runs, with columns below each other."""
    names = max((len(each.name) for each in environments), default=0)
    stages = max((len(each.stage) for each in environments), default=0)
    return [
        f"{each.name:<{names}}  {each.stage:<{stages}}  {each.seconds:5.0f} s  {_counted(each)}".rstrip()
        for each in environments
    ]


def still_running(environments: Sequence[Progress]) -> str:
    """All that run in one line, for a log."""
    told = (f"{each.name} ({_counted(each) or each.stage})" for each in environments)
    return f"still running: {', '.join(told)}"


def begun(name: str) -> str:
    """That an environment was begun."""
    return f"{name}: started"


def ended(environment: Progress, ending: str) -> str:
    """How an environment ended.

    Args:
        environment: as it was at the end.
        ending: in a word.
    """
    counted = _counted(environment)
    return f"{environment.name}: {ending} after {environment.seconds:.1f} s{': ' if counted else ''}{counted}"


def _counted(environment: Progress) -> str:
    """Tests, as far as any are known of."""
    done, total = environment.done, environment.total
    if not total:
        return ""
    tests = f"{done} of {_many(total, 'test')}" if done != total else _many(total, "test")
    return f"{tests}, {environment.failed} failed, {_many(environment.workers, 'worker')}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
