"""How long tests will take: what is remembered, and for what is not, what is remembered of their neighbours."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from toxscreen.model import Case, Estimate, History

#: Seconds of a test where nothing at all is remembered.
NOTHING_KNOWN: Final = 0.001


def estimates(cases: Sequence[Case], history: History) -> list[Estimate]:
    """Seconds that each test will take, its fixtures of a wider scope left out.

    A test that nobody remembers takes as long as the median of its file does, else as the median of all.

    Args:
        cases: the tests.
        history: what is remembered.
    """
    remembered = [history.tests.get(case.node_id) for case in cases]
    by_file: dict[str, list[float]] = {}
    for case, known in zip(cases, remembered, strict=True):
        if known is not None:
            by_file.setdefault(case.file, []).append(known.total)
    usual = statistics.median([seconds for each in by_file.values() for seconds in each] or [NOTHING_KNOWN])
    guesses = {file: statistics.median(seconds) for file, seconds in by_file.items()}
    return [
        Estimate(known.total, known=True) if known is not None else Estimate(guesses.get(case.file, usual), known=False)
        for case, known in zip(cases, remembered, strict=True)
    ]
