"""What nobody asks for: markers that are registered nowhere, categories that no environment runs, tests always skipped.

Pure: texts, collections and recorded runs come in, findings go out.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from toxscreen.analysis.discovery.collection import Collection
from toxscreen.analysis.discovery.looks import Source
from toxscreen.model import Finding, Outcome, Run

_CATEGORY: Final = re.compile(r"--category[\s=\"',]+([^\s\"',]+)")
_COMMANDS: Final = {"commands", "commands_pre", "commands_post"}
_PYTEST: Final = re.compile(r"\b(?:pytest|py\.test)\b")


def unregistered(sources: Mapping[str, Source], collection: Collection) -> Iterator[Finding]:
    """Markers that stand on collected tests and that neither the project nor a plugin has registered.

    Args:
        sources: what is in each file, by its path.
        collection: what pytest collected.
    """
    carried: Counter[str] = Counter(name for test in collection.tests for name in test.markers - collection.markers)
    for name, tests in sorted(carried.items()):
        places = [(file, source.marks[name]) for file, source in sources.items() if name in source.marks]
        if places:
            file, line = places[0]
            message = f"is a marker that is registered nowhere, on {tests} collected test{'s' if tests != 1 else ''}"
            yield Finding("unregistered-marker", name, message, file=file, line=line)


def unrun(categories: Iterable[str | None], commands: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Categories that have tests and that no command of tox runs.

    Args:
        categories: the category of each collected test.
        commands: those of each file that tells tox what to run.
    """
    named: set[str] = set()
    for line in (line for lines in commands.values() for line in lines):
        found = _CATEGORY.findall(line)
        # What tox puts in only tox knows; pytest without a category runs them all.
        if any("{" in name for name in found) or (_PYTEST.search(line) and not found):
            return
        named.update(found)
    if not named:
        return
    where = " and ".join(sorted(commands))
    for category, tests in sorted(Counter(name for name in categories if name is not None).items()):
        if category not in named:
            message = f"is a category with {tests} test{'s' if tests != 1 else ''} that no command in {where} runs"
            yield Finding("category-not-run", category, message, file=min(commands))


def commands(name: str, text: str) -> tuple[str, ...]:
    """The commands that a file tells tox to run.

    Args:
        name: of the file; the ending says its format.
        text: its content.
    """
    if not name.endswith(".toml"):
        return tuple(_of_ini(text))
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return ()
    table = document if name == "tox.toml" else document.get("tool", {}).get("tox", {})
    return tuple(_of_table(table))


def _of_ini(text: str) -> Iterator[str]:
    is_inside = False
    for line in text.splitlines():
        key = re.match(r"(\w+)\s*=", line)
        if key:
            is_inside = key[1] in _COMMANDS
            line = line[key.end() :]  # noqa: PLW2901 - the rest of it
        elif line.startswith("["):
            is_inside = False
        if is_inside and line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _of_table(table: object) -> Iterator[str]:
    for key, value in table.items() if isinstance(table, dict) else ():
        if key == "legacy_tox_ini":
            yield from _of_ini(str(value))
        elif key in _COMMANDS:
            lines = value if isinstance(value, list) else [value]
            yield from (" ".join(map(str, line)) if isinstance(line, list) else str(line) for line in lines)
        else:
            yield from _of_table(value)


def never_run(runs: Sequence[Run], files: Iterable[str]) -> Iterator[Finding]:
    """Tests that were skipped in each recorded run that had them.

    Args:
        runs: of the sources as they are.
        files: those of the project, relative to the root.
    """
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for run in runs:
        for node_id, outcome in run.outcomes.items():
            outcomes[node_id.partition("[")[0]].append(outcome)
    known = set(files)
    for name, seen in sorted(outcomes.items()):
        file = name.partition("::")[0]
        if all(outcome is Outcome.SKIPPED for outcome in seen):
            told = f"was skipped in every recorded run of these sources that had it ({len(seen)} times)"
            yield Finding("skipped-everywhere", name, told, file=file if file in known else None)
