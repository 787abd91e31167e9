"""What is judged: evidence of what sources it was made, findings, and the verdicts of gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class State:
    """The sources that something was made from; two equal states are the same sources."""

    #: None without git.
    commit: str | None
    #: Fingerprint of uncommitted changes; None where there are none.
    changes: str | None
    #: Fingerprint of the files that configure tests and tools.
    configuration: str


@dataclass(frozen=True, slots=True)
class Base:
    """The revision that changes are compared with."""

    commit: str
    #: Why this one, for a person.
    source: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between the base and the files as they are."""

    base: Base
    #: New and edited lines of each file, counted from 1; a file of which lines were only removed has none.
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    #: Files that the base does not have, also under another name.
    added: frozenset[str] = frozenset()
    #: Files of which git knows no lines.
    binary: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """What coverage and gates demand at some revision."""

    #: Percent; None where coverage has none.
    floor: float | None
    #: The limits of gates that are written down.
    values: Mapping[str, object]
    #: Where they stand.
    file: str
    #: The revision, for a person.
    source: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an analysis found out, of which sources and when."""

    #: Such as ``coverage`` and ``audit``: the name of its file.
    kind: str
    state: State
    #: Seconds since the epoch.
    time: float
    #: What makes it anew.
    command: tuple[str, ...]
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Missing:
    """Evidence that is not there, or is of other sources."""

    kind: str
    #: The rest of a sentence that begins with the evidence.
    reason: str
    #: What makes it.
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Evidence of something wrong; it never fails a build by itself."""

    slug: str
    subject: str
    message: str
    evidence: str | None = None
    #: A command that shows or mends it.
    remedy: tuple[str, ...] = ()
    #: Relative to the root, with forward slashes.
    file: str | None = None
    line: int | None = None


class Ruling(StrEnum):
    """What a gate decided."""

    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, with the numbers it rests on."""

    gate: str
    ruling: Ruling
    reason: str
    measured: float | None = None
    limit: float | None = None
    numerator: int | None = None
    denominator: int | None = None
    expected_denominator: int | None = None
    findings: tuple[Finding, ...] = ()
    #: Of measured and limit, such as ``%`` and ``s``.
    unit: str = ""
    #: Where the numbers come from.
    source: str = ""
    #: What makes the evidence that lacks, or shows more.
    remedy: tuple[str, ...] = ()
    #: False where nobody has set a limit: the numbers are told, and nothing is judged.
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Measured:
    """What one tool of code quality found, or why nobody knows."""

    tool: str
    command: tuple[str, ...]
    version: str = ""
    #: The files that it looked at, relative to the root.
    files: tuple[str, ...] = ()
    #: For each rule and symbol, as ``RULE FILE:SYMBOL``: how many findings, or how complex.
    values: dict[str, float] = field(default_factory=dict)
    #: The first line of each.
    lines: dict[str, int] = field(default_factory=dict)
    #: Why it could not measure: the rest of a sentence that begins with the tool.
    failure: str = ""
    #: What to do about that.
    remedy: tuple[str, ...] = ()
