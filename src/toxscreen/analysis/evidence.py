"""Evidence files: what an analysis found out, stamped with the sources that it looked at, read back by gates."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from toxscreen import host
from toxscreen.analysis.configuration import configuration
from toxscreen.errors import EvidenceError, Place
from toxscreen.model import Evidence, Missing, State
from toxscreen.settings import STATE, state_folder

#: Version of the shape of an evidence file.
SCHEMA: Final = 1


def folder(root: Path) -> Path:
    """Where a project's evidence lies."""
    return root / STATE / "evidence"


def state(root: Path) -> State:
    """The sources as they are now.

    Args:
        root: the project's root.
    """
    return State(host.git_commit(root), host.git_changes(root), configuration(root))


def write(root: Path, kind: str, data: dict[str, object], command: Sequence[str], made_from: State) -> Path:
    """Write evidence in the place of what was there.

    Args:
        root: the project's root.
        kind: name of the evidence.
        data: what was found out, as JSON takes it.
        command: what makes it anew.
        made_from: the sources as they were before the analysis began.

    Returns:
        The file.

    Raises:
        EvidenceError: it cannot be written, or the sources have changed meanwhile.
    """
    if state(root) != made_from:
        told = f"the sources changed while the evidence {kind} was made"
        raise EvidenceError(told, place=_place(kind), hint=f"make it again: {' '.join(command)}")
    document = {"schema": SCHEMA, "kind": kind, "time": host.CLOCK.wall(), "command": list(command)}
    document |= {"state": asdict(made_from), "data": data}
    file = folder(root) / f"{kind}.json"
    temporary = file.with_name(f".{kind}.{host.process_id()}.tmp")
    try:
        state_folder(root)
        file.parent.mkdir(exist_ok=True)
        temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        told = f"cannot be written: {error.strerror or error}"
        raise EvidenceError(told, place=_place(kind), hint="make room, or let the folder be written to") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return file


def read(root: Path, kind: str, now: State, command: Sequence[str]) -> Evidence | Missing:
    """Evidence, if it is of these sources.

    Args:
        root: the project's root.
        kind: name of the evidence.
        now: the sources as they are.
        command: what makes it, where the file does not say.
    """
    file = folder(root) / f"{kind}.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            return Missing(kind, f"has schema {document['schema']!r}, this toxscreen reads {SCHEMA}", tuple(command))
        made_from = State(*(document["state"][key] for key in ("commit", "changes", "configuration")))
        found = Evidence(
            str(document["kind"]),
            made_from,
            float(document["time"]),
            tuple(map(str, document["command"])),
            dict(document["data"]),
        )
    except FileNotFoundError:
        return Missing(kind, "was never made", tuple(command))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return Missing(kind, f"cannot be read ({type(error).__name__}: {error})", tuple(command))
    if found.kind != kind:
        return Missing(kind, f"is evidence of another kind, {found.kind!r}", tuple(command))
    if made_from.commit is None is now.commit:
        told = "is of no commit: without git nobody knows whether the sources have changed since"
        return Missing(kind, told, ())
    told = difference(made_from, now)
    return Missing(kind, told, found.command) if told else found


def difference(made_from: State, now: State) -> str:
    """How the sources of some evidence differ from those of now, in words; nothing where they are the same."""
    if made_from.commit != now.commit:
        return f"is of {_commit(made_from.commit)}, the sources are now at {_commit(now.commit)}"
    if made_from.changes != now.changes:
        return f"is of {_changes(made_from.changes)}, the sources now have {_changes(now.changes)}"
    if made_from.configuration != now.configuration:
        return "is of another configuration: a file such as pyproject.toml or tox.ini has changed since"
    return ""


def _commit(commit: str | None) -> str:
    return "no commit" if commit is None else f"commit {commit[:12]}"


def _changes(changes: str | None) -> str:
    return "no uncommitted changes" if changes is None else f"the uncommitted changes {changes}"


def _place(kind: str) -> Place:
    return Place(f"{STATE}/evidence/{kind}.json")
