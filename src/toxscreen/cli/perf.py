"""``toxscreen perf``: is this revision slower than its base? Both are measured side by side, in pairs of processes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.analysis import evidence
from toxscreen.cli import perf_evidence, perf_measuring, perf_page, perf_trend
from toxscreen.cli.arguments import percent, seconds
from toxscreen.cli.command import Answer, here
from toxscreen.cli.output import Output, outputs
from toxscreen.cli.perf_measuring import Job
from toxscreen.cli.perf_watch import Watch
from toxscreen.errors import ConfigError, Exit, Place, ReportError, raise_together
from toxscreen.model import Comparison
from toxscreen.perf import trend
from toxscreen.report import markdown, ratios_svg
from toxscreen.settings import FILE, Settings, find_root, load
from toxscreen.settings.gates import load_gates
from toxscreen.settings.perf import Perf, load_perf

NAME = "perf"
HELP = (
    "Compare the benchmarks of two revisions side by side: which are slower, faster or the same, and how sure that is."
)
EXAMPLE = "toxscreen perf --against main --resolution 3%"
#: Whether arguments after ``--`` are somebody else's: pytest's.
HANDS_ON = True

_CATEGORY: Final = "perf"
_PICTURE: Final = "ratios.svg"
#: Arguments that a comparison takes and a trend does not.
_COMPARING: Final = ("against", "select", "resolution", "budget", "svg", "markdown", "paths", "options")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="folders or files of benchmarks (default: settings)")
    parser.add_argument("--against", default=None, metavar="REV", help="revision to compare with (default: the base)")
    parser.add_argument("--select", default=None, metavar="EXPR", help="only benchmarks that pytest -k EXPR selects")
    parser.add_argument(
        "--resolution",
        type=percent,
        default=None,
        metavar="PERCENT",
        help="difference that counts, in percent (default: 3)",
    )
    parser.add_argument("--budget", type=seconds, default=None, metavar="TIME", help="90s or 5m, say (default: 5m)")
    parser.add_argument("--svg", default=None, metavar="FILE", help="draw the ratios into FILE, too")
    parser.add_argument("--markdown", default=None, metavar="FILE", help="write the result as Markdown, too")
    parser.add_argument(
        "--trend",
        nargs="*",
        default=None,
        metavar="FILE",
        help="compare nothing: show earlier ratios, or what files of pytest-benchmark and pyperf hold",
    )
    parser.add_argument("options", nargs="*", metavar="-- PYTEST ARGS", help="options for pytest, after --")


def run(arguments: argparse.Namespace) -> Answer:
    """Compare, or show a trend.

    Raises:
        ToxscreenError: settings or arguments that cannot be used, no base, a side that cannot be built.
        ErrorGroup: several of them.
    """
    root = find_root(here())
    if arguments.trend is not None:
        return _trend(arguments, root)
    asked = {kind: name for kind in ("svg", "markdown") if (name := getattr(arguments, kind)) is not None}
    files = dict(zip(asked, outputs(list(asked.values())), strict=True))
    job = _job(arguments, root)
    made_from = evidence.state(root)
    with Watch() as watch:
        comparison = _measured(job, watch)
    kept: tuple[str, ...] = ()
    if comparison.complete and comparison.compared and not _is_part(arguments):
        kept = perf_evidence.keep(root, comparison, made_from)
        trend.note(root, comparison)
    return _answer(comparison, root, files, kept)


def _measured(job: Job, watch: Watch) -> Comparison:
    """The one place where a comparison comes from."""
    return perf_measuring.measured(job, watch)


def _is_part(arguments: argparse.Namespace) -> bool:
    """Whether somebody asked for some benchmarks only, or for others than the settings name."""
    return bool(arguments.select or arguments.paths or arguments.options)


def _trend(arguments: argparse.Namespace, root: Path) -> Answer:
    raise_together(
        ConfigError(
            f"takes no {'PATH' if name == 'paths' else f'--{name}' if name != 'options' else '--'}",
            place=Place(key="toxscreen perf --trend"),
            hint="a trend measures nothing",
        )
        for name in _COMPARING
        if getattr(arguments, name)
    )
    return perf_trend.of_files(here(), arguments.trend) if arguments.trend else perf_trend.of_project(root)


# what is to be done


def _job(arguments: argparse.Namespace, root: Path) -> Job:
    variables = host.environment()
    asked = load_perf(root, variables)
    usual = asked.against or load_gates(root, variables).value("against")
    settings = load(root, variables)
    paths = _named(arguments.paths, root) or _usual(root, asked, settings)
    return Job(
        root=root,
        against=arguments.against,
        usual=usual,
        paths=paths,
        install=asked.install,
        constraints=_constraints(root, asked),
        resolution=(asked.resolution if arguments.resolution is None else arguments.resolution) / 100,
        budget=asked.budget if arguments.budget is None else arguments.budget,
        options=(*asked.options, *arguments.options),
        select=arguments.select,
        waits=asked.waits,
        markers=tuple(settings.markers),
    )


def _named(names: Sequence[str], root: Path) -> tuple[str, ...]:
    found, wrong = [], []
    for name in names:
        path = Path(os.path.realpath(here() / name))
        if path.exists() and path.is_relative_to(root):
            found.append(os.path.relpath(path, root).replace(os.sep, "/"))
        else:
            told = f"there is no {name}" if not path.exists() else f"{name} does not belong to {root.name}"
            wrong.append(
                ConfigError(
                    told,
                    place=Place(key="toxscreen perf"),
                    hint="name folders or files of the project; --select EXPR is for single benchmarks",
                )
            )
    raise_together(wrong)
    return tuple(found)


def _usual(root: Path, asked: Perf, settings: Settings) -> tuple[str, ...]:
    """What the settings name, of which something must be there."""
    paths = asked.paths or settings.categories[_CATEGORY].paths
    if not any(_matches(root, path) for path in paths):
        told = f"there are no benchmarks: nothing here is called {' or '.join(paths)}"
        hint = f"name them: toxscreen perf PATH, or perf.paths in {FILE}"
        raise ConfigError(told, place=Place(FILE, "tool.toxscreen.perf.paths"), hint=hint)
    return paths


def _matches(root: Path, path: str) -> bool:
    if any(sign in path for sign in "*?["):
        try:
            return next(root.glob(path), None) is not None
        except (ValueError, NotImplementedError):
            # What the version of Python at hand takes for no pattern.
            return False
    return (root / path).exists()


def _constraints(root: Path, asked: Perf) -> str | None:
    if asked.constraints is not None and not (root / asked.constraints).is_file():
        place = Place(FILE, "tool.toxscreen.perf.constraints")
        raise ConfigError(f"there is no file {asked.constraints}", place=place, hint="name it relative to the root")
    return asked.constraints


# what is told


def _answer(comparison: Comparison, root: Path, files: Mapping[str, Output], kept: Sequence[str]) -> Answer:
    told = perf_page.page(comparison, kept)
    status = perf_page.status(comparison)
    lines, unwritten = [], []
    if comparison.compared:
        lines = _picture(root, comparison)
    for kind, file in files.items():
        try:
            file.write(ratios_svg.render(comparison) if kind == "svg" else markdown.render(told))
        except ReportError as error:
            unwritten.append(error.render())
    told = replace(told, closing=(*told.closing, *lines, *unwritten))
    data = {**perf_page.data(comparison), "status": int(status)}
    return Answer(told, data, Exit.UNJUDGED if unwritten and status is not Exit.INTERRUPTED else status)


def _picture(root: Path, comparison: Comparison) -> list[str]:
    """Draw the ratios where the project keeps what is only shown."""
    file = trend.folder(root) / _PICTURE
    try:
        trend.make_folder(root)
        Output(file.relative_to(root).as_posix(), file).write(ratios_svg.render(comparison))
    except (OSError, ReportError):
        # It is a convenience: what was measured stands without it.
        return []
    return [f"picture: {file.relative_to(root).as_posix()}"]
