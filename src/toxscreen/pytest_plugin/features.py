"""What a process of a categorised run takes part in: collecting, running tests, leading the run, each a plugin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from toxscreen.errors import ConfigError, Place
from toxscreen.pytest_plugin import options
from toxscreen.pytest_plugin.balance import Balance, is_balanced
from toxscreen.pytest_plugin.collect import Collect
from toxscreen.pytest_plugin.collected import Collected
from toxscreen.pytest_plugin.ending import Ending
from toxscreen.pytest_plugin.lead import Lead
from toxscreen.pytest_plugin.leaks import Leaks
from toxscreen.pytest_plugin.observe import Observe
from toxscreen.pytest_plugin.screen import Screen, is_distributed, runs_tests, tx_count, worker_input
from toxscreen.pytest_plugin.summary import Summary

if TYPE_CHECKING:
    from toxscreen.model import Policy


def register_features(config: pytest.Config, screen: Screen) -> None:
    """Register what this process takes part in.

    Args:
        config: pytest's.
        screen: the run.

    Raises:
        ConfigError: an option has no such value.
    """
    register = config.pluginmanager.register
    register(Collect(config, screen), "toxscreen-collect")
    if screen.shard is not None and not is_distributed(config):
        from toxscreen.pytest_plugin.sharding import Split

        # After Collect, and so around it: what it leaves is what is split.
        register(Split(screen, screen.shard), "toxscreen-split")
    if screen.replayed is not None and screen.target is not None:
        from toxscreen.pytest_plugin.replay import Replay

        register(Replay(screen, screen.replayed, screen.target), "toxscreen-replay")
    if worker_input(config) is None:
        # Before Lead, and so inside it, which records the status.
        register(Ending(screen), "toxscreen-ending")
        register(Summary(screen), "toxscreen-summary")
    if not runs_tests(config):
        return
    if worker_input(config) is None:
        _register_for_leader(config, screen)
    if not is_distributed(config):
        if screen.settings.freeze.value:
            from toxscreen.pytest_plugin.freeze import Freeze

            register(Freeze(), "toxscreen-freeze")
        leaks = Leaks() if any(policy.leaks != "off" for policy in _policies(screen)) else None
        if leaks is not None:
            register(leaks, "toxscreen-leaks")
        observe = Observe(config, screen, leaks)
        register(observe, "toxscreen-observe")
        register(Collected(observe), "toxscreen-collected")
        _register_slots_of_tests(config, screen)
        if screen.settings.services:
            from toxscreen.pytest_plugin.services import Services

            # After Observe, and so around it: waiting for a service is no part of a test's time.
            register(Services(config, screen), "toxscreen-services")


def register_for_hunt(config: pytest.Config, screen: Screen) -> None:
    """Register what a process of a hunt takes part in: it runs the tests of the category, and is no run."""
    if screen.policy is not None:
        config.pluginmanager.register(Collect(config, screen), "toxscreen-collect")


def _register_slots_of_tests(config: pytest.Config, screen: Screen) -> None:
    """In the process that runs tests: after Observe, and so around it, for waiting is no part of a test's time."""
    if screen.slots is not None and not _is_alone(screen):
        from toxscreen.pytest_plugin.slots import Slotted

        config.pluginmanager.register(Slotted(config, screen), "toxscreen-slotted")
    elif screen.slots is None and worker_input(config) is not None:
        from toxscreen.pytest_plugin.alone import AloneInWorker

        config.pluginmanager.register(AloneInWorker(config, screen), "toxscreen-alone")


def _is_alone(screen: Screen) -> bool:
    """Whether the run as a whole has the machine to itself, and so its tests ask nobody."""
    return screen.policy is not None and screen.policy.alone


def _register_for_leader(config: pytest.Config, screen: Screen) -> None:
    register = config.pluginmanager.register
    register(Lead(config, screen), "toxscreen-lead")
    if screen.slots is not None:
        from toxscreen.pytest_plugin.slots import Budgeted

        # After Lead, and so before it: a run that waits for the machine has not begun.
        register(Budgeted(config, screen), "toxscreen-budgeted")
    if is_distributed(config) and (screen.slots is None or _is_alone(screen)):
        from toxscreen.pytest_plugin.alone import AloneInRun

        register(AloneInRun(config, screen), "toxscreen-alone")
    if is_balanced(config, screen):
        register(Balance(screen), "toxscreen-balance")
    if screen.shard is not None:
        from toxscreen.pytest_plugin.sharding import LeadShard

        register(LeadShard(config, screen, screen.shard), "toxscreen-lead-shard")
    if _is_diagnosed(config, screen):
        from toxscreen.pytest_plugin.diagnose import Diagnose

        register(Diagnose(screen, workers=tx_count(config) if is_distributed(config) else 0), "toxscreen-diagnose")
    if screen.settings.services:
        from toxscreen.pytest_plugin.services import StopServices

        register(StopServices(screen), "toxscreen-stop-services")


def _is_diagnosed(config: pytest.Config, screen: Screen) -> bool:
    """Whether the failures of this run are to be explained.

    Raises:
        ConfigError: the option has no such value.
    """
    asked = config.getoption(options.DIAGNOSE[1])
    if asked not in {None, "auto", "off"}:
        raise ConfigError(f"{asked!r} is neither auto nor off", place=Place(key=options.DIAGNOSE[0]))
    wanted = asked or screen.settings.diagnose.value
    return wanted == "auto" and hasattr(os, "fork") and not config.getoption("usepdb", default=False)


def _policies(screen: Screen) -> list[Policy]:
    """The policies that tests of this run can have."""
    return [screen.policy] if screen.policy else list(screen.settings.categories.values())
