"""The category of a test: its marker, the most specific path, the default, and what is told when they do not agree."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.errors import CategoryConflictError, NoCategoryError, ToxscreenError
from toxscreen.model import Case, Policy
from toxscreen.plan.categories import belongs_elsewhere, by_path, category_of, covers, depth_below
from toxscreen.settings import BUILT_IN


def policy(category: str, *paths: str, markers: tuple[str, ...] = ()) -> Policy:
    return Policy(
        category=category,
        paths=paths,
        markers=markers,
        order="random",
        workers="auto",
        timeout=1.0,
        budget=1.0,
        network="none",
        subprocesses=False,
        leaks="off",
    )


def policies(**paths: str) -> dict[str, Policy]:
    return {category: policy(category, *listed.split()) for category, listed in paths.items()}


# how far an entry reaches


@pytest.mark.parametrize(
    ("file", "pattern", "depth"),
    [
        ("tests/unit/test_a.py", "tests", 1),
        ("tests/unit/test_a.py", "tests/unit", 2),
        ("tests/unit/test_a.py", "tests/unit/", 2),
        ("tests/unit/test_a.py", "./tests/unit", 2),
        ("tests/unit/test_a.py", "tests\\unit", 2),
        ("tests/unit/test_a.py", "tests/unit/test_a.py", 3),
        ("tests/unit/test_a.py", "tests/unit/test_a.py/more", None),
        ("tests/unit/test_a.py", "tests/unit/test_b.py", None),
        ("tests/unit/test_a.py", "tests/uni", None),
        ("tests/units/test_a.py", "tests/unit", None),
        ("tests/unit/test_a.py", "unit", None),
        ("tests/unit/test_a.py", ".", 0),
        ("tests/unit/test_a.py", "./", 0),
        ("tests/unit/test_a.py", "*", 1),
        ("tests/unit/test_a.py", "tests/*", 2),
        ("tests/unit/test_a.py", "tests/*/test_*.py", 3),
        ("tests/unit/test_a.py", "*/test_a.py", None),
        ("tests/unit/test_a.py", "tests/u?it", 2),
        ("tests/unit/test_a.py", "tests/[tu]nit", 2),
        ("tests/unit/test_a.py", "tests/[!u]nit", None),
        ("tests/Unit/test_a.py", "tests/unit", None),
        ("tests/unit/test_a.py", "**", 0),
        ("tests/unit/test_a.py", "tests/**", 1),
        ("tests/unit/test_a.py", "tests/unit/**", 2),
        ("tests/unit/test_a.py", "tests/unit/test_a.py/**", None),
        ("tests/unit/test_a.py", "**/unit", 2),
        ("tests/unit/test_a.py", "**/tests", 1),
        ("tests/unit/test_a.py", "**/*.py", 3),
        ("tests/unit/test_a.py", "tests/**/*.py", 3),
        ("tests/unit/test_a.py", "tests/**/unit/**/test_*.py", 3),
        ("tests/unit/test_a.py", "tests/**/**/unit", 2),
        ("tests/unit/test_a.py", "**/perf", None),
        ("tests/unit/test_a.py", "perf/**", None),
        ("a/b/c/d/test_e.py", "a/**/d", 4),
        ("a/b/c/d/test_e.py", "**/c/*", 4),
        ("a/b/c/d/test_e.py", "**/b/d", None),
        ("test_a.py", "tests", None),
        ("test_a.py", "test_*.py", 1),
    ],
)
def test_how_many_parts_of_a_path_an_entry_covers(file: str, pattern: str, depth: int | None) -> None:
    assert depth_below(file, pattern) == depth


PARTS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=5)
PATTERNS = st.lists(st.sampled_from(["a", "b", "?", "*", "**", "a*", "[ab]"]), min_size=1, max_size=5)


@hypothesis.settings(max_examples=200, database=None, deadline=None)
@given(parts=PARTS, wanted=PATTERNS)
def test_an_entry_covers_what_a_glob_of_the_file_system_finds_and_all_below(
    parts: list[str], wanted: list[str]
) -> None:
    found = depth_below("/".join(parts), "/".join(wanted))
    covers = [depth for depth in range(len(parts) + 1) if matches(parts[:depth], wanted)]
    if wanted[-1] == "**":  # it finds folders only, and a file lies in the folder
        covers = [depth for depth in covers if depth < len(parts)]
    assert found == (covers[0] if covers else None)


def matches(parts: list[str], wanted: list[str]) -> bool:
    """Whether a path as a whole matches a pattern, by the plainest rules."""
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(matches(parts[skipped:], wanted[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and Path(parts[0]).match(wanted[0]) and matches(parts[1:], wanted[1:])


# of several entries


@pytest.mark.parametrize(
    ("paths", "placed"),
    [
        ({"a": "tests", "b": "tests/unit"}, ["b"]),
        ({"b": "tests/unit", "a": "tests"}, ["b"]),
        ({"a": "tests/unit", "b": "tests/*"}, ["a", "b"]),
        ({"a": "tests/**", "b": "tests/unit"}, ["b"]),
        ({"a": "**/test_a.py", "b": "tests/unit"}, ["a"]),
        ({"a": ".", "b": "elsewhere"}, ["a"]),
        ({"a": "elsewhere", "b": ""}, ["b"]),
        ({"a": "src tests tests/unit", "b": "tests"}, ["a"]),
        ({"a": "tests tests/unit tests/un*", "b": "tests"}, ["a"]),
        ({"a": "src", "b": "docs"}, []),
        ({}, []),
    ],
)
def test_the_most_specific_entry_wins(paths: dict[str, str], placed: list[str]) -> None:
    known = [policy(name, *(listed.split() or [""])) for name, listed in paths.items()]
    assert by_path("tests/unit/test_a.py", known) == placed


# the category


def category(file: str, *markers: str, default: str | None = None) -> str | ToxscreenError:
    return category_of(Case(f"{file}::test_it", file, frozenset(markers)), BUILT_IN, default)


@pytest.mark.parametrize(
    ("file", "markers", "default", "expected"),
    [
        ("tests/unit/test_a.py", (), None, "unit"),
        ("tests/real_world/test_a.py", (), None, "real-world"),
        ("tests/unit/test_a.py", ("unit",), None, "unit"),
        ("tests/unit/test_a.py", ("slow", "parametrize"), None, "unit"),
        ("tests/test_a.py", ("perf",), None, "perf"),
        ("tests/test_a.py", ("real_world",), None, "real-world"),
        ("tests/test_a.py", (), "integration", "integration"),
        ("tests/test_a.py", ("perf",), "integration", "perf"),
        ("tests/unit/test_a.py", (), "integration", "unit"),
    ],
)
def test_marker_or_path_then_the_default(
    file: str, markers: tuple[str, ...], default: str | None, expected: str
) -> None:
    assert category(file, *markers, default=default) == expected


def test_a_category_may_have_several_markers() -> None:
    known = {"slow": policy("slow", markers=("big", "heavy"))}
    assert [category_of(Case("t", "t.py", frozenset(names)), known, None) for names in ({"big"}, {"heavy", "big"})] == [
        "slow",
        "slow",
    ]


CONFLICT_HINT = "\n  remove the marker, move the test, or change `paths` of a category"


@pytest.mark.parametrize(
    ("file", "markers", "told"),
    [
        ("tests/unit/test_a.py", ("perf",), "is perf by its marker and unit by its path"),
        ("tests/unit/test_a.py", ("perf", "unit"), "is perf by its marker and unit by its marker"),
        ("tests/test_a.py", ("unit", "integration"), "is integration by its marker and unit by its marker"),
    ],
)
def test_two_categories_are_a_conflict(file: str, markers: tuple[str, ...], told: str) -> None:
    error = category(file, *markers, default="unit")
    assert isinstance(error, CategoryConflictError)
    assert str(error) == f"{file}::test_it: {told} [category-conflict]{CONFLICT_HINT}"


def test_two_equally_specific_paths_are_a_conflict_that_a_marker_does_not_settle() -> None:
    known = policies(a="tests/unit", b="tests/*") | {"c": policy("c", markers=("a",))}
    case = Case("tests/unit/test_a.py::test_it", "tests/unit/test_a.py")
    marked = Case(case.node_id, case.file, frozenset({"a"}))
    assert str(category_of(case, known, None)) == (
        f"{case.node_id}: is a by its path and b by its path [category-conflict]{CONFLICT_HINT}"
    )
    assert str(category_of(marked, known, None)) == (
        f"{case.node_id}: is c by its marker and a by its path and b by its path [category-conflict]{CONFLICT_HINT}"
    )


def test_no_category_is_an_error() -> None:
    error = category("tests/other/test_a.py", "slow")
    assert isinstance(error, NoCategoryError)
    assert str(error) == (
        "tests/other/test_a.py::test_it: belongs to no category [category-missing]\n"
        "  move it under a category's path, mark it, or set `default-category` in [tool.toxscreen]"
    )


# what need not be collected


@pytest.mark.parametrize(
    ("file", "elsewhere"),
    [
        ("tests/unit", False),
        ("tests/unit/test_a.py", False),
        ("tests/integration", True),
        ("tests/integration/deep/test_a.py", True),
        ("tests/perf/test_a.py", True),
        ("tests", False),
        ("tests/other/test_a.py", False),
        ("test_a.py", False),
    ],
)
def test_what_lies_under_other_categories_only_is_elsewhere(file: str, *, elsewhere: bool) -> None:
    assert belongs_elsewhere(file, "unit", BUILT_IN) is elsewhere


@pytest.mark.parametrize(
    "own", ["tests/unit", "./tests/unit", "tests\\unit", "tests/u*", "tes?s/unit", "[t]ests/unit", "**/unit"]
)
def test_a_folder_that_holds_a_path_further_down_is_never_elsewhere(own: str) -> None:
    known = policies(unit=own, other="tests")
    assert [belongs_elsewhere(file, "unit", known) for file in ("tests", "tests/unit", "tests/unit/test_a.py")] == [
        False,
        False,
        False,
    ]
    assert belongs_elsewhere("tests", "other", known) is False


def test_a_place_claimed_twice_is_not_elsewhere_for_either() -> None:
    known = policies(a="tests", b="tests", c="docs")
    assert {name: belongs_elsewhere("tests/test_a.py", name, known) for name in known} == {
        "a": False,
        "b": False,
        "c": True,
    }


# whether paths hold all of something


@pytest.mark.parametrize(
    ("given", "wanted", "holds"),
    [
        (["tests"], ["tests/unit"], True),
        (["tests/unit"], ["tests/unit/"], True),
        (["."], ["tests/unit", "more"], True),
        (["tests/unit", "more"], ["tests/unit", "more"], True),
        (["tests/unit"], ["tests/unit", "more"], False),
        (["tests/unit/test_a.py"], ["tests/unit"], False),
        (["tests/uni"], ["tests/unit"], False),
        (["tests"], ["tests/*/unit"], True),
        (["tests/a/unit"], ["tests/*/unit"], False),
        ([], ["tests"], False),
    ],
)
def test_paths_that_hold_all_of_what_is_wanted(given: list[str], wanted: list[str], *, holds: bool) -> None:
    assert covers(given, wanted) is holds
