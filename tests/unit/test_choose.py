"""What a run uses, and where each choice came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen import settings
from toxscreen.model import Sourced
from toxscreen.plan.choose import Asked, Chosen, choose


def chosen(root: Path, text: str, category: str, asked: Asked, cores: int) -> Chosen:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    found = settings.load(root, {})
    return choose(found.categories[category], found, asked, cores)


def test_without_a_word_everything_is_the_default(tmp_path: Path) -> None:
    found = chosen(tmp_path, "", "unit", Asked(), 4)
    assert found == Chosen(
        workers=Sourced(4, "default: auto, 4 cores"),
        order=Sourced("random", "default"),
        timeout=Sourced(5.0, "default"),
        network=Sourced("none", "default"),
        subprocesses=Sourced("no", "default"),
        leaks=Sourced("fail", "default"),
    )
    assert found.told() == {
        "workers": "4 (default: auto, 4 cores)",
        "order": "random (default)",
        "timeout": "5 s (default)",
        "network": "none (default)",
        "subprocesses": "no (default)",
        "leaks": "fail (default)",
    }


def test_the_projects_settings_come_before_the_defaults(tmp_path: Path) -> None:
    text = """
[tool.toxscreen.categories.unit]
workers = "auto"
order = "written"
timeout = 0
network = "any"
subprocesses = true
leaks = "off"
"""
    where = "pyproject.toml: categories.unit"
    assert chosen(tmp_path, text, "unit", Asked(), 1).told() == {
        "workers": f"1 ({where}.workers: auto, 1 core)",
        "order": f"written ({where}.order)",
        "timeout": f"none ({where}.timeout)",
        "network": f"any ({where}.network)",
        "subprocesses": f"yes ({where}.subprocesses)",
        "leaks": f"off ({where}.leaks)",
    }


@pytest.mark.parametrize(("count", "told"), [(0, "in-process"), (1, "1"), (12, "12")])
def test_a_number_of_workers_is_not_changed_by_the_machine(tmp_path: Path, count: int, told: str) -> None:
    found = chosen(tmp_path, f"[tool.toxscreen.categories.perf]\nworkers = {count}\n", "perf", Asked(), 2)
    assert found.workers == Sourced(count, "pyproject.toml: categories.perf.workers")
    assert found.told()["workers"] == f"{told} (pyproject.toml: categories.perf.workers)"


def test_what_the_user_asks_for_comes_first(tmp_path: Path) -> None:
    text = "[tool.toxscreen.categories.unit]\nworkers = 3\norder = 'random'\ntimeout = 9\n"
    asked = Asked(Sourced(0, "-n 0"), Sourced("written", "-p no:randomly"), Sourced(0.0, "--timeout"))
    found = chosen(tmp_path, text, "unit", asked, 8)
    assert (found.workers, found.order, found.timeout) == (asked.workers, asked.order, asked.timeout)
    assert found.told() == {
        "workers": "in-process (-n 0)",
        "order": "written (-p no:randomly)",
        "timeout": "none (--timeout)",
        "network": "none (default)",
        "subprocesses": "no (default)",
        "leaks": "fail (default)",
    }


@pytest.mark.parametrize(
    ("workers", "asked", "expected"),
    [
        ('"auto"', Asked(auto=Sourced(3, "AUTO")), Sourced(3, "AUTO")),
        ("0", Asked(auto=Sourced(3, "AUTO")), Sourced(0, "pyproject.toml: categories.unit.workers")),
        ("5", Asked(auto=Sourced(3, "AUTO")), Sourced(5, "pyproject.toml: categories.unit.workers")),
        ('"auto"', Asked(Sourced(4, "-n"), auto=Sourced(3, "AUTO")), Sourced(4, "-n")),
    ],
)
def test_what_auto_means_is_no_word_on_a_number(tmp_path: Path, workers: str, asked: Asked, expected: object) -> None:
    text = f"[tool.toxscreen.categories.unit]\nworkers = {workers}\n"
    assert chosen(tmp_path, text, "unit", asked, 8).workers == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(), Sourced(2, "--maxprocesses")),
        (Asked(Sourced(4, "-n")), Sourced(2, "--maxprocesses")),
        (Asked(Sourced(2, "-n")), Sourced(2, "-n")),
        (Asked(Sourced(0, "-n")), Sourced(0, "-n")),
        (Asked(auto=Sourced(3, "AUTO")), Sourced(2, "--maxprocesses")),
        (Asked(auto=Sourced(1, "AUTO")), Sourced(1, "AUTO")),
    ],
)
def test_there_are_no_more_workers_than_allowed(tmp_path: Path, asked: Asked, expected: object) -> None:
    asked = asked._replace(most=Sourced(2, "--maxprocesses"))
    assert chosen(tmp_path, "", "unit", asked, 8).workers == expected


@pytest.mark.parametrize(("seconds", "told"), [(0.5, "0.5 s"), (60.0, "60 s"), (1e-3, "0.001 s")])
def test_a_limit_is_told_in_seconds(tmp_path: Path, seconds: float, told: str) -> None:
    found = chosen(tmp_path, "", "unit", Asked(timeout=Sourced(seconds, "--timeout")), 1)
    assert found.told()["timeout"] == f"{told} (--timeout)"
