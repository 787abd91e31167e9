"""Words for seconds, and for tests and fixtures that took them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from toxscreen.model import Slice, SliceKind

#: So many things are named, the rest is counted.
_NAMED: Final = 3
_TWO_DIGITS: Final = 10
_MILLISECONDS: Final = 0.1


def told(seconds: float) -> str:
    """Seconds for people."""
    if 0 < seconds < _MILLISECONDS:
        return f"{1000 * seconds:.1f} ms"
    return f"{seconds:.2f} s" if seconds < _TWO_DIGITS else f"{seconds:.1f} s"


def listed(things: Sequence[str]) -> str:
    """The first few things, and how many more there are."""
    more = f" and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
    return ", ".join(things[:_NAMED]) + more


def words_of(test: Slice) -> str:
    """A test with its seconds, and the fixture in it that took most of them."""
    dearest = max(fixtures_in(test), key=lambda part: part.seconds, default=None)
    of_it = ""
    if dearest is not None and dearest.seconds > test.seconds / 2:
        of_it = f", {told(dearest.seconds)} of it fixture {fixture_words(dearest.name)}"
    return f"{test.name} ({told(test.seconds)}{of_it})"


def fixture_words(key: str) -> str:
    """A fixture by its name and where it is valid.

    Args:
        key: as in :attr:`toxscreen.model.Case.fixtures`.
    """
    scope, _, name = key.rpartition("|")
    return f"{name} of {scope}" if scope not in {"", "."} else f"{name} of the session"


def fixtures_in(test: Slice) -> Iterable[Slice]:
    """Fixtures of a test; of those that lie in each other the outermost, whose time is that of all."""
    for phase in test.parts:
        yield from (each for each in phase.parts if each.kind is SliceKind.FIXTURE)
