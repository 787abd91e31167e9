"""Start of a categorised run: read the settings, choose the options, and see to it that what it needs takes part."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from toxscreen import host
from toxscreen.errors import Exit, Place, ReplayError, ShardError, ToxscreenError, UnknownRunError
from toxscreen.model import Sourced
from toxscreen.plan.choose import Asked, Chosen, choose
from toxscreen.pytest_plugin import configured_root, options
from toxscreen.pytest_plugin.features import register_features, register_for_hunt
from toxscreen.pytest_plugin.screen import (
    XDIST_KEY,
    XDIST_SLOTS_KEY,
    Screen,
    runs_tests,
    tx_count,
    worker_input,
)
from toxscreen.settings import load

if TYPE_CHECKING:
    from toxscreen.model import OrderKind, Policy, Run, Shard
    from toxscreen.settings import Settings


def start(config: pytest.Config) -> int | None:
    """Prepare a run.

    Returns:
        None when pytest may go on; the exit status when the settings cannot be used.
    """
    try:
        slots = _taken_slots(config)
        screen = _screen(config)
        screen.slots = slots
        _register_markers(config, screen)
        if not runs_tests(config) or config.getoption("trace", default=False):
            _set_in_process(config)
        if is_hunted(config):
            register_for_hunt(config, screen)
        else:
            register_features(config, screen)
    except ToxscreenError as error:
        sys.stderr.write(f"toxscreen: {error.render()}\n")
        return int(Exit.UNJUDGED)
    return None


def _screen(config: pytest.Config) -> Screen:
    name: str | None = config.getoption(options.CATEGORY[1])
    asked_for = Sourced(name, options.CATEGORY[0]) if name is not None else None
    settings = load(configured_root(config.rootpath) or config.rootpath, host.environment(), asked_for)
    asked_for_replay: str | None = config.getoption(options.REPLAY[1])
    if asked_for_replay is not None:
        from toxscreen.journal.read import find_run
        from toxscreen.plan.replay import Target, pick_lane

        if not asked_for_replay:
            raise UnknownRunError(
                "names no run", place=Place(key=options.REPLAY[0]), hint="`toxscreen runs` lists what is recorded"
            )
        target = Target.parse(asked_for_replay)
        run = find_run(settings.root, target.run)
        lane = pick_lane(run, target.lane)
        target = Target(run.id, lane.name, target.until)
        name = None if run.header.category == "all" else run.header.category
        policy = settings.policy(name, asked_by=f"run {run.id}") if name else None
        _set_replay(config, run, lane.name)
        if config.getoption(options.SHARD[1]) is not None:
            raise ShardError(
                f"is no help with {options.REPLAY[0]}",
                place=Place(key=options.SHARD[0]),
                hint="a replay runs what a worker of one shard ran: leave one of the two out",
            )
        asked = Asked(Sourced(0, "replay"), Sourced("written", "replay"), _asked_timeout(config))
        chosen = _settle(config, settings, policy, asked)
        return Screen(settings, policy, chosen, target, run, _value(asked.timeout))
    policy = settings.policy(name, asked_by=options.CATEGORY[0]) if name is not None else None
    asked = Asked(
        _asked_workers(config), _asked_order(config), _asked_timeout(config), _auto_workers(), _most_workers(config)
    )
    chosen = _settle(config, settings, policy, asked)
    return Screen(settings, policy, chosen, asked_timeout=_value(asked.timeout), shard=_shard(config))


def _shard(config: pytest.Config) -> Shard | None:
    """The part of the tests that was asked for; workers are told by the process that leads the run.

    Raises:
        ShardError: there is no such part, or nobody knows which one this is.
    """
    handed = worker_input(config)
    asked: str | None = config.getoption(options.SHARD[1])
    asked_by, variables = options.SHARD[0], host.environment()
    if handed is not None:
        asked = handed.get(XDIST_KEY, {}).get("shard")
    elif asked is None and runs_tests(config):
        asked_by = "TOXSCREEN_SHARD"
        asked = variables.get(asked_by) or None
    if asked is None or is_hunted(config):
        return None
    from toxscreen.plan.which_shard import which_shard

    return which_shard(asked, variables, asked_by=asked_by)


def _value(asked: Sourced[float] | None) -> float | None:
    return asked.value if asked is not None else None


def _settle(config: pytest.Config, settings: Settings, policy: Policy | None, asked: Asked) -> Chosen | None:
    if policy is None:
        return None
    chosen = choose(policy, settings, asked, host.cores())
    if asked.workers is None and worker_input(config) is None:
        _set_workers(config, chosen.workers.value)
    if asked.order is None and config.pluginmanager.hasplugin("randomly"):
        config.option.randomly_reorganize = chosen.order.value == "random"
    if asked.timeout is None and chosen.timeout.value and config.pluginmanager.hasplugin("timeout"):
        config.option.timeout = chosen.timeout.value
    return chosen


# what the user asked of the plugins directly


def _asked_workers(config: pytest.Config) -> Sourced[int] | None:
    if worker_input(config) is not None:
        return Sourced(int(worker_input(config)["workercount"]), "pytest-xdist")  # type: ignore[index]
    if not config.pluginmanager.hasplugin("xdist"):
        return Sourced(0, "pytest-xdist is off")
    if config.getoption("usepdb", default=False):
        return Sourced(0, "--pdb")
    if config.getoption("trace", default=False):
        return Sourced(0, "--trace")
    number = config.option.numprocesses
    if number is not None:
        # Whether pytest-xdist has counted already depends on the order of the plugins.
        counted = number if isinstance(number, int) else config.hook.pytest_xdist_auto_num_workers(config=config)
        return Sourced(counted, "-n")
    if config.option.tx:
        return Sourced(tx_count(config), "--tx")
    return None


def _auto_workers() -> Sourced[int] | None:
    wanted = host.environment().get("PYTEST_XDIST_AUTO_NUM_WORKERS", "")
    return Sourced(int(wanted), "PYTEST_XDIST_AUTO_NUM_WORKERS") if wanted.isdecimal() else None


def _most_workers(config: pytest.Config) -> Sourced[int] | None:
    most = getattr(config.option, "maxprocesses", None)
    # As for pytest-xdist: 0 is no bound, and what --tx lists is not counted.
    if not most or (config.option.numprocesses is None and config.option.tx):
        return None
    return Sourced(most, "--maxprocesses")


def _asked_order(config: pytest.Config) -> Sourced[OrderKind] | None:
    if not config.pluginmanager.hasplugin("randomly"):
        return Sourced("written", "pytest-randomly is off")
    if not config.option.randomly_reorganize:
        return Sourced("written", "--randomly-dont-reorganize")
    return None


def _asked_timeout(config: pytest.Config) -> Sourced[float] | None:
    if not config.pluginmanager.hasplugin("timeout"):
        return Sourced(0.0, "pytest-timeout is off")
    sources = (
        (config.option.timeout, "--timeout"),
        (host.environment().get("PYTEST_TIMEOUT"), "PYTEST_TIMEOUT"),
        (config.getini("timeout"), "pytest's setting timeout"),
    )
    for value, source in sources:
        try:
            if value not in {None, ""}:
                return Sourced(float(value), source)
        except ValueError:
            # pytest-timeout itself says what is wrong with it.
            return Sourced(0.0, source)
    return None


# what is set


def _set_workers(config: pytest.Config, workers: int) -> None:
    if not config.pluginmanager.hasplugin("xdist"):
        return
    config.option.numprocesses = workers
    config.option.tx = ["popen"] * workers
    if not workers:
        config.option.dist = "no"
    elif config.option.dist == "no":
        config.option.dist = "load"


def _set_in_process(config: pytest.Config) -> None:
    if worker_input(config) is None:
        _set_workers(config, 0)


def _set_replay(config: pytest.Config, run: Run, lane: str) -> None:
    """Everything that would select, stop or shuffle is neutral: the order of the old run decides."""
    if worker_input(config) is not None:
        raise ReplayError("a replay runs in one process", place=Place(key="-n"), hint="leave out -n, --dist and --tx")
    _set_in_process(config)
    config.option.maxfail = 0
    # Workers run what they could collect, whatever else there was.
    config.option.continue_on_collection_errors = True
    for flag in ("lf", "failedfirst", "newfirst", "stepwise", "stepwise_skip", "stepwise_reset"):
        if hasattr(config.option, flag):
            setattr(config.option, flag, False)
    # Lanes that are replayed side by side must not share, and wipe, one folder.
    config.option.basetemp = None
    if config.pluginmanager.hasplugin("randomly"):
        config.option.randomly_reorganize = False
        from toxscreen.plan.replay import seeds

        seed, _ = seeds(run, lane)
        if seed is not None:
            config.option.randomly_seed = seed
    if not config.option.pyargs:
        config.args[:] = _still_there(config.args, config.invocation_params.dir)


def _still_there(arguments: list[str], folder: Path) -> list[str]:
    """Files instead of single tests, without those that are gone: the lane selects, and no lost name may stop it."""
    files = list(dict.fromkeys(argument.partition("::")[0] for argument in arguments))
    return [file for file in files if (folder / file).exists()] or [os.fspath(folder)]


def _register_markers(config: pytest.Config, screen: Screen) -> None:
    for marker, category in screen.settings.markers.items():
        if marker not in options.CATEGORY_MARKERS:
            config.addinivalue_line("markers", options.category_line(marker, category))


def _taken_slots(config: pytest.Config) -> tuple[str, str] | None:
    """Where tox hands out slots, and as whom to ask; taken from the environment, if this process leads a run.

    A pytest that a test starts is a part of that test, and must not wait for a slot of its own.
    """
    handed = worker_input(config)
    if handed is not None:
        given = handed.get(XDIST_SLOTS_KEY)
        return (given[0], given[1]) if given else None
    names = ("TOXSCREEN_SLOTS", "TOXSCREEN_SLOTS_ENV")
    taken = {name: os.environ.pop(name) for name in names if name in os.environ}
    if taken:
        # For what follows in this process.
        config.add_cleanup(lambda: os.environ.update(taken))
    address = taken.get(names[0])
    return (address, taken.get(names[1], "")) if address else None


def is_hunted(config: pytest.Config) -> bool:
    """Whether this is a process of ``toxscreen hunt``, which runs tests as it likes and keeps no record of a run."""
    return bool(config.pluginmanager.hasplugin("toxscreen.hunt.child"))
