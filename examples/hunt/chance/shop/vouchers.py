"""Vouchers with codes that nobody can guess."""

from __future__ import annotations

import secrets

#: Eight letters and eight digits; none of them looks like another one.
ALPHABET = "ACEHKMPT23456789"


def code(length: int = 8) -> str:
    """A new code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def readable(text: str) -> str:
    """A code in groups of four."""
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
