"""The audit's part inside pytest, loaded by ``-p toxscreen.pytest_plugin.audited``: it collects and writes what it saw.

Where to stands in an environment variable. It decides nothing, and no test runs.
"""

from __future__ import annotations

import fnmatch
import inspect
import json
import os
import unittest
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.nodes import Node
from _pytest.unittest import TestCaseFunction

from toxscreen.pytest_plugin import options

#: Environment variable with the folder to write to.
FOLDER: Final = "TOXSCREEN_AUDIT"
#: What was collected, and which file was being imported.
COLLECTED, COLLECTING = "collected.json", "collecting"
#: Begins the reason that pytest gives a test whose parameters are an empty list.
_EMPTY: Final = "got empty parameter set"
#: Plugins whose tests are told by a marker or fixture; any other one that calls tests may await them.
_ASYNC_PLUGINS: Final = {"anyio": "anyio_backend", "pytest_asyncio.plugin": "asyncio", "pytest_trio.plugin": "trio"}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """No coverage by pytest-cov, which starts here."""
    if hasattr(early_config.known_args_namespace, "cov_source"):
        early_config.known_args_namespace.no_cov = True
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """One process that collects everything: whatever selects, stops, distributes or writes reports is neutral.

    Around the plugin itself, which would take the category of ``addopts`` for what was asked.
    """
    option = config.option
    ours = ((name, None) for _, name, _, _ in options.ALL)
    for name, value in (("numprocesses", 0), ("tx", []), ("dist", "no"), *ours):
        if hasattr(option, name):
            setattr(option, name, value)
    option.collectonly = True
    option.maxfail = 0
    option.continue_on_collection_errors = True
    for flag in ("lf", "failedfirst", "newfirst", "stepwise", "stepwise_skip", "usepdb", "doctestmodules"):
        if hasattr(option, flag):
            setattr(option, flag, False)
    for written in ("xmlpath", "basetemp", "report_log", "htmlpath"):
        if hasattr(option, written):
            setattr(option, written, None)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch."""
    config.pluginmanager.register(_Audited(config, Path(os.environ.pop(FOLDER))), "toxscreen-audited")


class _Audited:
    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._items: list[pytest.Item] = []
        self._errors: list[tuple[str, str]] = []
        self._skipped: list[tuple[str, str]] = []
        self._ignored: list[tuple[str, str]] = []
        self._constructed: list[tuple[str, str]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_ignore_collect(self, collection_path: Path) -> Generator[None, bool | None, bool | None]:
        """Note what is left alone, and by what."""
        ignored = yield
        if ignored and (collection_path.suffix == ".py" or collection_path.is_dir()):
            self._ignored.append((os.path.realpath(collection_path), self._ignored_by(collection_path)))
        return ignored

    def _ignored_by(self, path: Path) -> str:
        option = self._config.option
        named = [os.path.realpath(self._config.invocation_params.dir / each) for each in option.ignore or ()]
        if os.path.realpath(path) in named:
            return "--ignore"
        if any(fnmatch.fnmatch(os.fspath(path), os.fspath(each)) for each in option.ignore_glob or ()):
            return "--ignore-glob"
        if path.is_dir() and any(fnmatch.fnmatch(path.name, each) for each in self._config.getini("norecursedirs")):
            return "norecursedirs"
        return "collect_ignore of a conftest.py, or a plugin"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Note which file is imported: one that exits takes pytest with it."""
        mark = self._folder / COLLECTING
        if isinstance(collector, pytest.File):
            mark.write_text(os.path.realpath(collector.path), encoding="utf-8")
        report = yield
        mark.unlink(missing_ok=True)
        place = os.path.realpath(collector.path)
        if report.failed:
            self._errors.append((place, _told(report.longrepr)))
        elif report.skipped and isinstance(collector, pytest.Module):
            self._skipped.append((place, str(report.longrepr[-1] if report.longrepr else "")))
        elif isinstance(collector, pytest.Class) and not report.result and _has_constructor(collector.obj):
            self._constructed.append((place, ".".join(_classes(collector))))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep all, before anything is deselected."""
        self._items = list(items)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write what was seen; in the place of what stood there only when it is whole."""
        if (self._folder / COLLECTING).exists():
            # An import has ended pytest, which comes here all the same.
            return
        partial = self._folder / f"{COLLECTED}.part"
        partial.write_text(json.dumps(self._all(session)), encoding="utf-8", errors="surrogatepass")
        partial.replace(self._folder / COLLECTED)

    def _all(self, session: pytest.Session) -> dict[str, Any]:
        config = self._config
        manager = config.pluginmanager
        paths = (getattr(plugin, "__file__", None) for plugin in manager.get_plugins())
        return {
            "items": [self._item(item) for item in self._items],
            "errors": self._errors,
            "skipped": self._skipped,
            "ignored": self._ignored,
            "constructed": self._constructed,
            "python_files": list(config.getini("python_files")),
            "python_classes": list(config.getini("python_classes")),
            "python_functions": list(config.getini("python_functions")),
            "testpaths": list(config.getini("testpaths")),
            "asked": [os.path.realpath(config.invocation_params.dir / arg.partition("::")[0]) for arg in config.args],
            "from_testpaths": config.args_source is pytest.Config.ArgsSource.TESTPATHS,
            "markers": [line.partition(":")[0].partition("(")[0].strip() for line in config.getini("markers")],
            "loaded": [os.path.realpath(path) for path in paths if path],
            "fixtures": sorted({(each.argname, _file(each.func)) for each in _fixtures(session)}),
        }

    def _item(self, item: pytest.Item) -> dict[str, Any]:
        function = getattr(item, "function", None)
        name = getattr(item, "originalname", None) or item.name.partition("[")[0]
        reasons = [str(mark.kwargs.get("reason", "")) for mark in item.iter_markers() if mark.name in {"skip", "xfail"}]
        file, line = _place(function)
        return {
            "node_id": item.nodeid,
            "file": os.path.realpath(item.path),
            "name": ".".join((*_classes(item), name)),
            "defined": [file, line],
            "markers": sorted({mark.name for mark in item.iter_markers()}),
            "fixtures": sorted(getattr(item, "fixturenames", ())),
            "empty": any(reason.startswith(_EMPTY) for reason in reasons),
            "unawaited": self._is_unawaited(item, function),
        }

    def _is_unawaited(self, item: pytest.Item, function: Any) -> bool:
        """Whether it is an async function that nobody would await."""
        if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
            return False
        if isinstance(item, TestCaseFunction):
            return _is_plain(item.parent)
        # A plugin's own kind of item knows what it does.
        if type(item) is not pytest.Function:
            return False
        callers = self._config.hook.pytest_pyfunc_call.get_hookimpls()
        known = {name for each in callers if not (name := each.plugin_name).startswith(("python", "toxscreen"))}
        if known - _ASYNC_PLUGINS.keys() - {"asyncio", "trio", "skipping", "anyio"}:
            return False
        names = {*item.fixturenames, *(mark.name for mark in item.iter_markers())}
        return not (known and names & {"anyio_backend", "anyio", "asyncio", "trio"})


def _is_plain(parent: Node | None) -> bool:
    """Whether a test case of unittest calls its tests the way that unittest's own does, which awaits nothing."""
    kind = getattr(parent, "obj", None)
    names = ("run", "__call__", "_callTestMethod")
    return kind is not None and all(getattr(kind, name, 0) is getattr(unittest.TestCase, name, 1) for name in names)


def _classes(node: Node) -> Iterator[str]:
    return (each.name for each in node.listchain() if isinstance(each, pytest.Class))


def _has_constructor(kind: Any) -> bool:
    """Whether a class has a constructor, of its own or of a base: of such pytest makes no objects."""
    return (kind.__init__, kind.__new__) != (object.__init__, object.__new__)


def _told(longrepr: object) -> str:
    """What went wrong, in one line."""
    lines = [line for line in str(longrepr).strip().splitlines() if line.strip()]
    if any("import file mismatch" in line for line in lines):
        return "import file mismatch"
    errors = [line.removeprefix("E").strip() for line in lines if line.startswith("E ")]
    return (errors[-1] if errors else lines[-1].strip() if lines else "")[:300]


def _place(function: Any) -> tuple[str, int]:
    """File and first line, decorators included, of a function as it is written."""
    try:
        code = inspect.unwrap(function).__code__
    except (AttributeError, ValueError):
        return "", 0
    return os.path.realpath(code.co_filename), code.co_firstlineno


def _fixtures(session: pytest.Session) -> list[Any]:
    """All fixtures that pytest knows. Where it does not say, there are none, and nobody says that one is not used."""
    manager: Any = getattr(session, "_fixturemanager", None)
    if hasattr(manager, "_get_all_fixture_defs"):  # since pytest 9.1
        return list(manager._get_all_fixture_defs())  # noqa: SLF001 - no public way tells them all
    return [each for defs in getattr(manager, "_arg2fixturedefs", {}).values() for each in defs]


def _file(function: Any) -> str:
    return _place(getattr(function, "func", function))[0]
