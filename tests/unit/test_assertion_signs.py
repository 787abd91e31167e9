"""What can assert and what cannot: each sign, and for each something that only looks like it."""

from __future__ import annotations

import functools
import sys
import unittest
from collections.abc import Callable
from textwrap import dedent
from types import ModuleType
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from toxscreen.probes.asserting import Fixture, can_assert, fixture_asserts, is_bare, is_sign, names_assertion

TESTS, SOURCE = "/project/tests/test_it.py", "/project/src/it.py"


def module(source: str, file: str = TESTS, **names: object) -> dict[str, Any]:
    """The names of a module that pytest did not rewrite."""
    space: dict[str, Any] = {"__name__": "it", "__package__": "", **names}
    exec(compile(dedent(source), file, "exec"), space)
    return space


def asserts(space: dict[str, Any], *fixtures: Fixture, values: tuple[object, ...] = ()) -> bool:
    """Whether its test can assert."""
    holder = space.get("TestIt")
    function = vars(holder)["test_it"] if holder is not None else space["test_it"]
    if any(fixture_asserts(fixture, is_tests) for fixture in fixtures):
        return True
    answer = can_assert(function, holder, values, is_tests)
    code = getattr(function, "__code__", None)
    assert not (answer and code is not None and not values and not vars(function) and is_bare(code)), (
        "bare code can assert nothing"
    )
    return answer


def is_tests(file: str) -> bool:
    """Whether a file is the tests' own."""
    return "/tests/" in file


@pytest.mark.parametrize(
    "body",
    [
        "assert x",
        "if x: raise ValueError(x)",
        "raise AssertionError(x)",
        "with pytest.raises(ValueError): x()",
        "with warns(UserWarning): x()",
        "with pytest.deprecated_call(): x()",
        "pytest.fail('no')",
        "self.assertEqual(x, 1)",
        "x.assert_called_once_with(1)",
        "np.testing.assert_allclose(x, 1)",
        "assert_that(x).is_true()",
        "_assert_it(x)",
        "expect(x).to_have_title(1)",
        "x.should_be(1)",
        "verify(x)",
        "x.stdout.fnmatch_lines(['a'])",
        "for y in x:\n    def inner():\n      assert y\n    inner()",
        "async def inner():\n    assert x\n  run(inner())",
    ],
)
def test_each_of_these_asserts(body: str) -> None:
    assert asserts(module(f"def test_it(x, self=None):\n  {body}"))


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "x()",
        "x == 1",
        "[z for z in x if z == 1]",
        "x.expected, x.asserted, x.shoulder, x.verified, x.expectation()",
        "pytest.skip('no'); pytest.importorskip('x')",
        "x.called_once_with(1)",
        "x.fails, x.failed, x.warn(), x.raise_()",
        "try:\n    x()\n  except ValueError:\n    raise",
        "def broken():\n    raise OSError\n  x(broken)",
        "x('assert', 'raises', fail=True)",
        "print(x)\n  return x == 1",
    ],
)
def test_none_of_these_does(body: str) -> None:
    assert not asserts(module(f"def test_it(x):\n  {body}"))


def test_what_pytest_rewrote_is_seen_at_once_and_nothing_else_is() -> None:
    def rewritten(x: int) -> None:
        assert x

    plain = module("def test_it(x):\n  assert x\ndef other(x):\n  x()")
    assert (names_assertion(rewritten.__code__), names_assertion(plain["test_it"].__code__)) == (True, False)
    assert not names_assertion(plain["other"].__code__)
    bodies = ("pass", "return 1", "x = 1", "assert x", "x()", "raise", "lambda: 1", "print()", "yield x")
    bare = [body for body in bodies if is_bare(module(f"def test_it(x):\n  {body}")["test_it"].__code__)]
    assert bare == ["pass", "return 1", "x = 1", "x()", "yield x"]
    assert is_sign("assertEqual")


def test_helpers_are_followed_as_far_as_they_are_the_tests_own() -> None:
    called = "def test_it(x):\n  check(x)\n"
    helper = module("def check(x):\n  deeper(x)\ndef deeper(x):\n  assert x")
    assert asserts(module(called, check=helper["check"]))
    assert not asserts(module(called, check=module("def check(x):\n  return x")["check"]))
    own = module("def check(x):\n  assert x", SOURCE)
    assert not asserts(module(called, check=own["check"]))
    assert asserts(module(called, check=pytest.fail))
    assert not asserts(module(called, check=lambda x: x))
    again = module("def check(x):\n  return check(x)")
    assert not asserts(module(called, check=again["check"]))


def test_helpers_are_found_in_modules_imports_and_by_an_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    helpers = ModuleType("helpers_of_it")
    vars(helpers).update(module("def check(x):\n  assert x\ndef look(x):\n  print(x)"))
    monkeypatch.setitem(sys.modules, "helpers_of_it", helpers)
    assert asserts(module("def test_it(x):\n  helpers.check(x)", helpers=helpers))
    assert not asserts(module("def test_it(x):\n  helpers.look(x)", helpers=helpers))
    assert asserts(module("def test_it(x):\n  from helpers_of_it import check\n  check(x)"))
    assert not asserts(module("def test_it(x):\n  from helpers_of_it import look\n  look(x)"))
    assert asserts(module("def test_it(x):\n  with r(x): pass", r=pytest.raises))


def test_objects_of_the_tests_own_classes_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    checker = ModuleType("checker_of_it")
    checker.__file__ = TESTS
    monkeypatch.setitem(sys.modules, "checker_of_it", checker)
    source = "class Checker:\n  def look(self):\n    {}\nchecker = Checker()"
    for body, answer in (("assert self", True), ("print(self)", False)):
        made = module(source.format(body), __name__="checker_of_it")
        assert asserts(module("def test_it(x):\n  C(x).look()", C=made["Checker"])) is answer
        assert asserts(module("def test_it(x):\n  c.look(x)", c=made["checker"])) is answer
    checker.__file__ = SOURCE
    assert not asserts(module("def test_it(x):\n  C(x).look()", C=module(source.format("assert self"))["Checker"]))


@pytest.mark.parametrize(
    ("methods", "answer"),
    [
        ("def check(self):\n    assert self", True),
        ("def check(self):\n    print(self)", False),
        ("def check(self): pass\n  def tearDown(self):\n    self.assertTrue(1)", True),
        ("def check(self): pass\n  def setUp(self):\n    self.assertTrue(1)", False),
        ("def check(self): pass\n  def other(self):\n    assert self", False),
    ],
)
def test_methods_of_the_test_class_are_followed(methods: str, *, answer: bool) -> None:
    source = f"class TestIt(Case):\n  def test_it(self):\n    self.check()\n  {methods}"
    assert asserts(module(source, Case=unittest.TestCase)) is answer


@pytest.mark.parametrize(
    ("body", "only_after", "answer"),
    [
        ("yield 1\n  assert x", True, True),
        ("assert x\n  yield 1", True, False),
        ("assert x\n  yield 1", False, True),
        ("assert x", True, False),
        ("return x", False, False),
        ("yield 1\n  check(x)", True, True),
        ("check(x)\n  yield 1", True, False),
        ("def checked(y):\n    assert y\n  return checked", False, True),
    ],
)
def test_fixtures_assert_for_a_test(body: str, *, only_after: bool, answer: bool) -> None:
    space = module(f"def test_it(x): x()\ndef check(x):\n  assert x\ndef fixture(x):\n  {body}")
    assert asserts(space, Fixture(space["fixture"], only_after)) is answer


def test_decorators_are_looked_through() -> None:
    def decorated(function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def wrapper(*arguments: object) -> object:
            return function(*arguments)

        return wrapper

    def closed(function: Callable[..., object]) -> Callable[..., object]:
        def wrapper(*arguments: object) -> object:
            return function(*arguments)

        return wrapper

    given = hypothesis.given(x=st.integers())
    for body, answer in (("assert x", True), ("print(x)", False)):
        space = module(f"def test_it(x):\n  {body}")
        for wrap in (decorated, closed, given, functools.partial, staticmethod):
            assert asserts({**space, "test_it": wrap(space["test_it"])}) is answer, wrap


def test_helpers_that_come_as_parameters_are_followed() -> None:
    test = module("def test_it(check):\n  check(1)")
    helper = module("def asserting(x):\n  assert x\ndef looking(x):\n  print(x)")
    for name, answer in (("asserting", True), ("looking", False)):
        assert asserts(test, values=(helper[name],)) is answer
        assert asserts(test, values=(functools.partial(helper[name], 1),)) is answer


def test_what_is_no_python_function_is_not_accused() -> None:
    assert can_assert(print, None, (), is_tests)
