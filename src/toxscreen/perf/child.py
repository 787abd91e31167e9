"""Run by its path with a side's own Python: pytest, whose benchmarks measure blocks when they are told to.

Imports the standard library, pytest and pytest-benchmark only: everything else may be another revision here. Two of
these processes wait at the same benchmark; who has started them lets one of them compute at a time.
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import sys
import time
import tracemalloc
from collections.abc import Callable
from itertools import repeat
from typing import Any, NoReturn

import pytest

try:
    import fcntl
    import resource
except ImportError:  # pragma: no cover - Windows
    fcntl = resource = None  # type: ignore[assignment]

#: What is told of a failure.
_MOST_TEXT = 500
#: Status of a process whose other end is gone.
_ORPHANED = 70
_process_time, _perf_counter = time.process_time, time.perf_counter  # benchmarks may replace them


class Line:
    """What is said to and heard from the process that has started this one: JSON, a line each."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes
        self._os = (os.read, os.write, os._exit)
        self._buffer = b""
        for descriptor in (reads, writes):
            # What a benchmark starts must not keep them open.
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - takes it by position only

    def say(self, said: str, **told: Any) -> None:
        """Send a message; the process ends where nobody listens any more."""
        line = (json.dumps({"said": said, **told}, default=str) + "\n").encode()
        while line:
            try:
                line = line[self._os[1](self._writes, line) :]
            except OSError:
                self._os[2](_ORPHANED)

    def hear(self) -> dict[str, Any]:
        """The next order; the process ends where nobody gives orders any more."""
        while b"\n" not in self._buffer:
            chunk = self._os[0](self._reads, 65536)
            if not chunk:
                self._os[2](_ORPHANED)
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        order: dict[str, Any] = json.loads(line)
        return order


class Stopwatch:
    """CPU time of this process and of those it has waited for, and time on the wall, while it runs."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0

    def start(self) -> None:
        """Go on counting."""
        self._children = _of_children()
        self._wall = _perf_counter()
        self._cpu = _process_time()

    def stop(self) -> None:
        """Stop counting."""
        cpu, wall = _process_time(), _perf_counter()
        self.cpu += cpu - self._cpu + _of_children() - self._children
        self.wall += wall - self._wall

    def told(self) -> dict[str, float]:
        """Seconds."""
        return {"cpu": self.cpu, "wall": self.wall}


class Scales:
    """What is allocated while it runs: bytes at the highest point, and blocks that are still there."""

    def __init__(self) -> None:
        self._empty = self._weight = (0.0, 0)
        self.start()
        self.stop()
        # What weighing itself allocates.
        self._empty = self._weight

    def start(self) -> None:
        """Begin at nothing."""
        gc.collect()
        tracemalloc.start()

    def stop(self) -> None:
        """Keep what was seen last."""
        gc.collect()
        # A float is a block, however small.
        peak = float(tracemalloc.get_traced_memory()[1])
        blocks = len(tracemalloc.take_snapshot().traces)
        tracemalloc.stop()
        self._weight = (peak, blocks)

    def told(self) -> dict[str, float]:
        """Bytes and blocks."""
        peak, blocks = (max(0, int(self._weight[place] - self._empty[place])) for place in (0, 1))
        return {"peak": peak, "blocks": blocks}


def _of_children() -> float:
    if resource is None:  # pragma: no cover - Windows
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Simple:
    """``benchmark(function, ...)``."""

    iterations, is_once = 1, False

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self._call = (function, args, kwargs)

    def block(self, times: int, meter: Any) -> None:
        """Execute it so often."""
        __tracebackhide__ = True
        function, args, kwargs = self._call
        executions = repeat(None, times)
        meter.start()
        for _ in executions:
            function(*args, **kwargs)
        meter.stop()

    def result(self) -> Any:
        """What the test is given."""
        __tracebackhide__ = True
        function, args, kwargs = self._call
        return function(*args, **kwargs)


class Pedantic:
    """``benchmark.pedantic(function, ...)``: set-up and teardown of a round are not measured.

    The number of rounds is chosen here too, unless it is one: what has no set-up and is run once may work only once.
    """

    def __init__(
        self,
        target: Callable[..., Any],
        *,
        args: Any = (),
        kwargs: Any = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> None:
        counts: list[tuple[str, Any, int]] = [
            ("iterations", iterations, 1),
            ("rounds", rounds, 1),
            ("warmup_rounds", warmup_rounds, 0),
        ]
        for name, number, least in counts:
            if not isinstance(number, int) or number < least:
                raise ValueError(f"Must have positive int for `{name}`.")
        if iterations > 1 and setup:
            raise ValueError("Can't use more than 1 `iterations` with a `setup` function.")
        self.iterations = iterations
        self.is_once = setup is None and (rounds, warmup_rounds, iterations) == (1, 0, 1)
        self._target, self._args, self._kwargs = target, args, kwargs or {}
        self._setup, self._teardown = setup, teardown
        self._result: list[Any] = []
        for _ in range(warmup_rounds):
            self._round(Stopwatch(), 1)

    def block(self, times: int, meter: Any) -> None:
        """Run so many rounds; those that need nothing in between at one go."""
        __tracebackhide__ = True
        if self._setup is None and self._teardown is None:
            self._round(meter, times)
            return
        for _ in range(times):
            self._round(meter, 1)

    def _round(self, meter: Any, times: int) -> None:
        __tracebackhide__ = True
        args, kwargs = self._arguments()
        self._result.clear()
        target, result = self._target, None
        executions = repeat(None, times * self.iterations - 1)
        meter.start()
        for _ in executions:
            target(*args, **kwargs)
        result = target(*args, **kwargs)
        meter.stop()
        self._result.append(result)
        if self._teardown is not None:
            self._teardown(*args, **kwargs)

    def _arguments(self) -> tuple[Any, Any]:
        made = self._setup() if self._setup is not None else None
        if not made:
            return self._args, self._kwargs
        if self._args or self._kwargs:
            raise TypeError("Can't use `args` or `kwargs` if `setup` returns the arguments.")
        args, kwargs = made
        return args, kwargs

    def result(self) -> Any:
        """What the last execution has returned."""
        if not self._result:
            self._round(Stopwatch(), 1)
        return self._result[0]


class Plugin:
    """Takes the place of pytest's loop and of pytest-benchmark's measuring.

    Args:
        line: to the process that gives the orders.
        orders: what this process is for.
    """

    def __init__(self, line: Line, orders: dict[str, Any]) -> None:
        self._line = line
        self._orders = orders
        self._broken: list[tuple[str, str]] = []
        self._skipped: list[tuple[str, str]] = []
        self._outcome, self._text = "passed", ""
        #: Of the test that runs: what measured it.
        self._fixture: Any = None

    # pytest's own

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Know the markers of plugins that are left out here, and measure in pytest-benchmark's place."""
        for name in self._orders["markers"]:
            config.addinivalue_line("markers", f"{name}: not looked at here")
        try:
            from pytest_benchmark.fixture import BenchmarkFixture
        except ImportError as error:
            self._refuse(f"pytest-benchmark cannot be imported by {sys.executable}: {error}")
        needed = ("_raw", "_raw_pedantic", "_make_stats")
        missing = [name for name in needed if not callable(getattr(BenchmarkFixture, name, None))]
        if missing or not config.pluginmanager.hasplugin("benchmark"):
            why = f"has no {', '.join(missing)}" if missing else "is switched off"
            self._refuse(f"this pytest-benchmark cannot be measured with: BenchmarkFixture {why}")
        plugin = self

        def raw(fixture: Any, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            return plugin.measured(fixture, Simple(function_to_benchmark, args, kwargs))

        def raw_pedantic(fixture: Any, target: Callable[..., Any], **how: Any) -> Any:
            __tracebackhide__ = True
            return plugin.measured(fixture, Pedantic(target, **how))

        replaced: Any = BenchmarkFixture
        replaced._raw, replaced._raw_pedantic = raw, raw_pedantic  # noqa: SLF001 - where its ways to measure begin

    def _refuse(self, text: str) -> NoReturn:
        self._line.say("impossible", text=text)
        raise pytest.UsageError(text)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what cannot be collected, or is skipped as a whole: the rest is measured all the same."""
        if report.failed:
            text = str(report.longrepr).strip().rpartition("\n")[2].removeprefix("E").strip()
            self._broken.append((report.nodeid, text[:_MOST_TEXT]))
        elif report.skipped:
            told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self._skipped.append((report.nodeid, told.removeprefix("Skipped: ")[:_MOST_TEXT]))

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self) -> bool:
        """No time limit by pytest-timeout: a test waits here for its turn."""
        return True

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_cancel_timer(self) -> bool:
        """As there was none."""
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Say what was collected, then run what is asked for."""
        items = {item.nodeid: item for item in session.items if "benchmark" in getattr(item, "fixturenames", ())}
        tests = [self._about(item) for item in items.values()] if self._orders["mode"] == "collect" else []
        elsewhere = _elsewhere(self._orders["folder"]) if tests else []
        self._line.say("collected", tests=tests, broken=self._broken, skipped=self._skipped, elsewhere=elsewhere)
        while self._orders["mode"] != "collect":
            order = self._line.hear()
            if "core" in order:
                self._move(order["core"])
                continue
            if "run" not in order:
                break
            self._run(items.get(order["run"]), items.get(order["next"]), order["run"])
        # Nobody reads the table of what was measured.
        session.config._benchmarksession.benchmarks.clear()  # type: ignore[attr-defined]  # noqa: SLF001
        return True

    @staticmethod
    def _about(item: pytest.Item) -> dict[str, Any]:
        marker = item.get_closest_marker("benchmark")
        group = marker.kwargs.get("group") if marker else None
        return {"node_id": item.nodeid, "group": group, "waits": item.get_closest_marker("waits") is not None}

    @staticmethod
    def _move(core: int) -> None:
        """Compute on one core only, all threads."""
        try:
            tasks = [int(name) for name in os.listdir("/proc/self/task")]  # noqa: PTH208 - tests replace Path's
        except OSError:
            tasks = [0]
        for task in tasks:
            try:
                os.sched_setaffinity(task, {core})
            except (AttributeError, OSError):
                continue

    def _run(self, item: pytest.Item | None, following: pytest.Item | None, node_id: str) -> None:
        self._outcome, self._text, self._fixture = "failed", "it was not collected", None
        if item is not None:
            self._outcome, self._text = "passed", ""
            _seed(f"{self._orders['seed']}|{node_id}")
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        fixture = self._fixture
        extra = {str(key): str(value) for key, value in fixture.extra_info.items()} if fixture is not None else {}
        self._line.say("done", outcome=self._outcome, text=self._text, extra=extra)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what became of the test: the first thing that went wrong."""
        if report.passed or self._outcome == "failed":
            return
        self._outcome, self._text = report.outcome, _why(report)[:_MOST_TEXT]

    # in pytest-benchmark's place

    def measured(self, fixture: Any, benchmark: Any) -> Any:
        """Say what is ready to be measured, and do so until that is enough.

        Args:
            fixture: pytest-benchmark's.
            benchmark: a Simple or a Pedantic.

        Returns:
            What the function has returned.
        """
        __tracebackhide__ = True
        self._fixture, stats = fixture, None
        gc.collect()
        if hasattr(gc, "freeze"):
            # The heap of pytest is no part of what is measured.
            gc.freeze()
        self._line.say("ready", once=benchmark.is_once, iterations=benchmark.iterations)
        try:
            while True:
                order = self._line.hear()
                if "block" not in order:
                    break
                meter = Scales() if self._orders["mode"] == "memory" and order["kept"] else Stopwatch()
                began = _perf_counter()
                self._block(benchmark, order["block"], meter, fixture)
                told = {**meter.told(), "whole": _perf_counter() - began}
                if order["kept"]:
                    if stats is None:
                        stats = fixture._make_stats(order["block"] * benchmark.iterations)  # noqa: SLF001
                    stats.update(told.get("wall", 0.0))
                self._line.say("block", **told)
        finally:
            if hasattr(gc, "unfreeze"):
                gc.unfreeze()
        return benchmark.result()

    @staticmethod
    def _block(benchmark: Any, times: int, meter: Any, fixture: Any) -> None:
        __tracebackhide__ = True
        was_on = gc.isenabled()
        if getattr(fixture, "_disable_gc", False):
            gc.disable()
        try:
            benchmark.block(times, meter)
        finally:
            if was_on:
                gc.enable()


def _seed(seed: str) -> None:
    """Both sides compute on the same made-up data."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(random.Random(seed).getrandbits(32))  # noqa: S311 - not for secrets


def _why(report: pytest.TestReport) -> str:
    told = report.longrepr
    if isinstance(told, tuple):
        return str(told[2])
    crash = getattr(told, "reprcrash", None)
    if crash is not None:
        first = str(crash.message).partition("\n")[0]
        entries = getattr(getattr(told, "reprtraceback", None), "reprentries", ())
        places = [entry.reprfileloc for entry in entries if getattr(entry, "reprfileloc", None) is not None]
        # Not the inside of pytest-benchmark, where it calls a function that is not Python's.
        place = next((each for each in reversed(places) if "site-packages" not in each.path), crash)
        return f"{report.when}: {first} ({os.path.basename(place.path)}:{place.lineno})"  # noqa: PTH119 - see above
    return f"{report.when}: {str(told).strip().rpartition(chr(10))[2]}"


def _end_with(leash: int) -> None:
    """Have the system end this process, and all that it starts, when who has started it is gone; also one that hangs.

    Nobody ever writes to the leash: its other end is closed, by whatever, and then there is a SIGIO.

    Source: fcntl(2), F_SETOWN and O_ASYNC.
    """
    if not hasattr(os, "O_ASYNC"):  # pragma: no cover - not everywhere
        return
    os.set_inheritable(leash, False)  # noqa: FBT003 - takes it by position only
    try:
        fcntl.fcntl(leash, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC)
    except OSError:  # pragma: no cover - a system without it; what does not hang notices by itself
        return
    if select.select([leash], [], [], 0)[0]:
        os._exit(_ORPHANED)


def _elsewhere(folder: str) -> list[str]:
    """Top-level modules that belong neither to this side's files nor to its environment."""
    own = tuple(os.path.join(os.path.realpath(place), "") for place in (folder, sys.prefix, sys.base_prefix))  # noqa: PTH118
    found = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." in name or name == "__main__" or not isinstance(file, str) or not os.path.isabs(file):  # noqa: PTH117
            continue
        # Distributions link parts of Python's own library to other places.
        if not os.path.realpath(file).startswith(own) and not file.startswith(os.path.join(sys.base_prefix, "")):  # noqa: PTH118
            found.add(f"{name} ({file})")
    return sorted(found)


def main() -> int:
    """Run pytest as the orders say.

    Returns:
        pytest's exit status.
    """
    orders: dict[str, Any] = json.loads(sys.argv[1])
    _end_with(orders["leash"])
    # Python has put this file's own folder there, whose modules are toxscreen's.
    sys.path[0:1] = [orders["folder"]] if orders["cwd_importable"] else []
    sys.argv = ["pytest", *sys.argv[2:]]
    plugin = Plugin(Line(orders["reads"], orders["writes"]), orders)
    if orders["core"] is not None:
        plugin._move(orders["core"])  # noqa: SLF001 - its own
    return int(pytest.main(sys.argv[1:], plugins=[plugin]))


if __name__ == "__main__":
    sys.exit(main())
