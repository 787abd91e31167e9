"""One part of the tests: what it runs, what it says, and that it is never taken for the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.journal.manifest import read_manifest
from toxscreen.journal.store import runs_folder
from toxscreen.model import Manifest, RunState, Shard
from toxscreen.testing import Project, Result, Suite

SUITE = Suite(
    {
        "pyproject.toml": "[tool.toxscreen]\n\n[tool.pytest.ini_options]\n",
        "tests/unit/test_a.py": """
            import pytest

            @pytest.mark.parametrize("number", range(7))
            def test_a(number): pass
            """,
        "tests/unit/test_b.py": """
            import pytest

            @pytest.mark.xdist_group("b")
            class TestB:
                def test_one(self): pass
                def test_two(self): pass
                def test_three(self): pass
            """,
        "tests/integration/test_c.py": "def test_c(): pass",
    }
)
ALL = {
    *(f"tests/unit/test_a.py::test_a[{number}]" for number in range(7)),
    *(f"tests/unit/test_b.py::TestB::test_{name}" for name in ("one", "two", "three")),
}


def manifest(project: Project, result: Result) -> Manifest:
    return read_manifest(runs_folder(project.root) / result.run.id)


@pytest.mark.parametrize("workers", [0, 2])
def test_three_shards_run_every_test_once_whatever_the_seed(tmp_path: Path, workers: int) -> None:
    project = SUITE.at(tmp_path)
    ran: list[set[str]] = []
    for number in (1, 2, 3):
        done = project.run("--category", "unit", f"-n{workers}", "--screen-shard", f"{number}/3")
        assert set(done.outcomes.values()) == {"passed"}
        mine = set(done.outcomes)
        told = f"toxscreen: shard {number}/3: {len(mine)} of 10 tests are its own; `toxscreen merge` joins the shards"
        done.expect(exit=0, says=(f"toxscreen: shard {number}/3\n", told), never_says=("warning",))
        selection = done.run.selection
        assert selection is not None
        assert (selection.other_shards, selection.deselected, selection.narrowed) == (10 - len(mine), {}, ())
        left = manifest(project, done)
        assert (left.shard, left.planned, left.ran) == (Shard(number, 3), tuple(sorted(mine)), tuple(sorted(mine)))
        assert set(left.collected) == ALL
        assert {name.rpartition("/")[2] for name in left.files} >= {"header.json", "collection.json", "run.jsonl"}
        ran.append(mine)
    assert set.union(*ran) == ALL
    assert sum(map(len, ran)) == len(ALL)
    assert sum(any("TestB" in node_id for node_id in mine) for mine in ran) == 1


def test_a_slow_fixture_that_was_seen_keeps_its_tests_together(tmp_path: Path) -> None:
    files = {
        "tests/unit/test_a.py": """
            import time
            import pytest

            @pytest.fixture(scope="module")
            def database(): time.sleep(0.4)
            @pytest.mark.parametrize("number", range(4))
            def test_a(number, database): pass
            """,
        "tests/unit/test_b.py": """
            import time
            import pytest

            @pytest.mark.parametrize("number", range(4))
            def test_b(number): time.sleep(0.3)
            """,
    }
    project = Suite(files).at(tmp_path)

    def parts() -> list[str]:
        """Letters of the tests of each shard."""
        done = [project.run("--category=unit", "-n0", f"--screen-shard={number}/2") for number in (1, 2)]
        return ["".join(sorted(node_id.partition("::test_")[2][0] for node_id in each.outcomes)) for each in done]

    assert parts() == ["aabb", "aabb"]
    project.run("--category", "unit", "-n0").expect(exit=0)
    assert max(part.count("a") for part in parts()) == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_a_shard_without_a_test_is_clean_where_there_are_tests(tmp_path: Path, workers: int) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_a(): pass"}).at(tmp_path)
    done = project.run("--category", "unit", f"-n{workers}", "--screen-shard", "2/2")
    done.expect(exit=0, outcomes={}, says=("shard 2/2: 0 of 1 tests are its own",), never_says=("nothing-ran",))
    assert done.run.state is RunState.COMPLETE
    assert manifest(project, done).planned == ()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_shard_of_nothing_is_an_error(tmp_path: Path, workers: int) -> None:
    project = SUITE.at(tmp_path)
    done = project.run("--category", "unit", f"-n{workers}", "-k", "nobody", "--screen-shard", "1/2")
    done.expect(exit=2, says=("all 10 collected tests were deselected [nothing-ran]",))


def test_a_state_folder_behind_a_link_holds_the_junit_file_all_the_same(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (project.root / ".toxscreen").symlink_to(tmp_path / "elsewhere")
    done = project.run("--category", "unit", "-n0", "--screen-shard", "1/2", "--junitxml", ".toxscreen/unit.xml")
    assert (done.exit, manifest(project, done).junit) == (0, "unit.xml")


def test_a_journal_that_is_damaged_leaves_no_manifest_and_the_exit_status(tmp_path: Path) -> None:
    damaging = """
        import pathlib, pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_unconfigure():
            for file in pathlib.Path(".toxscreen/runs").glob("*/main.jsonl"):
                file.write_text("nonsense" + chr(10) + file.read_text())
        """
    project = Suite({**SUITE.files, "conftest.py": damaging}).at(tmp_path)
    done = project.start("--category", "unit", "-n0", "--screen-shard", "1/2")
    out, err = done.communicate(timeout=60)
    assert (done.returncode, "Traceback" in out + err) == (0, False), out + err
    assert list((project.root / ".toxscreen/runs").glob("*/shard.json")) == []


def test_what_other_options_left_out_is_not_split(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    done = project.run("--category", "unit", "-n0", "-k", "TestB or a[0]", "--screen-shard", "1/2")
    assert manifest(project, done).collected == (
        "tests/unit/test_a.py::test_a[0]",
        *sorted(node_id for node_id in ALL if "TestB" in node_id),
    )
    assert done.run.selection is not None
    assert done.run.selection.deselected == {"-k 'TestB or a[0]'": 6}


@pytest.mark.parametrize("workers", [0, 2])
def test_the_variable_says_the_same_and_reaches_no_suite_inside_a_test(tmp_path: Path, workers: int) -> None:
    inside = """
        import os

        def test_a(): assert "TOXSCREEN_SHARD" not in os.environ
        def test_b(): assert "TOXSCREEN_SHARD" not in os.environ
        """
    project = Suite({"tests/unit/test_a.py": inside}).at(tmp_path)
    done = project.run("--category", "unit", f"-n{workers}", env={"TOXSCREEN_SHARD": "2/2"})
    done.expect(exit=0, says=("toxscreen: shard 2/2\n",))
    assert len(done.outcomes) == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_where_nothing_can_be_recorded_the_tests_are_split_all_the_same(tmp_path: Path, workers: int) -> None:
    project = SUITE.at(tmp_path)
    (project.root / ".toxscreen").write_text("no folder")
    done = project.run("--category", "unit", f"-n{workers}", "--screen-shard", "1/2")
    done.expect(exit=0, says=("5 passed", "[journal-unwritable]"))


def test_a_worker_that_cannot_read_the_history_splits_nothing(tmp_path: Path) -> None:
    losing = """
        import pathlib
        import pytest

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_configure_node(node):
            yield
            pathlib.Path(node.workerinput["toxscreen"]["history"][0]).write_text("{}")
        """
    project = SUITE.with_files({"conftest.py": losing}).at(tmp_path)
    done = project.run("--category", "unit", "-n2", "--screen-shard", "1/2")
    done.expect(
        exit=2, outcomes={}, says=("a worker cannot read the history by which the tests are split [shard-invalid]",)
    )


def test_auto_asks_the_variables_of_the_ci_system_and_nobody_else_does(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    variables = {"CIRCLE_NODE_INDEX": "1", "CIRCLE_NODE_TOTAL": "3"}
    asked = project.run("--category", "unit", "-n2", "--screen-shard", "auto", env=variables)
    asked.expect(exit=0, says=("toxscreen: shard 2/3\n",))
    assert len(asked.outcomes) < len(ALL)
    silent = project.run("--category", "unit", "-n0", env=variables)
    silent.expect(exit=0, outcomes=dict.fromkeys(ALL, "passed"), never_says=("shard",))


def test_an_option_is_enough_to_wake_the_plugin(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_a(): pass\ndef test_b(): pass\n"}).at(tmp_path)
    assert len(project.run("-n0", "--screen-shard", "1/2").expect(exit=0).outcomes) == 1


@pytest.mark.parametrize(
    ("arguments", "env", "told"),
    [
        (("--screen-shard", "0/3"), {}, "--screen-shard: there is no shard 0/3 [shard-invalid]"),
        (("--screen-shard", "x"), {}, "--screen-shard: 'x' is no shard [shard-invalid]"),
        ((), {"TOXSCREEN_SHARD": "4/3"}, "TOXSCREEN_SHARD: there is no shard 4/3 [shard-invalid]"),
        (("--screen-shard=auto",), {}, "--screen-shard: is auto, but no variable says which shard this is"),
        (("--screen-shard=1/2", "--screen-replay=last"), {}, "--screen-shard: is no help with --screen-replay"),
    ],
)
def test_what_cannot_be_split(tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], told: str) -> None:
    project = SUITE.at(tmp_path)
    if "--screen-replay=last" in arguments:
        project.run("--category", "unit", "-n0")
    done = project.run("--category", "unit", "-n0", *arguments, env=env)
    done.expect(exit=2, says=(told, "[shard-invalid]"))
    assert done.runs == ()


def test_collecting_shows_the_shard_that_is_asked_for_and_heeds_no_variable(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    shown = project.run("--category", "unit", "--collect-only", "-q", "--screen-shard", "1/2")
    assert 0 < shown.stdout.count("::test_") < len(ALL)
    everything = project.run("--category", "unit", "--collect-only", "-q", env={"TOXSCREEN_SHARD": "1/2"})
    assert everything.stdout.count("::test_") == len(ALL)


def test_a_red_shard_is_replayed_without_being_split_again(tmp_path: Path) -> None:
    project = SUITE.with_files({"tests/unit/test_red.py": "def test_red(): assert 0"}).at(tmp_path)
    runs = [project.run("--category", "unit", "-n2", "--screen-shard", f"{number}/2") for number in (1, 2)]
    (red,) = [done for done in runs if done.exit == 1]
    again = project.toxscreen("replay", red.run.id)
    again.expect(exit=1, says=("same order, same outcomes",), never_says=("new since that run",))


def test_runs_of_shards_are_remembered_when_they_are_merged_only(tmp_path: Path) -> None:
    project = SUITE.at(tmp_path)
    project.run("--category", "unit", "-n0", "--screen-shard", "1/2")
    second = project.run("--category", "unit", "-n0", "--screen-shard", "2/2")
    fresh = SUITE.at(tmp_path / "other machine")
    alone = fresh.run("--category", "unit", "-n0", "--screen-shard", "2/2")
    # The first shard has run on this machine, and on the other one it has not: both are split alike.
    assert manifest(project, second).history == manifest(fresh, alone).history
    assert second.outcomes == alone.outcomes


def test_the_gate_asks_for_the_other_shards(tmp_path: Path) -> None:
    from toxscreen.gates.runs import lack

    project = SUITE.at(tmp_path)
    part = project.run("--category", "unit", "-n0", "--screen-shard", "1/2").run
    why = lack(part)
    assert why is not None
    assert why == (
        "run-sharded",
        "is shard 1/2 only; join all shards with `toxscreen merge DIR...`, a folder of each machine",
    )
    assert lack(project.run("--category", "unit", "-n0", "--screen-shard", "1/1").run) is None
