"""The loop of a comparison, with pairs and decisions that are written here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from toxscreen import host
from toxscreen.model import Change, Clock, Compared, Interval, Memory, Revision, SelfCheck
from toxscreen.perf import machine
from toxscreen.perf.comparing import Progress, Standing, compare
from toxscreen.perf.pairing import About, Collected, RoundResult, Wanted
from toxscreen.perf.side import Side

BASE, CANDIDATE = Revision("main", "c0de"), Revision("working tree", None, dirty=True)
CHECKED = SelfCheck(passed=True, reason="as it should be", pairs=2)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that have passed; nobody else is on the machine."""
    passed = [0.0]
    clock = host.CLOCK._replace(elapsed=lambda: passed[0], wall=lambda: 1000.0)
    monkeypatch.setattr(host, "CLOCK", clock)
    monkeypatch.setattr(host, "busy_seconds", lambda: None)
    return passed


class Round(NamedTuple):
    node_ids: tuple[str, ...]
    self_check: bool


@dataclass
class Decides:
    """Wants each benchmark so often."""

    node_ids: Sequence[str]
    pairs_wanted: int = 2
    seen: dict[str, list[float]] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)

    def wanted(self) -> Round | None:
        ids = [each for each in self.node_ids if each not in self.dropped and self.pairs(each) < self.pairs_wanted]
        return Round(tuple(ids), not self.seen) if ids else None

    def add(self, done: Round, ratios: Mapping[str, float], self_ratios: Mapping[str, float]) -> None:
        assert set(ratios) <= set(done.node_ids)
        assert bool(self_ratios) == (done.self_check and bool(ratios))
        for node_id, ratio in ratios.items():
            self.seen.setdefault(node_id, []).append(ratio)

    def interval(self, node_id: str) -> Interval | None:
        seen = self.seen.get(node_id)
        return Interval(seen[-1], min(seen), max(seen)) if seen else None

    def pairs(self, node_id: str) -> int:
        return len(self.seen.get(node_id, ()))

    def confirmed_by(self, node_id: str) -> int:
        return 3 if self.judged(node_id)[0] is Change.REGRESSED else 0

    def judged(self, node_id: str) -> tuple[Change, str]:
        if self.pairs(node_id) < self.pairs_wanted:
            return Change.UNDECIDED, "too few pairs"
        slow = self.seen[node_id][-1] > 1
        return (Change.REGRESSED, "slower") if slow else (Change.SAME, "not slower")

    def self_checked(self) -> SelfCheck:
        return CHECKED

    def drop(self, node_id: str) -> None:
        self.dropped.append(node_id)


@dataclass
class Pairs:
    """Shows what it is told to."""

    now: list[float]
    collected: Collected
    results: Mapping[str, float] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    about: dict[str, About] = field(default_factory=dict)
    interrupted_at: int | None = None
    no_memory: bool = False
    rounds: list[Wanted] = field(default_factory=list)
    base: Side = field(default_factory=lambda: Side(Path("a"), Path("python"), BASE))
    candidate: Side = field(default_factory=lambda: Side(Path("b"), Path("python"), CANDIDATE))

    def collect(self) -> Collected:
        for node_id in self.collected.both:
            self.about.setdefault(node_id, About())
        return self.collected

    def run(self, wanted: Wanted) -> RoundResult:
        if len(self.rounds) == self.interrupted_at:
            raise KeyboardInterrupt
        self.rounds.append(wanted)
        self.now[0] += 10
        ratios = {each: self.results[each] for each in wanted.node_ids if each in self.results}
        return RoundResult(
            ratios,
            dict.fromkeys(ratios, 0.0) if wanted.self_check else {},
            {each: (float(len(self.rounds)), 5.0) for each in ratios},
            {each: text for each, text in self.broken.items() if each in wanted.node_ids},
            {each: text for each, text in self.skipped.items() if each in wanted.node_ids},
        )

    def memory(self, node_ids: Collection[str]) -> Mapping[str, tuple[Memory, Memory]]:
        if self.no_memory:
            raise KeyboardInterrupt
        self.now[0] += 1
        return {each: (Memory(1, 2), Memory(3, 4)) for each in node_ids}


MEMORY: dict[str, Any] = {"base_memory": Memory(1, 2), "candidate_memory": Memory(3, 4)}


def test_rounds_until_everything_is_decided(now: list[float]) -> None:
    collected = Collected(("a", "b", "c"), ("d",), ("e",), {"f": "cannot be collected"}, ("one.py",), ("shop",))
    about = {
        "a": About(Clock.WALL, "shopping", extra={"items": "3"}),
        "b": About(is_waiting=True),
        "e": About(group="old"),
    }
    pairs = Pairs(now, collected, {"a": 2.0, "b": 0.0}, {"c": "fails in the base"}, about=about)
    steps: list[Progress] = []
    found = compare(pairs, Decides, 60.0, steps.append, resolution=0.03)
    assert (found.base, found.candidate, found.complete, found.self_check) == (BASE, CANDIDATE, True, CHECKED)
    assert (found.resolution, found.budget, found.started, found.seconds) == (0.03, 60.0, 1000.0, 21.0)
    assert found.compared == (
        Compared(
            "a",
            Change.REGRESSED,
            "slower",
            Clock.WALL,
            "shopping",
            Interval(2.0, 2.0, 2.0),
            pairs=2,
            confirmed_by=3,
            base_seconds=2.0,
            candidate_seconds=5.0,
            extra=(("items", "3"),),
            **MEMORY,
        ),
        Compared(
            "b",
            Change.SAME,
            "not slower",
            interval=Interval(0.0, 0.0, 0.0),
            pairs=2,
            base_seconds=2.0,
            candidate_seconds=5.0,
            **MEMORY,
        ),
        Compared("c", Change.BROKEN, "fails in the base"),
        Compared("d", Change.NEW, "only the candidate has it"),
        Compared("e", Change.GONE, "only the base has it", group="old"),
        Compared("f", Change.BROKEN, "cannot be collected"),
    )
    advice = "mark it with `waits` to measure it by the clock on the wall"
    assert found.notes == (
        "files of benchmarks that differ between the revisions: one.py",
        "not compared, as both revisions import it from the same place: shop",
        f"spends most of its time waiting, which CPU time does not see; {advice}: b",
    )
    assert pairs.rounds == [Round(("a", "b", "c"), self_check=True), Round(("a", "b"), self_check=False)]
    assert [(each.step, each.seconds) for each in steps] == [
        ("collecting", 0.0),
        ("measuring 3 benchmarks", 0.0),
        ("measuring 2 benchmarks", 10.0),
        ("measuring memory", 20.0),
    ]
    assert steps[2].standings[0] == Standing("a", 1, Change.UNDECIDED, Interval(2.0, 2.0, 2.0))


def test_no_round_is_begun_that_would_not_end_in_time(now: list[float]) -> None:
    pairs = Pairs(now, Collected(("a",)), {"a": 2.0})
    found = compare(pairs, lambda ids: Decides(ids, pairs_wanted=9), 35.0, lambda _: None, resolution=0.03)
    assert len(pairs.rounds) == 3
    assert (found.compared[0].change, found.compared[0].reason) == (
        Change.UNDECIDED,
        "the time was up: too few pairs",
    )
    assert found.notes == ("the time was up before everything was decided (--budget)",)
    assert found.complete


def test_a_smaller_round_has_time_where_a_large_one_would_not(now: list[float]) -> None:
    # The round of four benchmarks takes 10 s, and the base against itself is measured in it: 12 processes.
    pairs = Pairs(now, Collected(("a", "b", "c", "d")), {"a": 2.0}, broken=dict.fromkeys("bcd", "fails"))
    found = compare(pairs, Decides, 13.0, lambda _: None, resolution=0.03)
    assert [each.node_ids for each in pairs.rounds] == [("a", "b", "c", "d"), ("a",)]
    assert found.compared[0].change is Change.REGRESSED


def test_memory_has_no_time_of_its_own(now: list[float]) -> None:
    pairs = Pairs(now, Collected(("a",)), {"a": 1.0})
    found = compare(pairs, Decides, 20.0, lambda _: None, resolution=0.03)
    assert (found.compared[0].change, found.compared[0].base_memory, found.seconds) == (Change.SAME, None, 20.0)
    assert found.notes == ("memory was not measured: the time was up (--budget)",)


def test_what_is_decided_stands_where_memory_is_interrupted(now: list[float]) -> None:
    pairs = Pairs(now, Collected(("a",)), {"a": 1.0}, no_memory=True)
    found = compare(pairs, Decides, 60.0, lambda _: None, resolution=0.03)
    assert (found.compared[0].change, found.compared[0].base_memory, found.complete) == (Change.SAME, None, True)


def test_files_that_are_skipped_as_a_whole_are_told(now: list[float]) -> None:
    pairs = Pairs(now, Collected(("a", "b"), skipped={"c.py": "no numpy"}), {"a": 1.0}, skipped={"b": "no disk"})
    found = compare(pairs, Decides, 60.0, lambda _: None, resolution=0.03)
    assert ([each.node_id for each in found.compared], found.skipped) == (["a"], ("b", "c.py"))
    assert found.notes == (
        "not measured, it is skipped in both revisions: c.py: no numpy",
        "not measured, it is skipped in both revisions: b: no disk",
    )


def test_what_was_found_before_an_interrupt_is_kept(now: list[float]) -> None:
    pairs = Pairs(now, Collected(("a", "b")), {"a": 2.0, "b": 2.0}, interrupted_at=1)
    found = compare(pairs, Decides, 60.0, lambda _: None, resolution=0.03)
    assert not found.complete
    assert [(each.change, each.reason, each.pairs, each.base_memory) for each in found.compared] == [
        (Change.UNDECIDED, "it was interrupted: too few pairs", 1, None)
    ] * 2


def test_what_is_skipped_on_both_sides_is_a_note(now: list[float]) -> None:
    pairs = Pairs(now, Collected(("a", "b")), {"a": 0.0}, skipped={"b": "no numpy"})
    found = compare(pairs, Decides, 60.0, lambda _: None, resolution=0.03, with_memory=False)
    assert [each.node_id for each in found.compared] == ["a"]
    assert found.compared[0].base_memory is None
    assert found.notes == ("not measured, it is skipped in both revisions: b: no numpy",)


def test_where_there_is_nothing_that_both_have(now: list[float]) -> None:
    def never(_: Sequence[str]) -> Decides:
        raise AssertionError

    found = compare(Pairs(now, Collected((), ("a",))), never, 60.0, lambda _: None, resolution=0.03)
    assert found.compared == (Compared("a", Change.NEW, "only the candidate has it"),)
    assert found.self_check == SelfCheck(passed=False, reason="no benchmark was measured")


def test_many_names_are_counted(now: list[float]) -> None:
    collected = replace(Collected(()), differing=tuple("abcde"))
    found = compare(Pairs(now, collected), Decides, 60.0, lambda _: None, resolution=0.03)
    assert found.notes == ("files of benchmarks that differ between the revisions: a, b, c and 2 more",)


@pytest.mark.parametrize(
    ("busy", "own", "told"),
    [
        (
            (100.0, 118.0),
            (0.0, 8.0),
            ["the machine was busy: others kept 1.0 of its cores at work while it was measured"],
        ),
        ((100.0, 109.0), (0.0, 8.0), []),
        ((None, None), (0.0, 8.0), []),
    ],
)
def test_a_busy_machine(
    now: list[float],
    monkeypatch: pytest.MonkeyPatch,
    busy: tuple[float | None, float | None],
    own: tuple[float, float],
    told: list[str],
) -> None:
    answers, computed = iter(busy), iter(own)
    monkeypatch.setattr(host, "busy_seconds", lambda: next(answers))
    clock = host.CLOCK._replace(computed=lambda: next(computed), children=lambda: None)
    monkeypatch.setattr(host, "CLOCK", clock)
    watched = machine.Machine()
    now[0] += 10
    assert watched.notes() == told
