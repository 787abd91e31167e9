"""What the process that measures one revision says of modules that are of no revision."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from toxscreen.perf import child


def module(name: str, file: Path) -> ModuleType:
    made = ModuleType(name)
    made.__file__ = str(file)
    return made


def test_modules_of_neither_the_files_nor_the_environment_nor_python_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Distributions link parts of the standard library, such as sitecustomize, to a place outside of it."""
    for folder in ("side", "python", "etc", "elsewhere"):
        (tmp_path / folder).mkdir()
    (tmp_path / "etc/sitecustomize.py").touch()
    (tmp_path / "python/sitecustomize.py").symlink_to(tmp_path / "etc/sitecustomize.py")
    (tmp_path / "elsewhere/linked.py").touch()
    (tmp_path / "side/linked.py").symlink_to(tmp_path / "elsewhere/linked.py")
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "python"))
    known = [
        module("mine", tmp_path / "side/mine.py"),
        module("sitecustomize", tmp_path / "python/sitecustomize.py"),
        module("common", tmp_path / "elsewhere/common.py"),
        module("common.inner", tmp_path / "elsewhere/common/inner.py"),
        # It is in both revisions' folders, and one file.
        module("linked", tmp_path / "side/linked.py"),
        ModuleType("built_in"),
    ]
    monkeypatch.setattr(sys, "modules", {each.__name__: each for each in known})
    told = child._elsewhere(str(tmp_path / "side"))
    monkeypatch.undo()
    assert told == [f"common ({tmp_path}/elsewhere/common.py)", f"linked ({tmp_path}/side/linked.py)"]
