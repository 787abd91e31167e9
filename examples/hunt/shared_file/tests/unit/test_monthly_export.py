from __future__ import annotations

from shop.exports import export, export_file


def test_every_month_has_its_orders() -> None:
    for month in range(1, 13):
        file = export((month * 1000 + number, 250) for number in range(800))
        lines = file.read_text(encoding="utf-8").splitlines()
        assert lines[1] == f"{month}000;2.50"
        assert len(lines) == 801
    file.unlink()


def test_the_accountant_reads_csv() -> None:
    assert export_file().suffix == ".csv"
