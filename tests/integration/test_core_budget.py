"""`tox -p` on one core budget, with real tox and real pytest: what is counted, and what has the machine to itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from toxing import BUSY, PYTEST, UNIT, Ran, most_at_once, ran, states, suite, tox

from toxscreen.testing import Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away from tox here")


@pytest.mark.parametrize("cores", [1, 2])
def test_as_many_tests_at_once_as_there_are_cores(tmp_path: Path, cores: int) -> None:
    files = {"tests/unit/test_busy.py": BUSY.format(cores=cores)}
    project = suite(dict.fromkeys("abc", UNIT), files, cores).at(tmp_path)
    result = tox(project)
    result.expect(exit=0, never_says=["slots-lost"])
    assert states(result) == {name: {"passed": 10} for name in "abc"}, "the tests count who runs beside them, too"
    # Fewer, where the environments met while the others were starting or ending.
    assert 1 <= most_at_once(ran(project)) <= cores


def test_environments_without_pytest_and_a_long_test_count_as_well(tmp_path: Path) -> None:
    files = {
        "tests/unit/test_long.py": """\
            import time
            def test_long(): time.sleep(1.5)
            """,
        "tests/integration/test_busy.py": BUSY.format(cores=2),
    }
    noting = """\
        import pathlib, time
        pathlib.Path("begun").write_text(str(time.time()))
        time.sleep(1)
        pathlib.Path("ended").write_text(str(time.time()))
        """
    environments = {
        "long": UNIT,
        "busy": UNIT.replace("unit", "integration"),
        "program": f"{sys.executable} program.py",
    }
    project = suite(environments, files | {"program.py": noting}, 2).at(tmp_path)
    result = tox(project)
    result.expect(exit=0)
    assert states(result) == {"long": {"passed": 1}, "busy": {"passed": 10}}
    begun, ended = (float((project.root / name).read_text()) for name in ("begun", "ended"))
    assert most_at_once([*ran(project), Ran("program", "program", begun, ended)]) <= 2


def test_a_pytest_inside_a_test_is_a_part_of_it(tmp_path: Path) -> None:
    files = {
        "tests/integration/test_nested.py": f"""\
            import os, subprocess, sys
            def test_nested():
                assert [name for name in os.environ if name.startswith("TOXSCREEN_SLOTS")] == []
                subprocess.run("{PYTEST} --category unit -n auto".split(), check=True)
            """,
        "tests/unit/test_inner.py": "import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_inner(n): pass\n",
    }
    nesting = f"{PYTEST} --category integration -n 0"
    project = suite({"a": nesting, "b": nesting}, files).at(tmp_path)
    result = tox(project)
    result.expect(exit=0, never_says=["slots-lost"])
    assert sorted(len(run.attempts) for run in result.runs) == [1, 1, 4, 4]


def test_what_waits_has_all_the_time_in_the_world(tmp_path: Path) -> None:
    files = {
        "tests/unit/test_long.py": "import time\ndef test_long(): time.sleep(2)\n",
        "tests/integration/test_short.py": """\
            import time, pytest
            @pytest.mark.parametrize("number", range(4))
            @pytest.mark.timeout(1)
            def test_short(number): time.sleep(0.3)
            """,
    }
    short = f"{PYTEST} --category integration -n 3"
    project = suite({"long": UNIT, "short": short}, files).at(tmp_path)
    result = tox(project)
    result.expect(exit=0)
    assert states(result) == {"long": {"passed": 1}, "short": {"passed": 4}}
    found = ran(project)
    assert most_at_once(found) == 1
    assert max(test.ended - test.begun for test in found if test.environment == "short") < 1
    # One of both waited for the other, and the record says who and for how long.
    queued = {run.header.environment: run.queued for run in result.runs}
    assert max(queued.values()) > 0.3
    waits = [f"{run.queued:.2f} s of it waiting for slots" for run in result.runs if run.queued]
    shown = [project.run("runs", run.id, module="toxscreen").expect(exit=0).stdout for run in result.runs if run.queued]
    assert [wait in text for wait, text in zip(waits, shown, strict=True)] == [True] * len(waits)


#: Tests that run until somebody is there who wants the machine, and then for some more.
OTHERS = """\
import pathlib, time, pytest
@pytest.mark.parametrize("number", range(40))
def test_other(number):
    until = time.monotonic() + 40
    while not pathlib.Path("{until}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.1)
"""


def test_perf_has_the_machine_to_itself_without_depends(tmp_path: Path) -> None:
    files = {
        "conftest.py": """\
            import os, pathlib
            pathlib.Path(f"started-{os.environ['TOX_ENV_NAME']}").touch()
            """,
        "tests/perf/test_alone.py": "import time\ndef test_one(): time.sleep(0.3)\ndef test_two(): time.sleep(0.3)\n",
        "tests/integration/test_others.py": OTHERS.format(until="started-perf"),
    }
    perf = f"{PYTEST} --category perf"
    others = UNIT.replace("unit", "integration")
    project = suite({"others": others, "perf": perf, "workers": f"{perf} -n 2"}, files, 2).at(tmp_path)
    result = tox(project)
    result.expect(exit=0)
    assert states(result) == {"perf": {"passed": 2}, "others": {"passed": 40}, "workers": {"passed": 2}}
    found = ran(project)
    pairs = {(one.environment, two.environment) for one in found for two in found if one.beside(two)}
    assert pairs <= {("others", "others"), ("workers", "workers")}
    begun = {str(run.header.environment): run.header.started for run in result.runs}
    last = {name: max(test.ended for test in found if test.environment == name) for name in begun}
    assert begun["perf"] < last["others"], "it need not wait until all others are through"
    assert not any(test.begun < begun["perf"] < test.ended for test in found), "a run that waits has not begun"


#: What `toxscreen perf` does around its measuring, for which the sleep stands.
COMPARE = """\
import json, os, pathlib, time
from toxscreen.cli.alone import alone
pathlib.Path("started-compare").touch()
with alone(os.environ) as lost:
    began = time.time()
    time.sleep(0.5)
    pathlib.Path("alone.json").write_text(json.dumps([lost, began, time.time()]))
"""


def test_a_command_that_compares_has_the_machine_to_itself(tmp_path: Path) -> None:
    files = {
        "compare.py": COMPARE,
        "tests/unit/test_others.py": OTHERS.format(until="started-compare"),
    }
    project = suite({"others": UNIT, "compare": f"{sys.executable} compare.py"}, files, 2).at(tmp_path)
    result = tox(project)
    result.expect(exit=0)
    assert states(result) == {"others": {"passed": 40}}
    lost, began, ended = json.loads((project.root / "alone.json").read_text(encoding="utf-8"))
    beside = [test.node_id for test in ran(project) if test.begun < ended and began < test.ended]
    after = [test for test in ran(project) if test.begun > ended]
    assert (lost, beside, bool(after)) == (None, [], True)


ALONE = """\
import time, pytest
@pytest.mark.alone
def test_alone(): time.sleep(0.2)
@pytest.mark.parametrize("number", range(9))
def test_other(number): time.sleep(0.05)
"""


def test_a_test_that_is_marked_runs_alone_on_the_machine(tmp_path: Path) -> None:
    files = {"tests/unit/test_some.py": ALONE, "tests/integration/test_busy.py": BUSY.format(cores=2)}
    project = suite({"some": UNIT, "busy": UNIT.replace("unit", "integration")}, files, 2).at(tmp_path)
    result = tox(project)
    result.expect(exit=0)
    found = ran(project)
    (alone,) = (test for test in found if "test_alone" in test.node_id)
    assert (len(found), [test for test in found if test.beside(alone)]) == (20, [])
    assert most_at_once(found) <= 2


@pytest.mark.parametrize("dist", ["load", "loadfile", "worksteal"])
def test_it_runs_alone_in_a_run_without_tox_as_well(tmp_path: Path, dist: str) -> None:
    project = Suite({f"tests/unit/test_{name}.py": ALONE for name in "abc"}).at(tmp_path)
    result = project.run("--category", "unit", "-n3", "--dist", dist)
    result.expect(exit=0, never_says=["slots-lost"])
    found = ran(project)
    alone = [test for test in found if "test_alone" in test.node_id]
    assert (len(found), len(alone)) == (30, 3)
    assert [test for one in alone for test in found if test.beside(one)] == []
    assert 1 < most_at_once(found) <= 3
    assert list(project.root.rglob("*.alone")) == []
    assert result.run.queued == 0, "it waited for nobody else"


def test_one_environment_has_nothing_to_share(tmp_path: Path) -> None:
    files = {
        "tests/unit/test_free.py": """\
            import os
            def test_free():
                assert [name for name in os.environ if name.startswith(("TOXSCREEN_SLOTS", "PYTEST_XDIST_AUTO"))] == []
            """
    }
    project = suite({"a": UNIT, "b": UNIT}, files).at(tmp_path)
    for arguments in (("-p", "all", "-e", "a"), ("-p", "1")):
        result = tox(project, *arguments)
        assert result.exit == 0, repr(result)
    assert not (project.root / ".tox" / ".toxscreen-slots").exists()


def test_pytest_xdist_is_told_how_many_workers_are_sensible_unless_somebody_has(tmp_path: Path) -> None:
    telling = f"{sys.executable} -c \"import os; print('workers', os.environ['PYTEST_XDIST_AUTO_NUM_WORKERS'])\""
    shown = f"commands = {telling}\nparallel_show_output = true\n"
    environments = {"a": shown, "b": f"{shown}set_env = PYTEST_XDIST_AUTO_NUM_WORKERS = 7\n"}
    passed = f"{shown}pass_env = PYTEST_XDIST_AUTO_NUM_WORKERS\n"
    project = suite(environments | {"c": passed}, {}, 1).at(tmp_path)
    told = tox(project, env={"PYTEST_XDIST_AUTO_NUM_WORKERS": "9"})
    told.expect(exit=0)
    assert sorted(line for line in told.stdout.splitlines() if line.startswith("workers")) == [
        "workers 1",
        "workers 7",
        "workers 9",
    ]
