"""From a recorded run to its timeline: what each lane did when, on one clock. Pure.

Clocks of a journal can be set back, and older journals know less: nothing here is ever negative, and nothing overlaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from toxscreen.model import Attempt, FixtureSpan, LaneSpan, Run, Slice, SliceKind, Timeline, Track

#: Seconds by which a fixture may seem to begin before its test does, or to outlast what it lies in.
_JITTER: Final = 0.001
#: Seconds between two tests that are none: journals tell the time in millionths of a second.
_NOTHING: Final = 0.000_002


class _Begun(NamedTuple):
    """A lane up to the end of its last test."""

    lane: str
    slices: list[Slice]
    #: Where it stands, in seconds since the run's start.
    now: float
    #: What belongs to no test, and is still to be placed.
    others: list[Slice]
    #: Whether its worker was gone then.
    lost: bool


def timeline(run: Run) -> Timeline:
    """What each lane did when.

    A lane comes up, collects, and runs its tests; what lies between is idle, waits for a core included. The phases of a
    test follow each other from its start, as long as pytest measured them; fixtures lie inside the phase that they
    belong to. Where the record does not say when a lane had collected, it collects until its first test. A worker that
    took the place of a lost one begins when that one ended.

    Args:
        run: the run.
    """
    begun = _lanes(run)
    tests = [each for lane in begun for each in lane.slices if each.kind is SliceKind.TEST]
    last = max((each.end for each in tests), default=max((lane.now for lane in begun), default=0.0))
    ends = [max((each.end for each in lane.others), default=0.0) for lane in begun]
    finished = run.finished - run.header.started if run.finished is not None else 0.0
    seconds = max(finished, last, *ends, *(lane.now for lane in begun)) if begun else max(finished, last)
    return Timeline(
        run=run.id,
        seconds=seconds,
        first=min((each.start for each in tests), default=last),
        last=last,
        workers=max(1, len(begun) - len(_in_place_of_others(run, [lane.lane for lane in begun]))),
        tracks=tuple(Track(lane.lane, tuple(_whole(lane, last, seconds))) for lane in begun),
    )


def _lanes(run: Run) -> list[_Begun]:
    attempts: dict[str, list[Attempt]] = {lane.name: [] for lane in run.order.lanes}
    for attempt in run.attempts:
        attempts.setdefault(attempt.lane, []).append(attempt)
    spans = {span.lane: span for span in run.spans}
    fixtures: dict[str, list[FixtureSpan]] = {}
    for fixture in run.fixtures:
        fixtures.setdefault(fixture.lane, []).append(fixture)
    lost = {words.partition(":")[0] for words in run.lost}
    origin = run.header.started
    lanes: list[_Begun] = []
    vacant: dict[str, list[float]] = {}
    names = list(dict.fromkeys([*attempts, *spans]))
    late = _in_place_of_others(run, names)
    for name in names:
        span = spans.get(name)
        begins = 0.0
        left = vacant.setdefault(_shard(run, name), [])
        if name in late and span is not None:
            up = span.up - origin
            begins = max((end for end in left if end <= up), default=max(0.0, up))
            left[:] = [end for end in left if end != begins]
        lane = _lane(name, attempts.get(name, []), fixtures.get(name, []), span, origin=origin, begins=begins)
        lanes.append(lane._replace(lost=name in lost))
        if name in lost:
            left.append(lane.now)
    return lanes


def _shard(run: Run, lane: str) -> str:
    """The number of the shard that a lane of a joined run is from; nothing where nothing was joined."""
    return lane.partition(".")[0] if run.header.merged else ""


def _in_place_of_others(run: Run, names: Sequence[str]) -> frozenset[str]:
    """Lanes of workers that came when another one was lost: those beyond the number of workers, of each shard."""
    shards = run.header.extra.get("shards") if run.header.merged else None
    told = [each for each in shards if isinstance(each, dict)] if isinstance(shards, list) else []
    numbers = {str(each.get("shard")).partition("/")[0]: each.get("workers") for each in told}
    found: set[str] = set()
    seen: dict[str, int] = {}
    for name in names:
        shard = _shard(run, name)
        seen[shard] = seen.get(shard, 0) + 1
        number = numbers.get(shard, run.header.workers)
        if isinstance(number, int) and seen[shard] > number > 0:
            found.add(name)
    return frozenset(found)


def _lane(
    name: str,
    attempts: Sequence[Attempt],
    fixtures: Sequence[FixtureSpan],
    span: LaneSpan | None,
    *,
    origin: float,
    begins: float,
) -> _Begun:
    first = attempts[0].started - origin if attempts else None
    slices = list(_before(span, origin, begins, first))
    now = slices[-1].end if slices else begins
    inside, others = _owners(attempts, fixtures)
    lonely = [_slice(each, each.started - origin) for each in others]
    for place, attempt in enumerate(attempts):
        start = attempt.started - origin
        start = start if start > now + _NOTHING else now
        slices.extend(_gap(now, start, [each for each in lonely if each.start < start], SliceKind.IDLE))
        lonely = [each for each in lonely if each.start >= start]
        test = _test(attempt, start, inside.get(place, ()))
        slices.append(test)
        now = test.end
    return _Begun(name, slices, now, lonely, lost=False)


def _before(span: LaneSpan | None, origin: float, begins: float, first: float | None) -> Iterator[Slice]:
    """What a lane does before its first test."""
    if span is None:
        if first is not None and first > begins:
            yield Slice(begins, first - begins, SliceKind.STARTING)
        return
    up = max(begins, span.up - origin)
    if first is not None:
        up = max(begins, min(up, first))
    if up > begins:
        yield Slice(begins, up - begins, SliceKind.STARTING)
    collected = first if span.collected is None else span.collected - origin
    if collected is not None and first is not None:
        collected = min(collected, first)
    if collected is not None and collected > up:
        yield Slice(up, collected - up, SliceKind.COLLECTING)


def _owners(
    attempts: Sequence[Attempt], fixtures: Sequence[FixtureSpan]
) -> tuple[dict[int, list[FixtureSpan]], list[FixtureSpan]]:
    """Fixtures by the place of the attempt that they happened in; and those of none."""
    places: dict[str, list[int]] = {}
    if fixtures:
        for place, attempt in enumerate(attempts):
            places.setdefault(attempt.node_id, []).append(place)
    inside: dict[int, list[FixtureSpan]] = {}
    others = []
    for fixture in fixtures:
        known = places.get(fixture.node_id)
        if not known:
            others.append(fixture)
            continue
        # A test that ran twice had it in the last run that had begun by then.
        begun = [place for place in known if attempts[place].started <= fixture.started + _JITTER]
        inside.setdefault(begun[-1] if begun else known[0], []).append(fixture)
    return inside, others


def _test(attempt: Attempt, start: float, fixtures: Sequence[FixtureSpan]) -> Slice:
    parts = []
    now = start
    phases = (
        (SliceKind.SETUP, attempt.setup),
        (SliceKind.CALL, attempt.call),
        (SliceKind.TEARDOWN, attempt.teardown),
    )
    for kind, seconds in phases:
        if seconds <= 0:
            continue
        inside: tuple[Slice, ...] = ()
        if fixtures:
            here = [each for each in fixtures if kind is (SliceKind.TEARDOWN if each.teardown else SliceKind.SETUP)]
            placed = [_slice(each, each.started - attempt.started + start) for each in here]
            inside = tuple(_fitted(placed, now, now + seconds))
        parts.append(Slice(now, seconds, kind, attempt.node_id, inside))
        now += seconds
    return Slice(start, now - start, SliceKind.TEST, attempt.node_id, tuple(parts), attempt)


def _slice(fixture: FixtureSpan, start: float) -> Slice:
    return Slice(start, max(0.0, fixture.seconds), SliceKind.FIXTURE, fixture.key)


def _fitted(slices: Iterable[Slice], low: float, high: float) -> list[Slice]:
    """Slices made to lie one after the other between two moments; one that began inside of another is its part."""
    found: list[Slice] = []
    waiting = sorted(slices, key=lambda each: (each.start, -each.seconds))
    now = low
    while waiting:
        first, *rest = waiting
        inner = [each for each in rest if each.start < first.end and each.end <= first.end + _JITTER]
        waiting = [each for each in rest if each not in inner] if inner else rest
        start = max(now, min(first.start, high - first.seconds))
        end = min(start + first.seconds, high)
        shifted = [each._replace(start=each.start + start - first.start) for each in inner]
        parts = tuple(_fitted(shifted, start, end)) if inner else ()
        found.append(Slice(start, max(0.0, end - start), first.kind, first.name, parts))
        now = found[-1].end
    return found


def _gap(low: float, high: float, others: Sequence[Slice], kind: SliceKind) -> Iterator[Slice]:
    """What lies between two tests: slices that belong to none, and around them something of a kind."""
    now = low
    for each in _fitted(others, low, high) if others else ():
        if each.start > now:
            yield Slice(now, each.start - now, kind)
        yield each
        now = each.end
    if high > now:
        yield Slice(now, high - now, kind)


def _whole(lane: _Begun, last: float, seconds: float) -> Iterator[Slice]:
    """A lane with what comes after its last test."""
    yield from lane.slices
    if not lane.lost:
        early = [each for each in lane.others if each.start < last]
        yield from _gap(lane.now, max(last, lane.now), early, SliceKind.IDLE)
        late = [each for each in lane.others if each.start >= last]
        yield from _gap(max(last, lane.now), seconds, late, SliceKind.AFTER)
