"""What went wrong with a test: where it failed, and what it left changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """One link of a failure: which exception was raised, and in which line."""

    exception: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Identity of a failure. Two failures are the same bug when their origins are equal.

    The idea of comparing exception type, place and causes is that of Hypothesis' InterestingOrigin.
    """

    exception: str
    file: str
    line: int
    #: What it was raised from, nearest first.
    causes: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Leak:
    """A piece of process state that a test, or a fixture it used, left changed."""

    #: What leaked, with its access path, such as ``os.environ['DEBUG']``.
    what: str
    before: str
    after: str
    #: The node id or the fixture (with its scope) that left it.
    blamed: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before} -> {self.after}"
