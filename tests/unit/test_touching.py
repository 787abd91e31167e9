"""What a test touches: real calls as the audit hook of this process hears them, and what is left out of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from toxscreen.probes import calls
from toxscreen.probes.touching import EVENTS, MOST, Touched

Listen = Callable[..., Touched]


@pytest.fixture
def listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listen]:
    """Start taking notes, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    before = calls.listen(None)

    def start(*ignored: str) -> Touched:
        touched = Touched({os.fspath(tmp_path / "inner"): "INNER", os.fspath(tmp_path): ""}, ignored)
        calls.listen(touched)
        return touched

    yield start
    calls.listen(before)


def write(path: str | bytes | Path, flags: int = os.O_WRONLY | os.O_CREAT) -> None:
    os.close(os.open(path, flags, 0o600))


def in_a_temporary_folder() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        Path(folder, "deep").mkdir()
        write(f"{folder}/deep/file")


def unlink_in_folder() -> None:
    folder = os.open(".", os.O_RDONLY)
    os.unlink("there", dir_fd=folder)
    os.close(folder)


def in_a_forked_child() -> None:
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            write("of-the-child")
        os._exit(0)
    os.waitpid(child, 0)


def close(database: sqlite3.Connection) -> None:
    database.close()


FILES: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "written": (lambda: Path("new").write_text("x", encoding="utf-8"), ("file new",)),
    "written by bytes": (lambda: write(os.fsencode("new")), ("file new",)),
    "appended to": (lambda: Path("there").open("a", encoding="utf-8").close(), ("file there",)),
    "opened for both": (lambda: write(Path("there"), os.O_RDWR), ("file there",)),
    "written twice": (lambda: list(map(write, "bab")), ("file b", "file a")),
    "read": (lambda: Path("there").read_bytes(), ()),
    "read of a folder": (lambda: list(os.scandir(".")), ()),
    "truncated": (lambda: os.truncate("there", 0), ("file there",)),
    "removed": (lambda: Path("there").unlink(), ("file there",)),
    "removed relative to a folder": (unlink_in_folder, ()),
    "renamed": (lambda: Path("there").rename("new"), ("file there", "file new")),
    "linked": (lambda: os.link("there", "new"), ("file new",)),
    "linked by name": (lambda: Path("new").symlink_to("there"), ("file new",)),
    "a folder that is made": (lambda: Path("made/deep").mkdir(parents=True), ()),
    "a folder that is removed": (lambda: shutil.rmtree("inner"), ("file inner",)),
    "in a folder with a name": (lambda: write("inner/new"), ("file INNER/new",)),
    "outside": (lambda: write("../outside"), ("file {above}/outside",)),
    "a device": (lambda: write("/dev/null", os.O_WRONLY), ()),
    "by its descriptor": (lambda: os.fdopen(os.dup(1), "w", encoding="utf-8").close(), ()),
    "ignored": (lambda: write("ignored-by-us"), ()),
    "compiled": (lambda: write("tool/__pycache__/a"), ()),
    "compiled elsewhere": (lambda: write("b.pyc.123"), ()),
    "coverage data": (lambda: write(".coverage.host.1"), ()),
    "a lock": (lambda: write("there.lock"), ()),
    "the store of a tool": (lambda: write("tool/.hypothesis/x"), ()),
    "a temporary file": (lambda: tempfile.TemporaryFile(dir=".").close(), ()),
    "a temporary file with a name": (lambda: tempfile.NamedTemporaryFile(dir=".").close(), ()),
    "a temporary folder": (in_a_temporary_folder, ()),
    "a database": (lambda: close(sqlite3.connect("shop.db")), ("file shop.db",)),
    "a database's path": (lambda: close(sqlite3.connect(Path("shop.db"))), ("file shop.db",)),
    "a database's address": (lambda: close(sqlite3.connect("file:shop.db?mode=rwc", uri=True)), ("file shop.db",)),
    "a database that is read": (lambda: close(sqlite3.connect("file:shop.db?mode=ro", uri=True)), ()),
    "a database in memory": (lambda: close(sqlite3.connect(":memory:")), ()),
    "a named database in memory": (lambda: close(sqlite3.connect("file:a?mode=memory&cache=shared", uri=True)), ()),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, listen: Listen, tmp_path: Path) -> None:
    call, expected = FILES[name]
    Path("there").touch()
    for folder in ("inner", "tool/__pycache__", "tool/.hypothesis"):
        Path(folder).mkdir(parents=True)
    if "read" in name:
        sqlite3.connect("shop.db").close()
    touched = listen(f"{tmp_path}/ignored-")
    try:
        call()
    finally:
        calls.listen(None)
        Path("../outside").unlink(missing_ok=True)
    assert touched.take() == tuple(each.format(above=tmp_path.parent) for each in expected)
    assert touched.take() == ()


@pytest.mark.allow("subprocess")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_what_a_forked_child_writes_is_not_its_parents(listen: Listen) -> None:
    touched = listen()
    in_a_forked_child()
    assert Path("of-the-child").exists()
    assert touched.take() == ()


@pytest.mark.allow("network")
@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="sockets of POSIX")
def test_ports_and_sockets(listen: Listen) -> None:
    touched = listen()
    with socket.socket() as chosen, socket.socket() as server, socket.socket() as client:
        for each in (chosen, server):
            # So that nobody else is given the port in between.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        chosen.bind(("127.0.0.1", 0))
        assert touched.take() == ()
        port = chosen.getsockname()[1]
        server.bind(("127.0.0.1", port))
        server.listen()
        client.connect(("localhost", port))
        assert touched.take() == (f"port {port}", f"connection to port {port}")
    # Without a network there is no way there.
    with socket.socket(type=socket.SOCK_DGRAM) as client, contextlib.suppress(OSError):
        client.connect(("192.0.2.1", 9))
    assert touched.take() == ("connection to 192.0.2.1:9",)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("door")
        server.listen()
        client.connect("door")
        assert touched.take() == ("file door", "connection to file door")


@pytest.mark.skipif(not os.path.exists("/proc/net/unix"), reason="sockets of Linux")  # noqa: PTH110 - one line
def test_a_socket_without_a_file(listen: Listen) -> None:
    touched = listen()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0toxscreen-{os.getpid()}")
    assert touched.take() == (f"socket @toxscreen-{os.getpid()}",)


def test_no_more_is_kept_than_that(listen: Listen) -> None:
    touched = listen()
    for number in range(MOST + 1):
        write(f"{number}")
    assert touched.take() == tuple(f"file {number}" for number in range(MOST))


def test_threads_are_heard_but_not_those_that_act_for_us(listen: Listen) -> None:
    touched = listen()
    thread = threading.Thread(target=write, args=("of-a-thread",))
    thread.start()
    thread.join()
    with calls.exempt():
        write("of-ours")
    calls.listen(None)
    write("later")
    assert touched.take() == ("file of-a-thread",)


@pytest.mark.parametrize("event", sorted(EVENTS))
@pytest.mark.parametrize("arguments", [(), (None,), (7, None, None), ("a", "b", "c"), (object(), ("h",)), ("\0", 1, 1)])
def test_events_of_another_shape_are_survived(event: str, arguments: tuple[object, ...]) -> None:
    touched = Touched({}, ())
    touched.hear(event, arguments)
    assert all(each.startswith(("file ", "connection to ", "socket @")) for each in touched.take())
