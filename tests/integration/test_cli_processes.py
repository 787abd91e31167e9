"""Child processes side by side, and what a signal to their parent does to them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import UserDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from toxscreen.cli.processes import Ended, Job, run_all
from toxscreen.errors import MissingToolError
from toxscreen.guard.process import is_alive

#: Notes its process id, then each request to end, which it does not heed.
STUBBORN = """\
import os, signal, sys
from pathlib import Path
sign = Path(sys.argv[1])
def note(number, frame):
    with sign.open("a") as file:
        file.write("asked\\n")
signal.signal(signal.SIGTERM, note)
sign.write_text(f"{os.getpid()}\\n")
while True:
    signal.pause()
"""


def job(name: str, folder: Path, *arguments: str) -> Job:
    command = (sys.executable, "-c", *arguments)
    return Job(name, command, folder, {**os.environ}, (folder / f"{name}.out").open("w+b"))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lines(sign: Path) -> list[str]:
    return sign.read_text(encoding="utf-8").splitlines() if sign.exists() else []


def test_each_job_is_told_of_when_it_ends_with_what_it_said(tmp_path: Path) -> None:
    jobs = [
        job(name, tmp_path, f"print({name!r}); raise SystemExit({status})") for name, status in (("a", 0), ("b", 3))
    ]
    ended: list[Ended] = []
    try:
        assert not run_all(jobs, ended.append)
        assert sorted((each.job.name, each.status, each.told()) for each in ended) == [
            ("a", 0, "exit status 0"),
            ("b", 3, "exit status 3"),
        ]
        assert [(tmp_path / f"{name}.out").read_text(encoding="utf-8").strip() for name in "ab"] == ["a", "b"]
    finally:
        for each in jobs:
            assert each.output is not None
            each.output.close()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_requests_to_end_are_handed_on_and_the_third_is_an_end(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    stubborn = job("stubborn", tmp_path, STUBBORN, os.fspath(sign))
    before = signal.getsignal(signal.SIGTERM)

    def insist() -> None:
        for requests in range(3):
            wait_for(lambda requests=requests: len(lines(sign)) == requests + 1)  # type: ignore[misc]
            os.kill(os.getpid(), signal.SIGTERM)

    insisting = threading.Thread(target=insist)
    insisting.start()
    ended: list[Ended] = []
    assert stubborn.output is not None
    with stubborn.output:
        assert run_all([stubborn], ended.append)
    insisting.join()
    assert [(each.job.name, each.status, each.told()) for each in ended] == [("stubborn", -9, "ended by signal 9")]
    assert lines(sign) == [str(ended[0].process), "asked", "asked"]
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_request_to_end_reaches_a_job_that_is_just_being_started(tmp_path: Path) -> None:
    class Asking(UserDict[str, str]):
        """An environment: whoever reads it is asked to end."""

        def __iter__(self) -> Iterator[str]:
            os.kill(os.getpid(), signal.SIGTERM)
            return super().__iter__()

    patient = job("patient", tmp_path, "import signal; signal.pause()")
    assert patient.output is not None
    ended: list[Ended] = []
    with patient.output:
        assert run_all([replace(patient, environment=Asking(os.environ))], ended.append)
    assert [each.told() for each in ended] == ["ended by signal 15"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_where_one_cannot_be_started_the_others_are_ended(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    stubborn = job("stubborn", tmp_path, STUBBORN, os.fspath(sign))
    lost = os.fspath(tmp_path / "lost")
    assert stubborn.output is not None
    with stubborn.output, pytest.raises(MissingToolError) as caught:
        run_all([stubborn, Job("lost", (lost,), tmp_path, {})], lambda _: None)
    assert caught.value.render() == (
        f"{lost}: cannot be started: No such file or directory [tool-missing]\n"
        "  the run's own interpreter may have been removed or replaced"
    )
    # It may have been killed before it said who it is.
    assert not any(is_alive(int(process)) for process in lines(sign)[:1])
