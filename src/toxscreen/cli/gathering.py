"""Gathers the evidence and asks every gate. Wires only: analyses measure, gates judge."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.analysis import evidence, limits
from toxscreen.analysis.base import find_base
from toxscreen.analysis.changes import find_changes
from toxscreen.analysis.differing import is_test_side, source_functions
from toxscreen.errors import BaseError, ConfigError, CorruptJournalError, Place
from toxscreen.gates import (
    coverage,
    coverage_ratchet,
    discovery,
    isolation,
    performance,
    quality,
    ratchet,
    requirements,
    runs,
    stability,
    time,
)
from toxscreen.gates import limits as limits_gate
from toxscreen.journal.read import read_run
from toxscreen.journal.store import run_folders
from toxscreen.model import Base, Changes, Evidence, Missing, Run, State, Verdict
from toxscreen.plan.conflicts import conflicts
from toxscreen.settings import Settings, load
from toxscreen.settings.gates import QUALITY_TOOLS, Gates, load_gates
from toxscreen.settings.perf import load_perf

#: Names of all gates, in the order in which they are asked.
GATES: Final = (
    runs.GATE,
    time.SUITE,
    time.CATEGORY,
    isolation.GATE,
    stability.GATE,
    *coverage.GATES,
    coverage_ratchet.GATE,
    limits_gate.GATE,
    discovery.GATE,
    requirements.NO_ASSERTION,
    requirements.EXECUTED_BY,
    requirements.PROVES_CHANGE,
    performance.GATE,
    "quality",
    *(f"quality-{tool}" for tool in QUALITY_TOOLS),
)
#: Those that stand for several gates.
FAMILIES: Final = ("quality",)
_AUDIT: Final = ("toxscreen", "audit")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What all gates say, and of what."""

    verdicts: tuple[Verdict, ...]
    now: State
    #: What changes were compared with, or why with nothing.
    base: str
    #: Gates that are switched off.
    off: tuple[str, ...]
    #: Changed lines of each changed file.
    changed: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Project:
    """What gates have in common: the settings, the sources and what they are compared with."""

    root: Path
    settings: Settings
    limits: Gates
    now: State
    #: In words why there is none.
    base: Base | str
    changes: Changes | str

    def read(self, kind: str, command: Sequence[str]) -> Evidence | Missing:
        """Evidence of these sources."""
        return evidence.read(self.root, kind, self.now, command)

    @property
    def coverage(self) -> Evidence | Missing:
        """Evidence of coverage."""
        # Without the name of an environment the command would only ask for one.
        return self.read("coverage", ("toxscreen", "coverage", *self.expected) if self.expected else ())

    @property
    def expected(self) -> tuple[str, ...]:
        """Environments that must have run and measured."""
        named: tuple[str, ...] = self.limits.value("environments")
        return named or tuple(
            policy.category
            for policy in self.settings.categories.values()
            if any((self.root / path).exists() for path in policy.paths)
        )


def project(root: Path, against: str | None) -> Project:
    """What there is to judge.

    Args:
        root: the project's root.
        against: revision that changes are compared with; that of the settings where nobody says.

    Raises:
        ToxscreenError: a setting that cannot be used.
        ErrorGroup: several.
    """
    variables = host.environment()
    settings, demanded = load(root, variables), load_gates(root, variables)
    base: Base | str
    changes: Changes | str
    try:
        base = find_base(root, against, variables, demanded.value("against"))
        changes = find_changes(root, base)
    except BaseError as error:
        base = changes = error.render().replace("\n ", ";")
    return Project(root, settings, demanded, evidence.state(root), base, changes)


def gather(root: Path, against: str | None) -> Gathered:
    """Ask every gate.

    Args:
        root: the project's root.
        against: as for :func:`project`.

    Raises:
        ToxscreenError: a setting, or the ratchet, that cannot be used.
        ErrorGroup: several.
    """
    found = project(root, against)
    measured = found.coverage
    recorded = tuple(recorded_runs(root))
    counted = runs.whole(recorded, found.now, found.expected, found.limits.value("may-deselect"))
    ratchets = base_ratchet(found), own_ratchet(root)
    tools: tuple[str, ...] = found.limits.value("quality")
    verdicts = (
        *_runs(found, recorded, counted),
        *_coverage(found, measured, *ratchets),
        *discovery.judge(found.read("audit", _AUDIT), found.limits.value("discovery")),
        *_requirements(found, counted, measured),
        *_performance(found, against),
        *quality.judge(found.read("quality", quality.COMMAND), *ratchets, tools),
    )
    base = found.base
    return Gathered(
        verdicts,
        found.now,
        base if isinstance(base, str) else f"{base.commit[:12]}, {base.source}",
        found.limits.value("off"),
        {} if isinstance(found.changes, str) else found.changes.lines,
    )


def recorded_runs(root: Path) -> Iterator[Run]:
    """The runs that can be read; what cannot is no evidence."""
    for folder in run_folders(root):
        with contextlib.suppress(CorruptJournalError):
            yield read_run(folder)


def _runs(found: Project, recorded: Sequence[Run], counted: Mapping[str, Run]) -> tuple[Verdict, ...]:
    demanded, expected = found.limits, found.expected
    hunt = found.read("hunt", isolation.HUNT)
    budgets = {name: policy.budget for name, policy in found.settings.categories.items()}
    return (
        *runs.judge(recorded, found.now, expected, demanded.value("may-deselect")),
        time.judge_suite(counted, expected, demanded.value("suite-budget")),
        time.judge_categories(counted, expected, budgets),
        isolation.judge(
            counted,
            expected,
            {name: conflicts(run.attempts) for name, run in counted.items()},
            hunt,
            demanded.value("isolation"),
            hunt_required=demanded.value("hunt-required"),
        ),
        stability.judge(recorded, demanded.value("stability"), hunt),
    )


def _requirements(found: Project, counted: Mapping[str, Run], measured: Evidence | Missing) -> tuple[Verdict, ...]:
    known = {
        name: counted.get(name)
        or Missing(f"run of {name}", "of these sources is not there, or not whole", runs.command(name))
        for name in found.expected
    }
    base = found.base if isinstance(found.base, str) else found.base.source
    functions = (
        Missing("base", found.changes, ())
        if isinstance(found.changes, str)
        else source_functions(found.root, found.changes, found.settings.categories.values())
    )
    return (
        *requirements.no_assertion(found.limits.value("no-assertion"), known),
        *requirements.executed_by(found.limits.value("executed-by"), measured, functions, base),
        *requirements.proves_change(
            found.limits.value("proves-change"),
            found.read("requirements", requirements.PROOF_COMMAND),
            None if isinstance(found.base, str) else found.base.commit,
        ),
    )


def _performance(found: Project, against: str | None) -> tuple[Verdict, ...]:
    limit: int | None = found.limits.value("performance")
    if limit is None:
        return ()
    bases = perf_bases(found, against)
    evidence = found.read(performance.KIND, performance.COMMAND)
    return performance.judge(evidence, limit, found.limits.value("performance-resolution"), bases)


def perf_bases(found: Project, against: str | None) -> frozenset[str] | str:
    """The commits that a comparison may be with; in words why nobody knows any.

    Args:
        found: the project.
        against: revision that somebody named for all gates.

    Raises:
        ToxscreenError: a setting of comparisons that cannot be used.
        ErrorGroup: several.
    """
    named = against or load_perf(found.root, host.environment()).against or found.limits.value("against")
    commits = set() if isinstance(found.base, str) else {found.base.commit}
    if named is not None:
        commit = host.git_resolve(found.root, named)
        if commit is None:
            return f"there is no revision {named!r}"
        # Who names a revision means it, or the commit at which the branch left it.
        commits = {commit, host.git_merge_base(found.root, "HEAD", named) or commit}
    return frozenset(commits) or str(found.base)


def _coverage(
    found: Project,
    measured: Evidence | Missing,
    base: ratchet.Ratchet | Missing | None,
    own: ratchet.Ratchet | None,
) -> tuple[Verdict, ...]:
    before = found.base if isinstance(found.base, str) else limits.limits_at(found.root, found.base)
    policies = tuple(found.settings.categories.values())
    return (
        *coverage.judge(
            measured, found.changes, found.limits, found.expected, lambda file: is_test_side(file, policies)
        ),
        *coverage_ratchet.judge(measured, base, own, found.limits.value("coverage-ratchet")),
        limits_gate.judge(limits.limits(found.root), before),
    )


def own_ratchet(root: Path) -> ratchet.Ratchet | None:
    """The ratchet as it is here; None where there is none.

    Raises:
        ConfigError: it cannot be read.
        ErrorGroup: several of its lines.
    """
    try:
        return ratchet.parse((root / ratchet.FILE).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        told = f"cannot be read: {error.strerror or error}"
        hint = f"remove it and make it anew: {' '.join(ratchet.COMMAND)}"
        raise ConfigError(told, place=Place(ratchet.FILE), hint=hint) from None


def base_ratchet(found: Project) -> ratchet.Ratchet | Missing | None:
    """The ratchet of the base; None where it has none, missing where nobody knows the base.

    Raises:
        ConfigError: it cannot be read.
        ErrorGroup: several of its lines.
    """
    if isinstance(found.base, str):
        return Missing("base", f"is not known: {found.base}", ())
    content = host.git_show(found.root, found.base.commit, ratchet.FILE)
    return None if content is None else ratchet.parse(content, f"{ratchet.FILE} of {found.base.commit[:12]}")
