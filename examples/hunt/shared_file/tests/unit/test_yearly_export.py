from __future__ import annotations

from shop.exports import export


def test_export_of_a_whole_year() -> None:
    file = export((number, 100) for number in range(10_000))
    lines = file.read_text(encoding="utf-8").splitlines()
    file.unlink()
    assert len(lines) == 10_001
