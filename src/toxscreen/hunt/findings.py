"""Reads what an earlier hunt printed with ``--json``: strict about what is read, blind to everything else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from toxscreen.errors import FindingsError, Place
from toxscreen.journal.codec import json_from
from toxscreen.model import Culprit, Frame, Isolation, IsolationKind, Origin

#: Version of the shape of these documents; the command line writes it.
SCHEMA: Final = 1
#: Bytes of a document, at most: a device would never end.
_MOST_BYTES: Final = 256 * 2**20
_HINT: Final = "give what `toxscreen hunt --json` printed"
_SHORT: Final = 40
#: Kinds that take other tests or files.
_WITH_PARTNERS: Final = frozenset(
    {IsolationKind.VICTIM, IsolationKind.BRITTLE, IsolationKind.COLLECTION, IsolationKind.CONFLICT}
)
_REQUIRED: Final = object()
_WORDS: Final[dict[type, str]] = {str: "a text", int: "a whole number", bool: "true or false", list: "a list"}


@dataclass(frozen=True, slots=True)
class Found:
    """What an earlier hunt found."""

    #: Where pytest was started, as that hunt knew it.
    root: str
    findings: tuple[Isolation, ...]


def read_findings(path: Path, name: str) -> Found:
    """The findings of an earlier hunt, without the probes of their proofs.

    Args:
        path: of the document.
        name: what the user calls it.

    Raises:
        FindingsError: it cannot be read, or is something else.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise FindingsError(f"cannot be read: {told}", place=Place(name), hint=_HINT) from None
    if len(content) > _MOST_BYTES:
        raise FindingsError("is too large for what a hunt found", place=Place(name), hint=_HINT)
    return findings_from(content, name)


def findings_from(content: bytes, name: str) -> Found:
    """The findings in a document.

    Args:
        content: all of it.
        name: what the user calls it.

    Raises:
        FindingsError: it is no document of a hunt, or one of another schema.
    """
    try:
        value = json_from(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        place = Place(name, line=error.lineno)
        raise FindingsError(f"is no JSON: {error.msg}", place=place, hint=_HINT) from None
    except UnicodeDecodeError:
        raise FindingsError("is no JSON: it is not in UTF-8", place=Place(name), hint=_HINT) from None
    except ValueError as error:
        raise FindingsError(f"is no JSON: {error}", place=Place(name), hint=_HINT) from None
    top = _Object(value, name, "")
    if "findings" not in top.members:
        hint = "that hunt ended with an error; hunt again" if "errors" in top.members else _HINT
        raise FindingsError("is not what a hunt found: it has no findings", place=Place(name), hint=hint)
    schema = top.number("schema")
    if schema != SCHEMA:
        top.refuse("schema", f"is {schema}; this version reads {SCHEMA}", hint="hunt again with this version")
    return Found(top.text("root"), tuple(_finding(each) for each in top.objects("findings")))


class _Object:
    """An object of the document: hands out its members, and says which one is wrong."""

    def __init__(self, value: object, file: str, key: str) -> None:
        self._file, self._key = file, key
        if not isinstance(value, dict):
            raise FindingsError(f"is no object: {_short(value)}", place=Place(file, key or None), hint=_HINT)
        self.members: dict[str, Any] = value

    def _path(self, name: str) -> str:
        return f"{self._key}.{name}" if self._key else name

    def refuse(self, name: str, told: str, *, hint: str = _HINT) -> NoReturn:
        raise FindingsError(told, place=Place(self._file, self._path(name)), hint=hint)

    def _get(self, name: str, kind: type, default: object = _REQUIRED) -> Any:
        value = self.members.get(name, default)
        if value is _REQUIRED:
            self.refuse(name, "is missing")
        if value is default:
            return value
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.refuse(name, f"is not {_WORDS[kind]}: {_short(value)}")
        return value

    def text(self, name: str) -> str:
        return str(self._get(name, str))

    def text_or_none(self, name: str) -> str | None:
        found = self._get(name, str, None)
        return None if found is None else str(found)

    def number(self, name: str) -> int:
        return int(self._get(name, int))

    def truth(self, name: str) -> bool | None:
        found = self._get(name, bool, None)
        return None if found is None else bool(found)

    def texts(self, name: str) -> tuple[str, ...]:
        found = self._get(name, list, ())
        for number, each in enumerate(found):
            if not isinstance(each, str):
                self.refuse(f"{name}[{number}]", f"is not a text: {_short(each)}")
        return tuple(found)

    def objects(self, name: str) -> list[_Object]:
        found = self._get(name, list, ())
        return [_Object(each, self._file, self._path(f"{name}[{number}]")) for number, each in enumerate(found)]

    def object_or_none(self, name: str) -> _Object | None:
        found = self.members.get(name)
        return None if found is None else _Object(found, self._file, self._path(name))


def _finding(record: _Object) -> Isolation:
    name = record.text("kind")
    if name not in {kind.value for kind in IsolationKind}:
        known = ", ".join(IsolationKind)
        record.refuse("kind", f"is no kind of finding: {_short(name)}", hint=f"known: {known}")
    kind, partners = IsolationKind(name), record.texts("partners")
    if (kind in _WITH_PARTNERS and not partners) or (kind is IsolationKind.CONFLICT and len(partners) != 1):
        needed = "one other test" if kind is IsolationKind.CONFLICT else "others"
        record.refuse("partners", f"has {len(partners)}, but a finding of kind {kind} takes {needed}")
    return Isolation(
        kind,
        record.text("node_id"),
        partners,
        _origin(record),
        record.text_or_none("text"),
        tuple(_culprit(each) for each in record.objects("culprits")),
        proved=record.truth("proved") is True,
        reachable=record.truth("reachable"),
        failures=_failures(record),
        note=record.text_or_none("note"),
        cleaner=record.text_or_none("cleaner"),
    )


def _origin(record: _Object) -> Origin | None:
    told = record.object_or_none("origin")
    if told is None:
        return None
    causes = [Frame(each.text("exception"), each.text("file"), each.number("line")) for each in told.objects("causes")]
    return Origin(told.text("exception"), told.text("file"), told.number("line"), tuple(causes))


def _culprit(record: _Object) -> Culprit:
    path, before, after, kind = (record.text(name) for name in ("path", "before", "after", "kind"))
    return Culprit(path, before, after, kind, proved=record.truth("proved") is True)


def _failures(record: _Object) -> tuple[int, int] | None:
    told = record.members.get("failures")
    if told is None:
        return None
    if not isinstance(told, list) or [type(each) for each in told] != [int, int]:
        record.refuse("failures", f"is not two whole numbers: {_short(told)}")
    return told[0], told[1]


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."
