"""Fixtures that nobody uses. Pure; a name that is mentioned anywhere counts as used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from toxscreen.analysis.discovery.collection import Collection
from toxscreen.analysis.discovery.looks import Source
from toxscreen.analysis.discovery.names import Spoken
from toxscreen.model import Finding


def unused(sources: Mapping[str, Source], collection: Collection, words: Spoken) -> Iterator[Finding]:
    """Fixtures of the project's tests that no test uses, directly or through others.

    Args:
        sources: what is in each file, by its path.
        collection: what pytest collected.
        words: the names that all files use.
    """
    if words.asks_for_any:
        return
    used = words.used | words.parameters | words.in_texts
    used = used.union(*(test.fixtures for test in collection.tests))
    # A plugin may ask for a fixture of its own that the project replaces.
    of_plugins = {name for name, file in collection.fixtures if file not in sources}
    known = {(name, file) for name, file in collection.fixtures if file in sources}
    for file, source in sources.items():
        # Fixtures that a package offers to others are not used by its own tests, or not all of them.
        is_conftest = file.rpartition("/")[2] == "conftest.py" and file in collection.loaded
        if not is_conftest and file not in collection.by_file:
            continue
        for fixture in source.fixtures:
            if fixture.name in used | of_plugins or (fixture.name, file) not in known:
                continue
            message = "is a fixture that no test and no other fixture uses"
            yield Finding("unused-fixture", f"{file}::{fixture.function}", message, file=file, line=fixture.line)
