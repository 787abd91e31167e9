"""PostgreSQL and Redis, where they are installed, as services of a suite on two workers."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from toxscreen.testing import Suite

if sys.platform == "win32":
    pytest.skip("process groups and users are POSIX", allow_module_level=True)

import pwd

#: Becomes another user, then runs the rest of its arguments: PostgreSQL refuses to be run by root.
AS_USER = """\
import os
import sys

user, group = int(sys.argv[1]), int(sys.argv[2])
os.setgroups([])
os.setgid(group)
os.setuid(user)
os.execvp(sys.argv[3], sys.argv[3:])
"""
WITH_POSTGRES = """\
import subprocess

import pytest

pytestmark = pytest.mark.needs("postgres")


def sql(text):
    command = {psql!r}, "-h", "127.0.0.1", "-p", "{port}", "-U", "tester", "-d", "postgres", "-XAtqc", text
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("number", range(3))
def test_a_table_of_its_own(number):
    sql(f"create table {name}_{{number}} (value int); insert into {name}_{{number}} values ({{number}}), (7)")
    assert sql(f"select value from {name}_{{number}} order by value") == [str(number), "7"]
"""
WITH_REDIS = """\
import socket

import pytest

pytestmark = pytest.mark.needs("redis")


def ask(*lines):
    with socket.create_connection(("127.0.0.1", {port}), timeout=10) as connection:
        connection.sendall("".join(line + "\\r\\n" for line in lines).encode())
        with connection.makefile("r", newline="\\r\\n") as answers:
            return [answers.readline().strip() for _ in lines]


@pytest.mark.parametrize("number", range(3))
def test_a_key_of_its_own(number):
    assert ask(f"SET {name}{{number}} {{number}}", f"INCR {name}{{number}}") == ["+OK", f":{{number + 1}}"]
"""
TABLE = """\
[tool.toxscreen.services.{name}]
check = '''{check}'''
start = '''{start}'''
stop = '''{stop}'''
"""


@dataclass(frozen=True)
class Programs:
    """Where the programs of a server are."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            pytest.skip(f"{name} is not installed beside the others in {self.folder}")
        return os.fspath(path)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    return False


@pytest.fixture
def postgres() -> Programs:
    """Debian keeps the server's programs out of PATH."""
    found = shutil.which("postgres")
    places = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    if not places:
        pytest.skip("PostgreSQL is not installed: no program postgres on PATH or below /usr/lib/postgresql")
    return Programs(places[0])


@pytest.fixture
def account() -> pwd.struct_passwd:
    """Who runs the server: this user, or somebody without rights where this is root."""
    if os.getuid():
        return pwd.getpwuid(os.getuid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    pytest.skip("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody")


@pytest.fixture
def data(account: pwd.struct_passwd) -> Iterator[Path]:
    """A folder of that user: pytest's own belong to this one, and are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="toxscreen-pg-"))
    try:
        if not os.getuid():
            os.chown(folder, account.pw_uid, account.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder)


def test_postgresql(tmp_path: Path, port: int, postgres: Programs, account: pwd.struct_passwd, data: Path) -> None:
    psql = shutil.which("psql") or postgres["psql"]
    suite = Suite(
        {
            "as_user.py": AS_USER,
            **{
                f"tests/real_world/test_{name}.py": WITH_POSTGRES.format(psql=psql, port=port, name=name)
                for name in "ab"
            },
        }
    ).at(tmp_path)
    as_user = [] if os.getuid() else [sys.executable, "as_user.py", str(account.pw_uid), str(account.pw_gid)]
    cluster = os.fspath(data / "cluster")
    subprocess.run(
        [*as_user, postgres["initdb"], "-D", cluster, "-U", "tester", "-A", "trust", "--no-sync", "--locale=C"],
        cwd=suite.root,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    start = [*as_user, postgres["postgres"], "-D", cluster, "-h", "127.0.0.1", "-p", str(port), "-k", os.fspath(data)]
    table = TABLE.format(
        name="postgres",
        check=shlex.join([postgres["pg_isready"], "-h", "127.0.0.1", "-p", str(port)]),
        start=shlex.join([*start, "-c", "fsync=off"]),
        stop=shlex.join([*as_user, postgres["pg_ctl"], "stop", "-D", cluster, "-m", "fast"]),
    )
    suite.write({"pyproject.toml": table})
    result = suite.run("--category", "real-world", "-n2")
    result.expect(
        exit=0,
        outcomes={
            f"tests/real_world/test_{name}.py::test_a_table_of_its_own[{number}]": "passed"
            for name in "ab"
            for number in range(3)
        },
        never_says=["service-not-stopped"],
    )
    (run,) = (suite.root / ".toxscreen/runs").iterdir()
    log = (run / "postgres.log").read_text()
    assert log.count("database system is ready to accept connections") == 1
    assert "database system is shut down" in log
    assert not listens(port)


def test_redis(tmp_path: Path, port: int) -> None:
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if server is None:
        pytest.skip("Redis is not installed: no program redis-server or valkey-server on PATH")
    suite = Suite({f"tests/real_world/test_{name}.py": WITH_REDIS.format(port=port, name=name) for name in "ab"}).at(
        tmp_path
    )
    start = shlex.join([server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
    # Without a stop command: what `start` began is ended.
    suite.write(
        {"pyproject.toml": f'[tool.toxscreen.services.redis]\ncheck = \'127.0.0.1:{port}\'\nstart = """{start}"""\n'}
    )
    suite.run("--category", "real-world", "-n2").expect(
        exit=0,
        outcomes={
            f"tests/real_world/test_{name}.py::test_a_key_of_its_own[{number}]": "passed"
            for name in "ab"
            for number in range(3)
        },
        never_says=["service-not-stopped"],
    )
    (run,) = (suite.root / ".toxscreen/runs").iterdir()
    assert (run / "redis.log").read_text().count("Ready to accept connections") == 1
    assert not listens(port)
