"""What a category forbids is stopped in the test that does it, with words that say what to do: real pytest runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toxscreen.testing import Suite

can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

FILE = "tests/{folder}/test_policy.py"


def outcomes(folder: str, **expected: str) -> dict[str, str]:
    """Node ids of a category's one file."""
    return {f"{FILE.format(folder=folder)}::test_{name}": outcome for name, outcome in expected.items()}


def told(folder: str, test: str, call: str, may: str, exception: str) -> str:
    """The whole message for a forbidden call."""
    return (
        f"{FILE.format(folder=folder)}::test_{test} called {call}: tests of category {folder} may {may}. "
        f'Declare it with @pytest.mark.allow("{exception}"), or move the test to a category that permits it.'
    )


NO_NETWORK = """
    import socket, threading
    import pytest

    NOWHERE = ("192.0.2.1", 9)  # an address that is for documents only

    def test_connect(): socket.create_connection(("127.0.0.1", 9))

    def test_bind(): socket.socket().bind(("0.0.0.0", 0))

    def test_sendto(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", NOWHERE)

    def test_lookup(): socket.getaddrinfo("name.invalid", 80)

    def test_swallowed():
        try:
            socket.create_connection(NOWHERE)
        except Exception:
            pass

    def test_swallowed_in_a_thread():
        def call():
            with pytest.raises(PermissionError):
                socket.create_connection(NOWHERE)
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    def test_swallowed_by_a_skip():
        try:
            socket.create_connection(NOWHERE)
        except Exception:
            pytest.skip("offline")

    @pytest.mark.xfail
    def test_expected(): socket.create_connection(NOWHERE)

    @pytest.fixture
    def connected(): return socket.create_connection(NOWHERE)

    def test_set_up(connected): pass

    @pytest.fixture
    def connects_at_the_end():
        yield
        socket.create_connection(NOWHERE)

    def test_teardown(connects_at_the_end): pass

    def test_no_network():
        socket.getaddrinfo("127.0.0.1", 80)
        one, other = socket.socketpair()
        one.sendall(b"x")
        assert other.recv(1) == b"x"
        one.close()
        other.close()

    @pytest.mark.allow("network")
    def test_allowed():
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()

    @pytest.mark.allow("network")
    class Allowed:
        def test_inside(self): socket.socket().bind(("127.0.0.1", 0))

    def test_nothing_lasts(): pass
"""


def test_unit_tests_have_no_network(tmp_path: Path) -> None:
    suite = Suite({FILE.format(folder="unit"): NO_NETWORK})
    may = "not use the network"
    suite.at(tmp_path).run("--category", "unit", "-n0", "-o", "python_classes=Allowed").expect(
        exit=1,
        outcomes={
            **outcomes(
                "unit",
                connect="failed",
                bind="failed",
                sendto="failed",
                lookup="failed",
                swallowed="error",
                swallowed_in_a_thread="error",
                swallowed_by_a_skip="error",
                expected="xfailed",
                set_up="error",
                teardown="error",
                no_network="passed",
                allowed="passed",
                nothing_lasts="passed",
            ),
            "tests/unit/test_policy.py::Allowed::test_inside": "passed",
        },
        says=[
            told("unit", "connect", "socket.connect 127.0.0.1:9", may, "network"),
            told("unit", "bind", "socket.bind 0.0.0.0:0", may, "network"),
            told("unit", "sendto", "socket.sendto 192.0.2.1:9", may, "network"),
            told("unit", "lookup", "socket.getaddrinfo name.invalid", may, "network"),
            told("unit", "swallowed", "socket.connect 192.0.2.1:9", may, "network"),
            told("unit", "swallowed_in_a_thread", "socket.connect 192.0.2.1:9", may, "network"),
            told("unit", "swallowed_by_a_skip", "socket.connect 192.0.2.1:9", may, "network"),
            told("unit", "set_up", "socket.connect 192.0.2.1:9", may, "network"),
            told("unit", "teardown", "socket.connect 192.0.2.1:9", may, "network"),
        ],
    )


NO_PROCESSES = """
    import multiprocessing, os, subprocess, sys
    import pytest

    def test_run(): subprocess.run(["python", "-c", "pass"])

    def test_system(): os.system("true")

    def test_fork():
        if os.fork() == 0:
            os._exit(0)

    def test_pool():
        process = multiprocessing.get_context("fork").Process(target=print)
        process.start()

    def test_swallowed():
        with pytest.raises(PermissionError):
            subprocess.Popen("true")

    @pytest.mark.allow("subprocess")
    def test_allowed():
        assert subprocess.run([sys.executable, "-c", "print(7)"], capture_output=True).stdout.strip() == b"7"

    @pytest.mark.allow("network")
    def test_allowed_something_else(): subprocess.run(["true"])
"""


@can_fork
def test_unit_tests_start_no_processes(tmp_path: Path) -> None:
    may = "start no process"
    Suite({FILE.format(folder="unit"): NO_PROCESSES}).at(tmp_path).run("--category", "unit", "-n2").expect(
        exit=1,
        outcomes=outcomes(
            "unit",
            run="failed",
            system="failed",
            fork="failed",
            pool="failed",
            swallowed="error",
            allowed="passed",
            allowed_something_else="failed",
        ),
        says=[
            told("unit", "run", "subprocess.Popen 'python -c pass'", may, "subprocess"),
            told("unit", "system", "os.system 'true'", may, "subprocess"),
            told("unit", "fork", "os.fork()", may, "subprocess"),
            told("unit", "pool", "os.fork()", may, "subprocess"),
            told("unit", "swallowed", "subprocess.Popen 'true'", may, "subprocess"),
            told("unit", "allowed_something_else", "subprocess.Popen 'true'", may, "subprocess"),
        ],
    )


LOOPBACK = """
    import contextlib, socket, subprocess, sys
    import pytest

    def test_loopback():
        with socket.create_server(("localhost", 0)) as server:
            socket.create_connection(server.getsockname()).close()

    def test_all_interfaces(): socket.socket().bind(("0.0.0.0", 0))

    def test_process(): subprocess.run([sys.executable, "-c", ""], check=True)

    def test_elsewhere():
        # Connecting such a socket sends nothing.
        with contextlib.suppress(OSError):
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 9))
"""


def test_integration_tests_have_loopback_and_processes(tmp_path: Path) -> None:
    Suite({FILE.format(folder="integration"): LOOPBACK}).at(tmp_path).run("--category", "integration", "-n0").expect(
        exit=1,
        outcomes=outcomes(
            "integration", loopback="passed", all_interfaces="passed", process="passed", elsewhere="error"
        ),
        says=[
            told(
                "integration",
                "elsewhere",
                "socket.connect 192.0.2.1:9",
                "use the loopback interface only",
                "network",
            )
        ],
    )


def test_real_world_tests_may_do_anything(tmp_path: Path) -> None:
    Suite({FILE.format(folder="real_world"): LOOPBACK}).at(tmp_path).run("--category", "real-world", "-n0").expect(
        exit=0,
        outcomes=outcomes(
            "real_world", loopback="passed", all_interfaces="passed", process="passed", elsewhere="passed"
        ),
        never_says=["may use", "may not"],
    )


def test_perf_tests_run_as_written_in_one_process(tmp_path: Path) -> None:
    body = """
        import os, socket
        import pytest

        @pytest.mark.parametrize("n", range(12))
        def test_n(n): os.environ["LEFT"] = str(n)

        def test_connect(): socket.create_connection(("127.0.0.1", 9))
    """
    result = Suite({FILE.format(folder="perf"): body}).at(tmp_path).run("--category", "perf")
    written = [f"tests/perf/test_policy.py::test_n[{n}]" for n in range(12)]
    last = "tests/perf/test_policy.py::test_connect"
    result.expect(
        exit=1,
        outcomes={**dict.fromkeys(written, "passed"), last: "failed"},
        says=[
            "workers in-process (default), order written (default), timeout 600 s (default), network none (default), ",
            "subprocesses yes (default), leaks off (default)",
            told("perf", "connect", "socket.connect 127.0.0.1:9", "not use the network", "network"),
        ],
        never_says=["leak:"],
    )
    (lane,) = result.run.order.lanes
    assert (lane.name, list(lane.node_ids)) == ("main", [*written, last])
