"""What a command is: a name, its arguments, and a function that answers with a page, data and an exit status."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from toxscreen.errors import ConfigError, Exit
from toxscreen.model import Page


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say: for people, for programs, and as an exit status."""

    page: Page
    #: Members of the JSON document; ``schema`` is added by the printer.
    data: dict[str, object] = field(default_factory=dict)
    status: Exit = Exit.CLEAN
    #: Printed as it is, in the place of the page.
    text: str | None = None
    #: Whether the page is printed all the same, on standard error: the text is for programs.
    explained: bool = False


class Command(Protocol):
    """The module of one command."""

    NAME: str
    HELP: str
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's own arguments."""

    def run(self, arguments: argparse.Namespace) -> Answer:
        """Do it.

        Raises:
            ToxscreenError: it could not be done; printed by `main`.
        """


def here() -> Path:
    """The current folder.

    Raises:
        ConfigError: it is gone.
    """
    try:
        return Path.cwd()
    except OSError as error:
        told = f"the current folder cannot be used: {error.strerror}"
        raise ConfigError(told, hint="change to a folder of the project") from None
