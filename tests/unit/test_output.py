"""Files for reports: what cannot be written is said before the work, and nothing is written by halves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toxscreen.cli.output import outputs
from toxscreen.errors import ErrorGroup, ReportError

HINT = "  name a file in a folder that is there"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_when_it_is_written_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old", encoding="utf-8")
    (output,) = outputs([os.fspath(path)])
    assert (names(tmp_path), path.read_text(encoding="utf-8")) == (["report.md"], "old")
    output.write("new \u00e9\n")
    assert (names(tmp_path), path.read_bytes()) == (["report.md"], "new \u00e9\n".encode())


def test_trying_leaves_no_file(tmp_path: Path) -> None:
    assert len(outputs([os.fspath(tmp_path / "a"), os.fspath(tmp_path / "b")])) == 2
    assert names(tmp_path) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.md").symlink_to(tmp_path / "real" / "report.md")
    outputs([os.fspath(tmp_path / "link.md")])[0].write("x")
    assert (names(tmp_path / "real"), (tmp_path / "link.md").is_symlink()) == (["report.md"], True)


def test_what_cannot_be_written_is_told_together(tmp_path: Path) -> None:
    given = [tmp_path / "none" / "a.md", tmp_path, tmp_path / "b.md", tmp_path / "b.md", tmp_path / ("c" * 300)]
    with pytest.raises(ErrorGroup) as caught:
        outputs([os.fspath(each) for each in given])
    reasons = ["there is no folder none", "is no file", "is named twice", "File name too long"]
    paths = [given[0], given[1], given[3], given[4]]
    told = [
        f"{path}: cannot be written: {reason} [report-unwritable]" for path, reason in zip(paths, reasons, strict=True)
    ]
    assert caught.value.render() == "\n".join(f"{line}\n{HINT}" for line in told)
    assert names(tmp_path) == []


def test_a_device_is_no_file() -> None:
    with pytest.raises(ReportError, match=r"is no file \[report-unwritable\]"):
        outputs([os.devnull])


def test_a_folder_that_goes_away_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (output,) = outputs([os.fspath(folder / "a.md")])
    folder.rmdir()
    with pytest.raises(ReportError, match=r"a\.md: cannot be written: No such file or directory"):
        output.write("x")
