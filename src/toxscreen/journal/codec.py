"""Records to JSON and back. Every serialiser proves that it forgot no field; unknown fields are kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import NoneType
from typing import Any, Final

from toxscreen import model
from toxscreen.model import Event, EventKind, Header, Outcome

#: Version of the shape of headers and events.
SCHEMA: Final = 1
_SHORT: Final = 40
#: Seconds since the epoch up to which there are dates: the end of the year 9999.
_LAST_MOMENT: Final = 253_402_300_799
#: Levels to which fields that a newer version added may be nested.
_DEEPEST: Final = 50

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_quote = json.encoder.encode_basestring_ascii
#: The types that JSON has for a field, by its annotation. Fields made of other records have readers of their own.
_JSON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "int | None": (int, NoneType),
    "float | None": (int, float, NoneType),
    "str | None": (str, NoneType),
    "tuple[str, ...]": (list,),
    "dict[str, str]": (dict,),
}


@cache
def _types_of(record: type[Header | Event | model.Leak | model.Frame]) -> dict[str, tuple[type, ...]]:
    """The types that JSON has for each field; asked for by reading only, since runs that write need not pay for it."""
    return {item.name: _JSON_TYPES.get(str(item.type), ()) for item in fields(record) if item.name != "extra"}


def event_to_line(event: Event) -> bytes:
    """An event as one line of JSON, line feed included; fields that say nothing are left out."""
    line = _common_fields(event.kind, event.time, event.lane, event.node_id)
    if event.outcome is not None:
        line += f',"outcome":"{event.outcome}"'
    timed = (
        ("setup", event.setup),
        ("call", event.call),
        ("teardown", event.teardown),
        ("cpu", event.cpu),
        ("slept", event.slept),
        ("children", event.children),
        ("queued", event.queued),
    )
    for name, seconds in timed:
        if seconds is not None:
            line += f',"{name}":{seconds:.6f}'
    if event.fixture is not None:
        line += f',"fixture":{_quote(event.fixture)}'
    if event.during is not None:
        line += f',"during":{_quote(event.during)}'
    rest = _rare_fields(event)
    if rest:
        line += "," + _encode(rest)[1:-1]
    return (line + "}\n").encode("ascii")


def start_line(moment: float, lane: str, node_id: str, queued: float | None = None) -> bytes:
    """The line of a START event that says no more than this; every test pays for it, so no event is made.

    Args:
        moment: seconds since the epoch.
        lane: the worker.
        node_id: the test.
        queued: seconds that it waited for a slot; None where that was hardly a moment.
    """
    waited = "" if queued is None else f',"queued":{queued:.6f}'
    return (_common_fields("start", moment, lane, node_id) + waited + "}\n").encode("ascii")


def end_line(
    moment: float,
    lane: str,
    node_id: str,
    outcome: Outcome,
    seconds: Mapping[str, float],
    *,
    asserts_nothing: bool = False,
) -> bytes:
    """The line of an END event that says no more than this; see :func:`start_line`.

    Args:
        moment: seconds since the epoch.
        lane: the worker.
        node_id: the test.
        outcome: how it ended.
        seconds: of "setup", "call" and "teardown", and of "cpu", "slept" and "children" where that is known.
        asserts_nothing: as in the event.
    """
    # An enum's member takes five times as long to format as the text that it is to append.
    line = _common_fields("end", moment, lane, node_id) + ',"outcome":"' + outcome + '"'
    for name, lasted in seconds.items():
        line += f',"{name}":{lasted:.6f}'
    if asserts_nothing:
        line += ',"asserts_nothing":true'
    return (line + "}\n").encode("ascii")


def _common_fields(kind: str, moment: float, lane: str, node_id: str | None) -> str:
    # Put together by hand: the encoder takes four times as long.
    named = "" if node_id is None else f',"node_id":{_quote(node_id)}'
    return f'{{"kind":"{kind}","time":{moment:.6f},"lane":{_quote(lane)}{named}'


def _rare_fields(event: Event) -> dict[str, object]:
    record: dict[str, object] = {}
    if event.origin is not None:
        record["origin"] = _origin_to_dict(event.origin)
    if event.leaks:
        record["leaks"] = [_plain(leak) for leak in event.leaks]
    if event.text is not None:
        record["text"] = event.text
    if event.status is not None:
        record["status"] = event.status
    if event.pid is not None:
        record["pid"] = event.pid
    if event.touched:
        record["touched"] = event.touched
    if event.selection is not None:
        record["selection"] = event.selection._asdict()
    if event.asserts_nothing:
        record["asserts_nothing"] = True
    if event.extra:
        record.update(event.extra)
    return record


def event_from_line(line: bytes | str) -> Event:
    """The event of a journal line.

    Raises:
        ValueError: it is no event.
    """
    record = _object(line)
    types = _types_of(Event)
    _check_types(record, types)
    try:
        return Event(
            kind=EventKind(record["kind"]),
            time=float(record["time"]),
            lane=record["lane"],
            node_id=record.get("node_id"),
            outcome=Outcome(record["outcome"]) if "outcome" in record else None,
            setup=record.get("setup"),
            call=record.get("call"),
            teardown=record.get("teardown"),
            origin=_origin_from_dict(record["origin"]) if "origin" in record else None,
            leaks=tuple(map(_leak_from_dict, _list(record.get("leaks", [])))),
            text=record.get("text"),
            status=record.get("status"),
            pid=record.get("pid"),
            touched=_texts("touched", record.get("touched", [])),
            cpu=record.get("cpu"),
            selection=_selection_from_dict(record["selection"]) if "selection" in record else None,
            asserts_nothing=record.get("asserts_nothing", False),
            fixture=record.get("fixture"),
            during=record.get("during"),
            slept=record.get("slept"),
            children=record.get("children"),
            queued=record.get("queued"),
            extra={key: value for key, value in record.items() if key not in types},
        )
    except KeyError as error:
        raise ValueError(f"lacks {error}") from None


def header_to_json(header: Header) -> str:
    """A header as a JSON text for people and programs; ASCII, because arguments need not be valid Unicode."""
    record = _plain(header)
    record.update(record.pop("extra"))
    return json.dumps(record, indent=1) + "\n"


def header_from_json(text: str) -> Header:
    """The header of a JSON text.

    Raises:
        ValueError: it is no header, or one of a newer schema.
    """
    record = _object(text)
    _check_schema(record)
    types = _types_of(Header)
    _check_types(record, types)
    known = {key: value for key, value in record.items() if key in types}
    for name in ("tools", "host", "chosen"):
        for value in known.get(name, {}).values():
            _check(name, value, (str,))
    for name in known.keys() & {"argv", "paths", "merged"}:
        known[name] = _texts(name, known[name])
    if not 0 <= known.get("started", 0) <= _LAST_MOMENT:
        raise ValueError(f"has {_short(known['started'])} for 'started'")
    extra = {key: value for key, value in record.items() if key not in types}
    _check_depth(extra, _DEEPEST)
    try:
        return Header(**known, extra=extra)
    except TypeError as error:
        raise ValueError(str(error).replace("Header.__init__() ", "")) from None


def json_from(text: bytes | str) -> Any:
    """The JSON value of a text.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _check_depth(value: object, levels: int) -> None:
    """Refuse what would be too deep to be copied and written again."""
    if not levels:
        raise ValueError("is nested too deeply")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, levels - 1)


def _object(text: bytes | str) -> dict[str, Any]:
    """The JSON object of a text."""
    record = json_from(text)
    if not isinstance(record, dict):
        raise ValueError("is no JSON object")
    return record


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"has {_short(value)} where a list belongs")
    return value


def _texts(name: str, value: list[object]) -> tuple[str, ...]:
    for item in value:
        _check(name, item, (str,))
    return tuple(map(str, value))


def _check(name: str, value: object, types: tuple[type, ...]) -> None:
    """Refuse a value of the wrong type, and numbers that are none or that no float holds."""
    if types and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
        raise ValueError(f"has {_short(value)} for {name!r}")
    if float in types and isinstance(value, int | float) and not abs(value) <= sys.float_info.max:
        raise ValueError(f"has {_short(value)} for {name!r}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."


def _check_types(record: Mapping[str, Any], types: Mapping[str, tuple[type, ...]]) -> None:
    for name, value in record.items():
        _check(name, value, types.get(name, ()))


def _check_schema(record: Mapping[str, Any]) -> None:
    if not isinstance(record.get("schema"), int):
        raise ValueError("has no schema number")
    if record["schema"] > SCHEMA:
        raise ValueError(f"was written by a newer version (schema {record['schema']}, this one reads {SCHEMA})")


def _plain(record: Header | model.Leak) -> dict[str, Any]:
    """All fields of a record whose values JSON knows."""
    return {item.name: getattr(record, item.name) for item in fields(record)}


def _origin_to_dict(origin: model.Origin) -> dict[str, Any]:
    record: dict[str, Any] = {"exception": origin.exception, "file": origin.file, "line": origin.line}
    if origin.causes:
        record["causes"] = [[link.exception, link.file, link.line] for link in origin.causes]
    return record


def _origin_from_dict(record: object) -> model.Origin:
    if not isinstance(record, dict):
        raise ValueError(f"has {_short(record)} for 'origin'")
    first = _frame_from_list([record["exception"], record["file"], record["line"]])
    causes = tuple(map(_frame_from_list, _list(record.get("causes", []))))
    return model.Origin(first.exception, first.file, first.line, causes)


def _frame_from_list(values: object) -> model.Frame:
    types = _types_of(model.Frame)
    if not isinstance(values, list) or len(values) != len(types):
        raise ValueError(f"has {_short(values)} for a line of an origin")
    _check_types(dict(zip(types, values, strict=True)), types)
    return model.Frame(*values)


def _selection_from_dict(record: object) -> model.Selection:
    if not isinstance(record, dict):
        raise ValueError(f"has {_short(record)} for 'selection'")
    known = model.Selection(**{name: record[name] for name in model.Selection._fields if name in record})
    for count in (known.elsewhere, known.benchmarks_off, known.other_shards):
        _check("selection", count, (int,))
    _check("selection", known.deselected, (dict,))
    for count in known.deselected.values():
        _check("selection", count, (int,))
    return known._replace(narrowed=_texts("selection", _list(known.narrowed)) if known.narrowed else ())


def _leak_from_dict(record: object) -> model.Leak:
    types = _types_of(model.Leak)
    if not isinstance(record, dict) or set(record) != set(types):
        raise ValueError(f"has {_short(record)} for a leak")
    _check_types(record, types)
    return model.Leak(**record)
