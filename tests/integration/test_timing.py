"""What runs say about time: wide fixtures by themselves, tests without them, what a slow test did. Real pytest runs."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from toxscreen.journal.history import load_history
from toxscreen.model import Attempt, FixtureSpan, History, Run
from toxscreen.testing import Project, Result, Suite

FILE = "tests/unit/test_time.py"
IN_ORDER = ("--category", "unit", "-n0", "-p", "no:randomly")
#: Seconds that a fixture sleeps. What does nothing takes less, and what sleeps takes less than twice that, on a machine
#: that hardly answers.
LONG = 0.4
#: Seconds that clocks may disagree.
SHORT = 0.02
#: Seconds from which on a fixture is worth a line.
MOMENT = 0.0002

SLOW = f"""
    import time

    import pytest

    @pytest.fixture(scope="module")
    def db():
        time.sleep({LONG})
        yield
        time.sleep({LONG})

    @pytest.fixture(scope="class")
    def rows(db):
        time.sleep({LONG})

    @pytest.fixture
    def own():
        time.sleep({LONG})

    def test_first(db): ...
    def test_own(db, own): ...
    def test_call(db): time.sleep({LONG})

    class TestRows:
        def test_one(self, rows): ...
        def test_two(self, rows): ...
"""


def at(tmp_path: Path, files: dict[str, str]) -> Project:
    return Suite({"pytest.ini": "[pytest]\n", **files}).at(tmp_path)


def spans(run: Run) -> list[tuple[str, str, str, int]]:
    """Key, test, phase and length in units of LONG of each set-up and teardown that is long, as they happened."""
    return [
        (span.key.removeprefix(FILE), name(span.node_id), "teardown" if span.teardown else "setup", units(span.seconds))
        for span in sorted(run.fixtures, key=ended)
        if units(span.seconds)
    ]


def ended(span: FixtureSpan) -> float:
    return span.started + span.seconds


def name(node_id: str) -> str:
    return node_id.removeprefix(f"{FILE}::")


def units(seconds: float) -> int:
    """How often LONG is in it, on a machine that may be slow but not by that much."""
    return math.floor((seconds + SHORT) / LONG)


def in_units(history: History) -> dict[str, tuple[int, int, int]]:
    return {
        name(node_id.partition("@")[0]): (units(each.setup), units(each.call), units(each.teardown))
        for node_id, each in history.tests.items()
    }


def attempt(result: Result, test: str) -> Attempt:
    return next(each for each in result.run.attempts if each.node_id == f"{FILE}::{test}")


NET = {
    "test_first": (0, 0, 0),
    "test_own": (1, 0, 0),
    "test_call": (0, 1, 0),
    "TestRows::test_one": (0, 0, 0),
    "TestRows::test_two": (0, 0, 0),
}


@pytest.mark.parametrize("how", [("-n0",), ("-n2",), ("-n2", "--dist", "loadgroup")], ids=" ".join)
def test_history_knows_tests_without_their_wide_fixtures(tmp_path: Path, how: tuple[str, ...]) -> None:
    mark = "\n    pytestmark = pytest.mark.xdist_group('slow')\n" if "loadgroup" in how else ""
    project = at(tmp_path, {FILE: SLOW + mark})
    result = project.run("--category", "unit", *how).expect(exit=0)
    history = load_history(project.root)
    assert in_units(history) == NET
    assert {key.removeprefix(FILE): units(seconds) for key, seconds in history.fixtures.items()} == {
        "|db": 2,
        "::TestRows|rows": 1,
    }
    for span in result.run.spans:
        assert span.collected is not None
        assert span.down is not None
        assert span.up <= span.collected <= span.down
    assert len(result.run.spans) == (1 if "-n0" in how else 2)


def test_each_set_up_and_teardown_is_told_once_of_the_test_that_paid(tmp_path: Path) -> None:
    result = at(tmp_path, {FILE: SLOW}).run(*IN_ORDER).expect(exit=0)
    assert spans(result.run) == [
        ("|db", "test_first", "setup", 1),
        ("::TestRows|rows", "TestRows::test_one", "setup", 1),
        ("|db", "TestRows::test_two", "teardown", 1),
    ]
    first = attempt(result, "test_first")
    assert first.started <= result.run.fixtures[0].started


def test_what_is_asked_for_inside_of_a_fixture_is_not_counted_twice(tmp_path: Path) -> None:
    project = at(
        tmp_path,
        {
            FILE: f"""
            import time

            import pytest

            @pytest.fixture(scope="session")
            def inner():
                time.sleep({LONG})
                yield
                time.sleep({LONG})

            @pytest.fixture(scope="module")
            def outer(request):
                time.sleep({LONG})
                request.getfixturevalue("inner")
                yield
                time.sleep({LONG})

            @pytest.fixture(scope="class")
            def late(): time.sleep({LONG})

            class TestAll:
                def test_outer(self, outer): ...
                def test_in_the_call(self, request): request.getfixturevalue("late")
            """
        },
    )
    result = project.run(*IN_ORDER).expect(exit=0)
    first, second = "TestAll::test_outer", "TestAll::test_in_the_call"
    assert spans(result.run) == [
        ("|inner", first, "setup", 1),
        ("|outer", first, "setup", 1),
        ("::TestAll|late", second, "setup", 1),
        ("|outer", second, "teardown", 1),
        ("|inner", second, "teardown", 1),
    ]
    assert in_units(load_history(project.root)) == {first: (0, 0, 0), second: (0, 0, 0)}


def test_a_parameter_is_torn_down_in_the_set_up_of_the_next(tmp_path: Path) -> None:
    project = at(
        tmp_path,
        {
            FILE: f"""
            import time

            import pytest

            @pytest.fixture(scope="module", params="ab")
            def db():
                yield
                time.sleep({LONG})

            def test_db(db): ...
            """
        },
    )
    result = project.run(*IN_ORDER).expect(exit=0)
    assert spans(result.run) == [
        ("|db[0]", "test_db[b]", "teardown", 1),
        ("|db[1]", "test_db[b]", "teardown", 1),
    ]
    assert in_units(load_history(project.root)) == {"test_db[a]": (0, 0, 0), "test_db[b]": (0, 0, 0)}


def test_a_class_fixture_of_a_function_is_its_own_and_moments_are_not_told(tmp_path: Path) -> None:
    project = at(
        tmp_path,
        {
            FILE: f"""
            import time

            import pytest

            @pytest.fixture(scope="class")
            def own(): time.sleep({LONG})

            @pytest.fixture(scope="module", params=range(40))
            def moment(): ...

            def test_own(own, tmp_path_factory): ...
            def test_moment(moment): ...
            """
        },
    )
    result = project.run(*IN_ORDER).expect(exit=0)
    assert spans(result.run) == []
    # A machine that stands still for a moment makes some of them long.
    assert [span for span in result.run.fixtures if span.seconds < MOMENT] == []
    assert in_units(load_history(project.root))["test_own"] == (1, 0, 0)


def test_fixtures_that_fail_and_tests_that_break_clocks_change_nothing(tmp_path: Path) -> None:
    project = at(
        tmp_path,
        {
            FILE: f"""
            import os
            import time

            import pytest

            def broken(*_): raise AssertionError("asked the clock of a test")

            @pytest.fixture(scope="module")
            def fails():
                time.sleep({LONG})
                raise ValueError("no database")

            @pytest.fixture(scope="class")
            def fails_late():
                yield
                time.sleep({LONG})
                raise ValueError("no end")

            @pytest.fixture(scope="class")
            def skips():
                time.sleep({LONG})
                pytest.skip("no driver")

            @pytest.fixture(scope="class")
            def forks():
                yield
                if os.fork() == 0:
                    time.sleep({LONG})
                    os._exit(0)
                os.wait()

            @pytest.fixture
            def no_clock(monkeypatch):
                for clock in ("perf_counter", "time", "monotonic", "process_time"):
                    monkeypatch.setattr(time, clock, broken)

            class TestSetUp:
                def test_fails(self, fails): ...
                def test_again(self, fails): ...
                def test_skips(self, skips): ...

            class TestTeardown:
                def test_fails_late(self, fails_late): ...

            class TestClock:
                def test_clock(self, no_clock, request): request.getfixturevalue("later")

                @pytest.fixture(scope="class")
                def later(self): time.sleep({LONG})

            class TestFork:
                @pytest.mark.allow("subprocess")
                def test_forks(self, forks): ...
            """
        },
    )
    result = project.run(*IN_ORDER).expect(
        exit=1,
        outcomes={
            f"{FILE}::TestSetUp::test_fails": "error",
            f"{FILE}::TestSetUp::test_again": "error",
            f"{FILE}::TestSetUp::test_skips": "skipped",
            f"{FILE}::TestTeardown::test_fails_late": "error",
            f"{FILE}::TestClock::test_clock": "passed",
            f"{FILE}::TestFork::test_forks": "passed",
        },
        says=["ValueError: no database", "ValueError: no end"],
        never_says=["asked the clock of a test", "journal-unwritable", "toxscreen/pytest_plugin"],
    )
    assert spans(result.run) == [
        ("|fails", "TestSetUp::test_fails", "setup", 1),
        ("::TestSetUp|skips", "TestSetUp::test_skips", "setup", 1),
        ("::TestTeardown|fails_late", "TestTeardown::test_fails_late", "teardown", 1),
        ("::TestClock|later", "TestClock::test_clock", "setup", 1),
        ("::TestFork|forks", "TestFork::test_forks", "teardown", 1),
    ]


def test_without_wide_fixtures_nobody_watches_fixtures(tmp_path: Path) -> None:
    project = at(
        tmp_path,
        {
            FILE: """
            import pytest

            @pytest.fixture(scope="module")
            def wide(): ...

            def test_plain(pytestconfig, tmp_path):
                assert not pytestconfig.pluginmanager.hasplugin("toxscreen-stopwatch")
            def test_wide(pytestconfig, wide):
                assert pytestconfig.pluginmanager.hasplugin("toxscreen-stopwatch")
            """
        },
    )
    for test in ("test_plain", "test_wide"):
        project.run(*IN_ORDER, f"{FILE}::{test}").expect(exit=0, outcomes={f"{FILE}::{test}": "passed"})


def test_a_record_that_cannot_be_written_fails_no_test(tmp_path: Path) -> None:
    project = at(tmp_path, {FILE: SLOW})
    # Not a folder.
    project.write({".toxscreen": ""})
    result = project.run(*IN_ORDER).expect(exit=0, says=["5 passed", "journal-unwritable"])
    assert result.runs == ()


def test_a_slow_test_says_whether_it_slept_computed_or_had_others_compute(tmp_path: Path) -> None:
    project = at(
        tmp_path,
        {
            "tests/integration/test_slow.py": f"""
            import subprocess
            import sys
            import threading
            import time

            BUSY = "import time; end = time.process_time() + {LONG}\\nwhile time.process_time() < end: pass"

            def test_sleeps(): time.sleep({LONG})
            def test_computes(): exec(BUSY)
            def test_waits_for_a_program(): subprocess.run([sys.executable, "-c", BUSY], check=True)
            def test_waits_for_a_thread():
                def sleep():
                    for _ in range(2): time.sleep({LONG} / 2)
                threads = [threading.Thread(target=sleep) for _ in range(3)]
                for thread in threads: thread.start()
                for thread in threads: thread.join()
            def test_is_quick(): time.sleep(0.001)
            """
        },
    )
    result = project.run("--category", "integration", "-n0").expect(exit=0)
    found = {each.node_id.rpartition("::")[2]: each for each in result.run.attempts}
    quick = found.pop("test_is_quick")
    assert (quick.slept, quick.cpu, quick.children) == (None, None, None)
    assert {test: units(each.children or 0.0) >= 1 for test, each in found.items()} == {
        "test_sleeps": False,
        "test_computes": False,
        "test_waits_for_a_program": True,
        "test_waits_for_a_thread": False,
    }
    assert all(each.children is not None for each in found.values())
    assert units(found["test_computes"].cpu or 0.0) >= 1
    if sys.version_info >= (3, 13):
        assert {test: each.slept for test, each in found.items()} == {
            "test_sleeps": LONG,
            "test_computes": 0.0,
            "test_waits_for_a_program": 0.0,
            "test_waits_for_a_thread": 0.0,
        }
    else:
        assert {each.slept for each in found.values()} == {None}
