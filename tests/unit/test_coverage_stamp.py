"""Names of environments, stamps, figures, the floor and the budget of saving: everything that needs no coverage."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from toxscreen.analysis import checkpoint, figures, stamp
from toxscreen.errors import CoverageDataError, ErrorGroup, ToxscreenError
from toxscreen.gates.percent import floor, percent
from toxscreen.model import Ruling, Stamp

HERE = Stamp(schema=1, environment="unit", commit="a" * 40, changes=None, time=1.5)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of environment unit, with a stamp and one data file."""
    folder = tmp_path / ".toxscreen/coverage/unit"
    folder.mkdir(parents=True)
    write_stamp(folder)
    (folder / ".coverage.host.1").write_bytes(b"data")
    return folder


def write_stamp(folder: Path, **changed: object) -> None:
    stored = {"schema": 1, "environment": "unit", "commit": "a" * 40, "changes": None, "time": 1.5, **changed}
    (folder / "stamp.json").write_text(json.dumps(stored), encoding="utf-8")


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ToxscreenError) as caught:
        call()
    return caught.value.render()


# names


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], ()),
        (["", " , "], ()),
        (["unit"], ("unit",)),
        (["unit integration", "real-world,perf"], ("unit", "integration", "real-world", "perf")),
        (["unit,unit", "3.12-unit", "unit"], ("unit", "3.12-unit")),
        (["prüfung", "a" * 100, "x_1+2", "reports"], ("prüfung", "a" * 100, "x_1+2", "reports")),
    ],
)
def test_environments_are_separated_by_spaces_or_commas_and_named_once(
    words: list[str], names: tuple[str, ...]
) -> None:
    assert stamp.environment_names(words, asked_by="here") == names


@pytest.mark.parametrize(
    "name",
    ["..", ".", "../x", "a/b", "a\\b", "/x", "C:x", "report", "REPORT", ".coverage", "-x", "a\0b", "a" * 101, "~"],
)
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    assert refusal(lambda: stamp.environment_names([name], asked_by="here")) == (
        f"here: {name!r} cannot be the name of an environment [config-invalid]\n"
        "  a name is made of letters, digits and '_-+.', begins with none of '-+.', and is not 'report'"
    )


def test_all_bad_names_are_told_at_once() -> None:
    with pytest.raises(ErrorGroup) as caught:
        stamp.environment_names(["..,unit", "a/b"], asked_by="here")
    assert [error.message for error in caught.value.errors] == [
        "'..' cannot be the name of an environment",
        "'a/b' cannot be the name of an environment",
    ]


# evidence


def test_data_made_from_these_sources_is_evidence(tmp_path: Path, home: Path) -> None:
    (home / ".coverage.host.0").write_bytes(b"data")
    (home / ".coverage.host.1-journal").write_bytes(b"sqlite's own")
    (home / ".coverage.folder").mkdir()
    (home / "notes.txt").touch()
    assert stamp.evidence(tmp_path, "unit", commit="a" * 40, changes=None) == stamp.Evidence(
        HERE, (home / ".coverage.host.0", home / ".coverage.host.1")
    )


def test_without_git_on_both_sides_data_is_evidence(tmp_path: Path, home: Path) -> None:
    write_stamp(home, commit=None)
    assert stamp.evidence(tmp_path, "unit", commit=None, changes=None).stamp.commit is None


@pytest.mark.parametrize(
    ("stored", "commit", "changes", "what"),
    [
        ({}, "b" * 40, None, f"was measured at commit {'a' * 12}, the sources are now at commit {'b' * 12}"),
        ({}, None, None, f"was measured at commit {'a' * 12}, the sources are now at no commit"),
        ({"commit": None}, "b" * 40, None, f"was measured at no commit, the sources are now at commit {'b' * 12}"),
        (
            {},
            "a" * 40,
            "f00d",
            "was measured with no uncommitted changes, the sources now have the uncommitted changes f00d",
        ),
        (
            {"changes": "beef"},
            "a" * 40,
            None,
            "was measured with the uncommitted changes beef, the sources now have no uncommitted changes",
        ),
        ({"schema": 2}, "a" * 40, None, "has a stamp.json of schema 2, this toxscreen reads 1"),
        ({"environment": "perf"}, "a" * 40, None, "has the stamp.json of environment 'perf'"),
        (
            {"commit": 7},
            "a" * 40,
            None,
            "has a stamp.json that cannot be read (TypeError: commit and changes must be texts or null)",
        ),
    ],
)
def test_a_stamp_that_does_not_fit_is_an_error(
    tmp_path: Path, home: Path, stored: dict[str, object], commit: str | None, changes: str | None, what: str
) -> None:
    write_stamp(home, **stored)
    assert refusal(lambda: stamp.evidence(tmp_path, "unit", commit=commit, changes=changes)) == (
        f".toxscreen/coverage/unit: environment 'unit' {what} [coverage-evidence]\n  make it with: tox -e unit"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '{"schema": 1, "environment": "un',
            "JSONDecodeError: Unterminated string starting at: line 1 column 30 (char 29)",
        ),
        ("", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("{}", "KeyError: 'schema'"),
        ("[]", "TypeError: list indices must be integers or slices, not str"),
    ],
)
def test_a_corrupt_stamp_is_an_error(tmp_path: Path, home: Path, text: str, reason: str) -> None:
    (home / "stamp.json").write_text(text, encoding="utf-8")
    assert refusal(lambda: stamp.evidence(tmp_path, "unit", commit=None, changes=None)) == (
        f".toxscreen/coverage/unit: environment 'unit' has a stamp.json that cannot be read ({reason}) "
        "[coverage-evidence]\n  make it with: tox -e unit"
    )


def test_absent_evidence_is_an_error_that_says_what_is_there(tmp_path: Path, home: Path) -> None:
    def told(environment: str = "unit") -> str:
        return refusal(lambda: stamp.evidence(tmp_path, environment, commit="a" * 40, changes=None))

    place, remedy = ".toxscreen/coverage/unit: environment 'unit'", "[coverage-evidence]\n  make it with: tox -e unit"
    (home / ".coverage.host.1").rename(home / ".coverage")
    assert told() == (
        f"{place} began to measure, but left no data file .coverage.* [coverage-evidence]\n"
        "  set tool.coverage.run.parallel = true, then make it with: tox -e unit"
    )
    (home / ".coverage").unlink()
    assert told() == f"{place} began to measure, but left no data file .coverage.* {remedy}"
    (home / "stamp.json").unlink()
    assert told() == f"{place} was expected, but there is no stamp.json, and no data {remedy}"
    (home / ".coverage.host.2").touch()
    assert told() == f"{place} was expected, but there is no stamp.json, and data files: 1 {remedy}"
    assert told("x y") == (
        ".toxscreen/coverage/x y: environment 'x y' was expected, but has never measured: there is no such folder "
        "[coverage-evidence]\n  make it with: tox -e 'x y'"
    )


def test_environments_with_data_are_known(tmp_path: Path, home: Path) -> None:
    top = home.parent
    for name in ("integration/.coverage.a", "report/.coverage.a", ".new-1/.coverage.a", "perf/stamp.json"):
        (top / name).parent.mkdir()
        (top / name).touch()
    (top / ".coverage").touch()
    assert stamp.environments(tmp_path) == ("integration", "unit")
    assert stamp.environments(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    ("path", "place"), [(None, ".toxscreen/coverage"), ("inside", "inside"), (b"/outside", "/outside")]
)
def test_what_the_file_system_refuses_is_told_with_its_place(
    tmp_path: Path, path: str | bytes | None, place: str
) -> None:
    filename = str(tmp_path / path) if isinstance(path, str) else path
    with pytest.raises(CoverageDataError) as caught, stamp.using(tmp_path):
        raise OSError(28, "No space left on device", filename)
    assert caught.value.render() == (
        f"{place}: cannot be used: No space left on device [coverage-unusable]\n"
        "  coverage data and reports are kept in .toxscreen/coverage"
    )


# figures


@pytest.mark.parametrize(
    ("covered", "countable", "limit", "precision", "shown"),
    [
        (896, 1000, "90", 0, "89"),  # rounding would reach the floor
        (89996, 100000, "90", 2, "89.99"),
        (9, 10, "90", 2, "90.00"),
        (90004, 100000, "90", 2, "90.00"),
        (90007, 100000, "90", 2, "90.01"),
        (92454, 100000, "92.455", 2, "92.454"),  # the floor has more digits than the tables
        (99999, 100000, "90", 2, "99.99"),
        (99999, 100000, "100", 0, "99"),
        (1, 1, "100", 2, "100.00"),
        (1, 100000, "90", 2, "0.01"),
        (1, 100000, "90", 0, "1"),
        (0, 5, "90", 2, "0.00"),
        (2, 3, "90.0", 1, "66.7"),
    ],
)
def test_percentages_do_not_flatter(covered: int, countable: int, limit: str, precision: int, shown: str) -> None:
    assert percent(covered, countable, limit=Decimal(limit), precision=precision) == shown


def test_what_is_shown_stands_on_the_side_of_the_floor_where_the_truth_stands() -> None:
    for countable in range(1, 40):
        for covered in range(countable + 1):
            exact = Fraction(100 * covered, countable)
            for limit in ("12.5", "50", "66.67", "90", "100"):
                shown = percent(covered, countable, limit=Decimal(limit), precision=0)
                assert (Fraction(shown) >= Fraction(limit)) == (exact >= Fraction(limit)), (covered, countable, limit)
                assert (Fraction(shown) == 0) == (covered == 0)
                assert abs(Fraction(shown) - exact) < 1


def test_the_floor_is_reached_exactly_or_not_at_all() -> None:
    reached = floor(18, 14, 6, {}, fail_under=90.0, precision=2)
    assert (reached.ruling, reached.reason) == (
        Ruling.PASS,
        "coverage is 90.00 %, at or over the floor of 90 %: 18 of 20 ran (14 statements and 6 branches)",
    )
    assert (reached.gate, reached.measured, reached.limit) == ("coverage", 90.0, 90.0)
    assert (reached.numerator, reached.denominator, reached.expected_denominator) == (18, 20, 20)
    missed = floor(896, 1000, 0, {}, fail_under=89.65, precision=0)
    assert (missed.ruling, missed.reason) == (
        Ruling.FAIL,
        "coverage is 89.60 %, under the floor of 89.65 %: 896 of 1000 ran (1000 statements and 0 branches)",
    )


@pytest.mark.parametrize(
    ("executed", "missing", "branches", "text"),
    [
        ([], [], [], ""),
        ([1, 2], [], [], ""),
        ([1, 2, 5, 12], [3, 4, 7, 11], [], "3-4, 7-11"),
        ([1, 3], [2], [], "2"),
        ([1, 5], [], [(5, 1), (5, -3), (1, 0)], "1->exit, 5->1, 5->exit"),
        ([1, 5], [2], [(1, 2), (2, 5), (1, 5)], "1->5, 2"),
    ],
)
def test_missing_lines_are_ranges_of_statements(
    executed: list[int], missing: list[int], branches: list[tuple[int, int]], text: str
) -> None:
    assert figures.missing_lines(executed, missing, branches) == text


# when to save


@pytest.mark.parametrize(
    ("spent", "elapsed", "last_cost", "answer"),
    [
        (0.0, 0.0, 0.0, True),
        (1.5, 0.0, 0.5, True),
        (1.5, 0.0, 0.75, False),
        (1.5, 2.5, 0.75, True),
        (11.0, 100.0, 1.0, True),
        (12.0, 100.0, 0.125, False),
    ],
)
def test_saving_may_take_two_seconds_and_a_tenth_of_the_time(
    spent: float, elapsed: float, last_cost: float, *, answer: bool
) -> None:
    assert checkpoint.due(spent, elapsed, last_cost) is answer
