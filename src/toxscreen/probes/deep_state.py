"""The thorough look at process state, for a search: every piece by its access path, and how to put back each alone.

What is loaded later is not loaded for its sake, and nothing that a test left in the place of something is trusted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from toxscreen.probes.change import Change
from toxscreen.probes.module_state import ABSENT, alike, in_words

# A test may replace any of these.
_environ, _getcwd, _chdir, _umask = os.environ, os.getcwd, os.chdir, os.umask
_listdir, _readlink, _fstat, _close, _dup, _fdopen = os.listdir, os.readlink, os.fstat, os.close, os.dup, os.fdopen
_open, _enumerate_threads = open, threading.enumerate
_gettrace, _settrace, _getprofile, _setprofile = sys.gettrace, sys.settrace, sys.getprofile, sys.setprofile
_getlimit, _setlimit = sys.getrecursionlimit, sys.setrecursionlimit
_getsignal: Callable[[int], Any] = getattr(sys.modules.get("_signal"), "getsignal", signal.getsignal)
_setsignal: Callable[[int, Any], Any] = getattr(sys.modules.get("_signal"), "signal", signal.signal)
_SIGNALS: Final = tuple(sorted(signal.valid_signals()))
_modules = sys.modules
_STREAMS: Final = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
_NOT_OURS: Final = frozenset({"PYTEST_CURRENT_TEST"})


class _Part(NamedTuple):
    """A piece of state: lists as lists of the same objects, all else as it is."""

    value: Any
    #: Sets it to a value, or removes it if that is ABSENT; None if nobody can.
    put: Callable[[Any], Any] | None = None
    #: What is told in the place of the value.
    shown: Any = ABSENT


_Parts = dict[str, _Part]


def _module(name: str) -> Any:
    return _modules.get(name)


def _attribute(owner: Any, name: str) -> _Part:
    return _Part(vars(owner).get(name, ABSENT), partial(_set_attribute, owner, name))


def _set_attribute(owner: Any, name: str, value: Any) -> None:
    if value is ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, value)


def _listed(owner: Any, name: str, then: Callable[[], object] = lambda: None) -> _Part:
    """A list that is an attribute: put back in the very list that was there."""
    original = vars(owner)[name]

    def put(items: list[Any]) -> None:
        original[:] = items
        setattr(owner, name, original)
        then()

    return _Part(list(original), put)


def _environment() -> _Parts:
    def put(name: str, value: Any) -> None:
        if value is ABSENT:
            _environ.pop(name, None)
        else:
            _environ[name] = value

    found = {"os.environ": _attribute(os, "environ")}
    for name, value in _environ.items():
        if name not in _NOT_OURS:
            found[f"os.environ[{name!r}]"] = _Part(value, partial(put, name))
    return found


def _working_directory() -> _Parts:
    try:
        return {"os.getcwd()": _Part(_getcwd(), _chdir)}
    except OSError:
        return {"os.getcwd()": _Part("a folder that was removed")}


def _imported() -> _Parts:
    def put(name: str, value: Any) -> None:
        if value is ABSENT:
            _modules.pop(name, None)
        else:
            _modules[name] = value

    return {f"sys.modules[{name!r}]": _Part(one, partial(put, name)) for name, one in list(_modules.items())}


def _streams() -> _Parts:
    found = {}
    for name in _STREAMS:
        found[f"sys.{name}"] = _attribute(sys, name)
        with suppress(Exception):  # anything can be in the place of a stream
            found[f"sys.{name}.closed"] = _Part(bool(vars(sys)[name].closed))
    return found


def _warnings() -> _Parts:
    module = _module("warnings")
    if module is None:
        return {}
    mutated: Callable[[], object] = getattr(module, "_filters_mutated", lambda: None)
    return {"warnings.filters": _listed(module, "filters", mutated)}


def _logging() -> _Parts:
    module = _module("logging")
    if module is None:
        return {}
    found = {
        "logging.disable()": _level(
            module, _Part(module.root.manager.disable, partial(setattr, module.root.manager, "disable"))
        )
    }
    for name, logger in [("", module.root), *list(module.root.manager.loggerDict.items())]:
        if not isinstance(logger, module.PlaceHolder):
            path = f"logging.getLogger({name!r})" if name else "logging.root"
            found.update({f"{path}.{key}": part for key, part in _logger(module, logger).items()})
    return found


#: What the settings of a logger are before anybody touches them.
_UNTOUCHED: Final = {"level": 0, "disabled": False, "propagate": True, "handlers": [], "filters": []}


def _logger(module: Any, logger: Any) -> _Parts:
    def put(key: str, items: list[Any]) -> None:
        current = vars(logger)[key]
        current[:] = [*items, *filter(_is_pytest, current)]

    found = {}
    for key in ("disabled", "propagate"):
        found[key] = _attribute(logger, key)
    for key in ("handlers", "filters"):
        # pytest has handlers of its own there while a phase of a test runs.
        found[key] = _Part([one for one in vars(logger)[key] if not _is_pytest(one)], partial(put, key))
    return {"level": _level(module, _attribute(logger, "level"), logger), **found}


def _is_pytest(handler: Any) -> bool:
    return str(type(handler).__module__).startswith("_pytest.")


def _level(module: Any, part: _Part, logger: Any = None) -> _Part:
    def put(value: Any) -> None:
        # The loggers below remember for which levels they are enabled.
        if part.put is not None:
            part.put(value)
        (logger or module.root).manager._clear_cache()  # noqa: SLF001 - as logging does

    return part._replace(put=put, shown=module.getLevelName(part.value) if type(part.value) is int else ABSENT)


def _signals() -> _Parts:
    found = {}
    for number in _SIGNALS:
        handler = _getsignal(number)
        told = "a handler that is not Python's" if handler is None else ABSENT
        if type(handler) is int:
            told = signal.Handlers(handler).name
        name = getattr(number, "name", str(number))  # those of real time are mere numbers
        put = partial(_setsignal, number) if handler is not None else None
        found[f"signal {name}"] = _Part(handler, put, told)
    return found


def _threads() -> _Parts:
    return {f"thread {one.name!r}": _Part(one) for one in _enumerate_threads()}


def _child_processes() -> _Parts:
    found = {}
    for task in _listdir("/proc/self/task"):
        with _open(f"/proc/self/task/{task}/children", "rb") as file:
            children = file.read().split()
        for child in children:
            with suppress(OSError), _open(f"/proc/{int(child)}/cmdline", "rb") as file:
                # One that ended and waits for its parent has no command line.
                if words := file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip():
                    found[f"process {int(child)}"] = _Part(words)
    return found


def _children() -> _Parts:
    try:
        return _child_processes()
    except OSError:
        module = _module("multiprocessing")
        alive = module.active_children() if module is not None else []
        return {f"process {one.pid}": _Part(one.name) for one in alive}


def _close_file(number: int, _: object) -> None:
    _close(number)


def _open_files() -> _Parts:
    folder = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    found = {}
    for name in _listdir(folder):
        with suppress(OSError):  # that of the listing itself is closed by now
            status = _fstat(int(name))
            target = _readlink(f"{folder}/{name}") if sys.platform == "linux" else f"inode {status.st_ino}"
            identity = (status.st_dev, status.st_ino, target if status.st_ino == 0 else "")
            found[f"file descriptor {name}"] = _Part(identity, partial(_close_file, int(name)), target)
    return found


def _locale() -> _Parts:
    module = _module("_locale")
    if module is None:
        return {}
    return {"locale": _Part(module.setlocale(module.LC_ALL, None), partial(module.setlocale, module.LC_ALL))}


def _time_zone() -> _Parts:
    module = _module("time")
    if module is None or not hasattr(module, "tzset"):
        return {}
    zone, tzset = _environ.get("TZ"), module.tzset

    def put(_: object) -> None:
        # The variable is a piece of state of its own, and stays what it is now.
        current = _environ.get("TZ")
        _set_zone(zone)
        tzset()
        _set_zone(current)

    return {"time.tzname": _Part(module.tzname, put)}


def _set_zone(zone: str | None) -> None:
    if zone is None:
        _environ.pop("TZ", None)
    else:
        _environ["TZ"] = zone


def _file_mask() -> _Parts:
    mask = _umask(0o077)
    _umask(mask)
    return {"umask": _Part(mask, _umask, f"{mask:#05o}")}


def _set_in_context(get: Callable[[], Any], name: str, value: Any) -> None:
    setattr(get(), name, value)


def _decimal() -> _Parts:
    module = _module("decimal")
    if module is None:
        return {}
    context, get = module.getcontext(), module.getcontext
    found = {}
    for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
        found[name] = _Part(getattr(context, name), partial(_set_in_context, get, name))
    names = [one.__name__ for one, trapped in context.traps.items() if trapped]

    def put(traps: tuple[Any, ...]) -> None:
        for one in list(get().traps):
            get().traps[one] = any(one is other for other in traps)

    found["traps"] = _Part(tuple(one for one, trapped in context.traps.items() if trapped), put, ", ".join(names))
    return {f"decimal.getcontext().{name}": part for name, part in found.items()}


def _socket_timeout() -> _Parts:
    module = _module("_socket")
    if module is None:
        return {}
    return {"socket.getdefaulttimeout()": _Part(module.getdefaulttimeout(), module.setdefaulttimeout)}


def _asyncio() -> _Parts:
    module = _module("asyncio.events")
    if module is None:
        return {}
    policy = vars(module).get("_event_loop_policy")
    # The first use of asyncio makes its own policy.
    own = policy is None or str(type(policy).__module__).startswith("asyncio.")
    put = partial(setattr, module, "_event_loop_policy")
    return {"asyncio event loop policy": _Part(None if own else policy, put, "asyncio's own" if own else ABSENT)}


def _random() -> _Parts:
    found = {}
    module, numpy = _module("random"), _module("numpy.random")
    if module is not None:
        state = module.getstate()
        found["random.getstate()"] = _Part(state, module.setstate, _digest(state))
    if numpy is not None:
        legacy = numpy.get_state()
        value = (legacy[0], legacy[1].tobytes(), *legacy[2:])
        put = partial(_call, numpy.set_state, legacy)
        found["numpy.random.get_state()"] = _Part(value, put, _digest((int.from_bytes(value[1]), *legacy[2:])))
    return found


def _call(function: Callable[[Any], Any], argument: Any, _: object) -> None:
    function(argument)


def _digest(state: tuple[Any, ...]) -> str:
    return f"state {hash(state) & 0xFFFFFFFF:08x}"


def _exit_handlers() -> _Parts:
    module: Any = _module("atexit")
    return {} if module is None else {"atexit handlers": _Part(module._ncallbacks())}  # noqa: SLF001 - told nowhere else


def _hooks() -> _Parts:
    found = {f"sys.{name}": _attribute(sys, name) for name in ("excepthook", "displayhook", "unraisablehook")}
    return {**found, "threading.excepthook": _attribute(threading, "excepthook")}


def _tracers() -> _Parts:
    return {
        "sys.gettrace()": _Part(_gettrace(), _settrace),
        "sys.getprofile()": _Part(_getprofile(), _setprofile),
    }


#: How each kind of state is read.
_PROBES: Final[dict[str, Callable[[], _Parts]]] = {
    "environment": _environment,
    "working-directory": _working_directory,
    "import-path": lambda: {"sys.path": _listed(sys, "path")},
    "imported-modules": _imported,
    "arguments": lambda: {"sys.argv": _listed(sys, "argv")},
    "streams": _streams,
    "warnings": _warnings,
    "logging": _logging,
    "signals": _signals,
    "threads": _threads,
    "child-processes": _children,
    "open-files": _open_files,
    "locale": _locale,
    "time-zone": _time_zone,
    "umask": _file_mask,
    "decimal": _decimal,
    "recursion-limit": lambda: {"sys.getrecursionlimit()": _Part(_getlimit(), _setlimit)},
    "trace": _tracers,
    "socket-timeout": _socket_timeout,
    "asyncio": _asyncio,
    "random-state": _random,
    "exit-handlers": _exit_handlers,
    "import-hooks": lambda: {f"sys.{name}": _listed(sys, name) for name in ("meta_path", "path_hooks")},
    "excepthook": _hooks,
}
#: Kinds of which each piece can come and go, and those of which only what came is a change.
_COME_AND_GO: Final = frozenset({"environment", "imported-modules"})
_COME: Final = frozenset({"threads", "child-processes", "open-files"})


def _read(kind: str) -> _Parts:
    try:
        return _PROBES[kind]()
    except Exception:  # noqa: BLE001 - a test may have put anything in the place of what is read
        return {}


class DeepState:
    """A snapshot of the state of the process, taken when it is made."""

    def __init__(self) -> None:
        self._then = {kind: _read(kind) for kind in _PROBES}

    def changes(self) -> list[Change]:
        """What differs from the snapshot; what was loaded since then has no state to compare with."""
        return [change for kind in _PROBES for change in self._differing(kind, self._then[kind], _read(kind))]

    def _differing(self, kind: str, then: _Parts, now: _Parts) -> list[Change]:
        found = []
        paths = {**then, **now} if kind in _COME_AND_GO else now
        for path in paths:
            old, new = then.get(path), now.get(path, _Part(ABSENT))
            if old is None and kind == "logging" and then:
                old = _Part(
                    _UNTOUCHED[name := path.rpartition(".")[2]], new.put, "NOTSET" if name == "level" else ABSENT
                )
            if old is None and kind not in _COME_AND_GO | _COME:
                continue
            old = old or _Part(ABSENT, new.put)
            if _same(old.value, new.value):
                continue
            shown = [part.value if part.shown is ABSENT else part.shown for part in (old, new)]
            if kind == "open-files" and old.value is not ABSENT:
                old = old._replace(put=new.put)
            found.append(Change(path, *in_words(*shown), kind, own=False, undo=self._undo(path, old)))
        return found

    def _undo(self, path: str, old: _Part) -> Callable[[], None] | None:
        if path.endswith(".closed") and path.startswith("sys.") and old.value is False:
            return lambda: self._reopen(path.removeprefix("sys.").removesuffix(".closed"))
        put = old.put
        return None if put is None else lambda: put(old.value)

    def _reopen(self, name: str) -> None:
        """Put a new stream on the same descriptor in the place of one that was closed; the new one is what counts."""
        number = ("stdin", "stdout", "stderr").index(name.strip("_"))
        stream = _fdopen(_dup(number), "w" if number else "r", encoding="utf-8", errors="backslashreplace")
        setattr(sys, name, stream)
        self._then["streams"][f"sys.{name}"] = _attribute(sys, name)
        self._then["open-files"].update(
            {path: part for path, part in _read("open-files").items() if path.endswith(f" {stream.fileno()}")}
        )


def _same(then: Any, now: Any) -> bool:
    if type(then) is list and type(now) is list:
        return len(then) == len(now) and all(map(alike, then, now))
    return alike(then, now)
