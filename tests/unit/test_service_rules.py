"""What is decided about services: without a process, without a port."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from toxscreen.guard import stop
from toxscreen.guard.keeper import Standing, State, file_name, judge
from toxscreen.pytest_plugin.services import is_skipped

DOWN = "nothing listens at localhost:1: Connection refused"


@pytest.mark.parametrize(
    ("problem", "status", "waited", "decided"),
    [
        (None, None, 0.0, (State.UP, "")),
        # It went into the background, or somebody else was faster.
        (None, 0, 9.0, (State.UP, "")),
        (None, 1, 0.0, (State.UP, "")),
        (None, None, 99.0, (State.UP, "")),
        (DOWN, None, 29.9, (State.STARTING, DOWN)),
        (DOWN, 0, 29.9, (State.STARTING, DOWN)),
        (DOWN, 3, 0.0, (State.UNAVAILABLE, "start exited with status 3")),
        (DOWN, -15, 0.0, (State.UNAVAILABLE, "start was killed by SIGTERM (Terminated)")),
        (DOWN, None, 30.0, (State.UNAVAILABLE, f"it did not come up within 30 s: {DOWN}")),
        (DOWN, 0, 31.0, (State.UNAVAILABLE, f"it did not come up within 30 s: {DOWN}")),
    ],
)
def test_one_look_at_a_starting_service(
    problem: str | None, status: int | None, waited: float, decided: tuple[State, str]
) -> None:
    assert judge(problem, status, waited, 30.0) == decided


@pytest.mark.parametrize(
    ("service", "name"),
    [("web", "web"), ("data-base_2", "data-base_2"), ("Web", "Web.29751047"), ("a b/../c", "a_b____c.0e3f70c6")],
)
def test_file_names(service: str, name: str) -> None:
    assert file_name(service) == name


def test_different_services_never_share_a_file_even_where_case_is_ignored() -> None:
    services = ["web", "Web", "WEB", "we/b", "we.b", "we b", "", "x" * 300, "x" * 301]
    assert len({file_name(service).lower() for service in services}) == len(services)
    assert all(len(file_name(service)) < 80 for service in services)


def test_a_standing_is_read_back_whole() -> None:
    standing = Standing("web", State.UP, "why", ("one", "two"), True, 7, "123", "stop it", "/somewhere")  # noqa: FBT003
    assert all(getattr(standing, field.name) for field in fields(Standing))
    assert Standing.from_json(standing.to_json()) == standing


def test_a_standing_tells_why() -> None:
    standing = Standing("web", State.UNAVAILABLE, "start exited with status 3")
    assert standing.told() == "service web is not available: start exited with status 3"
    assert replace(standing, output=("one", "two")).told() == (
        "service web is not available: start exited with status 3: one / two"
    )
    assert standing.error().render() == (
        "pyproject.toml: tool.toxscreen.services.web: service web is not available: start exited with status 3 "
        "[service-unavailable]\n"
        "  CI is set, so a missing service is an error: start it before the tests, or mend its `start`"
    )


@pytest.mark.parametrize(
    ("marks", "skipped"),
    [
        ([], False),
        ([pytest.mark.needs("web")], False),
        ([pytest.mark.needs("web"), pytest.mark.skip], True),
        ([pytest.mark.skipif(1 < 2, reason="now")], True),  # noqa: PLR0133 - as a suite would write it
        ([pytest.mark.skipif(1 > 2, reason="now")], False),  # noqa: PLR0133
        ([pytest.mark.skipif("False", 1 < 2, reason="now")], True),  # noqa: PLR0133
        ([pytest.mark.skipif(condition=True, reason="now")], True),
        ([pytest.mark.skipif("True", reason="a text is pytest's to judge")], False),
    ],
)
def test_whether_markers_skip(marks: list[Any], skipped: bool) -> None:  # noqa: FBT001
    assert is_skipped(decorator.mark for decorator in marks) is skipped


def test_the_words_of_a_command() -> None:
    assert stop.words("run 'two words' --x=1 $HOME;ls") == ["run", "two words", "--x=1", "$HOME;ls"]


@pytest.mark.parametrize(("command", "told"), [(" ", "it is empty"), ("run 'it", "No closing quotation")])
def test_commands_without_words(command: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}$"):
        stop.words(command)


def test_the_last_lines_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "web.log"
    assert stop.tail(file) == []
    file.write_bytes(b"")
    assert stop.tail(file) == []
    file.write_bytes(b"first\n\n  \nlast \xff\r\nno end")
    assert stop.tail(file) == ["first", "last \ufffd", "no end"]
    file.write_text("\n".join(map(str, range(10_000))))
    assert stop.tail(file) == [str(number) for number in range(9_992, 10_000)]
