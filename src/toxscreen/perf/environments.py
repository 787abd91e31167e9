"""Environments: a virtual one for each revision, with what that revision itself depends on; by uv where it is there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.errors import BuildError, PlaceError
from toxscreen.errors import Place as Where

#: Lines of an installer's output that are shown when it fails.
_SHOWN: Final = 15
#: Variables that would send packages elsewhere, or that belong to a run around this one.
_NOT_HANDED_ON: Final = frozenset(
    {
        *host.GIT_VARIABLES,
        *("PIP_PREFIX", "PIP_PYTHON", "PIP_ROOT", "PIP_TARGET", "PIP_USER"),
        *("PYTHONHOME", "PYTHONPATH", "UV_SYSTEM_PYTHON", "UV_TARGET", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"),
    }
)
_PREFIXES_NOT_HANDED_ON: Final = ("COVERAGE_", "COV_CORE_", "PYTEST_", "TOXSCREEN_", "TOX_")
_PIP: Final = "import importlib.metadata as m; print(m.version('pip'))"
_PIP_BEFORE: Final = 22
_LOOK: Final = """
import importlib.metadata, json
found = {}
for each in importlib.metadata.distributions():
    local = "dir_info" in (each.read_text("direct_url.json") or "")
    found[each.metadata["Name"].lower().replace("_", "-")] = "(folder)" if local else each.version
print(json.dumps(found, sort_keys=True))
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes an environment.

    Args:
        python: the interpreter that it is made with.
        install: arguments for the installer, relative to the side's folder; an option stands with its value.
        requires: what has to be there besides.
        constraints: a file of them, absolute.
        uv: the program; None: Python's own ``venv`` and ``pip``.
        seconds: that one command may take.
        variables: environment variables; an installer is given those that do not mislead it.
    """

    python: Path
    install: tuple[str, ...]
    requires: tuple[str, ...]
    constraints: Path | None
    uv: str | None
    seconds: float
    variables: Mapping[str, str]

    def identity(self) -> list[str]:
        """What an environment has to be made anew for, with the interpreter's version.

        Raises:
            PlaceError: the interpreter does not start, or the constraints cannot be read.
        """
        version = _answer(self.python, "import sys; print(sys.version, sys.platform)", handed_on(self.variables))
        if version is None:
            raise PlaceError("does not start as a Python interpreter", place=Where(os.fspath(self.python)))
        constraints = ""
        if self.constraints is not None:
            try:
                constraints = self.constraints.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                where = Where(os.fspath(self.constraints))
                raise PlaceError(f"cannot be read: {error.strerror}", place=where) from None
        real = os.path.realpath(self.python)
        return [version.strip(), real, *self.install, "-", *self.requires, "-", constraints, str(self.uv is not None)]


def arguments(install: Sequence[str]) -> list[str]:
    """Entries of ``install`` as arguments: an option's value stands with it, as in a file of requirements."""
    found = []
    for entry in install:
        parts = entry.strip().split(maxsplit=1) if entry.lstrip().startswith("-") else [entry]
        found.extend(parts)
    return found


def interpreter(environment: Path) -> Path:
    """The Python of a virtual environment."""
    if os.name == "nt":  # pragma: no cover - Windows
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def build(environment: Path, project: Path, recipe: Recipe, log: Path, side: str) -> None:
    """Make a virtual environment and install a revision in it.

    Args:
        environment: its folder, not there yet.
        project: the revision's project.
        recipe: what makes it.
        log: file that gets all that is printed.
        side: what it is called in messages.

    Raises:
        BuildError: something cannot be installed, or takes too long.
        PlaceError: no command can be started.
    """
    wanted = [*arguments(recipe.install), *recipe.requires]
    if recipe.constraints is not None:
        wanted += ["-c", os.fspath(recipe.constraints)]
    python = os.fspath(interpreter(environment))
    maker = os.fspath(recipe.python)
    if recipe.uv is not None:
        commands = [[recipe.uv, "venv", "--python", maker, os.fspath(environment)]]
        # As pip does, so that no process has to compile what others find compiled.
        commands += [[recipe.uv, "pip", "install", "--compile-bytecode", "--python", python, *wanted]]
    elif _can_serve(recipe):
        # Putting a pip of its own into an environment takes longer than all the rest.
        commands = [[maker, "-m", "venv", "--without-pip", os.fspath(environment)]]
        commands += [[maker, "-m", "pip", "--python", python, "install", "--no-input", *wanted]]
    else:
        commands = [[maker, "-m", "venv", os.fspath(environment)]]
        commands += [[python, "-m", "pip", "install", "--no-input", *wanted]]
    told = ["python -m venv" if recipe.uv is None else "uv venv"]
    told += [" ".join(("pip install" if recipe.uv is None else "uv pip install", *wanted))]
    with log.open("wb") as printed:
        for command, words in zip(commands, told, strict=True):
            printed.write(f"$ {words}\n".encode())
            printed.flush()
            end = _run(command, project, handed_on(recipe.variables), printed.fileno(), recipe.seconds)
            if end is not None:
                message = f"its environment cannot be built: {words} {end}"
                raise BuildError(message, place=Where(key=side), hint=tail(log))


def _can_serve(recipe: Recipe) -> bool:
    """Whether the interpreter has a pip that installs into other environments, as it does since 22.3."""
    version = _answer(recipe.python, _PIP, handed_on(recipe.variables)) or ""
    major, _, _ = version.strip().partition(".")
    return major.isdecimal() and int(major) > _PIP_BEFORE


def tail(log: Path) -> str:
    """The end of a log, for a hint."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    shown = [line.rstrip() for line in lines if line.strip() and not line.startswith("$ ")]
    return "\n  ".join(shown[-_SHOWN:])


def versions(environment: Path, variables: Mapping[str, str]) -> dict[str, str] | None:
    """The versions of an environment's packages, alike for all those from folders; None where it does not work."""
    answer = _answer(interpreter(environment), _LOOK, handed_on(variables))
    try:
        return dict(json.loads(answer or ""))
    except ValueError:
        return None


def differences(base: Mapping[str, str], candidate: Mapping[str, str]) -> str:
    """In words, in which packages two environments differ; empty where they do not."""
    found = []
    for name in sorted({*base, *candidate}):
        old, new = base.get(name), candidate.get(name)
        if old == new:
            continue
        if new is None:
            found.append(f"{name} {old} only in the base")
        else:
            found.append(f"{name} {old} -> {new}" if old else f"{name} {new} only in the candidate")
    return ", ".join(found)


def handed_on(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that an installer is given."""
    return {
        name: value
        for name, value in variables.items()
        if name not in _NOT_HANDED_ON and not name.startswith(_PREFIXES_NOT_HANDED_ON)
    }


def find_uv(variables: Mapping[str, str]) -> str | None:
    """The program uv; None where it is not on the path."""
    return shutil.which("uv", path=variables.get("PATH"))


def _answer(python: Path, code: str, variables: Mapping[str, str]) -> str | None:
    try:
        command = [os.fspath(python), "-I", "-c", code]
        done = subprocess.run(command, env=dict(variables), capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str], log: int, seconds: float) -> str | None:
    """Run a command to its end; how it ended in words where it failed."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    except OSError as error:
        raise PlaceError(f"cannot be started: {error.strerror}", place=Where(command[0])) from None
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"took longer than {seconds:g} s"
    finally:
        if process.poll() is None:
            _end(process)
    return f"ended with exit status {status}" if status else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and whatever it has started."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:  # pragma: no cover - Windows
            process.kill()
    process.wait()
