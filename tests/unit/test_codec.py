"""Records to JSON and back: no field is forgotten, unknown ones are kept, and what is no record is refused in words."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields, replace
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.journal import codec
from toxscreen.model import Event, EventKind, Frame, Header, Leak, Origin, Outcome, Selection

relaxed = hypothesis.settings(max_examples=60, database=None, deadline=None)

#: With surrogates: node ids and arguments may hold them.
# A choice of what is hard: hypothesis takes seconds to learn all of Unicode on a machine that is new to it.
TEXT = st.text(st.sampled_from('ab0 "\\/\n\r\t\x00\x1f\x7f\x85\xe9\u2028\u20ac\udcff\uffff\U0001f600'), max_size=8)
NUMBER = st.integers(-(2**63), 2**63)
#: Multiples of a microsecond, which is what the journal keeps.
SECONDS = st.integers(0, 10**15).map(lambda micro: round(micro / 1e6, 6))
FRAMES = st.builds(Frame, TEXT, TEXT, NUMBER)
ORIGINS = st.builds(Origin, TEXT, TEXT, NUMBER, st.lists(FRAMES, max_size=3).map(tuple))
LEAKS = st.builds(Leak, TEXT, TEXT, TEXT, TEXT)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


SELECTIONS = st.builds(
    Selection,
    NUMBER,
    st.dictionaries(TEXT, NUMBER, max_size=2),
    st.lists(TEXT, max_size=2).map(tuple),
    NUMBER,
)


def extra(record: type[Event | Header]) -> st.SearchStrategy[dict[str, Any]]:
    """Fields of a later version; "extra" itself may be one of them."""
    known = {item.name for item in fields(record)} - {"extra"}
    return st.dictionaries(TEXT.filter(lambda name: name not in known) | st.just("extra"), JSON, max_size=2)


EVENTS = st.builds(
    Event,
    kind=st.sampled_from(EventKind),
    time=SECONDS,
    lane=TEXT,
    node_id=st.none() | TEXT,
    outcome=st.none() | st.sampled_from(Outcome),
    setup=st.none() | SECONDS,
    call=st.none() | SECONDS,
    teardown=st.none() | SECONDS,
    origin=st.none() | ORIGINS,
    leaks=st.lists(LEAKS, max_size=2).map(tuple),
    text=st.none() | TEXT,
    status=st.none() | NUMBER,
    pid=st.none() | NUMBER,
    touched=st.lists(TEXT, max_size=2).map(tuple),
    cpu=st.none() | SECONDS,
    selection=st.none() | SELECTIONS,
    asserts_nothing=st.booleans(),
    fixture=st.none() | TEXT,
    during=st.none() | TEXT,
    slept=st.none() | SECONDS,
    children=st.none() | SECONDS,
    queued=st.none() | SECONDS,
    extra=extra(Event),
)
TEXTS = st.dictionaries(TEXT, TEXT, max_size=2)
HEADERS = st.builds(
    Header,
    schema=st.integers(0, codec.SCHEMA),
    run=TEXT,
    category=TEXT,
    started=st.floats(0, 253_402_300_799),
    argv=st.lists(TEXT, max_size=3).map(tuple),
    cwd=TEXT,
    executable=TEXT,
    seed=st.none() | NUMBER,
    hash_seed=st.none() | TEXT,
    cwd_importable=st.booleans(),
    commit=st.none() | TEXT,
    changes=st.none() | TEXT,
    workers=st.integers(0, 64),
    tools=TEXTS,
    host=TEXTS,
    chosen=TEXTS,
    environment=st.none() | TEXT,
    replay_of=st.none() | TEXT,
    paths=st.lists(TEXT, max_size=2).map(tuple),
    configuration=st.none() | TEXT,
    tree=st.none() | TEXT,
    shard=st.none() | TEXT,
    merged=st.lists(TEXT, max_size=2).map(tuple),
    extra=extra(Header),
)

FULL = Event(
    kind=EventKind.END,
    time=1.5,
    lane="gw1",
    node_id="tests/test_a.py::test_it[é]",
    outcome=Outcome.FAILED,
    setup=0.25,
    call=2.0,
    teardown=0.125,
    origin=Origin("ValueError", "a.py", 3, (Frame("KeyError", "b.py", 4),)),
    leaks=(Leak("os.environ['A']", "absent", "1", "tests/test_a.py::test_it"),),
    text="words",
    status=-9,
    pid=77,
    touched=("file a.csv", "port 8000"),
    cpu=0.5,
    selection=Selection(2, {"-k it": 3}, ("--ignore old",), 1, 4),
    asserts_nothing=True,
    fixture="tests/test_a.py|db",
    during="setup",
    slept=1.25,
    children=0.75,
    queued=0.125,
    extra={"colour": ["red"]},
)
FULL_LINE = (
    b'{"kind":"end","time":1.500000,"lane":"gw1","node_id":"tests/test_a.py::test_it[\\u00e9]","outcome":"failed",'
    b'"setup":0.250000,"call":2.000000,"teardown":0.125000,"cpu":0.500000,"slept":1.250000,'
    b'"children":0.750000,"queued":0.125000,"fixture":"tests/test_a.py|db","during":"setup",'
    b'"origin":{"exception":"ValueError","file":"a.py","line":3,"causes":[["KeyError","b.py",4]]},'
    b'"leaks":[{"what":"os.environ[\'A\']","before":"absent","after":"1","blamed":"tests/test_a.py::test_it"}],'
    b'"text":"words","status":-9,"pid":77,"touched":["file a.csv","port 8000"],'
    b'"selection":{"elsewhere":2,"deselected":{"-k it":3},"narrowed":["--ignore old"],'
    b'"benchmarks_off":1,"other_shards":4},"asserts_nothing":true,"colour":["red"]}\n'
)
HEADER = Header(
    schema=1,
    run="20260102T030405Z-unit-0a1b",
    category="unit",
    started=1.5,
    argv=("-k", "it"),
    cwd=".",
    executable="/usr/bin/python3",
    seed=7,
    hash_seed="7",
    cwd_importable=True,
    commit="c0ffee",
    changes="feed",
    workers=2,
    tools={"pytest": "9"},
    host={"system": "Linux"},
    chosen={"workers": "2 (-n)"},
    environment="unit",
    replay_of="run:gw0",
    paths=("tests",),
    configuration="c0de",
    tree="7ree",
    shard="2/3",
    merged=("one", "other"),
    extra={"colour": "red"},
)


# nothing is forgotten


@relaxed
@given(event=EVENTS)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    line = codec.event_to_line(event)
    assert codec.event_from_line(line) == event
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")


@relaxed
@given(header=HEADERS)
def test_a_header_comes_back_as_it_was(header: Header) -> None:
    text = codec.header_to_json(header)
    assert codec.header_from_json(text) == header
    assert text.isascii()


@pytest.mark.parametrize("record", [FULL, FULL.origin, FULL.leaks[0], HEADER], ids=lambda it: type(it).__name__)
def test_the_full_examples_set_every_field_to_something_else_than_its_default(record: Any) -> None:
    for item in fields(record):
        default = item.default_factory() if item.default_factory is not MISSING else item.default
        assert getattr(record, item.name) not in (default, None), f"{item.name} needs a value in the example"


def test_a_full_event_is_this_line() -> None:
    assert codec.event_to_line(FULL) == FULL_LINE
    assert codec.event_from_line(FULL_LINE) == FULL


@pytest.mark.parametrize("name", [item.name for item in fields(Event) if item.default is not MISSING])
def test_each_field_of_an_event_is_kept_alone(name: str) -> None:
    bare = Event(EventKind.NOTE, 2.0, "run")
    event = replace(bare, **{name: getattr(FULL, name)})
    assert codec.event_from_line(codec.event_to_line(event)) == event
    assert codec.event_to_line(event) != codec.event_to_line(bare)


def test_fields_that_say_nothing_are_left_out() -> None:
    line = codec.event_to_line(Event(EventKind.START, 3.0000004, "main", "t"))
    assert line == b'{"kind":"start","time":3.000000,"lane":"main","node_id":"t"}\n'


def test_a_start_is_written_without_an_event_as_with_one() -> None:
    for queued in (None, 0.125):
        event = Event(EventKind.START, 3.0, "main", "t", queued=queued)
        assert codec.start_line(3.0, "main", "t", queued) == codec.event_to_line(event)


def test_a_header_is_one_flat_object_with_every_field() -> None:
    stored = json.loads(codec.header_to_json(HEADER))
    expected = {item.name: getattr(HEADER, item.name) for item in fields(Header)} | {
        "argv": ["-k", "it"],
        "paths": ["tests"],
        "merged": ["one", "other"],
    }
    assert stored == {**{key: value for key, value in expected.items() if key != "extra"}, "colour": "red"}
    assert codec.header_from_json(json.dumps(stored)) == HEADER


def test_an_older_header_may_lack_what_has_a_default() -> None:
    stored = json.loads(codec.header_to_json(HEADER))
    for name in ("tools", "host", "chosen", "environment", "replay_of", "paths", "colour"):
        del stored[name]
    assert codec.header_from_json(json.dumps(stored)) == replace(
        HEADER, tools={}, host={}, chosen={}, environment=None, replay_of=None, paths=(), extra={}
    )


def test_every_field_has_a_type_to_be_checked_by_or_a_reader_of_its_own() -> None:
    unchecked = {name for name, types in codec._types_of(Event).items() if not types}
    assert unchecked == {"kind", "outcome", "origin", "leaks", "selection"}
    assert all(codec._types_of(Header).values())
    assert all(codec._types_of(Leak).values())
    assert all(codec._types_of(Frame).values())


# what is no record


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"kind": "begin"}, "'begin' is not a valid EventKind"),
        ({"kind": ["end"]}, "['end'] is not a valid EventKind"),
        ({"outcome": "green"}, "'green' is not a valid Outcome"),
        ({"outcome": None}, "None is not a valid Outcome"),
        ({"time": "now"}, "has 'now' for 'time'"),
        ({"time": True}, "has True for 'time'"),
        ({"time": None}, "has None for 'time'"),
        ({"time": 10**400}, f"has 1{'0' * 36}... for 'time'"),
        ({"time": float("nan")}, "has nan for 'time'"),
        ({"setup": float("inf")}, "has inf for 'setup'"),
        ({"call": "0.1"}, "has '0.1' for 'call'"),
        ({"teardown": []}, "has [] for 'teardown'"),
        ({"lane": 3}, "has 3 for 'lane'"),
        ({"node_id": ["t"]}, "has ['t'] for 'node_id'"),
        ({"text": 1}, "has 1 for 'text'"),
        ({"status": 1.5}, "has 1.5 for 'status'"),
        ({"pid": "7"}, "has '7' for 'pid'"),
        ({"origin": "x.py"}, "has 'x.py' for 'origin'"),
        ({"origin": {"exception": "E", "file": "x.py"}}, "lacks 'line'"),
        ({"origin": {"exception": "E", "file": "x.py", "line": "3"}}, "has '3' for 'line'"),
        ({"origin": {"exception": "E", "file": "x.py", "line": 3, "causes": 4}}, "has 4 where a list belongs"),
        (
            {"origin": {"exception": "E", "file": "x.py", "line": 3, "causes": [["E", "x.py"]]}},
            "has ['E', 'x.py'] for a line of an origin",
        ),
        ({"touched": "port 1"}, "has 'port 1' for 'touched'"),
        ({"touched": [1]}, "has 1 for 'touched'"),
        ({"cpu": "1"}, "has '1' for 'cpu'"),
        ({"selection": []}, "has [] for 'selection'"),
        ({"selection": {"elsewhere": "2"}}, "has '2' for 'selection'"),
        ({"selection": {"benchmarks_off": 1.5}}, "has 1.5 for 'selection'"),
        ({"selection": {"other_shards": "all"}}, "has 'all' for 'selection'"),
        ({"selection": {"deselected": [1]}}, "has [1] for 'selection'"),
        ({"selection": {"deselected": {"-k": "1"}}}, "has '1' for 'selection'"),
        ({"selection": {"narrowed": "-k"}}, "has '-k' where a list belongs"),
        ({"selection": {"narrowed": [1]}}, "has 1 for 'selection'"),
        ({"asserts_nothing": 1}, "has 1 for 'asserts_nothing'"),
        ({"leaks": {}}, "has {} where a list belongs"),
        ({"leaks": ["x"]}, "has 'x' for a leak"),
        ({"leaks": [{"what": "x"}]}, "has {'what': 'x'} for a leak"),
        ({"leaks": [{"what": 1, "before": "", "after": "", "blamed": ""}]}, "has 1 for 'what'"),
    ],
)
def test_a_line_with_a_wrong_value(changed: dict[str, object], told: str) -> None:
    record = {"kind": "note", "time": 1, "lane": "run"} | changed
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        codec.event_from_line(json.dumps(record))


@pytest.mark.parametrize("name", ["kind", "time", "lane"])
def test_a_line_that_lacks_something(name: str) -> None:
    record = {"kind": "note", "time": 1, "lane": "run"}
    del record[name]
    with pytest.raises(ValueError, match=f"^lacks '{name}'$"):
        codec.event_from_line(json.dumps(record))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"garbage", "Expecting value: line 1 column 1 (char 0)"),
        (b"[]", "is no JSON object"),
        (b"null", "is no JSON object"),
        (b'{"kind":"end"', "Expecting ',' delimiter: line 1 column 14 (char 13)"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'"\xff"', "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte"),
    ],
    ids=["empty", "garbage", "list", "null", "cut-off", "nested", "no-text"],
)
def test_what_is_no_object_is_refused(line: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        codec.event_from_line(line)


@relaxed
@given(record=st.dictionaries(st.sampled_from([item.name for item in fields(Event)]), JSON, max_size=6))
def test_an_object_is_an_event_or_refused(record: dict[str, Any]) -> None:
    line = json.dumps({"kind": "note", "time": 1, "lane": "run"} | record)
    try:
        event = codec.event_from_line(line)
    except ValueError:
        return
    assert codec.event_from_line(codec.event_to_line(event)) == event


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"schema": 2}, "was written by a newer version (schema 2, this one reads 1)"),
        ({"schema": None}, "has no schema number"),
        ({"schema": "1"}, "has no schema number"),
        ({"run": 3}, "has 3 for 'run'"),
        ({"argv": "pytest"}, "has 'pytest' for 'argv'"),
        ({"argv": 3}, "has 3 for 'argv'"),
        ({"argv": ["-k", 3]}, "has 3 for 'argv'"),
        ({"paths": "tests"}, "has 'tests' for 'paths'"),
        ({"started": "now"}, "has 'now' for 'started'"),
        ({"started": -1}, "has -1 for 'started'"),
        ({"started": 99_999_999_999_999}, "has 99999999999999 for 'started'"),
        ({"later": json.loads("[" * 60 + "]" * 60)}, "is nested too deeply"),
        ({"seed": 1.5}, "has 1.5 for 'seed'"),
        ({"hash_seed": 7}, "has 7 for 'hash_seed'"),
        ({"cwd_importable": 1}, "has 1 for 'cwd_importable'"),
        ({"workers": True}, "has True for 'workers'"),
        ({"tools": []}, "has [] for 'tools'"),
        ({"host": {"cores": 2}}, "has 2 for 'host'"),
    ],
)
def test_a_header_with_a_wrong_value(changed: dict[str, object], told: str) -> None:
    stored = json.loads(codec.header_to_json(HEADER)) | changed
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        codec.header_from_json(json.dumps(stored))


def test_a_header_of_a_newer_version_is_told_so_whatever_else_it_holds() -> None:
    with pytest.raises(ValueError, match=r"^was written by a newer version \(schema 99, this one reads 1\)$"):
        codec.header_from_json('{"schema": 99, "argv": {}}')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("[]", "is no JSON object"),
        ("{}", "has no schema number"),
        ('{"schema": 1, "run": "r", "category": "c"}', "missing 10 required positional arguments: "),
    ],
)
def test_what_is_no_header_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(told)}"):
        codec.header_from_json(text)
