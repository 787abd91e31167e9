"""What is required of tests: the functions that they have to run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method in a source text."""

    #: Qualified: classes and functions around it and itself, with dots.
    name: str
    #: First line, decorators included, and last line, counted from 1.
    first: int
    last: int
    #: Lines of the statements that run when it is called; those of functions inside it are theirs. Nothing where there
    #: is no statement but a docstring or ``...``.
    body: frozenset[int]
    #: Whether a body stands on the line of its ``def``, which runs when the file is imported.
    shares_line: bool = False


@dataclass(frozen=True, slots=True)
class ChangedFunctions:
    """The functions of one source file that differ from the base."""

    #: Relative to the root, with forward slashes.
    file: str
    functions: tuple[Function, ...]
    #: Why they are not known, in words: the file has no valid syntax.
    problem: str = ""
