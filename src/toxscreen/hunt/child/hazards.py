"""What in this process does not survive a fork well: threads, event loops, connections, libraries that say so."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

#: How many of a kind are named.
_MOST_NAMED: Final = 3
#: Libraries with native threads of their own that are known to survive a fork.
_HARMLESS_THREADS: Final = ("numpy", "polars", "scipy", "torch")


def hazards() -> tuple[list[str], list[str]]:
    """Hazards of forking this process, after it has collected.

    Returns:
        What makes forks doubtful, and what makes them useless; in words.
    """
    threads = _threads()
    doubtful = [*threads, *_native_threads(), *_children(), *_sockets(), *_databases()]
    held = _held_locks(sys.modules) if threads else []
    return doubtful, [*_replaced(), *_loop(), *held, *unforkable_modules(sys.modules)]


def _threads() -> list[str]:
    names = [each.name for each in threading.enumerate() if each is not threading.current_thread()]
    return _named("thread", names)


def _native_threads() -> list[str]:
    if any(name in sys.modules for name in _HARMLESS_THREADS):
        return []
    try:
        native = len(list(Path("/proc/self/task").iterdir())) - threading.active_count()
    except OSError:
        return []
    return [f"{native} native thread{'s' * (native > 1)}"] if native > 0 else []


def _children() -> list[str]:
    multiprocessing = sys.modules.get("multiprocessing.process")
    children: Iterable[Any] = getattr(multiprocessing, "_children", ())
    found = _named("child process", [each.name for each in children])
    tracker = getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None)
    if getattr(tracker, "_fd", None) is not None:
        found.append("the resource tracker of multiprocessing")
    return found


def _sockets() -> list[str]:
    """Open sockets; where the system does not tell, those that Python made."""
    try:
        descriptors = list(Path("/proc/self/fd").iterdir())
    except OSError:
        kind = getattr(sys.modules.get("socket"), "socket", None)
        number = _count_open(kind, lambda each: each.fileno() >= 0) if kind is not None else 0
    else:
        number = 0
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                # Standard streams are given to this process, and it uses them for output only.
                is_standard = descriptor.name in {"0", "1", "2"}
                number += not is_standard and os.fspath(descriptor.readlink()).startswith("socket:")
    return [f"{number} open socket{'s' * (number > 1)}"] if number else []


def _databases() -> list[str]:
    kind = getattr(sys.modules.get("sqlite3"), "Connection", None)
    number = _count_open(kind, lambda each: each.in_transaction is not None) if kind is not None else 0
    return [f"{number} open SQLite connection{'s' * (number > 1)}"] if number else []


def _count_open(kind: type[Any], is_open: Callable[[Any], bool]) -> int:
    number = 0
    for each in gc.get_objects():
        # Not isinstance: that asks proxies for their class, which runs somebody's code.
        if issubclass(type(each), kind):
            with contextlib.suppress(Exception):
                number += is_open(each)
    return number


def _replaced() -> list[str]:
    fork = getattr(sys.modules.get("posix"), "fork", None)
    return ["os.fork is replaced"] if fork is not None and os.fork is not fork else []


def _loop() -> list[str]:
    running = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)
    return ["an event loop of asyncio runs"] if running is not None and running() is not None else []


def _held_locks(modules: Mapping[str, Any]) -> list[str]:
    """Locks at the top of modules that are held: where threads run, one of those that a fork does not have."""
    lock = type(threading.Lock())
    found = []
    for name, module in list(modules.items()):
        for key, each in list(getattr(module, "__dict__", {}).items()):
            if type(each) is lock and each.locked():
                found.append(f"{name}.{key}")
    return [f"a thread may hold {each}" for each in found[:_MOST_NAMED]]


def unforkable_modules(modules: Mapping[str, Any], platform: str = sys.platform) -> list[str]:
    """Libraries that are known to hang or fail in a fork, once they are started.

    Args:
        modules: what is imported.
        platform: as ``sys.platform`` names it.
    """
    found = []
    if "grpc._cython.cygrpc" in modules and os.environ.get("GRPC_ENABLE_FORK_SUPPORT", "").lower() not in {"1", "true"}:
        found.append("grpc is imported, which does not work in forks")
    cuda = modules.get("torch.cuda")
    with contextlib.suppress(Exception):
        if cuda is not None and cuda.is_initialized():
            found.append("CUDA is started, which does not work in forks")
    context = modules.get("tensorflow.python.eager.context")
    with contextlib.suppress(Exception):
        if context is not None and context.context()._initialized:  # noqa: SLF001 - it tells nowhere else
            found.append("tensorflow is started, which does not work in forks")
    if platform == "darwin" and "objc" in modules:
        found.append("frameworks of macOS are loaded, which do not work in forks")
    return found


def _named(noun: str, names: list[str]) -> list[str]:
    more = len(names) - _MOST_NAMED
    return [f"{noun} {name}" for name in names[:_MOST_NAMED]] + ([f"{more} more"] if more > 0 else [])
