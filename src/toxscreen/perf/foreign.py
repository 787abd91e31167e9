"""Reads files of pytest-benchmark and pyperf: seconds of each benchmark, when and where they were measured."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from toxscreen.errors import BenchmarkFileError, Place

_HINT: Final = "name files that `pytest --benchmark-json FILE` or `pyperf ... -o FILE` has written"
#: What pyperf calls time; it measures bytes and whole numbers, too.
_TIME: Final = "second"


class Sample(NamedTuple):
    """One benchmark in one file."""

    name: str
    #: Median seconds.
    seconds: float
    #: How many values there are.
    values: int
    #: When it was measured, in seconds since the epoch; None where the file does not say.
    when: float | None
    #: Of what: a commit, or the file's name.
    label: str
    #: Where; empty where the file does not say.
    machine: str


def read(path: Path, name: str) -> list[Sample]:
    """What a file holds.

    Args:
        path: the file.
        name: as it was given.

    Raises:
        BenchmarkFileError: it cannot be read, is of neither tool, or holds no time.
    """
    place = Place(file=name)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchmarkFileError(f"cannot be read: {error.strerror or error}", place=place, hint=_HINT) from None
    except (ValueError, RecursionError) as error:
        raise BenchmarkFileError(f"is no JSON: {error}", place=place, hint=_HINT) from None
    try:
        is_pytest = "commit_info" in document or "machine_info" in document
        found = list(_of_pytest(document, path.stem) if is_pytest else _of_pyperf(document, path.stem))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, statistics.StatisticsError) as error:
        told = f"is a file of neither pytest-benchmark nor pyperf ({type(error).__name__}: {error})"
        raise BenchmarkFileError(told, place=place, hint=_HINT) from None
    if not found:
        raise BenchmarkFileError("holds no time of a benchmark", place=place, hint=_HINT)
    return found


def _of_pytest(document: Mapping[str, Any], stem: str) -> Iterator[Sample]:
    commit = document.get("commit_info") or {}
    label = str(commit.get("id") or stem)
    when = _moment(document.get("datetime") or commit.get("time"))
    machine = str((document.get("machine_info") or {}).get("node") or "")
    for each in document["benchmarks"]:
        stats = each["stats"]
        yield Sample(
            str(each["fullname"]), _seconds(stats["median"]), int(stats.get("rounds") or 1), when, label, machine
        )


def _of_pyperf(document: Mapping[str, Any], stem: str) -> Iterator[Sample]:
    common: Mapping[str, Any] = document.get("metadata") or {}
    for each in document["benchmarks"]:
        about = {**common, **(each.get("metadata") or {})}
        values = [_seconds(value) for run in each["runs"] for value in run.get("values") or ()]
        if about.get("unit", _TIME) != _TIME or not values:
            continue
        runs = [{**about, **(run.get("metadata") or {})} for run in each["runs"]]
        whens = [moment for run in runs if (moment := _moment(run.get("date"))) is not None]
        machine = next((str(run["hostname"]) for run in runs if run.get("hostname")), "")
        name = str(about.get("name") or stem)
        yield Sample(name, statistics.median(values), len(values), min(whens, default=None), stem, machine)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
        raise ValueError(f"{value!r} is no time")
    return float(value)


def _moment(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    # pytest-benchmark writes UTC without saying so; of pyperf's local time nobody knows the zone.
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
