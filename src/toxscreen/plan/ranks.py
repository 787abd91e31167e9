"""Which of the sorted figures bounds the median, when they are looked at several times. Pure."""

from __future__ import annotations

from functools import lru_cache
from math import comb, e, log


@lru_cache(maxsize=1024)
def ranks(looks: tuple[int, ...], most: int, error: float) -> tuple[int, ...]:
    """Ranks of the figures that bound the median from below, look by look.

    Each figure is at or under the median with a probability of one half or more, whatever it is distributed like. So
    the k-th smallest of n lies over the median only when fewer than k of n tosses of a coin show heads. How often that
    happens at any of several looks is counted exactly, path by path. The looks have to be planned, or at least not be
    chosen by the figures.

    Sources: the error spent over looks, K. K. G. Lan and D. L. DeMets, Biometrika 70 (1983) 659-663, with their
    function of Pocock's type; counted exactly for what is discrete, N. Stallard and S. Todd, Statistics in Medicine 19
    (2000) 3051-3064; a bound at each look, C. Jennison and B. W. Turnbull, J. R. Statist. Soc. B 51 (1989) 305-361.

    Args:
        looks: after how many figures somebody looks, rising.
        most: how many figures there can be; all of the error is spent then.
        error: the probability with which the bound of any look may lie over the median.

    Returns:
        One rank a look, counted from 1; 0 where there are too few figures for any bound. From above the bound is the
        figure of the same rank counted from the largest, with an error of its own.
    """
    # Ways to have so many heads and never to have been beyond a bound; and ways that were beyond one.
    inside, beyond, before = [1], 0, 0
    found = []
    for look in looks:
        inside, beyond = _tossed(inside, look - before), beyond << (look - before)
        # Integers of any size, divided once: as exact as a float can be.
        rank, may = 0, error * spent(look / most)
        while rank < len(inside) and (beyond + inside[rank]) / (1 << look) <= may:
            beyond += inside[rank]
            inside[rank] = 0
            rank += 1
        found.append(rank)
        before = look
    return tuple(found)


def spent(share: float) -> float:
    """How much of the error is spent when a share of all figures is there: more of it early, for early decisions.

    Args:
        share: from 0 to 1.
    """
    return log(1 + (e - 1) * min(share, 1.0))


def _tossed(ways: list[int], more: int) -> list[int]:
    """Ways to have so many heads, after some more tosses."""
    found = [0] * (len(ways) + more)
    for heads, count in enumerate(ways):
        if count:
            for added in range(more + 1):
                found[heads + added] += count * comb(more, added)
    return found
