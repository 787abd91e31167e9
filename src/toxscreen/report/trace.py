"""A timeline as a Chrome trace: the "JSON Object Format" of the Trace Event Format, which Perfetto opens. Pure text.

Only complete events (``"ph": "X"``) and metadata (``"ph": "M"``) are used. Perfetto wants those of one thread to lie in
each other or side by side; times are in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from toxscreen.model import Attempt, Outcome, Slice, SliceKind, Timeline
from toxscreen.report.visible import visible

_PROCESS: Final = 1
_MICROSECONDS: Final = 1_000_000
#: Seconds below which phases of tests and idleness get no event of their own: a trace of 50,000 short tests stays
#: small, and no viewer shows them before one looks at a single test.
_SHORT: Final = 0.001
_ALWAYS: Final = frozenset({SliceKind.TEST, SliceKind.FIXTURE})
#: Names of colours that chrome://tracing has; Perfetto chooses its own, by the name of the event.
_COLOURS: Final = {
    SliceKind.STARTING: "startup",
    SliceKind.COLLECTING: "thread_state_runnable",
    SliceKind.FIXTURE: "thread_state_iowait",
    SliceKind.IDLE: "thread_state_sleeping",
    SliceKind.AFTER: "grey",
}

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_quote = json.encoder.encode_basestring_ascii


def render(timeline: Timeline) -> str:
    """The trace, one event a line.

    Each lane is a thread. A test is an event around one for each phase, and they around the fixtures in them; its
    arguments say which test it is, how it ended and what it did.

    Args:
        timeline: of a run.
    """
    events = [_named("process_name", {"name": f"run {visible(timeline.run)}"})]
    for number, track in enumerate(timeline.tracks, 1):
        events.append(_named("thread_name", {"name": visible(track.lane)}, number))
        events.append(_named("thread_sort_index", {"sort_index": number}, number))
        for each in track.slices:
            events.extend(_events(each, f'"pid":{_PROCESS},"tid":{number}'))
    told = ",\n".join(events)
    other = _encode({"run": timeline.run, "seconds": round(timeline.seconds, 6), "workers": timeline.workers})
    return f'{{"displayTimeUnit":"ms","otherData":{other},"traceEvents":[\n{told}\n]}}\n'


def _named(name: str, arguments: dict[str, object], thread: int = 0) -> str:
    return _encode({"name": name, "ph": "M", "ts": 0, "pid": _PROCESS, "tid": thread, "args": arguments})


def _events(each: Slice, thread: str) -> Iterator[str]:
    """Outer before inner: of events that begin together, viewers take the first for the outer one."""
    if each.kind in _ALWAYS or each.seconds >= _SHORT or each.parts:
        # The end is rounded and not the length, so that what lies inside does not reach out.
        start = round(each.start * _MICROSECONDS)
        lasts = round(each.end * _MICROSECONDS) - start
        # Put together by hand: there may be a hundred thousand of them.
        yield (
            f'{{"name":{_name(each)},"cat":"{each.kind.value}","ph":"X","ts":{start},"dur":{lasts},{thread}'
            f"{_colour(each)}{_arguments(each.attempt)}}}"
        )
    for part in each.parts:
        yield from _events(part, thread)


def _name(each: Slice) -> str:
    """A test without its file: in a narrow box, only the beginning can be read."""
    if each.kind is SliceKind.TEST:
        return _quote(visible(each.name.partition("::")[2] or each.name))
    return _quote(visible(each.name)) if each.kind is SliceKind.FIXTURE else f'"{each.kind.value}"'


def _colour(each: Slice) -> str:
    if each.attempt is None:
        colour = _COLOURS.get(each.kind)
    elif each.attempt.outcome.red:
        colour = "terrible"
    else:
        colour = "good" if each.attempt.outcome is Outcome.PASSED else "bad"
    return f',"cname":"{colour}"' if colour else ""


def _arguments(attempt: Attempt | None) -> str:
    if attempt is None:
        return ""
    seconds = (
        ("setup", attempt.setup),
        ("call", attempt.call),
        ("teardown", attempt.teardown),
        ("cpu", attempt.cpu),
        ("slept", attempt.slept),
        ("children", attempt.children),
    )
    told = "".join(f',"{name}_seconds":{value:.6f}' for name, value in seconds if value is not None)
    node_id = _quote(visible(attempt.node_id))
    return f',"args":{{"node_id":{node_id},"outcome":"{attempt.outcome.value}"{told}}}'
