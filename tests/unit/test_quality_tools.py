"""Tools of code quality: which are asked for, which are not there, and what is shown of the others."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from toxscreen.analysis.quality import measure
from toxscreen.cli.quality import page_of
from toxscreen.errors import ConfigError, Exit
from toxscreen.gates.quality_values import read
from toxscreen.model import Measured
from toxscreen.settings.gates import QUALITY_TOOLS, Gates, load_gates


def test_a_tool_that_is_not_installed_has_found_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = read(measure(tmp_path, QUALITY_TOOLS, 15))
    assert found.expected is None
    assert {name: (each.failure, each.remedy, each.files) for name, each in found.tools.items()} == {
        "complexity": ("is not installed", ("pip", "install", "ruff>=0.5"), ()),
        "lizard": ("is not installed", ("pip", "install", "lizard>=1.17"), ()),
        "mypy": ("is not installed", ("pip", "install", "mypy>=1.11"), ()),
        "ruff": ("is not installed", ("pip", "install", "ruff>=0.5"), ()),
    }


def test_setting(tmp_path: Path) -> None:
    def limits(text: str) -> Gates:
        (tmp_path / "pyproject.toml").write_text(f"[tool.toxscreen.gates]\nquality = {text}\n", encoding="utf-8")
        return load_gates(tmp_path, {})

    assert limits('["mypy", "ruff", "mypy"]').value("quality") == ("mypy", "ruff")
    assert limits("[]").value("quality-lizard") == 15
    for text in ('["pylint"]', '"ruff"', "[[]]"):
        with pytest.raises(ConfigError) as caught:
            limits(text)
        assert caught.value.message.endswith('must be a list of "complexity", "lizard", "mypy", "ruff"')


def test_page_of_many_values() -> None:
    data: dict[str, object] = {
        "expected": None,
        "symbols": {},
        "tools": {
            "ruff": asdict(Measured("ruff", ("ruff",), "1.2", ("a.py",), {f"E{n} a.py:f": n for n in range(100, 152)})),
            "mypy": asdict(
                Measured("mypy", ("mypy",), failure="is not installed", remedy=("pip", "install", "mypy>=1"))
            ),
        },
    }
    answer = page_of(read(data), data, "x.json")
    assert answer.status is Exit.UNJUDGED
    assert answer.page.tables[0].rows == (
        ("ruff", "1.2", "1", "-", "52", "6526"),
        ("mypy", "-", "-", "-", "not measured", "-"),
    )
    assert answer.page.tables[1].rows[0] == ("ruff", "E100", "a.py:f", "100")
    assert len(answer.page.tables[1].rows) == 50
    assert answer.page.closing == (
        "mypy is not installed; try: pip install 'mypy>=1'",
        "2 more values; --json tells every one",
        "evidence: x.json",
    )
