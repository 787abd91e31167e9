"""The tox plugin: a door. Where environments run side by side, their tests share the cores; elsewhere it does nothing.

It is loaded at every start of tox, so it imports what it needs when it needs it. What it relies on that tox does not
document is in `_show_progress` and `_is_interrupted`; without it, tox's own display stays, and Ctrl-C ends a waiting
environment when the others have ended.
"""

from __future__ import annotations

import atexit
import logging
import threading
from typing import TYPE_CHECKING, Any

from tox.plugin import impl

if TYPE_CHECKING:
    from tox.config.sets import ConfigSet
    from tox.execute import Outcome
    from tox.session.state import State
    from tox.tox_env.api import ToxEnv

    from toxscreen.slots.budget import Budget

#: There is no hook for what is shown.
_SPINNER = "_ToxSpinner"
_AUTO_WORKERS = "PYTEST_XDIST_AUTO_NUM_WORKERS"


class _Session:
    """The one tox of this process."""

    lock = threading.Lock()
    state: State | None = None
    #: None as long as nobody needed it; False where it cannot be.
    budget: Budget | bool | None = None


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:  # noqa: ARG001 - names are the hook's
    """Remember what is to be run, and be there when tox makes its display."""
    if _Session.state is not state:
        _Session.state = state
        _show_progress()


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """On the environment's own thread: wait for its turn, and tell its commands where to ask for slots."""
    budget = _budget()
    if budget is None:
        return
    from tox.config.set_env import SetEnv

    variables = budget.variables(tox_env.conf.name)
    if _AUTO_WORKERS not in tox_env.environment_variables:
        # pytest-xdist knows neither affinity nor quotas.
        variables[_AUTO_WORKERS] = str(budget.total)
    tox_env.conf.get("set_env", SetEnv).update(variables)
    budget.begin(tox_env.conf.name, lambda: _is_interrupted(tox_env))


@impl
def tox_after_run_commands(tox_env: ToxEnv, exit_code: int, outcomes: list[Outcome]) -> None:  # noqa: ARG001 - see above
    """Give back what the environment holds."""
    _end(tox_env)


@impl
def tox_env_teardown(tox_env: ToxEnv) -> None:
    """Once more: the hook above is left out when a command after the others cannot be run."""
    _end(tox_env)


def _end(tox_env: ToxEnv) -> None:
    budget = _Session.budget
    if budget is not None and not isinstance(budget, bool):
        budget.end(tox_env.conf.name)


def is_parallel(state: State) -> bool:
    """Whether tox was asked to run several environments side by side, and there are several."""
    most = getattr(state.conf.options, "parallel", 0)
    return (most is None or most > 1) and sum(1 for _ in state.envs.iter()) > 1


def _budget() -> Budget | None:
    """The budget of this tox, made when its first environment is ready; None where there is none."""
    with _Session.lock:
        if _Session.budget is None:
            _Session.budget = _made_budget(_Session.state)
        return _Session.budget if not isinstance(_Session.budget, bool) else None


def _made_budget(state: State | None) -> Budget | bool:
    if state is None or not is_parallel(state):
        return False
    from toxscreen import host
    from toxscreen.slots.budget import Budget

    try:
        budget = Budget(state.conf.core["work_dir"] / ".toxscreen-slots", host.cores())
    except OSError as error:
        logging.warning("toxscreen: no core budget, tests run as many as there are workers: %s", error)
        return False
    atexit.register(budget.stop)
    return budget


def _is_interrupted(tox_env: ToxEnv) -> bool:
    """Whether Ctrl-C has reached an environment; False where tox keeps that elsewhere."""
    return bool(getattr(getattr(tox_env, "_interruption", None), "requested", False))


def _show_progress() -> None:
    """Put our display in the place of tox's spinner, where that is made in the way we know."""
    from tox.session.cmd.run import common

    spinner: Any = getattr(common, _SPINNER, None)
    if spinner is None or getattr(spinner, "of_toxscreen", False):
        return

    def make(enabled: bool, state: State, total: int) -> Any:  # noqa: FBT001 - tox's own signature
        if not is_parallel(state) or state.conf.options.parallel_live:
            return spinner(enabled, state, total)
        from tox.report import ToxHandler

        from toxscreen.tox_plugin.display import Display

        handler = next((each for each in logging.getLogger().handlers if isinstance(each, ToxHandler)), None)
        if handler is None:
            return spinner(enabled, state, total)
        return Display(handler, _status, live=enabled, colored=state.conf.options.is_colored)

    make.of_toxscreen = True  # type: ignore[attr-defined]
    setattr(common, _SPINNER, make)


def _status() -> dict[str, Any]:
    budget = _Session.budget
    return budget.status() if budget is not None and not isinstance(budget, bool) else {}
