"""``toxscreen quality``: run tools of code quality, show and keep what they find. It measures, it does not judge."""

from __future__ import annotations

import argparse
import contextlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.analysis import evidence, quality
from toxscreen.cli.command import Answer, here
from toxscreen.errors import ConfigError, Exit, Place, UnknownKeyError, did_you_mean, raise_together
from toxscreen.gates.quality import COMMAND
from toxscreen.gates.quality_values import Quality, read
from toxscreen.model import Evidence, Measured, Page, State, Table
from toxscreen.settings import FILE, find_root
from toxscreen.settings.gates import QUALITY_TOOLS, load_gates

NAME = "quality"
HELP = "Count what ruff, mypy and lizard find in the code, for each rule and symbol, as evidence for the gates."
EXAMPLE = "toxscreen quality ruff mypy"

_SETTING: Final = "tool.toxscreen.gates.quality"
#: Findings that are listed.
_MOST: Final = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    told = f"tools to run, of {', '.join(QUALITY_TOOLS)}; those of {_SETTING} when none is named"
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=told)


def run(arguments: argparse.Namespace) -> Answer:
    """Measure.

    Raises:
        ToxscreenError: settings or arguments that cannot be used, or evidence that cannot be written.
        ErrorGroup: several of them.
    """
    root = find_root(here())
    limits = load_gates(root, host.environment())
    tools = _tools(arguments.tools) or limits.value("quality")
    if not tools:
        hint = f"name some of {', '.join(QUALITY_TOOLS)}, or set {_SETTING}"
        raise ConfigError("no tool is named", place=Place(FILE, _SETTING), hint=hint)
    before = evidence.state(root)
    data = quality.measure(root, tools, limits.value("quality-lizard"))
    file = evidence.write(root, quality.KIND, _with_others(root, before, data), COMMAND, before)
    return page_of(read(data), data, file.relative_to(root).as_posix())


def _tools(names: Sequence[str]) -> tuple[str, ...]:
    raise_together(
        UnknownKeyError(
            f"there is no tool {name!r}", place=Place(key=_called()), hint=did_you_mean(name, QUALITY_TOOLS)
        )
        for name in names
        if name not in QUALITY_TOOLS
    )
    return tuple(dict.fromkeys(names))


def _called() -> str:
    return " ".join(COMMAND)


def _with_others(root: Path, now: State, data: Mapping[str, object]) -> dict[str, object]:
    """The data, and what other tools have found in the same sources."""
    old = evidence.read(root, quality.KIND, now, COMMAND)
    others: Any = {}
    if isinstance(old, Evidence):
        with contextlib.suppress(ValueError):
            read(old.data)
            others = old.data["tools"]
    new: Any = data["tools"]
    return {**data, "tools": {**others, **new}}


def page_of(found: Quality, data: Mapping[str, object], file: str) -> Answer:
    """What is said of a measurement.

    Args:
        found: what the tools found.
        data: the same, as the evidence holds it.
        file: where that lies.
    """
    failed = [each for each in found.tools.values() if each.failure]
    count = None if found.expected is None else len(found.expected)
    rows = tuple(_row(each, count) for each in found.tools.values())
    spots = [(each, key) for each in found.tools.values() for key in sorted(each.values)]
    listed = tuple((each.tool, *key.partition(" ")[::2], f"{each.values[key]:g}") for each, key in spots[:_MOST])
    tables = [Table(("Tool", "Version", "Files", "Python files", "Rules and symbols", "Sum"), rows)]
    if listed:
        tables.append(Table(("Tool", "Rule", "Symbol", "Value"), listed))
    closing = [f"{each.tool} {each.failure}; try: {shlex.join(each.remedy)}" for each in failed]
    if len(spots) > _MOST:
        closing.append(f"{len(spots) - _MOST} more values; --json tells every one")
    page = Page("what tools find in the code", tables=tuple(tables), closing=(*closing, f"evidence: {file}"))
    told = {"tools": data["tools"], "expected": count, "evidence": file}
    return Answer(page, told, Exit.UNJUDGED if failed else Exit.CLEAN)


def _row(each: Measured, expected: int | None) -> tuple[str, ...]:
    known = "-" if expected is None else str(expected)
    if each.failure:
        return (each.tool, each.version or "-", "-", known, "not measured", "-")
    sizes = (str(len(each.files)), known, str(len(each.values)), f"{sum(each.values.values()):g}")
    return (each.tool, each.version, *sizes)
