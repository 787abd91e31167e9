"""What happens to slots when a worker, a run or tox itself dies, is stopped or meets another one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from toxing import BUSY, FAST, PYTEST, UNIT, most_at_once, ran, states, suite, tox

from toxscreen.host import is_running
from toxscreen.plan.slots import Kind
from toxscreen.slots import standstill
from toxscreen.slots.address import Address
from toxscreen.slots.client import Client
from toxscreen.slots.server import Server
from toxscreen.slots.standstill import Standstill
from toxscreen.testing import Project, Suite

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away from tox here"),
]


def test_a_worker_that_is_killed_gives_its_slot_back(tmp_path: Path) -> None:
    files = {
        "tests/unit/test_dies.py": """\
            import os, signal
            def test_dies(): os.kill(os.getpid(), signal.SIGKILL)
            """,
        "tests/integration/test_busy.py": BUSY.format(cores=1),
    }
    project = suite({"dies": UNIT, "busy": UNIT.replace("unit", "integration")}, files).at(tmp_path)
    result = tox(project)
    assert states(result) == {"dies": {"crashed": 1}, "busy": {"passed": 10}}
    assert (result.exit, most_at_once(ran(project))) == (1, 1)


def test_the_first_failure_ends_those_that_wait(tmp_path: Path) -> None:
    files = {
        "tests/unit/test_fails.py": """\
            import time, pytest
            @pytest.mark.parametrize("number", range(40))
            def test_one(number):
                time.sleep(0.1)
                assert number
            """
    }
    first = f"{PYTEST} --category unit -n 3 -x -p no:randomly"
    project = suite({"a": first, "b": first}, files).at(tmp_path)
    result = tox(project)
    assert (result.exit, [run.exit_status for run in result.runs]) == (1, [1, 1])
    assert all("failed" in counts and counts["not-run"] > 20 for counts in states(result).values()), states(result)
    assert "INTERNALERROR" not in result.text


#: Says that it runs, and goes on until it is told.
LASTING = """\
import os, pathlib, time, pytest
here = pathlib.Path(__file__).parents[2]

@pytest.mark.parametrize("number", range(4))
def test_lasts(number):
    (here / f"running-{os.environ['TOX_ENV_NAME']}-{os.getpid()}").touch()
    until = time.monotonic() + 30
    while not (here / "enough").exists() and time.monotonic() < until:
        time.sleep(0.02)
"""


def wait_for(project: Project, pattern: str) -> list[Path]:
    """Files of the project's root, when there are any."""
    until = time.monotonic() + 40
    while not (found := list(project.root.glob(pattern))):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def wait_for_text(file: Path, wanted: str) -> str:
    """The content of a file, when something is in it."""
    until = time.monotonic() + 40
    while wanted not in (told := file.read_text()):
        assert time.monotonic() < until, told
        time.sleep(0.05)
    return told


def wait_for_end(files: list[Path]) -> None:
    """Until the processes whose ids are in the files' names are gone."""
    until = time.monotonic() + 40
    while any(is_running(int(file.name.rpartition("-")[2])) for file in files):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_when_tox_is_killed_its_tests_come_to_an_end_and_the_next_tox_works(tmp_path: Path) -> None:
    quiet = f"sh -c '{UNIT} > {{env_name}}.txt 2>&1'"
    project = suite(dict.fromkeys("ab", quiet), {"tests/unit/test_lasting.py": LASTING}).at(tmp_path)
    first = project.start("-p", "all", module="tox", env=FAST)
    files = wait_for(project, "running-*")
    first.kill()
    first.communicate()
    assert (project.root / ".tox/.toxscreen-slots/address").read_text().startswith("unix:")
    (project.root / "enough").touch()
    wait_for_end(wait_for(project, "running-*") + files)
    name = files[0].name.split("-")[1]
    told = wait_for_text(project.root / f"{name}.txt", "4 passed")
    assert told.count("[slots-lost]") == 1, told
    second = tox(project)
    second.expect(exit=0, never_says=["slots-lost"])
    assert states(second) == {"a": {"passed": 4}, "b": {"passed": 4}}
    begun = min(run.header.started for run in second.runs)
    assert most_at_once([test for test in ran(project) if test.begun > begun]) == 1


def test_two_toxes_of_one_checkout_share_the_cores_and_the_second_outlives_the_first(tmp_path: Path) -> None:
    files = {"tests/unit/test_lasting.py": LASTING, "tests/integration/test_busy.py": BUSY.format(cores=1)}
    busy = UNIT.replace("unit", "integration")
    project = suite({"a": UNIT, "b": UNIT, "c": busy, "d": busy}, files).at(tmp_path)
    first = project.start("-p", "all", "-e", "a,b", module="tox", env=FAST)
    wait_for(project, "running-*")
    second = project.start("-p", "all", "-e", "c,d", module="tox", env=FAST)
    wait_for(project, ".tox/c")
    (project.root / "enough").touch()
    assert first.wait(60) == 0, first.communicate()
    out, err = second.communicate(timeout=60)
    assert (second.returncode, err, "slots-lost" in out) == (0, "", False), out
    first.communicate()
    found = ran(project)
    assert (len(found), most_at_once(found)) == (28, 1)


#: Asks for something, says so, and holds it until it is killed or told to end.
HOLDS = """\
import sys
from toxscreen.plan.slots import Kind
from toxscreen.slots.address import Address
from toxscreen.slots.client import Client
print(Client(Address.parse(sys.argv[1]), "a").acquire(Kind(sys.argv[2])), flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def holding(server: Server, kind: Kind) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds something."""
    command = [sys.executable, "-c", HOLDS, str(server.address), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holds:
        assert holds.stdout is not None
        assert holds.stdout.readline() == "True\n"
        yield holds
        holds.communicate()


def had_soon(server: Server, kind: Kind) -> bool:
    """Whether somebody else gets what he asks for, when he looks a few times."""
    client = Client(server.address, "b")
    looks = iter(range(20))
    try:
        return client.acquire(kind, lambda: next(looks, None) is None)
    finally:
        client.close()


@pytest.mark.parametrize("ends", ["killed", "told"])
def test_a_test_keeps_its_slot_when_another_server_follows(tmp_path: Path, ends: str) -> None:
    first = Server(tmp_path, 1)
    with holding(first, Kind.SLOT) as holds:
        first.stop()
        second = Server(tmp_path, 2)
        try:
            # The second server gives slot 0 away, and whoever gets it finds it taken; slot 1 is free.
            assert [had_soon(second, kind) for kind in (Kind.SLOT, Kind.ALONE, Kind.BLANKET)] == [False, False, True]
            beside = Client(second.address, "c")
            beside.take()
            assert not had_soon(second, Kind.SLOT)
            beside.close()
            if ends == "killed":
                holds.kill()
            else:
                holds.communicate()
            holds.wait()
            assert [had_soon(second, kind) for kind in (Kind.SLOT, Kind.ALONE)] == [True, True]
        finally:
            second.stop()


def impatient(folder: Path, monkeypatch: pytest.MonkeyPatch, total: int) -> Server:
    """A server for which nothing ever computes, and half a minute is a second."""
    monkeypatch.setattr(standstill, "_LONG", 1.0)
    server = Server(folder, total)
    server._standstill = Standstill(lambda: 0.0)
    return server


@pytest.mark.parametrize(
    ("has", "wants", "lets"),
    [
        (Kind.ALONE, Kind.SLOT, True),
        (Kind.SLOT, Kind.ALONE, True),
        (Kind.SLOT, Kind.SLOT, False),
    ],
)
def test_who_is_let_through_does_not_wait_for_the_bytes_of_those_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has: Kind, wants: Kind, *, lets: bool
) -> None:
    server = impatient(tmp_path, monkeypatch, 1)
    client = Client(server.address, "a")
    try:
        with holding(server, has):
            assert client.acquire(wants, keeps=True)
            assert client.shares == lets
            client.give_back()
        assert client.acquire(wants, keeps=True)
        assert not client.shares
    finally:
        client.close()
        server.stop()


def test_a_run_tells_which_test_was_not_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = impatient(tmp_path, monkeypatch, 2)
    tests = """\
        import pytest

        @pytest.fixture(scope="module")
        def kept(): yield

        def test_first(kept): ...

        @pytest.mark.alone
        def test_alone(kept): ...
        """
    try:
        with holding(server, Kind.SLOT):
            environment = {"TOXSCREEN_SLOTS": str(server.address), "TOXSCREEN_SLOTS_ENV": "a"}
            project = Suite({"tests/unit/test_keeps.py": tests}).at(tmp_path / "project")
            result = project.run("--category", "unit", "-n0", "-p", "no:randomly", env=environment)
    finally:
        server.stop()
    result.expect(
        exit=0,
        outcomes={f"tests/unit/test_keeps.py::test_{name}": "passed" for name in ("first", "alone")},
        says=["warning: tests/unit/test_keeps.py::test_alone and others ran side by side [slots-shared]"],
    )
    assert result.text.count("slots-shared") == 1


#: A fixture that has a lock from one test to the next.
LOCKS = """\
import fcntl, pathlib, time, pytest

@pytest.fixture(scope="module")
def locked():
    with open(pathlib.Path(__file__).parents[2] / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

@pytest.mark.parametrize("number", range(4))
def test_locked(locked, number):
    time.sleep(0.2)
"""


@pytest.mark.alone
def test_tests_that_wait_for_what_a_fixture_has_do_not_wait_for_ever(tmp_path: Path) -> None:
    files = {
        "tests/unit/test_one.py": LOCKS,
        "tests/unit/test_two.py": LOCKS,
        "tests/integration/test_other.py": "def test_other(): ...",
        "pyproject.toml": "[tool.toxscreen.categories.unit]\ntimeout = 60\n",
    }
    locking = f"{PYTEST} --category unit -n 2 --dist loadfile --screen-balance off"
    project = suite({"a": locking, "b": UNIT.replace("unit", "integration")}, files).at(tmp_path)
    result = tox(project)
    assert (result.exit, states(result)) == (0, {"a": {"passed": 8}, "b": {"passed": 1}}), repr(result)
    # One that goes on, beside one that waits for it.
    assert most_at_once(ran(project)) == 2


def test_ctrl_c_ends_those_that_wait_as_well(tmp_path: Path) -> None:
    project = suite(dict.fromkeys("abc", UNIT), {"tests/unit/test_lasting.py": LASTING}).at(tmp_path)
    started = project.start("-p", "all", module="tox", env=FAST)
    files = wait_for(project, "running-*")
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=40)
    assert started.returncode not in {0, None}, out
    assert "KeyboardInterrupt - teardown started" in out
    # A worker whose leader tox has killed may complain of that in pytest's words, and end.
    assert "Traceback" not in err
    wait_for_end(files)
    # Of the folder's path the socket's may be too long; then it lies elsewhere.
    address = Address.parse((project.root / ".tox/.toxscreen-slots/address").read_text())
    assert not Path(address.place).exists()
