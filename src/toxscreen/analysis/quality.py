"""Runs the project's own tools of code quality, and counts what they find for each rule and symbol.

What a tool could not do is told as such: a tool that is missing, crashes or looks at no file has found nothing, and
proves nothing. What the counts mean is decided elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from toxscreen import host
from toxscreen.analysis import quality_output as output
from toxscreen.analysis.symbols import Span, spans, symbol
from toxscreen.model import Measured

#: The name of the evidence.
KIND: Final = "quality"

_SUFFIXES = (".py", ".pyi")
#: Seconds that a tool may take.
_PATIENCE = 1200.0
_STATUS_FOUND = 1


@dataclass(frozen=True, slots=True)
class Sources:
    """The Python files of a project, read once for all tools."""

    root: Path
    #: Tracked ones, and new ones that are not ignored; None without git.
    expected: tuple[str, ...] | None
    #: Definitions by file; None for what Python cannot parse.
    spans: dict[str, tuple[Span, ...] | None]

    def of(self, file: str) -> tuple[Span, ...] | None:
        """The definitions of a file, also of one that is no Python file by its name."""
        if file not in self.spans:
            try:
                self.spans[file] = spans((self.root / file).read_bytes())
            except OSError:
                self.spans[file] = None
        return self.spans[file]

    def relative(self, name: str) -> str:
        """A file's path relative to the root, with forward slashes."""
        path = os.path.relpath(os.path.join(self.root, name), self.root)  # noqa: PTH118 - it normalises, and may lead out
        return path.replace(os.sep, "/")


class _Ended(NamedTuple):
    """What came of a program."""

    status: int
    output: str
    log: str


class _FailedError(Exception):
    """A tool that could not measure."""

    def __init__(self, reason: str, remedy: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = tuple(remedy)


def measure(root: Path, tools: Iterable[str], limit: int) -> dict[str, object]:
    """Run tools, and tell what they found as evidence.

    Args:
        root: the project's root; the tools run there, with the configuration that they find there.
        tools: names of :data:`toxscreen.settings.gates.QUALITY_TOOLS`.
        limit: complexity up to which lizard has nothing to say of a function.

    Returns:
        The data of the evidence, see :mod:`toxscreen.gates.quality_values`.
    """
    expected = host.git_files(root, *(f"*{suffix}" for suffix in _SUFFIXES))
    sources = Sources(root, expected, {})
    found = [_measured(tool, sources, limit) for tool in tools]
    for file in {*(expected or ()), *(file for each in found for file in each.files)}:
        sources.of(file)
    return {
        "expected": None if expected is None else list(expected),
        "symbols": {file: sorted({span.name for span in found or ()}) for file, found in sources.spans.items()},
        "tools": {each.tool: asdict(each) for each in found},
    }


def _measured(tool: str, sources: Sources, limit: int) -> Measured:
    program, run = _TOOLS[tool]
    begun = Measured(tool, (program,))
    try:
        begun = replace(begun, version=_version(program, sources.root))
        done = run(begun, sources, limit)
        if not done.files:
            raise _FailedError("looked at no file", done.command)
    except _FailedError as error:
        return replace(begun, failure=error.reason, remedy=error.remedy)
    except output.UnreadableError as error:
        told = f"printed what cannot be read: {error}"
        return replace(begun, failure=told, remedy=("pip", "install", "--upgrade", _PACKAGES[program]))
    return done


def _version(program: str, root: Path) -> str:
    ended = _run(program, ("--version",), root)
    words = [word for word in ended.output.split() if word[:1].isdigit()]
    if ended.status or not words:
        raise _FailedError(f"does not start: {_last(ended)}", ("pip", "install", "--force-reinstall", program))
    return words[0]


# the tools


def _ruff(begun: Measured, sources: Sources, _: int) -> Measured:
    # Without E902 a file that cannot be read would be passed over.
    return _of_ruff(begun, sources, ("--extend-select", "E902"), output.ruff)


def _complexity(begun: Measured, sources: Sources, _: int) -> Measured:
    return _of_ruff(begun, sources, ("--select", "C901,E902"), output.ruff_complexity)


def _of_ruff(
    begun: Measured, sources: Sources, rules: tuple[str, ...], read: Callable[[str], list[output.Spot]]
) -> Measured:
    listed = _run("ruff", ("check", "--show-files"), sources.root)
    if listed.status:
        raise _FailedError(_died(listed), ("ruff", "check", "--show-files"))
    names = [sources.relative(name) for name in listed.output.splitlines() if name]
    files = [name for name in names if name.rpartition("/")[2] != "pyproject.toml"]
    ended = _checked("ruff", ("check", "--no-fix", "--output-format", "json", *rules), sources.root)
    return _filled(replace(begun, command=("ruff", "check", *rules)), sources, files, read(ended.output))


def _mypy(begun: Measured, sources: Sources, _: int) -> Measured:
    ended = _checked("mypy", ("--output", "json", "--verbose"), sources.root)
    spots = output.mypy(ended.output)
    if bool(spots) != (ended.status == _STATUS_FOUND):
        raise output.UnreadableError(f"exit status {ended.status}, and {len(spots)} errors")
    files = [sources.relative(name) for name in output.mypy_sources(ended.log)]
    return _filled(replace(begun, command=("mypy",)), sources, files, spots)


def _lizard(begun: Measured, sources: Sources, limit: int) -> Measured:
    if sources.expected is None:
        raise _FailedError("looks at the files that git knows, and there is no git repository", ("git", "init"))
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / "files.txt"
        names.write_text("".join(f"{name}\n" for name in sources.expected), "utf-8", "surrogateescape")
        arguments = ("--xml", "--languages", "python", "--no-gitignore", "--ignore_warnings", "-1")
        ended = _run("lizard", (*arguments, "--input_file", os.fspath(names)), sources.root)
    if ended.status:
        raise _FailedError(_died(ended), ("lizard", "--version"))
    spots, looked_at = output.lizard(ended.output, limit)
    files = [sources.relative(name) for name in looked_at]
    # Lizard reads on where Python cannot, and finds no functions.
    broken = [output.Spot(output.SYNTAX, name, 1) for name in files if sources.of(name) is None]
    command = ("lizard", "--languages", "python", "--CCN", str(limit))
    return _filled(replace(begun, command=command), sources, files, [*spots, *broken])


class _Tool(NamedTuple):
    program: str
    run: Callable[[Measured, Sources, int], Measured]


_TOOLS: Mapping[str, _Tool] = {
    "complexity": _Tool("ruff", _complexity),
    "lizard": _Tool("lizard", _lizard),
    "mypy": _Tool("mypy", _mypy),
    "ruff": _Tool("ruff", _ruff),
}
#: What pip installs; the oldest that can do what is asked here.
_PACKAGES = {"lizard": "lizard>=1.17", "mypy": "mypy>=1.11", "ruff": "ruff>=0.5"}


def _filled(begun: Measured, sources: Sources, files: Iterable[str], spots: Iterable[output.Spot]) -> Measured:
    """A tool's findings by rule and symbol: how many there are, or the greatest complexity."""
    values: dict[str, float] = {}
    lines: dict[str, int] = {}
    for spot in sorted(spots):
        file = sources.relative(spot.file)
        key = f"{spot.rule} {file}:{symbol(sources.of(file), spot.line)}"
        is_complexity = spot.rule in {"C901", "CCN"} and begun.tool != "ruff"
        values[key] = max(values.get(key, 0), spot.value) if is_complexity else values.get(key, 0) + spot.value
        lines.setdefault(key, spot.line)
    return replace(begun, files=tuple(sorted(set(files))), values=values, lines=lines)


# programs


def _program(name: str) -> str:
    """Where a tool lies: beside this interpreter, else where the shell finds it."""
    found = shutil.which(name, path=os.fspath(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise _FailedError("is not installed", ("pip", "install", _PACKAGES[name]))
    return found


def _run(name: str, arguments: tuple[str, ...], root: Path) -> _Ended:
    environment = {key: value for key, value in host.environment().items() if not key.startswith("RUFF_OUTPUT")}
    # What Python programs write to a pipe would else be in the locale's encoding.
    environment["PYTHONUTF8"] = "1"
    command = [_program(name), *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise _FailedError(f"has not ended after {_PATIENCE:.0f} s", (name, *arguments)) from None
    except OSError as error:
        told = f"does not start: {error.strerror or error}"
        raise _FailedError(told, ("pip", "install", "--force-reinstall", name)) from None
    return _Ended(done.returncode, *(each.decode("utf-8", "surrogateescape") for each in (done.stdout, done.stderr)))


def _checked(name: str, arguments: tuple[str, ...], root: Path) -> _Ended:
    """A run of a checker, which ends with 0 or with 1 for findings, and with anything else where it could not check."""
    ended = _run(name, arguments, root)
    if ended.status not in {0, _STATUS_FOUND}:
        raise _FailedError(_died(ended), (name, *arguments[:1]) if name == "ruff" else (name,))
    return ended


def _died(ended: _Ended) -> str:
    return f"ended with status {ended.status}: {_last(ended)}"


def _last(ended: _Ended) -> str:
    """The most telling line of what a program printed: the first error, else the last line."""
    lines = [line.strip() for line in (ended.log + "\n" + ended.output).splitlines()]
    lines = [line for line in lines if line and not line.startswith("LOG:")]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines[-1:] or ["it printed nothing"])[0][:300]
