"""What ruff, mypy and lizard print, and what is no such thing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from toxscreen.analysis.quality_output import Spot, UnreadableError, lizard, mypy, mypy_sources, ruff, ruff_complexity

LIZARD = """<?xml version="1.0" ?>
<cppncss>
<measure type="Function">
<item name="f(...) at src/a b:c.py:9"><value>1</value><value>7</value><value>6</value></item>
<item name="g(...) at src/a b:c.py:20"><value>2</value><value>2</value><value>5</value></item>
</measure>
<measure type="File"><item name="src/a b:c.py"><value>1</value></item>
<item name="x.py"><value>2</value></item></measure>
</cppncss>
"""


def finding(code: str | None, message: str = "", cell: int | None = None) -> dict[str, object]:
    return {"code": code, "filename": "/p/src/a.py", "location": {"row": 9}, "message": message, "cell": cell}


def test_ruff() -> None:
    output = json.dumps([finding("F401"), finding(None), finding("F401", cell=2)])
    assert ruff(output) == [
        Spot("F401", "/p/src/a.py", 9),
        Spot("invalid-syntax", "/p/src/a.py", 9),
        Spot("F401", "/p/src/a.py", 0),
    ]
    assert ruff("[]\n") == []


def test_complexity() -> None:
    output = json.dumps(
        [finding("C901", "`f` is too complex (16 > 10)"), finding("invalid-syntax", "Expected `)` (1 > 0)")]
    )
    assert ruff_complexity(output) == [
        Spot("C901", "/p/src/a.py", 9, 16),
        Spot("invalid-syntax", "/p/src/a.py", 9, 1),
    ]


def test_mypy() -> None:
    lines = [
        {"file": "a.py", "line": 3, "message": "no", "code": "misc", "severity": "error"},
        {"file": "a.py", "line": 4, "message": "look", "code": "misc", "severity": "note"},
        {"file": "b.py", "line": -1, "message": "no", "code": None, "severity": "error"},
    ]
    assert mypy("\n".join(map(json.dumps, lines)) + "\n\n") == [Spot("misc", "a.py", 3), Spot("error", "b.py", -1)]
    assert mypy("\n") == []


def test_sources_of_mypy() -> None:
    log = (
        "LOG:  Mypy Version:           2.4.1\n"
        "LOG:  Found source:           BuildSource(path='src/a.py', module='a', has_text=False)\n"
        "LOG:  Found source:           BuildSource(path=\"it's\\\\n.py\", module='b', has_text=False)\n"
        "LOG:  Metadata fresh for b: file b.py\n"
    )
    assert mypy_sources(log) == ["src/a.py", "it's\\n.py"]
    assert mypy_sources("") == []
    with pytest.raises(UnreadableError, match="no path in the line 'LOG:  Found source: 7'"):
        mypy_sources("LOG:  Found source: 7")


def test_lizard() -> None:
    assert lizard(LIZARD, 5) == ([Spot("CCN", "src/a b:c.py", 9, 6)], ["src/a b:c.py", "x.py"])
    assert lizard("a warning\n" + LIZARD, 6) == ([], ["src/a b:c.py", "x.py"])


@pytest.mark.parametrize(
    ("read", "output"),
    [
        (ruff, ""),
        (ruff, "{}"),
        (ruff, "[1]"),
        (ruff, '[{"code": "F401"}]'),
        (ruff_complexity, json.dumps([finding("C901", "too complex")])),
        (mypy, "Traceback (most recent call last):"),
        (mypy, "1"),
        (mypy, '{"severity": "error"}'),
        (lambda output: lizard(output, 5), ""),
        (lambda output: lizard(output, 5), "<cppncss/>"),
        (lambda output: lizard(output, 5), LIZARD.replace(" at ", " in ")),
        (lambda output: lizard(output, 5), LIZARD.replace("<value>6</value>", "")),
        (lambda output: lizard(output, 5), LIZARD.replace("<value>6</value>", "<value>six</value>")),
    ],
)
def test_what_cannot_be_read_is_no_finding(read: Callable[[str], object], output: str) -> None:
    with pytest.raises(UnreadableError):
        read(output)
