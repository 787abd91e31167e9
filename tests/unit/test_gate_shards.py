"""What is against taking shards for the whole: everything is told, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from recorded import attempt, run

from toxscreen.gates.shards import judge
from toxscreen.model import Finding, Manifest, Outcome, Part, RunState, Selection, Shard

TESTS = tuple(f"a.py::test_{number}" for number in range(9))


def part(number: int, of: int = 3, tests: tuple[str, ...] | None = None, **fields: Any) -> Part:
    """A shard with every third test, green and whole, unless something else is said."""
    planned = TESTS[number - 1 :: of] if tests is None else tests
    of_part = {name: fields.pop(name) for name in ("source", "damage", "coverage") if name in fields}
    for_run = {name: fields.pop(name) for name in ("state", "exit_status", "selection", "outcomes") if name in fields}
    outcomes = for_run.pop("outcomes", dict.fromkeys(planned, Outcome.PASSED))
    done = run("unit", [attempt(node_id, outcome) for node_id, outcome in outcomes.items()], **for_run)
    values: dict[str, Any] = {
        "schema": 1,
        "run": done.id,
        "shard": Shard(number, of),
        "category": "unit",
        "environment": None,
        "commit": "c0ffee",
        "changes": None,
        "tree": "7ree",
        "configuration": "c0de",
        "seed": number,
        "python": "CPython 3.11",
        "history": "5a3e",
        "collected": TESTS,
        "planned": planned,
        "ran": tuple(sorted(node_id for node_id, each in outcomes.items() if each is not Outcome.NOT_RUN)),
    }
    manifest = Manifest(**{**values, **fields}) if fields.get("schema", 1) else None
    return Part(of_part.pop("source", f"m{number}"), Shard(number, of), done, manifest, **of_part)


def judged(*parts: Part) -> list[tuple[str, str]]:
    return [(each.slug, each.message) for each in judge("unit", parts)]


def test_three_of_three_are_the_whole_in_any_order_and_red_or_not() -> None:
    red = part(3, outcomes=dict.fromkeys(TESTS[2::3], Outcome.FAILED), exit_status=1)
    assert judged(part(2), red, part(1)) == []
    assert judged(part(1, 1)) == []


def test_a_test_that_was_tried_again_on_one_machine_is_not_there_twice() -> None:
    done = part(1)
    again = replace(done.run, attempts=(attempt(TESTS[0], Outcome.FAILED), *done.run.attempts))
    assert judged(replace(done, run=again), part(2), part(3)) == []


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ((1, 3), "shard 2 of 3 is missing: its 3 tests: a.py::test_1, a.py::test_4, a.py::test_7"),
        (
            (1,),
            (
                "shards 2, 3 of 3 are missing: their 6 tests: a.py::test_1, a.py::test_2, a.py::test_4, a.py::test_5, "
                "a.py::test_7 and 1 more"
            ),
        ),
    ],
)
def test_missing_shards(there: tuple[int, ...], told: str) -> None:
    assert judged(*(part(number) for number in there)) == [("shard-missing", told)]


def test_a_missing_shard_without_tests() -> None:
    whole = part(1, 2, TESTS)
    assert judged(whole) == [("shard-missing", "shard 2 of 2 is missing, without a test of its own")]


def test_a_shard_that_is_there_twice() -> None:
    found = judged(part(1), part(2), part(2, source="copy"), part(3))
    assert found == [("shard-doubled", "shard 2 of 3 is there 2 times: copy, m2")]


def test_shards_of_two_splits() -> None:
    found = judged(part(1, 2), part(2, 3))
    assert found[0] == ("shard-count", "was split into 2 by m1, into 3 by m2")
    assert ("shard-test-doubled", "shards 1 and 2 of 3 both ran 1 test: a.py::test_4") in found


@pytest.mark.parametrize(
    ("fields", "slug", "told"),
    [
        ({"commit": "bad"}, "shard-commit", "of commit bad, shard 1 of 3 of commit c0ffee"),
        (
            {"changes": "feed"},
            "shard-changes",
            "of the uncommitted changes feed, shard 1 of 3 of the uncommitted changes none",
        ),
        (
            {"configuration": "else"},
            "shard-configuration",
            "of the configuration else, shard 1 of 3 of the configuration c0de",
        ),
        ({"python": "PyPy 3.11"}, "shard-python", "of PyPy 3.11, shard 1 of 3 of CPython 3.11"),
        ({"category": "perf"}, "shard-category", "of category perf, shard 1 of 3 of category unit"),
    ],
)
def test_shards_of_other_sources(fields: dict[str, Any], slug: str, told: str) -> None:
    assert judged(part(1), part(2, **fields), part(3)) == [(slug, f"shard 2 of 3 is {told}")]


def test_where_git_does_not_work_nothing_says_of_which_sources_shards_are() -> None:
    told = "is of no commit, so nothing says of which sources: git has to work there"
    found = judged(*(part(number, commit=None) for number in (1, 2, 3)))
    assert found == [("shard-commit", f"shard {number} of 3 {told}") for number in (1, 2, 3)]


def test_a_split_into_very_many_is_told_in_no_time() -> None:
    (found,) = judged(part(1, 999_999, TESTS))
    assert found[0] == "shard-missing"
    assert "and 999993 more of 999999 are missing" in found[1]


def test_a_split_by_another_history() -> None:
    told = "shard 3 of 3 was split by another history than shard 1 of 3: "
    found = judged(part(1), part(2), part(3, history="other"))
    assert found == [("shard-history", f"{told}give every machine the same .toxscreen/history.json")]


def test_another_collection() -> None:
    found = judged(part(1), part(2, collected=(*TESTS[1:], "b.py::test_b")), part(3))
    assert found == [
        (
            "shard-collection",
            (
                "shard 2 of 3 collected other tests than shard 1 of 3: only in shard 2 of 3: 1 test: b.py::test_b; "
                "only in shard 1 of 3: 1 test: a.py::test_0"
            ),
        ),
        ("shard-test-missing", "no shard has 1 test: b.py::test_b"),
    ]


def test_what_was_left_out_otherwise() -> None:
    narrowed = Selection(0, {"-k it": 2}, ("--ignore old",))
    found = judged(part(1), part(2, selection=narrowed), part(3))
    assert found == [("shard-narrowed", "shard 2 of 3 left out 2 by -k it, --ignore old, shard 1 of 3 nothing")]


def test_a_test_in_two_shards_and_one_in_none() -> None:
    found = judged(part(1), part(2, tests=(TESTS[0], *TESTS[4::3])), part(3))
    assert found == [
        ("shard-test-doubled", "shards 1 and 2 of 3 both ran 1 test: a.py::test_0"),
        ("shard-test-missing", "no shard has 1 test: a.py::test_1"),
    ]


def test_tests_without_a_result() -> None:
    outcomes = {TESTS[1]: Outcome.PASSED, TESTS[4]: Outcome.NOT_RUN}
    found = judged(part(1), part(2, outcomes=outcomes), part(3))
    assert found == [
        ("shard-test-not-run", "shard 2 of 3 has no result of 2 tests: a.py::test_4, a.py::test_7, of its 3"),
    ]


def test_a_manifest_that_contradicts_the_journal() -> None:
    found = judged(part(1), part(2, ran=TESTS[1:2]), part(3))
    told = "the manifest of shard 2 of 3 and its journal differ in what ran: 2 tests: a.py::test_4, a.py::test_7"
    assert found == [("shard-changed", told)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"exit_status": 130}, "ended with exit status 130"),
        ({"exit_status": 2}, "ended with exit status 2"),
        ({"state": RunState.RUNNING}, "still runs"),
        ({"state": RunState.DIED, "schema": None}, "died and left no last word"),
        ({"schema": None}, "left no manifest that can be read"),
        (
            {"schema": None, "damage": ("its manifest is no JSON",)},
            "left no manifest that can be read: its manifest is no",
        ),
    ],
)
def test_a_shard_that_did_not_end_well(fields: dict[str, Any], told: str) -> None:
    ((slug, message),) = judged(part(1), part(2, **fields), part(3))
    assert slug == "shard-unfinished"
    assert message.startswith(f"shard 2 of 3 {told}")


def test_a_missing_shard_is_told_beside_one_without_a_manifest() -> None:
    assert judged(part(1), part(2, schema=None)) == [
        (
            "shard-missing",
            "shard 3 of 3 is missing: its 3 tests: a.py::test_2, a.py::test_5, a.py::test_8",
        ),
        ("shard-unfinished", "shard 2 of 3 left no manifest that can be read"),
    ]


def test_data_that_changed_and_coverage_of_something_else() -> None:
    found = judged(part(1), part(2, damage=("a is gone", "b is new"), before=("coverage/unit/.coverage.x",)), part(3))
    changed = "the data of shard 2 of 3 changed after its run: "
    assert found == [
        ("shard-changed", f"{changed}a is gone"),
        ("shard-changed", f"{changed}b is new"),
        (
            "shard-coverage",
            (
                "shard 2 of 3 measured beside coverage data of something else: coverage/unit/.coverage.x; "
                "begin with `toxscreen coverage --begin unit`"
            ),
        ),
    ]


def test_data_that_some_shards_have_and_others_have_not() -> None:
    found = judged(part(1, coverage=2, junit="junit/unit.xml"), part(2), part(3, coverage=1, junit="junit/unit.xml"))
    assert found == [
        ("shard-data-missing", "shard 2 of 3 has no coverage data, and shard 1 of 3 has"),
        ("shard-data-missing", "shard 2 of 3 has no JUnit file, and shard 1 of 3 has"),
    ]
    # A shard without a test measures nothing.
    assert judged(part(1, 2, TESTS, coverage=1), part(2, 2, ())) == []


def test_a_finding_says_where_it_was_found() -> None:
    (found,) = judge("unit", [part(1), part(2), part(3, exit_status=130)])
    assert found == Finding("shard-unfinished", "unit", "shard 3 of 3 ended with exit status 130", "m3, run unit-0")
