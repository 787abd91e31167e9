"""Running tests, as seen in the process that runs them: start and end go to the journal, the rule is put in force."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from toxscreen import host
from toxscreen.analysis.checkpoint import Checkpoints
from toxscreen.guard.watch import Watch
from toxscreen.journal.codec import end_line, start_line
from toxscreen.journal.write import Shard
from toxscreen.model import Event, EventKind, Outcome
from toxscreen.probes.calls import Rule, enforce, listen, slept
from toxscreen.probes.touching import Touched
from toxscreen.pytest_plugin.leaks import Leaks
from toxscreen.pytest_plugin.screen import ITEM_KEY, QUEUED_KEY, XDIST_KEY, Screen, lane_name, worker_input
from toxscreen.pytest_plugin.touched import touched_in

if TYPE_CHECKING:
    from toxscreen.model import Origin
    from toxscreen.pytest_plugin.asserting import Asserting

#: How pytest-timeout's message begins, see PYTEST_FAILURE_MESSAGE there.
_TIMEOUT_MESSAGE = "Timeout (>"
#: Seconds from which on it is of interest whether a test computed or waited.
_WORTH_SAYING = 0.05
#: So many seconds may be wrong in that.
_MOMENT = 0.005
#: Red or not: what counts as worse when set-up, call and teardown each say something.
_RANK = {
    Outcome.NOT_RUN: 0,
    Outcome.PASSED: 1,
    Outcome.SKIPPED: 2,
    Outcome.XFAILED: 2,
    Outcome.XPASSED: 2,
    Outcome.ERROR: 3,
    Outcome.FAILED: 4,
    Outcome.TIMED_OUT: 5,
}
#: Outcomes that would hide a forbidden call whose exception the test swallowed.
_HIDES_VIOLATIONS = frozenset({Outcome.NOT_RUN, Outcome.PASSED, Outcome.SKIPPED, Outcome.XFAILED, Outcome.XPASSED})


class Observe:
    """Wires one test after the other to journal, time limit, rule and probes."""

    def __init__(self, config: pytest.Config, screen: Screen, leaks: Leaks | None) -> None:
        self.config = config
        self.screen = screen
        self.lane = lane_name(config)
        self._now = host.CLOCK.wall
        self._computed = host.CLOCK.computed
        self._children = host.CLOCK.children
        #: When these were asked last, and the answers.
        self._asked, self._answer = 0.0, 0.0
        self._children_before: float | None = None
        #: What the process had computed when the test began, and how long it had slept.
        self._computed_before = 0.0
        self._slept_before: float | None = None
        self._leaks = leaks
        self._shard: Shard | None = None
        self._watch: Watch | None = None
        self._checkpoints = Checkpoints(host.CLOCK)
        self._limit = screen.chosen.timeout.value if screen.chosen else 0.0
        #: pytest-timeout's setting: limits are for test functions alone, whatever their fixtures take.
        self._func_only = config.pluginmanager.hasplugin("timeout") and bool(config.getini("timeout_func_only"))
        #: Seconds that the running test may take.
        self._own_limit = 0.0
        self._own_func_only = False
        self._fault = -1
        self._rule: Rule | None = None
        #: In force when the test began: that of a test which runs this run inside itself.
        self._outer_rule: Rule | None = None
        self._touched = touched_in(config, screen.settings.root)
        #: Takes notes of a test which runs this run inside itself.
        self._outer_touched: Touched | None = None
        self._asserting = self._looker()
        self._asserts_nothing = False
        self._reset("")

    def _reset(self, node_id: str) -> None:
        self._node_id = node_id
        self._outcome = Outcome.NOT_RUN
        self._seconds = {"setup": 0.0, "call": 0.0, "teardown": 0.0}
        self._origin: Origin | None = None
        self._text: str | None = None

    def _looker(self) -> Asserting | None:
        """What looks at tests for signs of an assertion, where somebody asks for them."""
        settings = self.screen.settings
        if not settings.asks_for_assertions:
            return None
        from toxscreen.pytest_plugin.asserting import Asserting

        return Asserting(settings.root, settings.categories.values())

    # the session

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        """Open this process's shard; the leader has made the run's folder."""
        handed = worker_input(self.config)
        if handed is not None:
            folders = handed[XDIST_KEY]
            self.screen.folder = Path(folders["folder"]) if folders["folder"] else None
            self.screen.pulses = Path(folders["pulses"]) if folders["pulses"] else None
        if self.screen.folder is not None:
            self._shard = Shard(self.screen.folder / f"{self.lane}.jsonl")
            self._shard.write(Event(EventKind.LANE_UP, self._now(), self.lane, pid=host.process_id()))
        if self.screen.pulses is not None and not _debugged(self.config):
            self._watch = Watch(self.screen.pulses, self.lane)
            if handed is not None:
                self._keep_fatal_stacks(self.screen.pulses)

    def _keep_fatal_stacks(self, folder: Path) -> None:
        """Let a worker's last words go where the leader finds them, not between the lines of other workers."""
        if faulthandler.is_enabled():
            try:
                self._fault = host.open_for_append(folder / f"{self.lane}.fault")
            except OSError:
                return
            faulthandler.enable(file=self._fault, all_threads=True)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Close the shard and hand what is to be told to the leader."""
        if self._watch is not None:
            self._watch.close()
        problems = self.screen.problems
        if self._shard is not None:
            self._shard.close()
            if self._shard.problem is not None:
                problems.warn("journal-unwritable", f"the record is not whole: {self._shard.problem}")
        if worker_input(self.config) is not None:
            told = self.config.workeroutput.setdefault(XDIST_KEY, {})  # type: ignore[attr-defined]
            told["leaks"] = list(self.screen.leaks)
            told["warnings"] = list(problems.warnings)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """Give faulthandler back before its file goes."""
        if self._fault >= 0 and faulthandler.is_enabled():
            faulthandler.enable(file=sys.__stderr__ or 2, all_threads=True)

    def note(self, event: Event) -> None:
        """Append an event to this process's record, where there is one."""
        if self._shard is not None:
            self._shard.write(event)

    # one test

    @property
    def running(self) -> str:
        """Node id of the test that runs, or that ran last."""
        return self._node_id

    @property
    def phase(self) -> str:
        """The first of its phases that is not over."""
        return next((phase for phase, seconds in self._seconds.items() if not seconds), "teardown")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Everything that belongs to one test lies between its start line and its end line."""
        self._begin(item)
        try:
            return (yield)
        except BaseException as error:
            if self._outcome is Outcome.NOT_RUN:
                self._text = f"interrupted: {type(error).__name__}"
            raise
        finally:
            self._end()

    def _begin(self, item: pytest.Item) -> None:
        node_id = item.nodeid
        self._reset(node_id)
        now = self._now()
        if self._shard is not None:
            # Before set-up: what a test replaces is in nobody's way yet.
            self._asserts_nothing = self._asserting is not None and self._asserting.asserts_nothing(item)
            self._shard.write_line(start_line(now, self.lane, node_id, item.stash.get(QUEUED_KEY, None)))
        info = item.stash.get(ITEM_KEY, None)
        self._own_limit, self._own_func_only = self._limit, self._func_only
        if info is not None:
            self._own_limit = self._limit if info.limit is None else info.limit
            self._own_func_only = self._func_only if info.func_only is None else info.func_only
            self._rule = Rule.of(node_id, info.policy, info.allowed)
            self._outer_rule = enforce(self._rule if self._rule.forbids_something else None)
            self._outer_touched = listen(self._touched if info.policy.leaks != "off" else None)
        if self._watch is not None:
            self._watch.begin(node_id, 0.0 if self._own_func_only else self._own_limit)
        if self._leaks is not None:
            self._leaks.begin()
        # The system is asked now and then: for all tests, that would take longer than many of them. In between, the
        # process has computed, for it had no time to do anything else.
        since = now - self._asked
        if not 0.0 <= since < _MOMENT:
            self._asked, self._answer, since = now, self._computed(), 0.0
            self._children_before = self._children()
        self._computed_before = self._answer + since
        self._slept_before = slept()

    def _end(self) -> None:
        seconds = self._seconds
        if seconds["setup"] + seconds["call"] + seconds["teardown"] >= _WORTH_SAYING:
            self._tell_how_it_went(seconds)
        enforce(self._outer_rule)
        listen(self._outer_touched)
        self._rule = self._outer_rule = self._outer_touched = None
        touched = self._touched.take()
        if self._watch is not None:
            self._watch.idle()
        leaks = tuple(self._leaks.found) if self._leaks is not None else ()
        if leaks:
            self.screen.leaks.extend(f"{self._node_id}: {leak}" for leak in leaks)
        if self._shard is not None:
            if leaks or touched or self._origin is not None or self._text is not None:
                self._shard.write(
                    Event(
                        EventKind.END,
                        self._now(),
                        self.lane,
                        self._node_id,
                        self._outcome,
                        seconds["setup"],
                        seconds["call"],
                        seconds["teardown"],
                        self._origin,
                        leaks,
                        self._text,
                        touched=touched,
                        cpu=seconds.get("cpu"),
                        slept=seconds.get("slept"),
                        children=seconds.get("children"),
                        asserts_nothing=self._asserts_nothing,
                    )
                )
            else:
                nothing = self._asserts_nothing
                seen = (self._node_id, self._outcome, seconds)
                self._shard.write_line(end_line(self._now(), self.lane, *seen, asserts_nothing=nothing))
        self._checkpoints.after_test()

    def _tell_how_it_went(self, seconds: dict[str, float]) -> None:
        """Add what a test did that took long: computed, slept, had others compute; what nobody knows is left out."""
        seconds["cpu"] = max(0.0, self._computed() - self._computed_before)
        counters = (("slept", slept(), self._slept_before), ("children", self._children(), self._children_before))
        for name, now, before in counters:
            if now is not None and before is not None:
                seconds[name] = max(0.0, now - before)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Where no limit is for the test function alone, nobody need look at the call by itself."""
        if self._func_only or any(
            info is not None and info.func_only for info in (item.stash.get(ITEM_KEY, None) for item in session.items)
        ):
            self.config.pluginmanager.register(_CallAlone(self), "toxscreen-call-alone")

    def begin_call(self) -> bool:
        """The test function starts.

        Returns:
            Whether the limit is for it alone.
        """
        if self._watch is None or not self._own_func_only or _debugged(self.config):
            return False
        self._watch.begin(self._node_id, self._own_limit)
        return True

    def end_call(self) -> None:
        """The test function with a limit of its own ended."""
        if self._watch is not None:
            self._watch.begin(self._node_id, 0.0)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """After everything of the test is torn down: did it swallow a forbidden call, did it leave state changed?"""
        __tracebackhide__ = True
        try:
            result = yield
        except BaseException:
            if self._leaks is not None:
                self._leaks.note(item)
            raise
        rule = self._rule
        if rule is not None and rule.violations and self._outcome in _HIDES_VIOLATIONS:
            raise pytest.fail.Exception("\n".join(rule.violations), pytrace=False)
        if self._leaks is not None:
            self._leaks.end(item)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what the phases say."""
        when = report.when
        if when in self._seconds:
            self._seconds[when] += report.duration
        if when != "call" and report.outcome == "passed":
            # A set-up that passed says nothing yet of the test.
            return
        outcome = self._judge(report)
        if _RANK[outcome] > _RANK[self._outcome]:
            self._outcome = outcome

    def _judge(self, report: pytest.TestReport) -> Outcome:
        if report.passed:
            return Outcome.PASSED if getattr(report, "wasxfail", None) is None else Outcome.XPASSED
        if report.skipped:
            if type(report) is not pytest.TestReport:
                # A skipped subtest: the test itself goes on.
                return Outcome.NOT_RUN
            if isinstance(report.longrepr, tuple):
                self._text = str(report.longrepr[2]).removeprefix("Skipped: ")
            return Outcome.XFAILED if hasattr(report, "wasxfail") else Outcome.SKIPPED
        if not report.failed:
            return Outcome.NOT_RUN
        message = getattr(getattr(report.longrepr, "reprcrash", None), "message", None) or str(report.longrepr)
        if self._text is None:
            self._text = message.strip().partition("\n")[0][:300]
        if _TIMEOUT_MESSAGE in message.partition("\n")[0]:
            self._add_stacks(report)
            return Outcome.TIMED_OUT
        return Outcome.FAILED if report.when == "call" else Outcome.ERROR

    def _add_stacks(self, report: pytest.TestReport) -> None:
        """The traceback shows where the test stood; the other threads may be why. Its teardown gets the limit anew."""
        report.sections.append(("stacks of the other threads", host.other_stacks() or "there is no other thread"))
        if self._watch is not None and not self._own_func_only:
            self._watch.begin(self._node_id, self._own_limit)

    def pytest_exception_interact(self, call: pytest.CallInfo[object], report: object) -> None:
        """Note the identity of the first failure."""
        if isinstance(report, pytest.TestReport) and self._origin is None and call.excinfo is not None:
            from toxscreen.probes.origin import origin_of

            file, line, _ = report.location
            self._origin = origin_of(call.excinfo.value, self.screen.settings.root, (file, (line or 0) + 1))

    def pytest_enter_pdb(self) -> None:
        """A person looks at the test: nothing may end it."""
        if self._watch is not None:
            self._watch.pause()


class _CallAlone:
    """Limits that are for the test function alone begin and end with it."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Around the test function."""
        if not self._observe.begin_call():
            return (yield)
        try:
            return (yield)
        finally:
            self._observe.end_call()


def _debugged(config: pytest.Config) -> bool:
    """Whether a debugger watches this process, so that a test may stand still."""
    if config.getoption("usepdb", default=False) or config.getoption("trace", default=False):
        return True
    module = sys.modules.get("pytest_timeout")
    return bool(module is not None and module.is_debugging())
