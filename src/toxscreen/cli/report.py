"""``toxscreen report``: the page of all gates, for people, for programs and for the systems that run them."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from toxscreen import __version__
from toxscreen.cli import gate
from toxscreen.cli.command import Answer, here
from toxscreen.cli.gathering import gather
from toxscreen.cli.output import outputs
from toxscreen.errors import ConfigError, Place
from toxscreen.hunt.findings import SCHEMA
from toxscreen.model import Finding, Ruling, Verdict
from toxscreen.report import github, gitlab, markdown, sarif, terminal
from toxscreen.settings import find_root, state_folder

NAME = "report"
HELP = "Write what all gates ruled as a page, as data, and as code hosts read it. Runs nothing."
EXAMPLE = "toxscreen report --format markdown"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a report is made of."""

    verdicts: tuple[Verdict, ...]
    #: As ``toxscreen gate`` gives it.
    answer: Answer
    #: Changed lines of each changed file.
    changed: Mapping[str, frozenset[int]] = field(default_factory=dict)


#: How each format is made. What is compared, counted and decided was so before.
FORMATS: Final[Mapping[str, Callable[[Judged], str]]] = {
    "terminal": lambda judged: terminal.render(judged.answer.page),
    "markdown": lambda judged: markdown.render(judged.answer.page),
    "json": lambda judged: json.dumps({**judged.answer.data, "schema": SCHEMA}, indent=2) + "\n",
    "sarif": lambda judged: sarif.render(*sides(judged.verdicts), __version__),
    "github": lambda judged: github.render(*sides(judged.verdicts), judged.changed),
    "gitlab": lambda judged: gitlab.render(*sides(judged.verdicts)),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "--format",
        action="append",
        choices=tuple(FORMATS),
        help="terminal (default), markdown, json, sarif, github (annotations) or gitlab (code quality)",
    )
    parser.add_argument(
        "--output",
        action="append",
        metavar="FILE",
        help="write it there instead; several --format take an --output each, in the same order",
    )


def run(arguments: argparse.Namespace) -> Answer:
    """Judge what is there, and write it down.

    Raises:
        ConfigError: formats and files do not match.
        ReportError: a file cannot be written.
        ErrorGroup: several of them.
    """
    formats: list[str] = arguments.format or ["terminal"]
    names: list[str] = arguments.output or []
    if len(names) != len(formats) and (names or len(formats) > 1):
        told = f"takes one --output for each --format: here are {len(names)} for {len(formats)}"
        raise ConfigError(told, place=Place(key="toxscreen report"), hint="only a single --format can be printed")
    root = find_root(here())
    if names:
        # Reports lie there as a rule, and where nothing was recorded it does not exist yet.
        with contextlib.suppress(OSError):
            state_folder(root)
    files = outputs(names)
    judged = _judged(root)
    if not files:
        # A page is printed better by what knows the terminal.
        text = None if formats == ["terminal"] else FORMATS[formats[0]](judged)
        return replace(judged.answer, text=text)
    for kind, file in zip(formats, files, strict=True):
        file.write(FORMATS[kind](judged))
    return _with_files(judged.answer, {file.name: kind for kind, file in zip(formats, files, strict=True)})


def sides(verdicts: Sequence[Verdict]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What fails, and what is told and fails nothing.

    A gate that holds up without a finding becomes one, and so does the want of any gate: where nothing was judged, no
    report is empty.

    Args:
        verdicts: of all gates.
    """
    asked = any(verdict.asked for verdict in verdicts)
    errors: list[Finding] = [] if asked else [Finding("gate-none", "gates", "no gate was asked")]
    warnings: list[Finding] = []
    for verdict in verdicts:
        if not verdict.asked:
            continue
        if verdict.ruling in {Ruling.PASS, Ruling.NOT_APPLICABLE}:
            warnings += verdict.findings
        else:
            errors += verdict.findings or (_itself(verdict),)
    return tuple(errors), tuple(warnings)


def _itself(verdict: Verdict) -> Finding:
    message = f"{verdict.ruling.value}: {verdict.reason}"
    return Finding(f"gate-{verdict.gate}", f"gate {verdict.gate}", message, remedy=verdict.remedy)


def _with_files(answer: Answer, files: Mapping[str, str]) -> Answer:
    closing = (*answer.page.closing, *(f"{kind}: {name}" for name, kind in files.items()))
    return replace(answer, page=replace(answer.page, closing=closing), data={**answer.data, "reports": dict(files)})


def _judged(root: Path) -> Judged:
    """Everything as ``toxscreen gate`` sees it."""
    gathered = gather(root, None)
    verdicts = tuple(gate.judged(gathered))
    return Judged(verdicts, gate.answer(gathered), gathered.changed)
