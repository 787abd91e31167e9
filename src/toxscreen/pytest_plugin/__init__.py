"""The pytest plugin: a door. It does nothing until a category is asked for or ``[tool.toxscreen]`` exists.

What is imported here costs every start of pytest; the rest of toxscreen is imported when it is wanted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from toxscreen.pytest_plugin import options

if TYPE_CHECKING:
    from pathlib import Path


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
    if any(config.getoption(asked[1]) is not None for asked in (options.CATEGORY, options.REPLAY, options.SHARD)):
        return True
    return configured_root(config.rootpath) is not None


def configured_root(folder: Path) -> Path | None:
    """The nearest folder whose pyproject.toml has our table, from a folder upwards to the top of its repository.

    Args:
        folder: where to begin: pytest's root, which may lie below the project's.

    Returns:
        None when there is no table.
    """
    for each in (folder, *folder.parents):
        if _has_table(each / "pyproject.toml"):
            return each
        if os.path.exists(each / ".git"):  # noqa: PTH110 - Path's raises where a folder may not be searched
            break
    return None


def _has_table(file: Path) -> bool:
    try:
        content = file.read_bytes()
    except OSError:
        return False
    if b"toxscreen" not in content:
        return False
    import tomllib

    try:
        tool = tomllib.loads(content.decode()).get("tool")
    except (ValueError, RecursionError):
        # What is wrong with it is told when the settings are read.
        return True
    return isinstance(tool, dict) and "toxscreen" in tool
