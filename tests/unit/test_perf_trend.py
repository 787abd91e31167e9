"""Trends: what is remembered of comparisons, and what files of other tools say. Nothing is judged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from compared import BASE, CANDIDATE, FILE, comparison, every_kind, one

from toxscreen.cli import perf_trend
from toxscreen.errors import BenchmarkFileError, ErrorGroup
from toxscreen.model import Change, Comparison, Interval, Revision, SelfCheck
from toxscreen.perf import foreign, trend
from toxscreen.perf.foreign import Sample
from toxscreen.perf.trend import Chain, Step
from toxscreen.report.terminal import render

WHERE = ".toxscreen/perf/trend.jsonl"


def step(base: str, candidate: str, **ratios: float) -> Step:
    return Step(base, candidate, 1.0, dict(ratios), dict.fromkeys(ratios, 0.002))


# what is remembered


def test_a_comparison_that_nobody_objected_to_is_remembered_once(tmp_path: Path) -> None:
    found = comparison(one("test_a"), one("test_b", Change.IMPROVED), one("test_c", Change.NEW))
    trend.note(tmp_path, found)
    trend.note(tmp_path, replace(found, started=5.0))
    ratios = {f"{FILE}::test_a": 1.0, f"{FILE}::test_b": 0.9}
    seconds = {name: 0.002 * ratio for name, ratio in ratios.items()}
    assert trend.read(tmp_path) == [Step(BASE, CANDIDATE, 5.0, ratios, seconds)]
    assert (tmp_path / ".toxscreen" / ".gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.parametrize(
    "found",
    [
        every_kind(),
        comparison(one("test_a"), one("test_b", Change.UNDECIDED)),
        comparison(one("test_a", Change.NEW)),
        comparison(one("test_a"), complete=False),
        comparison(one("test_a"), self_check=SelfCheck(passed=False, reason="no")),
        comparison(one("test_a"), candidate=Revision("working tree", CANDIDATE, dirty=True)),
        comparison(one("test_a"), base=Revision("base", None)),
        comparison(one("test_a"), base=Revision("itself", CANDIDATE)),
    ],
)
def test_what_is_not_sure_is_not_remembered(found: Comparison, tmp_path: Path) -> None:
    trend.note(tmp_path, found)
    assert trend.read(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / ".toxscreen").write_text("a file", encoding="utf-8")
    trend.note(tmp_path, comparison(one("test_a")))
    assert trend.read(tmp_path) == []


def test_lines_that_nobody_can_read_are_left_out(tmp_path: Path) -> None:
    file = trend.make_folder(tmp_path) / trend.FILE
    good = step("a", "b", test=1.5)
    bad = [
        "{",
        "3",
        "{}",
        json.dumps({**good._asdict(), "ratios": {"x": -1}}),
        json.dumps({**good._asdict(), "seconds": 1}),
    ]
    lines = [*(line.encode() for line in bad), b"\xff", json.dumps(good._asdict()).encode()]
    file.write_bytes(b"\n".join(lines))
    assert trend.read(tmp_path) == [good]


def test_what_cannot_be_replaced_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (trend.make_folder(tmp_path) / trend.FILE).mkdir()
    trend.note(tmp_path, comparison(one("test_a")))
    assert [path.name for path in trend.folder(tmp_path).iterdir()] == [trend.FILE]


def test_chains_end_where_a_comparison_lacks() -> None:
    steps = [
        step("a", "b", one=1.5, two=3.0),
        step("b", "c", one=2.0),
        step("x", "y", two=0.5),
        step("c", "d", one=0.5),
    ]
    assert trend.chains(steps) == [
        Chain("one", "a", "d", 3, 0.5, 1.5, 0.002),
        Chain("two", "x", "y", 1, 0.5, 0.5, 0.002),
    ]


def test_the_page_of_a_project(tmp_path: Path) -> None:
    assert render(perf_trend.of_project(tmp_path).page).splitlines() == [
        "performance: no trend",
        f"no comparison is remembered in {WHERE}: those count in which nothing is slower or left open",
    ]
    trend.note(tmp_path, comparison(one("test_a", interval=Interval(1.01, 1.0, 1.02))))
    answer = perf_trend.of_project(tmp_path)
    assert render(answer.page).splitlines() == [
        "performance: trend of 1 benchmark over 1 comparison",
        "candidate over base: below 1 is faster; a chain ends where a comparison lacks",
        "nothing is judged here",
        "",
        "Benchmark                         Comparisons  Since         Until          Last  All together  Now",
        "tests/perf/test_speed.py::test_a            1  bbbbbbbbbbbb  cccccccccccc  1.010         1.010  2 ms",
        "",
        "read from .toxscreen/perf/trend.jsonl",
    ]
    assert answer.status == 0


# files of other tools


def of_pytest(median: float, when: str, commit: str = "1234567890abcdef", node: str = "one") -> dict[str, Any]:
    return {
        "machine_info": {"node": node},
        "commit_info": {"id": commit, "time": "2020-01-01T00:00:00Z", "dirty": False},
        "benchmarks": [{"name": "test_a", "fullname": "t.py::test_a", "stats": {"median": median, "rounds": 9}}],
        "datetime": when,
        "version": "5.1.0",
    }


PYPERF = {
    "version": "1.0",
    "metadata": {"name": "telco", "unit": "second"},
    "benchmarks": [
        {
            "runs": [
                {"metadata": {"date": "2016-10-21 03:14:19.670631", "hostname": "two"}, "warmups": [[1, 0.5]]},
                {"metadata": {"date": "2016-10-21 03:14:20.000000", "hostname": "two"}, "values": [0.1, 0.3]},
                {"values": [0.2]},
            ]
        },
        {"metadata": {"name": "memory", "unit": "byte"}, "runs": [{"values": [4096]}]},
        {"metadata": {"name": "calibrated"}, "runs": [{"warmups": [[1, 0.5]]}]},
    ],
}


def written(folder: Path, name: str, document: object) -> str:
    (folder / name).write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return name


def test_a_file_of_pytest_benchmark(tmp_path: Path) -> None:
    name = written(tmp_path, "a.json", of_pytest(0.002, "2026-01-02T03:04:05.678901"))
    assert foreign.read(tmp_path / name, name) == [
        Sample("t.py::test_a", 0.002, 9, 1767323045.678901, "1234567890abcdef", "one")
    ]


def test_a_file_of_pyperf(tmp_path: Path) -> None:
    name = written(tmp_path, "p.json", PYPERF)
    assert foreign.read(tmp_path / name, name) == [Sample("telco", 0.2, 3, 1477019659.670631, "p", "two")]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "is no JSON: Expecting property name"),
        ("[]", "is a file of neither pytest-benchmark nor pyperf (AttributeError:"),
        ("3", "is a file of neither pytest-benchmark nor pyperf (TypeError:"),
        ({}, "is a file of neither pytest-benchmark nor pyperf (KeyError: 'benchmarks')"),
        ({"benchmarks": []}, "holds no time of a benchmark"),
        ({**PYPERF, "benchmarks": PYPERF["benchmarks"][1:]}, "holds no time of a benchmark"),  # type: ignore[index]
        (of_pytest(0.0, ""), "is a file of neither pytest-benchmark nor pyperf (ValueError: 0.0 is no time)"),
        (of_pytest(float("nan"), ""), "is a file of neither pytest-benchmark nor pyperf (ValueError: nan is no time)"),
    ],
)
def test_files_that_are_none(document: object, told: str, tmp_path: Path) -> None:
    name = written(tmp_path, "x.json", document)
    with pytest.raises(BenchmarkFileError) as caught:
        foreign.read(tmp_path / name, name)
    first, hint = caught.value.render().splitlines()
    assert first.startswith(f"x.json: {told}")
    assert first.endswith("[benchmarks-unreadable]")
    assert hint == "  name files that `pytest --benchmark-json FILE` or `pyperf ... -o FILE` has written"


def test_files_that_are_not_there_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(ErrorGroup) as caught:
        perf_trend.of_files(tmp_path, ["a.json", "b.json"])
    assert [each.message for each in caught.value.errors] == ["cannot be read: No such file or directory"] * 2


def test_the_page_of_files_is_in_order_of_time(tmp_path: Path) -> None:
    new = written(tmp_path, "new.json", of_pytest(0.003, "2026-02-01T00:00:00", "f" * 40, "two"))
    old = written(tmp_path, "old.json", of_pytest(0.002, "2026-01-01T00:00:00", "e" * 40))
    assert render(perf_trend.of_files(tmp_path, [new, old]).page).splitlines() == [
        "performance: 1 benchmark in 2 files",
        "seconds as the files have them; nothing is judged here",
        "measured on 2 machines, whose seconds do not compare: one, two",
        "",
        "Benchmark     Measured  First  Last  Change   Fastest  From                       To",
        "t.py::test_a         2  2 ms   3 ms  +50.0 %  2 ms     eeeeeeeeeeee (2026-01-01)  ffffffffffff (2026-02-01)",
    ]


def test_where_one_file_does_not_say_when_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    new = written(tmp_path, "new.json", of_pytest(0.003, "2026-02-01T00:00:00", ""))
    nobody_knows = {"commit_info": {}, "benchmarks": [{"fullname": "t.py::test_a", "stats": {"median": 1.5}}]}
    undated = written(tmp_path, "undated.json", nobody_knows)
    answer = perf_trend.of_files(tmp_path, [new, undated])
    assert answer.page.tables[0].rows == (
        ("t.py::test_a", "2", "3 ms", "1.5 s", "+49900.0 %", "3 ms", "new (2026-02-01)", "undated"),
    )
