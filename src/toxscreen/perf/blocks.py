"""What is made of blocks of executions: how many in a block, how many blocks, and the one figure of a pair."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

from toxscreen.model import Clock

#: Blocks of one process, as long as they are short.
MOST_BLOCKS: Final = 24
#: Seconds on the wall that a block takes at least: many times what a switch to the other process costs, and short
#: enough that the next one sees the same machine.
LEAST_SECONDS: Final = 0.004
#: Seconds of a block, set-ups in between counted, after which more executions are not worth it.
_MOST_SECONDS: Final = 0.1
#: Seconds of all blocks of one process, set-ups counted: the longer a block, the fewer there are.
_ALL_BLOCKS: Final = 0.4
#: A block this much shorter says too little for more than another guess.
_FAR: Final = 10
#: A little more than needed, as the next block may be faster.
_MARGIN: Final = 1.1
#: Below this share of CPU time a benchmark rather waits than computes.
_WAITING: Final = 0.5


class Block(NamedTuple):
    """Seconds that some executions took."""

    cpu: float
    wall: float
    #: On the wall, with what is not measured: set-ups in between.
    whole: float

    def on(self, clock: Clock) -> float:
        """Seconds on one of the clocks."""
        return self.cpu if clock is Clock.CPU else self.wall

    def shared(self, iterations: int) -> Block:
        """What each of so many executions took that the benchmark itself counts as one."""
        return self._replace(cpu=self.cpu / iterations, wall=self.wall / iterations)


def is_enough(block: Block, least: float = LEAST_SECONDS) -> bool:
    """Whether a block is long enough, or would take too long to be made longer."""
    return block.wall >= least or block.whole >= _MOST_SECONDS


def more_executions(times: int, block: Block) -> int:
    """How many executions to try next.

    Args:
        times: executions of the last block.
        block: that was not enough.
    """
    missing = min(LEAST_SECONDS / max(block.wall, 1e-9), _MOST_SECONDS / max(block.whole, 1e-9))
    return times * _FAR if missing > _FAR else max(times + 1, math.ceil(times * missing * _MARGIN))


def count(block: Block) -> int:
    """How many blocks like this one a process measures."""
    return max(1, min(MOST_BLOCKS, round(_ALL_BLOCKS / block.whole))) if block.whole > 0 else MOST_BLOCKS


def figure(base: Sequence[Block], candidate: Sequence[Block], clock: Clock) -> float | None:
    """The log ratio of a pair: the median of candidate over base, block by block.

    Blocks that were taken right after each other saw the same machine. Where a neighbour comes and goes, CPU time has
    two levels; the ratio of the two medians then says how many blocks of each side met it.

    Args:
        base: blocks of one process.
        candidate: as many of the other, taken in turn.
        clock: that counts.

    Returns:
        None where the clock did not move.
    """
    seconds = [(one.on(clock), other.on(clock)) for one, other in zip(base, candidate, strict=True)]
    ratios = [math.log(other / one) for one, other in seconds if one > 0 and other > 0]
    return statistics.median(ratios) if ratios else None


def is_waiting(blocks: Sequence[Block]) -> bool:
    """Whether most of the time on the wall is spent on something else than computing, in every block.

    Where others have the core for a while, that is so in some.
    """
    return all(block.cpu < _WAITING * block.wall for block in blocks)
