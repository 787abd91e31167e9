"""When the plugin acts, and what it chooses: real pytest runs in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.testing import Project, Result, Suite

ONE = {"tests/unit/test_a.py": "def test_one(): pass\n"}
ONE_PASSED = {"tests/unit/test_a.py::test_one": "passed"}
ONE_WORKER = "workers 1 (PYTEST_XDIST_AUTO_NUM_WORKERS)"
POLICY = "network none (default), subprocesses no (default), leaks fail (default)"


def chosen(result: Result) -> str:
    """The header line that says what was chosen."""
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("toxscreen: category")]
    return line


def pyproject(text: str) -> dict[str, str]:
    return {"pyproject.toml": text}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="no pyproject.toml"),
        pytest.param(pyproject("[tool.other]\nkey = 1\n# [tool.toxscreen] is planned\n"), id="no table"),
    ],
)
def test_it_does_nothing_unless_asked(tmp_path: Path, files: dict[str, str]) -> None:
    project = Suite(
        {
            "tests/unit/test_a.py": """
                import socket, subprocess, sys

                def test_nothing_is_loaded():
                    loaded = sorted(name for name in sys.modules if name.startswith("toxscreen"))
                    assert loaded == ["toxscreen", "toxscreen.pytest_plugin", "toxscreen.pytest_plugin.options"]

                def test_nothing_is_forbidden():
                    subprocess.run([sys.executable, "-c", ""], check=True)
                    socket.socket().bind(("127.0.0.1", 0))
            """,
            **files,
        }
    ).at(tmp_path)
    result = project.run("-p", "no:cacheprovider").expect(exit=0, says=["2 passed"], never_says=["toxscreen:"])
    assert result.runs == ()
    assert not (project.root / ".toxscreen").exists()


def test_a_run_without_a_failure_defines_no_nouns_of_failures_and_runs(tmp_path: Path) -> None:
    project = Suite(
        {
            "tests/unit/test_a.py": """
                import sys

                def test_what_is_loaded():
                    loaded = {name.rpartition(".")[2] for name in sys.modules if name.startswith("toxscreen.model.")}
                    assert loaded == {"running"}
            """
        }
    ).at(tmp_path)
    project.run("--category", "unit", "-n0").expect(exit=0, says=["1 passed"])


MARKED = """
    import pytest

    @pytest.mark.{own}
    @pytest.mark.allow("network")
    @pytest.mark.needs("db")
    def test_one(): pass
"""


def test_strict_markers_hold_without_a_category(tmp_path: Path) -> None:
    files = {f"test_{own}.py": MARKED.format(own=own) for own in ("unit", "integration", "real_world", "perf")}
    Suite(files).at(tmp_path).run("--strict-markers").expect(exit=0, says=["4 passed"], never_says=["toxscreen:"])


@pytest.mark.parametrize(
    ("category", "marker"),
    [("unit", "unit"), ("real-world", "real_world"), ("smoke-test", "smoke_test"), ("slow", "s1")],
)
def test_strict_markers_hold_with_a_category(tmp_path: Path, category: str, marker: str) -> None:
    settings = """
        [tool.toxscreen.categories.smoke-test]
        [tool.toxscreen.categories.slow]
        markers = ["s1", "s2"]
        [tool.toxscreen.services.db]
        check = "true"
    """
    project = Suite({"test_a.py": MARKED.format(own=marker), **pyproject(settings)}).at(tmp_path)
    project.run("--strict-markers", "--category", category, "-n0").expect(
        exit=0, outcomes={"test_a.py::test_one": "passed"}, never_says=["PytestUnknownMarkWarning"]
    )


def test_a_table_without_a_category_runs_all_each_by_its_own_policy(tmp_path: Path) -> None:
    project = Suite(
        {
            "tests/unit/test_a.py": """
                import socket, time

                def test_binds(): socket.socket().bind(("127.0.0.1", 0))

                def test_sleeps(): time.sleep(30)
            """,
            "tests/integration/test_b.py": """
                import os, socket, time

                def test_binds(): socket.socket().bind(("127.0.0.1", 0))

                def test_sleeps(): time.sleep(1.2)

                def test_leaks(): os.environ["LEFT"] = "1"
            """,
            "tests/perf/test_c.py": """
                import os

                def test_leaks(): os.environ["LEFT_TOO"] = "1"
            """,
            **pyproject("[tool.toxscreen.categories.unit]\ntimeout = 1\n"),
        }
    ).at(tmp_path)
    result = project.run().expect(
        exit=1,
        outcomes={
            "tests/unit/test_a.py::test_binds": "failed",
            "tests/unit/test_a.py::test_sleeps": "timed-out",
            "tests/integration/test_b.py::test_binds": "passed",
            "tests/integration/test_b.py::test_sleeps": "passed",
            "tests/integration/test_b.py::test_leaks": "error",
            "tests/perf/test_c.py::test_leaks": "passed",
        },
        says=["Timeout (>1.0s)", "tests of category unit may not use the network"],
    )
    assert chosen(result) == "toxscreen: category all: every test by its own category"
    assert result.run.header.category == "all"


@pytest.mark.parametrize(
    ("arguments", "variables", "ini"),
    [
        pytest.param(["--timeout", "60"], {}, "", id="option"),
        pytest.param([], {"PYTEST_TIMEOUT": "60"}, "", id="environment"),
        pytest.param([], {}, "timeout = 60", id="setting"),
    ],
)
def test_the_users_time_limit_wins_where_all_categories_run_together(
    tmp_path: Path, arguments: list[str], variables: dict[str, str], ini: str
) -> None:
    project = Suite(
        {
            "tests/unit/test_a.py": "import time\ndef test_sleeps(): time.sleep(0.5)\n",
            **pyproject("[tool.toxscreen.categories.unit]\ntimeout = 0.1\n"),
            "pytest.ini": f"[pytest]\n{ini}\n",
        }
    ).at(tmp_path)
    project.run(*arguments, env=variables).expect(exit=0, outcomes={"tests/unit/test_a.py::test_sleeps": "passed"})


@pytest.mark.parametrize(
    ("off", "line"),
    [
        pytest.param(
            ["xdist"],
            f"workers in-process (pytest-xdist is off), order random (default), timeout 5 s (default), {POLICY}",
            id="xdist",
        ),
        pytest.param(
            ["randomly"],
            f"{ONE_WORKER}, order written (pytest-randomly is off), timeout 5 s (default), {POLICY}",
            id="randomly",
        ),
        pytest.param(
            ["timeout"],
            f"{ONE_WORKER}, order random (default), timeout none (pytest-timeout is off), {POLICY}",
            id="timeout",
        ),
        pytest.param(
            ["xdist", "randomly", "timeout"],
            "workers in-process (pytest-xdist is off), order written (pytest-randomly is off), "
            f"timeout none (pytest-timeout is off), {POLICY}",
            id="all",
        ),
    ],
)
def test_it_works_without_each_plugin_and_says_so(tmp_path: Path, off: list[str], line: str) -> None:
    without = [word for plugin in off for word in ("-p", f"no:{plugin}")]
    result = Suite(ONE).at(tmp_path).run("--category", "unit", *without, env={"PYTEST_XDIST_AUTO_NUM_WORKERS": "1"})
    result.expect(exit=0, outcomes=ONE_PASSED)
    assert chosen(result) == f"toxscreen: category unit: {line}"


@pytest.mark.parametrize(
    ("arguments", "variables", "ini", "line", "says"),
    [
        pytest.param(
            ["-n", "1", "--timeout", "7", "--randomly-seed", "3"],
            {"PYTEST_TIMEOUT": "8", "PYTEST_XDIST_AUTO_NUM_WORKERS": "2"},
            "timeout = 9",
            "workers 1 (-n), order random (default), timeout 7 s (--timeout)",
            ["timeout: 7.0s", "Using --randomly-seed=3\n", "created: 1/1 worker"],
            id="options",
        ),
        pytest.param(
            ["-n0", "--timeout", "0", "--randomly-dont-reorganize"],
            {"PYTEST_TIMEOUT": "8"},
            "timeout = 9",
            "workers in-process (-n), order written (--randomly-dont-reorganize), timeout none (--timeout)",
            [],
            id="options that switch off",
        ),
        pytest.param(
            [],
            {"PYTEST_TIMEOUT": "8", "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"},
            "timeout = 9",
            "workers 1 (PYTEST_XDIST_AUTO_NUM_WORKERS), order random (default), timeout 8 s (PYTEST_TIMEOUT)",
            ["timeout: 8.0s", "created: 1/1 worker"],
            id="environment",
        ),
        pytest.param(
            ["--tx", "popen", "--dist", "load"],
            {},
            "timeout = 9",
            "workers 1 (--tx), order random (default), timeout 9 s (pytest's setting timeout)",
            ["timeout: 9.0s", "created: 1/1 worker"],
            id="pytest's settings",
        ),
        pytest.param(
            ["--maxprocesses", "1"],
            {"PYTEST_XDIST_AUTO_NUM_WORKERS": "2"},
            "",
            "workers 1 (--maxprocesses), order random (default), timeout 5 s (default)",
            ["created: 1/1 worker"],
            id="at most, of the policy",
        ),
        pytest.param(
            ["--maxprocesses", "1", "-n", "auto"],
            {"PYTEST_XDIST_AUTO_NUM_WORKERS": "2"},
            "",
            "workers 1 (--maxprocesses), order random (default), timeout 5 s (default)",
            ["created: 1/1 worker"],
            id="at most, of -n",
        ),
        pytest.param(
            ["--maxprocesses", "1", "--tx", "popen", "--tx", "popen", "--dist", "load"],
            {},
            "",
            "workers 2 (--tx), order random (default), timeout 5 s (default)",
            ["created: 2/2 workers"],
            id="at most, which is no word on --tx",
        ),
        pytest.param(
            ["--trace", "-n", "2"],
            {},
            "",
            "workers in-process (--trace), order random (default), timeout 5 s (default)",
            ["(Pdb)"],
            id="a debugger at every test",
        ),
    ],
)
def test_what_the_user_asks_of_pytest_wins(
    tmp_path: Path, arguments: list[str], variables: dict[str, str], ini: str, line: str, says: list[str]
) -> None:
    project = Suite({**ONE, "pytest.ini": f"[pytest]\n{ini}\n"}).at(tmp_path)
    result = project.run("--category", "unit", *arguments, env=variables).expect(exit=0, outcomes=ONE_PASSED, says=says)
    assert chosen(result) == f"toxscreen: category unit: {line}, {POLICY}"


def test_the_users_distribution_stays(tmp_path: Path) -> None:
    names = [f"tests/unit/test_{name}.py" for name in "abc"]
    body = "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_n(n): pass\n"
    result = Suite(dict.fromkeys(names, body)).at(tmp_path).run("--category", "unit", "-n2", "--dist", "loadfile")
    result.expect(exit=0, outcomes={f"{name}::test_n[{n}]": "passed" for name in names for n in range(6)})
    homes = {
        name: {attempt.lane for attempt in result.run.attempts if attempt.node_id.startswith(name)} for name in names
    }
    assert [len(lanes) for lanes in homes.values()] == [1, 1, 1]


def test_the_header_names_each_setting_of_the_project(tmp_path: Path) -> None:
    settings = """
        [tool.toxscreen.categories.unit]
        workers = 0
        order = "written"
        timeout = 2.5
        network = "loopback"
        subprocesses = true
        leaks = "report"
    """
    body = "def test_one(): pass\ndef test_two(): pass\ndef test_three(): pass\n"
    result = Suite({"tests/unit/test_a.py": body, **pyproject(settings)}).at(tmp_path).run("--category", "unit")
    result.expect(exit=0, outcomes={f"tests/unit/test_a.py::test_{name}": "passed" for name in ("one", "two", "three")})
    expected = {
        "workers": "in-process (pyproject.toml: categories.unit.workers)",
        "order": "written (pyproject.toml: categories.unit.order)",
        "timeout": "2.5 s (pyproject.toml: categories.unit.timeout)",
        "network": "loopback (pyproject.toml: categories.unit.network)",
        "subprocesses": "yes (pyproject.toml: categories.unit.subprocesses)",
        "leaks": "report (pyproject.toml: categories.unit.leaks)",
    }
    told = ", ".join(f"{name} {value}" for name, value in expected.items())
    assert chosen(result) == f"toxscreen: category unit: {told}"
    assert result.run.header.chosen == expected


def test_random_order_follows_the_seed(tmp_path: Path) -> None:
    body = "import pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_n(n): pass\n"
    project = Suite({"tests/unit/test_a.py": body}).at(tmp_path)
    orders = []
    for seed in ("1", "1", "2"):
        result = project.run("--category", "unit", "-n0", f"--randomly-seed={seed}").expect(exit=0)
        assert result.run.header.seed == int(seed)
        (lane,) = result.run.order.lanes
        orders.append(lane.node_ids)
    written = tuple(f"tests/unit/test_a.py::test_n[{n}]" for n in range(20))
    assert orders[0] == orders[1]
    assert len({orders[0], orders[2], written}) == 3
    assert sorted(orders[0]) == sorted(orders[2]) == sorted(written)


@pytest.mark.parametrize("arguments", [["--category", ""], ["--category="]])
def test_an_empty_category_is_none(tmp_path: Path, arguments: list[str]) -> None:
    result = Suite(ONE).at(tmp_path).run(*arguments)
    assert (result.exit, result.stdout, result.runs) == (2, "", ())
    assert result.stderr.startswith("toxscreen: --category: there is no category '' [category-unknown]\n  known: ")


def test_neither_a_seed_nor_the_machine_changes_what_a_policy_fixes(tmp_path: Path) -> None:
    body = "import pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_n(n): pass\n"
    project = Suite({"tests/perf/test_a.py": body}).at(tmp_path)
    result = project.run("--category", "perf", "--randomly-seed=5", env={"PYTEST_XDIST_AUTO_NUM_WORKERS": "2"})
    written = tuple(f"tests/perf/test_a.py::test_n[{n}]" for n in range(20))
    result.expect(exit=0, outcomes=dict.fromkeys(written, "passed"))
    assert chosen(result).startswith(
        "toxscreen: category perf: workers in-process (default), order written (default), timeout "
    )
    assert [(lane.name, lane.node_ids) for lane in result.run.order.lanes] == [("main", written)]
    assert result.run.header.seed == 5


@pytest.mark.parametrize(
    ("shows", "says"),
    [
        ("--fixtures", "tmp_path"),
        ("--fixtures-per-test", "fixtures used by test_uses"),
        ("--cache-show", "cachedir: "),
        ("--setup-plan", "tests/unit/test_a.py::test_uses"),
    ],
)
def test_what_only_shows_starts_no_worker_and_records_nothing(tmp_path: Path, shows: str, says: str) -> None:
    project = Suite({"tests/unit/test_a.py": "def test_uses(tmp_path): raise AssertionError\n"}).at(tmp_path)
    result = project.run("--category", "unit", "-n2", shows)
    result.expect(exit=0, says=[says], never_says=["created: ", "toxscreen:"])
    assert result.runs == ()
    assert not (project.root / ".toxscreen").exists()


def test_collecting_alone_records_nothing(tmp_path: Path) -> None:
    project = Suite({**ONE, "tests/integration/test_b.py": "def test_two(): pass\n"}).at(tmp_path)
    result = project.run("--category", "unit", "--collect-only", "-q")
    result.expect(exit=0, says=["tests/unit/test_a.py::test_one"], never_says=["test_two"])
    assert result.runs == ()
    assert not (project.root / ".toxscreen").exists()


def test_paths_and_markers_of_a_suite_that_lies_elsewhere(tmp_path: Path) -> None:
    project = Suite(
        {
            "src/thing/test/test_in.py": "def test_in(): pass\n",
            "addons/one/checks/test_glob.py": "def test_glob(): pass\n",
            "test_marked.py": """
                import pytest

                @pytest.mark.quick
                def test_quick(): pass

                @pytest.mark.integration
                def test_slow(): raise AssertionError
            """,
            **pyproject(
                """
                [tool.toxscreen.categories.unit]
                paths = ["src/thing/test", "addons/*/checks"]
                markers = ["quick"]
                """
            ),
        }
    ).at(tmp_path)
    project.run("--category", "unit", "-n0", "--strict-markers").expect(
        exit=0,
        outcomes={
            "src/thing/test/test_in.py::test_in": "passed",
            "addons/one/checks/test_glob.py::test_glob": "passed",
            "test_marked.py::test_quick": "passed",
        },
        says=["1 deselected"],
    )


def test_a_category_of_the_users_own(tmp_path: Path) -> None:
    project = Suite(
        {
            "tests/smoke/test_a.py": "import time\ndef test_hangs(): time.sleep(30)\ndef test_passes(): pass\n",
            "tests/unit/test_b.py": "def test_other(): raise AssertionError\n",
            **pyproject("[tool.toxscreen.categories.smoke]\ntimeout = 1\nworkers = 0\n"),
        }
    ).at(tmp_path)
    result = project.run("--category", "smoke").expect(
        exit=1,
        outcomes={"tests/smoke/test_a.py::test_hangs": "timed-out", "tests/smoke/test_a.py::test_passes": "passed"},
    )
    assert chosen(result) == (
        "toxscreen: category smoke: workers in-process (pyproject.toml: categories.smoke.workers), "
        "order random (default), timeout 1 s (pyproject.toml: categories.smoke.timeout), "
        "network loopback (default), subprocesses yes (default), leaks fail (default)"
    )


@pytest.fixture
def with_a_broken_neighbour(tmp_path: Path) -> Project:
    broken = "raise RuntimeError('was imported')\n"
    return Suite(
        {
            **ONE,
            "tests/integration/conftest.py": broken,
            "tests/integration/test_b.py": broken,
            "tests/real_world/deep/test_c.py": broken,
        }
    ).at(tmp_path)


def test_folders_of_other_categories_are_not_imported(with_a_broken_neighbour: Project) -> None:
    with_a_broken_neighbour.run("--category", "unit", "-n2").expect(
        exit=0, outcomes=ONE_PASSED, never_says=["was imported"]
    )


def test_all_categories_together_import_everything(with_a_broken_neighbour: Project) -> None:
    with_a_broken_neighbour.write(pyproject("[tool.toxscreen]\n"))
    with_a_broken_neighbour.run().expect(
        exit=2,
        outcomes={"tests/unit/test_a.py::test_one": "not-run"},
        says=["was imported", "2 errors during collection"],
    )


def test_the_table_of_the_project_holds_where_pytests_root_lies_below_it(tmp_path: Path) -> None:
    project = Suite(
        {
            **ONE,
            **pyproject("[tool.toxscreen.categories.unit]\ntimeout = 3\nworkers = 0\n"),
            "tests/pytest.ini": "[pytest]\n",
        }
    ).at(tmp_path)
    result = project.run("tests", "--category", "unit").expect(exit=0, outcomes={"unit/test_a.py::test_one": "passed"})
    assert "timeout 3 s (pyproject.toml: categories.unit.timeout)" in chosen(result)
    again = project.run("tests", "--screen-replay", result.run.id).expect(exit=0, outcomes=result.outcomes)
    assert again.run.header.replay_of == f"{result.run.id}:main"
    assert not (project.root / "tests/.toxscreen").exists()
    # Without a category the table alone is what starts it.
    result = project.run("tests").expect(exit=0, outcomes=result.outcomes)
    assert chosen(result) == "toxscreen: category all: every test by its own category"


def test_a_table_of_a_like_name_starts_nothing(tmp_path: Path) -> None:
    project = Suite({**ONE, **pyproject("[tool.toxscreen-extra]\nkey = 1\n")}).at(tmp_path)
    result = project.run().expect(exit=0, says=["1 passed"], never_says=["toxscreen:"])
    assert result.runs == ()


FREEZING = {
    "tests/unit/test_frozen.py": """
        import gc

        AT_IMPORT = [["collected"]]

        def seen(wanted):
            return any(each is wanted for each in gc.get_objects())

        def test_what_was_collected_is_out_of_the_collectors_sight():
            made_now = [["later"]]
            assert (seen(AT_IMPORT), seen(made_now), gc.isenabled()) == (not FROZEN, True, True)
    """,
    "conftest.py": """
        import gc, pytest

        MADE_HERE = [["marker"]]

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_sessionfinish():
            result = yield
            seen = any(each is MADE_HERE for each in gc.get_objects())
            print(f"at the end seen {seen}")
            return result
    """,
}


@pytest.mark.parametrize(
    ("table", "frozen"), [("", True), ("[tool.toxscreen]\nfreeze = false\n", False)], ids=["by default", "off"]
)
@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_what_collecting_made_is_frozen_until_the_end(
    tmp_path: Path, workers: str, table: str, *, frozen: bool
) -> None:
    files = {name: text.replace("FROZEN", str(frozen)) for name, text in FREEZING.items()}
    project = Suite({**files, **pyproject(table)}).at(tmp_path)
    name = "tests/unit/test_frozen.py::test_what_was_collected_is_out_of_the_collectors_sight"
    project.run("--category", "unit", workers, "-s").expect(
        exit=0, outcomes={name: "passed"}, says=["at the end seen True"]
    )


def test_a_run_inside_a_test_leaves_the_outer_freeze_alone(tmp_path: Path) -> None:
    project = Suite(
        {
            "tests/integration/test_outer.py": """
                import gc

                from toxscreen.testing import Suite

                OUTER = [["outer"]]

                def seen():
                    return any(each is OUTER for each in gc.get_objects())

                def test_outer(tmp_path):
                    assert not seen()
                    inner = Suite({"tests/unit/test_inner.py": "def test_inner(): pass"}).at(tmp_path)
                    inner.run_inline("--category", "unit", "-n0").expect(exit=0)
                    assert not seen()
            """
        }
    ).at(tmp_path)
    project.run("--category", "integration", "-n0").expect(
        exit=0, outcomes={"tests/integration/test_outer.py::test_outer": "passed"}
    )
