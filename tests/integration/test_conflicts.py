"""Tests on different workers that touch the same thing: told before it ever fails. Real pytest runs."""

from __future__ import annotations

import json
from pathlib import Path

from toxscreen.testing import Suite

#: Of two files, each worker is given one.
TWO_LANES = ("--category", "integration", "-n2", "--dist", "loadfile", "-p", "no:randomly")
A, B = "tests/integration/test_a.py::test_a", "tests/integration/test_b.py::test_b"


def test_what_two_workers_touch_is_told_and_fails_nothing(tmp_path: Path) -> None:
    body = """
        import pathlib, socket, sqlite3, tempfile

        def {name}(tmp_path):
            pathlib.Path("orders.csv").write_text("tea")
            pathlib.Path(tempfile.gettempdir(), "basket").write_text("tea")
            sqlite3.connect("shop.db").close()
            pathlib.Path("out").mkdir(exist_ok=True)
            pathlib.Path("out/{name}").write_text("its own")
            (tmp_path / "orders.csv").write_text("its own")
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
    """
    project = Suite(
        {
            "tests/integration/test_a.py": body.format(name="test_a"),
            "tests/integration/test_b.py": body.format(name="test_b"),
        }
    ).at(tmp_path)
    result = project.run(*TWO_LANES).expect(exit=0, outcomes={A: "passed", B: "passed"})
    lanes = {attempt.node_id: attempt.lane for attempt in result.run.attempts}
    assert set(lanes.values()) == {"gw0", "gw1"}
    basket = tmp_path / "tmp/basket"
    told = [line for line in result.stdout.splitlines() if line.startswith("possible conflict")]
    assert told == [
        f"possible conflict: file {thing} is touched by {A} ({lanes[A]}) and {B} ({lanes[B]})"
        for thing in (basket, "orders.csv", "shop.db")
    ]
    shown = json.loads(project.toxscreen("runs", "last", "--json").expect(exit=0).stdout)
    tests = [{"node_id": node_id, "lane": lanes[node_id]} for node_id in (A, B)]
    assert shown["conflicts"] == [
        {"thing": f"file {thing}", "tests": tests} for thing in (basket, "orders.csv", "shop.db")
    ]
    for attempt, name in zip(sorted(result.run.attempts, key=lambda it: it.node_id), ("test_a", "test_b"), strict=True):
        *things, connection = attempt.touched
        assert things == ["file orders.csv", f"file {basket}", "file shop.db", f"file out/{name}"]
        assert connection.startswith("connection to port ")


def test_of_many_the_first_are_told(tmp_path: Path) -> None:
    body = """
        import pathlib
        import pytest

        @pytest.fixture(scope="session")
        def shared():
            for number in range(7):
                pathlib.Path(f"shared-{{number}}").write_text("x")

        def {name}(shared): pass
    """
    files = {f"tests/integration/{name}.py": body.format(name=name) for name in ("test_a", "test_b")}
    project = Suite(files).at(tmp_path)
    result = project.run(*TWO_LANES).expect(exit=0, outcomes={A: "passed", B: "passed"})
    told = [line for line in result.stdout.splitlines() if line.startswith("possible conflict")]
    assert [line.split()[3] for line in told[:-1]] == [f"shared-{number}" for number in range(5)]
    assert told[-1] == f"possible conflict: 2 more, see `toxscreen runs {result.run.id}`"


def test_one_process_has_nobody_to_meet(tmp_path: Path) -> None:
    body = """
        import pathlib

        def test_a(): pathlib.Path("orders.csv").write_text("tea")
        def test_b(): pathlib.Path("orders.csv").write_text("tea")
    """
    setting = "[tool.toxscreen]\ndefault-category = 'integration'\n"
    project = Suite({"pyproject.toml": setting, "test_a.py": body, "tests/perf/test_b.py": body}).at(tmp_path)
    result = project.run("-n0").expect(exit=0, never_says=["conflict"])
    assert {attempt.node_id: attempt.touched for attempt in result.run.attempts} == {
        "test_a.py::test_a": ("file orders.csv",),
        "test_a.py::test_b": ("file orders.csv",),
        # Nobody looks where leaks are not looked for.
        "tests/perf/test_b.py::test_a": (),
        "tests/perf/test_b.py::test_b": (),
    }
