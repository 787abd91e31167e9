"""``toxscreen perf`` from one end to the other: real git, environments, processes, rulings, evidence and gate."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)

#: Builds the project's wheel without fetching anything.
BACKEND = """
    import pathlib, zipfile

    def build_wheel(folder, config_settings=None, metadata_directory=None):
        name = "shop-1-py3-none-any.whl"
        with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
            wheel.writestr("shop.py", pathlib.Path("shop.py").read_text("utf-8"))
            wheel.writestr("shop-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: shop\\nVersion: 1\\n")
            tags = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
            wheel.writestr("shop-1.dist-info/WHEEL", tags)
            wheel.writestr("shop-1.dist-info/RECORD", "")
        return name
"""
SETTINGS = """
    [build-system]
    requires = []
    build-backend = "backend"
    backend-path = ["."]
    [tool.toxscreen.gates]
    performance = 0
    performance-resolution = 20
    [tool.toxscreen.perf]
    resolution = 20
    budget = 120
"""
FILES = {
    "pyproject.toml": dedent(SETTINGS),
    "backend.py": dedent(BACKEND),
    "shop.py": "def add(n):\n    return sum(range(n))\n",
    "tests/perf/test_shop.py": "from shop import add\n\ndef test_add(benchmark):\n    benchmark(add, 20_000)\n",
}
TEST = "tests/perf/test_shop.py::test_add"
WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


class Shop:
    """A project with one benchmark, in a repository of its own."""

    def __init__(self, around: Path) -> None:
        self.root = around / "shop"
        self.around = around
        self.root.mkdir()
        _stand_in(around / "wheels")
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        command = ["git", *WHO, *arguments]
        return subprocess.run(
            command, cwd=self.root, capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(content, encoding="utf-8")

    def commit(self, files: Mapping[str, str]) -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "next")
        return self.git("rev-parse", "HEAD")

    def run(self, *arguments: str) -> tuple[int, dict[str, Any], str]:
        """Status, document and errors of a command with ``--json``."""
        wheels, cache = os.fspath(self.around / "wheels"), os.fspath(self.around / "cache")
        variables = {
            **{name: value for name, value in os.environ.items() if name != "PIP_CONFIG_FILE"},
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": wheels,
            "UV_OFFLINE": "1",
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": wheels,
            "UV_CACHE_DIR": os.fspath(self.around / "uv"),
            "TOXSCREEN_CACHE": cache,
        }
        done = subprocess.run(
            [sys.executable, "-m", "toxscreen", *arguments, "--json"],
            cwd=self.root,
            env=variables,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.stdout.startswith("{"), done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr

    def gate(self) -> tuple[int, str, str]:
        """Status, ruling and reason of the gate."""
        status, document, _ = self.run("gate", "performance")
        (verdict,) = document["verdicts"]
        return status, verdict["ruling"], verdict["reason"]


def _stand_in(folder: Path) -> None:
    """A package under the name of pytest-benchmark that brings what is installed here: nothing is fetched."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "pytest_benchmark-5.1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("outer.pth", "".join(f"{each}\n" for each in site.getsitepackages()))
        about = "pytest_benchmark-5.1.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: pytest-benchmark\nVersion: 5.1\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_an_untouched_benchmark_passes_and_a_slower_one_is_found(shop: Shop) -> None:
    base = shop.commit(FILES)
    shop.commit({"README.md": "Nothing of weight.\n"})
    before = shop.git("status", "--porcelain", "--ignored")
    assert before == ""
    assert shop.gate()[1:] == ("unmeasured", "the evidence perf was never made")

    status, told, errors = shop.run("perf")
    assert (status, told["base"]["commit"], [(each["node_id"], each["change"]) for each in told["compared"]]) == (
        0,
        base,
        [(TEST, "same")],
    ), errors
    assert shop.git("status", "--porcelain", "--ignored") == "!! .toxscreen/"
    assert shop.gate() == (0, "pass", "none of 1 is slower")
    status, trend, _ = shop.run("perf", "--trend")
    assert (status, [each["node_id"] for each in trend["chains"]]) == (0, [TEST])

    shop.write({"shop.py": "def add(n):\n    return sum(range(n)) + sum(range(n))\n"})
    assert shop.gate()[1] == "unmeasured"
    status, told, errors = shop.run("perf", "--svg", "ratios.svg")
    (found,) = told["compared"]
    assert (status, found["change"], told["candidate"]["dirty"]) == (1, "regressed", True), errors
    assert found["confirmed_by"] > 0
    assert 1.5 < found["interval"]["low"] <= found["interval"]["ratio"] <= found["interval"]["high"] < 2.7
    assert (shop.root / "ratios.svg").exists()


def test_without_a_base_nothing_is_green(shop: Shop) -> None:
    shop.commit(FILES)
    status, told, _ = shop.run("perf")
    assert (status, [each["slug"] for each in told["errors"]]) == (2, ["base-missing"])


def test_a_base_without_benchmarks_is_not_judged(shop: Shop) -> None:
    shop.commit({name: text for name, text in FILES.items() if not name.startswith("tests")})
    shop.commit(FILES)
    status, told, errors = shop.run("perf")
    assert (status, [(each["node_id"], each["change"]) for each in told["compared"]]) == (2, [(TEST, "new")]), errors
    assert "not judged: the base has none of these benchmarks" in errors
    assert shop.gate() == (0, "not-applicable", "the base has no benchmark, all 1 are new")


def test_a_base_that_cannot_be_installed_is_told(shop: Shop) -> None:
    shop.commit({**FILES, "backend.py": "raise SystemExit('no such thing')\n"})
    shop.commit(FILES)
    status, told, _ = shop.run("perf")
    (error,) = told["errors"]
    assert (status, error["slug"]) == (2, "perf-build-failed")
    assert "no such thing" in error["hint"]
