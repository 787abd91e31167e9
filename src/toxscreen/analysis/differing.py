"""What differs from the base, told apart: tests and what belongs to them, source, and the functions in both."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from toxscreen import host
from toxscreen.analysis.functions import changed_functions, changed_names, functions, mentions, same_code
from toxscreen.model import ChangedFunctions, Changes, Policy
from toxscreen.plan.categories import by_path

_FOLDERS: Final = frozenset({"test", "tests"})


def is_test_side(file: str, policies: Iterable[Policy]) -> bool:
    """Whether a file is a test, or lies where tests do.

    Args:
        file: relative to the root, with forward slashes.
        policies: of all categories.
    """
    path = PurePosixPath(file)
    if not _FOLDERS.isdisjoint(path.parts[:-1]) or by_path(file, policies):
        return True
    return path.suffix == ".py" and (
        path.stem in {"conftest", "test"} or path.stem.startswith("test_") or path.stem.endswith("_test")
    )


def source_functions(root: Path, changes: Changes, policies: Iterable[Policy]) -> tuple[ChangedFunctions, ...]:
    """The functions that differ, of all Python files that are no tests.

    Args:
        root: the project's root.
        changes: since the base.
        policies: of all categories.
    """
    rules = tuple(policies)
    return tuple(_functions(root, changes, file) for file in source_files(root, changes, rules))


def source_files(root: Path, changes: Changes, policies: Iterable[Policy]) -> tuple[str, ...]:
    """Python files that are no tests and are another program than on the base; comments and layout aside."""
    rules = tuple(policies)
    return tuple(
        file
        for file in sorted(changes.lines)
        if file.endswith(".py") and not is_test_side(file, rules) and _differs(root, changes, file)
    )


def changed_tests(root: Path, changes: Changes, policies: Iterable[Policy]) -> tuple[str, ...]:
    """The functions of test files that differ, and those that mention what differs at the top of their file.

    Helpers, fixtures and tests alike: which of them are tests, pytest knows.

    Args:
        root: the project's root.
        changes: since the base.
        policies: of all categories.

    Returns:
        Each as its file, two colons and its qualified name; sorted.
    """
    rules, found = tuple(policies), set[str]()
    for file in changes.lines:
        if not file.endswith(".py") or not is_test_side(file, rules):
            continue
        source, before = _texts(root, changes, file)
        try:
            names = {each.name for each in changed_functions(source, changes.lines[file], before)}
            bound = changed_names(source, before)
            names |= mentions(source, {name for name in bound if "." not in name})
            if before is None and file in changes.added:
                names |= {each.name for each in functions(source)}
        except ValueError:
            continue
        found |= {f"{file}::{name}" for name in names}
    return tuple(sorted(found))


def _differs(root: Path, changes: Changes, file: str) -> bool:
    source, before = _texts(root, changes, file)
    if before is None:
        return bool(changes.lines[file])
    return not same_code(source, before)


def _functions(root: Path, changes: Changes, file: str) -> ChangedFunctions:
    source, before = _texts(root, changes, file)
    try:
        return ChangedFunctions(file, changed_functions(source, changes.lines[file], before))
    except ValueError as error:
        return ChangedFunctions(file, (), str(error))


def _texts(root: Path, changes: Changes, file: str) -> tuple[bytes, bytes | None]:
    try:
        source = (root / file).read_bytes()
    except OSError:
        source = b""
    return source, host.git_show(root, changes.base.commit, file)
