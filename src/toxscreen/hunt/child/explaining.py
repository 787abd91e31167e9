"""What leaked from some tests into the next one, and the proof: undone, the next one turns."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toxscreen.probes.change import Change
from toxscreen.probes.deep_state import DeepState
from toxscreen.probes.module_state import ModuleState

if TYPE_CHECKING:
    from toxscreen.hunt.child.running import Runner

_exit = getattr(sys.modules.get("posix"), "_exit", os._exit)
# Polluters replace functions of `os`; these are the real ones.
_close, _fork, _kill, _pipe, _read, _waitpid = os.close, os.fork, os.kill, os.pipe, os.read, os.waitpid
#: Changes that are told where none could be proved.
_MOST_SEEN: Final = 5


def explain(runner: Runner, node_ids: Sequence[str], order: dict[str, Any]) -> None:
    """Run all tests but the last, see what they changed, and find the change without which the last one turns.

    A line ``{"culprit": ...}`` is written for each. The method is that of a control experiment: the last test runs in
    forks of this very process, each with some of the changes undone.

    Args:
        runner: runs tests.
        node_ids: polluters or state-setters, then the test that depends on them.
        order: ``limit``: seconds that one fork may take.
    """
    *before, last = node_ids
    limit: float = order["limit"]
    known = set(sys.modules)
    # What is imported by these tests has no "before"; it is given one, unless that fails.
    for name in _in_fork(runner, limit, lambda: _imported(runner, node_ids, known)) or []:
        with contextlib.suppress(BaseException):
            importlib.import_module(name)
    deep, modules = DeepState(), ModuleState(_is_own(runner.roots))
    runner.run_all(before, after=last)
    found = [*modules.changes(), *deep.changes()]
    changes = [each for each in found if each.undo is not None]
    # Where several explain it, the project's own state is the better answer. It is also tried alone: among the others
    # there may be one whose undoing breaks what runs the test.
    own = [each for each in changes if each.own]
    changes = own + [each for each in changes if not each.own]

    def outcome(undone: Iterable[Change]) -> object:
        return _in_fork(runner, limit, lambda: _last_outcome(runner, undone, last))

    as_it_is = outcome(())

    def turns(undone: Sequence[Change]) -> bool:
        got = outcome(undone)
        return got is not None and got != as_it_is

    proved = (needed(own, turns) or needed(changes, turns)) if as_it_is is not None else []
    seen = [] if proved else [each for each in found if each.own or each.kind not in {"patched", "imported-modules"}]
    for change in proved or seen[:_MOST_SEEN]:
        told = {"path": change.path, "before": change.before, "after": change.after, "kind": change.kind}
        runner.write({"culprit": {**told, "proved": bool(proved)}})


def needed(changes: Sequence[Change], turns: Callable[[Sequence[Change]], bool]) -> list[Change]:
    """Changes that, undone together, turn it; found from the shortest prefixes that do, and few therefore.

    Args:
        changes: candidates, the likeliest first.
        turns: whether undoing these turns the outcome.

    Returns:
        None of them where undoing all does not.
    """
    rest, found = list(changes), list[Change]()
    if not rest or not turns(rest):
        return []
    while rest:
        short, enough = 0, len(rest)
        while enough - short > 1:
            middle = (short + enough) // 2
            if turns([*rest[:middle], *found]):
                enough = middle
            else:
                short = middle
        rest, found = rest[: enough - 1], [rest[enough - 1], *found]
        if turns(found):
            return found
    return []


def _imported(runner: Runner, node_ids: Sequence[str], known: set[str]) -> list[str]:
    runner.run_all(node_ids)
    return [name for name in sys.modules if name not in known]


def _last_outcome(runner: Runner, undone: Iterable[Change], last: str) -> list[str]:
    for change in undone:
        if change.undo is not None:
            with contextlib.suppress(Exception):
                change.undo()
    runner.run_all([last])
    # A failure of another kind is another bug, and no proof: only red or not counts.
    return ["red" if runner.last_is_red else "green"]


def _in_fork(runner: Runner, limit: float, do: Callable[[], list[str]]) -> list[str] | None:
    """What a function answers in a fork of this process; None where it does not come back."""
    reading, writing = _pipe()
    process = _fork()
    if not process:
        try:
            _close(reading)
            runner.mute()
            with open(writing, "wb", closefd=False) as pipe:
                pipe.write(json.dumps(do()).encode())
        except BaseException:  # noqa: BLE001 - nothing may come back from a fork
            _exit(70)
        _exit(0)
    _close(writing)
    heard = b""
    while select.select([reading], [], [], limit)[0]:
        chunk = _read(reading, 65536)
        if not chunk:
            break
        heard += chunk
    else:
        _kill(process, signal.SIGKILL)
    _close(reading)
    _waitpid(process, 0)
    try:
        answer: list[str] = json.loads(heard)
    except ValueError:
        return None
    return answer


def _is_own(roots: Sequence[Path]) -> Callable[[str], bool]:
    """Whether a module is the project's: its file lies below a root, and not in an environment there."""

    def is_own(name: str) -> bool:
        file = getattr(sys.modules.get(name), "__file__", None)
        if not isinstance(file, str):
            return False
        path = Path(file)
        return any(path.is_relative_to(root) for root in roots) and "site-packages" not in path.parts

    return is_own
