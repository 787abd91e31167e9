"""The file of measured pairs, and what is made of it again."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest
from paired_noise import clinging, decided, normal
from recorded_pairs import (
    Pair,
    by_benchmark,
    clings,
    described,
    fails_by_stored,
    in_order,
    of_round,
    read_pairs,
    resampled,
    told,
    write_pairs,
)

from toxscreen.model import Change
from toxscreen.plan.paired import Method


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    pairs = [Pair("A/A idle", 0.0, "t.py::test_é", -0.001, 0.25, 0.24), Pair("A/B 5 %", 0.05, "t.py::test", 0.05)]
    write_pairs(file, pairs[:1])
    write_pairs(file, pairs[1:])
    assert read_pairs(file) == pairs
    assert by_benchmark([*pairs, *pairs]) == [[pairs[0]] * 2, [pairs[1]] * 2]


@pytest.mark.parametrize("line", ["{", "[]", '{"condition": "A/A"}', '{"other": 1}'])
def test_a_line_that_is_no_pair(line: str, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    write_pairs(file, [Pair("A/A", 0.0, "a", 0.0)])
    file.write_text(file.read_text(encoding="utf-8") + line, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^pairs.jsonl:2 is not a pair: "):
        read_pairs(file)


def test_the_pairs_of_a_round() -> None:
    assert of_round("A/B 5 %", 0.05, {"a": 0.05, "b": 0.04}, {"b": (1.0, 1.04), "c": (1.0, 1.0)}) == [
        Pair("A/B 5 %", 0.05, "a", 0.05),
        Pair("A/B 5 %", 0.05, "b", 0.04, 1.0, 1.04),
    ]


def test_blocks_keep_their_order_and_go_round() -> None:
    drawn = list(islice(resampled([[0.0, 1.0, 2.0, 3.0, 4.0]], 3)(random.Random(1)), 300))
    assert all((drawn[place + 1] - drawn[place]) % 5 == 1 for place in range(300) if place % 3 != 2)
    assert set(drawn) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_one_draw_is_of_one_benchmark() -> None:
    noise = resampled([[1.0, 2.0], [3.0, 4.0]], 1)
    assert {frozenset(islice(noise(random.Random(seed)), 20)) for seed in range(20)} == {
        frozenset({1.0, 2.0}),
        frozenset({3.0, 4.0}),
    }


def test_in_order_each_pair_counts_once() -> None:
    quiet, slower = [0.0] * 16, [0.1] * 32
    assert in_order([[*quiet, *slower, *quiet, *slower[:31]], [*quiet[:15]]], Method()) == {
        Change.SAME: 2,
        Change.REGRESSED: 1,
    }


def test_how_much_pairs_cling() -> None:
    def of(kept: float) -> float:
        return clings(list(islice(clinging(0.02, kept)(random.Random(1)), 2000)))

    assert of(0.0) == pytest.approx(0.0, abs=0.05)
    assert of(0.5) == pytest.approx(0.5, abs=0.07)
    assert clings([0.0] * 9) == clings([1.0, 2.0]) == 0.0


def test_a_stored_baseline_is_of_another_time() -> None:
    seconds = [(1.0, 1.0), (1.0, 1.04), (1.0, 1.06), (2.0, 2.0), (1.0, 1.0)]
    pairs = [Pair("A/A", 0.0, "a", 0.0, base, candidate) for base, candidate in seconds]
    # 1.04, 1.06, 2.0 and 0.5 of the base before.
    assert fails_by_stored(pairs) == (2, 4)
    assert fails_by_stored([Pair("A/A", 0.0, "a", 0.0)] * 3) == (0, 0)
    assert fails_by_stored([pairs[0], pairs[3]._replace(node_id="b")]) == (0, 0)


def test_rows_to_show() -> None:
    assert told("quiet", decided(normal(0.005), 0.0, 3)) == {
        "what": "quiet",
        "decisions": 3,
        "same": 3,
        "suspected": 0,
        "pairs": 16.0,
    }
    assert described([[0.01, -0.01], [0.0]]) == {"pairs recorded": 3, "deviation": 0.0141, "clings": 0.0}
