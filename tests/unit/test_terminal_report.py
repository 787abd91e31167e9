"""Pages as text: plain and whole where no terminal reads along, within its width where one does."""

from __future__ import annotations

import io
import os
import re
from typing import TextIO

import pytest

from toxscreen.model import Page, Table
from toxscreen.report.terminal import print_page, render

NODE_ID = "tests/unit/test_a.py::TestB::test_c[bold]x[/bold]-" + "very-long-" * 30 + "[a:b]"
PAGE = Page(
    title="run [red]one[/red] :smile:",
    notes=("a note of [link]markup[/link]",),
    tables=(
        Table(("Test", "Outcome", "Seconds"), ((NODE_ID, "failed", "1.5"), ("short", "passed", "12.25")), "Slowest"),
        Table(("Empty",), ()),
    ),
    closing=("two\n  lines", f"replay gw0: toxscreen replay one --until '{NODE_ID}'"),
)
PLAIN = f"""\
run [red]one[/red] :smile:
a note of [link]markup[/link]

Slowest
{"Test".ljust(len(NODE_ID))}  Outcome  Seconds
{NODE_ID}  failed       1.5
{"short".ljust(len(NODE_ID))}  passed     12.25

Empty

two
  lines
replay gw0: toxscreen replay one --until '{NODE_ID}'
"""


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def printed(page: Page, encoding: str) -> str:
    target = io.BytesIO()
    stream = io.TextIOWrapper(target, encoding=encoding, newline="\n")
    print_page(page, stream)
    return target.getvalue().decode(encoding)


def test_without_terminal_everything_is_there_on_one_line_and_plain() -> None:
    assert printed(PAGE, "utf-8") == PLAIN


def test_a_page_of_a_title_only_is_one_line() -> None:
    assert printed(Page("nothing"), "utf-8") == "nothing\n"


def test_closing_lines_alone_follow_the_title_at_once() -> None:
    assert printed(Page("title", closing=("end",)), "utf-8") == "title\nend\n"


def test_in_a_terminal_cells_are_folded_and_nothing_is_lost() -> None:
    width = 60
    lines = without_colours(render(PAGE, width)).splitlines()
    table = lines[lines.index("Slowest") + 1 : lines.index("Empty")]
    assert max(map(len, table)) == width
    folded = "".join(line.split("  ")[0].strip() for line in table[1:])
    assert folded == NODE_ID + "short"


def test_in_a_terminal_commands_are_left_to_the_terminal_to_wrap() -> None:
    assert without_colours(render(PAGE, 60)).splitlines()[-1] == PLAIN.splitlines()[-1]


def test_a_terminal_that_says_it_is_one_column_wide_gets_a_readable_table() -> None:
    assert "short" in without_colours(render(PAGE, 1))


def test_in_a_terminal_outcomes_have_colours_unless_nobody_wants_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31mfailed" in render(PAGE, 500)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in render(PAGE, 500)


def test_colours_of_the_environment_do_not_reach_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")
    assert printed(PAGE, "utf-8") == PLAIN


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\r\nb", "a\\r\nb"),
        ("lone \udc80", "lone \\udc80"),
        ("line\u2028separator\x85", "line\\u2028separator\\x85"),
        ("größer 測試 ✓", "größer 測試 ✓"),
    ],
)
def test_control_characters_are_shown_and_do_nothing(text: str, shown: str) -> None:
    page = Page(text, (text,), (Table(("Cell",), ((text,),)),))
    rows = shown.split("\n")
    assert printed(page, "utf-8").splitlines() == [*rows, *rows, "", "Cell", *rows]


def test_what_an_encoding_lacks_is_escaped() -> None:
    assert printed(Page("größer", ("測試",)), "ascii") == "gr\\xf6\\xdfer\n\\u6e2c\\u8a66\n"


@pytest.mark.parametrize(
    ("cells", "right"),
    [(("1", "12.5 %"), True), (("<0.1 %", "-"), True), (("3 of 4", "5"), False), (("", ""), False)],
)
def test_columns_of_numbers_are_aligned_right(cells: tuple[str, ...], *, right: bool) -> None:
    text = printed(Page("t", tables=(Table(("A column", "End"), tuple((cell, "x") for cell in cells)),)), "utf-8")
    side = str.rjust if right else str.ljust
    assert text.splitlines()[3:] == [f"{side(cell, 8)}  x" for cell in cells]


class Terminal(io.StringIO):
    """A text stream that says it is a terminal, on a descriptor that is none."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor


def test_a_terminal_without_a_width_is_taken_for_eighty_columns() -> None:
    reading, writing = os.pipe()
    try:
        stream = Terminal(writing)
        print_page(PAGE, stream)
    finally:
        os.close(reading)
        os.close(writing)
    assert max(len(line) for line in without_colours(stream.getvalue()).splitlines() if line.startswith("tests")) == 80


@pytest.mark.must_not_raise
def test_a_reader_that_went_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream: TextIO = os.fdopen(writing, "w", encoding="utf-8")
    print_page(Page("nobody reads this"), stream)
    stream.close()
