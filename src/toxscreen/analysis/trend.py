"""The totals of earlier commits, one line each: whether coverage grew or shrank. Never a gate."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from toxscreen import host
from toxscreen.analysis import stamp
from toxscreen.gates.percent import difference
from toxscreen.model import Base, State, Verdict

FILE: Final = "trend.jsonl"
#: Commits that are remembered.
_KEPT: Final = 200


class Total(NamedTuple):
    """What was measured at a commit."""

    commit: str
    environments: tuple[str, ...]
    covered: int
    countable: int


def note(
    root: Path, state: State, environments: Sequence[str], verdict: Verdict, *, precision: int, base: Base | None
) -> list[str]:
    """Compare the total with that of the base, or of the last commit that was measured; and remember this one.

    Only totals of the same environments are compared, and only what has no uncommitted changes is remembered.

    Args:
        root: the project's root.
        state: the sources that were measured.
        environments: names of those that were combined.
        verdict: on the total.
        precision: digits after the point.
        base: what changes are compared with.

    Returns:
        A line for a person, or nothing to tell.
    """
    now = (verdict.numerator or 0, verdict.denominator or 0)
    known = [total for total in read(root) if total.countable]
    alike = [total for total in known if set(total.environments) == set(environments) and total.commit != state.commit]
    at_base = [total for total in alike if base is not None and total.commit == base.commit]
    if state.commit is not None and state.changes is None:
        new = Total(state.commit, tuple(environments), *now)
        _write(root, [total for total in known if _key(total) != _key(new)] + [new])
    elif state.commit is not None and base is not None and base.commit == state.commit:
        at_base = [
            total for total in known if total.commit == base.commit and set(total.environments) == set(environments)
        ]
    if not at_base and not alike:
        return []
    old = (at_base or alike)[-1]
    since = f"since {old.commit[:12]}" + (" (the base)" if at_base else " (measured last)")
    return [f"trend: {difference(now, (old.covered, old.countable), precision)} {since}"]


def read(root: Path) -> list[Total]:
    """The totals that are remembered, oldest first; lines that nobody can read are left out."""
    try:
        lines = (stamp.folder(root) / FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            entry = json.loads(line)
            numbers = (int(entry["covered"]), int(entry["countable"]))
            found.append(Total(str(entry["commit"]), tuple(map(str, entry["environments"])), *numbers))
    return found


def _key(total: Total) -> tuple[str, frozenset[str]]:
    return total.commit, frozenset(total.environments)


def _write(root: Path, totals: Sequence[Total]) -> None:
    text = "".join(json.dumps(total._asdict()) + "\n" for total in totals[-_KEPT:])
    file = stamp.folder(root) / FILE
    temporary = file.with_name(f".{FILE}.{host.process_id()}.tmp")
    # It is a convenience: what was measured stands without it.
    with contextlib.suppress(OSError):
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
