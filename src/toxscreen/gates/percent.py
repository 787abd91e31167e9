"""Shares of a whole: percentages that do not flatter, and whether they reach a limit, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

from toxscreen.model import Ruling, Verdict

_WHOLE: Final = 100


def percent(covered: int, countable: int, *, limit: Decimal, precision: int) -> str:
    """A percentage that is rounded, but never up to 100, up to the limit or down to 0.

    Args:
        covered: what ran.
        countable: what could have run, at least 1.
        limit: the floor in percent; its own digits are shown too.
        precision: digits after the point.
    """
    exact = Fraction(100 * covered, countable)
    # `normalize` writes 90 as 9E+1: an exponent over 0 stands for no digits after the point.
    digits = max(precision, -int(limit.normalize().as_tuple().exponent))
    step = Fraction(1, 10**digits)
    shown = round(exact, digits)
    if any(exact < mark <= shown for mark in (Fraction(limit), Fraction(100))):
        shown = exact // step * step
    if covered and not shown:
        shown = step
    return f"{int(shown):d}" if digits == 0 else f"{Decimal(int(shown / step)).scaleb(-digits):.{digits}f}"


def floor(
    covered: int, statements: int, branches: int, never: Mapping[str, int], *, fail_under: float, precision: int
) -> Verdict:
    """Whether coverage reaches its floor, of all the sources that it should be about.

    Args:
        covered: statements and branches that ran.
        statements: all statements of the measured files, at least 1.
        branches: all their branches.
        never: source files that no environment measured, each with what could have run in it.
        fail_under: the floor in percent.
        precision: digits after the point.
    """
    countable = statements + branches
    limit = Decimal(str(fail_under))
    shown = percent(covered, countable, limit=limit, precision=precision)
    passed = reached(covered, countable, fail_under)
    rule = "at or over" if passed else "under"
    reason = (
        f"coverage is {shown} %, {rule} the floor of {limit.normalize():f} %: "
        f"{covered} of {countable} ran ({statements} statements and {branches} branches)"
    )
    if never:
        reason += f"; never measured: {some(never)}"
    return Verdict(
        gate="coverage",
        ruling=Ruling.PASS if passed and not never else Ruling.FAIL,
        reason=reason,
        measured=100 * covered / countable,
        limit=fail_under,
        numerator=covered,
        denominator=countable,
        expected_denominator=countable + sum(never.values()),
        unit="%",
    )


def reached(covered: int, countable: int, limit: float) -> bool:
    """Whether a part is at least so many percent of the whole, exactly; nothing of nothing is all of it.

    Args:
        covered: the part.
        countable: the whole.
        limit: in percent.
    """
    return not countable or Fraction(100 * covered, countable) >= Fraction(str(limit))


def shown(covered: int, countable: int, limit: float | None, precision: int) -> str:
    """A share in percent for a person, as :func:`percent`; nothing of nothing is all of it.

    Args:
        covered: the part.
        countable: the whole.
        limit: that must not be rounded up to, in percent.
        precision: digits after the point.
    """
    mark = Decimal(str(_WHOLE if limit is None else limit))
    return f"{percent(covered, countable, limit=mark, precision=precision) if countable else _WHOLE} %"


def some(names: Iterable[str], most: int = 3) -> str:
    """Names for a sentence: the first ones, and how many more there are.

    Args:
        names: all of them.
        most: how many are named.
    """
    every = sorted(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def difference(now: tuple[int, int], before: tuple[int, int], precision: int) -> str:
    """How a share has changed, in percentage points with a sign; 0 only where nothing has.

    Args:
        now: the part and the whole.
        before: the same of earlier.
        precision: digits after the point.
    """
    exact = Fraction(100 * now[0], now[1]) - Fraction(100 * before[0], before[1])
    step = Fraction(1, 10**precision)
    size = max(round(abs(exact), precision), step) if exact else Fraction(0)
    number = f"{Decimal(int(size / step)).scaleb(-precision):.{precision}f}"
    return f"{'-' if exact < 0 else '+'}{number}" if exact else f"±{number}"
