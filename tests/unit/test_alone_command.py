"""A command that needs the machine for itself asks for it where somebody hands it out, and gives it back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from toxscreen.cli.alone import LOST, alone
from toxscreen.plan.slots import Kind
from toxscreen.slots.address import ADDRESS, ENVIRONMENT
from toxscreen.slots.client import Client
from toxscreen.slots.server import Server

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no sockets with a path here")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, 2)
    yield server
    server.stop()


@pytest.fixture
def other(server: Server) -> Iterator[Client]:
    client = Client(server.address, "unit")
    yield client
    client.close()


def standing(client: Client) -> dict[str, tuple[list[str], list[str]]]:
    status = client.status()
    assert status is not None
    return {name: (each["holding"], each["waiting"]) for name, each in status.items()}


@pytest.mark.parametrize("variables", [{}, {ADDRESS: "nonsense", ENVIRONMENT: "perf"}], ids=["nobody", "nonsense"])
def test_where_nobody_hands_it_out_it_is_there(variables: dict[str, str]) -> None:
    with alone(variables) as told:
        assert told is None


def test_it_waits_until_nothing_else_runs_and_holds_the_machine(server: Server, other: Client) -> None:
    assert other.acquire(Kind.SLOT)
    begun, over = threading.Event(), threading.Event()
    told: list[str | None] = []

    def command() -> None:
        with alone({ADDRESS: str(server.address), ENVIRONMENT: "perf"}) as word:
            told.append(word)
            begun.set()
            over.wait(4)

    thread = threading.Thread(target=command)
    thread.start()
    deadline = time.monotonic() + 4
    while not standing(other).get("perf", ([], []))[1]:
        assert time.monotonic() < deadline
    assert not begun.is_set()
    other.give_back()
    assert begun.wait(4)
    assert standing(other) == {"perf": (["alone"], []), "unit": ([], [])}
    over.set()
    thread.join()
    assert told == [None]
    assert other.acquire(Kind.SLOT)


def test_that_who_handed_it_out_is_gone_is_told(server: Server) -> None:
    address = str(server.address)
    server.stop()
    with alone({ADDRESS: address, ENVIRONMENT: "perf"}) as told:
        assert told == LOST


def test_an_error_gives_the_machine_back(server: Server, other: Client) -> None:
    variables = {ADDRESS: str(server.address), ENVIRONMENT: "perf"}
    with pytest.raises(ZeroDivisionError), alone(variables):
        _ = 1 / 0
    assert other.acquire(Kind.SLOT)
