"""The pipelines: they are valid and safe, the environments they name exist, and each of their scripts runs.

The scripts run for real, in a folder with the real `ci/`. Only what would take minutes or leave the machine is a
program that notes how it was called: tox (what its environments do is what all other tests are about), gh, and the
clients of services.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
GITLAB = ROOT / "ci" / "gitlab-ci.yml"
BIN = Path(sys.executable).parent
#: What the platform puts in the place of an expression.
EXPRESSIONS = {
    "github.event.workflow_run.head_branch": "fix; touch pwned",
    "github.event.workflow_run.head_repository.owner.login": "someone",
    "github.event.workflow_run.head_sha": "a" * 40,
    "github.event.workflow_run.id": "77",
    "github.repository": "owner/project",
    "github.run_id": "78",
    "github.token": "the-token",
    "matrix.python": "3.12",
    "secrets.APPRISE_URL": "",
    "secrets.CODECOV_TOKEN": "",
    "secrets.COVERALLS_REPO_TOKEN": "",
}
STUB = """\
#!{python}
import json, os, sys
name = os.path.basename(sys.argv[0])
piped = sys.stdin.read() if name == "apprise" else None
told = {{key: os.environ[key] for key in ("APPRISE_URLS", "COVERAGE_FILE", "GH_TOKEN") if key in os.environ}}
with open(os.environ["CALLS"], "a") as file:
    file.write(json.dumps([name, sys.argv[1:], told, piped]) + "\\n")
for words, status, text in json.loads(os.environ.get("ANSWERS", "[]")):
    if words in " ".join([name, *sys.argv[1:]]):
        print(text, end="")
        sys.exit(status)
"""


class Script(NamedTuple):
    """What a pipeline runs in one shell."""

    text: str
    env: Mapping[str, str]


def loaded(path: Path) -> dict[str, Any]:
    found = YAML(typ="safe").load(path)
    assert isinstance(found, dict)
    return found


def resolved(env: Mapping[str, str]) -> dict[str, str]:
    return {key: re.sub(r"\$\{\{ (.+?) \}\}", lambda match: EXPRESSIONS[match[1]], value) for key, value in env.items()}


def github_scripts() -> dict[str, Script]:
    found = {}
    for path in sorted(WORKFLOWS.glob("*.yml")):
        workflow = loaded(path)
        assert workflow["defaults"] == {"run": {"shell": "bash"}}
        for name, job in workflow["jobs"].items():
            for step in job["steps"]:
                if "run" in step:
                    env = {**workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})}
                    found[f"{path.stem} / {name} / {step['name']}"] = Script(step["run"], resolved(env))
    return found


def gitlab_scripts() -> dict[str, Script]:
    pipeline = loaded(GITLAB)
    # Those of the pipeline that name no other variable.
    env = {key: value for key, value in pipeline["variables"].items() if "$" not in value}
    sections = {"default": pipeline["default"], **pipeline}
    return {
        f"gitlab / {name} / {part}": Script("\n".join(section[part]), env)
        for name, section in sections.items()
        for part in ("before_script", "script", "after_script")
        if isinstance(section, dict) and part in section
    }


SCRIPTS = {**github_scripts(), **gitlab_scripts()}


class Done(NamedTuple):
    """A script that ran."""

    status: int
    stdout: str
    stderr: str
    #: Name, arguments, variables and standard input of each program that noted its call.
    calls: list[tuple[str, list[str], dict[str, str], str | None]]
    summary: str

    @property
    def commands(self) -> list[list[str]]:
        return [[name, *arguments] for name, arguments, _, _ in self.calls]


@dataclass(frozen=True)
class Place:
    """A machine of a pipeline, with the project checked out or not."""

    folder: Path
    #: What lies beside the project on that machine.
    beside: Path

    def run(
        self, name: str, env: Mapping[str, str] | None = None, answers: Sequence[tuple[str, int, str]] = ()
    ) -> Done:
        """Run a script as the platform does; stubs give the first answer whose words are in their command line."""
        calls, summary = self.beside / "calls", self.beside / "summary.md"
        calls.write_text("")
        summary.write_text("# before\n")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", SCRIPTS[name].text],
            cwd=self.folder,
            env={
                "PATH": os.pathsep.join((str(self.beside / "bin"), str(BIN), os.defpath)),
                "HOME": str(self.beside),
                "CALLS": str(calls),
                "ANSWERS": json.dumps(answers),
                "CI": "true",
                "CI_COMMIT_BRANCH": "main",
                "CI_DEFAULT_BRANCH": "main",
                "CI_JOB_STATUS": "success",
                "CI_PROJECT_PATH": "group/project",
                "GITHUB_REPOSITORY": "owner/project",
                "GITHUB_STEP_SUMMARY": str(summary),
                **SCRIPTS[name].env,
                **(env or {}),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        noted = [tuple(json.loads(line)) for line in calls.read_text().splitlines()]
        return Done(done.returncode, done.stdout, done.stderr, noted, summary.read_text())


@pytest.fixture
def bare(tmp_path: Path) -> Place:
    """A machine on which nothing is checked out."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "work").mkdir()
    stub = tmp_path / "bin" / "tox"
    stub.write_text(STUB.format(python=sys.executable))
    stub.chmod(0o755)
    for name in ("apprise", "codecovcli", "coveralls", "gh"):
        shutil.copy(stub, tmp_path / "bin" / name)
    return Place(tmp_path / "work", tmp_path)


@pytest.fixture
def machine(bare: Place) -> Place:
    """A machine with the project, in which every environment has run."""
    (bare.folder / "ci").mkdir()
    for name in ("bootstrap.py", "notify", "pins.txt", "upload-coverage"):
        shutil.copy(ROOT / "ci" / name, bare.folder / "ci")
    state = bare.folder / ".toxscreen"
    (state / "coverage" / "report").mkdir(parents=True)
    (state / "coverage" / "report" / "coverage.xml").write_text("<coverage/>")
    # Just what the environments write: what is read and not written shows.
    for name in re.findall(r"\.toxscreen/(\S+)", (ROOT / "tox.ini").read_text(encoding="utf-8")):
        (state / name).write_text(f"content of {name}\n")
    return bare


# valid and safe


@pytest.mark.parametrize(
    "command",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *sorted(map(str, WORKFLOWS.glob("*.yml")))),
        ("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(GITLAB)),
    ],
    ids=["github", "gitlab"],
)
def test_pipelines_have_the_shape_that_their_platform_reads(command: tuple[str, ...]) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ok -- validation done\n")


def test_workflows_are_safe() -> None:
    command = [str(BIN / "zizmor"), "--offline", "--no-progress", "--no-config", "--color", "never", str(WORKFLOWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # What is ignored: that comments are made beside the run and not in it.
    assert (done.returncode, done.stdout.partition(", ")[0]) == (0, "No findings to report. Good job! (1 ignored")


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_what_a_job_may_is_said_and_little(path: Path) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        checked_out = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        if checked_out:
            # Who has the tokens reads what another job made, and runs nothing of it.
            artifacts = {"actions": "read"} if name == "publish" else {}
            assert job["permissions"] == {"contents": "read", **artifacts}
        else:
            assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
        assert job["timeout-minutes"] <= 150
        assert all(step["with"]["persist-credentials"] is False for step in checked_out)
    pinned = re.findall(r"uses: (.*)", path.read_text())
    assert all(
        re.fullmatch(r"actions/[a-z-]+(?:/save|/restore)?@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in pinned
    )


def test_the_journal_of_a_red_run_is_kept() -> None:
    """An outcome that changes by itself shows only beside a failure; GitHub's plain cache keeps green runs alone."""
    steps = loaded(WORKFLOWS / "ci.yml")["jobs"]["verdict"]["steps"]
    caches = [
        (step["uses"].partition("@")[0], step["with"]["key"], step.get("if"))
        for step in steps
        if step.get("with", {}).get("path") == ".toxscreen/runs"
    ]
    key = "journal-${{ github.run_id }}-${{ github.run_attempt }}"
    assert caches == [("actions/cache/restore", key, None), ("actions/cache/save", key, "${{ !cancelled() }}")]
    # GitLab's own words for it.
    (journal,) = [each for each in loaded(GITLAB)["default"]["cache"] if each["paths"] == [".toxscreen/runs"]]
    assert journal["when"] == "always"


def test_environments_that_pipelines_name_exist() -> None:
    named = {
        name
        for script in SCRIPTS.values()
        for words in re.findall(r'^ *tox -e "?([^"\s]+)', script.text, re.MULTILINE)
        for name in words.split(",")
    }
    assert {"$PYTHON-unit", "$PYTHON-integration", "report", "hunt"} == named
    pythons = [*loaded(WORKFLOWS / "ci.yml")["jobs"]["interpreters"]["strategy"]["matrix"]["python"]]
    assert pythons == loaded(GITLAB)["interpreters"]["parallel"]["matrix"][0]["PYTHON"]
    names = sorted({name.replace("$PYTHON", python) for name in named for python in pythons})
    command = [sys.executable, "-m", "tox", "config", "-qq", "-c", str(ROOT), "-e", ",".join(names), "-k", "commands"]
    env = {key: value for key, value in os.environ.items() if not key.startswith("TOX")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(re.findall(r"^\[testenv:(.+)\]\ncommands = \S", done.stdout, re.MULTILINE)) == names


@pytest.mark.parametrize(
    ("commit", "commands"),
    [
        # Nothing to compare with.
        (None, ["coverage run -m pytest --category perf"]),
        # git's name for a tree without any file.
        ("4b825dc642cb6eb9a060e54bf8d69288fbee4904", ["coverage run -m pytest --category perf", "- toxscreen perf"]),
        pytest.param("HEAD", [], marks=pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git repository")),
    ],
    ids=["no base", "no benchmarks", "benchmarks"],
)
def test_what_is_left_out_for_want_of_a_base(commit: str | None, commands: list[str]) -> None:
    ask = "import json, runpy, sys; sys.path.insert(0, 'ci'); found = runpy.run_path('ci/test'); "
    base = "found['BaseError']('no parent')" if commit is None else f"found['Base']({commit!r}, 'named')"
    command = [sys.executable, "-c", f"{ask}print(json.dumps(found['without']({base})))"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    arguments, told = json.loads(done.stdout)
    assert (len(told), commands_of_perf(*arguments)) == (
        (1 if commit else 2, commands) if commands else (0, commands_of_perf())
    )
    tests, compares = commands_of_perf()
    assert (tests.startswith("coverage run -m pytest --category perf "), compares) == (True, "toxscreen perf")


def commands_of_perf(*options: str) -> list[str]:
    command = [sys.executable, "-m", "tox", "config", "-qq", "-c", str(ROOT), "-e", "perf", "-k", "commands", *options]
    env = {key: value for key, value in os.environ.items() if not key.startswith("TOX")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return [line.strip() for line in done.stdout.partition("commands =")[2].splitlines() if line.strip()]


# every script


def test_every_script_of_every_pipeline_is_run_below() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in SCRIPTS if f'"{name}"' not in source] == []
    assert [name for name, script in SCRIPTS.items() if "${{" in script.text] == []


INSTALLING = (
    "ci / interpreters / Install tox",
    "ci / verdict / Install tox",
    "hunt / hunt / Install tox",
    "gitlab / default / before_script",
)


def test_tox_is_installed_under_the_pins(machine: Place) -> None:
    (script,) = {SCRIPTS[name].text.strip() for name in INSTALLING}
    (machine.beside / "bin" / "tox").unlink()
    # Where tox is installed already, as here, pip has nothing to fetch; it must not try either.
    done = machine.run(INSTALLING[0], env={"PIP_NO_INDEX": "1", "PIP_DRY_RUN": "1"})
    satisfied = [line.split(" in ")[0] for line in done.stdout.splitlines() if line.startswith("Requirement already")]
    assert (done.status, satisfied[:1]) == (0, ["Requirement already satisfied: tox"]), done.stderr
    assert script == "python -m pip install --constraint ci/pins.txt tox"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ci / interpreters / Test", ["-e", "3.12-unit,3.12-integration"]),
        ("ci / verdict / Everything", []),
        ("ci / verdict / Report", ["-e", "report"]),
        ("hunt / hunt / Hunt", ["-e", "hunt"]),
        ("gitlab / interpreters / script", ["-e", "3.13-unit,3.13-integration"]),
        ("gitlab / hunt / script", ["-e", "hunt"]),
    ],
)
def test_environments_are_run_and_their_status_is_that_of_the_step(
    machine: Place, name: str, arguments: list[str]
) -> None:
    green, red = machine.run(name), machine.run(name, answers=[("tox", 1, "red\n")])
    assert (green.status, green.commands, green.stdout) == (0, [["tox", *arguments]], "")
    assert (red.status, red.commands, red.stdout) == (1, [["tox", *arguments]], "red\n")


def test_summary_and_annotations_are_those_of_the_report(machine: Place) -> None:
    done = machine.run("ci / verdict / Summary and annotations")
    assert (done.status, done.calls, done.stderr) == (0, [], "")
    assert done.summary == "# before\ncontent of report.md\n"
    assert done.stdout == "content of report.annotations\n"


def test_the_summary_of_a_hunt_is_what_it_found(machine: Place) -> None:
    done = machine.run("hunt / hunt / Summary")
    assert (done.status, done.calls, done.stdout, done.stderr) == (0, [], "", "")
    assert done.summary == "# before\ncontent of hunt.md\n"


def test_what_is_published_is_the_report_of_this_run(machine: Place) -> None:
    done = machine.run("ci / publish / Fetch the reports")
    assert (done.status, done.stdout, done.stderr) == (0, "", "")
    ((name, arguments, told, _),) = done.calls
    assert [name, *arguments] == ["gh", "run", "download", "78", "--name", "report", "--dir", ".toxscreen"]
    assert told == {"GH_TOKEN": "the-token"}


def test_without_a_token_no_coverage_is_uploaded(machine: Place) -> None:
    done = machine.run("ci / publish / Upload coverage")
    assert (done.status, done.calls, done.stderr) == (0, [], "")
    assert done.stdout == (
        "Codecov: skipped, CODECOV_TOKEN is not set\nCoveralls: skipped, COVERALLS_REPO_TOKEN is not set\n"
    )


@pytest.mark.parametrize(("env", "host"), [({}, "github"), ({"GITLAB_CI": "true"}, "gitlab")], ids=["github", "gitlab"])
def test_with_a_token_coverage_is_uploaded_by_the_service_s_own_client(
    machine: Place, env: dict[str, str], host: str
) -> None:
    tokens = {"CODECOV_TOKEN": "secret-one", "COVERALLS_REPO_TOKEN": "secret-two"}
    done = machine.run("ci / publish / Upload coverage", env={**tokens, **env})
    file = str(Path(".toxscreen") / "coverage" / "report" / "coverage.xml")
    options = ["--fail-on-error", "--disable-search", "--git-service", host, "--file", file]
    assert (done.status, done.stdout) == (0, "Codecov: uploaded\nCoveralls: uploaded\n")
    assert done.commands == [
        ["codecovcli", "upload-process", *options],
        ["coveralls", "--rcfile", "pyproject.toml"],
    ]
    (*_, (_, _, told, _)) = done.calls
    assert told["COVERAGE_FILE"] == str(machine.folder / ".toxscreen" / "coverage" / ".coverage")


def test_a_service_that_does_not_take_it_is_told(machine: Place) -> None:
    env = {"CODECOV_TOKEN": "secret"}
    done = machine.run("ci / publish / Upload coverage", env=env, answers=[("codecovcli", 3, "")])
    told = "Codecov: its client ended with status 3\nCoveralls: skipped, COVERALLS_REPO_TOKEN is not set\n"
    assert (done.status, done.stdout) == (1, told)


def test_a_token_without_coverage_is_told(machine: Place) -> None:
    shutil.rmtree(machine.folder / ".toxscreen" / "coverage")
    done = machine.run("ci / publish / Upload coverage", env={"COVERALLS_REPO_TOKEN": "secret"})
    file = Path(".toxscreen") / "coverage" / "report" / "coverage.xml"
    assert (done.status, done.calls) == (2, [])
    assert done.stderr == f"Coveralls: there is no {file}; run tox -e coverage\n"


NOTIFICATIONS = [
    ("ci / publish / Notify", "owner/project is red", "report.md"),
    ("hunt / hunt / Notify", "owner/project - the hunt came home with something", "hunt.md"),
]


@pytest.mark.parametrize(("name", "title", "file"), NOTIFICATIONS, ids=["ci", "hunt"])
def test_nobody_is_notified_unless_there_is_an_address(machine: Place, name: str, title: str, file: str) -> None:
    skipped = machine.run(name)
    assert (skipped.status, skipped.calls) == (0, [])
    assert skipped.stdout == "notification: skipped, APPRISE_URL is not set\n"
    address = "json://127.0.0.1/secret"
    sent = machine.run(name, env={"APPRISE_URL": address})
    assert (sent.status, sent.stdout, sent.stderr) == (0, "notification: sent\n", "")
    arguments = ["--title", title, "--input-format", "markdown"]
    # No argument holds the address: arguments are no secret.
    assert sent.calls == [("apprise", arguments, {"APPRISE_URLS": address}, f"content of {file}")]


def test_notifications_are_short_and_their_failure_is_told(machine: Place) -> None:
    report = machine.folder / ".toxscreen" / "report.md"
    report.write_text("word " * 1000)
    env = {"APPRISE_URL": "x://y"}
    failed = machine.run("ci / publish / Notify", env=env, answers=[("apprise", 2, "")])
    assert (failed.status, failed.stdout) == (1, "notification: apprise ended with status 2\n")
    ((_, _, _, body),) = failed.calls
    assert body == f"{('word ' * 800).strip()}\n\n..."
    report.unlink()
    ((_, _, _, body),) = machine.run("ci / publish / Notify", env=env).calls
    assert body == ".toxscreen/report.md: No such file or directory"


def test_a_notification_has_a_title_and_a_file(machine: Place) -> None:
    command = [sys.executable, "ci/notify", "title"]
    done = subprocess.run(command, cwd=machine.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "usage: ci/notify TITLE FILE\n")


# GitLab


@pytest.mark.parametrize(
    ("name", "first", "file"),
    [
        ("gitlab / verdict / after_script", [["tox", "-e", "report"]], "report.md"),
        ("gitlab / hunt / after_script", [], "hunt.md"),
    ],
)
def test_what_follows_a_job_of_gitlab(machine: Place, name: str, first: list[list[str]], file: str) -> None:
    env = {"APPRISE_URL": "x://y"}
    # The report of something red is red.
    answers = [("tox", 1, "")]
    green = machine.run(name, env=env, answers=answers)
    assert (green.status, green.commands) == (0, first)
    red = machine.run(name, env={**env, "CI_JOB_STATUS": "failed"}, answers=answers)
    assert (red.status, [call[0] for call in red.calls]) == (0, [*(call[0] for call in first), "apprise"])
    assert red.calls[-1][3] == f"content of {file}"


@pytest.mark.parametrize("target", ["", "release-1"], ids=["branch", "merge request"])
def test_gitlab_fetches_what_changes_are_compared_with(machine: Place, target: str) -> None:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=n", "-c", "user.email=e@x", *words]
        return subprocess.run(command, cwd=machine.folder, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q", "-b", "main", str(machine.beside / "origin"))
    origin = ("-C", str(machine.beside / "origin"))
    git(*origin, "commit", "-q", "--allow-empty", "-m", "first")
    git(*origin, "branch", "release-1")
    git("init", "-q")
    git("remote", "add", "origin", str(machine.beside / "origin"))
    env = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": target} if target else {}
    done = machine.run("gitlab / verdict / script", env=env)
    assert (done.status, done.commands, done.stderr) == (0, [["tox"]], "")
    known = git("for-each-ref", "--format=%(refname)", "refs/remotes")
    assert known == f"refs/remotes/origin/{target or 'main'}"
    red = machine.run("gitlab / verdict / script", env=env, answers=[("tox", 1, "")])
    assert (red.status, red.commands) == (1, [["tox"]])


def test_a_merge_request_notifies_nobody(machine: Place) -> None:
    env = {"APPRISE_URL": "x://y", "CI_JOB_STATUS": "failed", "CI_COMMIT_BRANCH": ""}
    done = machine.run("gitlab / verdict / after_script", env=env)
    assert (done.status, done.commands) == (0, [["tox", "-e", "report"]])


# the comment

COMMENT = "comment / comment / Comment"
PULLS = ["gh", "api", "--method", "GET", "repos/owner/project/pulls", "-f", "state=open"]
DOWNLOAD = ["gh", "run", "download", "77", "--repo", "owner/project", "--name", "report", "--dir", "report"]
NUMBER = ("project/pulls", 0, "12\n")


def report(place: Place, text: str) -> None:
    (place.folder / "report").mkdir()
    (place.folder / "report" / "report.md").write_text(text)


@pytest.mark.parametrize(
    ("earlier", "call"),
    [
        ("", ["POST", "repos/owner/project/issues/12/comments"]),
        ("345\n678\n", ["PATCH", "repos/owner/project/issues/comments/345"]),
    ],
    ids=["first", "again"],
)
def test_the_report_is_one_comment_and_written_over(bare: Place, earlier: str, call: list[str]) -> None:
    # What the report says is text, whatever it says.
    report(bare, "$(touch pwned) `touch pwned`\n")
    done = bare.run(COMMENT, answers=[NUMBER, ("--paginate", 0, earlier)])
    assert (done.status, done.stdout, done.stderr) == (0, "", "")
    first, second, third, last = done.commands
    assert first[:-2] == [*PULLS, "-f", "head=someone:fix; touch pwned"]
    assert second == DOWNLOAD
    assert third[:4] == ["gh", "api", "--paginate", "repos/owner/project/issues/12/comments"]
    assert last == ["gh", "api", "--silent", "--method", *call, "-F", "body=@body.md"]
    assert {env["GH_TOKEN"] for _, _, env, _ in done.calls} == {"the-token"}
    assert (bare.folder / "body.md").read_text() == "<!-- toxscreen -->\n$(touch pwned) `touch pwned`\n"
    assert sorted(path.name for path in bare.folder.iterdir()) == ["body.md", "report"]


def test_a_long_report_is_cut_to_what_a_comment_holds(bare: Place) -> None:
    report(bare, "x" * 70_000)
    assert bare.run(COMMENT, answers=[NUMBER]).status == 0
    assert (bare.folder / "body.md").read_text() == f"<!-- toxscreen -->\n{'x' * 60_000}"


@pytest.mark.parametrize("number", ["", "12; rm -rf /\n", "null\n"], ids=["none", "no number", "null"])
def test_without_a_pull_request_of_this_commit_nothing_is_said(bare: Place, number: str) -> None:
    done = bare.run(COMMENT, answers=[("project/pulls", 0, number)])
    assert (done.status, len(done.calls)) == (0, 1)
    assert done.stdout == "::notice title=toxscreen::no open pull request has this commit\n"


@pytest.mark.parametrize("kind", ["no artifact", "another artifact", "a link"])
def test_without_a_report_nothing_is_said(bare: Place, kind: str) -> None:
    if kind == "a link":
        (bare.beside / "secret").write_text("secret")
        (bare.folder / "report").mkdir()
        (bare.folder / "report" / "report.md").symlink_to(bare.beside / "secret")
    done = bare.run(COMMENT, answers=[NUMBER, ("download", 1 if kind == "no artifact" else 0, "")])
    assert (done.status, done.commands[1:]) == (0, [DOWNLOAD])
    assert done.stdout == "::notice title=toxscreen::the run left no report\n"


@pytest.mark.parametrize("wrong", [{"RUN": "7 --repo x/y"}, {"HEAD_SHA": "main"}], ids=["run", "commit"])
def test_an_event_of_another_shape_is_not_worked_on(bare: Place, wrong: dict[str, str]) -> None:
    done = bare.run(COMMENT, env=wrong)
    assert (done.status, done.calls) == (1, [])


def test_github_s_refusal_is_red(bare: Place) -> None:
    report(bare, "report")
    done = bare.run(COMMENT, answers=[NUMBER, ("POST", 1, "forbidden\n")])
    assert (done.status, done.stdout) == (1, "forbidden\n")
