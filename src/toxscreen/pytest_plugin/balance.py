"""Whether pytest-xdist's workers get their tests from toxscreen, and who deals them out if so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toxscreen.errors import ConfigError, Place
from toxscreen.pytest_plugin import options
from toxscreen.pytest_plugin.screen import Screen, is_distributed, tx_count

if TYPE_CHECKING:
    from xdist.remote import Producer

    from toxscreen.pytest_plugin.scheduling import BalancedScheduling


def is_balanced(config: pytest.Config, screen: Screen) -> bool:
    """Whether tests are dealt out by how long they took before: among two workers or more, and where nobody chose.

    Raises:
        ConfigError: the option has no such value.
    """
    asked = config.getoption(options.BALANCE[1])
    if asked not in {None, "auto", "off"}:
        raise ConfigError(f"{asked!r} is neither auto nor off", place=Place(key=options.BALANCE[0]))
    wanted = asked or screen.settings.balance.value
    return wanted == "auto" and is_distributed(config) and tx_count(config) > 1 and not _chose(config)


def _chose(config: pytest.Config) -> bool:
    """Whether the user said how pytest-xdist is to deal out tests; what its own options imply is not asked for."""
    given = config.known_args_namespace
    return given.dist != "no" or given.distload or given.maxschedchunk is not None


class Balance:
    """Brings our scheduler to pytest-xdist."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    # After other plugins and a conftest.py, which have one for a reason; pytest-xdist's own comes last of all.
    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> BalancedScheduling:
        """Called while the workers start, and so there is time to read the history."""
        from toxscreen.journal.history import load_history
        from toxscreen.pytest_plugin.scheduling import BalancedScheduling

        history = load_history(self._screen.settings.root, but=self._screen.folder)
        return BalancedScheduling(config, log, self._screen.pulses, history)
