"""Slots over real sockets: connections that are lost, closed by tests, inherited by forks; servers that come and go."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from toxscreen.plan.slots import Kind
from toxscreen.slots import address as addresses
from toxscreen.slots.address import Address, listen
from toxscreen.slots.budget import Budget
from toxscreen.slots.client import Client
from toxscreen.slots.held import Held
from toxscreen.slots.meeting import meet
from toxscreen.slots.server import Server
from toxscreen.slots.standstill import Standstill

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no sockets with a path here")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, 1)
    yield server
    server.stop()


@pytest.fixture
def clients(server: Server) -> Iterator[list[Client]]:
    made = [Client(server.address, name) for name in ("a", "b", "c")]
    yield made
    for client in made:
        client.close()


def holding(client: Client) -> dict[str, tuple[list[str], list[str]]]:
    status = client.status()
    assert status is not None
    return {name: (each["holding"], each["waiting"]) for name, each in status.items()}


def wait_until_waiting(client: Client, name: str) -> None:
    deadline = time.monotonic() + 4
    while not holding(client).get(name, ([], []))[1]:
        assert time.monotonic() < deadline


def test_a_slot_is_waited_for_and_given_on(clients: list[Client]) -> None:
    first, second, third = clients
    assert first.acquire(Kind.SLOT)
    granted: list[bool] = []
    waiting = threading.Thread(target=lambda: granted.append(second.acquire(Kind.SLOT)))
    waiting.start()
    wait_until_waiting(third, "b")
    assert holding(third) == {"a": (["slot"], []), "b": ([], ["slot"]), "c": ([], [])}
    first.give_back()
    waiting.join()
    assert granted == [True]
    assert holding(third) == {"a": ([], []), "b": (["slot"], []), "c": ([], [])}


def test_who_waits_can_have_enough_of_it_and_ask_for_something_else_later(clients: list[Client]) -> None:
    first, second, _ = clients
    assert first.acquire(Kind.SLOT)
    assert not second.acquire(Kind.SLOT, gone=lambda: True)
    assert (second.problem, holding(first)["b"]) == (None, ([], ["slot"]))
    first.give_back()
    assert second.acquire(Kind.ALONE)
    assert holding(first) == {"a": ([], []), "b": (["alone"], [])}


def test_a_connection_that_ends_gives_everything_back(clients: list[Client]) -> None:
    first, second, _ = clients
    assert first.acquire(Kind.SLOT)
    first.close()
    assert second.acquire(Kind.SLOT)
    assert not first.acquire(Kind.SLOT)
    assert first.problem == "closed"


def test_a_test_that_closes_descriptors_costs_the_slot_and_nothing_more(clients: list[Client], tmp_path: Path) -> None:
    first, second, _ = clients
    assert first.acquire(Kind.SLOT)
    number = first._socket.fileno()
    os.close(number)
    other = os.open(tmp_path / "other", os.O_WRONLY | os.O_CREAT)
    os.dup2(other, number)
    try:
        first.give_back()
        assert second.acquire(Kind.SLOT)
        assert not first.acquire(Kind.SLOT, gone=lambda: True)
        assert (first.problem, (tmp_path / "other").read_bytes()) == (None, b"")
    finally:
        for descriptor in {other, number}:
            os.close(descriptor)


@pytest.mark.allow("subprocess")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_is_silent_and_does_not_keep_the_slot(clients: list[Client]) -> None:
    first, second, _ = clients
    assert first.acquire(Kind.SLOT)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        first.give_back()
        asked = (first.acquire(Kind.SLOT), first.status(), first._socket)
        os.write(writing, repr(asked).encode())
        signal.pause()
        os._exit(0)
    try:
        assert os.read(reading, 100) == b"(False, None, None)"
        assert holding(second)["a"] == (["slot"], []), "the child gave nothing back"
        # As when the process is killed while its child lives on.
        os.close(first._socket.detach())
        assert second.acquire(Kind.SLOT)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def test_who_speaks_another_language_is_cut_off(server: Server, clients: list[Client]) -> None:
    for said in (b"slot\n", b"hello - x\nnonsense\n", b"hello secret x\n", b"x" * 70000, b"\xff\xfe\n"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
            stranger.connect(server.address.place)
            stranger.sendall(said)
            stranger.settimeout(4)
            assert stranger.recv(10) == b""
    assert clients[0].acquire(Kind.SLOT)


def test_counts_of_several_leaders_add_up_and_outlive_them(clients: list[Client], server: Server) -> None:
    for counts in (
        {"done": 3, "total": 3, "failed": 1, "workers": 2},
        {"done": 1, "total": 9, "failed": 0, "workers": 1},
    ):
        leader = Client(server.address, "a")
        leader.count(counts)
        leader.close()
    status = clients[1].status()
    assert status is not None
    assert status["a"] == {"holding": [], "waiting": [], "workers": 2, "done": 4, "failed": 1, "total": 12}


def test_without_a_server_one_goes_on_without(server: Server, clients: list[Client]) -> None:
    first, second, _ = clients
    assert first.acquire(Kind.SLOT)
    server.stop()
    assert not Path(server.address.place).exists()
    first.give_back()
    assert not first.acquire(Kind.SLOT)
    assert not second.acquire(Kind.SLOT)
    assert second.status() is None
    second.take()
    second.leave()
    second.count({"done": 1})
    assert str(first.problem) == "[Errno 2] No such file or directory"


def test_a_server_that_only_comes_up_is_waited_for(tmp_path: Path) -> None:
    before = Server(tmp_path, 1)
    before.stop()
    started: list[Server] = []
    client = Client(before.address, "a", apart=lambda: _starts(started, tmp_path))
    try:
        assert client.acquire(Kind.SLOT)
    finally:
        client.close()
        started[0].stop()


@contextlib.contextmanager
def _starts(started: list[Server], folder: Path) -> Iterator[None]:
    """A server that follows after the first try."""
    try:
        yield
    finally:
        started[:] = started or [Server(folder, 1)]


def test_what_is_said_before_the_wait_is_heard_after_it(server: Server) -> None:
    server._standstill = Standstill(lambda: 0.0)
    first = Client(server.address, "a")
    assert first.acquire(Kind.SLOT)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as both:
        both.connect(server.address.place)
        both.settimeout(4)
        # One turn of the server: its clock stands still between the two.
        both.sendall(b"hello - b\nback\nslot keeps\n")
        assert both.recv(10) == b"go 1\n"
    first.close()


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"go\n", b"go x\n", b"5\n", b"\xff\n", b""])
def test_somebody_else_who_listens_there_hands_out_nothing(tmp_path: Path, said: bytes) -> None:
    address = Address(os.fspath(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(address.place)
        listener.listen()
        answering = threading.Thread(target=_answer, args=(listener, said), daemon=True)
        answering.start()
        asking = Client(address, "a", patience=0.0)
        assert asking.status() is None
        asking.close()
        client = Client(address, "a")
        assert not client.acquire(Kind.SLOT)
        assert client.problem == f"whoever listens at {address.place} hands out no slots"
        listener.shutdown(socket.SHUT_RDWR)
        answering.join(4)
        assert not answering.is_alive()


def _answer(listener: socket.socket, said: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            connection.recv(1000)
            connection.sendall(said)


def test_a_server_that_comes_back_is_found(server: Server, clients: list[Client], tmp_path: Path) -> None:
    first = clients[0]
    assert first.acquire(Kind.SLOT)
    server.stop()
    again = Server(tmp_path, 1)
    try:
        assert again.address == server.address
        first.give_back()
        assert first.acquire(Kind.SLOT)
        assert holding(first) == {"a": (["slot"], [])}
    finally:
        again.stop()


# addresses


@pytest.mark.parametrize("text", ["unix:/tmp/a b:c.sock", "tcp:8080:secret"])
def test_addresses_are_read_as_they_are_written(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize("text", ["", "unix:", "tcp:80", "tcp:x:y", "tcp:80:", "tcp:65536:x", "http://here"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is no address of slots"):
        Address.parse(text)


def test_where_the_path_is_too_long_the_socket_lies_with_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    found = addresses._paths(deep)
    assert [path.parent.name for path in found] == [f"toxscreen-{os.getuid()}"] * len(found)
    assert found
    assert addresses._paths(deep) == found != addresses._paths(tmp_path / ("y" * 100)), "a place for each folder"


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o700)
    assert addresses._is_private(tmp_path / "open")
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    assert not addresses._is_private(tmp_path / "open")
    assert not addresses._is_private(tmp_path / "link")


@pytest.mark.allow("network")
def test_who_takes_over_listens_on_the_same_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_IS_WINDOWS", True)
    address, first = meet(tmp_path, 1)
    assert first is not None
    client = Client(address, "a")
    assert client.acquire(Kind.SLOT)
    first.stop()
    again, second = meet(tmp_path, 1)
    assert second is not None
    try:
        assert again == address
        client.give_back()
        assert client.acquire(Kind.SLOT)
    finally:
        client.close()
        second.stop()


@pytest.mark.allow("network")
def test_where_that_port_is_taken_it_listens_on_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_IS_WINDOWS", True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        listener, address = listen(tmp_path, Address(port, "secret"))
    listener.close()
    assert address.place != port
    assert address.token != "secret"


@pytest.mark.allow("network")
def test_where_there_are_no_sockets_with_a_path_a_port_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_IS_WINDOWS", True)
    server = Server(tmp_path, 1)
    client = Client(Address.parse(str(server.address)), "a")
    stranger = Client(Address(server.address.place, "guessed"), "a")
    try:
        assert str(server.address).startswith("tcp:")
        assert client.acquire(Kind.SLOT)
        assert stranger.status() is None
    finally:
        client.close()
        stranger.close()
        server.stop()


def test_a_file_in_the_place_of_the_socket_is_replaced(tmp_path: Path) -> None:
    listener, address = listen(tmp_path)
    listener.close()
    assert Path(address.place).exists(), "what a killed tox leaves behind"
    server = Server(tmp_path, 1)
    server.stop()
    assert not Path(address.place).exists()


# toxes that meet


def test_the_second_tox_joins_the_first_and_takes_over_when_it_ends(tmp_path: Path) -> None:
    address, first = meet(tmp_path, 3)
    assert first is not None
    second = Budget(tmp_path, 5)
    try:
        assert (second.address, second._server) == (address, None)
        second.begin("lint", lambda: False)
        assert second.status()["lint"]["holding"] == ["blanket"]
        first.stop()
        deadline = time.monotonic() + 4
        while second._server is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert second.status()["lint"]["holding"] == ["blanket"], "what it holds it has still"
        second.end("lint")
        second.end("lint")
        assert "lint" not in second.status()
    finally:
        second.stop()
        second.stop()
    assert second.status() == {}


def test_who_looks_how_it_stands_does_not_keep_a_tox_from_taking_over(tmp_path: Path) -> None:
    address, first = meet(tmp_path, 1)
    assert first is not None
    second = Budget(tmp_path, 1)
    worker = Client(address, "a")
    try:
        assert worker.acquire(Kind.SLOT)
        first.stop()
        began = time.monotonic()
        while second._server is None:
            second.status()
            assert time.monotonic() - began < 1.5, "a worker that waits gives up after two seconds"
            time.sleep(0.01)
        worker.give_back()
        assert worker.acquire(Kind.SLOT)
    finally:
        worker.close()
        second.stop()


def test_the_file_of_a_server_that_ended_is_of_no_use_for_the_next(tmp_path: Path) -> None:
    address, first = meet(tmp_path, 1)
    assert first is not None
    early = Held(address)
    assert early.lock(0, lambda: True)
    early.unlock()
    first.stop()
    held = Path(address.place + ".held")
    assert not held.exists()
    assert early.lock(0, lambda: True)
    assert held.exists(), "it would lock what nobody else looks at"
    early.close()


def test_what_a_killed_tox_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("unix:" + os.fspath(tmp_path / "slots.sock"))
    listener, _ = listen(tmp_path)
    listener.close()
    budget = Budget(tmp_path, 1)
    try:
        assert budget._server is not None
        budget.begin("lint", lambda: False)
        assert budget.status()["lint"]["holding"] == ["blanket"]
    finally:
        budget.stop()


@pytest.mark.parametrize("content", ["", "nonsense", "unix:/nowhere/slots.sock", "tcp:1:x"])
@pytest.mark.allow("network")
def test_an_address_that_leads_nowhere_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "address").write_text(content)
    address, server = meet(tmp_path, 1)
    try:
        assert server is not None
        assert (tmp_path / "address").read_text() == str(address)
    finally:
        if server is not None:
            server.stop()


def test_waiting_for_a_blanket_ends_with_the_interrupt(tmp_path: Path) -> None:
    budget = Budget(tmp_path, 1)
    try:
        budget.begin("unit", lambda: False)
        budget.begin("lint", lambda: True)
        assert budget.variables("unit") == {
            "TOXSCREEN_SLOTS": str(budget.address),
            "TOXSCREEN_SLOTS_ENV": f"{os.getpid()}:unit",
        }
        assert budget.status()["lint"]["waiting"] == ["blanket"]
    finally:
        budget.stop()
