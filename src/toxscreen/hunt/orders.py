"""Which orders to try next, and which orders a random parallel run can meet at all."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count, groupby
from typing import Final

#: Orders without a new suspect after which more of them are hardly worth their time.
_QUIET_ORDERS: Final = 6
#: Orders are cheap where tests are few: for so many seconds at least, or so many orders in a row.
_LEAST_SECONDS: Final = 2.0
_MOST_QUIET_ORDERS: Final = 24
#: Two tests are near when at most this many steps apart.
_NEAR = 8
_CANDIDATES = 8
#: Tests of a candidate that are looked at to judge it.
_SAMPLE = 1000
#: Bytes of memory for the pairs seen. A prime: where there are more pairs, those that share a byte are scattered.
_BYTES = 16_777_213


@dataclass(frozen=True, slots=True)
class Ordered:
    """All tests in one order."""

    #: What a person calls the order, such as ``shuffle 1 reversed``.
    name: str
    node_ids: tuple[str, ...]
    #: Whether it brings tests near each other that no order before had near; of long orders a part is looked at.
    is_new: bool = True


class Going(Enum):
    """Whether more orders are tried."""

    ON = "on"
    #: No order brings other tests near each other, or no more were asked for.
    ENOUGH = "enough"
    #: There would be more, but their time is up.
    TIME_UP = "time up"
    #: Their time is up before the fewest were tried.
    CUT = "cut"


def going(quiet: int, seconds: float, alone_took: float, *, is_quick: bool, is_new: bool, is_half_spent: bool) -> Going:
    """Whether more orders are tried.

    Args:
        quiet: so many orders in a row have shown nothing new.
        seconds: spent on orders.
        alone_took: seconds that all tests took alone; no less is worth spending on orders.
        is_quick: whether quiet orders are the end.
        is_new: whether the next order brings tests near each other that were not near before.
        is_half_spent: whether half of the budget is gone; the other half is for explaining what was found.
    """
    is_quiet = quiet >= _QUIET_ORDERS and seconds >= max(alone_took, _LEAST_SECONDS)
    is_quiet = is_quiet or quiet >= _MOST_QUIET_ORDERS
    if is_quiet and (is_quick or not is_new):
        return Going.ENOUGH
    if is_half_spent:
        return Going.TIME_UP if is_quiet else Going.CUT
    return Going.ON


class _Pairs:
    """Which ordered pairs of tests have been near each other so far. Tests are numbers here."""

    def __init__(self, tests: int) -> None:
        self._tests = tests
        self._near = bytearray(min(tests * tests, _BYTES))

    def add(self, order: Sequence[int]) -> None:
        """Note the pairs of an order that was handed out."""
        tests, near, size = self._tests, self._near, len(self._near)
        for distance in range(1, _NEAR + 1):
            for first, second in zip(order, order[distance:], strict=False):
                near[(first * tests + second) % size] = 1

    def new(self, order: Sequence[int]) -> int:
        """How many near pairs of an order are new; of a long order, only a part is looked at."""
        # The candidates are shuffled, so that their first tests are a fair sample.
        sample = order[: _SAMPLE + _NEAR]
        tests, near, size = self._tests, self._near, len(self._near)
        return sum(
            not near[(first * tests + second) % size]
            for distance in range(1, _NEAR + 1)
            for first, second in zip(sample, sample[distance:], strict=False)
        )


def orders(node_ids: Sequence[str], seed: int) -> Iterator[Ordered]:
    """Orders worth trying, best first and without end; just one where there are fewer than two tests.

    The order as written and its reverse come first, then flat shuffles, each followed by its reverse. Of several
    shuffles that one is taken that brings the most tests near each other that no order before had near.

    Args:
        node_ids: All tests, in the order of collection.
        seed: The same seed gives the same orders.

    Yields:
        All tests, each time in another order.
    """
    written = list(range(len(node_ids)))

    def ordered(name: str, order: Sequence[int], *, is_new: bool = True) -> Ordered:
        return Ordered(name, tuple(node_ids[number] for number in order), is_new)

    yield ordered("as written", written)
    if len(written) < 2:  # noqa: PLR2004 - one test has one order
        return
    backwards = written[::-1]
    yield ordered("reversed", backwards)
    pairs = _Pairs(len(written))
    pairs.add(written)
    pairs.add(backwards)
    # Text is a seed that gives the same numbers everywhere.
    chance = random.Random(f"orders {seed}")  # noqa: S311 - nothing secret
    for number in count(1):
        candidates = [chance.sample(written, len(written)) for _ in range(_CANDIDATES)]
        best = max(candidates, key=pairs.new)
        # Whoever comes near another one in an order comes near it in the reverse, on the other side.
        is_new = pairs.new(best) + pairs.new(best[::-1]) > 0
        yield ordered(f"shuffle {number}", best, is_new=is_new)
        yield ordered(f"shuffle {number} reversed", best[::-1], is_new=is_new)
        pairs.add(best)
        pairs.add(best[::-1])


def can_be_met(sequence: Sequence[str]) -> bool:
    """Whether a random parallel run can put these tests in this order on one worker.

    pytest-randomly shuffles files, in each file its classes, and in each class its tests, where the tests outside of
    classes are a class of their own; what belongs together stays together. A worker of pytest-xdist runs some of the
    tests, in that order. So the tests of one file, and of one class, cannot be interrupted by others.

    Args:
        sequence: Node ids; a test that is in it twice cannot be met, for a run has each test once.
    """
    if len(set(sequence)) < len(sequence):
        return False
    blocks = [block for block, _ in groupby(map(_block, sequence))]
    files = [file for file, _ in groupby(file for file, _ in blocks)]
    return len(set(blocks)) == len(blocks) and len(set(files)) == len(files)


def _block(node_id: str) -> tuple[str, str]:
    """File and class of a test; a class within a class is a class of its own, not a part of the outer one."""
    file, _, name = node_id.partition("::")
    # Parameters may hold anything, colons too.
    owner, _, _ = name.partition("[")[0].rpartition("::")
    return file, owner
