"""Green and nothing measured: what the usual tools let pass and gates do not.

In each scenario the usual commands run on the project and end with status 0, which is recorded; then ``toxscreen gate``
judges what was measured of the same project, and must not be green. The first test shows that the project as it is
passes all gates: without it the others would prove nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from toxscreen.testing import Project, Suite

PRICE = """
    def total(items):
        result = 0
        for item in items:
            if item > 0:
                result += item
        return result
    """
FILES = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        pythonpath = ["src"]
        testpaths = ["tests"]
        markers = ["slow: takes long"]

        [tool.toxscreen.categories.unit]
        workers = 0

        [tool.toxscreen.categories.integration]
        workers = 0

        [tool.toxscreen.gates]
        environments = ["unit", "integration"]
        coverage-changed = 80
        no-assertion = 0

        [tool.coverage.run]
        branch = true
        parallel = true
        relative_files = true
        source = ["src"]

        [tool.coverage.report]
        fail_under = 80
        """,
    "tox.ini": """
        [testenv:unit]
        commands = coverage run -m pytest --category unit {posargs}

        [testenv:integration]
        commands = coverage run -m pytest --category integration {posargs}
        """,
    "src/shop/__init__.py": "",
    "src/shop/price.py": PRICE,
    "src/shop/order.py": """
        def label(number):
            if number < 0:
                raise ValueError(number)
            return f"order {number}"
        """,
    "tests/unit/test_price.py": """
        from shop.price import total


        def test_total():
            assert total([1, 2]) == 3


        def test_what_is_negative_does_not_count():
            assert total([1, -2]) == 1
        """,
    "tests/integration/test_order.py": """
        import pytest

        from shop.order import label


        def test_label():
            assert label(7) == "order 7"


        def test_a_negative_number():
            with pytest.raises(ValueError, match="-1"):
                label(-1)
        """,
}
ENVIRONMENTS = ("unit", "integration")
HELD_UP = ("fail", "unmeasured")
#: The measuring of this suite itself must not be taken over by what is measured here.
_PLAIN: dict[str, str | None] = {"COVERAGE_PROCESS_CONFIG": None, "COVERAGE_PROCESS_START": None, "COVERAGE_FILE": None}
_NEW = """
    def discount(price, percent):
        if percent > 100:
            return 0
        return price - price * percent / 100


    def loyal(customer):
        if customer.years > 3:
            return True
        return False
    """


class Shop:
    """A project in a git repository, on a branch with one commit more than ``main``."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.root = project.root

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=self.root, capture_output=True, check=True, timeout=30)

    def commit(self, files: Mapping[str, str] | None = None) -> None:
        self.project.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def measure(
        self, environment: str, *options: str, program: tuple[str, ...] = ("coverage", "run", "-m", "pytest")
    ) -> int:
        """What the commands of a tox environment do; the exit status of pytest."""
        self.toxscreen("coverage", "--begin", environment)
        own = f".toxscreen/coverage/{environment}/.coverage"
        command = [sys.executable, "-m", *program, "--category", environment, *options]
        env = self.project.environment({**_PLAIN, "COVERAGE_FILE": own, "TOX_ENV_NAME": environment})
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, check=False, timeout=60).returncode

    def toxscreen(self, *arguments: str) -> int:
        return self.project.run(*arguments, module="toxscreen", env=_PLAIN).exit

    def evidence(self, *, measured: tuple[str, ...] = ENVIRONMENTS) -> None:
        """What `tox` makes: every environment, the combination and the audit."""
        for environment in measured:
            self.measure(environment)
        self.toxscreen("coverage", *ENVIRONMENTS)
        self.toxscreen("audit")

    def gate(self) -> tuple[int, dict[str, str], str]:
        """Exit status, what is against it by gate, and the text that a person reads."""
        done = self.project.run("gate", "--json", module="toxscreen", env=_PLAIN)
        document: dict[str, Any] = json.loads(done.stdout)
        rulings = {each["gate"]: each["ruling"] for each in document["verdicts"] if each["ruling"] in HELD_UP}
        return done.exit, rulings, done.stderr

    def usual(self, *commands: tuple[str, ...]) -> list[int]:
        """Exit statuses of the usual commands, without toxscreen."""
        env = self.project.environment(_PLAIN)
        return [
            subprocess.run(
                [sys.executable, "-m", *command], cwd=self.root, env=env, capture_output=True, check=False, timeout=60
            ).returncode
            for command in commands
        ]


PYTEST = ("pytest", "-q", "-p", "no:toxscreen", "-p", "no:randomly")
COVERAGE = ("coverage", "run", "--data-file=.coverage", "-m", *PYTEST)
REPORT = ("coverage", "report", "--fail-under=80")
COMBINE = ("coverage", "combine", "--keep")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The project with all evidence, made once; each test has a copy."""
    shop = Shop(Suite(FILES).at(tmp_path_factory.mktemp("shop")))
    shop.git("init", "-q", "-b", "main")
    shop.commit({".gitignore": "__pycache__/\n.coverage*\n.pytest_cache/\ncoverage.xml\n.benchmarks/\n"})
    shop.git("switch", "-q", "-c", "feature")
    shop.commit(
        {
            "src/shop/price.py": PRICE.rstrip() + "\n\n\n    def net(price):\n        return price * 100 / 119\n",
            "tests/unit/test_net.py": """
                from shop.price import net


                def test_net():
                    assert net(119) == 100
                """,
        }
    )
    shop.evidence()
    return shop


@pytest.fixture
def shop(measured: Shop, tmp_path: Path) -> Shop:
    shutil.copytree(measured.root, tmp_path / "project", symlinks=True)
    return Shop(Project(tmp_path / "project", tmp_path))


def test_the_project_as_it_is_passes_every_gate(shop: Shop) -> None:
    status, others, told = shop.gate()
    assert (status, others) == (0, {}), told


def test_an_environment_that_never_measured(shop: Shop) -> None:
    shutil.rmtree(shop.root / ".toxscreen/coverage/integration")
    for run in (shop.root / ".toxscreen/runs").glob("*-integration-*"):
        shutil.rmtree(run)
    # One shard of two is there: combined, it is reported as if it were all.
    data = ".toxscreen/coverage/unit"
    assert shop.usual((*COMBINE, data), ("coverage", "report", "--fail-under=50")) == [0, 0]
    shop.toxscreen("coverage", *ENVIRONMENTS)
    status, others, told = shop.gate()
    assert (status, others["runs"]) == (2, "unmeasured")
    assert "tox -e integration" in told


def test_the_same_shard_twice(shop: Shop) -> None:
    unit, other = (shop.root / ".toxscreen/coverage" / name for name in ENVIRONMENTS)
    shutil.rmtree(other)
    shutil.copytree(unit, other)
    data = [f".toxscreen/coverage/{name}" for name in ENVIRONMENTS]
    assert shop.usual((*COMBINE, *data), ("coverage", "report", "--fail-under=50")) == [0, 0]
    assert shop.toxscreen("coverage", *ENVIRONMENTS) == 2
    (shop.root / ".toxscreen/evidence/coverage.json").unlink()
    status, others, _ = shop.gate()
    assert (status, others["coverage"]) == (2, "unmeasured")


def test_data_of_another_commit(shop: Shop) -> None:
    shop.commit({"src/shop/price.py": PRICE.rstrip() + _NEW})
    data = [f".toxscreen/coverage/{name}" for name in ENVIRONMENTS]
    assert shop.usual((*COMBINE, *data), ("coverage", "report", "--fail-under=50")) == [0, 0]
    status, others, told = shop.gate()
    assert status == 2
    assert {"runs", "coverage", "discovery"} <= {gate for gate, ruling in others.items() if ruling == "unmeasured"}
    assert "the sources are now at commit" in told


def test_no_test_is_collected(shop: Shop) -> None:
    shop.git("rm", "-q", "-r", "tests/integration")
    shop.commit({"tests/integration/order_checks.py": FILES["tests/integration/test_order.py"]})
    # pytest says 5 for nothing at all; with another folder beside it, nobody hears of it.
    assert shop.usual((*PYTEST, "tests")) == [0]
    shop.evidence()
    status, others, _ = shop.gate()
    assert (status, others["runs"], others["discovery"]) == (1, "unmeasured", "fail")


def test_every_test_is_skipped(shop: Shop) -> None:
    skipped = 'import pytest\n\npytestmark = pytest.mark.skip(reason="needs a printer")\n'
    for name in ("tests/unit/test_price.py", "tests/unit/test_net.py"):
        path = shop.root / name
        path.write_text(skipped + path.read_text(encoding="utf-8"), encoding="utf-8")
    shop.commit()
    assert shop.usual((*PYTEST, "tests/unit")) == [0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["runs"]) == (1, "unmeasured")
    assert "skipped" in told


def test_every_test_is_deselected(shop: Shop) -> None:
    shop.edit("pyproject.toml", 'testpaths = ["tests"]', 'testpaths = ["tests"]\naddopts = ["-m", "slow"]')
    slow = "import pytest\n\n\n@pytest.mark.slow\ndef test_slow():\n    assert True\n"
    shop.commit({"tests/unit/test_slow.py": slow})
    assert shop.usual(PYTEST) == [0]
    shop.evidence()
    status, others, _ = shop.gate()
    assert (status, others["runs"]) == (1, "unmeasured")


def test_the_source_path_is_wrong(shop: Shop) -> None:
    shop.edit("pyproject.toml", 'source = ["src"]', 'source = ["tests"]')
    shop.commit()
    assert shop.usual(COVERAGE, (*COMBINE, "."), REPORT) == [0, 0, 0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["coverage"], others["coverage-changed"]) == (2, "unmeasured", "unmeasured")
    assert "only tests were measured" in told


def test_a_new_file_is_not_in_the_report(shop: Shop) -> None:
    # Without sources, coverage reports on what was imported.
    shop.edit("pyproject.toml", 'source = ["src"]\n', "")
    shop.commit({"src/shop/discount.py": _NEW})
    compare = ("diff_cover.diff_cover_tool", "coverage.xml", "--compare-branch=main", "--fail-under=90")
    assert shop.usual(COVERAGE, (*COMBINE, "."), ("coverage", "xml"), compare) == [0, 0, 0, 0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["coverage-changed"]) == (1, "fail")
    assert "src/shop/discount.py" in told


def test_benchmarks_are_off_under_xdist(shop: Shop) -> None:
    shop.edit(
        "pyproject.toml",
        "[tool.toxscreen.gates]",
        "[tool.toxscreen.categories.perf]\nworkers = 2\n\n[tool.toxscreen.gates]",
    )
    shop.edit(
        "pyproject.toml", 'environments = ["unit", "integration"]', 'environments = ["unit", "integration", "perf"]'
    )
    shop.edit(
        "tox.ini", "[testenv:integration]", "[testenv:perf]\ncommands = pytest --category perf\n\n[testenv:integration]"
    )
    bench = "from shop.price import total\n\n\ndef test_speed(benchmark):\n    assert benchmark(total, [1]) == 1\n"
    shop.commit({"tests/perf/test_speed.py": bench})
    compare = (*PYTEST, "-n", "2", "--benchmark-disable-gc", "-W", "ignore", "tests/perf")
    assert shop.usual(compare) == [0]
    shop.evidence()
    shop.measure("perf", "-W", "ignore", program=("pytest",))
    status, others, told = shop.gate()
    assert (status, others["runs"]) == (2, "unmeasured")
    assert "benchmark" in told


def test_a_filtered_run_stands_for_the_whole(shop: Shop) -> None:
    for run in (shop.root / ".toxscreen/runs").glob("*-unit-*"):
        shutil.rmtree(run)
    assert shop.usual((*PYTEST, "-k", "test_total")) == [0]
    assert shop.measure("unit", "-k", "test_total") == 0
    status, others, told = shop.gate()
    assert (status, others["runs"]) == (2, "unmeasured")
    assert "-k" in told


def test_one_shard_of_three_stands_for_the_whole(shop: Shop) -> None:
    for run in (shop.root / ".toxscreen/runs").glob("*-unit-*"):
        shutil.rmtree(run)
    # As CI systems do it: each machine runs the files that it is given.
    assert shop.usual((*PYTEST, "tests/unit/test_price.py")) == [0]
    assert shop.measure("unit", "--screen-shard", "1/3") == 0
    status, others, told = shop.gate()
    assert (status, others["runs"]) == (2, "unmeasured")
    assert "is shard 1/3 only" in told


def test_a_shard_is_missing_where_shards_are_joined(shop: Shop) -> None:
    for run in (shop.root / ".toxscreen/runs").glob("*-unit-*"):
        shutil.rmtree(run)
    for number in (1, 3):
        assert shop.measure("unit", "--screen-shard", f"{number}/3") == 0
        shutil.copytree(shop.root / ".toxscreen", shop.project.around / f"machine {number}")
    shutil.rmtree(shop.root / ".toxscreen/coverage/unit")
    for run in (shop.root / ".toxscreen/runs").glob("*-unit-*"):
        shutil.rmtree(run)
    data = [str(shop.project.around / f"machine {number}" / "coverage/unit") for number in (1, 3)]
    assert shop.usual((*COMBINE, *data), ("coverage", "report", "--fail-under=50")) == [0, 0]
    assert shop.toxscreen("merge", "../machine 1", "../machine 3") == 2
    assert shop.toxscreen("coverage", *ENVIRONMENTS) == 2
    status, others, told = shop.gate()
    assert (status, others["runs"]) == (2, "unmeasured")
    assert "unit has never run" in told


def test_coverage_starts_after_the_import(shop: Shop) -> None:
    late = """
        import sys

        sys.path.insert(0, "src")
        import coverage
        import pytest

        import shop.order
        import shop.price

        measuring = coverage.Coverage()
        measuring.start()
        status = pytest.main(sys.argv[1:])
        measuring.stop()
        measuring.save()
        sys.exit(status)
        """
    shop.commit({"run_tests.py": late})
    assert shop.usual(("run_tests", *PYTEST[1:]), (*COMBINE, "."), ("coverage", "report", "--fail-under=50")) == [
        0,
        0,
        0,
    ]
    for environment in ENVIRONMENTS:
        shop.measure(environment, program=("run_tests",))
    shop.evidence(measured=())
    status, others, told = shop.gate()
    assert (status, others["coverage"]) == (2, "unmeasured")
    assert "src/shop/price.py" in told


def test_data_of_a_crashed_worker_is_lost(shop: Shop) -> None:
    crash = "import os\n\n\ndef test_crash():\n    os._exit(3)\n"
    shop.edit(
        "pyproject.toml",
        "[tool.toxscreen.categories.unit]\nworkers = 0",
        "[tool.toxscreen.categories.unit]\nworkers = 2",
    )
    shop.commit({"tests/unit/test_crash.py": crash})
    # Retried or allowed to fail, as some pipelines do, the report is made of what the others left.
    assert shop.usual((*COMBINE, ".toxscreen/coverage/unit"), ("coverage", "report", "--fail-under=50")) == [0, 0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["runs"]) == (1, "fail")
    assert "tests/unit/test_crash.py::test_crash" in told


def test_code_is_excluded_to_reach_the_floor(shop: Shop) -> None:
    excluded = _NEW.replace("def discount(price, percent):", "def discount(price, percent):  # pragma: no cover")
    excluded = excluded.replace("def loyal(customer):", "def loyal(customer):  # pragma: no cover")
    shop.commit({"src/shop/discount.py": excluded})
    assert shop.usual(COVERAGE, (*COMBINE, "."), REPORT) == [0, 0, 0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["coverage-excluded"]) == (1, "fail")
    assert "src/shop/discount.py" in told


def test_tests_move_to_an_environment_that_nobody_runs(shop: Shop) -> None:
    shop.git("mv", "tests/unit/test_price.py", "tests/unit/test_moved.py")
    shop.edit(
        "pyproject.toml",
        "[tool.toxscreen.gates]",
        '[tool.toxscreen.categories.nightly]\npaths = ["tests/nightly"]\n\n[tool.toxscreen.gates]',
    )
    (shop.root / "tests/nightly").mkdir()
    shop.git("mv", "tests/unit/test_moved.py", "tests/nightly/test_price.py")
    shop.commit()
    assert shop.usual((*PYTEST, "tests/unit"), (*PYTEST, "tests/integration")) == [0, 0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["discovery"]) == (1, "fail")
    assert "nightly" in told


def test_the_floor_is_lowered_in_the_same_change(shop: Shop) -> None:
    shop.edit("pyproject.toml", "fail_under = 80", "fail_under = 40")
    shop.commit({"src/shop/discount.py": _NEW, "tests/unit/test_discount.py": "import shop.discount  # noqa: F401\n"})
    assert shop.usual(COVERAGE, (*COMBINE, "."), ("coverage", "report")) == [0, 0, 0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["coverage-floor"]) == (1, "fail")
    assert "80" in told
    assert "40" in told


def test_a_test_asserts_a_pair(shop: Shop) -> None:
    pair = 'from shop.price import total\n\n\ndef test_total():\n    assert (total([1]) == 2, "adds up")\n'
    shop.commit({"tests/unit/test_pair.py": pair})
    assert shop.usual((*PYTEST, "-W", "ignore", "tests/unit")) == [0]
    shop.evidence()
    status, others, _ = shop.gate()
    assert (status, others["discovery"]) == (1, "fail")


def test_a_class_with_a_constructor_is_not_collected(shop: Shop) -> None:
    lost = """
        from shop.price import total


        class TestTotal:
            def __init__(self):
                self.items = [1]

            def test_it(self):
                assert total(self.items) == 2
        """
    shop.commit({"tests/unit/test_lost.py": lost})
    assert shop.usual((*PYTEST, "-W", "ignore", "tests/unit")) == [0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["discovery"]) == (1, "fail")
    assert "__init__" in told


def test_a_test_is_shadowed_by_another_of_its_name(shop: Shop) -> None:
    twice = """
        from shop.price import total


        def test_total():
            assert total([1]) == 2


        def test_total():
            assert total([]) == 0
        """
    shop.commit({"tests/unit/test_twice.py": twice})
    assert shop.usual((*PYTEST, "tests/unit")) == [0]
    shop.evidence()
    status, others, _ = shop.gate()
    assert (status, others["discovery"]) == (1, "fail")


def test_tests_that_assert_nothing(shop: Shop) -> None:
    silent = "from shop.price import total\n\n\ndef test_total_of_many():\n    total([1] * 9)\n"
    shop.commit({"tests/unit/test_silent.py": silent})
    assert shop.usual((*PYTEST, "tests/unit")) == [0]
    shop.evidence()
    status, others, told = shop.gate()
    assert (status, others["no-assertion"]) == (1, "fail")
    assert "test_total_of_many" in told
