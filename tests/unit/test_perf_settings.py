"""``[tool.toxscreen.perf]``: what is asked of comparisons, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.errors import ErrorGroup, ToxscreenError
from toxscreen.settings.perf import Perf, load_perf


def settings(folder: Path, text: str) -> Perf:
    (folder / "pyproject.toml").write_text(f"[tool.toxscreen.perf]\n{text}\n", encoding="utf-8")
    return load_perf(folder, {})


def test_defaults(tmp_path: Path) -> None:
    assert load_perf(tmp_path, {}) == Perf((), (".",), None, None, 3.0, 300.0, (), ())


def test_every_key(tmp_path: Path) -> None:
    text = """
        paths = ["bench"]
        install = [".[fast]", "numpy"]
        constraints = "pins.txt"
        against = "v1"
        resolution = 1
        budget = 60
        options = ["-p", "no:cov"]
        waits = ["*::test_wait*"]
    """
    expected = Perf(("bench",), (".[fast]", "numpy"), "pins.txt", "v1", 1.0, 60.0, ("-p", "no:cov"), ("*::test_wait*",))
    assert settings(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("resolution = 0", "is 0, must be a number of percent, above 0 and at most 50"),
        ("resolution = true", "is True, must be a number of percent, above 0 and at most 50"),
        ('resolution = "3%"', "is '3%', must be a number of percent, above 0 and at most 50"),
        ("resolution = nan", "is nan, must be a number of percent, above 0 and at most 50"),
        ("resolution = 51", "is 51, must be a number of percent, above 0 and at most 50"),
        ("rounds = 3", "there is no setting 'rounds'"),
    ],
)
def test_mistakes(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ToxscreenError) as caught:
        settings(tmp_path, text)
    assert caught.value.message == told


def test_all_mistakes_together(tmp_path: Path) -> None:
    with pytest.raises(ErrorGroup) as caught:
        settings(tmp_path, "budget = -1\npaths = 3")
    assert [str(each.place) for each in caught.value.errors] == [
        "pyproject.toml:2: tool.toxscreen.perf.budget",
        "pyproject.toml:3: tool.toxscreen.perf.paths",
    ]
