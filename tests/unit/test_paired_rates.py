"""How often the decision is wrong, over many simulated comparisons of fixed seeds. See docs/perf-method.md."""

from __future__ import annotations

import pytest
from paired_noise import NOISES, Noise, decided, heavy_tails, normal

from toxscreen.model import Change
from toxscreen.plan.paired import Method

#: With more noise less is found, and with pairs that are far from independent the bounds do not hold.
HARD = {"3 %", "clinging a lot"}
USUAL = [pytest.param(noise, id=name.replace(" ", "-")) for name, noise in NOISES.items() if name not in HARD]


@pytest.mark.parametrize("noise", USUAL)
@pytest.mark.parametrize("benchmarks", [1, 10])
def test_equal_revisions_are_the_same(noise: Noise, benchmarks: int) -> None:
    found = decided(noise, 0.0, 500 // benchmarks, benchmarks)
    assert found.changes == {Change.SAME: 500}
    assert found.self_failed == 0


@pytest.mark.parametrize("noise", USUAL)
def test_what_is_slower_is_found(noise: Noise) -> None:
    assert decided(noise, 0.05, 100).share(Change.REGRESSED) == 1
    assert decided(noise, 0.03, 100).share(Change.REGRESSED) >= 0.95
    assert decided(noise, 0.03, 10, benchmarks=10).share(Change.REGRESSED) >= 0.95


@pytest.mark.parametrize("noise", USUAL)
def test_what_is_faster_is_found(noise: Noise) -> None:
    assert decided(noise, 1 / 1.03 - 1, 100).share(Change.IMPROVED) >= 0.95


def test_a_quiet_machine_is_done_soon() -> None:
    assert decided(normal(0.01), 0.0, 100).pairs < 17
    assert decided(normal(0.01), 0.0, 10, benchmarks=10).pairs < 20


def test_pairs_that_are_far_from_independent_deceive_the_first_batch_and_not_the_second() -> None:
    found = decided(NOISES["clinging a lot"], 0.0, 500)
    assert found.suspected > 0
    assert found.changes[Change.REGRESSED] == 0


def test_noise_is_undecided_and_not_the_same() -> None:
    assert decided(normal(0.2), 0.0, 50).changes == {Change.UNDECIDED: 50}


@pytest.mark.parametrize("noise", [pytest.param(normal(0.2), id="normal"), pytest.param(heavy_tails(0.2), id="tails")])
def test_the_error_asked_for_is_the_error_made(noise: Noise) -> None:
    """Exactly at the edge of the dead zone, and too noisy for anything else, the bounds are all that decides."""
    method = Method(error=0.2, stages=(16, 24, 32))
    found = decided(noise, method.dead_zone, 1000, method=method)
    # Each side may be wrong in 10 of 100 and, as ranks are whole numbers, is in a little less; 1,000 tell within 2.
    assert 0.07 < found.suspected / 1000 < 0.12
    # The independent batch is wrong as often again.
    assert found.share(Change.REGRESSED) < 0.02


def test_slower_by_just_the_resolution_is_hardly_ever_the_same() -> None:
    method = Method(error=0.2)
    share = decided(normal(0.02), method.resolution, 500, method=method).share(Change.SAME)
    # At a small error the rate could be zero for many other reasons; at 10 % a side it shows.
    assert 0.01 < share < 0.1
