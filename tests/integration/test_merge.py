"""Three machines run a part each; joined, it is as if one had run all. Whatever lacks, nothing is joined."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from toxscreen.host import interpreter
from toxscreen.journal.history import load_history
from toxscreen.journal.read import read_run
from toxscreen.journal.store import run_folders
from toxscreen.model import Run
from toxscreen.testing import Project, Suite

FILES = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        pythonpath = ["src"]

        [tool.toxscreen.gates]
        environments = ["unit"]

        [tool.coverage.run]
        branch = true
        parallel = true
        patch = ["subprocess"]
        relative_files = true
        source = ["src"]

        [tool.coverage.report]
        fail_under = 50
        """,
    ".gitignore": "__pycache__/\n.pytest_cache/\n",
    "src/shop/__init__.py": "",
    "src/shop/price.py": """
        def size(number):
            if number > 4:
                return "large"
            if number < 0:
                return "negative"
            return "small"
        """,
    "src/shop/order.py": """
        def label(number):
            return f"order {number}" if number else "none"
        """,
    "tests/unit/test_price.py": """
        import pytest
        from shop.price import size

        @pytest.mark.parametrize("number", range(8))
        def test_size(number):
            assert size(number) == ("large" if number > 4 else "small")
        """,
    "tests/unit/test_order.py": """
        import pytest
        from shop.order import label

        def test_label(): assert label(3) == "order 3"
        def test_none(): assert label(0) == "none"
        @pytest.mark.skip(reason="later")
        def test_later(): assert label(1)
        """,
}
#: The measuring of this suite itself must not be taken over by what is measured here.
PLAIN: dict[str, str | None] = {"COVERAGE_PROCESS_CONFIG": None, "COVERAGE_PROCESS_START": None, "COVERAGE_FILE": None}
MACHINES = ("one", "two", "three")


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, check=True, timeout=30)


def measure(project: Project, *options: str, environment: str = "unit") -> int:
    """What a tox environment does; the exit status of pytest."""
    project.run("coverage", "--begin", environment, module="toxscreen", env=PLAIN)
    state = project.root / ".toxscreen"
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "--category", "unit", *options]
    env = project.environment(
        {**PLAIN, "COVERAGE_FILE": f"{state}/coverage/{environment}/.coverage", "TOX_ENV_NAME": environment}
    )
    done = subprocess.run(
        [*command, "--junitxml", f".toxscreen/junit/{environment}.xml"],
        cwd=project.root,
        env=env,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode


class Fleet:
    """Clones of one project: three machines, and the one on which the shards are joined."""

    def __init__(self, around: Path) -> None:
        self.around = around
        self.here = Project(around / "here", around)

    def machine(self, name: str) -> Project:
        return Project(self.around / name, self.around)

    def merge(self, *names: str) -> tuple[int, dict[str, Any], str]:
        """Exit status, data and text of joining what lies on machines."""
        done = self.here.run("merge", "--json", *(f"../{name}" for name in names), module="toxscreen", env=PLAIN)
        return done.exit, json.loads(done.stdout), done.stderr

    def refused(self, *names: str) -> list[tuple[str, str]]:
        """Slug and message of all that is against joining; nothing may have been written."""
        status, data, text = self.merge(*names)
        assert (status, data["ruling"], data["merged"]) == (2, "unmeasured", []), text
        assert not (self.here.root / ".toxscreen").exists()
        for each in data["findings"]:
            assert f"{each['subject']}: {each['message']} [{each['slug']}]" in text
        return [(each["slug"], each["message"]) for each in data["findings"]]

    def runs(self, name: str) -> list[Run]:
        return [read_run(folder) for folder in run_folders(self.around / name)]


def clones(around: Path, files: dict[str, str], names: Sequence[str]) -> Fleet:
    origin = Suite(files).at(around).root
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", "-A")
    git(origin, "commit", "-qm", "all")
    for name in names:
        git(around, "clone", "-q", str(origin), name)
    return Fleet(around)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three machines that have run a shard each, made once; each test has a copy."""
    around = tmp_path_factory.mktemp("fleet")
    fleet = clones(around, FILES, ("here", *MACHINES))
    for number, name in enumerate(MACHINES, 1):
        assert measure(fleet.machine(name), "-n0", "--screen-shard", f"{number}/3") == 0
    return around


@pytest.fixture
def fleet(sharded: Path, tmp_path: Path) -> Fleet:
    shutil.copytree(sharded, tmp_path / "fleet", symlinks=True)
    return Fleet(tmp_path / "fleet")


def covered(project: Project) -> dict[str, Any]:
    done = project.run("coverage", "unit", module="toxscreen", env=PLAIN)
    assert done.exit == 0, done
    report: dict[str, Any] = json.loads((project.root / ".toxscreen/coverage/report/coverage.json").read_text())
    return {
        "totals": report["totals"],
        "files": {
            name: (entry["executed_lines"], entry["executed_branches"], entry["summary"])
            for name, entry in report["files"].items()
        },
    }


@pytest.mark.parametrize("workers", [0, 2])
def test_three_shards_are_as_good_as_one_run(tmp_path: Path, workers: int) -> None:
    red = {**FILES, "tests/unit/test_red.py": "def test_red(): assert 0\ndef test_green(): assert 1\n"}
    fleet = clones(tmp_path, red, ("here", "whole", *MACHINES))
    whole = fleet.machine("whole")
    assert measure(whole, f"-n{workers}") == 1
    statuses = [
        measure(fleet.machine(name), f"-n{workers}", f"--randomly-seed={number}", f"--screen-shard={number}/3")
        for number, name in enumerate(MACHINES, 1)
    ]
    assert sorted(statuses) == [0, 0, 1]
    status, data, text = fleet.merge(*MACHINES)
    assert status == 1, text
    (one,) = fleet.runs("whole")
    (made,) = fleet.runs("here")
    assert made.outcomes == one.outcomes
    assert (made.state, made.exit_status, made.name, made.header.commit) == (
        one.state,
        one.exit_status,
        "unit",
        one.header.commit,
    )
    assert made.selection == one.selection
    assert {lane.name.partition(".")[0] for lane in made.order.lanes} == {"1", "2", "3"}
    assert made.header.merged == tuple(run.id for name in MACHINES for run in fleet.runs(name))
    assert made.header.shard is None
    (told,) = data["merged"]
    assert (told["name"], told["tests"], told["red"]) == ("unit", 13, ["tests/unit/test_red.py::test_red"])
    assert told["outcomes"] == {"passed": 11, "failed": 1, "skipped": 1}
    assert covered(fleet.here) == covered(whole)
    gates = [
        {each["gate"]: (each["ruling"], each["numerator"], each["denominator"]) for each in verdicts["verdicts"]}
        for verdicts in (
            json.loads(project.run("gate", "--json", module="toxscreen", env=PLAIN).stdout)
            for project in (fleet.here, whole)
        )
    ]
    assert gates[0] == gates[1]
    assert gates[0]["runs"] == ("fail", 13, 13)
    suites = ET.parse(fleet.here.root / ".toxscreen/junit/unit.xml").getroot()
    assert sum(int(suite.attrib["tests"]) for suite in suites) == 13
    assert len(list(suites.iter("testcase"))) == 13
    assert set(load_history(fleet.here.root).tests) == set(load_history(whole.root).tests)


def test_a_whole_of_three_is_green_for_the_gate_and_one_of_three_is_not(fleet: Fleet) -> None:
    status, data, text = fleet.merge(*MACHINES)
    assert (status, data["ruling"], data["findings"]) == (0, "pass", []), text
    gate = fleet.here.run("gate", "--json", module="toxscreen", env=PLAIN)
    rulings = {each["gate"]: each["ruling"] for each in json.loads(gate.stdout)["verdicts"]}
    assert rulings["runs"] == "pass"
    alone = fleet.machine("one").run("gate", "--json", module="toxscreen", env=PLAIN)
    (verdict,) = [each for each in json.loads(alone.stdout)["verdicts"] if each["gate"] == "runs"]
    assert (alone.exit, verdict["ruling"]) == (2, "unmeasured")
    assert "is shard 1/3 only; join all shards with `toxscreen merge DIR...`" in verdict["reason"]


def test_joining_again_makes_no_second_run(fleet: Fleet) -> None:
    _, first, _ = fleet.merge(*MACHINES)
    _, again, text = fleet.merge(*reversed(MACHINES))
    assert [each["run"] for each in again["merged"]] == [each["run"] for each in first["merged"]]
    assert again["merged"][0]["already_there"]
    assert "was joined before" in text
    assert len(fleet.runs("here")) == 1


def test_a_run_of_a_merge_is_shown_and_replayed(fleet: Fleet) -> None:
    _, data, _ = fleet.merge(*MACHINES)
    name = data["merged"][0]["run"]
    fleet.here.toxscreen("runs", name).expect(exit=0, says=("joined from 3 shards",))
    fleet.here.toxscreen("replay", name, "--lane", "2.main").expect(exit=0, says=("same order, same outcomes",))


def test_the_folders_of_runs_and_of_state_do_as_well(fleet: Fleet) -> None:
    (fleet.around / "one/.toxscreen").rename(fleet.around / "artifact")
    status, _, text = fleet.merge("artifact", "two/.toxscreen", f"three/.toxscreen/runs/{fleet.runs('three')[0].id}")
    assert status == 0, text


# what is against it


def first(folder: Path, pattern: str) -> Path:
    return min(folder.rglob(pattern))


def test_a_missing_shard(fleet: Fleet) -> None:
    (lost,) = fleet.runs("two")
    mine = sorted(lost.collected)
    ((slug, message),) = fleet.refused("one", "three")
    assert (slug, message) == ("shard-missing", f"shard 2 of 3 is missing: its {len(mine)} tests: {', '.join(mine)}")


def test_a_shard_that_is_there_twice(fleet: Fleet) -> None:
    shutil.copytree(fleet.around / "two", fleet.around / "copy")
    ((slug, message),) = fleet.refused(*MACHINES, "copy")
    assert (slug, message) == ("shard-doubled", "shard 2 of 3 is there 2 times: ../copy, ../two")


def test_a_shard_that_ran_again_counts_as_it_ended_last(fleet: Fleet) -> None:
    assert measure(fleet.machine("two"), "-n0", "--screen-shard", "2/3") == 0
    newest, oldest = fleet.runs("two")
    status, data, text = fleet.merge(*MACHINES)
    assert status == 0, text
    assert newest.id in data["merged"][0]["shards"]
    assert data["notes"] == [f"not looked at, a later one is there: shard 2/3 of unit, ../two, {oldest.id}"]


def test_another_history(fleet: Fleet) -> None:
    two = fleet.machine("two")
    shutil.rmtree(two.root / ".toxscreen")
    # What has run here whole is remembered here, and nowhere else.
    assert measure(two, "-n0", "-k", "size") == 0
    assert measure(two, "-n0", "--screen-shard", "2/3") == 0
    told = "shard 2 of 3 was split by another history than shard 1 of 3: "
    assert ("shard-history", f"{told}give every machine the same .toxscreen/history.json") in fleet.refused(*MACHINES)


def test_a_shard_that_was_stopped(fleet: Fleet) -> None:
    machine = fleet.machine("two")
    stop = "def pytest_runtest_logreport(report):\n    raise KeyboardInterrupt\n"
    (machine.around / "stopping").mkdir()
    (machine.around / "stopping/stop.py").write_text(stop)
    assert (
        measure(
            machine, "-n0", "-o", f"pythonpath=src {machine.around / 'stopping'}", "-p", "stop", "--screen-shard", "2/3"
        )
        == 130
    )
    found = dict(fleet.refused(*MACHINES))
    assert set(found) == {"shard-unfinished", "shard-test-not-run"}
    assert found["shard-unfinished"] == "shard 2 of 3 ended with exit status 130"
    assert found["shard-test-not-run"].startswith("shard 2 of 3 has no result of ")


def test_data_that_changed_after_the_run(fleet: Fleet) -> None:
    state = fleet.around / "two/.toxscreen"
    lane, junit = first(state, "main.jsonl"), first(state, "unit.xml")
    lane.write_bytes(lane.read_bytes().replace(b'"skipped"', b'"passed"').replace(b'"passed"', b'"xpassed"', 1))
    junit.unlink()
    (lane.parent / "gw7.jsonl").write_bytes(b"")
    for file in state.glob("coverage/unit/.coverage.*"):
        file.unlink()
    changed = "the data of shard 2 of 3 changed after its run: "
    found = [message.removeprefix(changed) for slug, message in fleet.refused(*MACHINES) if slug == "shard-changed"]
    run = lane.relative_to(state).parent.as_posix()
    assert sorted(found[:3]) == [
        "junit/unit.xml is gone",
        f"{run}/gw7.jsonl is new",
        f"{run}/main.jsonl is not what it was",
    ]
    (lost,) = found[3:]
    assert lost.startswith("the coverage data of the pytest process (")
    assert lost.endswith(") is gone")


def test_a_shard_without_coverage(fleet: Fleet) -> None:
    shutil.rmtree(fleet.around / "two/.toxscreen")
    two = fleet.machine("two")
    two.run("--category", "unit", "-n0", "--screen-shard", "2/3", env={**PLAIN, "TOX_ENV_NAME": "unit"})
    assert fleet.refused(*MACHINES) == [
        ("shard-data-missing", "shard 2 of 3 has no coverage data, and shard 1 of 3 has"),
        ("shard-data-missing", "shard 2 of 3 has no JUnit file, and shard 1 of 3 has"),
    ]


def test_coverage_of_something_else_beside_a_shards_own(fleet: Fleet) -> None:
    two = fleet.machine("two")
    env = {**PLAIN, "COVERAGE_FILE": f"{two.root}/.toxscreen/coverage/unit/.coverage", "TOX_ENV_NAME": "unit"}
    two.run("run", "-m", "pytest", "--category=unit", "-n0", "--screen-shard=2/3", module="coverage", env=env)
    found = [message for slug, message in fleet.refused(*MACHINES) if slug == "shard-coverage"]
    assert len(found) == 1
    assert found[0].startswith("shard 2 of 3 measured beside coverage data of something else: coverage/unit/.coverage.")
    assert found[0].endswith("; begin with `toxscreen coverage --begin unit`")


def test_a_shard_that_died(fleet: Fleet) -> None:
    folder = first(fleet.around / "two/.toxscreen", "main.jsonl").parent
    (folder / "shard.json").unlink()
    found = dict(fleet.refused(*MACHINES))
    assert found == {"shard-unfinished": "shard 2 of 3 left no manifest that can be read"}
    (folder / "run.jsonl").unlink()
    found = dict(fleet.refused(*MACHINES))
    assert found == {"shard-unfinished": "shard 2 of 3 died and left no last word"}


def test_records_that_cannot_be_read(fleet: Fleet) -> None:
    folder = first(fleet.around / "two/.toxscreen", "main.jsonl").parent
    (folder / "shard.json").write_text("{}")
    found = dict(fleet.refused(*MACHINES))
    assert found == {"shard-unfinished": "shard 2 of 3 left no manifest that can be read: its manifest is no manifest"}
    (folder / "main.jsonl").write_text("nonsense\n")
    (folder.parent / "20200101T000000Z-unit-0000").mkdir()
    (folder.parent / "20200101T000000Z-unit-0000/header.json").write_text("[]")
    found = dict(fleet.refused(*MACHINES))
    assert set(found) == {"shard-unreadable", "shard-missing"}


def test_folders_with_nothing_to_join(fleet: Fleet) -> None:
    (fleet.around / "empty").mkdir()
    done = fleet.here.toxscreen("merge", "../empty", "../nowhere")
    done.expect(
        exit=2, says=("../empty: holds no recorded runs [merge-impossible]", "../nowhere: holds no recorded runs")
    )
    shutil.rmtree(fleet.around / "two/.toxscreen")
    fleet.machine("two").run("--category", "unit", "-n0", env=PLAIN)
    found = fleet.refused(*MACHINES)
    assert ("shard-none", "holds no run of a shard: run with --screen-shard I/N there") in found
    assert "shard-missing" in dict(found)


def test_a_junit_file_that_cannot_be_joined(fleet: Fleet) -> None:
    for name in MACHINES:
        state = fleet.around / name / ".toxscreen"
        file, manifest = first(state, "unit.xml"), first(state, "shard.json")
        digest = sha256(file.read_bytes()).hexdigest()
        file.write_text("<html/>")
        manifest.write_text(manifest.read_text().replace(digest, sha256(b"<html/>").hexdigest()))
    done = fleet.here.toxscreen("merge", *(f"../{name}" for name in MACHINES))
    told = "junit/unit.xml: cannot be joined: unit.xml is no JUnit file, but has 'html' as its root [merge-impossible]"
    done.expect(exit=2, says=(told,))
    assert done.runs == ()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_single_shard_is_the_whole_where_it_lies(tmp_path: Path, workers: int) -> None:
    fleet = clones(tmp_path, FILES, ("here",))
    assert measure(fleet.here, f"-n{workers}", "--screen-shard", "1/1") == 0
    before = covered(fleet.here)
    for _ in range(2):
        status, data, text = fleet.merge("here")
        assert status == 0, text
        assert data["merged"][0]["tests"] == 11
    assert covered(fleet.here) == before
    assert len(fleet.runs("here")) == 2


def test_more_shards_than_tests(tmp_path: Path) -> None:
    files = {**FILES, "tests/unit/test_price.py": "from shop.price import size\ndef test_size(): assert size(1)\n"}
    del files["tests/unit/test_order.py"]
    fleet = clones(tmp_path, files, ("here", "one", "two"))
    for number, name in enumerate(("one", "two"), 1):
        assert measure(fleet.machine(name), "-n0", "--screen-shard", f"{number}/2") == 0
    status, data, text = fleet.merge("one", "two")
    assert status == 0, text
    assert data["merged"][0]["outcomes"] == {"passed": 1}


def parts(around: Path, files: dict[str, str], *options: str) -> Fleet:
    """Two machines that have run a shard each, without coverage."""
    fleet = clones(around, files, ("here", "one", "two"))
    for number, name in enumerate(("one", "two"), 1):
        fleet.machine(name).run("--category", "unit", "-n0", "--screen-shard", f"{number}/2", *options, env=PLAIN)
    return fleet


SMALL = {
    ".gitignore": "__pycache__/\n.pytest_cache/\n",
    "pyproject.toml": '[tool.toxscreen.gates]\nenvironments = ["unit"]\n',
    "tests/unit/test_a.py": "def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass\n",
    "tests/integration/test_red.py": "def test_red(): assert 0\ndef test_other(): assert 0\n",
}


def test_two_categories_in_one_environment_are_not_taken_for_one_that_ran_again(tmp_path: Path) -> None:
    """The red run of the first category would be left out, and the merge green."""
    fleet = clones(tmp_path, SMALL, ("here", "one", "two"))
    for number, name in enumerate(("one", "two"), 1):
        for category in ("integration", "unit"):
            env = {**PLAIN, "TOX_ENV_NAME": "ci"}
            fleet.machine(name).run("--category", category, "-n0", "--screen-shard", f"{number}/2", env=env)
    hint = "give each category an environment of its own"
    told = f"ran integration, unit in one environment, of which one run counts: {hint}"
    assert fleet.refused("one", "two") == [
        ("shard-category", f"../one {told}"),
        ("shard-category", f"../two {told}"),
    ]


def test_a_merge_that_was_ended_half_way_is_made_again(tmp_path: Path) -> None:
    fleet = parts(tmp_path, SMALL)
    fleet.merge("one", "two")
    first(fleet.here.root / ".toxscreen", "run.jsonl").unlink()
    status, data, text = fleet.merge("one", "two")
    assert (status, data["merged"][0]["already_there"]) == (0, False), text
    assert sorted(run.state.value for run in fleet.runs("here")) == ["complete", "died"]
    status, data, text = fleet.merge("one", "two")
    assert (status, data["merged"][0]["already_there"]) == (0, True), text


def test_a_manifest_that_says_something_else_than_the_run(tmp_path: Path) -> None:
    fleet = parts(tmp_path, SMALL)
    for name in ("one", "two"):
        manifest = first(fleet.around / name, "shard.json")
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"commit": "another"}))
    assert fleet.refused("one", "two") == [
        (
            "shard-changed",
            f"the data of shard {number} of 2 changed after its run: its manifest and its header differ in 'commit'",
        )
        for number in (1, 2)
    ]


def test_a_shard_that_lies_where_it_is_joined_keeps_its_junit_results(tmp_path: Path) -> None:
    fleet = parts(tmp_path, SMALL, "--junitxml", ".toxscreen/junit.xml")
    two = fleet.machine("two")
    done = two.run("merge", "../one", ".", module="toxscreen", env=PLAIN)
    assert done.exit == 0, done
    cases = ET.parse(two.root / ".toxscreen/junit.xml").getroot().iter("testcase")
    assert sorted(case.attrib["name"] for case in cases) == ["test_a", "test_b", "test_c"]


def test_a_shard_that_lies_where_it_is_joined_can_be_joined_again(fleet: Fleet) -> None:
    """The joined data takes the place of the shard's own, of which its manifest has the checksums."""
    fleet.merge(*MACHINES)
    whole = covered(fleet.here)
    two = fleet.machine("two")
    for _ in range(2):
        done = two.run("merge", "--json", "../one", ".", "../three", module="toxscreen", env=PLAIN)
        assert done.exit == 0, done
        assert covered(two) == whole
        cases = ET.parse(two.root / ".toxscreen/junit/unit.xml").getroot().iter("testcase")
        assert len(list(cases)) == 11
        # As when the merge was killed: data without a stamp, which is no evidence.
        (two.root / ".toxscreen/coverage/unit/stamp.json").unlink()
        assert "there is no stamp.json" in two.run("coverage", "unit", module="toxscreen", env=PLAIN).text
    assert json.loads(done.stdout)["merged"][0]["already_there"]
    assert len(list((two.root / ".toxscreen/runs").glob("*/shard"))) == 1


@pytest.mark.parametrize("time", ["null", '"noon"', "true", "[]"])
def test_a_stamp_that_says_no_time(fleet: Fleet, time: str) -> None:
    stamp = first(fleet.around / "two/.toxscreen", "stamp.json")
    stamp.write_text(re.sub(r'"time": [\d.]+', f'"time": {time}', stamp.read_text()))
    assert fleet.refused(*MACHINES) == [
        ("shard-changed", f"the data of shard 2 of 3 changed after its run: {damage}")
        for damage in ("coverage/unit/stamp.json is not what it was", "its coverage data has no stamp.json")
    ]


@pytest.mark.parametrize(("key", "name"), [("environment", "../../x"), ("environment", "report"), ("category", "a\0b")])
def test_names_that_no_folder_can_have(tmp_path: Path, key: str, name: str) -> None:
    fleet = parts(tmp_path, SMALL)
    header = first(fleet.around / "two", "header.json")
    record = json.loads(header.read_text()) | {key: name}
    header.write_text(json.dumps(record))
    (unreadable, missing) = fleet.refused("one", "two")
    shown = f"nothing can be called {record['environment'] or record['category']!r}, of category {record['category']!r}"
    assert unreadable == ("shard-unreadable", f"the header of run {header.parent.name}: {shown}")
    assert missing[0] == "shard-missing"


def test_two_interpreters_in_one_environment_are_not_taken_for_one_that_ran_again(tmp_path: Path) -> None:
    fleet = parts(tmp_path, SMALL)
    for number, name in enumerate(("one", "two"), 1):
        manifest = first(fleet.around / name, "shard.json")
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"python": "PyPy 3.11"}))
        fleet.machine(name).run("--category", "unit", "-n0", "--screen-shard", f"{number}/2", env=PLAIN)
    told = f"ran {interpreter()}, PyPy 3.11 in one environment, of which one run counts"
    hint = "give each interpreter an environment of its own"
    assert fleet.refused("one", "two") == [("shard-python", f"../{name} {told}: {hint}") for name in ("one", "two")]


def test_a_checkout_in_which_git_does_not_work_proves_nothing(tmp_path: Path) -> None:
    fleet = clones(tmp_path, SMALL, ("here", "one", "two"))
    for number, name in enumerate(("one", "two"), 1):
        (fleet.around / name / ".git").rename(fleet.around / name / "no-git")
        fleet.machine(name).run("--category", "unit", "-n0", "--screen-shard", f"{number}/2", env=PLAIN)
    told = "is of no commit, so nothing says of which sources: git has to work there"
    assert fleet.refused("one", "two") == [("shard-commit", f"shard {number} of 2 {told}") for number in (1, 2)]


def test_paths_of_the_machine_make_no_difference(tmp_path: Path) -> None:
    fleet = clones(tmp_path, SMALL, ("here", "one two", "zwö"))
    for number, name in enumerate(("one two", "zwö"), 1):
        machine = fleet.machine(name)
        ignored = [
            "--ignore",
            str(machine.root / "tests/unit/test_none.py"),
            str(machine.root / "tests/unit/test_a.py"),
        ]
        machine.run("--category", "unit", "-n0", "--screen-shard", f"{number}/2", *ignored, env=PLAIN)
    status, data, text = fleet.merge("one two", "zwö")
    assert status == 0, text
    (note,) = data["notes"]
    assert str(tmp_path) not in note
    assert "--ignore tests/unit/test_none.py" in note


def test_a_folder_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    fleet = parts(tmp_path, SMALL)
    (fleet.around / "link").symlink_to("one")
    status, data, text = fleet.merge("one", "two", "one", "link")
    assert (status, data["notes"]) == (0, ["was named before: ../one", "was named before: ../link"]), text


def test_what_all_shards_left_out_is_said(tmp_path: Path) -> None:
    fleet = parts(tmp_path, SMALL, "-k", "not test_c")
    status, data, text = fleet.merge("one", "two")
    told = "unit is filtered: tests were left out, 1 by -k 'not test_c'"
    assert (status, data["notes"]) == (0, [told]), text
    assert told in text


def test_coverage_data_that_came_after_the_run(fleet: Fleet) -> None:
    folder = fleet.around / "two/.toxscreen/coverage/unit"
    (folder / ".coverage.host.pid1.Xabc").write_bytes(first(folder, ".coverage.*").read_bytes())
    told = "the data of shard 2 of 3 changed after its run: coverage/unit/.coverage.host.pid1.Xabc is new"
    assert fleet.refused(*MACHINES) == [("shard-changed", told)]
