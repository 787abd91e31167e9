"""What gates read of a comparison: evidence of one that compared all benchmarks and came to its end."""

from __future__ import annotations

from pathlib import Path

from toxscreen import host
from toxscreen.analysis import evidence
from toxscreen.cli import perf_page
from toxscreen.errors import EvidenceError
from toxscreen.gates.performance import COMMAND, KIND, comparisons
from toxscreen.model import Comparison, Evidence, State


def keep(root: Path, comparison: Comparison, made_from: State) -> tuple[str, ...]:
    """Write the evidence, beside that of other interpreters for the same sources.

    Args:
        root: the project's root.
        comparison: a whole one, of all benchmarks that the settings name.
        made_from: the sources before it began.

    Returns:
        What to tell of it.
    """
    old = evidence.read(root, KIND, made_from, COMMAND)
    others = comparisons(old) if isinstance(old, Evidence) else {}
    found: dict[str, object] = {"comparisons": others | {host.interpreter(): perf_page.data(comparison)}}
    try:
        file = evidence.write(root, KIND, found, COMMAND, made_from)
    except EvidenceError as error:
        return (f"no evidence for gates: {error.render()}",)
    return (f"evidence: {file.relative_to(root).as_posix()}",)
