"""A hunt that was cut short, and the one that goes on with it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from toxscreen.testing import Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

#: The hunts' own lines are measured by other tests.
PLAIN: dict[str, str | None] = {"COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None}
VICTIM, POLLUTER = "test_it.py::test_victim", "test_it.py::test_polluter"
FILES = {
    "state.py": "KEPT = {}\n",
    "test_it.py": """\
        import os, pathlib, time
        import state

        def test_polluter():
            state.KEPT["it"] = 1

        def test_slow():
            pathlib.Path(os.environ["SIGN"]).touch()
            time.sleep(float(os.environ["SLOW"]))

        def test_victim():
            assert not state.KEPT
        """,
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:benchmark\n",
}


def test_killed_in_the_middle_it_is_gone_on_with(tmp_path: Path) -> None:
    project = Suite(FILES).at(tmp_path)
    sign = tmp_path / "sign"
    env = {**PLAIN, "SIGN": os.fspath(sign), "SLOW": "60"}
    process = project.start("hunt", "--jobs", "1", module="toxscreen", env=env)
    records = project.root / ".toxscreen" / "hunts"
    deadline = time.monotonic() + 60
    while not (sign.exists() and any('"probe"' in each.read_text("utf-8") for each in records.glob("*.jsonl"))):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    result = project.toxscreen("hunt", "--json", "--jobs", "2", env={**env, "SLOW": "0"}).expect(exit=1)
    told = json.loads(result.stdout)
    (finding,) = told["findings"]
    assert (finding["node_id"], finding["partners"], finding["proved"]) == (VICTIM, [POLLUTER], True)
    assert told["notes"][0].startswith("gone on with from a hunt that was cut short: ")
