"""Forbidden calls: which are, what is told, and that the audit hook stops them in the line that makes them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen.errors import PolicyViolation
from toxscreen.model import Network
from toxscreen.probes import calls
from toxscreen.probes.calls import Rule
from toxscreen.settings import BUILT_IN

NODE = "tests/test_a.py::test_it"
MAY = {"none": "not use the network", "loopback": "use the loopback interface only"}


class Used(NamedTuple):
    """What the hook is shown of a socket."""

    family: int


INET, INET6 = Used(socket.AF_INET), Used(socket.AF_INET6)


def rule(network: Network = "any", *, subprocesses: bool = True) -> Rule:
    return Rule(NODE, "own", network, subprocesses)


def told(call: str, may: str, exception: str) -> str:
    return (
        f"{NODE} called {call}: tests of category own may {may}. "
        f'Declare it with @pytest.mark.allow("{exception}"), or move the test to a category that permits it.'
    )


@pytest.fixture
def enforce() -> Iterator[Callable[[Rule | None], Rule | None]]:
    """Put rules in force; the one of the test itself is back afterwards."""
    before = calls.enforce(None)
    yield calls.enforce
    calls.enforce(before)


# the rule of a test


@pytest.mark.parametrize(
    ("category", "allowed", "network", "subprocesses"),
    [
        ("unit", (), "none", False),
        ("unit", ("network",), "any", False),
        ("unit", ("subprocess",), "none", True),
        ("unit", ("network", "subprocess"), "any", True),
        ("integration", (), "loopback", True),
        ("integration", ("network",), "any", True),
        ("real-world", (), "any", True),
        ("perf", (), "none", True),
    ],
)
def test_the_policy_and_the_marker_make_the_rule(
    category: str, allowed: tuple[str, ...], network: Network, *, subprocesses: bool
) -> None:
    assert Rule.of(NODE, BUILT_IN[category], frozenset(allowed)) == Rule(NODE, category, network, subprocesses, [])
    assert set(allowed) <= set(calls.ALLOWABLE)


@pytest.mark.parametrize(
    ("made", "forbids"),
    [
        (rule("any"), False),
        (rule("loopback"), True),
        (rule("none"), True),
        (rule("any", subprocesses=False), True),
    ],
    ids=["nothing", "loopback", "none", "subprocesses"],
)
def test_whether_there_is_anything_to_watch_for(made: Rule, *, forbids: bool) -> None:
    assert made.forbids_something is forbids


# network calls

LOCAL = {"none": False, "loopback": True, "any": True}
REMOTE = {"none": False, "loopback": False, "any": True}
HARMLESS = {"none": True, "loopback": True, "any": True}
OWN_NAME = socket.gethostname()

NETWORK_CALLS: list[tuple[str, tuple[object, ...], str, dict[str, bool]]] = [
    ("socket.connect", (INET, ("127.0.0.1", 80)), "127.0.0.1:80", LOCAL),
    ("socket.connect", (INET, ("127.8.9.10", 80)), "127.8.9.10:80", LOCAL),
    ("socket.connect", (INET, ("localhost", 80)), "localhost:80", LOCAL),
    ("socket.connect", (INET, ("LocalHost", 80)), "LocalHost:80", LOCAL),
    ("socket.connect", (INET, ("", 80)), ":80", LOCAL),
    ("socket.connect", (INET, (None, 80)), "None:80", LOCAL),
    ("socket.connect", (INET, (3, 80)), "3:80", REMOTE),
    ("socket.connect", (INET, (b"localhost", 80)), "b'localhost':80", LOCAL),
    ("socket.connect", (INET6, ("::1", 80, 0, 0)), "::1:80", LOCAL),
    ("socket.connect", (INET6, ("::1%lo", 80, 0, 0)), "::1%lo:80", LOCAL),
    ("socket.connect", (INET6, ("::ffff:127.0.0.1", 80)), "::ffff:127.0.0.1:80", LOCAL),
    ("socket.connect", (INET6, ("::ffff:10.0.0.1", 80)), "::ffff:10.0.0.1:80", REMOTE),
    ("socket.connect", (INET6, ("fe80::1", 80, 0, 0)), "fe80::1:80", REMOTE),
    ("socket.connect", (INET, ("example.org", 443)), "example.org:443", REMOTE),
    ("socket.connect", (INET, ("localhost.example.org", 443)), "localhost.example.org:443", REMOTE),
    ("socket.connect", (INET, ("10.0.0.1", 22)), "10.0.0.1:22", REMOTE),
    ("socket.connect", (INET, ("0.0.0.0", 22)), "0.0.0.0:22", REMOTE),
    ("socket.connect", (Used(1), "/run/a.sock"), "", HARMLESS),
    ("socket.connect", (Used(16), (0, 0)), "", HARMLESS),
    ("socket.connect", (Used(38), ("hash", "sha256")), "", HARMLESS),
    ("socket.connect", (INET, None), "", HARMLESS),
    ("socket.connect", (), "", HARMLESS),
    ("socket.bind", (INET, ("127.0.0.1", 0)), "127.0.0.1:0", LOCAL),
    ("socket.bind", (INET, ("0.0.0.0", 0)), "0.0.0.0:0", LOCAL),
    ("socket.bind", (INET, ("", 0)), ":0", LOCAL),
    ("socket.bind", (INET6, ("::", 0, 0, 0)), ":::0", LOCAL),
    ("socket.bind", (INET, ("10.0.0.1", 0)), "10.0.0.1:0", REMOTE),
    ("socket.sendto", (INET, ("127.0.0.1", 53)), "127.0.0.1:53", LOCAL),
    ("socket.sendto", (INET, ("8.8.8.8", 53)), "8.8.8.8:53", REMOTE),
    ("socket.sendmsg", (INET, ("8.8.8.8", 53)), "8.8.8.8:53", REMOTE),
    ("socket.sendmsg", (INET, None), "", HARMLESS),
    ("socket.getaddrinfo", ("example.org", 80, 0, 0, 0), "example.org", REMOTE),
    ("socket.getaddrinfo", (b"example.org", 80, 0, 0, 0), "example.org", REMOTE),
    ("socket.getaddrinfo", ("localhost", 80, 0, 0, 0), "", HARMLESS),
    ("socket.getaddrinfo", ("127.0.0.1", 80, 0, 0, 0), "", HARMLESS),
    ("socket.getaddrinfo", ("10.0.0.1", 80, 0, 0, 0), "", HARMLESS),
    ("socket.getaddrinfo", (None, 80, 0, 0, 0), "", HARMLESS),
    ("socket.gethostbyname", ("example.org",), "example.org", REMOTE),
    ("socket.gethostbyname", ("10.0.0.1",), "", HARMLESS),
    ("socket.gethostbyname", (OWN_NAME,), "", HARMLESS),
    ("socket.gethostbyaddr", (OWN_NAME,), "", HARMLESS),
    ("socket.gethostbyaddr", ("127.0.0.1",), "", HARMLESS),
    ("socket.gethostbyaddr", ("10.0.0.1",), "10.0.0.1", REMOTE),
    ("socket.gethostbyaddr", ("example.org",), "example.org", REMOTE),
]


@pytest.mark.parametrize("network", ["none", "loopback", "any"])
@pytest.mark.parametrize(
    ("event", "arguments", "where", "permitted"),
    NETWORK_CALLS,
    ids=[f"{event.partition('.')[2]}-{number}" for number, (event, *_) in enumerate(NETWORK_CALLS)],
)
def test_network_calls(
    network: Network, event: str, arguments: tuple[object, ...], where: str, permitted: dict[str, bool]
) -> None:
    expected = None if permitted[network] else told(f"{event} {where}", MAY[network], "network")
    assert rule(network, subprocesses=False).judge(event, arguments) == expected


def test_every_watched_network_event_is_tried() -> None:
    assert {event for event, *_ in NETWORK_CALLS} == set(calls._NETWORK_EVENTS)


@hypothesis.settings(max_examples=60, database=None, deadline=None)
@given(address=st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_only_loopback_addresses_are_local(address: object) -> None:
    text = str(address)
    local = text.startswith(("127.", "::ffff:127.")) or text == "::1"
    assert (rule("loopback").judge("socket.connect", (INET, (text, 1))) is None) is local


# calls that start a process

PROCESS_CALLS = [
    ("subprocess.Popen", ("git", ["git", "log", Path("a b")], None, None), "subprocess.Popen 'git log a b'"),
    ("subprocess.Popen", ("/bin/sh", "ls -l", None, None), "subprocess.Popen 'ls -l'"),
    ("subprocess.Popen", (None, Path("/bin/ls"), None, None), "subprocess.Popen '/bin/ls'"),
    ("subprocess.Popen", (None, b"ls", None, None), "subprocess.Popen 'ls'"),
    ("subprocess.Popen", (None, 3, None, None), "subprocess.Popen 3"),
    ("os.system", (b"ls -l",), "os.system 'ls -l'"),
    ("os.posix_spawn", ("/bin/ls", ["ls", "-l"], {}), "os.posix_spawn 'ls -l'"),
    ("os.spawn", (0, "/bin/ls", ["ls", "-l"], {}), "os.spawn 'ls -l'"),
    ("os.startfile", ("a.txt", "open"), "os.startfile 'a.txt'"),
    ("os.exec", ("/bin/ls", ["ls"], None), "os.exec 'ls'"),
    ("os.exec", ("/bin/ls",), "os.exec()"),
    ("os.fork", (), "os.fork()"),
    ("os.forkpty", (), "os.forkpty()"),
]


@pytest.mark.parametrize(
    ("event", "arguments", "call"),
    PROCESS_CALLS,
    ids=[f"{event}-{number}" for number, (event, *_) in enumerate(PROCESS_CALLS)],
)
def test_calls_that_start_a_process(event: str, arguments: tuple[object, ...], call: str) -> None:
    assert rule("none", subprocesses=True).judge(event, arguments) is None
    assert rule("any", subprocesses=False).judge(event, arguments) == told(call, "start no process", "subprocess")


def test_every_watched_process_event_is_tried() -> None:
    assert {event for event, *_ in PROCESS_CALLS} == set(calls._PROCESS_EVENTS)


# the hook, on real calls


def fork() -> None:
    if os.fork() == 0:
        os._exit(3)


def forkpty() -> None:
    if os.forkpty()[0] == 0:
        os._exit(3)


def connect(address: tuple[str, int]) -> None:
    with socket.socket() as one:
        one.connect(address)


def connect_ex(address: tuple[str, int]) -> None:
    with socket.socket() as one:
        one.connect_ex(address)


def bind(address: tuple[str, int]) -> None:
    with socket.socket() as one:
        one.bind(address)


def send(address: tuple[str, int]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.sendto(b"x", address)


NOWHERE = "/no/such/program"
REAL_CALLS: dict[str, tuple[Callable[[], object], str, str, str]] = {
    "connect": (
        lambda: connect(("127.0.0.1", 1)),
        "socket.connect 127.0.0.1:1",
        "not use the network",
        "network",
    ),
    "connect_ex": (
        lambda: connect_ex(("127.0.0.1", 1)),
        "socket.connect 127.0.0.1:1",
        "not use the network",
        "network",
    ),
    "bind": (lambda: bind(("127.0.0.1", 0)), "socket.bind 127.0.0.1:0", "not use the network", "network"),
    "sendto": (lambda: send(("127.0.0.1", 9)), "socket.sendto 127.0.0.1:9", "not use the network", "network"),
    "getaddrinfo": (
        lambda: socket.getaddrinfo("example.org", 80),
        "socket.getaddrinfo example.org",
        "not use the network",
        "network",
    ),
    "gethostbyname_ex": (
        lambda: socket.gethostbyname_ex("example.org"),
        "socket.gethostbyname example.org",
        "not use the network",
        "network",
    ),
    "run": (
        lambda: subprocess.run([NOWHERE, "-x"], check=False),
        f"subprocess.Popen '{NOWHERE} -x'",
        "start no process",
        "subprocess",
    ),
    "shell": (
        lambda: subprocess.run(f"{NOWHERE} -x", shell=True, check=False),
        f"subprocess.Popen '/bin/sh -c {NOWHERE} -x'",
        "start no process",
        "subprocess",
    ),
    "system": (lambda: os.system(NOWHERE), f"os.system '{NOWHERE}'", "start no process", "subprocess"),
    "popen": (
        lambda: os.popen(NOWHERE),
        f"subprocess.Popen '/bin/sh -c {NOWHERE}'",
        "start no process",
        "subprocess",
    ),
    "execv": (lambda: os.execv(NOWHERE, [NOWHERE]), f"os.exec '{NOWHERE}'", "start no process", "subprocess"),
    "posix_spawn": (
        lambda: os.posix_spawn(NOWHERE, [NOWHERE], {}),
        f"os.posix_spawn '{NOWHERE}'",
        "start no process",
        "subprocess",
    ),
    "fork": (fork, "os.fork()", "start no process", "subprocess"),
    "forkpty": (forkpty, "os.forkpty()", "start no process", "subprocess"),
    "spawnv": (lambda: os.spawnv(os.P_WAIT, NOWHERE, [NOWHERE]), "os.fork()", "start no process", "subprocess"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="the calls of POSIX")
@pytest.mark.parametrize("name", REAL_CALLS)
def test_a_forbidden_call_raises_before_anything_happens(
    name: str, enforce: Callable[[Rule | None], Rule | None]
) -> None:
    call, what, may, exception = REAL_CALLS[name]
    mine = rule("none", subprocesses=False)
    enforce(mine)
    with pytest.raises(PolicyViolation) as caught:
        call()
    assert str(caught.value) == told(what, may, exception)
    assert mine.violations == [told(what, may, exception)]


@pytest.mark.allow("network")
def test_loopback_is_open_where_the_category_allows_it(enforce: Callable[[Rule | None], Rule | None]) -> None:
    mine = rule("loopback", subprocesses=False)
    enforce(mine)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"hello")
            assert client.recv(5) == b"hello"
        with pytest.raises(PolicyViolation) as caught:
            client.connect(("192.0.2.1", 9))
    assert str(caught.value) == told("socket.connect 192.0.2.1:9", MAY["loopback"], "network")


def test_a_swallowed_violation_is_noted_each_once(enforce: Callable[[Rule | None], Rule | None]) -> None:
    mine = rule("none", subprocesses=False)
    enforce(mine)
    for call in ("bind", "fork", "bind"):
        with pytest.raises(PolicyViolation):
            REAL_CALLS[call][0]()
    assert mine.violations == [
        told("socket.bind 127.0.0.1:0", MAY["none"], "network"),
        told("os.fork()", "start no process", "subprocess"),
    ]


def test_sockets_of_the_own_machine_are_no_network(
    enforce: Callable[[Rule | None], Rule | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = rule("none", subprocesses=False)
    monkeypatch.chdir(tmp_path)
    enforce(mine)
    one, other = socket.socketpair()
    with one, other, socket.socket(socket.AF_UNIX) as named:
        named.bind("socket")  # a short name: paths of sockets are limited
        one.sendall(b"x")
        assert other.recv(1) == b"x"
    assert mine.violations == []


def test_putting_a_rule_in_force_gives_back_the_one_before(enforce: Callable[[Rule | None], Rule | None]) -> None:
    first, second = rule("none"), rule("loopback")
    assert [enforce(first), enforce(second), enforce(None), enforce(None)] == [None, first, second, None]


@pytest.mark.must_not_raise
def test_without_a_rule_nothing_is_checked(enforce: Callable[[Rule | None], Rule | None]) -> None:
    enforce(None)
    calls.check("os.fork", ())
    calls.check("socket.connect", (INET, ("example.org", 80)))


def try_call() -> str:
    try:
        calls.check("os.fork", ())
    except PolicyViolation:
        return "forbidden"
    return "passed"


def test_an_exemption_is_for_this_thread_and_this_while(enforce: Callable[[Rule | None], Rule | None]) -> None:
    mine = rule("none", subprocesses=False)
    enforce(mine)
    seen = [try_call()]
    with calls.exempt():
        seen.append(try_call())
        with calls.exempt():
            seen.append(try_call())
        seen.append(try_call())
        thread = threading.Thread(target=lambda: seen.append(try_call()))
        thread.start()
        thread.join()
    seen.append(try_call())
    assert seen == ["forbidden", "passed", "passed", "passed", "forbidden", "forbidden"]


def test_an_exemption_ends_with_an_exception(enforce: Callable[[Rule | None], Rule | None]) -> None:
    enforce(rule("none", subprocesses=False))
    with pytest.raises(KeyError), calls.exempt():
        raise KeyError
    assert try_call() == "forbidden"


def test_the_rule_holds_in_threads_of_the_test(enforce: Callable[[Rule | None], Rule | None]) -> None:
    mine = rule("none", subprocesses=False)
    enforce(mine)
    seen: list[str] = []

    def work() -> None:
        try:
            connect(("127.0.0.1", 1))
        except PolicyViolation as error:
            seen.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == mine.violations == [told("socket.connect 127.0.0.1:1", MAY["none"], "network")]


# sleeping


@pytest.fixture
def telling(enforce: Callable[[Rule | None], Rule | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that tells of sleep, to somebody who listens."""
    monkeypatch.setattr(calls, "_TELLS_OF_SLEEP", True)
    enforce(rule("none"))


@pytest.mark.usefixtures("telling")
def test_what_is_asked_of_sleep_is_added_up() -> None:
    before = calls.slept()
    assert before is not None
    for asked in (0.25, 1, True):
        sys.audit("time.sleep", asked)
    assert calls.slept() == before + 2.25


@pytest.mark.usefixtures("telling")
@pytest.mark.parametrize("asked", [-1, -0.5, float("nan"), float("inf"), 10**400, "long", None, [], 3 + 4j], ids=repr)
def test_nonsense_is_no_sleep(asked: object) -> None:
    before = calls.slept()
    sys.audit("time.sleep", asked)
    assert calls.slept() == before


@pytest.mark.usefixtures("telling")
def test_a_thread_that_sleeps_holds_nobody_up() -> None:
    before = calls.slept()
    thread = threading.Thread(target=sys.audit, args=("time.sleep", 5.0))
    thread.start()
    thread.join()
    assert calls.slept() == before


@pytest.mark.usefixtures("telling")
def test_only_interpreters_that_tell_of_sleep_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    before = calls.slept()
    assert (before is not None) is (sys.version_info >= (3, 13))
    time.sleep(0.001)
    assert calls.slept() == (None if before is None else before + 0.001)
