"""What coverage and gates demand: as the files are now, and as they were at the base."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from toxscreen import host
from toxscreen.model import Base, Limits
from toxscreen.settings import FILE
from toxscreen.settings.gates import GATE_OPTIONS, TABLE

#: Where coverage looks for its settings before pyproject.toml, and what its sections begin with there.
_OTHERS: Final = ((".coveragerc", ""), ("setup.cfg", "coverage:"), ("tox.ini", "coverage:"))


def limits(root: Path) -> Limits:
    """The limits as the files are now. What is wrong with them is told by those who need them.

    Args:
        root: the project's root.
    """

    def content(name: str) -> bytes | None:
        try:
            return (root / name).read_bytes()
        except OSError:
            return None

    return _limits(content, "the files as they are")


def limits_at(root: Path, base: Base) -> Limits:
    """The limits at the base.

    Args:
        root: the project's root.
        base: the revision.
    """

    def content(name: str) -> bytes | None:
        return host.git_show(root, base.commit, name)

    return _limits(content, f"{base.commit[:12]} ({base.source})")


def _limits(content: Callable[[str], bytes | None], source: str) -> Limits:
    tool = _table(_toml(content(FILE)), "tool")
    values: dict[str, object] = {}
    for key, raw in _table(_table(tool, "toxscreen"), TABLE).items():
        if key in GATE_OPTIONS:
            try:
                values[key] = GATE_OPTIONS[key].parse(raw)
            except ValueError:
                continue
    floor, file = _table(_table(tool, "coverage"), "report").get("fail_under"), FILE
    for name, prefix in _OTHERS:
        found = _ini(content(name), prefix)
        if found is not None:
            floor, file = found.get("fail_under"), name
            break
    return Limits(_number(floor), values, file, source)


def _toml(content: bytes | None) -> dict[str, Any]:
    try:
        return tomllib.loads((content or b"").decode("utf-8"))
    except (ValueError, RecursionError):
        return {}


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    found = table.get(key, {})
    return found if isinstance(found, dict) else {}


def _ini(content: bytes | None, prefix: str) -> dict[str, str] | None:
    """The section ``report`` of a file that holds settings of coverage; None for a file that holds none."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string((content or b"").decode("utf-8"))
    except (ValueError, configparser.Error):
        return None
    if content is None or (prefix and not any(name.startswith(prefix) for name in parser.sections())):
        return None
    return dict(parser[f"{prefix}report"]) if parser.has_section(f"{prefix}report") else {}


def _number(value: object) -> float | None:
    try:
        return float(str(value)) or None
    except ValueError:
        return None
