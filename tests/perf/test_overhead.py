"""What toxscreen adds to pytest, as ratios against the same suite without it. Targets are in docs/performance.md."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from toxscreen.testing import Project, Suite

sys.path.insert(0, str(Path(__file__).parent))
from paired import Pairs, measure

_TRIVIAL = "\n".join(f"def test_{number}(): pass" for number in range(500))
#: Measuring the measured would measure coverage.
_PLAIN: dict[str, str | None] = {"COVERAGE_PROCESS_CONFIG": None, "COVERAGE_PROCESS_START": None, "COVERAGE_FILE": None}
_WITHOUT = ("-p", "no:toxscreen", "-p", "no:cacheprovider")


@pytest.fixture
def side_by_side(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, Callable[[], Pairs]], Pairs]:
    """Measure once under pytest-benchmark, keep the figures with its results and show them."""

    def run(title: str, pairs: Callable[[], Pairs]) -> Pairs:
        found: Pairs = benchmark.pedantic(pairs, rounds=1, iterations=1)
        benchmark.extra_info.update(found.told())
        with capsys.disabled():
            print(f"\n{title}: {found.told()}")
        return found

    return run


def trivial_suite(tmp_path: Path) -> Project:
    """2,000 tests that do nothing, in four files."""
    return Suite({f"tests/unit/test_part{number}.py": _TRIVIAL for number in range(4)}).at(tmp_path)


def test_installed_but_not_used(tmp_path: Path, side_by_side: Callable[[str, Callable[[], Pairs]], Pairs]) -> None:
    project = Suite({"tests/unit/test_one.py": "def test_one(): pass"}).at(tmp_path)
    unused = ("--collect-only", "-p", "no:cacheprovider")
    env = project.environment(_PLAIN)
    found = side_by_side(
        "installed but not used, --collect-only",
        lambda: measure(("--collect-only", *_WITHOUT), unused, 15, project.root, env),
    )
    assert len(found.with_it) == 15
    assert not (project.root / ".toxscreen").exists()


@pytest.mark.parametrize("freeze", [True, False], ids=["as it is", "freeze = false"])
def test_journal_and_cheap_probes(
    tmp_path: Path, side_by_side: Callable[[str, Callable[[], Pairs]], Pairs], *, freeze: bool
) -> None:
    project = trivial_suite(tmp_path)
    if not freeze:
        project.write({"pyproject.toml": "[tool.toxscreen]\nfreeze = false\n"})
    used = ("--category", "unit", "-n0", "-p", "no:cacheprovider")
    env = project.environment(_PLAIN)
    found = side_by_side(
        f"journal and cheap probes, 2,000 trivial tests{'' if freeze else ', freeze = false'}",
        lambda: measure((*_WITHOUT, "--timeout", "5"), used, 7, project.root, env),
    )
    assert len(found.with_it) == 7
    last = project.run(*used)
    last.expect(exit=0)
    assert len(last.run.attempts) == 2000
