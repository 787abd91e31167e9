"""What processes that collect say of tests beyond their ids, with real pytest and pytest-xdist."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.journal.cases import FILE, read_cases
from toxscreen.model import Case
from toxscreen.testing import Project, Result, Suite

CONFTEST = """
    import pytest

    @pytest.fixture(scope="session")
    def server(): ...

    @pytest.fixture(scope="module", params=["pg", "my"])
    def db(request): ...

    @pytest.fixture(scope="module")
    def rows(server): ...

    @pytest.fixture
    def narrow(): ...
"""
PLACES = """
    import unittest

    import pytest

    @pytest.fixture(scope="class")
    def classy(): ...

    @pytest.fixture(scope="session")
    def server(server): ...

    @pytest.fixture
    def rows(): ...

    def setup_module(): ...

    def test_plain(narrow, tmp_path_factory, tmp_path): ...

    def test_class_fixture_of_a_function(classy): ...

    def test_overridden(server, rows): ...

    @pytest.mark.usefixtures("classy")
    class TestPlaces:
        def test_method(self, packed): ...

        class TestInner:
            def test_inner(self): ...

    class TestOld(unittest.TestCase):
        @classmethod
        def setUpClass(cls): ...

        def test_old(self): ...
"""
PARAMETERS = """
    import pytest

    @pytest.fixture
    def narrow(request): ...

    @pytest.mark.parametrize("value", [1, 2])
    @pytest.mark.parametrize("also", [3], scope="module")
    def test_values(value, also, db, rows): ...

    @pytest.mark.parametrize("narrow", [1, 2], indirect=True, scope="module")
    def test_widened(narrow): ...

    @pytest.mark.parametrize("server", ["a", "b"], indirect=True)
    def test_given(server): ...

    @pytest.mark.parametrize("db", ["a", "b"], indirect=True, scope="function")
    def test_narrowed(db): ...
"""
MARKS = """
    import pytest

    pytestmark = pytest.mark.xdist_group("disk")

    @pytest.mark.alone
    def test_alone(): ...

    @pytest.mark.xdist_group(name="cpu")
    class TestMarks:
        def test_two_groups(self): ...

        @pytest.mark.alone
        @pytest.mark.xdist_group
        def test_three(self, db): ...
"""
PLAIN = "tests/unit/test_plain.py"


def suite(tmp_path: Path) -> Project:
    return Suite(
        {
            "tests/unit/conftest.py": CONFTEST,
            "tests/unit/test_parameters.py": PARAMETERS,
            "tests/unit/test_marks.py": MARKS,
            "tests/unit/pkg/__init__.py": "",
            "tests/unit/pkg/conftest.py": "import pytest\n@pytest.fixture(scope='package')\ndef packed(): ...\n",
            "tests/unit/pkg/test_places.py": PLACES,
            PLAIN: "def test_nothing(): ...\n",
        }
    ).at(tmp_path)


def cases_of(project: Project, result: Result) -> dict[str, Case]:
    """The cases of all tests by their ids, without the group that pytest-xdist may have appended."""
    collected = result.run.collected
    found = read_cases(project.root / ".toxscreen" / "runs" / result.run.id, collected)
    assert [case.node_id for case in found] == list(collected)
    return {
        (case.node_id if "[" in case.node_id else case.node_id.partition("@")[0]).removeprefix("tests/unit/"): case
        for case in found
    }


def told(
    *, group: str | None = None, alone: bool = False, fixtures: str = ""
) -> tuple[str | None, bool, tuple[str, ...]]:
    return group, alone, tuple(fixtures.split())


SETUP = "tests/unit/pkg/test_places.py|_xunit_setup_module_fixture_pkg.test_places"
EXPECTED = {
    "pkg/test_places.py::test_plain": told(fixtures=SETUP),
    "pkg/test_places.py::test_class_fixture_of_a_function": told(fixtures=SETUP),
    "pkg/test_places.py::test_overridden": told(fixtures=f"|server {SETUP}"),
    "pkg/test_places.py::TestPlaces::test_method": told(
        fixtures=f"tests/unit/pkg|packed {SETUP} tests/unit/pkg/test_places.py::TestPlaces|classy"
    ),
    "pkg/test_places.py::TestPlaces::TestInner::test_inner": told(
        fixtures=f"{SETUP} tests/unit/pkg/test_places.py::TestPlaces::TestInner|classy"
    ),
    "pkg/test_places.py::TestOld::test_old": told(
        fixtures=f"{SETUP} tests/unit/pkg/test_places.py::TestOld|_unittest_setUpClass_fixture_TestOld"
    ),
    **{
        f"test_parameters.py::test_values[{name}-3-{value}]": told(
            fixtures=f"|server tests/unit/test_parameters.py|db[{index}] tests/unit/test_parameters.py|rows"
        )
        for index, name in enumerate(("pg", "my"))
        for value in (1, 2)
    },
    "test_parameters.py::test_widened[1]": told(fixtures="tests/unit/test_parameters.py|narrow[0]"),
    "test_parameters.py::test_widened[2]": told(fixtures="tests/unit/test_parameters.py|narrow[1]"),
    "test_parameters.py::test_given[a]": told(fixtures="|server[0]"),
    "test_parameters.py::test_given[b]": told(fixtures="|server[1]"),
    "test_parameters.py::test_narrowed[a]": told(),
    "test_parameters.py::test_narrowed[b]": told(),
    "test_marks.py::test_alone": told(group="disk", alone=True),
    "test_marks.py::TestMarks::test_two_groups": told(group="cpu_disk"),
    "test_marks.py::TestMarks::test_three[pg]": told(
        group="cpu_default_disk", alone=True, fixtures="tests/unit/test_marks.py|db[0]"
    ),
    "test_marks.py::TestMarks::test_three[my]": told(
        group="cpu_default_disk", alone=True, fixtures="tests/unit/test_marks.py|db[1]"
    ),
    "test_plain.py::test_nothing": told(),
}


@pytest.mark.parametrize("how", [("-n0",), ("-n2",), ("-n2", "--dist", "loadgroup")], ids=" ".join)
def test_groups_lonely_tests_and_wide_fixtures_are_found(tmp_path: Path, how: tuple[str, ...]) -> None:
    project = suite(tmp_path)
    result = project.run("--category", "unit", *how).expect(exit=0, never_says=["journal-unwritable"])
    found = cases_of(project, result)
    if "loadgroup" in how:
        # pytest-xdist appends the group to the node id, behind the parameters too.
        found = {name.partition("@")[0]: case for name, case in found.items()}
    # In which order pytest lists fixtures of one scope is its own business.
    assert {name: (case.group, case.alone, set(case.fixtures)) for name, case in found.items()} == {
        name: (group, alone, set(fixtures)) for name, (group, alone, fixtures) in EXPECTED.items()
    }
    assert all(len(set(case.fixtures)) == len(case.fixtures) for case in found.values())
    assert {case.file for case in found.values()} == {f"tests/unit/{name.partition('::')[0]}" for name in EXPECTED}


def test_the_cases_are_there_when_a_worker_says_that_it_has_collected(tmp_path: Path) -> None:
    project = suite(tmp_path)
    project.write(
        {
            "conftest.py": """
            from pathlib import Path

            def pytest_collection_modifyitems(config):
                # What comes last in the list is called first.
                callers = [type(each.plugin).__name__ for each in config.hook.pytest_collection_finish.get_hookimpls()]
                both = [each for each in callers if each in ("Collected", "WorkerInteractor")]
                Path("order").write_text(" ".join(both))

            def pytest_xdist_node_collection_finished(node):
                folder = Path(node.workerinput["toxscreen"]["folder"])
                Path("seen").write_text(str(folder.joinpath("cases.json").exists()))
            """
        }
    )
    project.run("--category", "unit", "-n1").expect(exit=0)
    assert (project.root / "order").read_text() == "WorkerInteractor Collected"
    assert (project.root / "seen").read_text() == "True"


def test_a_plain_suite_has_no_such_file(tmp_path: Path) -> None:
    project = suite(tmp_path)
    result = project.run("--category", "unit", "-n2", PLAIN).expect(
        exit=0, outcomes={f"{PLAIN}::test_nothing": "passed"}
    )
    assert not (project.root / ".toxscreen" / "runs" / result.run.id / FILE).exists()


def test_where_nothing_is_recorded_the_cases_go_where_the_processes_speak(tmp_path: Path) -> None:
    project = suite(tmp_path)
    project.write(
        {
            "conftest.py": """
            import pytest
            from pathlib import Path

            from toxscreen.journal.cases import read_cases

            @pytest.hookimpl(trylast=True)
            def pytest_collection_finish(session):
                folder = session.config.pluginmanager.get_plugin("toxscreen-observe").screen.pulses
                cases = read_cases(folder, [item.nodeid for item in session.items])
                Path("seen").write_text(" ".join(case.group for case in cases if case.alone and not case.fixtures))
            """,
            # Not a folder, so that no run can be recorded.
            ".toxscreen": "",
        }
    )
    project.run("--category", "unit", "-n0").expect(exit=0, says=["journal-unwritable", "the run is not recorded"])
    assert (project.root / "seen").read_text() == "disk"


def test_cases_that_cannot_be_written_are_a_warning_and_no_failure(tmp_path: Path) -> None:
    project = suite(tmp_path)
    project.write(
        {
            "conftest.py": """
            def pytest_collection_modifyitems(config):
                screen = config.pluginmanager.get_plugin("toxscreen-observe").screen
                screen.pulses = screen.pulses / "missing"
            """
        }
    )
    result = project.run("--category", "unit", "-n2", "tests/unit/test_marks.py").expect(
        exit=0,
        says=["what is known of the tests is not recorded: No such file or directory [journal-unwritable]"],
    )
    assert set(result.outcomes.values()) == {"passed"}
    assert len(result.outcomes) == 4
