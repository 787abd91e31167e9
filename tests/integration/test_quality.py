"""``toxscreen quality`` with the real ruff, mypy and lizard, and the verdicts on what it writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toxscreen.analysis import evidence
from toxscreen.analysis.quality import measure
from toxscreen.gates.quality import judge, new_ratchet
from toxscreen.gates.quality_values import read
from toxscreen.gates.ratchet import Ratchet, parse, render
from toxscreen.model import Evidence, Ruling

BRANCHES = "".join(f"    if n == {number}:\n        return {number}\n" for number in range(4))
FILES = {
    "pyproject.toml": """\
[tool.ruff.lint]
select = ["F"]
[tool.ruff.lint.mccabe]
max-complexity = 3
[tool.mypy]
files = ["src"]
[tool.toxscreen.gates]
quality = ["ruff", "mypy", "complexity", "lizard"]
quality-lizard = 3
""",
    ".gitignore": ".*_cache/\n",
    "src/a b.py": f"""\
import os


class A:
    def f(self) -> int:
        return 'é'


def g(n: int) -> int:
{BRANCHES}    return -1
""",
    "tests/test_a.py": "def test_a(): pass\n",
}


def at(folder: Path, **changed: str) -> Path:
    for name, text in {**FILES, **changed}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def committed(folder: Path) -> None:
    """Without a commit nobody knows of which sources evidence is."""
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")


def quality(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "toxscreen", "quality", *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=50)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def kept(folder: Path) -> Evidence:
    found = evidence.read(folder, "quality", evidence.state(folder), ("toxscreen", "quality"))
    assert isinstance(found, Evidence)
    return found


@pytest.fixture(scope="module")
def tools() -> tuple[str, ...]:
    """The tools that are installed here: all of them in tox."""
    programs = {"ruff": "ruff", "mypy": "mypy", "complexity": "ruff", "lizard": "lizard"}
    beside = os.fspath(Path(sys.executable).parent)
    return tuple(tool for tool, program in programs.items() if shutil.which(program, path=beside))


EXPECTED = {
    "ruff": {"F401 src/a b.py:<module>": 1},
    "mypy": {"return-value src/a b.py:A.f": 1},
    "complexity": {"C901 src/a b.py:g": 5},
    "lizard": {"CCN src/a b.py:g": 5},
}


def test_measured_written_down_and_judged(tmp_path: Path, tools: tuple[str, ...]) -> None:
    assert tools
    committed(at(tmp_path))
    status, told, _ = quality(tmp_path, *tools)
    assert (status, told["expected"], told["evidence"]) == (0, 2, ".toxscreen/evidence/quality.json")
    assert {name: each["values"] for name, each in told["tools"].items()} == {tool: EXPECTED[tool] for tool in tools}
    both = ["src/a b.py", "tests/test_a.py"]
    assert {name: each["files"] for name, each in told["tools"].items()} == {
        tool: both[:1] if tool == "mypy" else both for tool in tools
    }
    assert all(each["version"][0].isdigit() and each["failure"] == "" for each in told["tools"].values())

    start = parse(render(new_ratchet(kept(tmp_path), None, None, tools)))
    assert {each.ruling for each in judge(kept(tmp_path), start, start, tools)} == {Ruling.PASS}

    # Moved lines change nothing; one more finding does.
    moved = FILES["src/a b.py"].replace("import os", "# moved\n\nimport os\nimport sys")
    at(tmp_path, **{"src/a b.py": moved})
    quality(tmp_path, *tools)
    verdicts = judge(kept(tmp_path), start, start, tools)
    assert {each.gate for each in verdicts if each.ruling is not Ruling.PASS} == {"quality-ruff"}
    assert verdicts[tools.index("ruff")].reason == "worse than on the base: src/a b.py:<module>: F401 1 -> 2"


def test_what_could_not_measure_is_no_finding(tmp_path: Path, tools: tuple[str, ...]) -> None:
    settings = FILES["pyproject.toml"].replace('["F"]', '["F"]\nnope = 1').replace('files = ["src"]', "")
    committed(at(tmp_path, **{"pyproject.toml": settings}))
    asked = [tool for tool in tools if tool != "lizard"]
    status, told, shown = quality(tmp_path, *asked)
    assert status == 2
    failures = {name: each["failure"] for name, each in told["tools"].items()}
    assert failures["ruff"].startswith("ended with status 2: ")
    assert failures["complexity"] == failures["ruff"]
    if "mypy" in tools:
        wrong = "mypy: error: Missing target module, package, files, or command."
        assert failures["mypy"] == f"ended with status 2: {wrong}"
        assert f"mypy ended with status 2: {wrong}; try: mypy" in shown
    assert {each.ruling for each in judge(kept(tmp_path), Ratchet(), Ratchet(), asked)} == {Ruling.UNMEASURED}


def test_no_file(tmp_path: Path) -> None:
    committed(at(tmp_path, **{"pyproject.toml": '[tool.ruff]\nexclude = ["*.py"]\n'}))
    status, told, _ = quality(tmp_path, "ruff")
    assert (status, told["tools"]["ruff"]["failure"]) == (2, "looked at no file")
    # What another tool found in the same sources is kept.
    quality(tmp_path, "complexity")
    assert sorted(kept(tmp_path).data["tools"]) == ["complexity", "ruff"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("ruf", "pylint"),
            (
                "toxscreen: toxscreen quality: there is no tool 'ruf' [config-unknown-key]\n"
                "  did you mean 'ruff'? known: complexity, lizard, mypy, ruff\n"
                "toxscreen quality: there is no tool 'pylint' [config-unknown-key]\n"
                "  known: complexity, lizard, mypy, ruff\n"
            ),
        ),
        (
            (),
            (
                "toxscreen: pyproject.toml: tool.toxscreen.gates.quality: no tool is named [config-invalid]\n"
                "  name some of complexity, lizard, mypy, ruff, or set tool.toxscreen.gates.quality\n"
            ),
        ),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    status, _, shown = quality(tmp_path, *arguments)
    assert (status, shown) == (2, told)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for the tool is a shell script")
@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ("exit 3", "does not start: it printed nothing"),
        ("echo tool 1.0; echo error: broken >&2; test $1 = --version", "ended with status 1: error: broken"),
        ("echo tool 1.0", "printed what cannot be read: no JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_broken_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, failure: str) -> None:
    tool = tmp_path / "bin" / "ruff"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tool.with_name("python")))
    (told,) = read(measure(tmp_path, ["ruff"], 15)).tools.values()
    assert told.failure == failure
    assert (told.values, told.remedy[:2] in {("pip", "install"), ("ruff", "check")}) == ({}, True)


def test_a_ratchet_of_nothing_is_not_written(tmp_path: Path) -> None:
    committed(at(tmp_path, **{"pyproject.toml": "[tool.toxscreen]\n"}))
    done = subprocess.run(
        [sys.executable, "-m", "toxscreen", "gate", "--write-ratchet"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (
        2,
        "",
        [
            "toxscreen: pyproject.toml: tool.toxscreen.gates: nothing is to be kept [config-invalid]",
            "  set gates.quality or gates.coverage-ratchet",
        ],
    )
    assert not (tmp_path / "toxscreen-ratchet.txt").exists()
