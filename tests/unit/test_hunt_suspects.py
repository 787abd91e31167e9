"""Which outcomes of a probe tell of a dependence on other tests, for every way in which a probe can end."""

from __future__ import annotations

import pytest

from toxscreen.hunt.suspects import Suspect, alike, rest_of, sharing, sightings, suspects
from toxscreen.model import Ended, Frame, Origin, Outcome, Probe, Sighting

KEY = Origin("KeyError", "t.py", 3)


def saw(node_id: str, outcome: Outcome = Outcome.PASSED, origin: Origin | None = None) -> Sighting:
    return Sighting(node_id, outcome, origin)


def probe(node_ids: str, *seen: Sighting, ended: Ended = Ended.DONE) -> Probe:
    return Probe(tuple(node_ids.split()), "forked", seen, ended, 0.5)


@pytest.mark.parametrize(
    ("found", "last", "all_seen", "rest"),
    [
        pytest.param(
            probe("a b", saw("a"), saw("b", Outcome.FAILED, KEY)),
            saw("b", Outcome.FAILED, KEY),
            (saw("a"), saw("b", Outcome.FAILED, KEY)),
            (),
            id="done",
        ),
        pytest.param(
            probe("a b", saw("a"), saw("b"), ended=Ended.HUNG),
            saw("b"),
            (saw("a"), saw("b")),
            (),
            id="hung after all tests",
        ),
        pytest.param(
            probe("a b", saw("a"), saw("b", Outcome.SKIPPED), ended=Ended.DIED),
            saw("b", Outcome.SKIPPED),
            (saw("a"), saw("b", Outcome.SKIPPED)),
            (),
            id="died after all tests",
        ),
        pytest.param(
            probe("a b", saw("a"), ended=Ended.HUNG),
            saw("b", Outcome.TIMED_OUT),
            (saw("a"), saw("b", Outcome.TIMED_OUT)),
            (),
            id="hung at the last",
        ),
        pytest.param(
            probe("a b", saw("a"), ended=Ended.DIED),
            saw("b", Outcome.CRASHED),
            (saw("a"), saw("b", Outcome.CRASHED)),
            (),
            id="died at the last",
        ),
        pytest.param(
            probe("a b c d", saw("a"), ended=Ended.HUNG),
            saw("d", Outcome.NOT_RUN),
            (saw("a"), saw("b", Outcome.TIMED_OUT)),
            ("c", "d"),
            id="hung in the middle",
        ),
        pytest.param(
            probe("a b c d", saw("a"), ended=Ended.DIED),
            saw("d", Outcome.NOT_RUN),
            (saw("a"), saw("b", Outcome.CRASHED)),
            ("c", "d"),
            id="died in the middle",
        ),
        pytest.param(
            probe("a b", ended=Ended.DIED),
            saw("b", Outcome.NOT_RUN),
            (saw("a", Outcome.CRASHED),),
            ("b",),
            id="died at the first",
        ),
        pytest.param(
            probe("a", ended=Ended.HUNG),
            saw("a", Outcome.TIMED_OUT),
            (saw("a", Outcome.TIMED_OUT),),
            (),
            id="hung alone",
        ),
        pytest.param(
            probe("a", ended=Ended.DIED), saw("a", Outcome.CRASHED), (saw("a", Outcome.CRASHED),), (), id="died alone"
        ),
        pytest.param(
            probe("a a", saw("a"), ended=Ended.DIED),
            saw("a", Outcome.CRASHED),
            (saw("a"), saw("a", Outcome.CRASHED)),
            (),
            id="died the second time",
        ),
    ],
)
def test_what_a_probe_saw_and_did_not_come_to(
    found: Probe, last: Sighting, all_seen: tuple[Sighting, ...], rest: tuple[str, ...]
) -> None:
    assert (found.last, sightings(found), rest_of(found)) == (last, all_seen, rest)


# suspects


def test_a_test_that_is_red_only_after_others_is_a_victim() -> None:
    alone = {name: saw(name) for name in "abc"}
    found = suspects(probe("b a c", saw("b"), saw("a"), saw("c", Outcome.ERROR, KEY)), alone)
    assert found == [Suspect("c", ("b", "a"), saw("c"), saw("c", Outcome.ERROR, KEY))]
    assert found[0].is_victim is True


def test_a_test_that_is_green_only_after_others_is_not_a_victim() -> None:
    alone = {"a": saw("a"), "b": saw("b", Outcome.FAILED, KEY)}
    found = suspects(probe("a b", saw("a"), saw("b")), alone)
    assert found == [Suspect("b", ("a",), saw("b", Outcome.FAILED, KEY), saw("b"))]
    assert found[0].is_victim is False


def test_every_suspect_of_a_probe_is_found_with_all_that_ran_before_it() -> None:
    alone = {name: saw(name) for name in "abcd"}
    red = [saw(name, Outcome.FAILED) for name in "bd"]
    assert suspects(probe("a b c d", saw("a"), red[0], saw("c"), red[1]), alone) == [
        Suspect("b", ("a",), saw("b"), red[0]),
        Suspect("d", ("a", "b", "c"), saw("d"), red[1]),
    ]


@pytest.mark.parametrize(
    ("ended", "outcome"), [(Ended.HUNG, Outcome.TIMED_OUT), (Ended.DIED, Outcome.CRASHED)], ids=["hung", "died"]
)
def test_the_test_that_a_probe_ended_in_is_a_suspect_and_those_after_it_are_not(ended: Ended, outcome: Outcome) -> None:
    alone = {name: saw(name) for name in "abc"}
    assert suspects(probe("a b c", saw("a"), ended=ended), alone) == [Suspect("b", ("a",), saw("b"), saw("b", outcome))]


@pytest.mark.parametrize(
    ("found", "alone"),
    [
        pytest.param(probe("a b", saw("a"), saw("b", Outcome.SKIPPED)), {"b": saw("b")}, id="green in another way"),
        pytest.param(
            probe("a b", saw("a"), saw("b", Outcome.CRASHED)), {"b": saw("b", Outcome.FAILED)}, id="red in another way"
        ),
        pytest.param(probe("a b", saw("a"), saw("b", Outcome.FAILED)), {"a": saw("a")}, id="not seen alone"),
        pytest.param(
            probe("a b", saw("a", Outcome.FAILED), saw("b")), {"a": saw("a"), "b": saw("b")}, id="nothing before"
        ),
    ],
)
def test_what_is_no_suspect(found: Probe, alone: dict[str, Sighting]) -> None:
    assert suspects(found, alone) == []


# who shares what


def touching(outcome: Outcome = Outcome.PASSED, **touched: str) -> dict[str, Sighting]:
    """Tests alone, each with the words for what it touches."""
    return {name: Sighting(name, outcome, touched=tuple(things.split())) for name, things in touched.items()}


@pytest.mark.parametrize(
    ("alone", "pairs"),
    [
        pytest.param({}, {}, id="no tests"),
        pytest.param(touching(a="x", b="y", c=""), {}, id="nothing in common"),
        pytest.param(touching(b="x", a="x"), {("a", "b"): "x"}, id="in the order of their names"),
        pytest.param(
            touching(a="x", b="x", c="x"), {("a", "b"): "x", ("a", "c"): "x", ("b", "c"): "x"}, id="three of them"
        ),
        pytest.param(touching(a="x y", b="y x"), {("a", "b"): "x"}, id="two things"),
        pytest.param(touching(a="x", b="x y", c="y"), {("a", "b"): "x", ("b", "c"): "y"}, id="a chain"),
        pytest.param({**touching(a="x"), **touching(Outcome.FAILED, b="x")}, {}, id="red ones are left out"),
        pytest.param(
            {**touching(a="x"), **touching(Outcome.SKIPPED, b="x")}, {("a", "b"): "x"}, id="skipped ones are not"
        ),
        pytest.param(
            {
                "a": Sighting("a", Outcome.PASSED, touched=("connection to port 1",)),
                "b": Sighting("b", Outcome.PASSED, touched=("connection to port 1",)),
                "c": Sighting("c", Outcome.PASSED, touched=("port 1", "connection to port 1")),
            },
            {("a", "c"): "port 1", ("b", "c"): "port 1"},
            id="two that only connect are no pair",
        ),
    ],
)
def test_which_tests_touch_the_same(alone: dict[str, Sighting], pairs: dict[tuple[str, str], str]) -> None:
    assert sharing(alone) == pairs


# alike


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (saw("a"), saw("a"), True),
        (saw("a"), saw("a", Outcome.XFAILED), True),
        (saw("a", Outcome.SKIPPED), saw("a", Outcome.XPASSED), True),
        (saw("a"), saw("a", Outcome.FAILED), False),
        (saw("a"), saw("a", Outcome.TIMED_OUT), False),
        (saw("a", Outcome.FAILED, KEY), saw("a", Outcome.FAILED, Origin("KeyError", "t.py", 3)), True),
        # An outcome beside the same origin says only in which phase it was raised.
        (saw("a", Outcome.FAILED, KEY), saw("a", Outcome.ERROR, KEY), True),
        (saw("a", Outcome.FAILED, KEY), saw("a", Outcome.FAILED, Origin("KeyError", "t.py", 4)), False),
        (saw("a", Outcome.FAILED, KEY), saw("a", Outcome.FAILED, Origin("ValueError", "t.py", 3)), False),
        (
            saw("a", Outcome.FAILED, KEY),
            saw("a", Outcome.FAILED, Origin("KeyError", "t.py", 3, (Frame("OSError", "u.py", 1),))),
            False,
        ),
        (saw("a", Outcome.FAILED), saw("a", Outcome.FAILED, KEY), True),
        (saw("a", Outcome.CRASHED), saw("a", Outcome.FAILED, KEY), False),
        (saw("a", Outcome.CRASHED), saw("a", Outcome.CRASHED), True),
        (saw("a", Outcome.CRASHED), saw("a", Outcome.TIMED_OUT), False),
    ],
)
def test_when_two_sightings_are_the_same(one: Sighting, other: Sighting, *, same: bool) -> None:
    assert (alike(one, other), alike(other, one)) == (same, same)
