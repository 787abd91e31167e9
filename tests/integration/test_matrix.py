"""``toxscreen matrix``: from what is remembered to a pipeline that CI systems take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from toxscreen.testing import Project, Suite

BIN = Path(sys.executable).parent
SUITE = Suite(
    {
        "pyproject.toml": """
            [project]
            name = "shop"
            requires-python = ">=3.11"
            classifiers = ["Programming Language :: Python :: 3.11", "Programming Language :: Python :: 3.13"]

            [tool.toxscreen]
            """,
        "tests/unit/test_a.py": """
            import time
            import pytest

            @pytest.mark.parametrize("number", range(4))
            def test_a(number): time.sleep(0.25)
            """,
        "tests/integration/test_b.py": "def test_b(): pass",
    }
)


def matrix(project: Project, *arguments: str) -> dict[str, Any]:
    done = project.toxscreen("matrix", "--json", *arguments).expect(exit=0)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shards(found: dict[str, Any]) -> dict[str, int]:
    return {row["tox"]: row["shards"] for row in found["rows"]}


def test_as_many_shards_as_the_wanted_time_takes(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    unknown = matrix(project)
    assert shards(unknown) == dict.fromkeys(("3.11-unit", "3.13-unit", "3.11-integration", "3.13-integration"), 1)
    assert {row["reason"] for row in unknown["rows"]} == {"nothing is known of its time: it has not run here"}
    run = project.run("--category", "unit", "-n0").run
    long = matrix(project)
    assert shards(long)["3.11-unit"] == 1
    # Nothing is that fast: as many as there are tests of equal length, or nearly.
    short = matrix(project, "--wall", "0.01s", "--envs", "unit", "--python", "3.12")
    assert 3 <= shards(short)["unit"] <= 4
    (row,) = short["rows"]
    assert f"(run {run.id}); 0.01 s cannot be had" in row["reason"]
    assert [job["shard"] for job in short["jobs"]] == [f"{n}/{row['shards']}" for n in range(1, row["shards"] + 1)]
    # Without the run, the history still knows.
    for file in (project.root / ".toxscreen/runs").rglob("*"):
        if file.is_file():
            file.unlink()
    (row,) = matrix(project, "--envs", "3.12-unit", "--python", "3.12")["rows"]
    assert row["reason"].startswith("4 tests take 1.0 s, on ")
    assert row["reason"].endswith(" and 2.0 s to start (the history; no run of it is recorded)")


def test_a_page_for_people_with_the_reasons(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    done = project.toxscreen("matrix", "--envs", "unit")
    done.expect(
        exit=0,
        says=(
            "2 jobs, so that each takes 300 s at most",
            "interpreters: 3.11, 3.13 (classifiers in pyproject.toml)",
            "unit: nothing is known of its time: it has not run here",
        ),
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("project_table", "told"),
    [
        ('requires-python = ">=3.11"', "interpreters: 3.11 (the oldest of requires-python in pyproject.toml)"),
        ("", "interpreters: whichever there is (nobody names one)"),
    ],
)
def test_interpreters_without_classifiers(tmp_path: Path, project_table: str, told: str) -> None:
    text = f'[project]\nname = "shop"\n{project_table}\n[tool.toxscreen]\n'
    SUITE.with_files({"pyproject.toml": text}).at(tmp_path).toxscreen("matrix").expect(exit=0, says=(told,))


def test_names_that_gates_expect_are_the_names_that_run(tmp_path: Path) -> None:
    expecting = '[tool.toxscreen.gates]\nenvironments = ["3.11-unit", "py313-unit", "{}"]\n'
    project = SUITE.at(tmp_path)
    plain = (project.root / "pyproject.toml").read_text()
    twice = plain.replace('3.11",', '3.11", "Programming Language :: Python :: 3.11",')
    project.write({"pyproject.toml": twice + expecting.format("py311")})
    assert list(shards(matrix(project))) == ["3.11-unit", "py313-unit", "py311"]
    project.write({"pyproject.toml": twice + expecting.format("integration")})
    done = project.toxscreen("matrix").expect(exit=0)
    told = "gates.environments does not name 3.11-integration, 3.13-integration: the gates would say that others"
    assert told in " ".join(done.text.split())
    project.write({"pyproject.toml": plain + expecting.format("unit: fast")})
    refused = project.toxscreen("matrix", "--gitlab")
    assert (refused.exit, "'unit:' cannot be the name of an environment" in refused.text) == (2, True), refused


def test_a_run_that_recorded_no_collection_says_nothing_of_its_time(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    run = project.run("--category", "unit", "-n0").run
    (project.root / f".toxscreen/runs/{run.id}/collection.json").unlink()
    assert shards(matrix(project, "--envs", "unit", "--python", "3.12")) == {"unit": 1}


def test_github_takes_the_line_and_people_read_the_reasons(tmp_path: Path) -> None:
    done = SUITE.at(tmp_path).toxscreen("matrix", "--github", "--python", "3.12").expect(exit=0)
    assert [job["tox"] for job in json.loads(done.stdout)] == ["unit", "integration"]
    assert done.stdout.count("\n") == 1
    assert "unit: nothing is known of its time: it has not run here" in done.stderr


def test_gitlab_takes_the_child_pipeline(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    project.run("--category", "unit", "-n0")
    done = project.toxscreen("matrix", "--gitlab", "--wall", "0.5s").expect(exit=0)
    file = tmp_path / "child.yml"
    file.write_text(done.stdout)
    checked = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert checked.returncode == 0, checked.stdout
    pipeline = YAML(typ="safe").load(file)
    names = {f"tox -e {python}-{name}" for python in ("3.11", "3.13") for name in ("unit", "integration")}
    assert set(pipeline) == {"stages", "merge", *names}
    (variables,) = pipeline["tox -e 3.11-unit"]["parallel"]["matrix"]
    assert variables["TOXSCREEN_SHARD"][0].startswith("1/")
    assert pipeline["tox -e 3.11-unit"]["script"][-1] == "tox -e 3.11-unit"
    assert pipeline["merge"]["script"][-1] == "toxscreen merge shards/*"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--python", "3.x"), "toxscreen matrix --python: '3.x' is no version of Python [config-invalid]"),
        (("--python", ""), "toxscreen matrix --python: nothing is no version of Python [config-invalid]"),
        (("--envs", "-x"), "'-x' cannot be the name of an environment [config-invalid]"),
        (("--envs", ","), "toxscreen matrix --envs: there is no environment to run [config-invalid]"),
        (
            ("--github", "--python", ",".join(f"3.{minor}" for minor in range(200))),
            "toxscreen matrix: makes 400 jobs, GitHub takes 256 [config-invalid]",
        ),
    ],
)
def test_what_makes_no_matrix(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    # Joined, so that a value may begin with a dash.
    *flags, option, value = arguments
    SUITE.at(tmp_path).toxscreen("matrix", *flags, f"{option}={value}").expect(exit=2, says=(told,))
