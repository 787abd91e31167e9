"""What tools found in the code, as values of the ratchet, also after files, functions and classes have moved. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from toxscreen.gates.ratchet import Key, Ratchet
from toxscreen.model import Measured

#: Kinds of values in the ratchet: findings or complexity, and the folders that a tool looks at.
FOUND: Final = "quality"
LOOKED: Final = "checked"


@dataclass(frozen=True, slots=True)
class Quality:
    """What the tools found, as the evidence holds it."""

    tools: Mapping[str, Measured]
    #: The project's Python files; None where nobody knows.
    expected: frozenset[str] | None
    #: The functions and classes of every file.
    symbols: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def has(self, key: Key) -> bool:
        """Whether what a key is about is still there: a symbol in a file, or a file in a folder."""
        if key.kind == LOOKED:
            scope = key.name.partition(" ")[2]
            return any(_scope(file) == scope for file in self.expected or ())
        _, _, file, symbol = parts(key)
        return file in self.symbols and (symbol.startswith("<") or symbol in self.symbols[file])


def read(data: Mapping[str, Any]) -> Quality:
    """The data of the evidence ``quality``.

    Raises:
        ValueError: it is something else.
    """
    try:
        tools = {
            str(name): Measured(
                tool=str(name),
                command=tuple(map(str, told["command"])),
                version=str(told["version"]),
                files=tuple(map(str, told["files"])),
                values={str(key): float(value) for key, value in told["values"].items()},
                lines={str(key): int(line) for key, line in told["lines"].items()},
                failure=str(told["failure"]),
                remedy=tuple(map(str, told["remedy"])),
            )
            for name, told in data["tools"].items()
        }
        expected = None if data["expected"] is None else frozenset(map(str, data["expected"]))
        symbols = {str(file): frozenset(map(str, names)) for file, names in data["symbols"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    return Quality(tools, expected, symbols)


def values(measured: Measured) -> dict[Key, float]:
    """What a tool measured, by key of the ratchet."""
    found = {Key(FOUND, f"{measured.tool} {name}"): value for name, value in measured.values.items()}
    return found | {Key(LOOKED, f"{measured.tool} {_scope(file)}"): 1.0 for file in measured.files}


def _scope(file: str) -> str:
    """The part of the project that a file belongs to: the outermost folder."""
    folder, slash, _ = file.partition("/")
    return f"{folder}/" if slash else "."


def tool_of(key: Key) -> str | None:
    """The tool that a value comes from; None for values of other gates."""
    return key.name.partition(" ")[0] if key.kind in {FOUND, LOOKED} else None


def part(whole: Ratchet | None, tool: str) -> Ratchet | None:
    """A tool's part of a ratchet; None where it has none: a tool that has measured always leaves what it looked at."""
    mine = Ratchet() if whole is None else whole.where(lambda key: tool_of(key) == tool)
    return mine if mine.values else None


def parts(key: Key) -> tuple[str, str, str, str]:
    """Tool, rule, file and symbol of a key of the kind ``quality``."""
    tool, _, rest = key.name.partition(" ")
    rule, _, subject = rest.partition(" ")
    file, _, symbol = subject.rpartition(":")
    return tool, rule, file, symbol


def carried(base: Ratchet, now: Mapping[Key, float], quality: Quality) -> Ratchet:
    """The base with its values under the names that their symbols have now.

    A value moves when its symbol is gone and another one has a new value of the same rule, not a worse one: a symbol of
    the same name in any file (the file or the function moved), or one in the same file (it was renamed).

    Args:
        base: the base's values.
        now: what is measured now.
        quality: what says which symbols there are.
    """
    moved = dict(base.values)
    gone = {key for key in base.values if key.kind == FOUND and key not in now and not quality.has(key)}
    for key in sorted(now.keys() - base.values.keys()):
        fitting = [each for each in gone if _may_be(each, key) and moved[each] >= now[key]]
        if fitting:
            # The smallest that will do: the others may be needed for worse ones.
            before = min(fitting, key=lambda each: (moved[each], each))
            gone.remove(before)
            moved[key] = moved.pop(before)
    return Ratchet(moved)


def _may_be(before: Key, key: Key) -> bool:
    if key.kind != FOUND:
        return False
    *rule, file, symbol = parts(before)
    *other_rule, other_file, other_symbol = parts(key)
    return rule == other_rule and (symbol == other_symbol or file == other_file)
