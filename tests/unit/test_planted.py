"""The suites that the hunt is judged by: they do what the model says, and what is said wrongly of them is noticed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from judged import Grove, bugs
from planted import BUGS, FAILS, Change, Check, Planted

from toxscreen.testing import Suite


@pytest.fixture
def _kept_environment() -> Iterator[None]:
    was = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(was)


@pytest.mark.usefixtures("_kept_environment")
@pytest.mark.parametrize("is_reversed", [False, True])
def test_suites_do_what_the_model_says(is_reversed: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    grove = Grove(dict.fromkeys(range(len(BUGS))), seed=1)
    node_ids = sorted(grove.tests, reverse=is_reversed)
    result = Suite(grove.files).at(tmp_path).run_inline("-p", "no:randomly", "--tb=line", "-v", *node_ids)
    seen = dict(line.split()[:2] for line in result.stdout.splitlines() if "::" in line and "%]" in line)
    expected = ["PASSED" if line is None else "FAILED" for line in grove.run(node_ids)]
    assert seen == dict(zip(node_ids, expected, strict=True))


def test_all_kinds_of_bugs_are_planted_and_no_others() -> None:
    for number, kind in enumerate(BUGS):
        grove = Grove({number: None}, seed=2)
        (word, *_) = kind.replace(",", "").split()
        kinds = {
            "none": [],
            "brittle": ["brittle"],
            "self-polluting": ["self-polluting"],
            "deterministic": ["deterministic"],
            "failed": ["deterministic", "victim"],
            "two": ["victim"] * (2 if kind == "two victims" else 1),
            "chain": ["victim", "victim"],
        }.get(word, ["victim"])
        assert (kind, sorted(grove.bugs.values())) == (kind, kinds)
        assert 4 <= len(grove.tests) <= 16


def _planted(name: str, *steps: Change | Check) -> Planted:
    return Planted(name, steps, tuple(range(1, len(steps) + 1)))


def _if(*keys: str) -> Check:
    return Check((tuple((key, True) for key in keys),))


TESTS = [
    _planted("victim", _if("bread", "salt")),
    _planted("bakes", Change("bread")),
    _planted("salts", Change("salt")),
    _planted("eats", Change("bread", on=False)),
    _planted("brittle", Check(((("bread", False),),))),
    _planted("red", FAILS),
    _planted("once", _if("fruit"), Change("fruit")),
    _planted("idle"),
]


def told(kind: str, node_id: str, partners: str = "", **other: Any) -> dict[str, Any]:
    """A finding as ``--json`` has it."""
    culprit = {"path": "state.KEPT['bread']", "before": "absent", "after": "1", "proved": True}
    culprit = {**culprit, "path": "fruit"} if node_id == "once" else culprit
    finding = {"kind": kind, "node_id": node_id, "partners": partners.split(), "proved": True, "origin": {"line": 1}}
    return {**finding, "culprits": [culprit], "proof": [], "cleaner": None, **other}


def _grove() -> Grove:
    grove = Grove({}, seed=1)
    grove.plant("a suite", TESTS)
    return grove


def test_what_is_to_be_found() -> None:
    assert bugs(TESTS) == {
        "victim": "victim",
        "brittle": "brittle",
        "red": "deterministic",
        "once": "self-polluting",
    }


RIGHT = [
    told("victim", "victim", "bakes salts", cleaner="eats"),
    told("brittle", "brittle", "bakes"),
    told("deterministic", "red"),
    told("self-polluting", "once"),
]


def test_what_is_right_is_not_wrong() -> None:
    score = _grove().score(RIGHT)
    assert (score.wrong, score.missed) == ((), ())
    assert (score.planted, score.found, score.in_sequence, score.undone) == (4, 4, 3, 3)


def test_what_was_missed() -> None:
    score = _grove().score(RIGHT[2:])
    assert score.missed == ("a suite: victim victim", "a suite: brittle brittle")
    # In the order as written a cleaner is before the brittle test, and in the reverse no state-setter is.
    assert score.lost == ("a suite: victim victim",)
    assert (score.planted, score.found) == (4, 2)


RED = [{"outcome": "failed"}]


@pytest.mark.parametrize(
    ("finding", "wrong"),
    [
        (told("victim", "victim", "bakes"), ["alone it fails at line None, after them at None", "fails at line None"]),
        (told("victim", "victim", "bakes idle salts"), ["('bakes', 'salts') are enough"]),
        (told("victim", "victim", "bakes eats salts"), ["alone it fails at line None, after them at None"]),
        (told("victim", "idle", "bakes"), ["is innocent", "() are enough", "does not depend on state.KEPT['bread']"]),
        (told("victim", "victim", "bakes salts", cleaner="idle"), ["idle cleans nothing"]),
        (told("victim", "victim", "bakes salts", proved=False), ["not proved"]),
        (told("victim", "victim", "bakes salts", origin={"line": 2}), ["fails at line 1, not at {'line': 2}"]),
        (told("brittle", "brittle", "bakes salts"), ["('bakes',) are enough"]),
        (told("deterministic", "brittle"), ["is brittle"]),
        (told("deterministic", "red", "bakes"), ["has partners"]),
        (told("deterministic", "red", proof=[{"node_ids": ["idle"], "seen": RED}]), ["the probe ['idle'] fails at"]),
        (told("chance", "victim", proved=False), ["is victim", "not proved"]),
    ],
)
def test_what_is_wrong_is_noticed(finding: dict[str, Any], wrong: list[str]) -> None:
    found = _grove().wrong(finding)
    assert [text for text in wrong if not any(text in each for each in found)] == []
    assert found


def test_nothing_is_said_twice() -> None:
    score = _grove().score([*RIGHT, RIGHT[0]])
    assert score.wrong == ("a suite: victim is found more than once",)
