"""Whose change of process state is it? A fixture that outlives tests may change what it will undo; a test may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Differences = dict[str, tuple[Any, Any]]
Compare = Callable[[Mapping[str, Any], Mapping[str, Any]], Differences]


@dataclass(slots=True)
class Ledger:
    """What the state should be between tests, given the fixtures that are alive.

    Args:
        compare: tells how two states differ, by access path.
        expected: the state before the first test.
    """

    compare: Compare
    expected: dict[str, Any]
    #: What living fixtures changed: name of the fixture to its differences.
    owned: dict[str, Differences] = field(default_factory=dict)
    #: What was reported already and is still so, by access path: the next test is not blamed for it.
    told: dict[str, Any] = field(default_factory=dict)

    def fixture_up(self, fixture: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """A fixture that outlives the test was set up; what it changed is its own until it is torn down."""
        differences = self.compare(before, after)
        if differences:
            self.owned.setdefault(fixture, {}).update(differences)

    def fixture_down(self, fixture: str, now: Mapping[str, Any]) -> Differences:
        """A fixture was torn down.

        Returns:
            What it had changed and did not undo.
        """
        own = self.owned.pop(fixture, None)
        if not own:
            return {}
        left = self.compare(self.expected, now)
        kept = {path: pair for path, pair in left.items() if path in own and own[path][1] == pair[1]}
        self.told.update((path, pair[1]) for path, pair in kept.items())
        return kept

    def test_done(self, now: dict[str, Any]) -> Differences:
        """A test and the fixtures of its own are through.

        Returns:
            What differs from the expectation, belongs to no living fixture and was not told before.
        """
        left = self.compare(self.expected, now)
        owned = {path: pair[1] for own in self.owned.values() for path, pair in own.items()}
        # Told once is told for as long as it stays so, seen or beneath what a living fixture put in its place.
        self.told = {
            path: value
            for path, value in self.told.items()
            if path in owned or (path in left and left[path][1] == value)
        }
        new = {
            path: pair
            for path, pair in left.items()
            if not any(path in excused and excused[path] == pair[1] for excused in (owned, self.told))
        }
        if self.owned:
            self.told.update((path, pair[1]) for path, pair in new.items())
        else:
            self.expected = now
            self.told.clear()
        return new
