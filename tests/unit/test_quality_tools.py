"""Tools of code quality that are not there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from toxscreen.analysis.quality import measure
from toxscreen.gates.quality_values import read
from toxscreen.settings.gates import QUALITY_TOOLS


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
