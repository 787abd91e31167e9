"""What a hunt says about planted suites, held against the model of them: every word of it has to be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from planted import Planted, State, suite

_RED = {"failed", "error"}
_INI = {"pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:benchmark\n"}


@dataclass(frozen=True, slots=True)
class Score:
    """How a hunt did."""

    #: What it said that is not so.
    wrong: tuple[str, ...]
    #: Tests with a bug that were not named.
    missed: tuple[str, ...]
    #: Those of them that fail, or pass, already in the order as written or in its reverse: no chance is needed.
    lost: tuple[str, ...]
    planted: int
    found: int
    #: Findings that have a sequence, and those of them where undoing what leaked turned the outcome.
    in_sequence: int
    undone: int


class Grove:
    """Many suites in one project.

    Args:
        kinds: the kind of bug of each suite, by its number; None: chosen by the number.
        seed: of the suites.
    """

    def __init__(self, kinds: Mapping[int, str | None], seed: int) -> None:
        self.files = dict(_INI)
        self.tests: dict[str, Planted] = {}
        #: What is to be found: test, and kind of finding.
        self.bugs: dict[str, str] = {}
        self._suites: dict[str, str] = {}
        for number, wanted in kinds.items():
            name, files, tests = suite(number, seed, wanted)
            self.files |= files
            self.plant(f"suite {number} of {seed} ({name})", tests)

    def plant(self, name: str, tests: Sequence[Planted]) -> None:
        """Add a suite's tests, in the order as written."""
        self.tests |= {test.node_id: test for test in tests}
        self.bugs |= bugs(tests)
        self._suites |= {test.node_id: name for test in tests}

    def run(self, node_ids: Sequence[str]) -> list[int | None]:
        """The line at which each test of a sequence fails, if it does."""
        state: State = frozenset()
        lines = []
        for node_id in node_ids:
            state, line = self.tests[node_id].run(state)
            lines.append(line)
        return lines

    def score(self, findings: Sequence[Mapping[str, Any]]) -> Score:
        """Judge all findings of a hunt, as ``--json`` has them."""
        wrong = [f"{self._suites[each['node_id']]}: {text}" for each in findings for text in self.wrong(each)]
        named = Counter(each["node_id"] for each in findings)
        twice = (node_id for node_id, times in named.items() if times > 1)
        wrong += [f"{self._suites[node_id]}: {node_id} is found more than once" for node_id in twice]
        missed = {
            node_id: f"{self._suites[node_id]}: {kind} {node_id}"
            for node_id, kind in self.bugs.items()
            if node_id not in named
        }
        lost = [text for node_id, text in missed.items() if node_id in self._sure()]
        sequences = [each for each in findings if each["kind"] in {"victim", "brittle", "self-polluting"}]
        undone = sum(any(culprit["proved"] for culprit in each["culprits"]) for each in sequences)
        found = len(self.bugs.keys() & named.keys())
        texts = tuple(wrong), tuple(missed.values()), tuple(lost)
        return Score(*texts, len(self.bugs), found, len(sequences), undone)

    def _sure(self) -> set[str]:
        """Tests whose bug shows without luck."""
        written = list(self.tests)
        sure = {node_id for node_id, kind in self.bugs.items() if kind in {"deterministic", "self-polluting"}}
        for order in (written, written[::-1]):
            for node_id, line in zip(order, self.run(order), strict=True):
                if (line is None) != (self._last(node_id) is None):
                    sure.add(node_id)
        return sure

    def wrong(self, finding: Mapping[str, Any]) -> list[str]:
        """What is not so in a finding."""
        node_id, kind, partners = finding["node_id"], finding["kind"], list(finding["partners"])
        said = f"{kind} {node_id}" + (f" after {', '.join(partners)}" if partners else "")
        wrong = []
        if kind != self.bugs.get(node_id):
            wrong.append(f"{said}: is {self.bugs.get(node_id, 'innocent')}")
        if not finding["proved"]:
            wrong.append(f"{said}: not proved")
        if kind in {"victim", "brittle", "self-polluting"}:
            wrong += [f"{said}: {text}" for text in self._in_sequence(finding, partners or [node_id])]
        elif partners:
            wrong.append(f"{said}: has partners")
        before = {"victim": partners, "self-polluting": [node_id]}.get(kind, [])
        line = self._last(*before, node_id)
        if finding["origin"] is None or finding["origin"]["line"] != line:
            wrong.append(f"{said}: fails at line {line}, not at {finding['origin']}")
        for probe in finding["proof"]:
            lines = self.run(probe["node_ids"])
            if [each["outcome"] in _RED for each in probe["seen"]] != [line is not None for line in lines]:
                wrong.append(f"{said}: the probe {probe['node_ids']} fails at {lines}")
        return wrong

    def _in_sequence(self, finding: Mapping[str, Any], partners: Sequence[str]) -> list[str]:
        node_id = finding["node_id"]
        alone, after = self._last(node_id), self._last(*partners, node_id)
        wrong = []
        if ((alone is None), (after is None)) != ((True, False) if finding["kind"] != "brittle" else (False, True)):
            wrong.append(f"alone it fails at line {alone}, after them at {after}")
        fewer = (some for count in range(len(partners)) for some in combinations(partners, count))
        wrong += [f"{some} are enough" for some in fewer if self._last(*some, node_id) == after]
        for culprit in finding["culprits"]:
            # Of a set, the path names the whole.
            told = " ".join(culprit[part] for part in ("path", "before", "after"))
            if culprit["proved"] and not any(key in told for key in self.tests[node_id].keys):
                wrong.append(f"does not depend on {culprit['path']}")
        cleaner = finding["cleaner"]
        if cleaner is not None:
            places = range(len(partners) + 1)
            if all(self._last(*partners[:at], cleaner, *partners[at:], node_id) == after for at in places):
                wrong.append(f"{cleaner} cleans nothing")
        return wrong

    def _last(self, *node_ids: str) -> int | None:
        return self.run(node_ids)[-1]


def bugs(tests: Sequence[Planted]) -> dict[str, str]:
    """Which tests of a suite have a bug, and which one: everything that other tests can leave behind is tried."""
    found = {}
    for test in tests:
        states = _reached([each for each in tests if each is not test])
        left, alone = test.run(frozenset())
        is_red = alone is not None
        if any((test.run(state)[1] is not None) != is_red for state in states):
            found[test.node_id] = "brittle" if is_red else "victim"
        elif is_red:
            found[test.node_id] = "deterministic"
        elif test.run(left)[1] is not None:
            found[test.node_id] = "self-polluting"
    return found


def _reached(tests: Sequence[Planted]) -> set[State]:
    """Every state that some sequence of the tests leaves behind."""
    reached = todo = {frozenset[str]()}
    while todo:
        todo = {test.run(state)[0] for state in todo for test in tests} - reached
        reached = reached | todo
    return reached
