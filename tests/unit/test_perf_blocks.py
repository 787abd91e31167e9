"""How long blocks are, how many there are, and what a pair of them says."""

from __future__ import annotations

from math import log

import pytest

from toxscreen.model import Clock
from toxscreen.perf.blocks import (
    LEAST_SECONDS,
    MOST_BLOCKS,
    Block,
    count,
    figure,
    is_enough,
    is_waiting,
    more_executions,
)


def block(seconds: float, cpu: float | None = None, whole: float | None = None) -> Block:
    return Block(seconds if cpu is None else cpu, seconds, seconds if whole is None else whole)


def blocks(*seconds: float) -> list[Block]:
    return [block(each) for each in seconds]


@pytest.mark.parametrize(
    ("each", "expected"), [(1e-7, 44_000), (1e-5, 441), (0.0003, 15), (0.0011, 4), (0.0035, 2), (0.009, 1), (2.0, 1)]
)
def test_executions_are_added_until_a_block_is_long_enough(each: float, expected: int) -> None:
    times = 1
    while not is_enough(block(times * each)):
        times = more_executions(times, block(times * each))
    assert times == expected


def test_long_set_ups_end_it_too() -> None:
    times, tried = 1, [1]
    while not is_enough(block(times * 1e-5, whole=times * 0.01)):
        times = more_executions(times, block(times * 1e-5, whole=times * 0.01))
        tried.append(times)
    assert tried == [1, 11]


def test_a_clock_that_did_not_move_asks_for_more() -> None:
    assert more_executions(3, block(0.0)) == 30
    assert count(block(0.0)) == MOST_BLOCKS


@pytest.mark.parametrize(("seconds", "expected"), [(LEAST_SECONDS, 24), (0.016, 24), (0.1, 4), (0.3, 1), (5.0, 1)])
def test_long_blocks_are_few(seconds: float, expected: int) -> None:
    assert count(block(seconds)) == expected


def test_the_figure_of_a_pair() -> None:
    # One block in three may be disturbed.
    assert figure(blocks(1, 1, 9), blocks(2, 8, 18), Clock.CPU) == pytest.approx(log(2))
    assert figure([block(4, cpu=1)], [block(2, cpu=3)], Clock.CPU) == pytest.approx(log(3))
    assert figure([block(4, cpu=1)], [block(2, cpu=3)], Clock.WALL) == pytest.approx(log(0.5))
    assert figure(blocks(0, 1), blocks(1, 3), Clock.CPU) == pytest.approx(log(3))
    assert figure(blocks(0), blocks(1), Clock.CPU) is None


def test_a_neighbour_that_comes_and_goes_meets_both_sides() -> None:
    # Of five blocks of each side, it slowed three of the one and two of the other: the medians differ by half.
    base, candidate = blocks(1.5, 1.5, 1.5, 1, 1), blocks(1.5, 1.5, 1, 1, 1)
    assert figure(base, candidate, Clock.CPU) == 0.0


def test_who_waits() -> None:
    assert is_waiting([block(1, cpu=0.1), block(1, cpu=0.4)])
    # Somebody else had the core.
    assert not is_waiting([block(1, cpu=0.1), block(1, cpu=0.8)])
