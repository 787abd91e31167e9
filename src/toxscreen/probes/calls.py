"""Calls that a category forbids, stopped by an audit hook in the very line that makes them; what tests touch is noted.

The hook follows PEP 578. It cannot be removed from a process, so it is added once and looks at what is in force.
"""

from __future__ import annotations

import ipaddress
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from toxscreen.errors import PolicyViolation
from toxscreen.model import Network, Policy
from toxscreen.probes.addresses import is_internet, is_local
from toxscreen.probes.touching import EVENTS, Touched

NETWORK: Final = "network"
SUBPROCESS: Final = "subprocess"
#: What ``@pytest.mark.allow`` takes.
ALLOWABLE: Final = (NETWORK, SUBPROCESS)

_fsdecode = os.fsdecode
_HOST_AND_PORT: Final = 2


@dataclass(slots=True)
class Rule:
    """What the running test may do, and what it tried although it may not."""

    node_id: str
    category: str
    network: Network
    subprocesses: bool
    violations: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, node_id: str, policy: Policy, allowed: frozenset[str]) -> Rule:
        """The rule for a test of a category, with the exceptions its marker declares."""
        return cls(
            node_id,
            policy.category,
            "any" if NETWORK in allowed else policy.network,
            policy.subprocesses or SUBPROCESS in allowed,
        )

    @property
    def forbids_something(self) -> bool:
        """Whether there is anything to watch for."""
        return self.network != "any" or not self.subprocesses

    def judge(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        """Why an audited call is forbidden; None when it may go on."""
        call = _PROCESS_EVENTS.get(event)
        if call is not None:
            return None if self.subprocesses else self._told(call(arguments), "start no process", SUBPROCESS)
        address = _NETWORK_EVENTS[event]
        if self.network == "any":
            return None
        target = address(arguments)
        if target is None or (self.network == "loopback" and target.local):
            return None
        may = "not use the network" if self.network == "none" else "use the loopback interface only"
        return self._told(str(target), may, NETWORK)

    def _told(self, call: str, may: str, exception: str) -> str:
        return (
            f"{self.node_id} called {call}: tests of category {self.category} may {may}. "
            f'Declare it with @pytest.mark.allow("{exception}"), or move the test to a category that permits it.'
        )


class _Target(NamedTuple):
    """What a network call is aimed at."""

    call: str
    where: str
    local: bool

    def __str__(self) -> str:
        return f"{self.call} {self.where}"


def _is_own_name(host: str) -> bool:
    """Whether it is this machine's name, which a server that binds all interfaces looks up."""
    module: Any = sys.modules.get("_socket")
    return module is not None and host == module.gethostname()


def _internet(call: str, *, unspecified: bool = False) -> Callable[[tuple[Any, ...]], _Target | None]:
    """Reader of (socket, address) events; other families than the internet's are no network.

    Args:
        call: the call's name for the message.
        unspecified: whether "all interfaces" counts as local, as it does for a server that binds.
    """

    def read(arguments: tuple[Any, ...]) -> _Target | None:
        address = arguments[1] if len(arguments) > 1 else None
        if not isinstance(address, tuple) or len(address) < _HOST_AND_PORT or not is_internet(arguments[0]):
            return None
        host = address[0]
        local = is_local(host) or (unspecified and host in {"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
        return _Target(call, f"{host}:{address[1]}", local)

    return read


def _lookup(call: str, *, reverse: bool = False) -> Callable[[tuple[Any, ...]], _Target | None]:
    """Reader of look-ups; those of this machine's own names and addresses need no network.

    Args:
        call: the call's name for the message.
        reverse: whether it asks for the name of a numeric address too, which otherwise needs no network.
    """

    def read(arguments: tuple[Any, ...]) -> _Target | None:
        host = arguments[0] if arguments else None
        if isinstance(host, bytes | bytearray):
            host = host.decode("utf-8", "replace")
        if not isinstance(host, str) or is_local(host) or _is_own_name(host):
            return None
        if not reverse:
            try:
                ipaddress.ip_address(host.partition("%")[0])
            except ValueError:
                pass
            else:
                return None
        return _Target(call, host, local=False)

    return read


def _process(call: str, position: int | None = None) -> Callable[[tuple[Any, ...]], str]:
    """Reader of events that start a process; ``position`` is the argument worth telling."""

    def read(arguments: tuple[Any, ...]) -> str:
        if position is None or len(arguments) <= position:
            return f"{call}()"
        told = arguments[position]
        try:
            words = told if isinstance(told, str | bytes | os.PathLike) else " ".join(map(str, told))
            return f"{call} {_fsdecode(words)!r}"
        except TypeError:
            return f"{call} {told!r}"

    return read


_NETWORK_EVENTS: Final[dict[str, Callable[[tuple[Any, ...]], _Target | None]]] = {
    "socket.connect": _internet("socket.connect"),
    "socket.bind": _internet("socket.bind", unspecified=True),
    "socket.sendto": _internet("socket.sendto"),
    "socket.sendmsg": _internet("socket.sendmsg"),
    "socket.getaddrinfo": _lookup("socket.getaddrinfo"),
    "socket.gethostbyname": _lookup("socket.gethostbyname"),
    "socket.gethostbyaddr": _lookup("socket.gethostbyaddr", reverse=True),
}
_PROCESS_EVENTS: Final[dict[str, Callable[[tuple[Any, ...]], str]]] = {
    "subprocess.Popen": _process("subprocess.Popen", 1),
    "os.system": _process("os.system", 0),
    "os.posix_spawn": _process("os.posix_spawn", 1),
    "os.spawn": _process("os.spawn", 2),
    "os.startfile": _process("os.startfile", 0),
    "os.exec": _process("os.exec", 1),
    "os.fork": _process("os.fork"),
    "os.forkpty": _process("os.forkpty"),
}
_JUDGED: Final = frozenset({*_NETWORK_EVENTS, *_PROCESS_EVENTS})
_SLEEP: Final = "time.sleep"
#: Whether the interpreter tells of it, see https://docs.python.org/3/library/time.html#time.sleep.
_TELLS_OF_SLEEP: Final = sys.version_info >= (3, 13)
_WATCHED: Final = _JUDGED | EVENTS | {_SLEEP}
#: Seconds that nobody can sleep: what is asked for may be nonsense.
_TOO_LONG: Final = threading.TIMEOUT_MAX


class _InForce:
    """The one rule in force in this process; a test runs one at a time, whatever its threads do."""

    rule: Rule | None = None
    #: Takes notes of the running test.
    touched: Touched | None = None
    added = False
    #: Seconds that the main thread asked ``time.sleep`` for, since somebody looks.
    slept = 0.0
    #: Threads that act for toxscreen itself.
    exempt: Final[set[int]] = set()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    # Called for every audited event, a dozen a test: nothing may stand before the condition.
    if event in _WATCHED:
        __tracebackhide__ = True
        if _InForce.rule is not None and event in _JUDGED:
            check(event, arguments)
        # What was forbidden did not happen.
        touched = _InForce.touched
        if touched is not None and event in EVENTS:
            if threading.get_ident() not in _InForce.exempt:
                touched.hear(event, arguments)
        elif event == _SLEEP:
            _note_sleep(arguments[0])


def check(event: str, arguments: tuple[Any, ...]) -> None:
    """Judge one audited call by the rule in force.

    Raises:
        PolicyViolation: it is forbidden; it is noted as well, for tests that swallow the exception.
    """
    __tracebackhide__ = True
    rule = _InForce.rule
    if rule is None or threading.get_ident() in _InForce.exempt:
        return
    told = rule.judge(event, arguments)
    if told is not None:
        if told not in rule.violations:
            rule.violations.append(told)
        raise PolicyViolation(told)


def enforce(rule: Rule | None) -> Rule | None:
    """Put a rule in force, or none.

    Returns:
        The rule that was in force before.
    """
    before = _InForce.rule
    _InForce.rule = rule
    if rule is not None and not _InForce.added:
        _add_hook()
    return before


def listen(touched: Touched | None) -> Touched | None:
    """Let what is touched from now on be noted, or no longer.

    Returns:
        Who took notes before.
    """
    before = _InForce.touched
    _InForce.touched = touched
    if touched is not None and not _InForce.added:
        _add_hook()
    return before


def slept() -> float | None:
    """Seconds that the main thread asked ``time.sleep`` for so far; None where nobody listens, or nobody tells."""
    return _InForce.slept if _TELLS_OF_SLEEP and _InForce.added else None


def _note_sleep(seconds: object) -> None:
    # Other threads may sleep for longer than the test takes, and hold nobody up.
    if (
        isinstance(seconds, int | float)
        and 0 < seconds < _TOO_LONG
        and threading.get_ident() == threading.main_thread().ident
    ):
        _InForce.slept += seconds


def _add_hook() -> None:
    _InForce.added = True
    sys.addaudithook(_hook)


@contextmanager
def exempt() -> Iterator[None]:
    """Let toxscreen's own calls of this thread pass, such as starting a service for a test."""
    thread = threading.get_ident()
    if thread in _InForce.exempt:
        yield
        return
    _InForce.exempt.add(thread)
    try:
        yield
    finally:
        _InForce.exempt.discard(thread)
