"""The pairs of one benchmark, judged stage by stage: slower, faster, the same, or not yet known. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from statistics import median

from toxscreen.model import Change, Interval
from toxscreen.plan.ranks import ranks


@dataclass(frozen=True, slots=True)
class Method:
    """What is asked of a comparison, and how often it may be wrong. docs/perf-method.md gives the reasons.

    Raises:
        ValueError: a value that makes no sense.
    """

    #: The change that has to be found, relative: 0.03 is 3 %.
    resolution: float = 0.03
    #: How often a comparison of all benchmarks may say anything wrong, of pairs that do not depend on each other.
    error: float = 0.01
    #: After how many pairs a benchmark is judged; the last is the most it gets, and a confirmation gets as many again.
    stages: tuple[int, ...] = (16, 24, 32, 48, 64, 96, 128)
    #: Rounds running without a figure after which a benchmark gets no more.
    misses: int = 5

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0 < self.resolution < 1:
            raise ValueError(f"resolution is {self.resolution}, not between 0 and 1")
        if not 0 < self.error < 1:
            raise ValueError(f"error is {self.error}, not between 0 and 1")
        if not self.stages or list(self.stages) != sorted({each for each in self.stages if each > 0}):
            raise ValueError(f"stages are {self.stages}, not rising numbers of pairs")
        if self.misses < 1:
            raise ValueError(f"misses is {self.misses}, not at least 1")

    @property
    def dead_zone(self) -> float:
        """A relative change up to which nothing is called slower or faster: two builds of one source differ too."""
        return self.resolution / 3

    @property
    def most(self) -> int:
        """Pairs that a benchmark gets at most."""
        return self.stages[-1]

    def share(self, benchmarks: int) -> float:
        """The error of one bound of one benchmark: both bounds of all benchmarks hold with the whole one."""
        return self.error / (2 * max(1, benchmarks))


@dataclass(slots=True)
class Series:
    """Log ratios of one benchmark, in the order of their pairs."""

    method: Method
    #: Probability with which one bound may be wrong at any look.
    error: float
    figures: list[float] = field(default_factory=list)
    #: What the last look found; None while it is open.
    change: Change | None = None

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return len(self.figures)

    @property
    def open(self) -> bool:
        """Whether another pair could still change what is said."""
        return self.change is None and self.pairs < self.method.most

    def add(self, figure: float) -> None:
        """Take one more pair, and judge if it ends a stage.

        Args:
            figure: log of the candidate's time over the base's.
        """
        self.figures.append(figure)
        if self.pairs in self.method.stages:
            self.change = ruled(self.interval(), self.method)

    def interval(self) -> Interval | None:
        """Median ratio and its bounds as of now; None while there are too few pairs for bounds."""
        now = self.pairs
        looks = (*(each for each in self.method.stages if each < now), now)
        return bounded(self.figures, ranks(looks, self.method.most, self.error)[-1] if now else 0)


def bounded(figures: list[float], rank: int) -> Interval | None:
    """The ratio in the middle, between the figures of one rank from both ends; None for the rank 0."""
    if not rank:
        return None
    ordered = sorted(figures)
    return Interval(exp(median(ordered)), exp(ordered[rank - 1]), exp(ordered[-rank]))


def ruled(interval: Interval | None, method: Method) -> Change | None:
    """What an interval proves; None: nothing.

    The sides are mirrored in the logarithm: a change of 3 % and its reverse are equally far from none.
    """
    if interval is None:
        return None
    if interval.low > 1 + method.dead_zone:
        return Change.REGRESSED
    if interval.high < 1 / (1 + method.dead_zone):
        return Change.IMPROVED
    if 1 / (1 + method.resolution) < interval.low and interval.high < 1 + method.resolution:
        return Change.SAME
    return None
