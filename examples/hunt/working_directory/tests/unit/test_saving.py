from __future__ import annotations

import os
from pathlib import Path

import pytest

from shop import receipts


def test_save_writes_a_file(tmp_path: Path) -> None:
    os.chdir(tmp_path)
    receipts.save("Bought by Anna: tea", "anna")
    assert (tmp_path / "anna.txt").read_text(encoding="utf-8") == "Bought by Anna: tea"


def test_save_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert receipts.save("", "ben") == Path("ben.txt")


def test_save_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    receipts.save("old", "ben")
    assert receipts.save("new", "ben").read_text(encoding="utf-8") == "new"
