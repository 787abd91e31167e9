"""Files that a command writes for others to read: looked at before the work, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toxscreen.cli.command import here
from toxscreen.errors import Place, ReportError, raise_together

_HINT: Final = "name a file in a folder that is there"


@dataclass(frozen=True, slots=True)
class Output:
    """A file to be written when the work is done."""

    #: As it was given.
    name: str
    path: Path
    #: What to do where it cannot be written.
    hint: str = _HINT

    def write(self, text: str) -> None:
        """Write it, in the place of what was there.

        Args:
            text: all of it.

        Raises:
            ReportError: it cannot be written; what was there is there still.
        """
        try:
            _beside(self.path, text)
        except OSError as error:
            raise _error(self.name, error.strerror or str(error), self.hint) from None


def outputs(names: Sequence[str], hint: str = _HINT) -> list[Output]:
    """The files of these names, each of which can be written now.

    Args:
        names: relative to the current folder, or absolute.
        hint: what to do where one cannot be written.

    Raises:
        ReportError: one is no file, lies in no folder that can be written to, or is named twice.
        ErrorGroup: more than one is.
    """
    # With realpath a loop of links is no error, and is then replaced like any other file.
    found = [Output(name, Path(os.path.realpath(here() / name)), hint) for name in names]
    paths = [each.path for each in found]
    wrong = []
    for number, each in enumerate(found):
        told = "is named twice" if each.path in paths[:number] else _problem(each.path)
        if told:
            wrong.append(_error(each.name, told, hint))
    raise_together(wrong)
    return found


def _problem(path: Path) -> str:
    try:
        if not path.parent.is_dir():
            return f"there is no folder {path.parent.name}"
        if path.exists() and not path.is_file():
            return "is no file"
        # Asked for permission, a system may say yes and mean no: read-only disks, quotas.
        _beside(path, None)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _beside(path: Path, text: str | None) -> None:
    """Write a file beside the real one, and put it in its place; without a text just try it."""
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text or "")
        if text is not None:
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _error(name: str, told: str, hint: str) -> ReportError:
    return ReportError(f"cannot be written: {told}", place=Place(file=name), hint=hint)
