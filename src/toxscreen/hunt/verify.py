"""What has become of earlier findings: fixed, still there, changed or gone, as fresh interpreters show it now."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from toxscreen.hunt.beside import beside_and_alone
from toxscreen.hunt.lab import REPEATS, TIMES, BudgetError, Lab, files_of
from toxscreen.hunt.prober import Request
from toxscreen.hunt.rulings import Ruled, rule, rule_on_chance, rule_on_conflict, weightiest, where
from toxscreen.hunt.suspects import sightings
from toxscreen.hunt.target import Target
from toxscreen.model import Isolation, IsolationKind, Probe, Standing, Verified

#: Options that leave out tests of a file.
_SELECTING: Final = ("-k", "-m", "--deselect")


class Verifier:
    """Looks at earlier findings again.

    Args:
        lab: runs probes.
        old: the findings.
    """

    def __init__(self, lab: Lab, old: Sequence[Isolation]) -> None:
        self._lab = lab
        self._old = old
        self._done: list[Verified] = []
        self._there = There((), (), is_narrowed=False)
        self._reason = "interrupted before it was looked at"

    @property
    def verified(self) -> tuple[Verified, ...]:
        """Every finding, those not looked at included."""
        rest = self._old[len(self._done) :]
        return (*self._done, *(Verified(each, Standing.UNJUDGED, self._reason) for each in rest))

    def verify(self, node_ids: Sequence[str]) -> None:
        """Look at each.

        Args:
            node_ids: all tests that are there now.

        Raises:
            BudgetError: there is no time left.
            CopyRefusedError: tests fail in a copy of the project only.
        """
        lab = self._lab
        self._there = There(node_ids, [name for name, _ in lab.broken], is_narrowed=narrows(lab.target))
        for number, finding in enumerate(self._old):
            lab.tell("verifying", number, len(self._old))
            if lab.spent() > lab.limits.budget:
                self._reason = "there was no time left (--budget)"
                raise BudgetError
            probes: list[Probe] = []
            ruling, words = self._missing(finding, probes) or self._ruled(finding, probes)
            self._done.append(Verified(finding, ruling, words, tuple(probes)))
        probes = [probe for each in self._done for probe in each.probes if len(set(probe.node_ids)) == 1]
        lab.trust_copy({probe.last.node_id: probe.last for probe in probes if probe.last.outcome.red}.values())

    def _missing(self, finding: Isolation, probes: list[Probe]) -> Ruled | None:
        """What is to be said where not all tests are there; None where they are."""
        root = self._lab.target.root
        found = [
            (each, ruled)
            for each in (finding.node_id, *finding.partners)
            if (ruled := self._there.missing(each, is_file=_is_file(root, each))) is not None
        ]
        for name, (standing, words) in found:
            if standing is Standing.UNJUDGED or name == finding.node_id:
                return standing, f"{name}: {words}"
        if not found:
            return None
        # Without its partners it may fail for another reason.
        (name, (standing, words)), node_id = found[0], finding.node_id
        probes += self._lab.judge([self._request([node_id], files_of([node_id]))] * TIMES)
        red = [probe.last for probe in probes if probe.last.outcome.red]
        if red:
            return Standing.CHANGED, f"fails alone ({where(red[0])}), and {name}: {words}"
        return standing, f"{name}: {words}"

    def _ruled(self, finding: Isolation, probes: list[Probe]) -> Ruled:
        if finding.kind is IsolationKind.CONFLICT:
            failures, together, alone = beside_and_alone(self._lab, (finding.node_id, finding.partners[0]))
            probes += (*together, *alone)
            return rule_on_conflict(finding, failures, [each for probe in alone for each in sightings(probe)])
        if finding.kind is IsolationKind.CHANCE:
            probes += self._lab.judge(self._chances(finding.node_id))
            return rule_on_chance(finding, [probe.last for probe in probes])
        ruled: list[Ruled] = []
        for failing, passing in self._ways(finding):
            # One after the other: probes of a batch come back in the order in which they end.
            red = self._lab.judge([failing] * TIMES)
            green = self._lab.judge([passing] * TIMES) if passing is not None else []
            probes += (*red, *green)
            ruled.append(rule(finding, [probe.last for probe in red], [probe.last for probe in green]))
            if ruled[-1][0] is Standing.STILL_THERE:
                break
        return weightiest(ruled)

    def _request(self, node_ids: Sequence[str], files: tuple[str, ...] = ()) -> Request:
        return replace(self._lab.request(node_ids), files=files)

    def _ways(self, finding: Isolation) -> list[tuple[Request, Request | None]]:
        """Sequences in which it should fail and pass: with their own files collected, and with everything."""
        node_id, partners = finding.node_id, finding.partners
        if finding.kind is IsolationKind.COLLECTION:
            own = files_of([node_id])
            together = tuple(file for file in self._there.files if file in {*own, *partners})
            return [(self._request([node_id], together), self._request([node_id], own))]
        before = {IsolationKind.SELF_POLLUTING: (node_id,), IsolationKind.DETERMINISTIC: ()}.get(finding.kind, partners)
        files = files_of((*before, node_id))
        found: list[tuple[Request, Request | None]] = []
        for each in [files] if {*files} >= {*self._there.files} else [files, ()]:
            after, alone = self._request((*before, node_id), each), self._request([node_id], each)
            if finding.kind is IsolationKind.DETERMINISTIC:
                found.append((alone, None))
            else:
                found.append((alone, after) if finding.kind is IsolationKind.BRITTLE else (after, alone))
        return found

    def _chances(self, node_id: str) -> list[Request]:
        """By itself, and after the tests that stand before it in its file."""
        own = files_of([node_id])
        same = [each for each in self._there.node_ids if files_of([each]) == own]
        before = same[: same.index(node_id) + 1]
        return [self._request(each, own) for each in ([node_id], before) for _ in range(REPEATS)]


class There:
    """What was collected.

    Args:
        node_ids: all tests.
        broken: files and folders that could not be collected.
        is_narrowed: whether tests of a file may have been left out.
    """

    def __init__(self, node_ids: Sequence[str], broken: Sequence[str], *, is_narrowed: bool) -> None:
        self.node_ids = node_ids
        #: In the order in which they were collected.
        self.files = tuple(dict.fromkeys(each.partition("::")[0] for each in node_ids))
        self._known = {*node_ids, *self.files}
        self._broken = broken
        self._is_narrowed = is_narrowed

    def missing(self, name: str, *, is_file: bool) -> Ruled | None:
        """Why a test or a file of tests cannot be run; None where it can.

        Args:
            name: its node id.
            is_file: whether the file that it was in is there.
        """
        if name in self._known:
            return None
        file = name.partition("::")[0]
        if any(each in {file, ".", ""} or file.startswith(f"{each}/") for each in self._broken):
            return Standing.UNJUDGED, "its file cannot be collected"
        if not is_file:
            return Standing.GONE, "its file is not there any more"
        if self._is_narrowed:
            return Standing.UNJUDGED, "was not collected, for which --category, -k, -m or --deselect may be the reason"
        if file in self._known:
            return Standing.GONE, "is not in its file any more"
        return Standing.UNJUDGED, "nothing in its file was collected; name its folder (PATH) if it has tests"


def narrows(target: Target) -> bool:
    """Whether tests of a file may be left out: by category or by pytest's options."""
    return target.category is not None or any(each.startswith(_SELECTING) for each in target.options)


def _is_file(root: Path, name: str) -> bool:
    path = os.path.join(root, name.partition("::")[0])  # noqa: PTH118 - for the next line
    return os.path.isfile(path)  # noqa: PTH113 - Path's raises for names that no file can have
