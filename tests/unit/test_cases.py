"""What workers write of tests beyond their node ids, and what is read where that is not to be had."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from toxscreen.journal.cases import FILE, read_cases, write_cases
from toxscreen.model import Case

GROUPED = Case("tests/a.py::test_a", "tests/a.py", group="db")
ALONE = Case("tests/a.py::test_b", "tests/a.py", alone=True)
FIXED = Case("tests/b.py::Test::test_c[x|y]", "tests/b.py", fixtures=("|browser[1]", "tests/b.py::Test|rows"))
PLAIN = Case("tests/b.py::test_d", "tests/b.py")
ALL = [GROUPED, ALONE, FIXED, PLAIN]


def ids(cases: list[Case]) -> list[str]:
    return [case.node_id for case in cases]


def test_what_is_written_is_read_in_the_order_asked_for(tmp_path: Path) -> None:
    write_cases(tmp_path, ALL)
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert read_cases(tmp_path, ids(ALL)) == ALL
    assert read_cases(tmp_path, ids(ALL[::-1])) == ALL[::-1]
    assert read_cases(tmp_path, []) == []


def test_a_plain_suite_has_no_file(tmp_path: Path) -> None:
    write_cases(tmp_path, [PLAIN])
    assert list(tmp_path.iterdir()) == []
    assert read_cases(tmp_path, [PLAIN.node_id]) == [PLAIN]


def test_of_a_test_that_nobody_wrote_of_the_name_is_known(tmp_path: Path) -> None:
    write_cases(tmp_path, ALL)
    assert read_cases(tmp_path, ["tests/c.py::test_e", GROUPED.node_id, "README.md"]) == [
        Case("tests/c.py::test_e", "tests/c.py"),
        GROUPED,
        Case("README.md", "README.md"),
    ]


def test_ids_need_not_be_valid_unicode(tmp_path: Path) -> None:
    case = Case("tests/a.py::test[\udcff\u20ac]", "tests/a.py", group="\ud800", fixtures=("tests/\udcfe|f",))
    write_cases(tmp_path, [case])
    assert (tmp_path / FILE).read_bytes().isascii()
    assert read_cases(tmp_path, [case.node_id]) == [case]


def test_the_first_to_write_has_written(tmp_path: Path) -> None:
    write_cases(tmp_path, ALL)
    before = (tmp_path / FILE).stat()
    write_cases(tmp_path, [GROUPED])
    after = (tmp_path / FILE).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_while_another_one_writes_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.new").write_text("half of")
    write_cases(tmp_path, ALL)
    assert (tmp_path / f"{FILE}.new").read_text() == "half of"
    assert read_cases(tmp_path, ids(ALL)) == [Case(case.node_id, case.file) for case in ALL]


def test_two_that_write_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    many = [Case(f"tests/a.py::test_{number}", "tests/a.py", group=f"g{number % 7}") for number in range(500)]
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        ready = threading.Barrier(4)

        def write(folder: Path = folder, ready: threading.Barrier = ready) -> None:
            ready.wait()
            write_cases(folder, many)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [file.name for file in folder.iterdir()] == [FILE]
        assert read_cases(folder, ids(many)) == many


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"schema":1,"alike":[{"group":"db","alone":fal',
        "[]",
        "\ufeffno",
        "[" * 100_000,
        '{"schema":2,"alike":[]}',
        '{"schema":1,"alike":{}}',
        '{"schema":1,"alike":["tests/a.py::test_a"]}',
        '{"schema":1,"alike":[{"group":1,"alone":false,"fixtures":[],"tests":["tests/a.py::test_a"]}]}',
        '{"schema":1,"alike":[{"group":"g","alone":1,"fixtures":[],"tests":["tests/a.py::test_a"]}]}',
        '{"schema":1,"alike":[{"group":"g","alone":false,"fixtures":"f","tests":["tests/a.py::test_a"]}]}',
        '{"schema":1,"alike":[{"group":"g","alone":false,"fixtures":[1],"tests":["tests/a.py::test_a"]}]}',
        '{"schema":1,"alike":[{"group":"g","alone":false,"fixtures":[]}]}',
    ],
    ids=range(13),
)
def test_a_torn_or_foreign_file_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert read_cases(tmp_path, [GROUPED.node_id]) == [Case(GROUPED.node_id, GROUPED.file)]


def test_where_there_is_no_folder_who_writes_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_cases(tmp_path / "missing", ALL)


def test_a_draft_that_cannot_take_its_place_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_cases(tmp_path, ALL)
    assert list(tmp_path.iterdir()) == []


def test_what_is_alike_is_said_once(tmp_path: Path) -> None:
    keys = ("|server", "tests/a.py|db")
    many = [Case(f"tests/a.py::test_{number}", "tests/a.py", group="g", fixtures=keys) for number in range(50_000)]
    write_cases(tmp_path, many)
    text = (tmp_path / FILE).read_text()
    assert text.count("|server") == text.count('"g"') == 1
    assert len(text) < sum(len(json.dumps(case.node_id)) + 1 for case in many) + 200
    assert read_cases(tmp_path, ids(many)) == many
