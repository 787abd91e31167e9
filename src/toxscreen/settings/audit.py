"""What the audit is to leave alone, ``[tool.toxscreen.audit]``: read by the audit, not by runs of tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from toxscreen.settings.options import Option, texts
from toxscreen.settings.reading import read_table

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
    values = read_table(root, environment, TABLE, AUDIT_OPTIONS)
    found: tuple[str, ...] = values.get("allow", AUDIT_OPTIONS["allow"].default)
    return found
