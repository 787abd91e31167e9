"""``toxscreen report`` in a project: on standard output, into files, and when it cannot."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from toxscreen.testing import Project, Suite


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of which nothing was measured."""
    made = Suite({"pyproject.toml": "[project]\nname = 'shop'\n"}).at(tmp_path_factory.mktemp("report"))
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "."),
        ("-c", "user.name=n", "-c", "user.email=e@x", "commit", "-qm", "first"),
    ):
        subprocess.run(["git", *words], cwd=made.root, check=True, capture_output=True)
    return made


def test_every_format_is_the_same_page_and_never_green_on_nothing(project: Project) -> None:
    gate = project.toxscreen("report")
    assert (gate.exit, gate.stderr) == (2, "")
    title, *_ = gate.stdout.splitlines()
    assert title.startswith("gates: ")
    names = {
        kind: f".toxscreen/report.{kind}" for kind in ("terminal", "markdown", "json", "sarif", "github", "gitlab")
    }
    words = [word for kind, name in names.items() for word in ("--format", kind, "--output", name)]
    written = project.toxscreen("report", *words, "--json")
    assert (written.exit, json.loads(written.stdout)["reports"]) == (2, {name: kind for kind, name in names.items()})
    read = {kind: (project.root / name).read_text(encoding="utf-8") for kind, name in names.items()}
    assert read["terminal"] == gate.stdout
    assert read["markdown"].startswith("# gates")
    data = json.loads(read["json"])
    assert data == {key: value for key, value in json.loads(written.stdout).items() if key != "reports"}
    against = [each["findings"] for each in data["verdicts"] if each["ruling"] in {"fail", "unmeasured"}]
    # What holds up is never nothing.
    errors = sum(len(found) or 1 for found in against) or 1
    severities = [each["severity"] for each in json.loads(read["gitlab"])]
    (run,) = json.loads(read["sarif"])["runs"]
    assert severities.count("major") == [each["level"] for each in run["results"]].count("error") == errors
    assert read["github"].count("::error") == min(errors, 10)


def test_one_format_is_printed(project: Project) -> None:
    found = project.toxscreen("report", "--format", "gitlab")
    assert (found.exit, isinstance(json.loads(found.stdout), list), found.stderr) == (2, True, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--format", "json", "--format", "sarif"),
            (
                "toxscreen report: takes one --output for each --format: here are 0 for 2 [config-invalid]\n"
                "  only a single --format can be printed\n"
            ),
        ),
        (
            ("--format", "json", "--output", "nowhere/x"),
            (
                "nowhere/x: cannot be written: there is no folder nowhere [report-unwritable]\n"
                "  name a file in a folder that is there\n"
            ),
        ),
    ],
    ids=["two on one output", "no folder"],
)
def test_what_cannot_be_written_is_an_error(project: Project, words: tuple[str, ...], message: str) -> None:
    found = project.toxscreen("report", *words)
    assert (found.exit, found.stdout, found.stderr) == (2, "", f"toxscreen: {message}")


def test_without_git_there_is_a_report(tmp_path: Path) -> None:
    found = Suite({"pyproject.toml": ""}).at(tmp_path).toxscreen("report", "--format", "markdown")
    assert (found.exit, found.stderr) == (2, "")
    assert "there is no git commit to compare with" in found.stdout
