"""Splitting tests into shards: everything runs once, the same everywhere, and about equally long."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toxscreen.errors import ShardError
from toxscreen.model import Case, Duration, History, Shard
from toxscreen.plan.shard import history_digest, split
from toxscreen.plan.which_shard import which_shard

relaxed = settings(max_examples=30, database=None, deadline=None)
FIXTURES = ("|session", "a.py|module", "b.py|module", "b.py|other[1]")


@st.composite
def suites(draw: st.DrawFn) -> tuple[list[Case], History]:
    """Tests of a few files, some in groups, some with wide fixtures, some remembered."""
    cases, tests = [], {}
    for number in range(draw(st.integers(0, 20))):
        file = draw(st.sampled_from(("a.py", "b.py", "c.py")))
        node_id = f"{file}::test_{number}"
        fixtures = tuple(key for key in draw(st.sets(st.sampled_from(FIXTURES))) if key[0] in {"|", file[0]})
        cases.append(Case(node_id, file, group=draw(st.sampled_from((None, None, "g", "h"))), fixtures=fixtures))
        if draw(st.booleans()):
            tests[node_id] = Duration(0.0, draw(st.floats(0.0, 20.0)), 0.0)
    known = draw(st.dictionaries(st.sampled_from(FIXTURES), st.floats(0.0, 30.0)))
    return cases, History(tests, known)


@relaxed
@given(suites(), st.integers(1, 12), st.randoms(use_true_random=False))
def test_every_test_is_in_one_shard_whatever_the_order_of_the_collection(
    suite: tuple[list[Case], History], of: int, random: object
) -> None:
    cases, history = suite
    shares = split(cases, history, of)
    assert len(shares) == of
    assert sorted(node_id for share in shares for node_id in share.node_ids) == sorted(case.node_id for case in cases)
    shuffled = list(cases)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    backwards = History(dict(reversed([*history.tests.items()])), dict(reversed([*history.fixtures.items()])))
    assert split(shuffled, backwards, of) == shares
    assert history_digest(backwards, shuffled) == history_digest(history, cases)


@relaxed
@given(suites(), st.integers(1, 12))
def test_groups_stay_whole(suite: tuple[list[Case], History], of: int) -> None:
    cases, history = suite
    place = {node_id: number for number, share in enumerate(split(cases, history, of)) for node_id in share.node_ids}
    for group in ("g", "h"):
        assert len({place[case.node_id] for case in cases if case.group == group}) <= 1


@relaxed
@given(st.lists(st.floats(0.001, 60.0), min_size=1, max_size=60), st.integers(1, 12))
def test_the_longest_shard_is_as_short_as_the_rule_promises(seconds: list[float], of: int) -> None:
    cases = [Case(f"a.py::test_{number}", "a.py") for number in range(len(seconds))]
    history = History({case.node_id: Duration(0.0, each, 0.0) for case, each in zip(cases, seconds, strict=True)})
    longest = max(share.seconds for share in split(cases, history, of))
    ideal, rounding = sum(seconds) / of, 1e-6 * len(seconds)
    assert longest <= ideal + (1 - 1 / of) * max(seconds) + rounding


def test_the_longest_go_first() -> None:
    cases = [Case(f"a.py::test_{number}", "a.py") for number in range(5)]
    history = History({f"a.py::test_{number}": Duration(0.0, each, 0.0) for number, each in enumerate((2, 2, 2, 3, 3))})
    # In the order of their names they would make 8 and 4 of it, or 5 and 7.
    assert sorted(share.seconds for share in split(cases, history, 2)) == pytest.approx([5.0, 7.0])
    assert {"a.py::test_3", "a.py::test_4"} - set(split(cases, history, 2)[0].node_ids)


@relaxed
@given(suites(), st.integers(1, 12))
def test_fixtures_do_not_make_the_shards_uneven(suite: tuple[list[Case], History], of: int) -> None:
    cases, some = suite
    # What is guessed of a test depends on those beside it.
    history = History({case.node_id: Duration(0.0, 1.0, 0.0) for case in cases} | {**some.tests}, some.fixtures)
    shares = split(cases, history, of)
    # Groups are the units that cannot be cut, with all the fixtures that they use.
    alone = [split([case], history, 1)[0].seconds for case in cases if case.group is None]
    groups = [split([case for case in cases if case.group == name], history, 1)[0].seconds for name in ("g", "h")]
    largest = max([*alone, *groups])
    ideal = sum(share.seconds for share in shares) / of
    # Tests that stay together are at most an even share.
    assert max(share.seconds for share in shares) <= ideal + max(largest, ideal) + 1e-3


def cases_of(file: str, count: int, *fixtures: str) -> list[Case]:
    return [Case(f"{file}::test_{number}", file, fixtures=fixtures) for number in range(count)]


def test_tests_with_a_slow_fixture_stay_together_where_they_fit() -> None:
    slow, other = cases_of("a.py", 10, "a.py|database"), cases_of("b.py", 40)
    history = History({case.node_id: Duration(0.0, 0.1, 0.0) for case in (*slow, *other)}, {"a.py|database": 1.0})
    shares = split([*slow, *other], history, 3)
    assert sum(any(case.node_id in share.node_ids for case in slow) for share in shares) == 1
    assert [round(share.seconds, 1) for share in shares] == [2.0, 2.0, 2.0]


def test_a_fixture_that_costs_nothing_keeps_nobody_together() -> None:
    cheap = cases_of("a.py", 30, "a.py|cheap")
    history = History({case.node_id: Duration(0.0, 0.1, 0.0) for case in cheap}, {"a.py|cheap": 0.01})
    assert [len(share.node_ids) for share in split(cheap, history, 3)] == [10, 10, 10]


def test_a_module_too_long_for_one_shard_is_cut_and_each_part_pays_for_the_fixture() -> None:
    huge = cases_of("a.py", 100, "a.py|database")
    history = History({case.node_id: Duration(0.0, 1.0, 0.0) for case in huge}, {"a.py|database": 5.0})
    shares = split(huge, history, 2)
    assert [(len(share.node_ids), share.seconds) for share in shares] == [(50, 55.0), (50, 55.0)]


def test_groups_of_equal_length_are_dealt_alike_in_any_order() -> None:
    groups = {"g": (0, 9), "h": (5, 6)}
    cases = [Case(f"a.py::test_{number}", "a.py", group=group) for group, two in groups.items() for number in two]
    expected = [("a.py::test_0", "a.py::test_9"), ("a.py::test_5", "a.py::test_6")]
    for order in permutations(cases):
        assert [share.node_ids for share in split(order, History(), 2)] == expected


def test_without_history_the_shards_have_as_many_tests() -> None:
    shares = split(cases_of("a.py", 10), History(), 4)
    assert sorted(len(share.node_ids) for share in shares) == [2, 2, 3, 3]


def test_tests_that_take_no_time_are_not_all_in_one_shard() -> None:
    cases = cases_of("a.py", 10)
    history = History({case.node_id: Duration(0.0, 0.0, 0.0) for case in cases})
    assert [len(share.node_ids) for share in split(cases, history, 2)] == [5, 5]


def test_more_shards_than_tests() -> None:
    assert [share.node_ids for share in split(cases_of("a.py", 1), History(), 3)] == [("a.py::test_0",), (), ()]


def test_only_what_is_said_of_these_tests_and_fixtures_is_in_the_digest() -> None:
    cases = cases_of("a.py", 2, "a.py|slow")
    history = History({cases[0].node_id: Duration(0.1, 0.2, 0.3)}, {"a.py|slow": 1.0})
    digest = history_digest(history, cases)
    other = {**history.tests, "b.py::test_b": Duration(1.0, 1.0, 1.0)}
    assert history_digest(History(other, {**history.fixtures, "|else": 2.0}), cases) == digest
    assert history_digest(History({cases[0].node_id: Duration(0.1, 0.2, 0.4)}, history.fixtures), cases) != digest
    assert history_digest(History(history.tests, {"a.py|slow": 1.1}), cases) != digest
    assert history_digest(History(), cases) != digest


# which shard


@pytest.mark.parametrize(
    ("asked", "variables", "shard"),
    [
        ("2/3", {}, Shard(2, 3)),
        ("1/1", {"TOXSCREEN_SHARD": "2/3"}, Shard(1, 1)),
        ("auto", {"TOXSCREEN_SHARD": "2/3"}, Shard(2, 3)),
        ("auto", {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, Shard(2, 3)),
        ("auto", {"CI_NODE_TOTAL": "1"}, Shard(1, 1)),
        ("auto", {"CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "4"}, Shard(1, 4)),
        ("auto", {"BUILDKITE_PARALLEL_JOB": "3", "BUILDKITE_PARALLEL_JOB_COUNT": "4"}, Shard(4, 4)),
        ("auto", {"TOXSCREEN_SHARD": "auto", "CIRCLE_NODE_INDEX": "1", "CIRCLE_NODE_TOTAL": "2"}, Shard(2, 2)),
    ],
)
def test_which_shard_is_asked_for(asked: str, variables: dict[str, str], shard: Shard) -> None:
    assert which_shard(asked, variables, asked_by="--screen-shard") == shard


@pytest.mark.parametrize(
    ("asked", "variables", "told"),
    [
        ("0/3", {}, "--screen-shard: there is no shard 0/3 [shard-invalid]"),
        ("4/3", {}, "--screen-shard: there is no shard 4/3 [shard-invalid]"),
        ("x", {}, "--screen-shard: 'x' is no shard [shard-invalid]"),
        ("/", {}, "--screen-shard: '/' is no shard [shard-invalid]"),
        ("-1/3", {}, "--screen-shard: '-1/3' is no shard [shard-invalid]"),
        ("1/3/5", {}, "--screen-shard: '1/3/5' is no shard [shard-invalid]"),
        ("auto", {}, "--screen-shard: is auto, but no variable says which shard this is [shard-invalid]"),
        ("auto", {"CI_NODE_TOTAL": "3"}, "--screen-shard: is auto, but no variable says which shard this is"),
        ("auto", {"TOXSCREEN_SHARD": "3/2"}, "TOXSCREEN_SHARD: there is no shard 3/2 [shard-invalid]"),
        (
            "auto",
            {"CIRCLE_NODE_INDEX": "4", "CIRCLE_NODE_TOTAL": "4"},
            "CIRCLE_NODE_INDEX and CIRCLE_NODE_TOTAL: there is no shard 5/4 [shard-invalid]",
        ),
        (
            "auto",
            {"BUILDKITE_PARALLEL_JOB": "one", "BUILDKITE_PARALLEL_JOB_COUNT": "4"},
            "--screen-shard: BUILDKITE_PARALLEL_JOB is 'one', which is no number [shard-invalid]",
        ),
        (
            "auto",
            {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "2", "CIRCLE_NODE_INDEX": "1", "CIRCLE_NODE_TOTAL": "2"},
            (
                "--screen-shard: the variables contradict each other: 1/2 by GitLab's CI_NODE_INDEX, "
                "2/2 by CircleCI's CIRCLE_NODE_INDEX [shard-invalid]"
            ),
        ),
    ],
)
def test_what_is_no_shard(asked: str, variables: dict[str, str], told: str) -> None:
    with pytest.raises(ShardError) as caught:
        which_shard(asked, variables, asked_by="--screen-shard")
    assert caught.value.render().startswith(told)
