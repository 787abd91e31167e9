"""What pytest collected, as the audit's part in it has written it down."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Collected:
    """One collected test. Files are relative to the root, with forward slashes; absolute where they lie elsewhere."""

    node_id: str
    file: str
    #: With its classes, such as ``TestCart.test_empty``, without parameters.
    name: str
    #: File and first line of the function, which may be that of a base class.
    defined: tuple[str, int] = ("", 0)
    markers: frozenset[str] = frozenset()
    #: Names of all fixtures that it uses, also through other fixtures.
    fixtures: frozenset[str] = frozenset()
    #: Whether it stands for a parametrisation over nothing.
    is_empty: bool = False
    #: Whether it is an async function that nothing awaits.
    is_unawaited: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """All that pytest collected, and what it did not."""

    tests: tuple[Collected, ...]
    #: File or folder and why it could not be imported.
    errors: tuple[tuple[str, str], ...] = ()
    #: Files that ended pytest while they were imported, and what was seen of that.
    exits: tuple[tuple[str, str], ...] = ()
    #: Files that skip themselves, and why.
    skipped: tuple[tuple[str, str], ...] = ()
    #: Files and folders that were left alone, and by what.
    ignored: tuple[tuple[str, str], ...] = ()
    python_files: tuple[str, ...] = ("test_*.py", "*_test.py")
    python_classes: tuple[str, ...] = ("Test",)
    python_functions: tuple[str, ...] = ("test",)
    #: Files and folders in which pytest looked.
    asked: tuple[str, ...] = (".",)
    from_testpaths: bool = False
    #: Names of markers that are registered.
    markers: frozenset[str] = frozenset()
    #: Files of plugins, each conftest.py among them.
    loaded: frozenset[str] = frozenset()
    #: File and name of each class that pytest left alone for its constructor, of its own or of a base.
    constructed: frozenset[tuple[str, str]] = frozenset()
    #: Name and file of each fixture that pytest knows.
    fixtures: frozenset[tuple[str, str]] = frozenset()
    #: What is made of the tests, for looking things up: names by file, and places of functions.
    names: frozenset[tuple[str, str]] = field(init=False)
    places: frozenset[tuple[str, int]] = field(init=False)
    by_file: dict[str, dict[str, list[Collected]]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset((test.file, test.name) for test in self.tests))
        object.__setattr__(self, "places", frozenset(test.defined for test in self.tests))
        by_file: dict[str, dict[str, list[Collected]]] = {}
        for test in self.tests:
            by_file.setdefault(test.file, {}).setdefault(test.name, []).append(test)
        object.__setattr__(self, "by_file", by_file)

    def is_test_file(self, file: str) -> bool:
        """Whether the name of a file is that of a file of tests."""
        return any(fnmatchcase(file if "/" in glob else file.rpartition("/")[2], glob) for glob in self.python_files)

    def is_asked(self, file: str) -> bool:
        """Whether pytest looked where a file lies, as far as its arguments go."""
        return any(each in {".", file} or file.startswith(f"{each}/") for each in self.asked)

    def looks_into(self, file: str) -> bool:
        """Whether pytest looked for tests in a file."""
        return self.is_test_file(file) and self.is_asked(file) and self.ignored_at(file) is None

    def ignored_at(self, file: str) -> tuple[str, str] | None:
        """The file or folder that was left alone with a file in it, and by what."""
        return next(((path, by) for path, by in self.ignored if file == path or file.startswith(f"{path}/")), None)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a class or function has a name as pytest's settings ask for: a beginning, or a pattern."""
    return any(
        name.startswith(each) or (any(sign in each for sign in "*?[") and fnmatchcase(name, each)) for each in patterns
    )


def read(told: Mapping[str, Any], root: Path, exits: Sequence[tuple[str, str]] = ()) -> Collection:
    """A collection from what was written down.

    Args:
        told: the JSON document.
        root: the project's root, resolved.
        exits: files that had to be left out, and why.
    """

    def place(path: str) -> str:
        return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path

    def pairs(key: str) -> tuple[tuple[str, str], ...]:
        return tuple((place(path), text) for path, text in told[key])

    left_out = {file for file, _ in exits}
    return Collection(
        tests=tuple(
            Collected(
                each["node_id"],
                place(each["file"]),
                each["name"],
                (place(each["defined"][0]), each["defined"][1]) if each["defined"][0] else ("", 0),
                frozenset(each["markers"]),
                frozenset(each["fixtures"]),
                each["empty"],
                each["unawaited"],
            )
            for each in told["items"]
        ),
        errors=pairs("errors"),
        exits=tuple(exits),
        skipped=pairs("skipped"),
        ignored=tuple((path, by) for path, by in pairs("ignored") if path not in left_out),
        python_files=tuple(told["python_files"]),
        python_classes=tuple(told["python_classes"]),
        python_functions=tuple(told["python_functions"]),
        asked=tuple(place(os.fspath(path)) for path in told["asked"]),
        from_testpaths=told["from_testpaths"],
        markers=frozenset(told["markers"]),
        loaded=frozenset(place(path) for path in told["loaded"]),
        constructed=frozenset((place(path), name) for path, name in told["constructed"]),
        fixtures=frozenset((name, place(path)) for name, path in told["fixtures"]),
    )
