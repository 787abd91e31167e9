"""Projects with several tox environments that share few cores, and what their journals say of who ran when."""

from __future__ import annotations

import json
import sys
from collections import Counter
from itertools import accumulate
from typing import NamedTuple

from toxscreen.journal.store import run_folders
from toxscreen.testing import Project, Result, Suite

#: Takes cores away, and is there where toxscreen is not installed beside tox; loading the plugin twice is harmless.
TOXFILE = """\
import os
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cores}])
from toxscreen.tox_plugin import tox_add_core_config, tox_after_run_commands
from toxscreen.tox_plugin import tox_before_run_commands, tox_env_teardown
"""
TOX_INI = """\
[tox]
env_list = {names}
no_package = true
[testenv]
skip_install = true
allowlist_externals = *
pass_env =
    COVERAGE_*
    PYTHONPATH
    TMPDIR
    TOXSCREEN_*
    GO
"""
PYTEST = f"{sys.executable} -m pytest -p no:cacheprovider"
#: A virtual environment of an environment need not have pip.
FAST: dict[str, str | None] = {"VIRTUALENV_NO_SEED": "1"}
UNIT = f"{PYTEST} --category unit -n 2"
#: A file of ten tests that take some time and see how many others do so, too.
BUSY = """\
import os, pathlib, time, pytest
running = pathlib.Path(__file__).parents[2] / "running"
running.mkdir(exist_ok=True)

@pytest.mark.parametrize("number", range(10))
def test_busy(number):
    mine = running / str(os.getpid())
    mine.touch()
    seen = len(list(running.iterdir()))
    time.sleep(0.12)
    mine.unlink()
    assert seen <= {cores}
"""


def suite(environments: dict[str, str], files: dict[str, str], cores: int = 1) -> Suite:
    """A project whose environments each run some commands, and a tox that may use so many cores."""
    ini = TOX_INI.format(names=",".join(environments))
    for name, commands in environments.items():
        ini += f"[testenv:{name}]\n{commands if ' = ' in commands else f'commands = {commands}'}\n"
    return Suite(
        {"tox.ini": ini, "toxfile.py": TOXFILE.format(cores=cores), "pyproject.toml": "[tool.toxscreen]\n"} | files
    )


class Ran(NamedTuple):
    """One test, by its own lines in the journal."""

    environment: str
    node_id: str
    begun: float
    ended: float

    def beside(self, other: Ran) -> bool:
        return self is not other and self.begun < other.ended and other.begun < self.ended


def tox(project: Project, *arguments: str, env: dict[str, str | None] | None = None) -> Result:
    """Run tox, `tox -p all` when nothing else is said."""
    return project.run(*(arguments or ("-p", "all")), module="tox", env={**FAST, **(env or {})})


def ran(project: Project) -> list[Ran]:
    """Every test that all runs of a project have begun and ended."""
    found = []
    for folder in run_folders(project.root):
        environment = str(json.loads((folder / "header.json").read_text())["environment"])
        for shard in folder.glob("*.jsonl"):
            begun = {}
            for event in map(json.loads, shard.read_text().splitlines()):
                if event["kind"] == "start":
                    begun[event["node_id"]] = event["time"]
                elif event["kind"] == "end":
                    found.append(Ran(environment, event["node_id"], begun[event["node_id"]], event["time"]))
    return found


def most_at_once(tests: list[Ran]) -> int:
    """How many tests ran at the same moment."""
    changes = sorted(change for test in tests for change in ((test.begun, 1), (test.ended, -1)))
    return max(accumulate(change for _, change in changes))


def states(result: Result) -> dict[str, dict[str, int]]:
    """How many tests of each environment ended how."""
    return {
        str(run.header.environment): dict(Counter(outcome.value for outcome in run.outcomes.values()))
        for run in result.runs
    }
