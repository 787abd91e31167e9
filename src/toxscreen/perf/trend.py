"""The ratios of earlier comparisons that nobody objected to, one line each. Shown, never judged."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from toxscreen import host
from toxscreen.model import Change, Comparison
from toxscreen.settings import STATE, state_folder

FILE: Final = "trend.jsonl"
#: Comparisons that are remembered.
_KEPT: Final = 500
_SURE: Final = frozenset({Change.SAME, Change.IMPROVED})


class Step(NamedTuple):
    """One comparison."""

    base: str
    candidate: str
    #: Seconds since the epoch.
    started: float
    #: Candidate's time over base's, by node id.
    ratios: dict[str, float]
    #: Median seconds of the candidate, by node id, where they are known.
    seconds: dict[str, float]


class Chain(NamedTuple):
    """Comparisons of one benchmark of which each begins where the one before ended, up to the last one."""

    node_id: str
    since: str
    until: str
    steps: int
    #: Of the last comparison.
    last: float
    #: Of all of them: their product.
    whole: float
    seconds: float | None


def folder(root: Path) -> Path:
    """Where comparisons keep what is only shown."""
    return root / STATE / "perf"


def make_folder(root: Path) -> Path:
    """The same, made when it is missing.

    Raises:
        OSError: it cannot be made.
    """
    state_folder(root)
    folder(root).mkdir(exist_ok=True)
    return folder(root)


def note(root: Path, comparison: Comparison) -> None:
    """Remember a comparison of two commits in which nothing is slower and nothing is left open.

    Args:
        root: the project's root.
        comparison: any; one of a dirty tree, or that decided nothing for sure, is not remembered.
    """
    base, candidate = comparison.base.commit, comparison.candidate.commit
    is_sure = comparison.complete and comparison.self_check.passed
    accepted = [each for each in comparison.compared if each.change in _SURE and each.interval is not None]
    others = {each.change for each in comparison.compared} - _SURE - {Change.NEW, Change.GONE}
    if base is None or candidate is None or base == candidate or comparison.candidate.dirty:
        return
    if not is_sure or others or not accepted:
        return
    ratios = {each.node_id: each.interval.ratio for each in accepted if each.interval is not None}
    seconds = {each.node_id: each.candidate_seconds for each in accepted if each.candidate_seconds is not None}
    new = Step(base, candidate, comparison.started, ratios, seconds)
    # Made again, a comparison takes the place of the earlier one of the same benchmarks.
    kept = [step for step in read(root) if step[:2] != new[:2] or not step.ratios.keys() <= ratios.keys()]
    _write(root, [*kept, new])


def read(root: Path) -> list[Step]:
    """What is remembered, oldest first; lines that nobody can read are left out."""
    try:
        lines = (folder(root) / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
            entry = json.loads(line)
            commits = (str(entry["base"]), str(entry["candidate"]))
            found.append(Step(*commits, float(entry["started"]), _numbers(entry["ratios"]), _numbers(entry["seconds"])))
    return found


def chains(steps: Sequence[Step]) -> list[Chain]:
    """How each benchmark of the last comparison that has it came to where it is.

    Args:
        steps: oldest first.
    """
    names = dict.fromkeys(name for step in steps for name in step.ratios)
    return [_chain(name, [step for step in steps if name in step.ratios]) for name in sorted(names)]


def _chain(name: str, steps: Sequence[Step]) -> Chain:
    last = first = steps[-1]
    product, count = last.ratios[name], 1
    for step in reversed(steps[:-1]):
        if step.candidate == first.base:
            product, count, first = product * step.ratios[name], count + 1, step
    return Chain(name, first.base, last.candidate, count, last.ratios[name], product, last.seconds.get(name))


def _numbers(entry: dict[str, object]) -> dict[str, float]:
    found = {str(name): float(str(value)) for name, value in entry.items()}
    if not all(math.isfinite(value) and value > 0 for value in found.values()):
        raise ValueError("ratios and seconds are finite and above 0")
    return found


def _write(root: Path, steps: Iterable[Step]) -> None:
    text = "".join(json.dumps(step._asdict()) + "\n" for step in [*steps][-_KEPT:])
    file = folder(root) / FILE
    temporary = file.with_name(f".{FILE}.{host.process_id()}.tmp")
    # It is a convenience: what was measured stands without it.
    with contextlib.suppress(OSError):
        make_folder(root)
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
