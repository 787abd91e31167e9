"""From an old run to a plan, and back: pure functions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from toxscreen.errors import ReplayError, UnknownRunError
from toxscreen.model import Attempt, Header, Lane, Order, Outcome, Plan, Run, RunState
from toxscreen.plan.replay import (
    Comparison,
    Difference,
    Likeness,
    Target,
    compare,
    cut,
    first_red,
    likeness,
    pick_lane,
    red_lanes,
    seeds,
    without_replay,
)
from toxscreen.pytest_plugin.replay import selecting

PASSED, FAILED, CRASHED, NOT_RUN = Outcome.PASSED, Outcome.FAILED, Outcome.CRASHED, Outcome.NOT_RUN


def recorded(lanes: dict[str, dict[str, Outcome]], *, collected: tuple[str, ...] | None = None, seed: int = 7) -> Run:
    """A run whose lanes ran these tests, one after the other, all lanes beginning at once."""
    attempts = tuple(
        Attempt(node_id, lane, place, started=100.0 + place, outcome=outcome)
        for lane, tests in lanes.items()
        for place, (node_id, outcome) in enumerate(tests.items())
    )
    if collected is None:
        collected = tuple(attempt.node_id for attempt in attempts)
    header = Header(1, "RUN", "unit", 1.0, (), ".", "python", seed, str(seed), True, None, None, 2)  # noqa: FBT003
    order = Order(tuple(Lane(lane, tuple(tests)) for lane, tests in lanes.items()), seed, "")
    return Run(header, RunState.COMPLETE, attempts, order, collected, 0, 2.0)


TWO = recorded(
    {"gw0": {"a": PASSED, "b": PASSED, "c": FAILED, "d": CRASHED}, "gw1": {"v": PASSED, "w": FAILED, "x": PASSED}}
)


# naming a target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("", Target()),
        ("R", Target("R")),
        ("R:gw1", Target("R", "gw1")),
        ("R:gw1:t.py::C::test[a:b]", Target("R", "gw1", "t.py::C::test[a:b]")),
        ("R::t.py", Target("R", None, "t.py")),
        (":gw1", Target(None, "gw1")),
    ],
)
def test_a_target_is_read_from_text(text: str, target: Target) -> None:
    assert Target.parse(text) == target


@pytest.mark.parametrize("text", ["R", "R:gw1", "R:gw1:t.py::C::test[a:b]"])
def test_a_target_is_written_as_it_is_read(text: str) -> None:
    assert str(Target.parse(text)) == text


@pytest.mark.parametrize(
    ("argv", "left"),
    [
        ((), []),
        (("-n2", "--screen-replay", "R:gw0:a.py::b", "-x"), ["-n2", "-x"]),
        (("--screen-replay=R", "-k", "c"), ["-k", "c"]),
        (("--screen-replay", "--screen-replay", "-x"), ["-x"]),
    ],
)
def test_a_replay_is_taken_out_of_arguments(argv: tuple[str, ...], left: list[str]) -> None:
    assert without_replay(argv) == left


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), ()),
        (("-n2", "-x", "--category", "unit", "-vv"), ()),
        (("-k", "a and b", "-msmoke", "--deselect=t.py"), ("-k", "a and b", "-msmoke", "--deselect=t.py")),
        (("--screen-replay", "R:gw0:t.py::test_a", "folder"), ("folder",)),
        (("folder", "elsewhere", "x" * 5000), ("folder",)),
        (("folder/t.py::test_a",), None),
        (("--lf",), None),
        (("--last-failed-no-failures", "none"), None),
        (("--sw-skip",), None),
    ],
)
def test_what_selects_tests_is_found_in_arguments(
    tmp_path: Path, arguments: tuple[str, ...], told: tuple[str, ...] | None
) -> None:
    (tmp_path / "folder").mkdir()
    assert selecting(arguments, tmp_path) == told


# choosing a lane


def test_red_lanes_are_told_with_their_last_red_test() -> None:
    assert red_lanes(TWO) == {"gw0": "d", "gw1": "w"}


def test_the_first_red_test_is_the_one_that_began_first() -> None:
    found = first_red(TWO)
    assert found is not None
    assert (found.node_id, found.lane) == ("w", "gw1")
    assert first_red(recorded({"gw0": {"a": PASSED}})) is None


def test_without_a_name_the_lane_of_the_first_failure_is_picked() -> None:
    assert pick_lane(TWO, None).name == "gw1"


def test_without_a_failure_the_first_lane_that_ran_anything_is_picked() -> None:
    assert pick_lane(recorded({"gw0": {}, "gw1": {"a": PASSED}}), None).name == "gw1"


def test_a_named_lane_is_picked() -> None:
    assert pick_lane(TWO, "gw0") == Lane("gw0", ("a", "b", "c", "d"))


@pytest.mark.parametrize(("until", "lane"), [("b", "gw0"), ("x", "gw1")])
def test_without_a_name_the_lane_that_ran_the_last_test_is_picked(until: str, lane: str) -> None:
    assert pick_lane(TWO, None, until).name == lane


def test_a_test_that_ran_on_both_lanes_is_taken_from_the_one_that_failed_first() -> None:
    run = recorded({"gw0": {"a": PASSED, "b": PASSED, "c": FAILED}, "gw1": {"b": FAILED}})
    assert pick_lane(run, None, "b").name == "gw1"


def test_an_unknown_lane_is_an_error_that_names_the_lanes() -> None:
    with pytest.raises(UnknownRunError) as caught:
        pick_lane(TWO, "gw3")
    assert caught.value.render() == ("run RUN: has no lane 'gw3' [run-unknown]\n  did you mean 'gw1'? known: gw0, gw1")


def test_a_last_test_that_no_lane_ran_is_an_error_with_the_nearest_names() -> None:
    run = recorded({"gw0": {"t.py::test_one": PASSED}, "gw1": {"t.py::test_two": PASSED}})
    with pytest.raises(UnknownRunError) as caught:
        pick_lane(run, None, "t.py::test_tow")
    assert caught.value.render() == (
        "run RUN: no lane ran 't.py::test_tow' [run-unknown]\n  did you mean 't.py::test_two' or 't.py::test_one'?"
    )


def test_a_run_in_which_nothing_began_cannot_be_replayed() -> None:
    with pytest.raises(ReplayError) as caught:
        pick_lane(recorded({"gw0": {}}), "gw0")
    assert caught.value.render() == (
        "run RUN: no test was begun in it [replay-impossible]\n  choose another of `toxscreen runs`"
    )


# cutting a lane


def test_each_shard_of_a_joined_run_has_its_own_seed() -> None:
    told = [{"shard": "1/2", "seed": 5, "hash_seed": "5"}, {"shard": "2/2", "seed": None, "hash_seed": "9"}]
    joined = replace(TWO, header=replace(TWO.header, merged=("a", "b"), seed=None, extra={"shards": told}))
    assert [seeds(joined, lane) for lane in ("1.gw0", "2.gw1", "3.gw0")] == [(5, "5"), (None, "9"), (None, "7")]
    assert seeds(TWO, "gw0") == seeds(TWO, None) == (7, "7")
    strange = replace(joined, header=replace(joined.header, extra={"shards": "many"}))
    assert seeds(strange, "1.gw0") == (None, "7")


def test_a_lane_is_cut_after_a_test() -> None:
    lane = Lane("gw0", ("a", "b", "c"))
    assert cut(lane, "b") == Lane("gw0", ("a", "b"))
    assert cut(lane, None) is lane


def test_a_group_may_be_left_out_of_the_name_of_a_last_test() -> None:
    lane = Lane("gw0", ("a@x", "mail[me@home]", "b@x"))
    assert cut(lane, "a").node_ids == ("a@x",)
    assert cut(lane, "mail[me@home]").node_ids == ("a@x", "mail[me@home]")


@pytest.mark.parametrize(
    ("until", "hint"),
    [
        ("t.py::test_tow", "did you mean 't.py::test_two' or 't.py::test_one'?"),
        ("0815", "`toxscreen runs RUN --order` shows what ran where"),
    ],
)
def test_a_last_test_that_the_lane_did_not_run_is_an_error(until: str, hint: str) -> None:
    with pytest.raises(UnknownRunError) as caught:
        cut(Lane("gw0", ("t.py::test_one", "t.py::test_two")), until)
    assert caught.value.render() == f"lane gw0 did not run {until!r} [run-unknown]\n  {hint}"


# today's collection


def test_a_lane_becomes_a_plan_over_what_is_collected_today() -> None:
    old = recorded({"gw0": {"c": PASSED, "gone": PASSED, "a": FAILED}, "gw1": {"b": PASSED}})
    today = ["a", "b", "c", "new"]
    assert compare(old, old.order.lanes[0], today, today) == Comparison(
        plan=Plan(
            (Lane("gw0", ("c", "a")),), (("b", "not on lane gw0"), ("new", "not on lane gw0")), 7, "replay of RUN:gw0"
        ),
        gone=("gone",),
        new=("new",),
    )


def test_only_what_would_be_selected_today_can_be_new() -> None:
    old = recorded({"gw0": {"a": PASSED}})
    found = compare(old, old.order.lanes[0], ["a", "of another category", "new"], ["a", "new"])
    assert (found.gone, found.new) == ((), ("new",))


def test_what_was_collected_and_never_ran_is_not_new() -> None:
    old = recorded({"gw0": {"a": PASSED}}, collected=("a", "b"))
    assert compare(old, old.order.lanes[0], ["a", "b"], ["a", "b"]).new == ()


def test_without_a_recorded_collection_what_ran_is_known() -> None:
    old = recorded({"gw0": {"a": PASSED}, "gw1": {"b": PASSED}}, collected=())
    assert compare(old, old.order.lanes[0], ["a", "b", "c"], ["a", "b", "c"]).new == ("c",)


# how far it was repeated


def test_the_same_order_and_outcomes() -> None:
    again = recorded({"main": {"v": PASSED, "w": FAILED, "x": PASSED}})
    found = likeness(TWO, TWO.order.lanes[1], again)
    assert found == Likeness(same_order=True, differences=())
    assert (found.same_outcomes, str(found)) == (True, "same order, same outcomes")


def test_another_order_and_other_outcomes() -> None:
    again = recorded({"main": {"w": PASSED, "v": PASSED}})
    found = likeness(TWO, TWO.order.lanes[1], again)
    assert found == Likeness(
        same_order=False, differences=(Difference("w", FAILED, PASSED), Difference("x", PASSED, None))
    )
    assert str(found) == "another order, other outcomes"
    assert [str(each) for each in found.differences] == ["w: failed then, passed now", "x: passed then, absent now"]


def test_a_cut_lane_is_compared_as_far_as_it_goes() -> None:
    again = recorded({"main": {"a": PASSED, "b": PASSED}})
    assert str(likeness(TWO, cut(TWO.order.lanes[0], "b"), again)) == "same order, same outcomes"


def test_a_test_that_was_interrupted_then_may_end_in_any_way_now() -> None:
    old = recorded({"gw0": {"a": PASSED, "b": NOT_RUN}})
    assert str(likeness(old, old.order.lanes[0], recorded({"main": {"a": PASSED, "b": FAILED}}))) == (
        "same order, same outcomes"
    )


def test_groups_of_old_node_ids_do_not_count() -> None:
    old = recorded({"gw0": {"a@x": PASSED, "b[me@home]": PASSED, "c@y": FAILED}})
    again = recorded({"main": {"a": PASSED, "b[me@home]": PASSED, "c": FAILED}})
    assert str(likeness(old, old.order.lanes[0], again)) == "same order, same outcomes"
