"""Evidence of coverage is made from coverage's documents; sources that should be measured are found in the project."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from toxscreen.analysis import sources, trend
from toxscreen.analysis.covered import Alone, Base, evidence, spans
from toxscreen.gates.covered import Before, Ran, read
from toxscreen.gates.percent import difference
from toxscreen.model import Base as Revision
from toxscreen.model import Evidence, Missing, State, Verdict
from toxscreen.model.judged import Ruling

ENTRY = {
    "executed_lines": [1, 2, 3],
    "missing_lines": [5],
    "excluded_lines": [8, 9],
    "executed_branches": [[2, 3]],
    "missing_branches": [[2, -1]],
}


def test_what_is_written_is_what_gates_read() -> None:
    document = {
        "files": {"pkg\\a.py": ENTRY},
        "totals": {
            "covered_lines": 3,
            "covered_branches": 1,
            "num_statements": 4,
            "num_branches": 2,
            "excluded_lines": 2,
        },
    }
    never = {"files": {"pkg/new.py": {**ENTRY, "executed_lines": [], "executed_branches": []}}}
    data = evidence(
        document,
        never,
        [Alone("unit", "abc", 2, document), Alone("integration", "abc", 1, {})],
        {"pkg\\a.py": "x = (\n1,\n)\n"},
        base=Base("def", {"pkg/a.py": 2}, {"pkg/b.py": 3}),
        absent=["srcc"],
        late=["pkg/late.py"],
        fail_under=90.0,
        precision=1,
    )
    assert data["totals"] == {"covered": 4, "statements": 4, "branches": 2, "excluded": 2}
    found = read(Evidence("coverage", State(None, None, ""), 0.0, ("make",), json.loads(json.dumps(data))))
    assert not isinstance(found, Missing)
    measured, unknown = found.files
    assert (measured.name, measured.ran, measured.missing) == (
        "pkg/a.py",
        Ran(frozenset({1, 2, 3}), frozenset({(2, 3)})),
        Ran(frozenset({5}), frozenset({(2, -1)})),
    )
    assert (measured.excluded, measured.spans) == (frozenset({8, 9}), ((1, 3),))
    assert (unknown.name, unknown.measured) == ("pkg/new.py", False)
    assert found.alone == {"unit": {"pkg/a.py": measured.ran}, "integration": {}}
    assert found.before == Before("def", {"pkg/a.py": 2}, {"pkg/b.py": 3})
    assert found.late == ("pkg/late.py",)
    assert (found.absent, found.fail_under, found.precision) == (("srcc",), 90.0, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", ()),
        ("def f(\n    a,\n):\n    return a\n", ((1, 3),)),
        ("# one\nif (\n    a\n    # two\n    and b\n):\n    # three\n    c(\n        1\n    )\n", ((2, 6), (8, 10))),
        ("@d(\n    1\n)\ndef f(): pass\n", ((1, 3),)),
        ('x = """\n\n"""\n', ((1, 3),)),
        ("x = (\n", ()),
    ],
)
def test_a_statement_spans_its_lines_without_its_body(text: str, expected: tuple[tuple[int, int], ...]) -> None:
    assert spans(text) == expected


# sources

FILES = (
    "src/app/__init__.py",
    "src/app/a.py",
    "src/app/deep/b.py",
    "src/app/not-a-name.py",
    "src/app/data/1st.py",
    "src/app/omitted.py",
    "src/single.py",
    "src/space/c.py",
    "docs/conf.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


APP = {"src/app/__init__.py", "src/app/a.py", "src/app/deep/b.py"}


@pytest.mark.parametrize(
    ("named", "packages", "namespaces", "measured", "expected", "absent"),
    [
        (("src",), (), False, (), APP | {"src/single.py", "src/space/c.py"}, ()),
        ((".",), (), False, (), set(), ()),
        ((".",), (), True, (), APP | {"src/single.py", "src/space/c.py", "docs/conf.py"}, ()),
        (("./src",), (), True, (), APP | {"src/single.py", "src/space/c.py"}, ()),
        (("src/app",), (), False, (), APP, ()),
        ((), ("app",), False, (), APP, ()),
        (("app", "single"), (), False, (), APP | {"src/single.py"}, ()),
        ((), ("app.deep",), False, (), {"src/app/deep/b.py"}, ()),
        (("srcc",), ("gone",), False, ("src/app/a.py",), set(), ("srcc", "gone")),
        ((), ("else",), False, ("/lib/python/else/x.py",), set(), ()),
        ((), (), False, ("src/app/a.py", "docs/conf.py", "/lib/x.py"), APP, ()),
        ((), (), False, (), set(), ()),
    ],
)
def test_sources_that_should_be_measured(
    root: Path,
    named: tuple[str, ...],
    packages: tuple[str, ...],
    namespaces: bool,  # noqa: FBT001 - a parameter of the test
    measured: tuple[str, ...],
    expected: set[str],
    absent: tuple[str, ...],
) -> None:
    asked = sources.Asked(named, packages, (), namespaces, lambda path: path.endswith(f"{os.sep}omitted.py"))
    assert sources.expected(root, asked, measured) == sources.Expected(frozenset(expected), absent)


def test_a_place_of_the_settings_is_looked_into(root: Path) -> None:
    (root / "lib/other").mkdir(parents=True)
    (root / "lib/other/x.py").touch()
    for place in ("lib", "lib/other"):
        asked = sources.Asked((), ("other",), (place,), namespaces=False, omitted=lambda _: False)
        assert sources.expected(root, asked, ()) == sources.Expected(frozenset({"lib/other/x.py"}), ())


# trend


def verdict(covered: int, countable: int) -> Verdict:
    return Verdict("coverage", Ruling.PASS, "", numerator=covered, denominator=countable)


def test_the_total_is_compared_with_the_base_or_with_the_last_one(tmp_path: Path) -> None:
    (tmp_path / ".toxscreen/coverage").mkdir(parents=True)

    def note(commit: str, covered: int, *, changes: str | None = None, base: str | None = None) -> list[str]:
        state = State(commit, changes, "")
        revision = None if base is None else Revision(base, "main")
        return trend.note(tmp_path, state, ["unit"], verdict(covered, 1000), precision=2, base=revision)

    assert note("first", 800) == []
    assert note("second", 801) == ["trend: +0.10 since first (measured last)"]
    assert note("third", 790, base="first") == ["trend: -1.00 since first (the base)"]
    assert note("third", 791, changes="edited", base="third") == ["trend: +0.10 since third (the base)"]
    assert [(total.commit, total.covered) for total in trend.read(tmp_path)] == [
        ("first", 800),
        ("second", 801),
        ("third", 790),
    ]
    # A commit that is measured again has one line, and it is the last.
    assert note("first", 790) == ["trend: ±0.00 since third (measured last)"]
    assert [total.commit for total in trend.read(tmp_path)] == ["second", "third", "first"]


def test_other_environments_are_another_total_and_torn_lines_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / ".toxscreen/coverage/trend.jsonl"
    file.parent.mkdir(parents=True)
    entry = {"commit": "old", "environments": ["unit", "perf"], "covered": 1, "countable": 2}
    file.write_text('{"commit": "torn', encoding="utf-8")
    assert trend.read(tmp_path) == []
    file.write_text(f"{json.dumps(entry)}\n7\n", encoding="utf-8")
    state = State("new", None, "")
    assert trend.note(tmp_path, state, ["unit"], verdict(1, 2), precision=0, base=None) == []
    assert [total.commit for total in trend.read(tmp_path)] == ["old", "new"]


def test_only_the_last_commits_are_remembered(tmp_path: Path) -> None:
    (tmp_path / ".toxscreen/coverage").mkdir(parents=True)
    for number in range(205):
        trend.note(tmp_path, State(str(number), None, ""), ["unit"], verdict(1, 2), precision=0, base=None)
    assert [trend.read(tmp_path)[at].commit for at in (0, -1)] == ["5", "204"]


@pytest.mark.parametrize(
    ("now", "before", "precision", "told"),
    [
        ((1, 2), (1, 2), 2, "±0.00"),
        ((50001, 100000), (1, 2), 2, "+0.01"),
        ((49999, 100000), (1, 2), 2, "-0.01"),
        ((9012, 10000), (9, 10), 2, "+0.12"),
        ((9, 10), (1, 1), 0, "-10"),
    ],
)
def test_a_difference_is_never_rounded_to_nothing(
    now: tuple[int, int], before: tuple[int, int], precision: int, told: str
) -> None:
    assert difference(now, before, precision) == told
