"""Makes evidence of kind ``coverage`` from coverage's JSON documents. Pure."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toxscreen.gates.lines import write_jumps, write_lines


@dataclass(frozen=True, slots=True)
class Alone:
    """What an environment measured."""

    name: str
    commit: str | None
    data_files: int
    #: Coverage's JSON report of its data only.
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Base:
    """What the base had: its commit, excluded lines by file, and files that are left out now, with statements."""

    commit: str
    excluded: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


def evidence(
    document: Mapping[str, Any],
    never: Mapping[str, Any],
    alone: Sequence[Alone],
    sources: Mapping[str, str],
    *,
    base: Base | str,
    absent: Iterable[str],
    late: Iterable[str],
    fail_under: float,
    precision: int,
) -> dict[str, object]:
    """The data of the evidence.

    Args:
        document: coverage's JSON report of all data together.
        never: the same of the files that are in no data.
        alone: what each environment measured.
        sources: the text of each file.
        base: what the base had; in words why nobody can tell.
        absent: entries of ``source`` and ``source_pkgs`` that name nothing here.
        late: files that were imported before coverage began.
        fail_under: the floor in percent.
        precision: digits after the point.
    """
    totals = document["totals"]
    return {
        "environments": [_environment(each) for each in alone],
        "files": {posix(name): _file(entry, sources.get(name, "")) for name, entry in document["files"].items()},
        "never": {posix(name): _file(entry, sources.get(name, "")) for name, entry in files(never).items()},
        "absent": sorted(absent),
        "late": sorted(late),
        "totals": {
            "covered": totals["covered_lines"] + totals["covered_branches"],
            "statements": totals["num_statements"],
            "branches": totals["num_branches"],
            "excluded": totals["excluded_lines"],
        },
        "fail_under": fail_under,
        "precision": precision,
        "base": {"error": base}
        if isinstance(base, str)
        else {"commit": base.commit, "excluded": dict(base.excluded), "left_out": dict(base.left_out)},
    }


def posix(name: str) -> str:
    """A path with forward slashes."""
    return name.replace("\\", "/")


def files(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a report of coverage holds about each file; nothing where there is no report."""
    found: Mapping[str, Any] = document.get("files", {})
    return found


def countable(entry: Mapping[str, Any]) -> int:
    """Statements and branches of a file of a report."""
    return sum(len(entry.get(key, ())) for key in ("executed_lines", "missing_lines", *_JUMPS))


_JUMPS = ("executed_branches", "missing_branches")


def spans(text: str) -> tuple[tuple[int, int], ...]:
    """First and last lines of what is written on more than one line, as coverage counts: without the body.

    Args:
        text: source code; what is none has no spans.
    """
    found = []
    start = 0
    ignored = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NEWLINE:
                if start and token.start[0] > start:
                    found.append((start, token.start[0]))
                start = 0
            elif not start and token.type not in ignored:
                start = token.start[0]
    except (tokenize.TokenError, SyntaxError):
        return ()
    return tuple(found)


def _file(entry: Mapping[str, Any], text: str) -> dict[str, str]:
    return {
        "ran": write_lines(entry["executed_lines"]),
        "missing": write_lines(entry["missing_lines"]),
        "excluded": write_lines(entry["excluded_lines"]),
        "jumped": write_jumps((first, last) for first, last in entry.get("executed_branches", ())),
        "untaken": write_jumps((first, last) for first, last in entry.get("missing_branches", ())),
        "spans": ",".join(f"{first}-{last}" for first, last in spans(text)),
    }


def _environment(each: Alone) -> dict[str, object]:
    ran = {
        posix(name): {
            "ran": write_lines(entry["executed_lines"]),
            "jumped": write_jumps((first, last) for first, last in entry.get("executed_branches", ())),
        }
        for name, entry in files(each.document).items()
        if entry["executed_lines"]
    }
    return {
        "name": each.name,
        "commit": each.commit,
        "data_files": each.data_files,
        "measured_files": len(files(each.document)),
        "files": ran,
    }
