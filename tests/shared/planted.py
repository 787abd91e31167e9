"""Suites with known bugs, made by chance, and a model that knows what any sequence of their tests does.

Each suite has files, a module of state and names of its own, so that many of them make one project, and one hunt goes
through all. `judged.py` holds what the hunt says against the model.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

#: Keys that are set.
State: TypeAlias = frozenset[str]
#: Keys that are set (True) and keys that are not (False), all at once.
Clause: TypeAlias = tuple[tuple[str, bool], ...]

#: How a piece of state is read, set and cleared, by where it is.
_STORES = {
    "dict": ("{key!r} in {module}.KEPT", "{module}.KEPT[{key!r}] = 1", "{module}.KEPT.pop({key!r}, None)"),
    "set": ("{key!r} in {module}.SEEN", "{module}.SEEN.add({key!r})", "{module}.SEEN.discard({key!r})"),
    "module": ("{module}.{key}", "{module}.{key} = True", "{module}.{key} = False"),
    "class": ("{module}.Shelf.{key}", "{module}.Shelf.{key} = True", "{module}.Shelf.{key} = False"),
    "environment": ("{key!r} in os.environ", "os.environ[{key!r}] = '1'", "os.environ.pop({key!r}, None)"),
}
_FOODS = ("flour", "sugar", "salt", "yeast", "butter", "honey", "barley", "pepper", "thyme", "sesame")
#: How many tests a file has.
_LEAST, _MOST = 4, 8


@dataclass(frozen=True, slots=True)
class Change:
    """Sets a key or clears it."""

    key: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Borrow:
    """Changes a key and restores it."""

    key: str


@dataclass(frozen=True, slots=True)
class Check:
    """Fails when any of the clauses holds. The empty clause always does."""

    clauses: tuple[Clause, ...]

    def fails(self, state: State) -> bool:
        return any(all((key in state) is on for key, on in clause) for clause in self.clauses)


Step: TypeAlias = Change | Borrow | Check
FAILS = Check(((),))


@dataclass(frozen=True, slots=True)
class Planted:
    """A test: what it does, step by step."""

    node_id: str
    steps: tuple[Step, ...]
    #: The line of each step in the file.
    lines: tuple[int, ...]

    def run(self, state: State) -> tuple[State, int | None]:
        """What it leaves behind, and the line at which it failed, if it did."""
        for step, line in zip(self.steps, self.lines, strict=True):
            if isinstance(step, Check) and step.fails(state):
                return state, line
            if isinstance(step, Change):
                state = state | {step.key} if step.on else state - {step.key}
        return state, None

    @property
    def keys(self) -> set[str]:
        """What its outcome depends on."""
        checks = (step for step in self.steps if isinstance(step, Check))
        return {key for check in checks for clause in check.clauses for key, _ in clause}


class Maker:
    """One suite in the making.

    Args:
        number: the suite's; it is part of every name in it.
        chance: what is left to chance.
    """

    def __init__(self, number: int, chance: random.Random) -> None:
        self.chance = chance
        self.tests: list[tuple[Step, ...]] = []
        self._number = number
        self._module = f"state_{number}"
        self._stores: dict[str, str] = {}

    def key(self) -> str:
        """A piece of state that nobody uses yet."""
        key = f"{_FOODS[len(self._stores)]}_{self._number}"
        self._stores[key] = self.chance.choice(list(_STORES))
        return key

    def keys(self, count: int) -> list[str]:
        return [self.key() for _ in range(count)]

    def add(self, *steps: Step) -> None:
        """Add a test."""
        self.tests.append(steps)

    def written(self) -> tuple[dict[str, str], list[Planted]]:
        """The files, and their tests; harmless tests are added first."""
        files = self.chance.randint(1, 2) if len(self.tests) <= _MOST else 2
        self._fill(max(len(self.tests), sum(self.chance.randint(_LEAST, _MOST) for _ in range(files))))
        self.chance.shuffle(self.tests)
        texts = {f"{self._module}.py": self._state()}
        planted: list[Planted] = []
        for place in range(files):
            name = f"tests/unit/test_{self._number}_{place}.py"
            texts[name], tests = self._file(name, self.tests[place::files])
            planted += tests
        return texts, planted

    def _fill(self, tests: int) -> None:
        idle = self.key()
        known = list(self._stores)
        while len(self.tests) < tests:
            never = Check((((self.chance.choice(known), True), (idle, True), (idle, False)),))
            borrow = Borrow(self.chance.choice(known))
            harmless: list[Step] = [borrow, never, Change(idle), Change(idle, on=False)]
            self.add(self.chance.choice(harmless))

    def _state(self) -> str:
        lines = ["KEPT = {}", "SEEN = set()", *(f"{key} = False" for key in self._stored_in("module"))]
        lines += ["class Shelf:", "    pass", *(f"    {key} = False" for key in self._stored_in("class"))]
        return "\n".join(lines) + "\n"

    def _stored_in(self, store: str) -> list[str]:
        return [key for key, where in self._stores.items() if where == store]

    def _file(self, name: str, tests: Sequence[tuple[Step, ...]]) -> tuple[str, list[Planted]]:
        lines = ["import os", f"import {self._module}"]
        in_class = self.chance.random() < 1 / 4
        if in_class:
            lines.append("class TestAll:")
        indent, argument, owner = ("    ", "self", "TestAll::") if in_class else ("", "", "")
        planted = []
        for number, steps in enumerate(tests):
            lines.append(f"{indent}def test_{number}({argument}):")
            places = []
            for step in steps:
                places.append(len(lines) + 1)
                lines += [f"{indent}    {line}" for line in self._code(step)]
            planted.append(Planted(f"{name}::{owner}test_{number}", steps, tuple(places)))
        return "\n".join(lines) + "\n", planted

    def _code(self, step: Step) -> list[str]:
        if isinstance(step, Check):
            clauses = (
                " and ".join(f"({self._access(key)[0]}) is {on}" for key, on in clause) or "True"
                for clause in step.clauses
            )
            return [f"assert not ({' or '.join(clauses)})"]
        is_set, sets, clears = self._access(step.key)
        if isinstance(step, Change):
            return [sets if step.on else clears]
        return [f"if {is_set}:", f"    {clears}", f"    {sets}", "else:", f"    {sets}", f"    {clears}"]

    def _access(self, key: str) -> list[str]:
        return [code.format(key=key, module=self._module) for code in _STORES[self._stores[key]]]


# the bugs


def _none(_: Maker) -> None:
    """Nothing is wrong."""


def _victim(suite: Maker, together: int = 1, ways: int = 1) -> list[str]:
    """A victim whose polluters must act together, each of them in one or in several tests."""
    keys = suite.keys(together)
    suite.add(Check((tuple((key, True) for key in keys),)))
    for key in keys * ways:
        suite.add(Change(key))
    return keys


def _cleaned(suite: Maker) -> None:
    """A victim, and tests that clean up after its polluters."""
    for key in _victim(suite, suite.chance.randint(1, 2), suite.chance.randint(1, 2)):
        suite.add(Change(key, on=False))


def _brittle(suite: Maker, together: int = 1, ways: int = 1) -> list[str]:
    """A test that leans on others."""
    keys = suite.keys(together)
    suite.add(Check(tuple(((key, False),) for key in keys)))
    for key in keys * ways:
        suite.add(Change(key))
    return keys


def _brittle_cleaned(suite: Maker) -> None:
    """A test that leans on another, whose work is undone by a third."""
    (key,) = _brittle(suite)
    suite.add(Change(key, on=False))


def _brittle_in_steps(suite: Maker) -> None:
    """A test that fails in one way, then in another, without one of two others."""
    one, other = suite.keys(2)
    suite.add(Check((((one, False),),)), Check((((other, False),),)))
    suite.add(Change(one))
    suite.add(Change(other))


def _self_polluting(suite: Maker) -> None:
    """A test that fails the second time."""
    key = suite.key()
    suite.add(Check((((key, True),),)), Change(key))


def _deterministic(suite: Maker) -> None:
    """A test that always fails."""
    suite.add(FAILS)


def _failed_polluter(suite: Maker) -> None:
    """A test that always fails, and breaks another before it does."""
    key = suite.key()
    suite.add(Change(key), FAILS)
    suite.add(Check((((key, True),),)))


def _two_victims(suite: Maker) -> None:
    """One polluter, two victims."""
    one, other = suite.keys(2)
    suite.add(Change(one), Change(other))
    suite.add(Check((((one, True),),)))
    suite.add(Check((((other, True),),)))


def _either(suite: Maker, *, in_two_ways: bool = False) -> None:
    """A victim that either of two breaks."""
    one, other = suite.keys(2)
    clauses: list[Clause] = [((one, True),), ((other, True),)]
    suite.add(*(Check((each,)) for each in clauses)) if in_two_ways else suite.add(Check(tuple(clauses)))
    suite.add(Change(one))
    suite.add(Change(other))


def _chain(suite: Maker) -> None:
    """A victim of a polluter that is a victim itself: broken, it harms nobody."""
    first, second = suite.keys(2)
    suite.add(Change(first))
    suite.add(Check((((first, True),),)), Change(second))
    suite.add(Check((((second, True),),)))


def _shielded(suite: Maker) -> None:
    """A victim that another test shields from its polluter, whichever of them comes first."""
    bad, good = suite.keys(2)
    suite.add(Check((((bad, True), (good, False)),)))
    suite.add(Change(bad))
    suite.add(Change(good))


BUGS: dict[str, Callable[[Maker], object]] = {
    "none": _none,
    "one polluter": _victim,
    "two polluters together": lambda suite: _victim(suite, together=2),
    "three polluters together": lambda suite: _victim(suite, together=3),
    "alternative polluters": lambda suite: _victim(suite, ways=3),
    "alternatives of two together": lambda suite: _victim(suite, together=2, ways=2),
    "cleaners": _cleaned,
    "brittle": _brittle,
    "brittle, alternatives": lambda suite: _brittle(suite, ways=2),
    "brittle, two state-setters together": lambda suite: _brittle(suite, together=2),
    "brittle, in steps": _brittle_in_steps,
    "brittle, cleaners": _brittle_cleaned,
    "self-polluting": _self_polluting,
    "deterministic": _deterministic,
    "failed polluter": _failed_polluter,
    "two victims": _two_victims,
    "either": _either,
    "either, in two ways": lambda suite: _either(suite, in_two_ways=True),
    "chain": _chain,
    "shielded": _shielded,
}


def suite(number: int, seed: int, kind: str | None = None) -> tuple[str, dict[str, str], list[Planted]]:
    """A suite.

    Args:
        number: from 0 on; part of every name in it.
        seed: decides, with the number, what is left to chance.
        kind: of bug, a name of `BUGS`; None: by the number, so that all kinds come in turn.

    Returns:
        The kind of bug, the files, and what their tests do.
    """
    chance = random.Random(f"suite {number} of {seed}")
    kind = kind or list(BUGS)[number % len(BUGS)]
    maker = Maker(number, chance)
    BUGS[kind](maker)
    return kind, *maker.written()
