"""Lives in the pytest that runs changed tests on the base's source: selects them, writes down what came of each.

It is copied beside that pytest and imported there under another name, for the base may have no toxscreen or another
one. Hooks only; it imports the standard library alone.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

#: Names the file with the orders: what to run, which packages are asked where they come from, where to write.
ORDERS = "TOXSCREEN_PROOF"


class Reporter:
    """One run of pytest.

    Args:
        orders: as JSON took them.
    """

    def __init__(self, orders: dict[str, Any]) -> None:
        self._wanted = set(orders["wanted"])
        self._packages: list[str] = orders["packages"]
        self._file = Path(orders["answer"])
        self._root = Path(orders["root"])
        self._tests: dict[str, dict[str, Any]] = {}
        self._broken: list[dict[str, Any]] = []

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        """Keep the tests that are wanted, whatever their parameters."""
        kept = [item for item in items if function_of(item.nodeid) in self._wanted]
        config.hook.pytest_deselected(items=[item for item in items if function_of(item.nodeid) not in self._wanted])
        items[:] = kept

    def pytest_runtest_logreport(self, report: Any) -> None:
        """What is worse counts."""
        told = self._tests.setdefault(report.nodeid, {"outcome": "", "why": ""})
        if report.failed and told["outcome"] != "failed":
            crash = getattr(getattr(report.longrepr, "reprcrash", None), "message", None) or str(report.longrepr)
            told.update(outcome="failed", why=crash.strip().partition("\n")[0][:200])
        elif not told["outcome"] and (report.skipped or report.when == "call"):
            told.update(outcome=report.outcome)

    def pytest_exception_interact(self, node: Any, call: Any, report: Any) -> None:
        """A file that cannot be collected: where did that come from?"""
        if hasattr(report, "when") and report.when in {"setup", "call", "teardown"}:
            return
        error = call.excinfo.value
        while error.__cause__ is not None:
            error = error.__cause__
        file, trace = "", error.__traceback__
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            if not name.startswith("<"):
                file = name
            trace = trace.tb_next
        why = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        self._broken.append({"node": node.nodeid, "file": self._relative(file), "why": why})

    def _relative(self, file: str) -> str:
        path = Path(os.path.realpath(file))
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else path.as_posix()

    def pytest_sessionfinish(self) -> None:
        """Write down all."""
        told = {"tests": self._tests, "broken": self._broken, "homes": {name: _home(name) for name in self._packages}}
        self._file.write_text(json.dumps(told), encoding="utf-8")


def function_of(node_id: str) -> str:
    """The function of a test, whatever its parameters: its file, two colons and its qualified name."""
    file, _, rest = node_id.partition("::")
    return f"{file}::{rest.partition('[')[0].replace('::', '.')}"


def _home(package: str) -> str:
    """Where a package is, or would be, imported from; nothing where it is not there."""
    module = sys.modules.get(package)
    try:
        spec = module.__spec__ if module is not None else importlib.util.find_spec(package)
        if spec is None:
            return os.path.realpath(module.__file__) if module is not None and module.__file__ else ""
        found = spec.origin if spec.has_location else next(iter(spec.submodule_search_locations or ()), "")
    except (ImportError, AttributeError, ValueError):
        return ""
    return os.path.realpath(found) if found else ""


def pytest_configure(config: Any) -> None:
    """Begin."""
    if ORDERS in os.environ:
        reporter = Reporter(json.loads(Path(os.environ[ORDERS]).read_text(encoding="utf-8")))
        config.pluginmanager.register(reporter, "toxscreen-proof")
