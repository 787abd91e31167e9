"""The manifest of a shard's run: written when the run has ended, read and held against the files by a merge."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import Any, Final

from toxscreen.journal.codec import json_from
from toxscreen.journal.read import fingerprint
from toxscreen.journal.store import COLLECTION, HEADER
from toxscreen.model import Manifest, Shard

FILE: Final = "shard.json"
#: What the processes that collect leave for the one that writes the manifest.
SPLIT: Final = "split.json"
SCHEMA: Final = 1
#: By which durations the tests were split: what all processes of the run plan by.
HISTORY: Final = "history.json"
_SHARD: Final = re.compile(r"[0-9]{1,6}")
#: Where nobody but toxscreen writes: what is joined as JUnit files takes the place of nothing there.
_OURS: Final = ("runs/", "coverage/", "evidence/")
_VOUCHED: Final = frozenset({HEADER, COLLECTION, HISTORY, "cases.json"})
_TEXT: Final = ("run", "category", "python", "history")
_TEXT_OR_NONE: Final = ("environment", "commit", "changes", "tree", "configuration", "junit")
_NUMBERS: Final = ("seed", "measuring")
_TEXTS: Final = ("planned", "ran", "before")


def checksums(base: Path, files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of files, by their paths below a folder.

    Raises:
        OSError: one cannot be read.
    """
    return {file.relative_to(base).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)}


def run_files(folder: Path) -> list[Path]:
    """The files of a run that a manifest vouches for; not those that somebody has made of it since."""
    return [file for file in folder.iterdir() if file.suffix == ".jsonl" or file.name in _VOUCHED]


def write_split(folder: Path, collected: Iterable[str], history: str, *, process: int) -> None:
    """Leave what was collected before the split.

    Args:
        folder: of the run.
        collected: node ids.
        history: digest.
        process: id of the writing one; all of a run write the same.

    Raises:
        OSError: it cannot be written.
    """
    file = folder / SPLIT
    if not file.exists():
        draft = folder / f"{SPLIT}.{process}"
        draft.write_text(json.dumps({"collected": sorted(collected), "history": history}), encoding="utf-8")
        draft.replace(file)


def read_split(folder: Path) -> tuple[tuple[str, ...], str]:
    """Node ids that were collected before the split, and the digest of the history.

    Raises:
        OSError: nobody has collected.
        ValueError: the file is none of ours.
    """
    record = json_from((folder / SPLIT).read_bytes())
    if not isinstance(record, dict) or not isinstance(record.get("history"), str):
        raise ValueError("is no record of a split")
    return _texts(record, "collected"), record["history"]


def planned(folder: Path) -> tuple[str, ...]:
    """Node ids that were to run, sorted.

    Raises:
        OSError: the run has not collected.
        ValueError: the file is none of ours.
    """
    return tuple(sorted(_texts({COLLECTION: json_from((folder / COLLECTION).read_bytes())}, COLLECTION)))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest into the run's folder.

    Raises:
        OSError: it cannot be written.
    """
    record: dict[str, Any] = {item.name: getattr(manifest, item.name) for item in fields(manifest)}
    record["shard"] = str(manifest.shard)
    record["collected"] = {
        "count": len(manifest.collected),
        "digest": fingerprint(manifest.collected),
        "node_ids": manifest.collected,
    }
    draft = folder / f"{FILE}.new"
    draft.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / FILE)


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a run's folder.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        ValueError: it is none, or one of another schema, or not as it was written.
    """
    try:
        record = json_from((folder / FILE).read_bytes())
    except ValueError:
        raise ValueError("is no JSON") from None
    if not isinstance(record, dict) or not isinstance(record.get("schema"), int):
        raise ValueError("is no manifest")
    if record["schema"] != SCHEMA:
        raise ValueError(f"is of schema {record['schema']}, this toxscreen reads {SCHEMA}")
    return Manifest(schema=SCHEMA, shard=_shard(record.get("shard")), collected=_collected(record), **_values(record))


def _collected(record: Mapping[str, Any]) -> tuple[str, ...]:
    collected = record.get("collected")
    if not isinstance(collected, dict):
        raise ValueError("has no list of what was collected")
    node_ids = _texts(collected, "node_ids")
    if (len(node_ids), fingerprint(node_ids)) != (collected.get("count"), collected.get("digest")):
        raise ValueError(f"does not list the {collected.get('count')} tests that were collected, but {len(node_ids)}")
    return node_ids


def _values(record: Mapping[str, Any]) -> dict[str, Any]:
    for names, kind in ((_TEXT, str), (_TEXT_OR_NONE, str | None), (_NUMBERS, int | None)):
        for name in names:
            if not isinstance(record.get(name), kind):
                raise ValueError(f"has {record.get(name)!r} for {name!r}")
    files = record.get("files")
    if not isinstance(files, dict) or not all(map(_is_below, files)):
        raise ValueError("has no list of files below the state folder")
    junit = record.get("junit")
    if junit is not None and (junit not in files or junit.startswith(_OURS) or junit == HISTORY):
        raise ValueError("has a JUnit file that is none of its files")
    values: dict[str, Any] = {name: record.get(name) for name in (*_TEXT, *_TEXT_OR_NONE, *_NUMBERS)}
    values |= {name: _texts(record, name) for name in _TEXTS}
    return values | {"files": {str(name): str(digest) for name, digest in files.items()}}


def shard_of(text: str) -> Shard:
    """The shard of a text such as ``2/3`` in a record.

    Raises:
        ValueError: it is none.
    """
    number, _, of = text.partition("/")
    shard = Shard(int(number), int(of)) if _SHARD.fullmatch(number) and _SHARD.fullmatch(of) else Shard(0, 0)
    if not 1 <= shard.number <= shard.of:
        raise ValueError(f"there is no shard {text}")
    return shard


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    # Written in the one way that there is: no empty part that could make an absolute path of the rest.
    return (
        path.as_posix() == name
        and not path.is_absolute()
        and ".." not in path.parts
        and not {"\\", "\0"}.intersection(name)
    )


def _shard(text: object) -> Shard:
    if not isinstance(text, str):
        raise ValueError(f"has {text!r} for its shard")
    return shard_of(text)


def _texts(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = record.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"has no list of texts for {name!r}")
    return tuple(value)
