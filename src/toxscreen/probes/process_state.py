"""The cheap look at process state between tests: what a test can leave changed for the tests after it.

Each probe costs well under a microsecond, and what is loaded later is not loaded for its sake. A module that is not
yet imported has no state; the first look after its import is the baseline.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from toxscreen.probes.telling import Named, same

_getcwd = os.getcwd
# The module below `signal` does not make an enum of every answer, which takes seven microseconds a test.
_getsignal: Callable[[int], Any] = getattr(sys.modules.get("_signal"), "getsignal", signal.getsignal)
_modules = sys.modules

State = dict[str, Any]

#: Variables that pytest and its plugins change for every test.
_NOT_OURS: Final = frozenset({"PYTEST_CURRENT_TEST"})
# SIGALRM is pytest-timeout's while a test runs.
_SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD", "SIGUSR1", "SIGUSR2", "SIGPIPE")
    if hasattr(signal, name)
)


def _environment() -> dict[Any, Any]:
    # The public copy decodes every variable; the mapping below it is compared hundreds of times faster.
    variables: Any = os.environ
    return dict(getattr(variables, "_data", variables))


def _folder() -> str:
    try:
        return _getcwd()
    except OSError:
        return "a folder that was removed"


def _logging() -> tuple[Any, ...] | None:
    module = _modules.get("logging")
    if module is None:
        return None
    root = module.root
    return root.level, root.disabled, root.manager.disable, tuple(root.handlers)


def _signals() -> tuple[Any, ...]:
    return tuple(map(_getsignal, _SIGNALS))


def _locale() -> str | None:
    module = _modules.get("_locale")
    return module.setlocale(module.LC_ALL, None) if module is not None else None


def _decimal() -> tuple[int, str] | None:
    module = _modules.get("decimal")
    if module is None:
        return None
    context = module.getcontext()
    return context.prec, context.rounding


def _socket_timeout() -> float | str | None:
    module = _modules.get("socket")
    return repr(module.getdefaulttimeout()) if module is not None else None


def _time_zone() -> tuple[str, ...] | None:
    module = _modules.get("time")
    return module.tzname if module is not None else None


#: Access path of a piece of state, and how to read it. None means: not there yet.
PROBES: Final[dict[str, Callable[[], Any]]] = {
    "os.environ": _environment,
    "os.getcwd()": _folder,
    "sys.path": lambda: list(sys.path),
    "sys.argv": lambda: list(sys.argv),
    "sys.meta_path": lambda: list(sys.meta_path),
    "logging.root": _logging,
    "signal handlers": _signals,
    "locale": _locale,
    "decimal context": _decimal,
    "socket.getdefaulttimeout()": _socket_timeout,
    "time.tzname": _time_zone,
    "sys.getrecursionlimit()": sys.getrecursionlimit,
    "sys.gettrace()": sys.gettrace,
    "sys.getprofile()": sys.getprofile,
}

#: Probes whose values are so small that making one costs no more than comparing it.
_SMALL: Final = {
    name: probe for name, probe in PROBES.items() if name not in {"os.environ", "sys.path", "sys.argv", "os.getcwd()"}
}
_SMALL_PROBES: Final = tuple(_SMALL.values())
_small_values = itemgetter(*_SMALL)


def look() -> State:
    """The process state of this moment, by access path."""
    try:
        return {name: probe() for name, probe in PROBES.items()}
    except Exception:  # noqa: BLE001 - a test may have put anything in the place of what is read
        return {name: _read(probe) for name, probe in PROBES.items()}


def _read(probe: Callable[[], Any]) -> Any:
    try:
        return probe()
    except Exception as error:  # noqa: BLE001 - see look()
        return f"cannot be read: {type(error).__name__}: {error}"


def unchanged(state: State) -> bool:
    """Whether nothing differs from a state, without making the copies of :func:`look`."""
    try:
        return bool(
            getattr(os.environ, "_data", os.environ) == state["os.environ"]
            and sys.path == state["sys.path"]
            and sys.argv == state["sys.argv"]
            and _folder() == state["os.getcwd()"]
            and tuple([probe() for probe in _SMALL_PROBES]) == _small_values(state)
        )
    except Exception:  # noqa: BLE001 - see look()
        return False


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The pieces of state that differ, each with its value before and after.

    What was not there before (its module was not imported) is not a change. Environment variables, signals and the
    settings of the root logger are told one by one, as ``os.environ['NAME']``.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for name, now in after.items():
        then = before.get(name)
        if then is None:
            if now is not None and name in {"sys.gettrace()", "sys.getprofile()"} and name in before:
                found[name] = (then, now)
        elif not same(then, now):
            found.update(_differing(name, then, now))
    return found


def _differing(name: str, then: Any, now: Any) -> dict[str, tuple[Any, Any]]:
    parts_of = _PARTS.get(name)
    if parts_of is None:
        return {name: (then, now)}
    if type(then) is not type(now) or isinstance(now, str):
        # Values of variables may be secrets, so the mapping as a whole is never shown.
        old, new = ("variables" if isinstance(state, dict) else state for state in (then, now))
        return {name: (old, new)}
    old, new = parts_of(then), parts_of(now)
    return {key: (old.get(key), new.get(key)) for key in sorted({*old, *new}) if not same(old.get(key), new.get(key))}


def _variables(variables: Mapping[Any, Any]) -> dict[str, Any]:
    """Variables as texts: the mapping below os.environ has bytes, what a test puts in its place has what it likes."""
    texts = {_text(key): _text(value) for key, value in variables.items()}
    return {f"os.environ[{key!r}]": value for key, value in texts.items() if key not in _NOT_OURS}


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, str | bytes) else repr(value)


def _finders(finders: Sequence[Any]) -> dict[str, Any]:
    return {"sys.meta_path": [Named(finder) for finder in finders]}


def _logging_settings(settings: tuple[Any, Any, Any, Sequence[Any]]) -> dict[str, Any]:
    level, disabled, below, handlers = settings
    return {
        "logging.root.level": _level(level),
        "logging.root.disabled": disabled,
        "logging.disable()": _level(below),
        # pytest has handlers of its own there while a phase of a test runs.
        "logging.root.handlers": [Named(one) for one in handlers if not type(one).__module__.startswith("_pytest.")],
    }


def _level(level: Any) -> Any:
    module = _modules.get("logging")
    return module.getLevelName(level) if module is not None and isinstance(level, int) else level


def _signal_handlers(handlers: Sequence[Any]) -> dict[str, Any]:
    return {f"signal {number.name}": _handler(handler) for number, handler in zip(_SIGNALS, handlers, strict=True)}


def _handler(handler: Any) -> Any:
    if handler is None:
        return "a handler that is not Python's"
    return signal.Handlers(handler).name if isinstance(handler, int) else Named(handler)


#: How a piece of state is told in parts, by access path.
_PARTS: Final[dict[str, Callable[[Any], dict[str, Any]]]] = {
    "os.environ": _variables,
    "sys.meta_path": _finders,
    "logging.root": _logging_settings,
    "signal handlers": _signal_handlers,
}
