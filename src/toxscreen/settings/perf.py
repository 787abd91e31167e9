"""What is compared and how, ``[tool.toxscreen.perf]``: read by ``toxscreen perf``, not by runs of tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from toxscreen.settings.options import Option, seconds, text, texts
from toxscreen.settings.reading import read_table

TABLE: Final = "perf"
#: Percent: a coarser resolution would call almost anything the same.
COARSEST: Final = 50


def resolution(value: object) -> float:
    """A difference in percent."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= COARSEST:
        raise ValueError(f"a number of percent, above 0 and at most {COARSEST}")
    return float(value)


PERF_OPTIONS: Final = {
    option.key: option
    for option in (
        Option("paths", texts, "Folders or files with benchmarks; those of the category perf where not set.", ()),
        Option(
            "install",
            texts,
            "What is installed for each revision, as pip takes it, relative to the revision's folder.",
            (".",),
        ),
        Option("constraints", text, "Constraints file for what is installed, relative to the project's root."),
        Option("against", text, "Revision to compare with; gates.against, then the base of changes, where not set."),
        Option("resolution", resolution, "Percent of the base's time from which on a difference counts.", 3.0),
        Option("budget", seconds, "Seconds that measuring may take.", 300.0),
        Option("options", texts, "Options for pytest, in both revisions.", ()),
        Option("waits", texts, "Patterns of node ids of benchmarks that wait: the clock on the wall counts.", ()),
    )
}


class Perf(NamedTuple):
    """What a project asks of its comparisons."""

    paths: tuple[str, ...]
    install: tuple[str, ...]
    constraints: str | None
    against: str | None
    #: Percent.
    resolution: float
    #: Seconds.
    budget: float
    options: tuple[str, ...]
    waits: tuple[str, ...]


def load_perf(root: Path, environment: Mapping[str, str]) -> Perf:
    """Read the table.

    Args:
        root: the project's root.
        environment: environment variables.

    Raises:
        ToxscreenError: a mistake in it.
        ErrorGroup: several.
    """
    values = read_table(root, environment, TABLE, PERF_OPTIONS)
    return Perf(**{key: values.get(key, option.default) for key, option in PERF_OPTIONS.items()})
