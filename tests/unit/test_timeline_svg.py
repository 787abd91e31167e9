"""The picture: XML that holds what it should, where it should, whatever a run is like, and never too large."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from timelines import life, made, ran

from toxscreen.model import Outcome, Run
from toxscreen.plan.timeline import timeline
from toxscreen.report.drawing import fitted, merged, number, strip
from toxscreen.report.timeline_svg import render

SVG = "{http://www.w3.org/2000/svg}"
#: Where the time axis begins, and how long it is.
LEFT, PLOT = 78.0, 1060.0


def picture(run: Run, *notes: str) -> ET.Element:
    return ET.fromstring(render(timeline(run), notes))


def texts(top: ET.Element) -> list[str]:
    return [each.text or "" for each in top.iter(f"{SVG}text")]


def boxes(top: ET.Element, style: str) -> list[tuple[float, float, str]]:
    """Left edge, width and words of the boxes of a style; those of the legend are left out."""
    return [
        (float(each.get("x", 0)), float(each.get("width", 0)), "".join(each.itertext()))
        for each in top.iter(f"{SVG}rect")
        if each.get("class") == style and each.get("height") != "12"
    ]


def segments(top: ET.Element, style: str) -> Iterator[tuple[float, float]]:
    """Left and right edge of the boxes that are drawn as one line."""
    for path in top.iter(f"{SVG}path"):
        if path.get("class") == style:
            now = 0.0
            for move, length in re.findall(r"m(-?[\d.]+) 0h(-?[\d.]+)", path.get("d", "")):
                yield now + float(move), now + float(move) + float(length)
                now += float(move) + float(length)


def test_a_small_run() -> None:
    run = ran(
        {"gw0": [("t.py::test_a", 2.0, 2.0), ("t.py::test_b", 5.0, 1.0)], "gw1": [("t.py::test_c", 2.0, 7.0)]},
        more={
            "t.py::test_a": {"setup": 0.5, "outcome": Outcome.FAILED, "cpu": 0.25, "slept": 1.5, "children": 0.0},
            "t.py::test_b": {"outcome": Outcome.XFAILED},
        },
        fixtures=(made("t.py|db", "t.py::test_a", 2.0, 0.4),),
        spans=(life("gw0", 0.5, 2.0), life("gw1", 0.5, 2.0)),
        lasted=10.0,
    )
    top = picture(run, "1. a note", "   what helps")
    # One second is 106 pixels; boxes that touch are half a pixel apart.
    assert boxes(top, "r") == [
        (
            290.0,
            264.5,
            (
                "t.py::test_a\nfailed, 2.50 s on gw0 from 2.00 s on\nset-up 0.500 s, call 2.00 s\n"
                "computed 0.250 s, slept 1.50 s"
            ),
        )
    ]
    assert boxes(top, "k") == [(608.0, 105.5, "t.py::test_b\nxfailed, 1.00 s on gw0 from 5.00 s on\ncall 1.00 s")]
    assert boxes(top, "p") == [(290.0, 741.5, "t.py::test_c\npassed, 7.00 s on gw1 from 2.00 s on\ncall 7.00 s")]
    assert boxes(top, "s") == [(290.0, 53.0, "")]
    assert boxes(top, "f") == [(290.0, 42.4, "fixture t.py|db: 0.400 s from 2.00 s on")]
    assert boxes(top, "u") == [(78.0, 53.0, f"gw{lane}: starting, 0.500 s") for lane in (0, 1)]
    assert boxes(top, "c") == [(131.0, 159.0, f"gw{lane}: collecting, 1.50 s") for lane in (0, 1)]
    assert boxes(top, "a") == [(1032.0, 106.0, f"gw{lane}: after, 1.00 s") for lane in (0, 1)]
    assert boxes(top, "i") == [
        (LEFT, PLOT, ""),
        (555.0, 53.0, "gw0: idle for 0.500 s from 4.50 s on"),
        (714.0, 318.0, "gw0: idle for 3.00 s from 6.00 s on"),
        (LEFT, PLOT, ""),
    ]
    assert texts(top) == [
        f"run {run.id}",
        "10.00 s altogether · 3 tests on 2 lanes · the first test began after 2.00 s, the last ended after 9.00 s",
        *("passed", "skipped, xfailed, not run", "red", "set-up, teardown", "fixture", "starting", "collecting"),
        *("idle", "after the last test"),
        *(f"{tick} s" for tick in range(11)),
        *("gw0", "2 test_a", "3 test_b", "35 %", "gw1", "1 test_c", "70 %", "busy"),
        "Longest tests",
        *("1", "7.00 s", "gw1 from 2.00 s on", "t.py::test_c"),
        *("2", "2.50 s", "gw0 from 2.00 s on", "t.py::test_a"),
        *("3", "1.00 s", "gw0 from 5.00 s on", "t.py::test_b"),
        *("What bounds it", "1. a note", "what helps"),
    ]
    notes = [each for each in top.iter(f"{SVG}text") if each.text in {"1. a note", "what helps"}]
    assert [float(each.get("x", 0)) for each in notes] == [14.0, 28.0]


def test_text_is_escaped_and_what_xml_cannot_hold_is_replaced() -> None:
    node_id = 't.py::test[<a & "b">\x1b\ud800\ufffe]'
    top = picture(ran({"main": [(node_id, 0.0, 1.0)]}, workers=0))
    shown = 't.py::test[<a & "b">\\x1b\\ud800\ufffd]'
    assert shown in texts(top)
    assert boxes(top, "p")[0][2].partition("\n")[0] == shown


def test_a_run_of_nothing() -> None:
    top = picture(ran({}, finished=None))
    assert (
        "0.000 s altogether · 0 tests on 0 lanes · the first test began after 0.000 s, the last ended after 0.000 s"
        in (texts(top))
    )
    assert "Longest tests" not in texts(top)


def test_a_test_that_took_no_time() -> None:
    run = ran({"main": [("t.py::cut", 0.0, 0.0)]}, workers=0, more={"t.py::cut": {"outcome": Outcome.CRASHED}})
    top = picture(run)
    assert list(segments(top, "r")) == [(LEFT, LEFT + 1)]


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        (
            0.05,
            [
                "0 s",
                "0.005 s",
                "0.01 s",
                "0.015 s",
                "0.02 s",
                "0.025 s",
                "0.03 s",
                "0.035 s",
                "0.04 s",
                "0.045 s",
                "0.05 s",
            ],
        ),
        (7.5, ["0 s", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s", "7 s"]),
        (200.0, ["0 s", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s", "140 s", "160 s", "180 s", "200 s"]),
        (500.0, ["0 min", "1 min", "2 min", "3 min", "4 min", "5 min", "6 min", "7 min", "8 min"]),
        (9000.0, ["0 min", "20 min", "40 min", "60 min", "80 min", "100 min", "120 min", "140 min"]),
        (40000.0, ["0 h", "1 h", "2 h", "3 h", "4 h", "5 h", "6 h", "7 h", "8 h", "9 h", "10 h", "11 h"]),
    ],
)
def test_the_axis_has_round_numbers(seconds: float, ticks: list[str]) -> None:
    top = picture(ran({"main": [("t.py::a", 0.0, seconds)]}, workers=0))
    assert [each.text for each in top.iter(f"{SVG}text") if each.get("class") == "t"] == ticks


def test_red_tests_are_seen_however_short_and_what_is_next_to_each_other_is_one() -> None:
    tests = [(f"t.py::test_{number}", number * 0.001, 0.001) for number in range(10_000)]
    more: dict[str, Any] = {"t.py::test_5000": {"outcome": Outcome.FAILED}}
    top = picture(ran({"main": tests}, workers=0, more=more))
    # Ten seconds: a test is a tenth of a pixel, and a red one on top of the others a whole one.
    (red,) = segments(top, "r")
    assert red == pytest.approx((LEFT + 530, LEFT + 531))
    passed = list(segments(top, "p"))
    assert passed[0][0] == pytest.approx(LEFT)
    assert passed[-1][1] == pytest.approx(LEFT + PLOT, abs=0.6)
    assert len(passed) == 1
    # None of them is wide enough for words.
    assert boxes(top, "p") == []


@pytest.mark.parametrize(("lanes", "tests"), [(1, 1), (2, 300), (64, 6_000), (64, 20_000), (1, 20_000), (300, 10_000)])
def test_a_picture_stays_small(lanes: int, tests: int) -> None:
    dice = random.Random(7)
    loads = [2.0] * lanes
    ran_on: dict[str, list[tuple[str, float, float]]] = {f"gw{lane}": [] for lane in range(lanes)}
    fixtures, more = [], {}
    for test in range(tests):
        lane = test % lanes
        node_id = f"tests/unit/test_some_long_name_of_a_file.py::TestClass::test_{test}[{'x' * 60}]"
        seconds = dice.lognormvariate(0, 1)
        if test % 7 == 0:
            more[node_id] = {"setup": 1.0}
            fixtures.append(made("|database", node_id, loads[lane], 0.9, lane=f"gw{lane}"))
        ran_on[f"gw{lane}"].append((node_id, loads[lane], seconds))
        loads[lane] += seconds + (test % 7 == 0) + dice.choice([0.0, 1.0])
    drawn = render(timeline(ran(ran_on, fixtures=tuple(fixtures), more=more)), ["a note"])
    assert len(drawn) < 1_000_000
    top = ET.fromstring(drawn)
    height = float(top.get("height", 0))
    assert all(float(each.get("y", 0)) + float(each.get("height", 0)) <= height for each in top.iter(f"{SVG}rect"))
    assert [each for each in texts(top) if re.fullmatch(r"gw\d+", each)] == list(ran_on)
    right = max(float(each.get("x", 0)) + float(each.get("width", 0)) for each in top.iter(f"{SVG}rect"))
    assert right <= 1200.0


# pieces


@pytest.mark.parametrize(
    ("words", "width", "shown"),
    [
        ("test_a", 60.0, "test_a"),
        ("test_abcdef", 60.0, "test_abcd…"),
        ("test", 12.0, ""),
        ("a\nb", 60.0, "a b"),
        ("", 5.0, ""),
    ],
)
def test_words_are_cut_to_fit(words: str, width: float, shown: str) -> None:
    assert fitted(words, width, 10.0) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (10.0, "10"), (0.5, "0.5"), (1.256, "1.26"), (-0.25, "-0.25")]
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown


def test_thin_boxes_are_one_line_without_drift() -> None:
    spans = [(10.04, 10.54), (20.0, 30.5), (130.5, 131.0)]
    assert strip("p", spans, 5.0, 8.0) == '<path class="p" stroke-width="8" d="M0 5m10 0h.5m9.5 0h10.5m100 0h.5"/>'
    assert strip("p", [], 5.0, 8.0) == ""


def test_near_boxes_become_one() -> None:
    assert merged([(0.0, 0.1), (0.3, 0.4), (1.0, 3.0), (3.2, 9.0), (12.0, 12.1)], 0.5) == [
        (0.0, 0.5),
        (1.0, 9.0),
        (12.0, 12.5),
    ]
    assert merged([], 0.5) == []
