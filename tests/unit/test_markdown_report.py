"""A page as Markdown: nothing in it is markup, whatever a test is called."""

from __future__ import annotations

import pytest

from toxscreen.model import Code, Page, Section, Table
from toxscreen.report.markdown import render


def test_a_whole_page() -> None:
    page = Page(
        "hunt: 2 findings",
        ("3 tests", "a note"),
        (Table(("Finding", "Tests"), (("a|b", "1"), ("", "2")), "kinds"), Table(("A",), ())),
        ("the end", "", "  really"),
        (
            Section("t.py::test_a[x] fails", ("a: 1 -> 2", Code("see it", "shell", "pytest t.py"), "last")),
            Section("t.py::test_b fails", (), "not proved"),
            Section("t.py::test_c fails", (Code("code", "python", "if a:\n\n    b\n"),), "not proved"),
        ),
    )
    assert (
        render(page)
        == """\
# hunt: 2 findings

- 3 tests
- a note

**kinds**

| Finding | Tests |
| --- | --- |
| a\\|b | 1 |
|  | 2 |

| A |
| --- |

## t.py::test_a\\[x\\] fails

- a: 1 -\\> 2
- see it:

  ```shell
  pytest t.py
  ```

- last

## not proved

### t.py::test_b fails

### t.py::test_c fails

- code:

  ```python
  if a:

      b
  ```


- the end
- really
"""
    )


def test_a_page_with_a_title_only() -> None:
    assert render(Page("nothing")) == "# nothing\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a*b*", r"a\*b\*"),
        ("`x`", r"\`x\`"),
        ("<b>&amp;", r"\<b\>\&amp;"),
        (r"C:\dir", r"C:\\dir"),
        ("~~$x$~~", r"\~\~\$x\$\~\~"),
        ("test_a_b", "test_a_b"),
        ("__init__.py _x", r"\_\_init\_\_.py \_x"),
        ("- no list", r"\- no list"),
        ("12. no list", r"12\. no list"),
        ("12) no list", r"12\) no list"),
        ("===", r"\==="),
        ("3 tests", "3 tests"),
        ("test[@user]", r"test\[@<!-- -->user\]"),
        ("see #12", r"see \#<!-- -->12"),
        ("a\tb\nc", "a b<br>c"),
        ("esc \x1b[0m \udc80", r"esc \\x1b\[0m \\udc80"),
    ],
)
def test_markup_is_text(text: str, shown: str) -> None:
    page = Page("t", (text,), (Table(("c",), ((text,),)),), sections=(Section(text),))
    assert render(page) == f"# t\n\n- {shown}\n\n| c |\n| --- |\n| {shown} |\n\n## {shown}\n"


def test_a_fence_is_longer_than_any_in_the_code() -> None:
    page = Page("t", sections=(Section("s", (Code("c", "", "a ```` b\x1b"),)),))
    assert render(page).splitlines()[4:8] == ["- c:", "", "  `````", "  a ```` b\\x1b"]
