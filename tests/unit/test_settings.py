"""Settings: every value, where it came from, and every mistake with its file, key and line."""

from __future__ import annotations

import os
import tempfile
import tomllib
from pathlib import Path
from textwrap import dedent

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toxscreen import settings
from toxscreen.errors import ErrorGroup, ToxscreenError
from toxscreen.model import Policy, Service, Sourced
from toxscreen.pytest_plugin import configured_root
from toxscreen.settings import BUILT_IN, CATEGORY_OPTIONS, SERVICE_OPTIONS, TOP_OPTIONS, Settings

UNIT = Policy(
    category="unit",
    paths=("tests/unit",),
    markers=("unit",),
    order="random",
    workers="auto",
    timeout=5.0,
    budget=120.0,
    network="none",
    subprocesses=False,
    leaks="fail",
)
INTEGRATION = Policy(
    category="integration",
    paths=("tests/integration",),
    markers=("integration",),
    order="random",
    workers="auto",
    timeout=60.0,
    budget=180.0,
    network="loopback",
    subprocesses=True,
    leaks="fail",
)
REAL_WORLD = Policy(
    category="real-world",
    paths=("tests/real_world",),
    markers=("real_world",),
    order="random",
    workers="auto",
    timeout=300.0,
    budget=300.0,
    network="any",
    subprocesses=True,
    leaks="report",
)
PERF = Policy(
    category="perf",
    paths=("tests/perf",),
    markers=("perf",),
    order="written",
    workers=0,
    timeout=600.0,
    budget=300.0,
    network="none",
    subprocesses=True,
    leaks="off",
    alone=True,
)
KNOWN_CATEGORIES = "known: integration, perf, real-world, unit"
KNOWN_KEYS = "known: alone, budget, leaks, markers, network, order, paths, subprocesses, timeout, workers"
TOP_KEYS = (
    "known: audit, balance, categories, default-category, diagnose, diagnose-budget, freeze, gates, perf, retention, "
    "services"
)
SERVICE_KEYS = "known: check, start, stop"


def load(root: Path, text: str, **variables: str) -> Settings:
    (root / "pyproject.toml").write_text(dedent(text), encoding="utf-8")
    return settings.load(root, variables)


def refusal(root: Path, text: str, **variables: str) -> str:
    with pytest.raises(ToxscreenError) as caught:
        load(root, text, **variables)
    return str(caught.value)


# what is read


def test_nothing_is_configured_without_a_file(tmp_path: Path) -> None:
    assert settings.load(tmp_path, {}) == Settings(
        root=tmp_path,
        configured=False,
        categories={"unit": UNIT, "integration": INTEGRATION, "real-world": REAL_WORLD, "perf": PERF},
        sources={},
        default_category=Sourced(None, "default"),
        retention=Sourced(100, "default"),
        diagnose=Sourced("auto", "default"),
        diagnose_budget=Sourced(0.0, "default"),
        freeze=Sourced(value=True, source="default"),
        balance=Sourced("auto", "default"),
        services={},
    )


@pytest.mark.parametrize(
    ("text", "configured"),
    [
        ("", False),
        ("[tool.other]\ntoxscreen = 1\n", False),
        ("tool = 3\n", False),
        ("[tool.toxscreen]\n", True),
        ("[tool]\ntoxscreen = {}\n", True),
        ("[tool.toxscreen.categories.unit]\n", True),
    ],
    ids=["empty", "other-table", "tool-no-table", "table", "inline-table", "table-below"],
)
def test_a_table_of_our_own_is_what_configures_a_project(tmp_path: Path, text: str, *, configured: bool) -> None:
    found = load(tmp_path, text)
    assert (found.configured, dict(found.categories), dict(found.sources)) == (configured, dict(BUILT_IN), {})


def test_every_key_is_read_and_its_source_kept(tmp_path: Path) -> None:
    (tmp_path / "checks/slow").mkdir(parents=True)
    found = load(
        tmp_path,
        """
        [tool.toxscreen]
        default-category = "smoke-test"
        retention = 7
        freeze = false

        [tool.toxscreen.categories.smoke-test]

        [tool.toxscreen.categories.unit]
        paths = ["checks", "checks/s*"]
        markers = ["fast", "quick"]
        order = "written"
        workers = 3
        timeout = 2
        budget = 0.5
        network = "any"
        subprocesses = true
        leaks = "off"
        alone = true

        [tool.toxscreen.categories.perf]
        workers = "auto"

        [tool.toxscreen.services.database]
        check = "localhost:5432"
        start = "pg_ctl start"
        stop = "pg_ctl stop"

        [tool.toxscreen.services.web]
        check = "http://localhost:8000/up"
        """,
    )
    unit = Policy(
        category="unit",
        paths=("checks", "checks/s*"),
        markers=("fast", "quick"),
        order="written",
        workers=3,
        timeout=2.0,
        budget=0.5,
        network="any",
        subprocesses=True,
        leaks="off",
        alone=True,
    )
    smoke = INTEGRATION._replace(category="smoke-test", paths=("tests/smoke_test",), markers=("smoke_test",))
    perf = PERF._replace(workers="auto")
    keys = ("paths", "markers", "order", "workers", "timeout", "budget", "network", "subprocesses", "leaks", "alone")
    assert set(keys) == set(CATEGORY_OPTIONS), "a new key needs its place in this test"
    assert found == Settings(
        root=tmp_path,
        configured=True,
        categories={
            "unit": unit,
            "integration": INTEGRATION,
            "real-world": REAL_WORLD,
            "perf": perf,
            "smoke-test": smoke,
        },
        sources={
            **{("unit", key): f"pyproject.toml: categories.unit.{key}" for key in keys},
            ("perf", "workers"): "pyproject.toml: categories.perf.workers",
        },
        default_category=Sourced("smoke-test", "pyproject.toml: default-category"),
        retention=Sourced(7, "pyproject.toml: retention"),
        diagnose=Sourced("auto", "default"),
        diagnose_budget=Sourced(0.0, "default"),
        freeze=Sourced(value=False, source="pyproject.toml: freeze"),
        balance=Sourced("auto", "default"),
        services={
            "database": Service("database", "localhost:5432", "pg_ctl start", "pg_ctl stop"),
            "web": Service("web", "http://localhost:8000/up"),
        },
    )
    assert isinstance(found.categories["unit"].timeout, float)
    assert found.source("unit", "order") == "pyproject.toml: categories.unit.order"
    assert found.source("perf", "order") == "default"
    assert found.markers == {
        "fast": "unit",
        "quick": "unit",
        "integration": "integration",
        "real_world": "real-world",
        "perf": "perf",
        "smoke_test": "smoke-test",
    }


def test_environment_variables_come_before_the_file(tmp_path: Path) -> None:
    text = '[tool.toxscreen]\ndefault-category = "unit"\nretention = 7\n'
    found = load(tmp_path, text, TOXSCREEN_DEFAULT_CATEGORY="perf", TOXSCREEN_RETENTION="12")
    assert found.default_category == Sourced("perf", "TOXSCREEN_DEFAULT_CATEGORY")
    assert found.retention == Sourced(12, "TOXSCREEN_RETENTION")


def test_an_empty_environment_variable_says_nothing(tmp_path: Path) -> None:
    text = '[tool.toxscreen]\ndefault-category = "unit"\nretention = 7\n'
    found = load(tmp_path, text, TOXSCREEN_DEFAULT_CATEGORY="", TOXSCREEN_RETENTION="")
    assert found.default_category == Sourced("unit", "pyproject.toml: default-category")
    assert found.retention == Sourced(7, "pyproject.toml: retention")


def test_a_policy_is_found_by_its_category(tmp_path: Path) -> None:
    found = settings.load(tmp_path, {})
    assert found.policy("real-world", asked_by="--category") == REAL_WORLD
    with pytest.raises(ToxscreenError) as caught:
        found.policy("real_world", asked_by="--category")
    assert str(caught.value) == (
        "--category: there is no category 'real_world' [category-unknown]\n"
        f"  did you mean 'real-world'? {KNOWN_CATEGORIES}"
    )


@pytest.mark.parametrize(
    "pattern",
    ["tests", "tests/", "./tests", "tests/*", "tests/**", "**/test_*.py", "tests/sub?", "tests/sub1/test_a.py", "."],
)
def test_paths_that_match_something_are_taken_as_they_are(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "tests/sub1").mkdir(parents=True)
    (tmp_path / "tests/sub1/test_a.py").touch()
    found = load(tmp_path, f'[tool.toxscreen.categories.unit]\npaths = ["{pattern}"]\n')
    assert found.categories["unit"].paths == (pattern,)


def test_the_smallest_values(tmp_path: Path) -> None:
    table = (
        "[tool.toxscreen]\nretention = 1\n[tool.toxscreen.categories.unit]\nworkers = 0\ntimeout = 0\nbudget = 0.0\n"
    )
    found = load(tmp_path, table)
    unit = found.categories["unit"]
    assert (found.retention.value, unit.workers, unit.timeout, unit.budget) == (1, 0, 0.0, 0.0)


def test_paths_may_be_empty_and_defaults_need_not_exist(tmp_path: Path) -> None:
    assert load(tmp_path, "[tool.toxscreen.categories.unit]\npaths = []\n").categories["unit"].paths == ()


# mistakes: the whole message of each


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "[tool.toxscreen]\nretentoin = 3\n",
            "pyproject.toml:2: tool.toxscreen.retentoin: there is no setting 'retentoin' [config-unknown-key]\n"
            f"  did you mean 'retention'? {TOP_KEYS}",
            id="unknown-key-like-one",
        ),
        pytest.param(
            "[tool.toxscreen]\n\nzzz = 3\n",
            f"pyproject.toml:3: tool.toxscreen.zzz: there is no setting 'zzz' [config-unknown-key]\n  {TOP_KEYS}",
            id="unknown-key-like-none",
        ),
        pytest.param(
            "[tool.toxscreen.categories.unit]\norder = 'random'\ntimeuot = 3\n",
            "pyproject.toml:3: tool.toxscreen.categories.unit.timeuot: there is no setting 'timeuot' "
            f"[config-unknown-key]\n  did you mean 'timeout'? {KNOWN_KEYS}",
            id="unknown-key-of-category",
        ),
        pytest.param(
            "[tool.toxscreen.services.web]\ncheck = 'x:1'\nchek = 'y'\n",
            "pyproject.toml:3: tool.toxscreen.services.web.chek: there is no setting 'chek' [config-unknown-key]\n"
            f"  did you mean 'check'? {SERVICE_KEYS}",
            id="unknown-key-of-service",
        ),
        pytest.param(
            "[tool.toxscreen.services.web]\nstart = 'x'\n",
            "pyproject.toml:1: tool.toxscreen.services.web: has no 'check' [config-invalid]\n"
            "  A URL, host:port or command that tells whether the service is up.",
            id="service-without-check",
        ),
        pytest.param(
            "[tool]\ntoxscreen = 3\n",
            "pyproject.toml:2: tool.toxscreen: must be a table [config-invalid]",
            id="toxscreen-no-table",
        ),
        pytest.param(
            "[tool.toxscreen]\ncategories = []\n",
            "pyproject.toml:2: tool.toxscreen.categories: must be a table [config-invalid]",
            id="categories-no-table",
        ),
        pytest.param(
            "[tool.toxscreen]\nservices = 'web'\n",
            "pyproject.toml:2: tool.toxscreen.services: must be a table [config-invalid]",
            id="services-no-table",
        ),
        pytest.param(
            "[tool.toxscreen.categories]\nunit = 5\n",
            "pyproject.toml:2: tool.toxscreen.categories.unit: must be a table [config-invalid]",
            id="category-no-table",
        ),
        pytest.param(
            "[tool.toxscreen]\ndefault-category = 'intergation'\n",
            "pyproject.toml:2: tool.toxscreen.default-category: there is no category 'intergation' [category-unknown]\n"
            f"  did you mean 'integration'? {KNOWN_CATEGORIES}",
            id="unknown-default-category",
        ),
        pytest.param(
            "[tool.toxscreen.categories.unit]\npaths = ['tests/unti']\n",
            "pyproject.toml:2: tool.toxscreen.categories.unit.paths: 'tests/unti' matches nothing below the project's "
            "root [config-unmatched-path]\n"
            "  name a folder or a glob pattern relative to the root, or remove the entry",
            id="unmatched-path",
        ),
        pytest.param(
            "[tool.toxscreen.categories.unit]\nmarkers = ['integration']\n",
            "pyproject.toml:2: tool.toxscreen.categories.unit.markers: marker 'integration' already stands for "
            "category 'integration' [config-invalid]\n"
            "  a marker can stand for one category only",
            id="marker-of-a-built-in-category",
        ),
        pytest.param(
            "[tool.toxscreen.categories.real_world]\ntimeout = 1\n",
            "pyproject.toml:1: tool.toxscreen.categories.real_world.markers: marker 'real_world' already stands for "
            "category 'real-world' [config-invalid]\n"
            "  a marker can stand for one category only",
            id="marker-by-default",
        ),
        pytest.param(
            "[tool.toxscreen\n",
            "pyproject.toml:1: is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 16)"
            " [config-invalid]",
            id="toml-unfinished",
        ),
        pytest.param(
            "[tool.toxscreen]\nretention = 1\nretention = 2\n",
            "pyproject.toml:3: is not valid TOML: Cannot overwrite a value (at line 3, column 14) [config-invalid]",
            id="toml-twice",
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_key_and_hint(tmp_path: Path, text: str, told: str) -> None:
    assert refusal(tmp_path, text) == told


HELP = {option.key: option.help for options in (CATEGORY_OPTIONS, TOP_OPTIONS) for option in options.values()}
BIG = "9" * 400
WRONG_VALUES = [
    ("paths", "'tests'", "'tests'", "a list of texts"),
    ("paths", "[1]", "[1]", "a list of texts"),
    ("paths", "['']", "['']", "a list of texts"),
    ("markers", "{a = 1}", "{'a': 1}", "a list of texts"),
    ("order", "'randm'", "'randm'", 'one of "random", "written"'),
    ("order", "true", "True", 'one of "random", "written"'),
    ("workers", "'all'", "'all'", '"auto" or a number, 0 or more'),
    ("workers", "-1", "-1", '"auto" or a number, 0 or more'),
    ("workers", "1.5", "1.5", '"auto" or a number, 0 or more'),
    ("workers", "true", "True", '"auto" or a number, 0 or more'),
    ("timeout", "'5 s'", "'5 s'", "a number of seconds, 0 or more"),
    ("timeout", "-0.1", "-0.1", "a number of seconds, 0 or more"),
    ("timeout", "inf", "inf", "a number of seconds, 0 or more"),
    ("timeout", "nan", "nan", "a number of seconds, 0 or more"),
    ("timeout", "false", "False", "a number of seconds, 0 or more"),
    ("timeout", BIG, BIG, "a number of seconds, 0 or more"),
    ("budget", "[]", "[]", "a number of seconds, 0 or more"),
    ("network", "'all'", "'all'", 'one of "none", "loopback", "any"'),
    ("subprocesses", "'yes'", "'yes'", "true or false"),
    ("subprocesses", "1", "1", "true or false"),
    ("alone", "1", "1", "true or false"),
    ("leaks", "'warn'", "'warn'", 'one of "fail", "report", "off"'),
]


@pytest.mark.parametrize(
    ("key", "written", "read", "must"), WRONG_VALUES, ids=[f"{key}-{written[:9]}" for key, written, *_ in WRONG_VALUES]
)
def test_a_value_of_a_category_that_is_wrong(tmp_path: Path, key: str, written: str, read: str, must: str) -> None:
    assert refusal(tmp_path, f"[tool.toxscreen.categories.perf]\n{key} = {written}\n") == (
        f"pyproject.toml:2: tool.toxscreen.categories.perf.{key}: is {read}, must be {must} [config-invalid]\n"
        f"  {HELP[key]}"
    )


def test_every_key_of_a_category_has_a_wrong_value_tried() -> None:
    assert {key for key, *_ in WRONG_VALUES} == set(CATEGORY_OPTIONS)


@pytest.mark.parametrize(
    ("key", "written", "read", "must"),
    [
        ("retention", "0", "0", "a number, 1 or more"),
        ("retention", "true", "True", "a number, 1 or more"),
        ("retention", "2.0", "2.0", "a number, 1 or more"),
        ("retention", "'many'", "'many'", "a number, 1 or more"),
        ("freeze", "1", "1", "true or false"),
        ("default-category", "''", "''", "a text that is not empty"),
        ("default-category", "['unit']", "['unit']", "a text that is not empty"),
    ],
)
def test_a_value_at_the_top_that_is_wrong(tmp_path: Path, key: str, written: str, read: str, must: str) -> None:
    assert refusal(tmp_path, f"[tool.toxscreen]\n{key} = {written}\n") == (
        f"pyproject.toml:2: tool.toxscreen.{key}: is {read}, must be {must} [config-invalid]\n  {HELP[key]}"
    )


@pytest.mark.parametrize("key", ["check", "start", "stop"])
@pytest.mark.parametrize(("written", "read"), [("3", "3"), ("''", "''"), ("['a', 'b']", "['a', 'b']")])
def test_a_value_of_a_service_that_is_wrong(tmp_path: Path, key: str, written: str, read: str) -> None:
    others = "check = 'localhost:1'\n" if key != "check" else ""
    line = 3 if others else 2
    assert refusal(tmp_path, f"[tool.toxscreen.services.web]\n{others}{key} = {written}\n") == (
        f"pyproject.toml:{line}: tool.toxscreen.services.web.{key}: is {read}, must be a text that is not empty "
        f"[config-invalid]\n  {SERVICE_OPTIONS[key].help}"
    )


@pytest.mark.parametrize("value", ["0", "-3", "many", " 5", "²", pytest.param("9" * 5000, id="endless")])
def test_a_wrong_retention_in_the_environment(tmp_path: Path, value: str) -> None:
    assert refusal(tmp_path, "", TOXSCREEN_RETENTION=value) == (
        f"environment variable TOXSCREEN_RETENTION: is {value!r}, must be a number, 1 or more [config-invalid]\n"
        "  How many recorded runs are kept."
    )


def test_an_unknown_default_category_in_the_environment(tmp_path: Path) -> None:
    text = "[tool.toxscreen]\ndefault-category = 'unit'\n"
    assert refusal(tmp_path, text, TOXSCREEN_DEFAULT_CATEGORY="unti") == (
        "environment variable TOXSCREEN_DEFAULT_CATEGORY: there is no category 'unti' [category-unknown]\n"
        f"  did you mean 'unit'? {KNOWN_CATEGORIES}"
    )


@pytest.mark.parametrize("pattern", ["tests/*/no", "**x", "/", "/tmp", "..", "tests/../..", "a\\b", "[", "/*"])
def test_paths_outside_the_root_and_broken_patterns_match_nothing(tmp_path: Path, pattern: str) -> None:
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    text = f"[tool.toxscreen.categories.unit]\npaths = ['tests', '{pattern}']\n"
    assert refusal(root, text) == (
        f"pyproject.toml:2: tool.toxscreen.categories.unit.paths: {pattern!r} matches nothing below the project's root "
        "[config-unmatched-path]\n  name a folder or a glob pattern relative to the root, or remove the entry"
    )


def test_two_categories_of_the_users_own_with_one_marker(tmp_path: Path) -> None:
    text = """\
        [tool.toxscreen.categories.slow]
        markers = ["heavy"]
        [tool.toxscreen.categories.huge]
        timeout = 3
        markers = ["huge", "heavy"]
        """
    assert refusal(tmp_path, text) == (
        "pyproject.toml:5: tool.toxscreen.categories.huge.markers: marker 'heavy' already stands for category 'slow' "
        "[config-invalid]\n  a marker can stand for one category only"
    )


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = """\
        [tool.toxscreen]
        retention = 0
        colour = "red"
        default-category = "nit"

        [tool.toxscreen.categories.unit]
        timeout = "long"
        paths = ["nowhere", "neither"]

        [tool.toxscreen.categories.own]
        leak = "off"

        [tool.toxscreen.services.web]
        """
    with pytest.raises(ErrorGroup) as caught:
        load(tmp_path, text)
    must = "must be a number of seconds, 0 or more [config-invalid]"
    unmatched = "matches nothing below the project's root [config-unmatched-path]"
    assert str(caught.value).splitlines() == [
        "pyproject.toml:3: tool.toxscreen.colour: there is no setting 'colour' [config-unknown-key]",
        f"  {TOP_KEYS}",
        f"pyproject.toml:7: tool.toxscreen.categories.unit.timeout: is 'long', {must}",
        "  Seconds one test may take, set-up and teardown included; 0 is no limit.",
        f"pyproject.toml:8: tool.toxscreen.categories.unit.paths: 'nowhere' {unmatched}",
        "  name a folder or a glob pattern relative to the root, or remove the entry",
        f"pyproject.toml:8: tool.toxscreen.categories.unit.paths: 'neither' {unmatched}",
        "  name a folder or a glob pattern relative to the root, or remove the entry",
        "pyproject.toml:11: tool.toxscreen.categories.own.leak: there is no setting 'leak' [config-unknown-key]",
        f"  did you mean 'leaks'? {KNOWN_KEYS}",
        "pyproject.toml:4: tool.toxscreen.default-category: there is no category 'nit' [category-unknown]",
        "  did you mean 'unit'? known: integration, own, perf, real-world, unit",
        "pyproject.toml:2: tool.toxscreen.retention: is 0, must be a number, 1 or more [config-invalid]",
        "  How many recorded runs are kept.",
        "pyproject.toml:13: tool.toxscreen.services.web: has no 'check' [config-invalid]",
        "  A URL, host:port or command that tells whether the service is up.",
    ]
    assert [type(error).__name__ for error in caught.value.errors] == [
        "UnknownKeyError",
        "ConfigError",
        "UnmatchedPathError",
        "UnmatchedPathError",
        "UnknownKeyError",
        "UnknownCategoryError",
        "ConfigError",
        "ConfigError",
    ]
    assert caught.value.exit_status == 2


# files that cannot be read


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.mkdir()
    with pytest.raises(ToxscreenError) as caught:
        settings.load(tmp_path, {})
    assert str(caught.value) == f"pyproject.toml: cannot be read: [Errno 21] Is a directory: '{file}' [config-invalid]"


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.toxscreen]\n# \xff\n")
    with pytest.raises(ToxscreenError) as caught:
        settings.load(tmp_path, {})
    assert str(caught.value) == (
        "pyproject.toml: cannot be read: 'utf-8' codec can't decode byte 0xff in position 19: invalid start byte "
        "[config-invalid]"
    )


@pytest.mark.parametrize("value", [pytest.param("9" * 5000, id="number"), pytest.param("[" * 5000, id="nesting")])
def test_what_is_too_large_for_the_parser_is_an_error_too(tmp_path: Path, value: str) -> None:
    told = refusal(tmp_path, f"[tool.toxscreen]\nretention = {value}\n")
    assert told.startswith("pyproject.toml: is not valid TOML: ")
    assert told.endswith(" [config-invalid]")


@hypothesis.settings(max_examples=60, database=None, deadline=None)
@given(
    text=st.one_of(
        st.text(st.sampled_from("a=\n[]\"'\\\x00\x1f\x7f\xe9\u2028\ufeff\U0001f600"), max_size=40),
        st.text(alphabet="[]{}.=\"'\n tolxscreen1-#", max_size=60),
    )
)
def test_no_text_brings_the_reader_down(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check_text(Path(folder), text)


def check_text(root: Path, text: str) -> None:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    valid, told = True, ""
    try:
        tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError:
        valid = False
    try:
        settings.load(root, {})
    except ToxscreenError as error:
        told = str(error)
    assert ("is not valid TOML" in told) != valid
    assert told.startswith("pyproject.toml") or told == ""


# the line of a key


@pytest.mark.parametrize(
    ("text", "keys", "line"),
    [
        pytest.param("", ("retention",), None, id="no-text"),
        pytest.param("[tool.other]\nretention = 1\n", ("retention",), None, id="other-table"),
        pytest.param("[tool.toxscreen]\n", ("retention",), 1, id="table-only"),
        pytest.param("[tool.toxscreen]\nretention = 1\n", ("retention",), 2, id="key"),
        pytest.param("tool.toxscreen.retention = 1\n", ("retention",), 1, id="dotted-at-the-top"),
        pytest.param("[tool]\ntoxscreen.retention = 1\n", ("retention",), 2, id="dotted-in-tool"),
        pytest.param("[tool]\ntoxscreen = { retention = 1 }\n", ("retention",), 2, id="inline-table"),
        pytest.param("  [ tool . toxscreen ]  # ours\n  retention  =  1\n", ("retention",), 2, id="spaces"),
        pytest.param('["tool"."toxscreen"]\n"retention" = 1\n', ("retention",), 2, id="quoted"),
        pytest.param(
            "[tool.toxscreen]\n[tool.toxscreen.categories.unit]\na = 1\n",
            ("categories", "unit", "b"),
            2,
            id="table-of-category",
        ),
        pytest.param(
            "[tool.toxscreen.categories]\nunit.order = 1\n", ("categories", "unit", "order"), 2, id="dotted-category"
        ),
        pytest.param(
            "[tool.toxscreen.categories]\nunit = {order = 1}\n",
            ("categories", "unit", "order"),
            2,
            id="inline-category",
        ),
        pytest.param(
            "[tool.toxscreen.categories.'my own']\norder = 1\n",
            ("categories", "my own", "order"),
            2,
            id="quoted-category",
        ),
        pytest.param(
            '[tool.toxscreen.categories."a.b"]\norder = 1\n', ("categories", "a.b", "order"), 2, id="dot-in-category"
        ),
        pytest.param(
            "[tool.toxscreen]\n[[tool.other]]\nretention = 1\n[a]\nretention = 2\n",
            ("retention",),
            1,
            id="list-of-tables",
        ),
        pytest.param(
            "[tool.toxscreen]\n[other]\nretention = 1\n[tool.toxscreen.categories]\n",
            ("retention",),
            1,
            id="other-table-between",
        ),
    ],
)
def test_the_line_of_a_key(text: str, keys: tuple[str, ...], line: int | None) -> None:
    assert settings.line_of(text, keys) == line
    tomllib.loads(text)


# where a project begins and what is kept in it


@pytest.mark.parametrize("mark", ["pyproject.toml", "tox.ini", "setup.cfg", "pytest.ini", ".git", ".toxscreen"])
def test_the_root_is_the_nearest_folder_with_a_mark(tmp_path: Path, mark: str) -> None:
    (tmp_path / "project" / mark).mkdir(parents=True)
    (tmp_path / mark).mkdir()
    inner = tmp_path / "project/a/b"
    inner.mkdir(parents=True)
    assert settings.find_root(inner) == tmp_path / "project"
    assert settings.find_root(tmp_path / "project") == tmp_path / "project"


def test_a_linked_folder_belongs_to_the_project_that_it_lies_in(tmp_path: Path) -> None:
    (tmp_path / "project/a").mkdir(parents=True)
    (tmp_path / "project/tox.ini").touch()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "project/a", target_is_directory=True)
    assert settings.find_root(link) == tmp_path / "project"


def test_without_any_mark_the_root_is_where_one_stands() -> None:
    folder = Path(os.sep, "no", "such", "folder")
    assert settings.find_root(folder) == folder


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[tool.toxscreen]\n", True),
        ("[tool.toxscreen.categories.unit]\n", True),
        ("[tool]\ntoxscreen = {retention = 3}\n", True),
        ("tool.toxscreen.retention = 3\n", True),
        ("['tool' . \"toxscreen\"]\n", True),
        ("[tool.toxscreen\n", True),
        ("[tool]\ntoxscreen = 3\n", True),
        ("", False),
        ("[tool.other\n", False),
        ("[tool.toxscreen-extra]\n", False),
        ("[tool.other.toxscreen]\n", False),
        ("[project]\ndependencies = ['toxscreen']\n# [tool.toxscreen]\n", False),
        ("tool = 'toxscreen'\n", False),
        ("words = '''\n[tool.toxscreen]\n'''\n", False),
    ],
)
def test_a_table_is_found_in_every_way_to_write_it(tmp_path: Path, text: str, *, found: bool) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / settings.FILE).write_text(text, encoding="utf-8")
    assert configured_root(tmp_path) == (tmp_path if found else None)


def test_the_table_may_stand_above_pytests_root_but_not_above_the_repository(tmp_path: Path) -> None:
    tests = tmp_path / "project/package/tests"
    tests.mkdir(parents=True)
    (tests.parent / settings.FILE).write_text("[project]\nname = 'package'\n", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "project"):
        (folder / settings.FILE).write_text("[tool.toxscreen]\n", encoding="utf-8")
    assert configured_root(tests) == tmp_path / "project"
    (tests.parent / ".git").touch()
    assert configured_root(tests) is None


@pytest.mark.parametrize("name", ["a/b", "", "..", "-x", "a b", "a\\b"])
def test_a_category_that_cannot_name_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / settings.FILE).write_text(f"[tool.toxscreen.categories.'{name}']\ntimeout = 1\n", encoding="utf-8")
    with pytest.raises(ToxscreenError) as caught:
        settings.load(tmp_path, {})
    assert caught.value.message == f"{name!r} cannot be the name of a category"
    assert caught.value.hint == "a name is made of letters, digits, '_', '-' and '.', and begins with a letter or digit"


def test_a_category_of_any_language(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_text("[tool.toxscreen.categories.'große-3.1']\ntimeout = 1\n", encoding="utf-8")
    assert settings.load(tmp_path, {}).categories["große-3.1"].timeout == 1
