"""What workers found out about tests beyond their node ids: one file, from the workers to who hands out the tests.

Only tests of which there is something to say are in it; a suite without groups and wide fixtures has no such file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from toxscreen.journal.codec import json_from
from toxscreen.model import Case

FILE: Final = "cases.json"
SCHEMA: Final = 1


class _Told(NamedTuple):
    """What is said of a test; of most tests, the same is said as of many others."""

    group: str | None = None
    alone: bool = False
    fixtures: tuple[str, ...] = ()


_NOTHING: Final = _Told()


def write_cases(folder: Path, cases: Sequence[Case]) -> None:
    """Write what there is to say of tests: group, alone, fixtures. Of several workers, the first one writes.

    Args:
        folder: through which the processes of the run speak.
        cases: what was collected; those of which nothing is to be said may be left out.

    Raises:
        OSError: the file cannot be written.
    """
    alike: dict[_Told, list[str]] = {}
    for case in cases:
        alike.setdefault(_Told(case.group, case.alone, case.fixtures), []).append(case.node_id)
    alike.pop(_NOTHING, None)
    file = folder / FILE
    if not alike or file.exists():
        return
    draft = folder / f"{FILE}.new"
    try:
        stream = draft.open("x", encoding="ascii")
    except FileExistsError:
        # All workers collect the same, and another one is writing it.
        return
    try:
        with stream:
            told = [{**each._asdict(), "tests": node_ids} for each, node_ids in alike.items()]
            stream.write(json.dumps({"schema": SCHEMA, "alike": told}, separators=(",", ":")))
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read_cases(folder: Path, node_ids: Sequence[str]) -> list[Case]:
    """A case for every test, with what a worker wrote of it.

    Args:
        folder: as for :func:`write_cases`.
        node_ids: the tests.

    Returns:
        As many as there are ids, in their order. Without a file that can be used, nothing is known but their names.
    """
    try:
        told = _read(json_from((folder / FILE).read_bytes()))
    except (OSError, ValueError):
        told = {}
    return [
        Case(node_id, node_id.partition("::")[0], group=group, alone=alone, fixtures=fixtures)
        for node_id, (group, alone, fixtures) in ((each, told.get(each, _NOTHING)) for each in node_ids)
    ]


def _read(record: Any) -> dict[str, _Told]:
    """What is said, by node id.

    Raises:
        ValueError: the file is none of ours, or of another version.
    """
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or not isinstance(record.get("alike"), list):
        raise ValueError("holds no cases")
    told: dict[str, _Told] = {}
    for each in record["alike"]:
        if not isinstance(each, dict):
            raise ValueError("has something else for what is said of tests")
        group, alone = each.get("group"), each.get("alone")
        if not isinstance(group, str | None) or not isinstance(alone, bool):
            raise ValueError("has something else for a group, or for whether tests are alone")
        said = _Told(group, alone, tuple(_texts(each.get("fixtures"))))
        told.update(dict.fromkeys(_texts(each.get("tests")), said))
    return told


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("has something else where a list of texts belongs")
    return value
