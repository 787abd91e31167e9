"""The ratchet: values that may not get worse, in one sorted text file that merges line by line. Pure.

It knows how the file is written, and what is worse; what the values mean it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum
from typing import Final, NamedTuple

from toxscreen.errors import ConfigError, Place, UnknownKeyError, did_you_mean, raise_together
from toxscreen.model import RATCHET

#: Its name, at the project's root.
FILE: Final = RATCHET
#: What makes it, and makes it stricter.
COMMAND: Final = ("toxscreen", "gate", "--write-ratchet")

_HEADER: Final = (
    "# What may not get worse: one value a line, sorted, without line numbers.",
    f"# Made and made stricter by: {' '.join(COMMAND)}",
)
_LINE = re.compile(r"(?P<kind>[^\s#]+)(?:\t| {2,})(?P<name>\S|\S.*?\S)(?:\t| {2,})(?P<value>\S+)")
_VALUE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
#: What git leaves in a file in which two sides changed the same lines.
_MARK = re.compile(r"(<{7}|\|{7}|={7}|>{7})( |$)")
_CODE = re.compile(r"\\u([0-9a-f]{4})|\\U(00(?:0[0-9a-f]|10)[0-9a-f]{4})")
_STEP = Decimal("0.01")


class Better(Enum):
    """Which of two values is the stricter one."""

    SMALLER = "smaller"
    LARGER = "larger"


#: Every kind of value, and what is better there.
KINDS: Final = {
    "checked": Better.LARGER,  # what a tool looks at
    "coverage": Better.LARGER,  # percent
    "excluded": Better.SMALLER,  # what is taken out of the measurement
    "quality": Better.SMALLER,  # findings of tools, complexity of functions
}


class Key(NamedTuple):
    """What a value is of; it has no line number, so that it stays the same when lines move."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Ratchet:
    """The values of one file."""

    values: Mapping[Key, float] = field(default_factory=dict)

    def where(self, wanted: Callable[[Key], bool]) -> Ratchet:
        """The part of it whose keys are wanted."""
        return Ratchet({key: value for key, value in self.values.items() if wanted(key)})


class Change(NamedTuple):
    """A value, and what it was."""

    key: Key
    #: 0 where the base does not know the key.
    before: float
    now: float


class Comparison(NamedTuple):
    """How values stand against those of a base, each part in order of the keys."""

    worse: tuple[Change, ...] = ()
    better: tuple[Change, ...] = ()
    #: Keys that the base does not know; where smaller is better, they are worse as well.
    new: tuple[Change, ...] = ()
    #: Keys that only the base knows. Where larger is better, the gate knows whether the subject is still there.
    gone: tuple[Change, ...] = ()


def parse(text: str | bytes, name: str = FILE) -> Ratchet:
    """Read a file.

    Of a key that stands twice, as merging line by line leaves it, the stricter value counts.

    Args:
        text: all of it.
        name: of the file, for messages.

    Raises:
        ConfigError: a line that is none.
        ErrorGroup: several.
    """
    whole = _decoded(text, name) if isinstance(text, bytes) else text
    values: dict[Key, float] = {}
    errors: list[ConfigError] = []
    # Not splitlines(): a key may hold characters that it takes for the end of a line.
    for number, line in enumerate(whole.removeprefix("\ufeff").split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _entry(stripped, Place(name, line=number))
        if isinstance(found, ConfigError):
            errors.append(found)
        else:
            key, measured = found
            values[key] = stricter(key, measured, values.get(key, measured))
    raise_together(errors)
    return Ratchet(values)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8", place=Place(name, line=line), hint=_hint()) from None


def _entry(line: str, place: Place) -> tuple[Key, float] | ConfigError:
    if _MARK.match(line):
        told = "holds the mark of a merge conflict that nobody has resolved"
        hint = (
            f"keep the lines of both sides, the stricter value counts; `{FILE} merge=union` in .gitattributes does it"
        )
        return ConfigError(told, place=place, hint=hint)
    match = _LINE.fullmatch(line)
    if match is None:
        return ConfigError("must be KIND, KEY and VALUE with two spaces between them", place=place, hint=_hint())
    kind, value = match["kind"], match["value"]
    if kind not in KINDS:
        return UnknownKeyError(f"there is no kind {kind!r}", place=place, hint=did_you_mean(kind, KINDS))
    if not _VALUE.fullmatch(value):
        told = f"the value is {value!r}, must be a number, 0 or more, with at most two decimal places"
        return ConfigError(told, place=place, hint=_hint())
    return Key(kind, _plain(match["name"])), float(value)


def _hint() -> str:
    return f"correct the line, or remove the file and make it anew: {' '.join(COMMAND)}"


def render(ratchet: Ratchet) -> str:
    """The file: a header, then the lines in the order of their bytes.

    Raises:
        ValueError: a key of a kind that does not exist, or a value that cannot be written.
    """
    lines = []
    for key, value in ratchet.values.items():
        if key.kind not in KINDS or not key.name:
            raise ValueError(f"{key} is no key")
        shown = f"{rounded(key, value):.2f}".rstrip("0").rstrip(".")
        if not _VALUE.fullmatch(shown):
            raise ValueError(f"{value} of {key} is no value")
        lines.append(f"{key.kind}  {_escaped(key.name)}  {shown}")
    return "".join(f"{line}\n" for line in (*_HEADER, *sorted(lines, key=str.encode)))


def _escaped(name: str) -> str:
    r"""A name on one line: what is not printable, a backslash and every second of two spaces as ``\u....``."""
    shown = "".join(each if each.isprintable() and each != "\\" else _code(each) for each in name)
    return re.sub(" (?= )|^ | $", lambda _: _code(" "), shown)


def _code(character: str) -> str:
    number = f"{ord(character):04x}"
    return f"\\u{number}" if len(number) == len("ffff") else f"\\U{number:0>8}"


def _plain(name: str) -> str:
    return _CODE.sub(lambda match: chr(int(match[1] or match[2], 16)), name)


def rounded(key: Key, value: float) -> float:
    """A value as the file shows it, and as it is compared: two decimal places, never stricter than it is."""
    loose = ROUND_CEILING if KINDS[key.kind] is Better.SMALLER else ROUND_FLOOR
    return float(Decimal(repr(float(value))).quantize(_STEP, rounding=loose))


def is_worse(key: Key, now: float, before: float) -> bool:
    """Whether a value got worse."""
    now, before = rounded(key, now), rounded(key, before)
    return now > before if KINDS[key.kind] is Better.SMALLER else now < before


def stricter(key: Key, one: float, other: float) -> float:
    """The stricter of two values."""
    return one if is_worse(key, other, one) else other


def compare(base: Ratchet | None, now: Mapping[Key, float]) -> Comparison:
    """Hold values against those of the base.

    Args:
        base: what may not get worse; None allows whatever is.
        now: what was measured.
    """
    if base is None:
        return Comparison()
    known = base.values
    changes = [Change(key, known.get(key, 0.0), now[key]) for key in sorted(now)]
    lost = [Change(key, known[key], 0.0) for key in sorted(known.keys() - now.keys())]
    return Comparison(
        worse=tuple(each for each in changes if is_worse(each.key, each.now, each.before)),
        better=tuple(each for each in (*changes, *lost) if is_worse(each.key, each.before, each.now)),
        new=tuple(each for each in changes if each.key not in known),
        gone=tuple(lost),
    )


def in_effect(base: Ratchet | None, own: Ratchet | None) -> Ratchet | None:
    """What may not get worse: the file here, and where that is looser than the base's, the base's.

    Args:
        base: the base's file; None where it has none.
        own: the file as it is here; None where there is none.
    """
    if base is None or own is None:
        return own if base is None else base
    values = {}
    for key in base.values.keys() | own.values.keys():
        value = stricter(key, base.values.get(key, 0.0), own.values.get(key, 0.0))
        if value:
            values[key] = value
    return Ratchet(values)


def looser(base: Ratchet | None, own: Ratchet | None) -> tuple[Change, ...]:
    """The values of a file that are worse than the base's: somebody has edited it, or measured with worse sources.

    A file that is gone, as a whole or a line of it where larger is better, allows anything and is looser too.
    """
    if base is None:
        return ()
    own = own or Ratchet()
    keys = sorted(base.values.keys() | own.values.keys())
    pairs = (Change(key, base.values.get(key, 0.0), own.values.get(key, 0.0)) for key in keys)
    return tuple(each for each in pairs if is_worse(each.key, each.now, each.before))


def tightened(base: Ratchet | None, now: Mapping[Key, float]) -> Ratchet:
    """The values to write down: what was measured, but nowhere looser than the base.

    Args:
        base: the values there; None where it has none: then whatever was measured is the start.
        now: what was measured.
    """
    if base is None:
        return Ratchet(dict(now))
    allowed = {key: stricter(key, value, base.values.get(key, 0.0)) for key, value in now.items()}
    return Ratchet({key: value for key, value in allowed.items() if value})
