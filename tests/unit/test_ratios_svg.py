"""The picture of ratios: XML in which every benchmark stands once, where its ratio belongs, whatever was measured."""

from __future__ import annotations

import math
import random
import re
from xml.etree import ElementTree as ET

import pytest
from compared import comparison, every_kind, one

from toxscreen.model import Change, Comparison, Interval, SelfCheck
from toxscreen.report.ratios_svg import render

SVG = "{http://www.w3.org/2000/svg}"
LEFT, MIDDLE, RIGHT = 370.0, 615.0, 860.0


def picture(found: Comparison) -> ET.Element:
    return ET.fromstring(render(found))


def texts(top: ET.Element) -> list[str]:
    return [each.text or "" for each in top.iter(f"{SVG}text")]


def dots(top: ET.Element) -> list[tuple[str, float]]:
    """Style and place of each ratio, from the top to the bottom."""
    return [(each.get("class", ""), float(each.get("cx", 0))) for each in top.iter(f"{SVG}circle")]


def bars(top: ET.Element) -> list[tuple[float, float]]:
    """The ends of each interval."""
    drawn = [each.get("d", "") for group in top.iter(f"{SVG}g") for each in group.iter(f"{SVG}path")]
    return [
        (float(found[1]), float(found[2])) for each in drawn if (found := re.match(r"M([\d.]+) [\d.]+H([\d.]+)", each))
    ]


def place(ratio: float, widest: float) -> float:
    return round(MIDDLE + (RIGHT - MIDDLE) * math.log(ratio) / math.log1p(widest), 2)


def test_every_kind() -> None:
    top = picture(every_kind())
    # The narrowest scale that holds 0.89 to 1.06 ends at 1.2.
    assert dots(top) == [("r", place(1.05, 0.2)), ("p", place(0.9, 0.2)), ("q", MIDDLE), ("u", place(1.02, 0.2))]
    assert bars(top)[:2] == [(place(1.04, 0.2), place(1.06, 0.2)), (place(0.89, 0.2), place(0.91, 0.2))]
    told = texts(top)
    assert told[:2] == [
        f"{'c' * 12} against {'b' * 12}",
        "time of one execution, candidate over base; shaded: within the resolution of 3 %",
    ]
    ticks = [each for each in told if re.fullmatch(r"[\d.]+", each)]
    assert sorted(ticks[:5], key=float) == ["0.833", "0.909", "1", "1.1", "1.2"]
    assert [each for each in told if ": tests/" in each] == [
        "broken: tests/perf/test_speed.py::test_broken",
        "gone: tests/perf/test_speed.py::test_gone",
        "new: tests/perf/test_speed.py::test_new",
    ]
    titles = [each.text or "" for each in top.iter(f"{SVG}title")]
    assert (
        "tests/perf/test_speed.py::test_slow[big]\nregressed: 1.050 (1.040 to 1.060)\nslower than 1 %, in two batches"
        in titles
    )


def test_nothing_was_measured() -> None:
    assert dots(picture(comparison())) == []
    assert texts(picture(comparison(one("test_a", Change.NEW))))[-1] == "new: tests/perf/test_speed.py::test_a"


def test_a_noisy_machine_is_told() -> None:
    told = texts(picture(comparison(one("test_a"), self_check=SelfCheck(passed=False, reason="no"))))[1]
    assert told.endswith("; the base against itself did not pass, so nothing is judged")


def test_what_is_beyond_the_edge_lies_on_it() -> None:
    endless = one("test_a", Change.UNDECIDED, interval=Interval(50.0, 0.0, math.inf))
    top = picture(comparison(endless))
    assert (dots(top), bars(top)) == ([("u", RIGHT)], [(LEFT, RIGHT)])


@pytest.mark.parametrize("ratio", [math.nan, math.inf, 0.0])
def test_a_ratio_that_is_none_is_listed(ratio: float) -> None:
    top = picture(comparison(one("test_a", Change.UNDECIDED, interval=Interval(ratio, ratio, ratio))))
    assert dots(top) == []
    assert texts(top)[-1] == "undecided: tests/perf/test_speed.py::test_a"


def test_no_row_leaves_the_picture() -> None:
    chance = random.Random(20261123)
    for _ in range(30):
        ratios = [chance.lognormvariate(0, chance.choice((0.01, 0.1, 1.0))) for _ in range(chance.randint(1, 40))]
        found = [
            one(f"test_<{number}>&\x00é", Change.UNDECIDED, interval=Interval(ratio, ratio * 0.97, ratio * 1.04))
            for number, ratio in enumerate(ratios)
        ]
        top = picture(comparison(*found))
        height = float(top.get("height", 0))
        assert len(dots(top)) == len(found)
        assert all(LEFT <= x <= RIGHT for _, x in dots(top))
        assert all(LEFT <= low <= high <= RIGHT for low, high in bars(top))
        assert all(0 < float(each.get("y", 0)) < height for each in top.iter(f"{SVG}text"))
