"""Pairs of real processes: what each way to write a benchmark measures, and what becomes of one that fails."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from math import log
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from toxscreen.errors import BenchmarksError
from toxscreen.model import Clock, Revision
from toxscreen.perf.pairing import Collected, Pairing, PairOptions, RoundResult
from toxscreen.perf.side import Side

#: Measured like everything else where coverage measures subprocesses.
COVERAGE = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
INI = {
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = --benchmark-disable --no-such-option\nfilterwarnings = error\n"
}
T = "tests/perf/test_shop.py"


class Round(NamedTuple):
    node_ids: tuple[str, ...]
    self_check: bool = False


def side(folder: Path, files: Mapping[str, str], name: str = "main") -> Side:
    for path, content in {**INI, **files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(dedent(content), encoding="utf-8")
    return Side(folder, Path(sys.executable), Revision(name, None))


def pairing(folder: Path, base: Mapping[str, str], candidate: Mapping[str, str], **options: object) -> Pairing:
    values = {"variables": COVERAGE, "seed": 1, **options}
    return Pairing(side(folder / "base", base), side(folder / "made", candidate), PairOptions(**values))  # type: ignore[arg-type]


def measured(pairs: Pairing, *, self_check: bool = False) -> tuple[Collected, RoundResult]:
    with pairs:
        collected = pairs.collect()
        return collected, pairs.run(Round(collected.both, self_check))


WAYS = """\
    import time
    import pytest
    from shop import work, calls

    def test_simple(benchmark):
        assert benchmark(work, 3) == 3
        assert benchmark.stats["rounds"] >= 1
        assert benchmark.stats["mean"] > 0
        benchmark.extra_info["calls"] = len(calls)

    @pytest.mark.benchmark(group="shopping", disable_gc=True)
    def test_grouped(benchmark):
        import gc
        assert benchmark(lambda: gc.isenabled()) is False or gc.isenabled()

    def test_set_up(benchmark):
        def setup():
            time.sleep(0.001)
            sum(range(20_000))
            return ([],), {"item": 1}

        def teardown(basket, item):
            assert basket == [1]

        def put(basket, item):
            work(1)
            basket.append(item)
            return basket

        assert benchmark.pedantic(put, setup=setup, teardown=teardown, rounds=3) == [1]

    def test_iterations(benchmark):
        assert benchmark.pedantic(work, args=(2,), iterations=4, rounds=5, warmup_rounds=1) == 2

    def test_once(benchmark):
        done = []

        def only_once():
            assert not done, "twice"
            done.append(1)
            return sum(range(200_000))

        assert benchmark.pedantic(only_once) == sum(range(200_000))

    @pytest.mark.parametrize("size", [1, 2])
    def test_sizes(benchmark, size):
        benchmark(work, size)

    @pytest.mark.waits
    def test_waiting(benchmark):
        benchmark(time.sleep, 0.002)

    @pytest.mark.needs("redis")
    def test_no_benchmark():
        raise AssertionError("nobody runs it")
    """
WORK = "calls = []\n\ndef work(number):\n    calls.append(number)\n    sum(range(3_000))\n    return number\n"


def test_every_way_to_write_a_benchmark(tmp_path: Path) -> None:
    slow = WORK.replace("3_000", "6_000")
    record = tmp_path / "pairs.jsonl"
    pairs = pairing(tmp_path, {"shop.py": WORK, T: WAYS}, {"shop.py": slow, T: WAYS}, record=record)
    names = ["simple", "grouped", "set_up", "iterations", "once", "sizes[1]", "sizes[2]", "waiting"]
    ids = {name: f"{T}::test_{name}" for name in names}
    collected, found = measured(pairs, self_check=True)
    assert collected == Collected(tuple(ids.values()))
    assert (found.broken, found.skipped) == ({}, {})
    assert list(found.ratios) == list(found.self_ratios) == list(found.seconds) == list(ids.values())
    # Twice the work. One pair of few rounds on a machine that runs other tests is off by half at times, not by more.
    slower = {name: found.ratios[ids[name]] for name in ("simple", "set_up", "iterations", "sizes[1]", "sizes[2]")}
    assert [name for name, ratio in slower.items() if not log(1.2) < ratio < log(4.0)] == [], slower
    assert 0.0019 < found.seconds[ids["waiting"]][0] < 0.02
    # An execution, not a round of four.
    assert found.seconds[ids["iterations"]][0] < 2 * found.seconds[ids["simple"]][0]
    about = {name: pairs.about[node_id] for name, node_id in ids.items()}
    assert (about["grouped"].group, about["simple"].group) == ("shopping", None)
    assert {name: each.clock for name, each in about.items() if each.clock is Clock.WALL} == {"waiting": Clock.WALL}
    assert [name for name, each in about.items() if each.times == each.blocks == 1] == ["once"]
    assert int(about["simple"].extra["calls"]) > 24
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line["node_id"] for line in lines] == list(ids.values())
    assert [len(blocks) for blocks in lines[0]["blocks"].values()] == [24, 24, 24]


FAILS = {
    "fails": "def test_fails(benchmark):\n    benchmark(int, {what!r})\n",
    "asserts": "def test_asserts(benchmark):\n    assert benchmark(int, 1) == {number}\n",
    "teardown": """\
        import pytest

        @pytest.fixture
        def ends():
            yield
            assert {number} == 1, "untidy"

        def test_teardown(benchmark, ends):
            benchmark(int)
        """,
    "setup": """\
        import pytest

        @pytest.fixture
        def begins():
            assert {number} == 1

        def test_setup(benchmark, begins):
            benchmark(int)
        """,
    "late": """\
        import itertools
        count = itertools.count()

        def late():
            if next(count) > 5:
                int({what!r})

        def test_late(benchmark):
            benchmark(late)
        """,
    "skips": """\
        import pytest

        def test_skips(benchmark):
            if {number} == 2:
                pytest.skip("not here")
            benchmark(int)
        """,
    "exits": """\
        import os

        def test_exits(benchmark):
            benchmark(os._exit, 5) if {number} == 2 else benchmark(int)
        """,
    "killed": """\
        import os, signal

        def test_killed(benchmark):
            benchmark(os.kill, os.getpid(), signal.SIGKILL if {number} == 2 else 0)
        """,
    "both": "import pytest\n\ndef test_both(benchmark):\n    pytest.skip('nowhere')\n",
    "unused": "def test_unused(benchmark):\n    benchmark.extra_info.clear()\n",
    "good": "def test_good(benchmark):\n    benchmark(sum, range(10))\n",
}


def failing(number: int) -> dict[str, str]:
    values = {"what": "1" if number == 1 else "one", "number": number}
    # What does not use its fixture warns; that is pytest-benchmark's own affair.
    ini = {"pytest.ini": "[pytest]\n"}
    return ini | {f"tests/perf/test_{name}.py": text.format(**values) for name, text in FAILS.items()}


def test_what_fails_on_one_side_is_broken_and_the_rest_is_measured(tmp_path: Path) -> None:
    collected, found = measured(pairing(tmp_path, failing(1), failing(2)))
    assert len(collected.both) == len(FAILS)
    assert len(collected.differing) == len(FAILS) - 3
    broken = {node_id.rpartition("_")[2]: text.partition("\n")[0] for node_id, text in found.broken.items()}
    value = "ValueError: invalid literal for int() with base 10: 'one'"
    assert broken == {
        "fails": f"fails in the candidate: call: {value} (test_fails.py:2)",
        "asserts": "fails in the candidate: call: assert 1 == 2 (test_asserts.py:2)",
        "teardown": "fails in the candidate: teardown: AssertionError: untidy (test_teardown.py:6)",
        "setup": "fails in the candidate: setup: assert 2 == 1 (test_setup.py:5)",
        "late": f"fails in the candidate: call: {value} (test_late.py:6)",
        "skips": "is skipped in the candidate: Skipped: not here",
        "exits": "the process in the candidate ended with status 5",
        "killed": "the process in the candidate was ended by SIGKILL",
        "unused": "the test does not use its benchmark fixture",
    }
    assert found.skipped == {"tests/perf/test_both.py::test_both": "Skipped: nowhere"}
    assert list(found.ratios) == ["tests/perf/test_good.py::test_good"]


def test_what_fails_on_both_sides_says_so_once(tmp_path: Path) -> None:
    files = {T: "def test_a(benchmark):\n    benchmark(int, 'one')\n"}
    _, found = measured(pairing(tmp_path, files, files), self_check=True)
    value = "ValueError: invalid literal for int() with base 10: 'one'"
    assert found.broken == {f"{T}::test_a": f"fails in the base and in the candidate: call: {value} (test_shop.py:2)"}


def test_a_benchmark_that_hangs_is_ended_and_named(tmp_path: Path) -> None:
    hangs = """\
        def hang():
            while True:
                pass

        def test_a(benchmark):
            benchmark({})

        def test_b(benchmark):
            benchmark(int)
        """
    pairs = pairing(tmp_path, {T: hangs.format("int")}, {T: hangs.format("hang")}, limit=3.0)
    _, found = measured(pairs)
    assert list(found.ratios) == [f"{T}::test_b"]
    first, _, rest = found.broken[f"{T}::test_a"].partition("\n")
    assert first == "no answer for 3 s in the candidate"
    assert "in hang" in rest


def test_sides_that_count_several_executions_as_one_are_compared_by_one(tmp_path: Path) -> None:
    text = "def test_a(benchmark):\n    benchmark.pedantic(sum, args=(range(20_000),), iterations={}, rounds=3)\n"
    _, found = measured(pairing(tmp_path, {T: text.format(5)}, {T: text.format(10)}))
    (ratio,) = found.ratios.values()
    assert abs(ratio) < log(1.5), "twice as many iterations are not twice the time"


def test_what_only_one_side_has_and_what_cannot_be_collected(tmp_path: Path) -> None:
    one = "def test_{}(benchmark):\n    benchmark(int)\n"
    skipped = "import pytest\nnothing = pytest.importorskip('nothing_like_it')\n" + one.format("skipped")
    base = {
        "tests/perf/test_a.py": one.format("kept") + one.format("old"),
        "tests/perf/test_b.py": one.format("b"),
        "tests/perf/test_s.py": skipped,
        "tests/perf/test_t.py": one.format("t"),
    }
    candidate = {
        "tests/perf/test_s.py": skipped,
        "tests/perf/test_t.py": skipped,
        "tests/perf/test_a.py": one.format("kept") + one.format("added"),
        "tests/perf/test_b.py": "import nothing_like_it\n",
        "tests/perf/test_c.py": one.format("c"),
    }
    with pairing(tmp_path, base, candidate) as pairs:
        found = pairs.collect()
    why = "cannot be collected in the candidate: ModuleNotFoundError: No module named 'nothing_like_it'"
    left_out = "is skipped as a whole in the candidate"
    missing = "could not import 'nothing_like_it': No module named 'nothing_like_it'"
    assert found == Collected(
        ("tests/perf/test_a.py::test_kept",),
        ("tests/perf/test_a.py::test_added", "tests/perf/test_c.py::test_c"),
        ("tests/perf/test_a.py::test_old",),
        {"tests/perf/test_b.py::test_b": why, "tests/perf/test_t.py::test_t": f"{left_out}: {missing}"},
        ("tests/perf/test_a.py",),
        skipped={"tests/perf/test_s.py": missing},
    )


def test_a_side_that_cannot_be_collected_at_all(tmp_path: Path) -> None:
    files = {T: "def test_a(benchmark):\n    benchmark(int)\n"}
    conftest = {"tests/conftest.py": "import nothing_like_it\n"}
    with pairing(tmp_path, files, {**files, **conftest}) as pairs, pytest.raises(BenchmarksError) as caught:
        pairs.collect()
    told = caught.value.render()
    assert told.startswith(
        f"{tmp_path}/made: the benchmarks cannot be collected in the candidate: "
        "the process in the candidate ended with status 4 [perf-not-collected]\n"
    )
    assert "No module named 'nothing_like_it'" in told


@pytest.mark.parametrize(
    ("conftest", "why"),
    [
        ("import sys\nsys.modules['pytest_benchmark.fixture'] = None\n", "pytest-benchmark cannot be imported by "),
        (
            "from pytest_benchmark.fixture import BenchmarkFixture\ndel BenchmarkFixture._raw_pedantic\n",
            "this pytest-benchmark cannot be measured with: BenchmarkFixture has no _raw_pedantic",
        ),
    ],
)
def test_a_pytest_benchmark_that_cannot_be_measured_with(tmp_path: Path, conftest: str, why: str) -> None:
    files = {T: "def test_a(benchmark):\n    benchmark(int)\n", "tests/perf/conftest.py": conftest}
    with pairing(tmp_path, files, files) as pairs, pytest.raises(BenchmarksError, match=why):
        pairs.collect()


def test_memory_of_both_sides(tmp_path: Path) -> None:
    text = """\
        kept = []

        def test_large(benchmark):
            benchmark(lambda: bytes({size}))

        def test_leaks(benchmark):
            benchmark(lambda: kept.append(bytearray({size})))

        def test_set_up(benchmark):
            benchmark.pedantic(len, setup=lambda: ((bytes(10_000_000),), {{}}), rounds=2)

        def test_fails(benchmark):
            benchmark(int, "one")
        """
    with pairing(tmp_path, {T: text.format(size=100_000)}, {T: text.format(size=300_000)}) as pairs:
        found = pairs.memory(pairs.collect().both)
    large, leaks, set_up = (found.pop(f"{T}::test_{name}") for name in ("large", "leaks", "set_up"))
    assert found == {}
    assert [round(each.peak / 100_000, 1) for each in (*large, *leaks)] == [1.0, 3.0, 1.0, 3.0]
    assert [each.blocks for each in large] == [0, 0]
    assert [each.blocks > 0 for each in leaks] == [True, True]
    assert [each.peak < 10_000 for each in set_up] == [True, True]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """\
        import os, pathlib, subprocess, sys, tempfile

        def test_a(benchmark):
            pathlib.Path.home().joinpath("note").write_text("x")
            pathlib.Path(tempfile.gettempdir(), "note").write_text("x")
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            with open(os.environ["TOLD"], "a") as file:
                print(child.pid, pathlib.Path.home(), os.getenv("PYTHONHASHSEED"), os.getenv("PYTEST_X"), file=file)
            child.__class__.__del__ = lambda self: None
            benchmark(int)
        """
    monkeypatch.setenv("PYTEST_X", "outer")
    told = tmp_path / "told"
    pairs = pairing(tmp_path, {T: text}, {T: text}, variables={**COVERAGE, "TOLD": str(told)})
    _, found = measured(pairs)
    assert len(found.ratios) == 1
    lines = [line.split() for line in told.read_text().splitlines()]
    homes, seeds = {line[1] for line in lines}, {line[2] for line in lines}
    # Each process has a home of its own, both the same hash seed.
    assert (len(lines), len(homes), len(seeds), {line[3] for line in lines}) == (2, 2, 1, {"None"})
    assert not any(Path(home).exists() for home in homes)
    deadline = time.monotonic() + 30
    while any(runs(int(line[0])) for line in lines):
        assert time.monotonic() < deadline, "what a benchmark started goes on"


def runs(process: int) -> bool:
    """Whether a process goes on; one that ended and nobody has waited for does not."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


#: Compares the folder of its first argument with itself.
COMPARES = """\
import os, sys
from pathlib import Path
from typing import NamedTuple
from toxscreen.model import Revision
from toxscreen.perf.pairing import Pairing, PairOptions
from toxscreen.perf.side import Side

class Round(NamedTuple):
    node_ids: tuple[str, ...]
    self_check: bool = False

side = Side(Path(sys.argv[1]), Path(sys.executable), Revision("main", None))
with Pairing(side, side, PairOptions(variables=dict(os.environ), seed=1)) as pairs:
    pairs.run(Round(pairs.collect().both))
"""


@pytest.mark.skipif(not hasattr(os, "O_ASYNC"), reason="there is no signal for the end of a pipe")
def test_a_benchmark_that_hangs_ends_when_who_compares_is_killed(tmp_path: Path) -> None:
    text = """\
        import os, subprocess, sys

        def hangs():
            while True:
                pass

        def test_a(benchmark):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            with open(os.environ["TOLD"], "a") as file:
                print(os.getpid(), child.pid, file=file)
            benchmark(hangs)
        """
    folder, told = side(tmp_path / "a", {T: text}).folder, tmp_path / "told"
    command = [sys.executable, "-c", COMPARES, str(folder)]
    # Who is killed leaves files behind.
    compares = subprocess.Popen(command, env={**os.environ, "TOLD": str(told), "TMPDIR": str(tmp_path)})
    processes: list[int] = []
    deadline = time.monotonic() + 60
    try:
        # One of the two waits for its turn.
        while len(processes) < 4:
            assert time.monotonic() < deadline, "the benchmarks do not begin"
            processes = [int(word) for word in told.read_text().split()] if told.exists() else []
            time.sleep(0.01)
        assert [runs(each) for each in processes] == [True] * 4
        compares.kill()
        compares.wait()
        while any(runs(each) for each in processes):
            assert time.monotonic() < deadline, "what hangs goes on"
            time.sleep(0.01)
    finally:
        compares.kill()
        compares.wait()
        for each in filter(runs, processes):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)


def test_what_is_selected_what_waits_and_what_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/common.py").write_text("")
    text = f"""\
        import random, sys, time
        sys.path.insert(0, {str(tmp_path / "elsewhere")!r})
        import common

        def test_waits_unmarked(benchmark):
            benchmark(time.sleep, 0.002)

        def test_waits_by_pattern(benchmark):
            benchmark(time.sleep, 0.002)

        def test_made_up_data(benchmark):
            benchmark.extra_info["first"] = random.random()
            benchmark(int)

        def test_other(benchmark):
            benchmark(int)
        """
    options = {"select": "waits or data", "waits": ("*by_pattern",)}
    pairs = pairing(tmp_path, {T: text}, {T: text}, **options)
    collected, found = measured(pairs)
    unmarked, pattern, data = (f"{T}::test_{name}" for name in ("waits_unmarked", "waits_by_pattern", "made_up_data"))
    assert collected == Collected((unmarked, pattern, data), shared=(f"common ({tmp_path}/elsewhere/common.py)",))
    assert (list(found.ratios), found.broken) == ([unmarked, pattern, data], {})
    clocks = {name: (each.clock, each.is_waiting) for name, each in pairs.about.items()}
    assert clocks == {unmarked: (Clock.CPU, True), pattern: (Clock.WALL, False), data: (Clock.CPU, False)}
    # Another pair, other data; both of a pair have the same.
    seen = pairs.about[data].extra["first"]
    again = pairing(tmp_path, {T: text}, {T: text}, **{**options, "seed": 2})
    measured(again)
    assert seen != again.about[data].extra["first"]


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    pairs = pairing(tmp_path, {T: ""}, {T: ""})
    pairs._sides["base"] = replace(pairs.base, python=tmp_path / "no-python")
    with (
        pairs,
        pytest.raises(BenchmarksError, match="cannot be collected in the base: the process in the base cannot be"),
    ):
        pairs.collect()


def test_a_round_whose_processes_do_not_start_breaks_what_it_was_for(tmp_path: Path) -> None:
    files = {T: "def test_a(benchmark):\n    benchmark(int)\n\ndef test_b(benchmark):\n    benchmark(int)\n"}
    with pairing(tmp_path, files, files) as pairs:
        collected = pairs.collect()
        (pairs.candidate.folder / "tests/conftest.py").write_text("import os\nos._exit(3)\n")
        found = pairs.run(Round(collected.both))
    assert (found.ratios, found.broken) == (
        {},
        dict.fromkeys(collected.both, "the process in the candidate ended with status 3\n"),
    )
