"""What looks like a test, held against what was collected: what is lost, each with the reason. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from toxscreen.analysis.discovery import inside
from toxscreen.analysis.discovery.collection import Collection
from toxscreen.analysis.discovery.looks import Look, Source
from toxscreen.analysis.discovery.names import Spoken
from toxscreen.model import Finding

_STRICT: Final = re.compile(r"'([^']+)' not found in `markers` configuration option")
_TESTISH: Final = re.compile(r"(?:^|[_-])tests?(?:[_-]|$)|^test|tests?$", re.IGNORECASE)
#: Begins what pytest says of a file that calls ``pytest.exit()``; older versions end there.
_EXIT: Final = "_pytest.outcomes.Exit"
#: What is said of a file that has the base name of another one.
MISMATCH: Final = "import file mismatch"


class Found(NamedTuple):
    """A finding, and how many functions that look like tests are lost by it."""

    finding: Finding
    tests: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing."""

    found: tuple[Found, ...]
    #: Functions that look like tests and were collected.
    collected: int
    #: Files that skip themselves when they are imported, why, and how many functions in them look like tests.
    skipped: tuple[tuple[str, str, int], ...]


def compare(sources: Mapping[str, Source], collection: Collection) -> Comparison:
    """Hold the files of a project against what was collected of them.

    Args:
        sources: what is in each file, by its path relative to the root.
        collection: what pytest collected without asking for a category.
    """
    comparing = _Comparing(sources, collection)
    found = list(comparing.unimported())
    collected = 0
    skipped = dict(collection.skipped)
    for file, source in sources.items():
        if file in comparing.broken or source.is_off:
            continue
        if file in skipped:
            continue
        tests = [each for each in source.tests if comparing.is_collected(file, each)]
        collected += len(tests)
        if tests or comparing.is_visited(file):
            found.extend(Found(*each) for each in inside.look_inside(file, source, collection, comparing.words))
    found.extend(comparing.unvisited())
    found.extend(comparing.misnamed())
    left = tuple((file, why, comparing.count(file)) for file, why in sorted(skipped.items()))
    return Comparison(tuple(sorted(found, key=_order)), collected, left)


def _order(found: Found) -> tuple[str, str, int, str]:
    finding = found.finding
    return finding.slug, finding.file or "", finding.line or 0, finding.subject


class _Comparing:
    def __init__(self, sources: Mapping[str, Source], collection: Collection) -> None:
        self.sources = sources
        self.collection = collection
        self.words = all_words(sources)
        self.fixtures = {name for name, _ in collection.fixtures}.union(
            *(source.fixture_names for source in sources.values())
        )
        #: Files that could not be imported, also those of a folder that could not be.
        self.broken = {
            file
            for path, _ in (*collection.errors, *collection.exits)
            for file in sources
            if file == path or (file.startswith(f"{path}/") and not self.has_collected(file))
        }

    def has_collected(self, file: str) -> bool:
        return any(self.is_collected(file, each) for each in self.sources[file].tests)

    def is_collected(self, file: str, test: Look) -> bool:
        return (file, test.name) in self.collection.names or (file, test.first) in self.collection.places

    def is_visited(self, file: str) -> bool:
        """Whether pytest looked for tests in a file."""
        if file.endswith("conftest.py"):
            return file in self.collection.loaded
        return self.collection.looks_into(file)

    def count(self, file: str) -> int:
        source = self.sources.get(file)
        return sum(each.is_named for each in source.tests) if source else 0

    def unimported(self) -> Iterator[Found]:
        """Files that failed, or ended pytest, when they were imported."""
        for path, text in self.collection.exits:
            message = f"ends pytest when it is imported ({text})"
            yield Found(Finding("import-exits", path, message, file=path), self.count(path))
        for path, text in self.collection.errors:
            marker = _STRICT.search(text)
            count = sum(self.count(file) for file in self.broken if file == path or file.startswith(f"{path}/"))
            if marker:
                told = f"the marker {marker[1]!r} is registered nowhere, so that the file is not collected"
                source = self.sources.get(path)
                line = source.marks.get(marker[1]) if source else None
                yield Found(Finding("unregistered-marker", f"{path}::{marker[1]}", told, file=path, line=line), count)
            elif MISMATCH in text:
                told = "another file has the same base name, and neither lies in a package"
                yield Found(Finding("duplicate-basename", path, told, file=path), count)
            elif text.startswith(_EXIT):
                told = "calls pytest.exit() when it is imported"
                yield Found(Finding("import-exits", path, told, file=path), count)
            else:
                told = f"cannot be imported: {text}" if text else "cannot be imported"
                yield Found(Finding("import-fails", path, told, file=path), count)

    def probable(self, file: str) -> int:
        """How many functions of a file that pytest did not read are surely meant as tests."""
        source = self.sources[file]
        if source.is_off:
            return 0
        off = {each.name for each in source.holders if each.is_off}
        return sum(
            each.is_named
            and each.asserts
            and each.holder not in off
            and self.fixtures.issuperset(each.needs)
            and each.name.rpartition(".")[2] not in self.words.used
            for each in source.tests
        )

    def unvisited(self) -> Iterator[Found]:
        """Files with the name of a file of tests in which pytest did not look."""
        lost: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
        for file in self.sources:
            if not self.collection.is_test_file(file) or file in self.broken or self.has_collected(file):
                continue
            tests = self.probable(file)
            if not tests:
                continue
            ignored = self.collection.ignored_at(file)
            if ignored is not None:
                lost[ignored].append((file, tests))
            elif not self.collection.is_asked(file):
                by = "testpaths" if self.collection.from_testpaths else "the arguments of pytest"
                lost[self.outside(file), by].append((file, tests))
        for (path, by), files in lost.items():
            count = sum(tests for _, tests in files)
            where = "is" if files[0][0] == path else f"with {_plural(len(files), 'file')} is"
            message = (
                f"{where} not looked into because of {by}: {_plural(count, 'test')}, such as those of {files[0][0]}"
            )
            if files[0][0] == path:
                message = f"is not looked into because of {by}: {_plural(count, 'test')}"
            yield Found(Finding("ignored-directory", path, message, file=files[0][0]), count)

    def outside(self, file: str) -> str:
        """The topmost folder of a file in which nothing was asked for, or the file itself."""
        parts = file.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            if not any(each == folder or each.startswith(f"{folder}/") for each in self.collection.asked):
                return folder
        return file

    def misnamed(self) -> Iterator[Found]:
        """Files of tests among others, whose name is no such file's."""
        patterns = " or ".join(self.collection.python_files)
        for file, source in self.sources.items():
            *folders, name = file.split("/")
            stem = name.removesuffix(".py")
            if self.collection.is_test_file(file) or name in {"conftest.py", "__init__.py"} or self.has_collected(file):
                continue
            if not self.collection.is_asked(file) or self.collection.ignored_at(file):
                continue
            if not (_TESTISH.search(stem) or {"test", "tests"} & set(folders)):
                continue
            others = all_words({key: each for key, each in self.sources.items() if key != file})
            if stem in others.used | others.in_texts or file in self.collection.loaded:
                continue
            count = self.probable(file)
            if count:
                message = f"has {_plural(count, 'test')}, but its name matches no pattern of python_files ({patterns})"
                first = next(each for each in source.tests if each.is_named)
                yield Found(Finding("file-name", file, message, file=file, line=first.line), count)


def all_words(sources: Mapping[str, Source]) -> Spoken:
    """The names that files use, together."""
    spoken = [source.spoken for source in sources.values()]
    return Spoken(
        frozenset().union(*(each.used for each in spoken)),
        frozenset().union(*(each.parameters for each in spoken)),
        frozenset().union(*(each.in_texts for each in spoken)),
        any(each.asks_for_any for each in spoken),
    )


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
