"""The command line of a sandbox; and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.errors import MissingToolError
from toxscreen.hunt.sandbox import command, program

ROOT, OWN, COPY = Path("/home/me/shop"), Path("/tmp/own"), Path("/tmp/own/copies/1/shop")
BEFORE = ["--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "--proc", "/proc", "--die-with-parent"]
AFTER = ["--bind", "/tmp/own", "/tmp/own", "--chdir", "/home/me/shop", "--"]


def test_in_place_the_project_can_be_written_to() -> None:
    bound = ["--bind", "/home/me/shop", "/home/me/shop"]
    assert command("bwrap", ROOT, OWN, None, [".venv"]) == ["bwrap", *BEFORE, *bound, *AFTER]


def test_a_copy_is_seen_in_the_place_of_the_project_with_what_was_not_copied() -> None:
    bound = ["--bind", "/tmp/own/copies/1/shop", "/home/me/shop"]
    bound += ["--ro-bind", "/home/me/shop/.venv", "/home/me/shop/.venv"]
    assert command("bwrap", ROOT, OWN, COPY, [".venv"]) == ["bwrap", *BEFORE, *bound, *AFTER]


def test_without_bubblewrap_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError) as caught:
        program(tmp_path, tmp_path)
    assert caught.value.render() == (
        "toxscreen hunt --sandbox: bubblewrap is not installed [tool-missing]\n"
        "  install it (apt install bubblewrap, dnf install bubblewrap), or hunt without --sandbox"
    )
