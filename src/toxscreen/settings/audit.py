"""What the audit is to leave alone, ``[tool.toxscreen.audit]``: read by the audit, not by runs of tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from toxscreen.errors import raise_together
from toxscreen.settings.options import Option, texts
from toxscreen.settings.reading import Reader

TABLE: Final = "audit"

AUDIT_OPTIONS: Final = {
    option.key: option
    for option in (Option("allow", texts, 'What is on purpose, each as "SLUG: PATTERN  # why".', ()),)
}


def load_allowed(root: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Read the entries of ``allow``.

    Args:
        root: the project's root.
        environment: environment variables.

    Raises:
        ToxscreenError: a mistake in them.
        ErrorGroup: several.
    """
    reader = Reader(root, environment)
    values = reader.options(reader.subtable(reader.table(), TABLE), AUDIT_OPTIONS, TABLE)
    raise_together(reader.errors)
    found: tuple[str, ...] = values.get("allow", AUDIT_OPTIONS["allow"].default)
    return found
