"""A page as GitHub-flavoured Markdown, for a comment, a summary of a job or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from toxscreen.model import Code, Page, Section, Table
from toxscreen.report.visible import visible

#: What is markup wherever it stands. An underscore inside a word is none.
_MARKUP: Final = re.compile(r"[\\`*\[\]<>|~&#$]|(?<![^\W_])_|_(?![^\W_])")
#: What is markup where a line begins with it: lists.
_BEGINS: Final = re.compile(r"(?P<digits>\d*)(?P<sign>[-+=.)])")
#: What GitHub takes for a person or an issue: nobody is called.
_CALLS: Final = re.compile(r"(?P<sign>@(?=\w)|#(?=\d))")


def render(page: Page) -> str:
    """A page as Markdown.

    Args:
        page: what to say.
    """
    blocks = [f"# {_escaped(page.title)}"]
    if page.notes:
        blocks.append(_list(page.notes))
    for table in page.tables:
        blocks += [f"**{_escaped(table.title)}**"] if table.title else []
        blocks.append(_table(table))
    group = ""
    for section in page.sections:
        if section.group != group:
            blocks.append(f"## {_escaped(section.group)}")
        group = section.group
        blocks += _section(section)
    closing = [line for line in page.closing if line.strip()]
    if closing:
        blocks.append(_list(closing))
    return "\n\n".join(blocks) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"{'###' if section.group else '##'} {_escaped(section.title)}"
    if section.lines:
        yield "\n".join(_code(line) if isinstance(line, Code) else f"- {_escaped(line)}" for line in section.lines)


def _list(lines: tuple[str, ...] | list[str]) -> str:
    return "\n".join(f"- {_escaped(line)}" for line in lines)


def _code(code: Code) -> str:
    """Code under its label, in a fence that is longer than any in it."""
    text = visible(code.text.rstrip("\n"))
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    lines = [f"{fence}{code.language}", *text.split("\n"), fence]
    return "\n".join([f"- {_escaped(code.label)}:", "", *(f"  {line}".rstrip() for line in lines), ""])


def _table(table: Table) -> str:
    rows = [[_escaped(cell) for cell in row] for row in table.rows]
    lines = [[_escaped(title) for title in table.columns], ["---"] * len(table.columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Plain text as Markdown that shows just that, in one line."""
    text = visible(text.strip()).replace("\t", " ")
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", text)
    escaped = _CALLS.sub(lambda match: f"{match['sign']}<!-- -->", escaped)
    begins = _BEGINS.match(escaped)
    if begins is not None:
        escaped = f"{begins['digits']}\\{begins['sign']}{escaped[begins.end() :]}"
    return "<br>".join(line.strip() for line in escaped.split("\n"))
