"""What looks like a test against what was collected: each kind of finding, and what must not be one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from textwrap import dedent

import pytest

from toxscreen.analysis.discovery import allowed, asked, fixtures
from toxscreen.analysis.discovery.collection import Collected, Collection
from toxscreen.analysis.discovery.compare import Comparison, Found, all_words, compare
from toxscreen.analysis.discovery.kinds import KINDS
from toxscreen.analysis.discovery.looks import Source, look
from toxscreen.model import Attempt, Finding, Header, Order, Outcome, Run, RunState

ONE = "tests/test_a.py"


def sources(files: Mapping[str, str]) -> dict[str, Source]:
    found = {name: look(dedent(text)) for name, text in files.items()}
    return {name: source for name, source in found.items() if source is not None}


def collection(*names: str, **more: object) -> Collection:
    """A collection of tests, each as ``FILE::NAME``."""
    tests = [
        Collected(name, file, inside.replace("::", ".")) for name in names for file, _, inside in [name.partition("::")]
    ]
    return replace(Collection(tuple(tests), asked=("tests",)), **more)  # type: ignore[arg-type]


def compared(files: Mapping[str, str], collected: Collection) -> Comparison:
    return compare(sources(files), collected)


def told(files: Mapping[str, str], collected: Collection) -> list[tuple[str, str, int | None, int]]:
    found = compared(files, collected).found
    return [(each.finding.slug, each.finding.subject, each.finding.line, each.tests) for each in found]


def inside(text: str, *names: str, **more: object) -> list[tuple[str, str, int | None, int]]:
    """What is found in one file, in which these tests are collected."""
    return told({ONE: text}, collection(*(f"{ONE}::{name}" for name in names), **more))


def test_all_collected_is_no_finding() -> None:
    files = {
        ONE: "def test_a(): pass\nclass TestB:\n def test_b(self): pass",
        "src/a.py": "def test_connection(): pass",
    }
    assert compared(files, collection(f"{ONE}::test_a", f"{ONE}::TestB::test_b")) == Comparison((), 2, ())


def test_a_test_of_a_base_class_is_collected_where_it_is_inherited() -> None:
    own = Collected("tests/test_b.py::TestB::test_x", "tests/test_b.py", "TestB.test_x", ("tests/base.py", 2))
    files = {
        "tests/base.py": "class Checks:\n def test_x(self): assert 1",
        "tests/test_b.py": "class TestB(Checks): pass",
    }
    assert compared(files, collection(tests=(own,))) == Comparison((), 1, ())


# whole files


def test_a_file_whose_name_does_not_match() -> None:
    files = {ONE: "def test_a(): pass", "tests/tests_b.py": "def test_b():\n assert 1\ndef test_c(tmp): assert 1"}
    known = frozenset({("tmp", "conftest.py")})
    assert told(files, collection(f"{ONE}::test_a", fixtures=known)) == [("file-name", "tests/tests_b.py", 1, 2)]


@pytest.mark.parametrize(
    ("name", "text", "other"),
    [
        ("tests/tests_b.py", "def test_b(): pass", ""),
        ("tests/tests_b.py", "def test_b(x): assert x", ""),
        ("tests/tests_b.py", "__test__ = False\ndef test_b(): assert 1", ""),
        ("tests/tests_b.py", "def test_b(): assert 1", "from tests_b import test_b"),
        ("tests/tests_b.py", "def test_b(): assert 1", "import tests.tests_b"),
        ("tests/tests_b.py", "def test_b(): assert 1", "run('tests/tests_b.py')"),
        ("tests/typing/check_b.py", "def test_b(): assert_type(1, int)", ""),
        ("tests/conftest.py", "def test_b(): assert 1", ""),
        ("src/b.py", "def test_b(): assert 1", ""),
    ],
)
def test_a_file_that_is_no_file_of_tests(name: str, text: str, other: str) -> None:
    assert told({ONE: f"{other}\ndef test_a(): pass", name: text}, collection(f"{ONE}::test_a")) == []


def test_folders_and_files_in_which_pytest_does_not_look() -> None:
    test = "def test_b(): assert 1"
    files = {
        ONE: "def test_a(): pass",
        "examples/one/test_b.py": test,
        "examples/two/test_c.py": test,
        "tests/data/test_d.py": test,
        "tests/test_e.py": test,
        "test_f.py": test,
        "examples/test_g.py": "def test_helper(port): connect(port)",
    }
    ignored = (("tests/data", "norecursedirs"), ("tests/test_e.py", "--ignore"))
    found = compared(files, collection(f"{ONE}::test_a", ignored=ignored, from_testpaths=True)).found
    assert [(each.finding.slug, each.finding.subject, each.finding.message, each.tests) for each in found] == [
        (
            "ignored-directory",
            "examples",
            "with 2 files is not looked into because of testpaths: 2 tests, such as those of examples/one/test_b.py",
            2,
        ),
        ("ignored-directory", "test_f.py", "is not looked into because of testpaths: 1 test", 1),
        (
            "ignored-directory",
            "tests/data",
            "with 1 file is not looked into because of norecursedirs: 1 test, such as those of tests/data/test_d.py",
            1,
        ),
        ("ignored-directory", "tests/test_e.py", "is not looked into because of --ignore: 1 test", 1),
    ]


def test_files_that_cannot_be_imported() -> None:
    files = {ONE: "def test_a(): pass"}
    files |= {f"tests/{name}/test_b.py": "def test_b(): pass\ndef test_c(): pass" for name in "vwxyz"}
    errors = (
        ("tests/v/test_b.py", "_pytest.outcomes.Exit: bye"),
        ("tests/x/test_b.py", "ImportError: no"),
        ("tests/y/test_b.py", "import file mismatch"),
        ("tests/z", "'slwo' not found in `markers` configuration option"),
    )
    exits = (("tests/w/test_b.py", "exit status 3"),)
    found = compared(files, collection(f"{ONE}::test_a", errors=errors, exits=exits)).found
    assert [(each.finding.slug, each.finding.subject, each.finding.message, each.tests) for each in found] == [
        (
            "duplicate-basename",
            "tests/y/test_b.py",
            "another file has the same base name, and neither lies in a package",
            2,
        ),
        ("import-exits", "tests/v/test_b.py", "calls pytest.exit() when it is imported", 2),
        ("import-exits", "tests/w/test_b.py", "ends pytest when it is imported (exit status 3)", 2),
        ("import-fails", "tests/x/test_b.py", "cannot be imported: ImportError: no", 2),
        (
            "unregistered-marker",
            "tests/z::slwo",
            "the marker 'slwo' is registered nowhere, so that the file is not collected",
            2,
        ),
    ]


def test_files_that_skip_themselves_are_told_and_not_counted() -> None:
    files = {ONE: "def test_a(): pass", "tests/test_b.py": "def test_b(): pass"}
    skipped = (("tests/test_b.py", "no numpy"),)
    expected = Comparison((), 1, (("tests/test_b.py", "no numpy", 1),))
    assert compared(files, collection(f"{ONE}::test_a", skipped=skipped)) == expected


# inside files


@pytest.mark.parametrize(
    "text",
    ["def tset_b(): assert 1", "def price_test(): assert 1", "def Test_b(): assert 1", "def tests_b(tmp): assert 1"],
)
def test_a_function_whose_name_is_nearly_right(text: str) -> None:
    patterns = ("test_",)
    known = frozenset({("tmp", "conftest.py")})
    name = text[4 : text.index("(")]
    found = inside(f"def test_a(): pass\n{text}", "test_a", python_functions=patterns, fixtures=known)
    assert found == [("function-name", f"{ONE}::{name}", 2, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "def run_test(): pass",
        "def run_test(what): assert what",
        "def run_test(): assert 1\nrun_test()",
        "def check_b(): assert 1",
        "class Helper:\n def run_test(self): assert 1",
        "@pytest.fixture\ndef a_test(): assert 1",
    ],
)
def test_a_function_that_is_a_helper(text: str) -> None:
    assert inside(f"def test_a(): pass\n{text}", "test_a") == []


def test_a_method_whose_name_is_nearly_right() -> None:
    text = "class TestA:\n def test_a(self): pass\n def tset_b(self): assert 1"
    assert inside(text, "TestA::test_a") == [("function-name", f"{ONE}::TestA::tset_b", 3, 1)]


def test_a_class_whose_name_is_nearly_right() -> None:
    text = "def test_a(): pass\nclass CartTest:\n def test_b(self): assert 1\n def test_c(self): pass"
    assert inside(text, "test_a") == [("class-name", f"{ONE}::CartTest", 2, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "class CartTest:\n __test__ = False\n def test_b(self): assert 1",
        "class CartTest(Base):\n def test_b(self): assert 1",
        "class CartTest:\n def test_b(self): assert 1\nclass TestX(CartTest): pass",
        "class Client:\n def test_connection(self): send()",
        "class Outer:\n class Inner:\n  def test_b(self): assert 1",
    ],
)
def test_a_class_that_is_not_meant(text: str) -> None:
    assert inside(f"def test_a(): pass\n{text}", "test_a") == []


@pytest.mark.parametrize("constructor", ["__init__", "__new__"])
def test_a_class_with_a_constructor(constructor: str) -> None:
    text = f"def test_a(): pass\nclass TestB:\n def {constructor}(self): pass\n def test_b(self): assert 1"
    assert inside(text, "test_a") == [("class-constructor", f"{ONE}::TestB", 2, 1)]
    assert inside(f"{text}\nx = TestB()", "test_a") == []


def test_a_class_whose_base_has_a_constructor() -> None:
    text = "def test_a(): pass\nclass TestB(Base):\n def test_b(self): assert 1"
    assert inside(text, "test_a") == []
    constructed = frozenset({(ONE, "TestB")})
    assert inside(text, "test_a", constructed=constructed) == [("class-constructor", f"{ONE}::TestB", 2, 1)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def test_b(): assert 1\ntest_b = None", [("not-collected", f"{ONE}::test_b", 2, 1)]),
        ("@pytest.mark.slow\ndef test_b(): assert 1", [("not-collected", f"{ONE}::test_b", 3, 1)]),
        ("class TestA:\n def test_c(self): assert 1", [("not-collected", f"{ONE}::TestA::test_c", 3, 1)]),
        ("def test_b(): assert 1\ndel test_b", []),
        ("def test_b(): pass", []),
        ("if x:\n def test_b(): assert 1", []),
        ("@anything\ndef test_b(): assert 1", []),
        ("class TestC:\n def test_d(self): assert 1\nclass TestC:\n def test_c(self): assert 1", ["shadowed"]),
    ],
)
def test_a_test_that_is_not_collected_and_nobody_knows_why(text: str, found: list[object]) -> None:
    seen = inside(f"def test_a(): pass\n{text}", "test_a", "TestA::test_a", "TestC::test_c")
    assert [each[0] if found == ["shadowed"] else each for each in seen] == found


def test_what_is_not_collected_in_a_file_that_pytest_does_not_read_has_that_reason() -> None:
    base = "class Base:\n def test_b(self): assert 1\n def test_c(self): assert 1"
    files = {ONE: "from base import Base\nclass TestA(Base): pass", "tests/base.py": base}
    inherited = Collected(f"{ONE}::TestA::test_b", ONE, "TestA.test_b", ("tests/base.py", 2))
    assert told(files, collection(tests=(inherited,))) == []


def test_a_shadowed_test_counts_where_the_other_one_is_collected() -> None:
    text = "def test_a(): pass\ndef test_a(): pass\nclass Helper:\n def test_b(self): pass\n def test_b(self): pass"
    assert inside(text, "test_a") == [("shadowed", f"{ONE}::test_a", 1, 1)]


def test_tests_in_vain() -> None:
    text = """\
        import pytest
        async def test_a(): pass
        def test_b(): return 1 == 1
        @pytest.mark.parametrize("x", [])
        def test_c(x): pass
        @pytest.mark.parametrize("x", found())
        def test_d(x): pass
        async def test_e(): return 1
        """
    tests = tuple(
        Collected(f"{ONE}::{name}", ONE, name, is_empty=name in {"test_c", "test_d"}, is_unawaited=name == "test_a")
        for name in ("test_a", "test_b", "test_c", "test_d", "test_e")
    )
    assert told({ONE: text}, collection(tests=tests)) == [
        ("async-test", f"{ONE}::test_a", 2, 0),
        ("empty-parameters", f"{ONE}::test_c", 4, 0),
        ("empty-parameters", f"{ONE}::test_d", 7, 0),
        ("return-value", f"{ONE}::test_b", 3, 0),
        ("return-value", f"{ONE}::test_e", 8, 0),
    ]


# fixtures, markers, categories, runs


def unused(text: str, *, used: str = "", known: tuple[tuple[str, str], ...] = (("cart", ONE),)) -> list[str]:
    files = sources({ONE: f"import pytest\n@pytest.fixture\ndef cart(): ...\n{text}", "tests/test_b.py": used})
    tests = (Collected(f"{ONE}::test_a", ONE, "test_a"),)
    collected = collection(tests=tests, fixtures=frozenset(known))
    return [each.subject for each in fixtures.unused(files, collected, all_words(files))]


def test_a_fixture_that_nobody_uses() -> None:
    assert unused("def test_a(): pass") == [f"{ONE}::cart"]


@pytest.mark.parametrize(
    "text",
    [
        "def test_a(cart): pass",
        "@pytest.fixture(autouse=True)\ndef shop(cart): ...",
        "@pytest.mark.usefixtures('cart')\ndef test_a(): pass",
        "def test_a(request): request.getfixturevalue('cart')",
        "def test_a(request): request.getfixturevalue(name)",
        "@pytest.mark.parametrize('cart, n', [(1, 2)], indirect=True)\ndef test_a(n): pass",
    ],
)
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_fixture_that_is_used(text: str, *, is_elsewhere: bool) -> None:
    assert unused("" if is_elsewhere else text, used=f"import pytest\n{text}" if is_elsewhere else "") == []


def test_a_fixture_of_a_plugin_that_is_replaced_counts_as_used() -> None:
    assert unused("", known=(("cart", ONE), ("cart", "/lib/plugin.py"))) == []


def test_a_marker_that_nobody_registered() -> None:
    files = sources(
        {ONE: "import pytest\n@pytest.mark.slwo\ndef test_a(): pass\n@pytest.mark.slow\ndef test_b(): pass"}
    )
    tests = (Collected("1", ONE, "test_a", markers=frozenset({"slwo", "of_a_plugin"})), Collected("2", ONE, "test_b"))
    found = list(asked.unregistered(files, collection(tests=tests, markers=frozenset({"slow"}))))
    message = "is a marker that is registered nowhere, on 1 collected test"
    assert found == [Finding("unregistered-marker", "slwo", message, file=ONE, line=2)]


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("tox.ini", "[testenv]\ncommands =\n    unit: pytest --category unit\n", ["perf"]),
        ("tox.ini", "[testenv]\ncommands = pytest --category=unit\n    pytest --category perf\n", []),
        ("tox.ini", "[testenv]\ncommands =\n    pytest --category unit\n    # pytest --category perf\n", ["perf"]),
        ("tox.ini", "[testenv]\ndeps = pytest\ncommands = pytest --category unit\n", ["perf"]),
        ("tox.ini", "[testenv]\ncommands = pytest --category {env_name}\n", []),
        ("tox.ini", "[testenv]\ncommands = pytest --category unit\n[testenv:all]\ncommands = pytest\n", []),
        ("tox.ini", "[testenv]\ncommands = make\n", []),
        ("pyproject.toml", '[tool.tox.env.u]\ncommands = [["pytest", "--category", "unit"]]\n', ["perf"]),
        (
            "pyproject.toml",
            '[tool.tox]\nlegacy_tox_ini = """\n[testenv]\ncommands = pytest --category unit\n"""',
            ["perf"],
        ),
        ("tox.toml", '[env_run_base]\ncommands = [["pytest", "--category=unit"]]\n', ["perf"]),
        ("tox.toml", "[[", []),
    ],
)
def test_a_category_that_no_environment_runs(file: str, text: str, found: list[str]) -> None:
    told = list(asked.unrun(["unit", "perf", "perf", None], {file: asked.commands(file, text)}))
    message = f"is a category with 2 tests that no command in {file} runs"
    assert told == [Finding("category-not-run", name, message, file=file) for name in found]


def recorded(**outcomes: Outcome) -> Run:
    attempts = tuple(
        Attempt(f"{ONE}::{name}", "main", at, 0.0, each) for at, (name, each) in enumerate(outcomes.items())
    )
    header = Header(
        1, "r", "unit", 0.0, (), ".", "", None, None, cwd_importable=False, commit=None, changes=None, workers=0
    )
    ids = tuple(each.node_id for each in attempts)
    return Run(header, RunState.COMPLETE, attempts, Order((), None, ""), ids, 0, 0.0)


def test_tests_that_are_always_skipped() -> None:
    runs = [
        recorded(test_a=Outcome.SKIPPED, test_b=Outcome.SKIPPED, test_c=Outcome.PASSED),
        recorded(test_a=Outcome.SKIPPED, test_b=Outcome.PASSED),
    ]
    message = "was skipped in every recorded run of these sources that had it (2 times)"
    assert list(asked.never_run(runs, [ONE])) == [Finding("skipped-everywhere", f"{ONE}::test_a", message, file=ONE)]
    assert list(asked.never_run([], [ONE])) == []


# exceptions


def test_exceptions_take_away_what_they_match_and_are_found_when_they_match_nothing() -> None:
    found = [
        Found(Finding("ignored-directory", "examples/a[1]", ""), 2),
        Found(Finding("import-fails", "examples/a[1]", "")),
    ]
    texts = ("ignored-directory: examples/*[1]  # for users", "file-name: x.py", "skipped-everywhere: *  # the machine")
    entries = [allowed.parse(text) for text in texts]
    left, on_purpose = allowed.apply(found, entries)
    assert on_purpose == (found[0],)
    unused_entry = Finding(
        "unused-exception", "file-name: x.py", "is an exception that nothing needs any more", file="pyproject.toml"
    )
    assert left == (found[1], Found(unused_entry))


@pytest.mark.parametrize("entry", ["examples/*", "no-such: examples", "file-name:", "file-name:  # why"])
def test_an_exception_that_is_none(entry: str) -> None:
    with pytest.raises(ValueError, match=r'^"SLUG: PATTERN  # why", with a slug of file-name, '):
        allowed.parse(entry)


def test_every_slug_has_its_words() -> None:
    assert all(KINDS.values())
