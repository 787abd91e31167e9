"""Services on real suites: a real server on a real port, real workers, real signals."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from toxscreen.guard import answer, stop
from toxscreen.guard.keeper import Keeper, Standing, State
from toxscreen.model import Service
from toxscreen.testing import Project, Suite

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups and their signals are POSIX")

#: Notes its start, then answers; waits before that for as many seconds as it is told.
SERVER = """\
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

port, wait, status = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"here")

    def log_message(self, *arguments):
        pass


with open("starts.txt", "a") as starts:
    starts.write(f"{os.getpid()}\\n")
time.sleep(wait)
with HTTPServer(("127.0.0.1", port), Handler) as server:
    print("serving", flush=True)
    server.serve_forever()
"""
#: Six tests that ask the server, in two files.
ASKING = """\
import urllib.request
import pytest

@pytest.mark.needs("web")
@pytest.mark.parametrize("number", range(3))
def test_asks(number):
    assert urllib.request.urlopen("http://127.0.0.1:{port}/").read() == b"here"
"""
#: Says that it runs, then goes on until its file appears or the leader of the run is gone.
LASTING = """\
import os
import pathlib
import time
import pytest

leader = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else None

@pytest.mark.needs("web")
def test_lasts():
    pathlib.Path("running.txt").touch()
    while not pathlib.Path("enough.txt").exists() and leader in (None, os.getppid()):
        time.sleep(0.02)
"""
FILES = ("tests/integration/test_a.py", "tests/integration/test_b.py")
ALL_PASS = {f"{file}::test_asks[{number}]": "passed" for file in FILES for number in range(3)}
PYTHON = shlex.quote(sys.executable)
#: Whatever happens takes a fraction of this.
PATIENCE = 40.0


def python(code: str) -> str:
    """A command of one line of Python."""
    return f'{PYTHON} -c "{code}"'


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:g} s"
        time.sleep(0.02)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    return False


@pytest.fixture
def port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = server.getsockname()[1]
    assert isinstance(found, int)
    return found


@dataclass(frozen=True)
class World:
    """A project whose tests need a server."""

    project: Project
    port: int

    @property
    def starts(self) -> list[int]:
        """Process ids of the servers that were started, oldest first."""
        try:
            return [int(line) for line in (self.project.root / "starts.txt").read_text().split()]
        except FileNotFoundError:
            return []

    def command(self, *, wait: float = 0, status: int = 200) -> str:
        return f"{PYTHON} server.py {self.port} {wait} {status}"

    def declare(self, **keys: str) -> None:
        """Write the table of the service."""
        lines = [f"{key} = '''{value}'''" for key, value in keys.items()]
        self.project.write({"pyproject.toml": "\n".join(["[tool.toxscreen.services.web]", *lines, ""])})

    @contextlib.contextmanager
    def server(self) -> Iterator[None]:
        """The server as somebody else runs it."""
        with subprocess.Popen(shlex.split(self.command()), cwd=self.project.root) as process:
            try:
                until(lambda: listens(self.port), "the server of this test listens")
                yield
            finally:
                process.kill()

    def own_server_ended(self) -> None:
        """The one server that was started is gone, and so is its port."""
        until(lambda: bool(self.starts) and not listens(self.port), "the port is closed")
        assert len(self.starts) == 1
        until(lambda: not stop.group_runs(self.starts[0], None), "the server's process has ended")


@pytest.fixture
def world(tmp_path: Path, port: int) -> Iterator[World]:
    asking = ASKING.format(port=port)
    found = World(Suite({"server.py": SERVER, **dict.fromkeys(FILES, asking)}).at(tmp_path), port)
    found.declare(check=f"http://127.0.0.1:{port}/", start=found.command())
    yield found
    for process in found.starts:
        # Only what a failed test left.
        stop.end_group(process, None)


def run_folder(project: Project) -> Path:
    (folder,) = (project.root / ".toxscreen/runs").iterdir()
    return folder


# up, once, and down again


@pytest.mark.parametrize("workers", [("-n2",), ("-n0",), ("-p", "no:xdist")], ids=" ".join)
def test_one_start_for_the_whole_run_and_one_end(world: World, workers: tuple[str, ...]) -> None:
    result = world.project.run("--category", "integration", *workers)
    result.expect(exit=0, outcomes=ALL_PASS, says=["6 passed"], never_says=["warning"])
    world.own_server_ended()
    lanes = {attempt.lane for attempt in result.run.attempts}
    shards = {f"{lane}.jsonl" for lane in lanes}
    kept = {path.name for path in run_folder(world.project).iterdir()}
    assert kept == {"header.json", "collection.json", "run.jsonl", "web.log"} | shards
    assert (run_folder(world.project) / "web.log").read_text() == "serving\n"


def test_a_service_that_is_up_is_used_and_left_alone(world: World) -> None:
    code = f"import socket; socket.create_connection(('127.0.0.1', {world.port}))"
    world.declare(check=python(code), start=world.command(), stop=python("open('stopped.txt', 'w')"))
    with world.server():
        world.project.run("--category", "integration", "-n2").expect(exit=0, outcomes=ALL_PASS)
        assert listens(world.port)
    assert len(world.starts) == 1
    assert not (world.project.root / "stopped.txt").exists()


def test_a_service_that_goes_into_the_background_is_checked_and_stopped_by_commands(world: World) -> None:
    background = "import subprocess, sys; subprocess.Popen([*sys.argv[1:]], start_new_session=True)"
    stopping = "import os; os.kill(int(open('starts.txt').read()), 15); open('stopped.txt', 'a').write('once')"
    check = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{world.port}')"
    world.declare(
        check=f'{PYTHON} -c "{check}"',
        start=f'{PYTHON} -c "{background}" {world.command()}',
        stop=f'{PYTHON} -c "{stopping}"',
    )
    world.project.run("--category", "integration", "-n2").expect(
        exit=0, outcomes=ALL_PASS, never_says=["service-not-stopped"]
    )
    world.own_server_ended()
    assert (world.project.root / "stopped.txt").read_text() == "once"


def test_a_service_in_the_background_without_a_stop_command_is_told_of(world: World) -> None:
    background = "import subprocess, sys; subprocess.Popen([*sys.argv[1:]], start_new_session=True)"
    world.declare(
        check=f"127.0.0.1:{world.port}",
        start=f'{PYTHON} -c "{background}" {world.command()}',
    )
    world.project.run("--category", "integration", "-n0").expect(
        exit=0,
        outcomes=ALL_PASS,
        says=["warning: service web: nothing is left of what `start` began; if", "can end it [service-not-stopped]"],
    )
    assert listens(world.port)


def test_where_the_stop_command_fails_the_processes_are_ended_all_the_same(world: World) -> None:
    stopping = python("print('no way'); raise SystemExit(3)")
    world.declare(check=f"127.0.0.1:{world.port}", start=world.command(), stop=stopping)
    told = "service web: its stop command exited with status 3: serving / no way"
    world.project.run("--category", "integration", "-n0").expect(
        exit=0, outcomes=ALL_PASS, says=[f"warning: {told} [service-not-stopped]"]
    )
    world.own_server_ended()


def test_time_spent_waiting_is_not_the_tests_time(world: World) -> None:
    world.declare(check=f"http://127.0.0.1:{world.port}/", start=world.command(wait=2.5))
    result = world.project.run("--category", "integration", "-n2", "--timeout=1")
    result.expect(exit=0, outcomes=ALL_PASS)
    assert max(attempt.seconds for attempt in result.run.attempts) < 1
    world.own_server_ended()


def test_the_rule_of_a_category_binds_its_tests_and_not_their_services(world: World) -> None:
    test = f"""\
        import pytest, urllib.request

        @pytest.mark.needs("web")
        def test_needs_without_asking(): pass

        @pytest.mark.needs("web")
        def test_asks():
            with pytest.raises(OSError, match="may not use the network"):
                urllib.request.urlopen("http://127.0.0.1:{world.port}/")
    """
    world.project.write({"tests/unit/test_u.py": test})
    world.project.run("--category", "unit", "-n2").expect(
        exit=1,
        outcomes={
            "tests/unit/test_u.py::test_needs_without_asking": "passed",
            "tests/unit/test_u.py::test_asks": "error",
        },
    )
    world.own_server_ended()


def test_services_are_kept_where_the_run_cannot_be_recorded(world: World) -> None:
    world.project.write({".toxscreen": "in the way"})
    world.project.run("--category", "integration", "-n2").expect(
        exit=0, says=["6 passed", "journal-unwritable"], never_says=["service-not-stopped"]
    )
    world.own_server_ended()
    assert list((world.project.around / "tmp").glob("toxscreen-*")) == []


def test_two_runs_at_once_the_second_leaves_the_first_ones_service_alone(world: World) -> None:
    world.project.write({"tests/integration/test_lasts.py": LASTING})
    first = world.project.start("--category", "integration", "-n0", "-k", "lasts")
    try:
        until((world.project.root / "running.txt").exists, "the first run runs")
        world.project.run("--category", "integration", "-n2", "-k", "asks").expect(exit=0, says=["6 passed"])
        assert listens(world.port)
        (world.project.root / "enough.txt").touch()
        out, _ = first.communicate(timeout=PATIENCE)
    finally:
        first.kill()
        first.communicate()
    assert first.returncode == 0, out
    world.own_server_ended()


def test_two_runs_that_begin_together_start_one_server(world: World) -> None:
    code = (
        "import sys; from pathlib import Path; from toxscreen.guard.keeper import Keeper, Service; "
        "folder = Path(sys.argv[1]); folder.mkdir(); service = Service('web', *sys.argv[2:]); "
        "print(Keeper(service, folder, Path()).ensure().ours)"
    )
    service = (f"127.0.0.1:{world.port}", world.command(wait=0.5))
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, name, *service], cwd=world.project.root, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    outs = [run.communicate(timeout=PATIENCE)[0].strip() for run in runs]
    assert sorted(outs) == ["False", "True"]
    assert len(world.starts) == 1
    assert stop.stop_services(world.project.root / ("one" if outs[0] == "False" else "two")) == []
    assert listens(world.port)
    assert stop.stop_services(world.project.root / ("one" if outs[0] == "True" else "two")) == []
    world.own_server_ended()


# nothing is started in vain


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan"])
def test_without_running_tests_nothing_is_started(world: World, option: str) -> None:
    result = world.project.run("--category", "integration", option)
    assert result.exit == 0, result
    assert world.starts == []


def test_a_test_that_is_skipped_anyway_starts_nothing(world: World) -> None:
    world.project.write(
        dict.fromkeys(FILES, "")
        | {
            FILES[0]: """\
                import pytest
                pytestmark = pytest.mark.needs("web")

                @pytest.mark.skip(reason="not today")
                def test_skip(): pass

                @pytest.mark.skipif(True, reason="not here")
                def test_skipif(): pass

                @pytest.mark.skipif("sys.platform == 'nowhere'", reason="not there")
                @pytest.mark.skipif(condition=1, reason="nor elsewhere")
                def test_skipif_by_name(): pass
            """
        }
    )
    world.project.run("--category", "integration", "-n0", "-rs").expect(
        exit=0,
        outcomes={f"{FILES[0]}::{name}": "skipped" for name in ("test_skip", "test_skipif", "test_skipif_by_name")},
        says=["not today", "not here", "nor elsewhere"],
    )
    assert world.starts == []


def test_an_unknown_service_is_an_error_of_the_suite(world: World) -> None:
    world.project.write({FILES[0]: "import pytest\n@pytest.mark.needs('wep')\ndef test_a(): pass\n"})
    world.project.run("--category", "integration", "-n2").expect(
        exit=2,
        says=[
            f"{FILES[0]}::test_a: @pytest.mark.needs is given 'wep' [marker-invalid]",
            "did you mean 'web'? known: web",
        ],
        never_says=["Traceback"],
    )
    assert world.starts == []


# unavailable


NO_START = "and it has no `start` command"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        pytest.param({}, f"nothing listens at {{check}}: Connection refused, {NO_START}", id="no-start"),
        pytest.param({"start": "no-such-program --fast"}, "no-such-program is not installed", id="not-installed"),
        pytest.param({"start": "."}, "its `start` cannot be run: [Errno 13] Permission denied: '.'", id="no-program"),
        pytest.param({"start": "run 'it"}, "its `start` cannot be run: No closing quotation", id="torn"),
        pytest.param({"start": " "}, "its `start` cannot be run: it is empty", id="empty"),
        pytest.param(
            {"start": python("print('one'); print(); print('two'); raise SystemExit(3)")},
            "start exited with status 3: one / two",
            id="start-fails",
        ),
        pytest.param(
            {"start": python("import os; os.kill(os.getpid(), 9)")},
            "start was killed by SIGKILL (Killed; kill -9, or the system ran out of memory)",
            id="start-killed",
        ),
        pytest.param(
            {"check": python("print('not yet'); raise SystemExit(4)")},
            f"its check `{{check}}` exited with status 4: not yet, {NO_START}",
            id="check-fails",
        ),
        pytest.param({"check": "no-such-check"}, f"its check `{{check}}` is not installed, {NO_START}", id="no-check"),
        pytest.param(
            {"check": "is 'it"},
            f"its check `{{check}}` cannot be run: No closing quotation, {NO_START}",
            id="torn-check",
        ),
    ],
)
def test_why_a_service_is_not_available(tmp_path: Path, port: int, keys: dict[str, str], told: str) -> None:
    service = Service("web", **({"check": f"127.0.0.1:{port}"} | keys))
    (tmp_path / "run").mkdir()
    standing = Keeper(service, tmp_path / "run", tmp_path).ensure()
    assert standing.told() == "service web is not available: " + told.format(check=service.check)
    assert stop.stop_services(tmp_path / "run") == []


def test_without_the_service_tests_are_skipped_with_the_reason(world: World) -> None:
    world.declare(check=f"127.0.0.1:{world.port}", start=python("print('no disk'); raise SystemExit(3)"))
    result = world.project.run("--category", "integration", "-n2", "-rs")
    told = "service web is not available: start exited with status 3: no disk"
    result.expect(exit=0, outcomes=dict.fromkeys(ALL_PASS, "skipped"), says=["6 skipped", told], never_says=["Trace"])
    assert all(attempt.text is not None and told in attempt.text for attempt in result.run.attempts)


def test_without_the_service_tests_are_an_error_in_ci(world: World) -> None:
    world.declare(check=f"127.0.0.1:{world.port}", start=python("print('no disk'); raise SystemExit(3)"))
    told = (
        "pyproject.toml: tool.toxscreen.services.web: service web is not available: start exited with status 3: no disk"
        " [service-unavailable]\n"
        "  CI is set, so a missing service is an error: start it before the tests, or mend its `start`\n"
    )
    world.project.run("--category", "integration", "-n2", env={"CI": "true"}).expect(
        exit=1, outcomes=dict.fromkeys(ALL_PASS, "error"), says=[told, "6 errors"], never_says=["Traceback"]
    )


def test_a_missing_service_is_no_expected_failure(world: World) -> None:
    world.declare(check=f"127.0.0.1:{world.port}")
    world.project.write(
        dict.fromkeys(FILES, "")
        | {
            FILES[
                0
            ]: "import pytest\n@pytest.mark.xfail(reason='1')\n@pytest.mark.needs('web')\ndef test_a(): assert 0\n"
        }
    )
    node_id = f"{FILES[0]}::test_a"
    world.project.run("--category", "integration", "-n0", env={"CI": "1"}).expect(exit=1, outcomes={node_id: "error"})
    world.project.run("--category", "integration", "-n0").expect(exit=0, outcomes={node_id: "skipped"})


def test_of_two_services_the_missing_one_is_named_and_the_other_stopped(world: World) -> None:
    world.project.write(
        {
            "pyproject.toml": f"""\
                [tool.toxscreen.services.web]
                check = "127.0.0.1:{world.port}"
                start = '''{world.command()}'''
                [tool.toxscreen.services."Data Base"]
                check = "127.0.0.1:1"
            """,
            FILES[1]: "import pytest\n@pytest.mark.needs('web', 'Data Base')\ndef test_both(): pass\n",
        }
    )
    result = world.project.run("--category", "integration", "-n2", "-rs")
    result.expect(
        exit=0,
        outcomes={f"{FILES[0]}::test_asks[{number}]": "passed" for number in range(3)}
        | {f"{FILES[1]}::test_both": "skipped"},
        says=["service Data Base is not available: nothing listens at 127.0.0.1:1: Connection refused"],
    )
    world.own_server_ended()


# interrupted and killed


@pytest.fixture
def lasting(world: World) -> World:
    world.project.write(dict.fromkeys(FILES, "") | {FILES[0]: LASTING})
    return world


@contextlib.contextmanager
def running(world: World, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run whose test is under way."""
    process = world.project.start("--category", "integration", *arguments)
    try:
        until((world.project.root / "running.txt").exists, "the test runs")
        assert listens(world.port)
        yield process
    finally:
        (world.project.root / "enough.txt").touch()
        process.kill()
        process.communicate()


@pytest.mark.parametrize("workers", ["-n2", "-n0"])
def test_ctrl_c_stops_the_service(lasting: World, workers: str) -> None:
    with running(lasting, workers) as process:
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, out + err
    lasting.own_server_ended()


@pytest.mark.parametrize(
    ("workers", "whom", "how"),
    [
        ("-n2", "leader", signal.SIGKILL),
        ("-n0", "leader", signal.SIGKILL),
        ("-n2", "group", signal.SIGKILL),
        ("-n0", "group", signal.SIGTERM),
    ],
)
def test_the_service_is_stopped_after_a_violent_death(
    lasting: World, workers: str, whom: str, how: signal.Signals
) -> None:
    with running(lasting, workers) as process:
        (os.kill if whom == "leader" else os.killpg)(process.pid, how)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == -how
        lasting.own_server_ended()


def test_after_a_violent_death_the_stop_command_is_run_and_its_failure_told(lasting: World) -> None:
    lasting.declare(
        check=f"127.0.0.1:{lasting.port}",
        start=lasting.command(),
        stop=python("open('stopped.txt', 'a').write('once'); raise SystemExit(5)"),
    )
    with running(lasting, "-n0") as process:
        process.kill()
        _, err = process.communicate(timeout=PATIENCE)
    lasting.own_server_ended()
    assert (lasting.project.root / "stopped.txt").read_text() == "once"
    assert "toxscreen: service web: its stop command exited with status 5: serving\n" in err


def test_a_service_that_is_still_starting_is_stopped_as_well(lasting: World) -> None:
    lasting.declare(check=f"127.0.0.1:{lasting.port}", start=lasting.command(wait=60))
    process = lasting.project.start("--category", "integration", "-n0")
    try:
        until(lambda: bool(lasting.starts), "the server starts")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, out + err
    lasting.own_server_ended()


def test_the_service_is_stopped_when_the_guard_ends_a_test_that_hangs(world: World) -> None:
    hanging = """\
        import pytest, signal, time

        @pytest.mark.needs("web")
        def test_hangs():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            time.sleep(60)
    """
    world.project.write(dict.fromkeys(FILES, "") | {FILES[0]: hanging})
    world.project.run("--category", "integration", "-n0", "--timeout=1").expect(
        exit=-signal.SIGKILL, outcomes={f"{FILES[0]}::test_hangs": "timed-out"}
    )
    world.own_server_ended()


def test_a_worker_that_dies_takes_no_service_with_it(world: World) -> None:
    world.project.write({FILES[0]: "import os, pytest\n@pytest.mark.needs('web')\ndef test_dies(): os._exit(7)\n"})
    world.project.run("--category", "integration", "-n1", "-p", "no:randomly").expect(
        exit=1,
        outcomes={f"{FILES[0]}::test_dies": "crashed"}
        | {f"{FILES[1]}::test_asks[{number}]": "passed" for number in range(3)},
    )
    world.own_server_ended()


# one process and the next, without pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


def gone_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_what_does_not_come_up_in_time_is_ended_with_the_run(folder: Path, tmp_path: Path, port: int) -> None:
    start = python("import time; print('thinking', flush=True); time.sleep(60)")
    keeper = Keeper(Service("web", f"127.0.0.1:{port}", start), folder, tmp_path, limit=1)
    standing = keeper.ensure()
    assert standing.told() == (
        "service web is not available: it did not come up within 1 s: "
        f"nothing listens at 127.0.0.1:{port}: Connection refused: thinking"
    )
    assert (standing.state, standing.ours) == (State.UNAVAILABLE, True)
    assert Keeper(keeper.service, folder, tmp_path).ensure() == standing
    assert stop.group_runs(standing.process, standing.began)
    assert stop.stop_services(folder) == []
    assert not stop.group_runs(standing.process, standing.began)
    assert not list(folder.glob("*.service"))


def test_a_claimer_that_died_is_not_waited_for(folder: Path, tmp_path: Path, port: int) -> None:
    (folder / "web.claim").write_text(str(gone_process()))
    standing = Keeper(Service("web", f"127.0.0.1:{port}"), folder, tmp_path).ensure()
    assert standing == Standing("web", State.UNAVAILABLE, "the process that was starting it died")


@pytest.mark.parametrize("claim", ["", "own"])
def test_a_claimer_that_does_nothing_is_not_waited_for_without_end(
    folder: Path, tmp_path: Path, port: int, claim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toxscreen.guard.keeper._MARGIN", 0.3)
    (folder / "web.claim").write_text(str(os.getpid()) if claim else "")
    standing = Keeper(Service("web", f"127.0.0.1:{port}"), folder, tmp_path, limit=0).ensure()
    assert standing.reason == "the process that was starting it does not come to an end"


def test_a_folder_that_cannot_be_used(tmp_path: Path, port: int) -> None:
    standing = Keeper(Service("web", f"127.0.0.1:{port}"), tmp_path / "nowhere", tmp_path).ensure()
    assert standing.state is State.UNAVAILABLE
    assert standing.reason.startswith("the run's folder cannot be used: [Errno 2] No such file or directory")


def test_when_the_run_is_over_nothing_is_started_any_more(folder: Path, tmp_path: Path, port: int) -> None:
    assert stop.stop_services(folder) == []
    keeper = Keeper(Service("web", f"127.0.0.1:{port}", python("import time; time.sleep(60)")), folder, tmp_path)
    assert keeper.ensure() == Standing("web", State.UNAVAILABLE, "the run is over")
    assert not list(folder.glob("*.service"))


def test_a_start_that_lost_the_race_to_somebody_else_is_not_ours(folder: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        service = Service("web", f"127.0.0.1:{server.getsockname()[1]}", python("raise SystemExit(1)"), stop="stop-it")
        keeper = Keeper(service, folder, tmp_path)
        process = keeper._popen(python("raise SystemExit(1)"))
        process.wait()
        started = Standing("web", State.STARTING, ours=True, process=process.pid, stop="stop-it")
        standing = keeper._wait_for_start(process, started)
    assert standing == Standing("web", State.UP, ours=False, process=process.pid)


def test_a_process_that_only_has_the_number_is_left_alone(folder: Path, tmp_path: Path) -> None:
    if stop.began(os.getpid()) is None:
        pytest.skip("the system does not tell when a process began")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as other:
        standing = Standing("web", State.UP, ours=True, process=other.pid, began="1", root=os.fspath(tmp_path))
        (folder / "web.service").write_text(standing.to_json())
        (problem,) = stop.stop_services(folder)
        assert "nothing is left of what `start` began" in problem
        assert other.poll() is None


def test_a_service_that_ignores_being_asked_to_end_is_killed(folder: Path, tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); open('deaf', 'w'); print('deaf'); time.sleep(60)"
    check = python("import os, sys; sys.exit(not os.path.exists('deaf'))")
    standing = Keeper(Service("web", check, python(deaf)), folder, tmp_path).ensure()
    assert (standing.state, standing.ours) == (State.UP, True)
    assert stop.stop_services(folder) == []
    assert not stop.group_runs(standing.process, standing.began)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("no-such-program", "cannot be run: [Errno 2] No such file or directory: 'no-such-program'"),
        ("it's", "cannot be run: No closing quotation"),
        (python("print('in vain'); raise SystemExit(4)"), "exited with status 4: in vain"),
        (python("import time; time.sleep(60)"), "took longer than 1 s"),
    ],
    # These become a part of node ids, which are to be the same in every checkout: no path of an interpreter.
    ids=["no such program", "not quoted", "in vain", "too slow"],
)
def test_a_stop_command_that_does_not_stop(
    folder: Path, tmp_path: Path, command: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop, "_STOP_LIMIT", 1.0)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as left:
        service = Standing("web", State.UP, ours=True, process=left.pid, stop=command, root=os.fspath(tmp_path))
        (folder / "web.service").write_text(service.to_json())
        assert stop.stop_services(folder) == [f"service web: its stop command {told}"]
        assert left.wait(PATIENCE) is not None


def test_the_script_for_a_dead_leader_stops_and_tells(folder: Path, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as left:
        service = Standing(
            "web", State.UP, ours=True, process=left.pid, stop="no-such-program", root=os.fspath(tmp_path)
        )
        (folder / "web.service").write_text(service.to_json())
        command = [sys.executable, os.fspath(Path(stop.__file__)), os.fspath(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert left.wait(PATIENCE) == -signal.SIGTERM
    told = "service web: its stop command cannot be run: [Errno 2] No such file or directory: 'no-such-program'"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"toxscreen: {told}\n")
    assert [path.name for path in folder.iterdir() if path.suffix != ".log"] == [stop.OVER]


def test_a_record_that_cannot_be_read_stops_nobody(folder: Path) -> None:
    (folder / "web.service").write_text("{")
    assert stop.stop_services(folder) == []


# checks


@pytest.mark.parametrize("status", [200, 302, 404, 500, 503])
def test_a_url_is_up_when_it_answers_below_500(tmp_path: Path, port: int, status: int) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    url = f"http://127.0.0.1:{port}/health?deep=1"
    with subprocess.Popen([sys.executable, "server.py", str(port), "0", str(status)], cwd=tmp_path) as server:
        try:
            until(lambda: listens(port), "the server listens")
            told = answer.problem_of(url, tmp_path)
        finally:
            server.kill()
    assert told == (f"{url} answers with status {status}" if status >= 500 else None)


@pytest.mark.parametrize("check", ["http://127.0.0.1:{port}", "HTTPS://127.0.0.1:{port}/"])
def test_a_url_that_nobody_answers(tmp_path: Path, port: int, check: str) -> None:
    url = check.format(port=port)
    assert answer.problem_of(url, tmp_path) == f"{url} does not answer: Connection refused"


def test_https_to_a_server_that_speaks_something_else(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        with subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import socket, sys; socket.socket(fileno=int(sys.argv[1])).accept()[0].send(b'no')",
                str(server.fileno()),
            ],
            pass_fds=[server.fileno()],
        ):
            told = answer.problem_of(url, tmp_path)
    assert told is not None
    assert told.startswith(f"{url} does not answer: ")


def test_a_check_command_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "LIMIT", 1.0)
    check = python(
        "import os, time; open('pid', 'w').write(str(os.getpid())); print('still', flush=True); time.sleep(60)"
    )
    assert answer.problem_of(check, tmp_path) == f"its check `{check}` took longer than 1 s: still"
    assert not stop.group_runs(int((tmp_path / "pid").read_text()), None)
