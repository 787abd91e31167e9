"""What a run will use, option by option: the user's word first, then the policy; each with where it came from."""

from __future__ import annotations

from typing import NamedTuple

from toxscreen.model import OrderKind, Policy, Sourced
from toxscreen.settings import Settings


class Asked(NamedTuple):
    """What the user asked of pytest directly; None is no word on it."""

    workers: Sourced[int] | None = None
    order: Sourced[OrderKind] | None = None
    timeout: Sourced[float] | None = None
    #: What a policy's "auto" workers are; None: one a core.
    auto: Sourced[int] | None = None
    #: The most workers that a run may have.
    most: Sourced[int] | None = None


class Chosen(NamedTuple):
    """What a run of one category uses."""

    workers: Sourced[int]
    order: Sourced[OrderKind]
    #: Seconds a test; 0 is no limit.
    timeout: Sourced[float]
    network: Sourced[str]
    subprocesses: Sourced[str]
    leaks: Sourced[str]

    def told(self) -> dict[str, str]:
        """Each choice as "value (where from)"."""
        limit = f"{self.timeout.value:g} s" if self.timeout.value else "none"
        return {
            "workers": f"{self.workers.value or 'in-process'} ({self.workers.source})",
            "order": f"{self.order.value} ({self.order.source})",
            "timeout": f"{limit} ({self.timeout.source})",
            "network": f"{self.network.value} ({self.network.source})",
            "subprocesses": f"{self.subprocesses.value} ({self.subprocesses.source})",
            "leaks": f"{self.leaks.value} ({self.leaks.source})",
        }


def choose(policy: Policy, settings: Settings, asked: Asked, cores: int) -> Chosen:
    """Settle every option of a run.

    Args:
        policy: the category's.
        settings: where its values came from.
        asked: what the user gave on the command line, in the environment or in pytest's own settings.
        cores: how many tests the machine can run at once.
    """
    category = policy.category
    return Chosen(
        workers=_at_most(asked.most, asked.workers or _workers(policy, settings, asked.auto, cores)),
        order=asked.order or Sourced(policy.order, settings.source(category, "order")),
        timeout=asked.timeout or Sourced(policy.timeout, settings.source(category, "timeout")),
        network=Sourced(policy.network, settings.source(category, "network")),
        subprocesses=Sourced("yes" if policy.subprocesses else "no", settings.source(category, "subprocesses")),
        leaks=Sourced(policy.leaks, settings.source(category, "leaks")),
    )


def _at_most(most: Sourced[int] | None, workers: Sourced[int]) -> Sourced[int]:
    """The smaller of two numbers of workers, with where it came from; None is no bound."""
    return workers if most is None or workers.value <= most.value else most


def _workers(policy: Policy, settings: Settings, auto: Sourced[int] | None, cores: int) -> Sourced[int]:
    source = settings.source(policy.category, "workers")
    if policy.workers != "auto":
        return Sourced(policy.workers, source)
    plural = "" if cores == 1 else "s"
    return auto or Sourced(cores, f"{source}: auto, {cores} core{plural}")
