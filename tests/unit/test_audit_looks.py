"""What looks like a test and what is wrong with it, told from source text: each kind, and what only nearly is one."""

from __future__ import annotations

from textwrap import dedent

import pytest

from toxscreen.analysis.discovery.looks import Holder, Source, look


def seen(text: str) -> Source:
    source = look(dedent(text))
    assert source is not None
    return source


def flaws(text: str) -> list[tuple[str, str, int, int]]:
    return [(each.slug, each.subject, each.line, each.tests) for each in seen(text).flaws]


def test_tests_are_found_in_modules_classes_and_branches() -> None:
    source = seen(
        """
        import pytest

        @pytest.mark.parametrize("one, two", [(1, 2)])
        def test_plain(one, two, tmp_path):
            assert one

        class TestCart(Base):
            def test_empty(self): self.assertEqual(1, 1)
            async def test_later(self): ...
            class TestInner:
                def test_deep(self): return 1 == 1

        if True:
            def test_branch(): pass
        def helper(): assert 1
        def almost_test(): assert 1
        """
    )
    told = [(each.name, each.line, each.first, each.needs, each.asserts) for each in source.tests]
    assert told == [
        ("test_plain", 5, 4, ("tmp_path",), True),
        ("TestCart.test_empty", 9, 9, (), True),
        ("TestCart.test_later", 10, 10, (), False),
        ("TestCart.TestInner.test_deep", 12, 12, (), False),
        ("test_branch", 15, 15, (), False),
        ("almost_test", 17, 17, (), True),
    ]
    assert [each.name for each in source.tests if each.is_async] == ["TestCart.test_later"]
    assert [each.name for each in source.tests if not each.is_named] == ["almost_test"]
    assert source.holders == (
        Holder("TestCart.TestInner", 11, (), "", is_off=False, tests=1),
        Holder("TestCart", 8, ("Base",), "", is_off=False, tests=2),
    )


@pytest.mark.parametrize("text", ["def (", "\0", "x = '\\ud800'.encode(", b"# coding: klingon\n"])
def test_what_is_no_python_is_nothing(text: str | bytes) -> None:
    assert look(text) is None


def test_classes_and_files_say_that_they_are_no_tests() -> None:
    source = seen(
        """
        __test__ = False
        class TestA:
            __test__ = False
            def __init__(self): pass
            def test_a(self): pass
        """
    )
    assert source.is_off
    assert source.holders == (Holder("TestA", 3, (), "__init__", is_off=True, tests=1),)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("return 1 == 2", 2),
        ("return True", 2),
        ("return [1]", 2),
        ("return f() and g() == 1", 2),
        ("return", None),
        ("return None", None),
        ("return check()", None),
        ("return found", None),
        ("yield 1\n    return 2", None),
        ("def inner():\n        return 1", None),
        ("call(lambda: 1)", None),
    ],
)
def test_a_value_that_is_returned(body: str, line: int | None) -> None:
    (test,) = seen(f"def test_a():\n    {body}\n").tests
    assert test.returns == line


@pytest.mark.parametrize(
    ("decorator", "line"),
    [("@pytest.mark.slow", 3), ("@pytest.mark.mpl_image_compare", None), ("@inline_callbacks", None)],
)
def test_a_value_that_a_decorator_may_want(decorator: str, line: int | None) -> None:
    (test,) = seen(f"{decorator}\ndef test_a():\n    return 1\n").tests
    assert test.returns == line


@pytest.mark.parametrize("call", ["assert_type(x, int)", "assert_never(x)", "print(x)"])
def test_what_only_a_type_checker_reads_asserts_nothing(call: str) -> None:
    (test,) = seen(f"def test_a():\n    {call}\n").tests
    assert not test.asserts


def test_fixtures_that_are_in_use_by_themselves_are_left_out() -> None:
    source = seen(
        """
        import pytest
        @pytest.fixture
        def one(): ...
        @pytest.fixture(name="zwei")
        def two(): ...
        @pytest.fixture(autouse=True)
        def three(): ...
        @pytest.fixture(autouse=False)
        def four(): ...
        @pytest.fixture(name=NAME)
        def test_five(): ...
        """
    )
    assert [(each.name, each.function, each.line) for each in source.fixtures] == [
        ("one", "one", 4),
        ("zwei", "two", 6),
        ("four", "four", 10),
    ]
    assert source.fixture_names == {"one", "two", "zwei", "three", "four", "test_five"}
    assert source.tests == ()


def test_names_that_are_spoken_of() -> None:
    spoken = seen(
        """
        import a.b as c
        from .d import e
        x.f(g, "h, i", "tests/j.py", "k.l")
        def m(n): request.getfixturevalue("o")
        """
    ).spoken
    assert {"a", "b", "d", "e", "f", "g", "x"} <= spoken.used
    assert spoken.parameters == {"n"}
    assert spoken.in_texts == {"h", "i", "j", "l", "o"}
    assert not spoken.asks_for_any
    assert seen("request.getfixturevalue(f'a{1}')").spoken.asks_for_any


# flaws


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def test_a(): pass\ndef test_a(): pass", [("shadowed", "test_a", 1, 1)]),
        (
            "class TestA:\n def test_a(self): pass\n def test_b(self): pass\nclass TestA:\n def test_c(self): pass",
            [("shadowed", "TestA", 1, 2)],
        ),
        ("class T:\n def test_a(self): pass\n def test_a(self): pass", [("shadowed", "T::test_a", 2, 1)]),
        ("if x:\n def test_a(): pass\nelse:\n def test_a(): pass", []),
        ("try:\n def test_a(): pass\nexcept E:\n def test_a(): pass", []),
        ("def test_a(): pass\nif x:\n def test_a(): pass", []),
        ("@overload\ndef test_a(): pass\ndef test_a(): pass", []),
        ("class T:\n @property\n def test_a(self): pass\n @test_a.setter\n def test_a(self, x): pass", []),
        ("def test_a(): pass\nuse(test_a)\ndef test_a(): pass", []),
        ("def test_a(): pass\ndel test_a\ndef test_a(): pass", []),
        ("class TestA: pass\nclass TestA(TestA): pass", []),
        ("def helper(): pass\ndef helper(): pass", []),
    ],
)
def test_shadowed(text: str, found: list[object]) -> None:
    assert flaws(text) == found


@pytest.mark.parametrize(
    ("inner", "is_found"),
    [
        ("def test_b():\n  assert x", True),
        ("@pytest.mark.slow\n def test_b():\n  assert x", True),
        ("def test_b():\n  return x", False),
        ("def test_b():\n  assert x\n test_b()", False),
        ("@command\n def test_b():\n  assert x", False),
        ("def test_b():\n  assert x\n run(locals())", False),
        ("def check_b():\n  assert x", False),
        ("class TestB:\n  def test_b(self):\n   assert x\n run(TestB)", False),
    ],
)
def test_nested(inner: str, *, is_found: bool) -> None:
    found = flaws(f"import pytest\ndef test_a():\n {inner}\n")
    assert [each[:2] for each in found] == ([("nested-test", "test_a::test_b")] if is_found else [])


@pytest.mark.parametrize(
    ("statement", "is_found"),
    [
        ("assert (x, 'text')", True),
        ("assert (x,)", True),
        ("assert x, 'text'", False),
        ("assert (x)", False),
        ("assert ()", False),
        ("assert f(x, 'text')", False),
    ],
)
def test_assert_of_a_tuple(statement: str, *, is_found: bool) -> None:
    assert flaws(f"def test_a():\n {statement}") == ([("assert-tuple", "test_a", 2, 0)] if is_found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@pytest.mark.skip\ndef test_a(): pass", ["test_a"]),
        ("@pt.mark.skip()\nclass TestA: pass", ["TestA"]),
        ("@mark.skip(reason='')\ndef test_a(): pass", ["test_a"]),
        ("@unittest.skip\ndef test_a(): pass", ["test_a"]),
        ("pytestmark = pytest.mark.skip", [""]),
        ("pytestmark = [pytest.mark.slow, pytest.mark.skip()]", [""]),
        ("def test_a():\n pytest.skip()", ["test_a"]),
        ("def test_a():\n for x in y:\n  if x:\n   pytest.skip()", ["test_a"]),
        ("x = [pytest.param(1, marks=pytest.mark.skip)]", [""]),
        ("@pytest.mark.skipif(a > b)\ndef test_a(): pass", ["test_a"]),
        ("@pytest.mark.skipif(a > b, reason='')\ndef test_a(): pass", ["test_a"]),
        ("@pytest.mark.skip('why')\ndef test_a(): pass", []),
        ("@pytest.mark.skip(reason=WHY)\ndef test_a(): pass", []),
        ("@pytest.mark.skip(**more)\ndef test_a(): pass", []),
        ("@unittest.skip('why')\ndef test_a(): pass", []),
        ("@pytest.mark.skipif(a > b, reason='why')\ndef test_a(): pass", []),
        ("@pytest.mark.skipif('a > b')\ndef test_a(): pass", []),
        ("@pytest.mark.skipif(WINDOWS)\ndef test_a(): pass", []),
        ("def test_a():\n pytest.skip('why')", []),
        ("def test_a():\n pytest.skip(reason=why)", []),
        ("skip = pytest.mark.skip", []),
        ("@mine.skip\ndef test_a(): pass", []),
    ],
)
def test_skip_without_a_reason(text: str, found: list[str]) -> None:
    told = flaws(f"import pytest, unittest\nimport pytest as pt\nfrom pytest import mark\n{text}\n")
    assert [each[:2] for each in told] == [("skip-without-reason", name) for name in found]


@pytest.mark.parametrize(
    ("values", "is_found"), [("[]", True), ("()", True), ("argvalues=[]", True), ("[1]", False), ("values()", False)]
)
def test_parametrised_over_nothing(values: str, *, is_found: bool) -> None:
    text = f"import pytest\n@pytest.mark.parametrize('x', {values})\ndef test_a(x): pass"
    assert flaws(text) == ([("empty-parameters", "test_a", 2, 0)] if is_found else [])
