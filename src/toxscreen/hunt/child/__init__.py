"""The hunt's part inside pytest, loaded by ``-p toxscreen.hunt.child``: it collects, then runs what it is told to run.

What it is to do stands in an environment variable, as JSON; what it saw goes to files. It decides nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

from toxscreen.hunt.child.answering import answer
from toxscreen.hunt.child.running import Runner

#: Environment variable with the child's orders.
ORDERS: Final = "TOXSCREEN_HUNT"
#: Files in the hunt's folder: what was collected, and which file was being imported.
COLLECTED, COLLECTING = "collected.json", "collecting"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """No coverage by pytest-cov, which starts here: what a probe ran is not what the suite covers."""
    if hasattr(early_config.known_args_namespace, "cov_source"):
        early_config.known_args_namespace.no_cov = True
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """One process, tests in the order they are given: whatever selects, stops, shuffles or distributes is neutral."""
    option = config.option
    if hasattr(option, "numprocesses"):
        option.numprocesses = 0
        option.tx = []
        option.dist = "no"
    if hasattr(option, "randomly_reorganize"):
        option.randomly_reorganize = False
    option.maxfail = 0
    option.continue_on_collection_errors = True
    for flag in ("lf", "failedfirst", "newfirst", "stepwise", "stepwise_skip", "usepdb"):
        if hasattr(option, flag):
            setattr(option, flag, False)
    # Reports and folders that were asked for are those of the run itself: a probe must not write over them.
    for written in ("xmlpath", "basetemp", "report_log", "htmlpath"):
        if hasattr(option, written):
            setattr(option, written, None)


def pytest_configure(config: pytest.Config) -> None:
    """Read the orders."""
    orders: dict[str, Any] = json.loads(os.environ.pop(ORDERS))
    config.pluginmanager.register(_Child(config, orders), "toxscreen-hunt-child")


class _Child:
    def __init__(self, config: pytest.Config, orders: dict[str, Any]) -> None:
        self._folder = Path(orders["folder"])
        self._orders = orders
        self._broken: list[tuple[str, str]] = []
        self._runner = Runner(config, orders["root"], orders["copy"])
        config.pluginmanager.register(self._runner, "toxscreen-hunt-runner")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, object, object]:
        """Note which file is imported: one that exits takes pytest with it."""
        if isinstance(collector, pytest.File):
            (self._folder / COLLECTING).write_text(collector.nodeid, encoding="utf-8")
        result = yield
        (self._folder / COLLECTING).unlink(missing_ok=True)
        return result

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what cannot be collected: the rest is hunted all the same."""
        if report.failed:
            self._broken.append(
                (report.nodeid, str(report.longrepr).strip().rpartition("\n")[2].removeprefix("E").strip()[:300])
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Say what was collected, then serve or run once."""
        told: dict[str, Any] = {"node_ids": self._runner.learn(session.items), "broken": self._broken}
        told["elsewhere"] = self._runner.elsewhere()
        if self._orders["mode"] == "serve":
            from toxscreen.hunt.child.hazards import hazards

            told["hazards"], told["unforkable"] = hazards()
        partial = self._folder / f"{COLLECTED}.part"
        partial.write_text(json.dumps(told), encoding="utf-8")
        partial.replace(self._folder / COLLECTED)
        if self._orders["mode"] == "serve":
            from toxscreen.hunt.child.serving import serve

            serve(self._runner, self._folder, self._orders["requests"], self._orders["answers"])
        else:
            gate = self._orders.get("gate")
            while gate and not Path(gate).exists():
                # The process beside this one has not collected yet.
                time.sleep(0.001)
            answer(self._runner, self._orders["request"], self._folder)
        return True
