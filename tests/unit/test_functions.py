"""Functions of a source text: names, lines, and which of them have changed."""

from __future__ import annotations

from textwrap import dedent

import pytest

from toxscreen.analysis.functions import changed_functions, changed_names, functions, mentions, same_code

SOURCE = dedent('''\
    import os


    @decorated(
        1,
    )
    def plain(one,
              two=2):
        """Words.

        More words.
        """
        three = one
        return three


    class Outer:
        level = 1

        class Inner:
            async def method(self):
                await self
                async with self:
                    pass

        def nesting(self):
            before = 1

            @decorated
            def nested():
                return before

            return nested


    def one_line(): return 1
    def stub(): ...
    def documented():
        """Words only."""
    def starting(x=[
        1,
    ]): return (
        x
    )
    ''')


def test_names_and_lines_of_functions() -> None:
    found = {each.name: each for each in functions(SOURCE)}
    spans = {name: (each.first, each.last, sorted(each.body), each.shares_line) for name, each in found.items()}
    assert spans == {
        "plain": (4, 14, [13, 14], False),
        "Outer.Inner.method": (21, 24, [22, 23, 24], False),
        "Outer.nesting": (26, 33, [27, 29, 30, 33], False),
        "Outer.nesting.nested": (29, 31, [31], False),
        "one_line": (36, 36, [], True),
        "stub": (37, 37, [], False),
        "documented": (38, 39, [], False),
        "starting": (40, 44, [43, 44], True),
    }


def changed(lines: set[int], now: str = SOURCE, before: str | None = None) -> list[str]:
    return [each.name for each in changed_functions(now, lines, before)]


def test_the_innermost_function_around_a_changed_line_has_changed() -> None:
    assert changed({5}) == ["plain"]
    assert changed({31}) == ["Outer.nesting.nested"]
    assert changed({33}) == ["Outer.nesting"]
    assert changed({1, 2, 18}) == []
    assert changed(set(range(1, 50))) == [each.name for each in functions(SOURCE)]


def test_a_function_that_only_reads_differently_has_not_changed() -> None:
    now = SOURCE.replace("Words.", "Other words.").replace("    three = one", "    # why\n    three = (one)")
    lines = set(range(1, 60))
    assert changed(lines, now, SOURCE) == []
    assert changed(set(), SOURCE.replace("        before = 1\n", "        1 + 1\n"), SOURCE) == ["Outer.nesting"]
    assert changed(lines, SOURCE.replace("return before", "return 2"), SOURCE) == ["Outer.nesting.nested"]
    assert changed(lines, SOURCE + "\n\ndef more():\n    pass\n", SOURCE) == ["more"]
    assert changed({4}, SOURCE, "no python (") == ["plain"]
    twice = "class A:\n  @property\n  def x(self): return 1\n  @x.setter\n  def x(self, y): self.y = y\n"
    assert changed({1, 2, 3, 4, 5}, twice + "# end\n", twice) == []


def test_the_same_program() -> None:
    assert same_code("x = 1  # one\n", '"""Words."""\n\n\nx = (1)\n')
    assert not same_code("x = 1\n", "x = 2\n")
    assert not same_code("x = 1\n", "x = (\n")
    assert same_code("def f():\n    '''a'''\n    return 1", "def f():\n    return 1")


def test_names_at_the_top_and_who_mentions_them() -> None:
    was = "import a\nROWS = [1]\nx, y = 1, 2\ndef helper(): return 1\ndef test_a(made): pass\n"
    now = was.replace("[1]", "[1, 2]").replace("import a", "import b").replace("return 1", "return 2")
    assert changed_names(now, was) == {"ROWS", "helper"}
    assert changed_names(now, None) == changed_names(now, "(") == {"ROWS", "x", "y", "helper", "test_a"}
    tests = "@mark('n', ROWS)\ndef test_rows(n): pass\nclass A:\n  def test_made(self, made): pass\ndef test_c(): x\n"
    assert mentions(tests, {"ROWS"}) == {"test_rows"}
    assert mentions(tests, {"made"}) == {"A.test_made"}
    assert mentions("@use('made')\ndef test_c(): pass", {"made"}) == {"test_c"}


@pytest.mark.parametrize("text", ["def f(:", "x = " + "(" * 500 + ")" * 500, "\0"])
def test_what_is_no_python_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="no valid Python: "):
        functions(text)
