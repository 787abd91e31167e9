"""The pytest plugin: a door. It does nothing until a category is asked for or ``[tool.toxscreen]`` exists.

What is imported here costs every start of pytest; the rest of toxscreen is imported when it is wanted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from toxscreen.pytest_plugin import options

if TYPE_CHECKING:
    from pathlib import Path

_TABLE = re.compile(rb"^\s*\[\s*tool\s*\.\s*toxscreen\b", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of options.py."""
    group = parser.getgroup("toxscreen")
    for flag, dest, metavar, told in options.ALL:
        group.addoption(flag, dest=dest, metavar=metavar, help=told, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, so that ``--strict-markers`` holds with and without a category."""
    for line in options.MARKERS:
        config.addinivalue_line("markers", line)
    for marker in options.CATEGORY_MARKERS:
        config.addinivalue_line("markers", options.category_line(marker, marker.replace("_", "-")))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Start toxscreen where it is wanted.

    Returns:
        None to let pytest go on, or the exit status when the configuration cannot be used.
    """
    if not is_wanted(config):
        return None
    from toxscreen.pytest_plugin.start import start

    return start(config)


def is_wanted(config: pytest.Config) -> bool:
    """Whether this run asks for toxscreen: by an option, or by a table in the project's pyproject.toml."""
    if config.option.help or config.option.version:
        return False
    if config.getoption(options.CATEGORY[1]) or config.getoption(options.REPLAY[1]):
        return True
    return _has_table(config.rootpath / "pyproject.toml")


def _has_table(file: Path) -> bool:
    try:
        return _TABLE.search(file.read_bytes()) is not None
    except OSError:
        return False
