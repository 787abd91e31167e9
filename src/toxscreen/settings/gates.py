"""The limits of gates, ``[tool.toxscreen.gates]``: read by what judges, not by runs of tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from toxscreen.model import Sourced
from toxscreen.settings.options import Option, number, one_of, percentage, percentages, seconds, text, texts, truth
from toxscreen.settings.perf import resolution
from toxscreen.settings.reading import DEFAULT, FILE, read_table

TABLE: Final = "gates"
#: What of coverage a ratchet keeps, from nothing to each file.
RATCHET_SCOPES: Final = ("off", "total", "files")

#: Tools that count what is wrong with the code.
QUALITY_TOOLS: Final = ("complexity", "lizard", "mypy", "ruff")


def _tools(value: object) -> tuple[str, ...]:
    """A list of such tools, each once."""
    if not isinstance(value, list) or not all(each in QUALITY_TOOLS for each in value):
        raise ValueError("a list of " + ", ".join(f'"{tool}"' for tool in QUALITY_TOOLS))
    return tuple(dict.fromkeys(value))


GATE_OPTIONS: Final = {
    option.key: option
    for option in (
        Option(
            "environments",
            texts,
            "Environments that must have run and measured; where there are none, the categories whose paths exist.",
            (),
        ),
        Option("against", text, "Revision that changes are compared with; the merge base with the default branch."),
        Option("off", texts, "Gates that are not asked; the table names them.", ()),
        Option("coverage", percentage, "Percent of lines and branches together; coverage's fail_under where not set."),
        Option("coverage-branches", percentage, "Percent of branches; not asked where not set."),
        Option("coverage-file", percentage, "Percent that each file has at least; not asked where not set."),
        Option("coverage-packages", percentages, "Percent that each of these packages has at least.", {}),
        Option("coverage-categories", percentages, "Percent that each of these environments covers alone.", {}),
        Option("coverage-changed", percentage, "Percent of the changed lines and branches.", 80.0),
        Option("coverage-exclusive", percentage, "Percent of the lines that just one environment covers, at most."),
        Option("coverage-excluded", number, "Excluded lines that a change may add.", 0),
        Option(
            "coverage-ratchet",
            one_of(*RATCHET_SCOPES),
            'What of coverage may not be lower than on the base: "off", "total", or "files" for each file as well.',
            "off",
        ),
        Option("discovery", number, "What looks like a test and is not collected without a reason, at most.", 0),
        Option("executed-by", texts, "Environments of which at least one test runs each changed function.", ()),
        Option("proves-change", truth, "Whether a changed test has to fail on the source of the base.", default=False),
        Option("no-assertion", number, "Tests that can assert nothing, at most; not asked where not set."),
        Option("suite-budget", seconds, "Seconds that all environments take together.", 300.0),
        Option(
            "may-deselect",
            texts,
            "Who may leave out tests although a run is to be the whole, in the words of the gate runs.",
            (),
        ),
        Option("isolation", number, "Isolation bugs of runs and of the last hunt, at most.", 0),
        Option("hunt-required", truth, "Whether a hunt of these sources has to be there.", default=False),
        Option("stability", number, "Tests whose outcome changed without a change of code, at most.", 0),
        Option(
            "performance", number, "Benchmarks that may be slower than on the base, at most; not asked where not set."
        ),
        Option("performance-resolution", resolution, "Percent; a comparison that is coarser does not count.", 3.0),
        Option("quality", _tools, "Tools whose counts may not grow, for each rule and symbol.", ()),
        Option("quality-lizard", number, "Complexity up to which lizard has nothing to say of a function.", 15),
    )
}

#: What makes a limit weaker: a lower number, a higher one, an entry less or an entry more.
WEAKER: Final[Mapping[str, str]] = {
    "environments": "fewer",
    "off": "more",
    "coverage": "lower",
    "coverage-branches": "lower",
    "coverage-file": "lower",
    "coverage-packages": "lower",
    "coverage-categories": "lower",
    "coverage-changed": "lower",
    "coverage-exclusive": "higher",
    "coverage-excluded": "higher",
    "coverage-ratchet": "narrower",
    "discovery": "higher",
    "executed-by": "fewer",
    "no-assertion": "higher",
    "suite-budget": "higher",
    "isolation": "higher",
    "stability": "higher",
    "performance": "higher",
    "performance-resolution": "higher",
    "quality": "fewer",
    "may-deselect": "more",
    "hunt-required": "lower",
    "proves-change": "lower",
    "quality-lizard": "higher",
}


class Gates(NamedTuple):
    """What gates demand, and where each demand came from."""

    limits: Mapping[str, Sourced[Any]]

    def value(self, key: str) -> Any:
        """The limit of a key of :data:`GATE_OPTIONS`; None where nothing is demanded."""
        return self.limits[key].value


def load_gates(root: Path, environment: Mapping[str, str]) -> Gates:
    """Read the limits of a project.

    Args:
        root: the project's root.
        environment: environment variables.

    Raises:
        ToxscreenError: a mistake in them.
        ErrorGroup: several.
    """
    values = read_table(root, environment, TABLE, GATE_OPTIONS)
    return Gates(
        {
            key: Sourced(values[key], f"{FILE}: gates.{key}") if key in values else Sourced(option.default, DEFAULT)
            for key, option in GATE_OPTIONS.items()
        }
    )
