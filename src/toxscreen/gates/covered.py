"""Evidence of kind ``coverage`` as nouns: what ran of each file, and what each environment ran alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from toxscreen.gates.lines import Jump, read_jumps, read_lines, read_spans
from toxscreen.model import Evidence, Missing

KIND: Final = "coverage"
#: Percent.
_WHOLE: Final = 100
_MOST_DIGITS: Final = 100


@dataclass(frozen=True, slots=True)
class Ran:
    """What ran of a file."""

    lines: frozenset[int]
    jumps: frozenset[Jump]


@dataclass(frozen=True, slots=True)
class Source:
    """A source file."""

    name: str
    ran: Ran
    missing: Ran
    excluded: frozenset[int]
    #: First and last lines of the statements that have more than one, without their bodies.
    spans: tuple[tuple[int, int], ...]
    #: Whether any environment knew the file.
    measured: bool = True

    @property
    def statements(self) -> frozenset[int]:
        """The first lines of all statements."""
        return self.ran.lines | self.missing.lines

    @property
    def jumps(self) -> frozenset[Jump]:
        """All branches."""
        return self.ran.jumps | self.missing.jumps

    @property
    def covered(self) -> int:
        """Statements and branches that ran."""
        return len(self.ran.lines) + len(self.ran.jumps)

    @property
    def countable(self) -> int:
        """All statements and branches."""
        return len(self.statements) + len(self.jumps)


@dataclass(frozen=True, slots=True)
class Before:
    """What the base had."""

    commit: str
    #: Lines that no measurement counted, by file.
    excluded: Mapping[str, int]
    #: Files that the base measured and this configuration leaves out, each with its statements.
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Covered:
    """One combined measurement."""

    files: tuple[Source, ...]
    #: What each environment ran of each file.
    alone: Mapping[str, Mapping[str, Ran]]
    fail_under: float
    precision: int
    #: Entries of ``source`` and ``source_pkgs`` that name nothing here.
    absent: tuple[str, ...]
    #: Files that were imported before coverage began, and are measured in part.
    late: tuple[str, ...]
    #: In words why there is none, where there is none.
    before: Before | str
    made_by: tuple[str, ...]

    @property
    def measured(self) -> tuple[Source, ...]:
        """The files that are in the data."""
        return tuple(file for file in self.files if file.measured)

    @property
    def never(self) -> dict[str, int]:
        """The files that are not, each with what could have run in it."""
        return {file.name: file.countable for file in self.files if not file.measured}


def read(evidence: Evidence) -> Covered | Missing:
    """What evidence says; what cannot be understood is missing."""
    try:
        data: Mapping[str, Any] = evidence.data
        files = [_source(name, entry) for name, entry in data["files"].items()]
        files += [_source(name, entry, measured=False) for name, entry in data["never"].items()]
        alone = {
            each["name"]: {name: _ran(entry, "ran", "jumped") for name, entry in each["files"].items()}
            for each in data["environments"]
        }
        floor, precision = float(data["fail_under"]), int(data["precision"])
        if not 0 <= floor <= _WHOLE or not 0 <= precision <= _MOST_DIGITS:
            raise ValueError(f"a floor of {floor} with {precision} digits")
        return Covered(
            tuple(files),
            alone,
            floor,
            precision,
            tuple(map(str, data["absent"])),
            tuple(map(str, data["late"])),
            _before(data["base"]),
            evidence.command,
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        return Missing(KIND, f"cannot be understood ({type(error).__name__}: {error})", evidence.command)


def sums(files: Iterable[Source]) -> tuple[int, int]:
    """Statements and branches that ran, and all of them."""
    known = tuple(files)
    return sum(file.covered for file in known), sum(file.countable for file in known)


def _source(name: str, entry: Mapping[str, str], *, measured: bool = True) -> Source:
    excluded = read_lines(entry["excluded"])
    ran, missing = _ran(entry, "ran", "jumped"), _ran(entry, "missing", "untaken")
    return Source(name, ran, missing, excluded, read_spans(entry["spans"]), measured)


def _ran(entry: Mapping[str, str], lines: str, jumps: str) -> Ran:
    return Ran(read_lines(entry[lines]), read_jumps(entry[jumps]))


def _before(entry: Mapping[str, Any]) -> Before | str:
    if "error" in entry:
        return str(entry["error"])
    excluded, left_out = ({str(name): int(count) for name, count in entry[key].items()} for key in _COUNTS)
    return Before(str(entry["commit"]), excluded, left_out)


_COUNTS: Final = ("excluded", "left_out")
