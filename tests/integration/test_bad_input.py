"""Input that toxscreen cannot work with: one clear message with its place and slug, exit 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.testing import Result, Suite

UNIT = {"tests/unit/test_a.py": "def test_one(): pass\n"}
IN_PROCESS = ("--category", "unit", "-n0")


def refused(result: Result, *says: str) -> None:
    """The run ended with status 2 and these words, without a traceback and without running a test."""
    result.expect(exit=2, says=says, never_says=["Traceback", "INTERNALERROR", " passed"])
    assert [run.exit_status for run in result.runs] in ([], [2])


def settings(text: str) -> dict[str, str]:
    return {**UNIT, "pyproject.toml": text}


@pytest.mark.parametrize(
    ("files", "arguments", "message"),
    [
        pytest.param(
            UNIT,
            ["--category", "unti"],
            "toxscreen: --category: there is no category 'unti' [category-unknown]\n"
            "  did you mean 'unit'? known: integration, perf, real-world, unit\n",
            id="unknown category",
        ),
        pytest.param(
            settings("[tool.toxscreen.categories.unit]\ntimeout = 'fast'\n"),
            [],
            "toxscreen: pyproject.toml:2: tool.toxscreen.categories.unit.timeout: is 'fast', "
            "must be a number of seconds, 0 or more [config-invalid]\n",
            id="wrong type",
        ),
        pytest.param(
            settings("[tool.toxscreen.categories.unit]\nnetwrok = 'any'\n"),
            [],
            "toxscreen: pyproject.toml:2: tool.toxscreen.categories.unit.netwrok: there is no setting 'netwrok' "
            "[config-unknown-key]\n  did you mean 'network'? known: ",
            id="unknown key",
        ),
        pytest.param(
            settings("[tool.toxscreen]\n[tool.toxscreen.categories.unit]\npaths = ['tests/unit', 'test/unit']\n"),
            [],
            "toxscreen: pyproject.toml:3: tool.toxscreen.categories.unit.paths: 'test/unit' matches nothing below the "
            "project's root [config-unmatched-path]\n",
            id="unmatched path",
        ),
        pytest.param(
            settings("[tool.toxscreen]\ndefault-category = 'smoke'\n"),
            [],
            "toxscreen: pyproject.toml:2: tool.toxscreen.default-category: there is no category 'smoke' "
            "[category-unknown]\n",
            id="unknown default category",
        ),
        pytest.param(
            UNIT,
            ["--screen-replay", "20260101T000000Z-unit-beef"],
            "toxscreen: run '20260101T000000Z-unit-beef': is not recorded [run-unknown]\n"
            "  no run is recorded here yet\n",
            id="replay of an unknown run",
        ),
        pytest.param(
            UNIT,
            ["--screen-replay", ""],
            "toxscreen: --screen-replay: names no run [run-unknown]\n  `toxscreen runs` lists what is recorded\n",
            id="replay without a run",
        ),
    ],
)
def test_settings_and_options_that_cannot_be_used(
    tmp_path: Path, files: dict[str, str], arguments: list[str], message: str
) -> None:
    result = Suite(files).at(tmp_path).run(*IN_PROCESS, *arguments)
    refused(result, message)
    assert result.stdout == ""
    assert result.runs == ()


def test_invalid_toml(tmp_path: Path) -> None:
    # Where pytest reads pyproject.toml itself, it says so before any plugin is asked.
    files = {**settings("[tool.toxscreen\nretention = 3\n"), "settings.ini": "[pytest]\n"}
    project = Suite(files).at(tmp_path)
    refused(project.run(*IN_PROCESS, "-c", "settings.ini"), "toxscreen: pyproject.toml:1: is not valid TOML: ")
    project.run(*IN_PROCESS).expect(exit=4, says=["pyproject.toml: "], never_says=["Traceback"])


def test_a_wrong_environment_variable(tmp_path: Path) -> None:
    result = Suite(UNIT).at(tmp_path).run(*IN_PROCESS, env={"TOXSCREEN_RETENTION": "many"})
    refused(result, "toxscreen: environment variable TOXSCREEN_RETENTION: is 'many', must be a number, 1 or more")


def test_all_mistakes_of_the_settings_are_told_at_once(tmp_path: Path) -> None:
    text = """
        [tool.toxscreen]
        retention = 0
        colour = "red"

        [tool.toxscreen.categories.unit]
        network = "some"
        subprocesses = "no"
        workers = -1
        leaks = 1
        order = "reverse"
        budget = true

        [tool.toxscreen.categories.smoke]
        markers = ["unit"]

        [tool.toxscreen.services.db]
        start = "db"
    """
    for workers in ("-n0", "-n2"):
        result = Suite(settings(text)).at(tmp_path).run("--category", "smok", workers)
        refused(
            result,
            "--category: there is no category 'smok' [category-unknown]",
            "did you mean 'smoke'? known: integration, perf, real-world, smoke, unit",
            "pyproject.toml:3: tool.toxscreen.retention: is 0, must be a number, 1 or more [config-invalid]",
            "pyproject.toml:4: tool.toxscreen.colour: there is no setting 'colour' [config-unknown-key]",
            """categories.unit.network: is 'some', must be one of "none", "loopback", "any" [config-invalid]""",
            "categories.unit.subprocesses: is 'no', must be true or false [config-invalid]",
            """categories.unit.workers: is -1, must be "auto" or a number, 0 or more [config-invalid]""",
            """categories.unit.leaks: is 1, must be one of "fail", "report", "off" [config-invalid]""",
            """categories.unit.order: is 'reverse', must be one of "random", "written" [config-invalid]""",
            "categories.unit.budget: is True, must be a number of seconds, 0 or more [config-invalid]",
            "categories.smoke.markers: marker 'unit' already stands for category 'unit' [config-invalid]",
            "tool.toxscreen.services.db: has no 'check' [config-invalid]",
        )
        assert result.text.count("[config-invalid]") == 9


HOMELESS = {
    **UNIT,
    "tests/unit/test_two.py": """
        import pytest

        @pytest.mark.integration
        def test_both(): pass

        @pytest.mark.perf
        @pytest.mark.integration
        def test_three(): pass
    """,
    "test_none.py": "def test_none(): pass\ndef test_none_either(): pass\n",
    "tests/unit/test_arguments.py": """
        import pytest

        @pytest.mark.allow("netwrok")
        def test_wrong(): pass

        @pytest.mark.allow
        def test_nothing(): pass

        @pytest.mark.allow(network=True)
        def test_named(): pass

        @pytest.mark.needs("databse")
        def test_service(): pass
    """,
    "pyproject.toml": "[tool.toxscreen.services.database]\ncheck = 'localhost:1'\n",
}


@pytest.mark.parametrize("arguments", [["-n0"], ["-n2"], ["--collect-only"]], ids=" ".join)
def test_all_mistakes_of_the_tests_are_told_at_once(tmp_path: Path, arguments: list[str]) -> None:
    result = Suite(HOMELESS).at(tmp_path).run("--category", "unit", *arguments)
    refused(
        result,
        "error: tests/unit/test_two.py::test_both: is integration by its marker and unit by its path "
        "[category-conflict]\n",
        "error: tests/unit/test_two.py::test_three: is integration by its marker and perf by its marker and unit by "
        "its path [category-conflict]\n",
        "error: test_none.py::test_none: belongs to no category [category-missing]",
        "error: test_none.py::test_none_either: belongs to no category [category-missing]",
        "or set `default-category` in [tool.toxscreen]",
        "error: tests/unit/test_arguments.py::test_wrong: @pytest.mark.allow is given 'netwrok' [marker-invalid]\n"
        "  did you mean 'network'? known: network, subprocess\n",
        "error: tests/unit/test_arguments.py::test_nothing: @pytest.mark.allow is given no argument [marker-invalid]\n"
        "  known: network, subprocess\n",
        "error: tests/unit/test_arguments.py::test_named: @pytest.mark.allow is given named arguments [marker-invalid]",
        "error: tests/unit/test_arguments.py::test_service: @pytest.mark.needs is given 'databse' [marker-invalid]\n"
        "  did you mean 'database'? known: database\n",
    )
    assert result.text.count("error: t") == 8


def test_a_default_category_takes_tests_without_one(tmp_path: Path) -> None:
    files = {"test_none.py": "def test_none(): pass\n", **settings("[tool.toxscreen]\ndefault-category = 'unit'\n")}
    outcomes = {"test_none.py::test_none": "passed", "tests/unit/test_a.py::test_one": "passed"}
    Suite(files).at(tmp_path).run(*IN_PROCESS).expect(exit=0, outcomes=outcomes)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["--category", "perf"],
            [
                "error: category perf: no test was collected [nothing-ran]\n",
                "  its paths are tests/perf and its markers perf; change them under [tool.toxscreen.categories.perf]",
            ],
            id="none collected",
        ),
        pytest.param(
            ["--category", "unit", "-k", "nothing"],
            [
                "error: category unit: all 1 collected tests were deselected [nothing-ran]\n",
                "  loosen -k, -m or the paths given, or choose another category\n",
            ],
            id="all deselected",
        ),
    ],
)
def test_a_run_without_a_test_is_not_green(tmp_path: Path, arguments: list[str], says: list[str], workers: str) -> None:
    result = Suite(UNIT).at(tmp_path).run(*arguments, workers)
    refused(result, *says)
    assert result.outcomes == {}


def test_tests_of_another_category_only_are_all_deselected(tmp_path: Path) -> None:
    body = "import pytest\npytestmark = pytest.mark.perf\ndef test_one(): pass\ndef test_two(): pass\n"
    result = Suite({"test_a.py": body}).at(tmp_path).run(*IN_PROCESS)
    refused(result, "error: category unit: all 2 collected tests were deselected [nothing-ran]")


@pytest.mark.parametrize("target", ["{run}:gw7", "{run}:main:tests/unit/test_a.py::test_noe", "beef"])
def test_a_replay_of_what_is_not_in_the_record(tmp_path: Path, target: str) -> None:
    project = Suite(UNIT).at(tmp_path)
    run = project.run(*IN_PROCESS).expect(exit=0).run.id
    result = project.run("--screen-replay", target.format(run=run))
    says = {
        "{run}:gw7": f"toxscreen: run {run}: has no lane 'gw7' [run-unknown]\n  known: main\n",
        "{run}:main:tests/unit/test_a.py::test_noe": (
            "toxscreen: lane main did not run 'tests/unit/test_a.py::test_noe' [run-unknown]\n"
            "  did you mean 'tests/unit/test_a.py::test_one'?"
        ),
        "beef": f"toxscreen: run 'beef': is not recorded [run-unknown]\n  newest: {run}; `toxscreen runs --all` lists",
    }
    refused(result, says[target])


def test_a_replay_of_a_corrupt_record(tmp_path: Path) -> None:
    project = Suite(UNIT).at(tmp_path)
    run = project.run(*IN_PROCESS).expect(exit=0).run.id
    shard = project.root / ".toxscreen" / "runs" / run / "main.jsonl"
    shard.write_text("{}\n" + shard.read_text(encoding="utf-8"), encoding="utf-8")
    result = project.run("--screen-replay", run)
    refused(result, f"toxscreen: {run}/main.jsonl:1: is no journal line", "[journal-corrupt]")


def test_the_tests_beside_a_file_that_cannot_be_imported_are_recorded_as_not_run(tmp_path: Path) -> None:
    files = {**UNIT, "tests/unit/test_broken.py": "import nothing_of_that_name\n"}
    Suite(files).at(tmp_path).run(*IN_PROCESS).expect(
        exit=2,
        outcomes={"tests/unit/test_a.py::test_one": "not-run"},
        says=["1 error during collection"],
        never_says=["INTERNALERROR", "replay"],
    )


def test_an_internal_error_is_not_judged(tmp_path: Path) -> None:
    hook = "def pytest_collection_modifyitems(items): raise ZeroDivisionError\n"
    Suite({**UNIT, "conftest.py": hook}).at(tmp_path).run(*IN_PROCESS).expect(exit=2, says=["INTERNALERROR"])


def test_a_file_that_is_not_there_is_named_although_workers_keep_it_to_themselves(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_one(): pass\n"}).at(tmp_path)
    project.run("--category", "unit", "-n2", "tests/unit/test_b.py::test_x").expect(
        exit=2,
        says=[
            (
                "category unit: no test was collected: there is no tests/unit/test_b.py [nothing-ran]\n"
                "  paths are looked up from the folder that pytest is started in\n"
            )
        ],
    )


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize("more", [(), ("--continue-on-collection-errors",)], ids=["stop", "go on"])
def test_a_file_that_cannot_be_imported_is_not_judged(tmp_path: Path, workers: str, more: tuple[str, ...]) -> None:
    project = Suite({**UNIT, "tests/unit/test_broken.py": "import nothing_of_that_name\n"}).at(tmp_path)
    result = project.run("--category", "unit", workers, *more)
    result.expect(exit=2, says=["ERROR collecting", "No module named 'nothing_of_that_name'"])
