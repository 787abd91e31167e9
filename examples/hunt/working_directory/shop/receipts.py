"""Receipts, made from a template."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path("templates", "receipt.txt")


def receipt(customer: str, things: list[str]) -> str:
    """The text of a receipt."""
    return TEMPLATE.read_text(encoding="utf-8").strip().format(customer=customer, things=listed(things))


def listed(things: list[str]) -> str:
    """Things as a sentence has them."""
    return ", ".join(sorted(things)) or "nothing"


def save(text: str, name: str) -> Path:
    """Write a text into the folder where the shop runs."""
    file = Path(f"{name}.txt")
    file.write_text(text, encoding="utf-8")
    return file
