"""Sequences that begin alike: what they have in common runs once, and each ends as if it had run whole."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from toxscreen.guard.process import is_alive
from toxscreen.hunt.prober import Request, Warm, run
from toxscreen.hunt.target import Target
from toxscreen.model import Ended, Outcome, Probe
from toxscreen.testing import Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

#: Each test leaves a line in a file. They take long enough for a fork to be worth it.
FILES = {
    "state.py": "KEPT = []\nUP = []\n",
    "conftest.py": """\
        import os, time
        import pytest

        @pytest.fixture(autouse=True)
        def told(request):
            with open(os.environ["RAN"], "a") as file:
                file.write(f"{request.node.name} {os.getpid()}\\n")
            time.sleep(0.01)

        @pytest.fixture(scope="module")
        def kept_up(request):
            import state
            state.UP.append(request.node.name)
            yield
            state.UP.remove(request.node.name)
        """,
    "test_a.py": """\
        import pytest, state

        @pytest.mark.parametrize("n", range(40))
        def test_a(n, kept_up):
            state.KEPT.append(n)

        def test_first_file(kept_up):
            assert (state.KEPT, state.UP) == (list(range(24)), ["test_a.py"])
        """,
    "test_b.py": """\
        import os, signal, state

        def test_other_file():
            assert (state.KEPT, state.UP) == (list(range(24)), [])

        def test_late():
            assert 30 not in state.KEPT

        def test_kills():
            os.kill(os.getpid(), signal.SIGKILL)

        def test_hangs():
            while True:
                signal.pause()
        """,
    "pytest.ini": "[pytest]\naddopts = -p no:benchmark -p no:toxscreen\npythonpath = .\n",
}
A = [f"test_a.py::test_a[{n}]" for n in range(40)]
LATE, OTHER, FIRST = "test_b.py::test_late", "test_b.py::test_other_file", "test_a.py::test_first_file"


class Server:
    """A process that forks, and the notes of its tests."""

    def __init__(self, folder: Path) -> None:
        self.notes = folder / "ran"
        self.warm = Warm(Target(Suite(FILES).at(folder).root), folder / "hunt", 1)

    def ask(self, *node_ids: str, limit: float = 30.0, branch: bool = True) -> Probe:
        return run(self.warm, Request(node_ids, limit, branch=branch))

    def ran(self) -> Counter[str]:
        """How often each test ran."""
        return Counter(line.split()[0] for line in self.notes.read_text(encoding="utf-8").splitlines())

    def processes(self) -> set[int]:
        return {int(line.split()[1]) for line in self.notes.read_text(encoding="utf-8").splitlines()}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("RAN", os.fspath(tmp_path / "ran"))
    # What these processes do is measured elsewhere, and they would be slow.
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    server = Server(tmp_path)
    try:
        yield server
    finally:
        server.warm.close()


def outcomes(probe: Probe) -> list[Outcome]:
    return [each.outcome for each in probe.seen]


def test_what_sequences_have_in_common_runs_once(server: Server) -> None:
    whole = server.ask(*A, LATE)
    assert (whole.last.outcome, len(whole.seen)) == (Outcome.FAILED, 41)
    for length, last in ((35, Outcome.FAILED), (25, Outcome.PASSED), (30, Outcome.PASSED), (31, Outcome.FAILED)):
        probe = server.ask(*A[:length], LATE)
        assert (probe.last.outcome, probe.ended, len(probe.seen)) == (last, Ended.DONE, length + 1)
        assert [each.node_id for each in probe.seen] == list(probe.node_ids)
    # The first fifth of the tests was never run again.
    assert {server.ran()[f"test_a[{n}]"] for n in range(5)} == {1}
    assert not server.ran().keys() - {f"test_a[{n}]" for n in range(40)} - {"test_late"}


@pytest.mark.parametrize("last", [FIRST, OTHER])
def test_fixtures_are_up_or_torn_down_as_in_the_whole_sequence(last: str, server: Server) -> None:
    server.ask(*A, LATE)
    probes = [server.ask(*A[:24], last, branch=branch) for branch in (True, False)]
    assert [outcomes(probe) for probe in probes] == [[Outcome.PASSED] * 25] * 2
    # The second one ran whole.
    assert server.ran()["test_a[0]"] == 2


def test_who_dies_or_hangs_after_a_common_beginning_is_told_and_the_beginning_stays(server: Server) -> None:
    server.ask(*A, LATE)
    died = server.ask(*A, "test_b.py::test_kills")
    assert (died.ended, died.status, died.last.outcome) == (Ended.DIED, -9, Outcome.CRASHED)
    hung = server.ask(*A, "test_b.py::test_hangs", limit=1.0)
    assert (hung.ended, hung.last.outcome, len(hung.seen)) == (Ended.HUNG, Outcome.TIMED_OUT, 40)
    assert server.ask(*A[:30], LATE).last.outcome is Outcome.PASSED
    assert server.ran()["test_a[0]"] == 1


def test_a_test_that_stands_there_twice_is_run_whole(server: Server) -> None:
    server.ask(*A, LATE)
    probe = server.ask(*A, LATE, A[0])
    assert (len(probe.seen), probe.seen[-1].outcome) == (42, Outcome.PASSED)
    assert server.ran()["test_a[0]"] == 3


def test_nothing_stays_when_the_hunt_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAN", os.fspath(tmp_path / "ran"))
    server = Server(tmp_path)
    server.ask(*A, LATE)
    server.ask(*A[:35], LATE)
    server.warm.close()
    assert [process for process in server.processes() if is_alive(process)] == []
