"""Changes of process state in words: what differs, not what surrounds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from toxscreen import model

_MOST_CHARACTERS: Final = 200


class Named:
    """An object that is told by its name, or by that of its type, and is equal to nothing but itself."""

    __slots__ = ("it",)

    def __init__(self, it: object) -> None:
        self.it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)

    def __repr__(self) -> str:
        name = getattr(self.it, "__qualname__", None)
        owner = self.it if isinstance(name, str) else type(self.it)
        return f"{getattr(owner, '__module__', None) or 'builtins'}.{getattr(owner, '__qualname__', owner)}"


def same(then: Any, now: Any) -> bool:
    """Whether two values are equal; what cannot be compared is not."""
    try:
        return bool(then == now)
    except Exception:  # noqa: BLE001 - a test may have put anything there
        return False


def leaks(differences: Mapping[str, tuple[Any, Any]], blamed: str) -> tuple[model.Leak, ...]:
    """Differences as leaks that a test or fixture is blamed for."""
    return tuple(model.Leak(name, *_told(then, now), blamed) for name, (then, now) in differences.items())


def _told(then: Any, now: Any) -> tuple[str, str]:
    """Both values in words that differ: of long ones what lies around the first difference."""
    if isinstance(then, list) and isinstance(now, list):
        old, new = _told_lists(then, now)
    else:
        old, new = _words(then), _words(now)
    if old == new:
        return _cut(old, 0), _cut(old, 0) + " (another one)"
    shorter = min(len(old), len(new))
    alike = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    start = max(0, alike - _MOST_CHARACTERS // 4) if max(len(old), len(new)) > _MOST_CHARACTERS else 0
    return _cut(old, start), _cut(new, start)


def _told_lists(then: list[Any], now: list[Any]) -> tuple[str, str]:
    """Lists without the entries that both begin or end with."""
    shorter = min(len(then), len(now))
    head = next((index for index in range(shorter) if not same(then[index], now[index])), shorter)
    rest = shorter - head
    tail = next((back for back in range(rest) if not same(then[-1 - back], now[-1 - back])), rest)

    def told(entries: list[Any]) -> str:
        own = [_repr(entry) for entry in entries[head : len(entries) - tail]]
        before = ["..."] if head else []
        after = ["..."] if tail and (own or not head) else []
        return f"[{', '.join([*before, *own, *after])}]"

    return told(then), told(now)


def _words(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, str):
        return value
    return _repr(Named(value) if callable(value) else value)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a test may have put anything there
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _cut(text: str, start: int) -> str:
    cut = text[start : start + _MOST_CHARACTERS]
    return f"{'...' if start else ''}{cut}{'...' if len(text) > start + _MOST_CHARACTERS else ''}"
