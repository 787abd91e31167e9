"""A page as text: for a person at a terminal, or plain and whole for a file or a pipe.

Nothing in a page is markup. Where no terminal reads along, no line is wrapped or cut, so that node ids and commands can
be copied and searched for.
"""

from __future__ import annotations

import io
import os
import re
from typing import Final, TextIO

import rich.table
from rich.console import Console
from rich.text import Text

from toxscreen.model import Outcome, Page, Ruling, RunState, Section, Table
from toxscreen.report.visible import visible

_NUMBER = re.compile(r"[<>]?[\d.,]+( ?(%|s))?|-?")
#: Wider than any line: tables are then as wide as what stands in them.
_UNBOUNDED: Final = 1_000_000
_NARROWEST: Final = 40
_STYLES: Final = {
    **{outcome.value: "red" for outcome in Outcome if outcome.red},
    **dict.fromkeys((RunState.DIED.value, Ruling.FAIL.value, "unreadable"), "red"),
    **dict.fromkeys((Outcome.PASSED.value, Ruling.PASS.value, RunState.COMPLETE.value), "green"),
    **dict.fromkeys((Outcome.NOT_RUN.value, RunState.STOPPED.value, RunState.RUNNING.value), "yellow"),
    Ruling.UNMEASURED.value: "yellow",
}


def print_page(page: Page, stream: TextIO) -> None:
    """Print a page.

    Args:
        page: what to say.
        stream: where to; colours and the terminal's width are used only if it is a terminal. What its encoding lacks
            is written as an escape sequence. A reader that has gone away is no error.
    """
    text = render(page, _width_of(stream))
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        # What is still buffered would fail once more, aloud, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def render(page: Page, width: int | None = None) -> str:
    """A page as text.

    Args:
        page: what to say.
        width: columns of the terminal; None for plain text of any width.
    """
    target = io.StringIO()
    console = Console(
        file=target,
        force_terminal=width is not None,
        width=_UNBOUNDED if width is None else max(width, _NARROWEST),
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    _say(console, page.title, "bold")
    for note in page.notes:
        _say(console, note)
    for table in page.tables:
        console.line()
        if table.title:
            _say(console, table.title, "bold")
        console.print(_rows(table))
    _say_sections(console, page.sections)
    if page.closing and (page.notes or page.tables or page.sections):
        console.line()
    for line in page.closing:
        _say(console, line)
    if width is not None:
        return target.getvalue()
    return "".join(f"{line.rstrip()}\n" for line in target.getvalue().removesuffix("\n").split("\n"))


def _say(console: Console, text: str, style: str = "") -> None:
    """One line, left to the terminal to wrap: what is copied from it has no line breaks of ours."""
    console.print(Text(visible(text), style), soft_wrap=True)


def _say_sections(console: Console, sections: tuple[Section, ...]) -> None:
    group = ""
    for number, section in enumerate(sections):
        if section.group != group:
            console.line()
            _say(console, section.group)
        if section.group != group or not number:
            console.line()
        group = section.group
        for line in section.told:
            _say(console, line)


def _rows(table: Table) -> rich.table.Table:
    shown = rich.table.Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, title in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        numeric = any(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)
        shown.add_column(Text(title), justify="right" if numeric else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*(Text(visible(cell), _STYLES.get(cell, "")) for cell in row))
    return shown


def _width_of(stream: TextIO) -> int | None:
    """Columns of the terminal behind a stream; None where there is none."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80
