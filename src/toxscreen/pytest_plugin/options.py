"""The options and markers that the plugin adds to pytest, each declared once.

Plain tuples: this file is read at every start of pytest, also where toxscreen is not used.
"""

from __future__ import annotations

from typing import Final

#: flag, attribute of pytest's option namespace, name of its value, help.
CATEGORY: Final = ("--category", "toxscreen_category", "NAME", "Run the tests of this category under its policy.")
REPLAY: Final = (
    "--screen-replay",
    "toxscreen_replay",
    "RUN[:LANE[:NODEID]]",
    "Run exactly what a worker of a recorded run ran, in one process; with NODEID, up to that test.",
)
DIAGNOSE: Final = (
    "--screen-diagnose",
    "toxscreen_diagnose",
    "auto|off",
    "Whether a red run that was random or parallel ends with the reasons of its failures (default: auto).",
)
BALANCE: Final = (
    "--screen-balance",
    "toxscreen_balance",
    "auto|off",
    "Whether tests are handed to workers by how long they took before (default: auto; --dist has the last word).",
)
SHARD: Final = (
    "--screen-shard",
    "toxscreen_shard",
    "I/N",
    "Run the I-th of N parts of the tests, for N machines; 'auto' asks the variables of the CI system.",
)
ALL: Final = (CATEGORY, REPLAY, DIAGNOSE, BALANCE, SHARD)

MARKERS: Final = (
    'allow(*what): let the test do what its category forbids; "network" or "subprocess".',
    "needs(*services): services of [tool.toxscreen.services] that must be up for the test.",
    "alone: nothing else runs while the test does, in no worker and in no environment of `tox -p`.",
    "must_not_raise: the test asserts nothing, it is there to see that nothing is raised.",
    "waits: a benchmark that waits: `toxscreen perf` measures it by the clock on the wall.",
)
#: Markers of the built-in categories, registered even where toxscreen is not used.
CATEGORY_MARKERS: Final = ("unit", "integration", "real_world", "perf")


def category_line(marker: str, category: str) -> str:
    """The line that registers a category's marker with pytest."""
    return f"{marker}: the test belongs to the category {category} of toxscreen."
