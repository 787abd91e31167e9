"""What made a run less than the whole, in the words of whoever asked for it: options, plugins, paths."""

from __future__ import annotations

import os
import shlex
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

from toxscreen.model import CONFIGURED
from toxscreen.plan.categories import covers
from toxscreen.pytest_plugin.screen import Screen

#: Functions of pytest that deselect, by module and name, with the option that they do it for; "" is any function.
_PYTEST: Final = {
    ("_pytest.mark", "deselect_by_keyword"): ("-k", "keyword"),
    ("_pytest.mark", "deselect_by_mark"): ("-m", "markexpr"),
    ("_pytest.main", ""): ("--deselect", "deselect"),
    ("_pytest.cacheprovider", ""): ("--lf", "lf"),
    ("_pytest.stepwise", ""): ("--stepwise", "stepwise"),
}
#: Options that keep files from being looked at, so that nobody is told of their tests.
_IGNORING: Final = (("--ignore", "ignore"), ("--ignore-glob", "ignore_glob"), ("--lf", "lf"))
_PASSING_ON: Final = ("pluggy", "toxscreen.pytest_plugin.collect")


def deselecting(frame: FrameType | None, config: pytest.Config, root: Path) -> str:
    """Who calls ``pytest_deselected``.

    Args:
        frame: the innermost one of the caller.
        config: of the run.
        root: of the project.

    Returns:
        An option as it was given, a file of the project, or a module.
    """
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_PASSING_ON):
        frame = frame.f_back
    if frame is None:
        return "a plugin that nobody knows"
    module = str(frame.f_globals.get("__name__"))
    for (name, function), (option, destination) in _PYTEST.items():
        if module.startswith(name) and function in {"", frame.f_code.co_name}:
            return option_told(config, option, destination)
    if module == "toxscreen.pytest_plugin.replay":
        return "a replay"
    file = Path(frame.f_code.co_filename)
    if file.is_relative_to(root) and "site-packages" not in file.parts:
        return file.relative_to(root).as_posix()
    return f"plugin {module.partition('.')[0]}"


def option_told(config: pytest.Config, option: str, destination: str) -> str:
    """An option with its value, and whether it stands in the project's configuration.

    Args:
        config: of the run.
        option: its flag.
        destination: the name of its value.
    """
    value = getattr(config.option, destination, None)
    values = [str(each) for each in value] if isinstance(value, list) else [value] if isinstance(value, str) else []
    told = shlex.join([option, *(_inside(config, each) for each in values)])
    given = list(config.getini("addopts"))
    # An option that is given twice is a list, or the last one counts.
    flags = (option, "--last-failed") if option == "--lf" else (option,)
    if values:
        configured = all(_stands(given, flag, each) for flag in flags for each in values)
    else:
        configured = any(flag in given for flag in flags)
    return f"{CONFIGURED}{told}" if configured else told


def _stands(given: list[str], flag: str, value: str) -> bool:
    follows = (flag, value) in pairwise(given)
    return follows or f"{flag}={value}" in given or (len(flag) == 2 and flag + value in given)  # noqa: PLR2004 - one dash


def narrowing(config: pytest.Config, screen: Screen) -> tuple[str, ...]:
    """What narrowed a run although nobody was told of a test that it left out.

    Args:
        config: of the process that leads the run.
        screen: the run.
    """
    if screen.target is not None:
        return ("a replay",)
    told = [option_told(config, option, name) for option, name in _IGNORING if getattr(config.option, name, None)]
    if config.pluginmanager.hasplugin("TestmonSelect"):
        told.append("plugin testmon")
    if config.args_source is pytest.Config.ArgsSource.ARGS and not _is_whole(config, screen):
        told.append(f"the paths given: {shlex.join(_inside(config, each) for each in config.args)}")
    return tuple(told)


def _inside(config: pytest.Config, path: str) -> str:
    """A path as it is called in every checkout: shards are compared by it."""
    for root in (config.rootpath, config.rootpath.resolve()):
        path = path.removeprefix(f"{root}{os.sep}")
    return path


def _is_whole(config: pytest.Config, screen: Screen) -> bool:
    """Whether the paths given hold all that would have run without them."""
    if config.option.pyargs:
        return False
    root, here = screen.settings.root.resolve(), config.invocation_params.dir
    given = []
    for argument in config.args:
        place = (here / argument).resolve()
        if root == place or root.is_relative_to(place):
            return True
        # What lies elsewhere, or is one test, holds nothing whole.
        if place.is_relative_to(root) and "::" not in argument:
            given.append(place.relative_to(root).as_posix())
    wanted = [list(map(str, config.getini("testpaths"))), _category_paths(screen)]
    return any(paths and covers(given, paths) for paths in wanted)


def _category_paths(screen: Screen) -> list[str]:
    policies = [screen.policy] if screen.policy else list(screen.settings.categories.values())
    return [path for policy in policies for path in policy.paths if _exists(screen.settings.root, path)]


def _exists(root: Path, path: str) -> bool:
    return any(letter in path for letter in "*?[") or (root / path).exists()
