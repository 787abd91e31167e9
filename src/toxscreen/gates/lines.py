"""Lines and jumps as short texts: ``1-3,7`` and ``3>5,7>-1``; and which changed lines belong to which statement."""

from __future__ import annotations

from collections.abc import Iterable

#: From a line to a line; a target below 1 is the way out.
Jump = tuple[int, int]
#: More than any source has; a damaged number must not fill the memory.
_MOST_LINES = 10_000_000


def write_lines(lines: Iterable[int]) -> str:
    """Numbers of lines as ranges."""
    ranges: list[list[int]] = []
    for line in sorted(set(lines)):
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def read_lines(text: str) -> frozenset[int]:
    """What :func:`write_lines` wrote.

    Raises:
        ValueError: it did not.
    """
    return frozenset(line for first, last in read_spans(text) for line in range(first, last + 1))


def read_spans(text: str) -> tuple[tuple[int, int], ...]:
    """First and last line of each range.

    Raises:
        ValueError: these are no ranges.
    """
    spans = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        span = int(first), int(last or first)
        if not 0 <= span[0] <= span[1] <= _MOST_LINES:
            raise ValueError(f"no lines of a file: {part}")
        spans.append(span)
    return tuple(spans)


def write_jumps(jumps: Iterable[Jump]) -> str:
    """Jumps from lines to lines."""
    return ",".join(f"{source}>{target}" for source, target in sorted(set(jumps)))


def read_jumps(text: str) -> frozenset[Jump]:
    """What :func:`write_jumps` wrote.

    Raises:
        ValueError: it did not.
    """
    pairs = (part.partition(">") for part in text.split(",") if part)
    return frozenset((int(source), int(target)) for source, _, target in pairs)


def statements_of(lines: Iterable[int], statements: Iterable[int], spans: Iterable[tuple[int, int]]) -> frozenset[int]:
    """The statements to which lines belong: a line in the middle of a statement stands for all of it.

    Args:
        lines: any lines.
        statements: first lines of all statements.
        spans: first and last lines of those statements that have more than one line, without their bodies.
    """
    first = frozenset(statements)
    inner: dict[int, tuple[int, int]] = {}
    for start, end in spans:
        for line in range(start, end + 1):
            # The shortest one is the innermost: a function written inside a call is not the call.
            if line not in inner or end - start < inner[line][1] - inner[line][0]:
                inner[line] = (start, end)
    found = set()
    for line in lines:
        if line in first:
            found.add(line)
        elif line in inner and inner[line][0] in first:
            found.add(inner[line][0])
    return frozenset(found)
