"""Kinds of values and every option of ``[tool.toxscreen]`` itself, of its categories and services, declared once.

The limits of gates stand in gates.py, for no run of tests needs them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple


class Option(NamedTuple):
    """One setting: how a value is checked, and what it is when nobody says."""

    key: str
    #: Takes the raw value; raises ValueError with the words for "must be ...".
    parse: Callable[[object], Any]
    help: str
    default: object = None
    #: Environment variable that overrides the file.
    variable: str | None = None


# kinds of values


def text(value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("a text that is not empty")
    return value


def texts(value: object) -> tuple[str, ...]:
    """A list of such texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError("a list of texts")
    return tuple(value)


def truth(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def seconds(value: object) -> float:
    """A number of seconds, 0 or more."""
    # The limit is what fits into a float: a whole number of TOML may have any length.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= sys.float_info.max:
        raise ValueError("a number of seconds, 0 or more")
    return float(value)


def workers(value: object) -> str | int:
    """``auto`` or a number of workers."""
    if value == "auto":
        return "auto"
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError('"auto" or a number, 0 or more')
    return value


def count(value: object) -> int:
    """A whole number, 1 or more; also as a text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("a number, 1 or more")
    return value


def percentage(value: object) -> float:
    """A percentage."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise ValueError("a percentage, 0 to 100")
    return float(value)


def number(value: object) -> int:
    """A whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a number, 0 or more")
    return value


def percentages(value: object) -> dict[str, float]:
    """A table of percentages."""
    if not isinstance(value, dict):
        raise ValueError("a table of percentages")
    return {str(name): percentage(each) for name, each in value.items()}


def one_of(*words: str) -> Callable[[object], str]:
    """One of these words."""

    def parse(value: object) -> str:
        if value not in words:
            raise ValueError("one of " + ", ".join(f'"{word}"' for word in words))
        return str(value)

    return parse


CATEGORY_OPTIONS: Final = {
    option.key: option
    for option in (
        Option("paths", texts, "Folders or glob patterns, relative to the root, whose tests belong to the category."),
        Option("markers", texts, "Markers whose tests belong to the category."),
        Option("order", one_of("random", "written"), 'Order of the tests: "random" or "written".'),
        Option("workers", workers, 'Worker processes: "auto" (one a core) or a number; 0 is in-process.'),
        Option("timeout", seconds, "Seconds one test may take, set-up and teardown included; 0 is no limit."),
        Option("budget", seconds, "Seconds the whole category should take."),
        Option("network", one_of("none", "loopback", "any"), "What tests may connect to and bind."),
        Option("subprocesses", truth, "Whether tests may start processes."),
        Option("leaks", one_of("fail", "report", "off"), "What happens when a test leaves process state changed."),
        Option("alone", truth, "Whether a run has the machine to itself wherever cores are shared, as by `tox -p`."),
    )
}

TOP_OPTIONS: Final = {
    option.key: option
    for option in (
        Option(
            "default-category",
            text,
            "Category of tests that neither a marker nor a path puts into one.",
            None,
            "TOXSCREEN_DEFAULT_CATEGORY",
        ),
        Option("retention", count, "How many recorded runs are kept.", 100, "TOXSCREEN_RETENTION"),
        Option(
            "diagnose",
            one_of("auto", "off"),
            'Whether a red run that was random or parallel ends with the reasons of its failures: "auto" or "off".',
            "auto",
            "TOXSCREEN_DIAGNOSE",
        ),
        Option(
            "diagnose-budget",
            seconds,
            "Seconds that a diagnosis may take; 0 is 60, or a tenth of the run's where that is more.",
            0.0,
        ),
        Option(
            "balance",
            one_of("auto", "off"),
            'Whether workers get tests by how long these took before: "auto" (unless --dist is given) or "off".',
            "auto",
            "TOXSCREEN_BALANCE",
        ),
        Option(
            "freeze",
            truth,
            "Whether Python's garbage collector leaves what collecting the tests made alone.",
            default=True,
        ),
    )
}

SERVICE_OPTIONS: Final = {
    option.key: option
    for option in (
        Option("check", text, "A URL, host:port or command that tells whether the service is up."),
        Option("start", text, "Command that starts it."),
        Option("stop", text, "Command that stops it; without it, what start began is ended."),
    )
}
