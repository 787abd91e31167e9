"""Lines and the functions and classes that they belong to."""

from __future__ import annotations

import pytest

from toxscreen.analysis.symbols import Span, spans, symbol

SOURCE = b"""\
# -*- coding: latin-1 -*-
import os
@decorated(
    lambda: 1
)
class A:
    def f(self): return "\xe9"

    async def g(self):
        if self:
            def inner():
                return [x
                        for x in ()]
        return inner

try:
    def f(): pass
except OSError:
    class f: "\\d"
"""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (1, "<module>"),
        (3, "A"),
        (4, "A"),
        (7, "A.f"),
        (8, "A"),
        (9, "A.g"),
        (13, "A.g.inner"),
        (14, "A.g"),
        (16, "<module>"),
        (17, "f"),
        (19, "f"),
        (99, "<module>"),
    ],
)
def test_line(line: int, name: str) -> None:
    assert symbol(spans(SOURCE), line) == name


def test_spans() -> None:
    assert spans(SOURCE) == (
        Span("A", 3, 14),
        Span("A.f", 7, 7),
        Span("A.g", 9, 14),
        Span("A.g.inner", 11, 13),
        Span("f", 17, 17),
        Span("f", 19, 19),
    )


def test_moved_lines_change_no_name() -> None:
    moved = SOURCE.replace(b"import os\n", b"import os\n\n# more\n\n")
    found = spans(moved) or ()
    assert [span.name for span in found] == [span.name for span in spans(SOURCE) or ()]
    assert symbol(found, 13 + 3) == "A.g.inner"


@pytest.mark.parametrize("source", [b"def f(:\n", b"\0", b"# coding: no-such\n", b"\xff", b"(" * 5000])
def test_what_python_cannot_parse(source: bytes) -> None:
    assert spans(source) is None
    assert symbol(None, 1) == "<module>"
