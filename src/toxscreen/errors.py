"""One tree of errors, each with a stable slug, the place it is about and what to do; and the exit statuses.

Every slug has a paragraph in docs/messages.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple


class Exit(IntEnum):
    """Exit statuses of every command and of a categorised pytest run."""

    CLEAN = 0
    #: A finding, a red test or a gate against you.
    FOUND = 1
    #: Could not judge: bad configuration, missing evidence, internal error.
    UNJUDGED = 2
    INTERRUPTED = 130


class Place(NamedTuple):
    """Where a problem is: a file, a key in it, a line; all optional."""

    file: str | None = None
    key: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = self.file or ""
        if where and self.line is not None:
            where += f":{self.line}"
        return ": ".join(part for part in (where, self.key) if part)


class ToxscreenError(Exception):
    """Something toxscreen cannot work with.

    Args:
        message: what is wrong, in the vocabulary of the user's files.
        place: where it is.
        hint: what to do about it.
    """

    slug = "error"
    exit_status = Exit.UNJUDGED

    def __init__(self, message: str, *, place: Place | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place or Place()
        self.hint = hint

    def render(self) -> str:
        """The error as lines for a person: place, message, slug, then the hint."""
        where = str(self.place)
        line = f"{where}: {self.message} [{self.slug}]" if where else f"{self.message} [{self.slug}]"
        return f"{line}\n  {self.hint}" if self.hint else line

    def __str__(self) -> str:
        return self.render()


class ConfigError(ToxscreenError):
    """A setting that cannot be used."""

    slug = "config-invalid"


class UnknownKeyError(ConfigError):
    """A key or a name that does not exist."""

    slug = "config-unknown-key"


class UnknownCategoryError(ConfigError):
    """A category nobody declared."""

    slug = "category-unknown"


class UnmatchedPathError(ConfigError):
    """A ``paths`` entry that matches nothing."""

    slug = "config-unmatched-path"


class CategoryConflictError(ToxscreenError):
    """A test that belongs to two categories."""

    slug = "category-conflict"


class NoCategoryError(ToxscreenError):
    """A test that belongs to no category."""

    slug = "category-missing"


class MarkerError(ToxscreenError):
    """A marker of ours with arguments it does not take."""

    slug = "marker-invalid"


class NothingRanError(ToxscreenError):
    """A run in which no test was selected."""

    slug = "nothing-ran"


class UnknownRunError(ToxscreenError):
    """A run, a lane or a node id that no journal knows."""

    slug = "run-unknown"


class CorruptJournalError(ToxscreenError):
    """A journal file that cannot be read."""

    slug = "journal-corrupt"


class ReplayError(ToxscreenError):
    """A recorded order that cannot be run again."""

    slug = "replay-impossible"


class ShardError(ToxscreenError):
    """A part of the tests that cannot be told from what was asked."""

    slug = "shard-invalid"


class MergeError(ToxscreenError):
    """A folder in which there is nothing to merge, or results that cannot be joined."""

    slug = "merge-impossible"


class CoverageEvidenceError(ToxscreenError):
    """Coverage data that is absent, foreign or stale."""

    slug = "coverage-evidence"


class CoverageDataError(ToxscreenError):
    """Coverage data or configuration that coverage itself cannot use."""

    slug = "coverage-unusable"


class AuditError(ToxscreenError):
    """A suite of which nobody can say what it lacks."""

    slug = "audit-impossible"


class EvidenceError(ToxscreenError):
    """Evidence for a gate that cannot be written."""

    slug = "evidence-unwritable"


class BenchmarkFileError(ToxscreenError):
    """A file that should hold results of benchmarks."""

    slug = "benchmarks-unreadable"


class BaseError(ToxscreenError):
    """A revision to compare with that is not there."""

    slug = "base-missing"


class PlaceError(ToxscreenError):
    """A folder for one of two revisions that cannot be made."""

    slug = "perf-place-unusable"


class BuildError(ToxscreenError):
    """A revision whose environment cannot be built."""

    slug = "perf-build-failed"


class MissingToolError(ToxscreenError):
    """Something that has to be installed first."""

    slug = "tool-missing"


class ServiceError(ToxscreenError):
    """A service that tests need and that is not there."""

    slug = "service-unavailable"


class HuntError(ToxscreenError):
    """A suite through which nobody can hunt."""

    slug = "hunt-impossible"


class ExitWhileCollectingError(HuntError):
    """A test file that ends pytest when it is imported.

    Args:
        message: what happened.
        file: the file, relative to pytest's root.
        status: pytest's exit status.
        place: where it is.
        hint: the end of what pytest printed.
    """

    slug = "hunt-import-exit"

    def __init__(self, message: str, *, file: str, status: int, place: Place, hint: str) -> None:
        super().__init__(message, place=place, hint=hint)
        self.file = file
        self.status = status


class FindingsError(ToxscreenError):
    """A file that should hold what an earlier hunt found."""

    slug = "findings-unusable"


class BenchmarksError(ToxscreenError):
    """Benchmarks that pytest cannot collect in one of two revisions."""

    slug = "perf-not-collected"


class ReportError(ToxscreenError):
    """A file for a report that cannot be written."""

    slug = "report-unwritable"


class ErrorGroup(ToxscreenError):  # noqa: N818 - the plural of an error
    """Several errors that were found together and are told together."""

    slug = "errors"

    def __init__(self, errors: Sequence[ToxscreenError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = tuple(errors)

    def render(self) -> str:
        """Every error, one after the other."""
        return "\n".join(error.render() for error in self.errors)


class PolicyViolation(PermissionError):  # noqa: N818 - it is raised inside a test's own code, as a verdict on a call
    """A call that the category of the running test does not allow.

    It is raised in the offending line by the audit hook. It is no ToxscreenError: nothing is wrong with toxscreen's
    input, the test did what it must not. It is an OSError, so that the code under test cleans up as it does when the
    system refuses: a socket that is not closed would warn in a later, innocent test.
    """


def raise_together(errors: Iterable[ToxscreenError]) -> None:
    """Raise nothing, the one error, or all of them as one group.

    Raises:
        ToxscreenError: the only error.
        ErrorGroup: more than one error.
    """
    found = list(errors)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ErrorGroup(found)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or lists them all.

    Args:
        name: what was written.
        known: what exists.
    """
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    listed = ", ".join(names)
    return f"did you mean {near[0]!r}? known: {listed}" if near else f"known: {listed}"
