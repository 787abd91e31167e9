"""What the documentation says of the code is true: slugs, settings, options, commands; and its links lead somewhere."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import toxscreen
from toxscreen.cli.main import COMMANDS, parser
from toxscreen.errors import ErrorGroup, ToxscreenError
from toxscreen.settings import BUILT_IN, CATEGORY_OPTIONS, SERVICE_OPTIONS, TOP_OPTIONS, load

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "tests" / "README.md", *ROOT.glob("examples/*/*.md"))
)
_FENCE = re.compile(r"^```.*?^```[ \t]*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ +(.+?) *$", _FENCE.sub("", text), re.MULTILINE)


def anchor(heading: str) -> str:
    """The name that a heading has in a link, as the usual renderers make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def prose(text: str) -> str:
    """A page without its code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^ {4}.*$", "", _FENCE.sub("", text), flags=re.MULTILINE))


def code(text: str) -> Iterator[str]:
    """The lines of the code blocks of a page, and the code inside its sentences."""
    for block in _FENCE.findall(text):
        yield from block.splitlines()[1:-1]
    rest = _FENCE.sub("", text)
    yield from re.findall(r"^ {4}(.*)$", rest, re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", rest)


@cache
def reference() -> ModuleType:
    """The script that makes the tables of docs/reference.md."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "ci" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# messages


def error_slugs(kind: type[ToxscreenError] = ToxscreenError) -> Iterator[str]:
    """Slugs of all errors that can be printed: a group prints those of its members."""
    for each in kind.__subclasses__():
        if each is not ErrorGroup:
            yield each.slug
            yield from error_slugs(each)


def warning_slugs() -> Iterator[str]:
    """First arguments of all calls of `warn` in the plugin."""
    for file in (Path(toxscreen.__file__).parent / "pytest_plugin").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "warn":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield str(first.value)


def test_every_slug_has_its_paragraph_and_no_other_has_one() -> None:
    slugs = {*error_slugs(), *warning_slugs()}
    assert {"config-invalid", "category-conflict", "journal-unwritable"} <= slugs
    assert sorted(re.findall(r"^### (.+)$", read("docs/messages.md"), re.MULTILINE)) == sorted(slugs)


def test_every_slug_stands_for_one_kind_of_error() -> None:
    slugs = list(error_slugs())
    assert sorted(slugs) == sorted(set(slugs))


# reference


def test_the_tables_of_the_reference_are_those_of_the_code() -> None:
    assert reference().blocks(read("docs/reference.md")) == reference().tables()


def test_writing_the_tables_changes_nothing_else() -> None:
    page = read("docs/reference.md")
    assert reference().written(page) == page
    outdated = page.replace("`TOXSCREEN_RETENTION` | How", "`OLD` | How")
    assert outdated != page
    assert reference().written(outdated) == page


def test_every_setting_and_its_variable_is_in_the_tables() -> None:
    rows = [line for table in reference().tables().values() for line in table.splitlines()]
    for option in (*TOP_OPTIONS.values(), *CATEGORY_OPTIONS.values(), *SERVICE_OPTIONS.values()):
        (row, *_) = [line for line in rows if line.startswith(f"| `{option.key}` |")]
        assert option.help in row
        assert option.variable is None or f"`{option.variable}`" in row


def test_defaults_of_a_category_of_ones_own_are_as_described(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.toxscreen.categories.my-own]\n", encoding="utf-8")
    own = load(tmp_path, {}).categories["my-own"]
    told = {key: getattr(own, key) for key in CATEGORY_OPTIONS}
    expected = {key: getattr(BUILT_IN["integration"], key) for key in CATEGORY_OPTIONS}
    assert told == expected | {"paths": ("tests/my_own",), "markers": ("my_own",)}


def test_the_table_of_policies_is_that_of_the_code() -> None:
    workers = {"auto": "one a core", 0: "none: in the pytest process"}
    order = {"random": "random", "written": "as written"}
    subprocesses = {True: "yes", False: "no"}
    leaks = {"fail": "fails the test", "report": "is reported", "off": "is not looked for"}
    rows: dict[str, list[str]] = {
        "": [policy.category for policy in BUILT_IN.values()],
        "path": [f"`{policy.paths[0]}`" for policy in BUILT_IN.values()],
        "order": [order[policy.order] for policy in BUILT_IN.values()],
        "workers": [workers[policy.workers] for policy in BUILT_IN.values()],
        "time limit per test": [f"{policy.timeout:g} s" for policy in BUILT_IN.values()],
        "budget for the category": [f"{policy.budget:g} s" for policy in BUILT_IN.values()],
        "network": [policy.network for policy in BUILT_IN.values()],
        "subprocesses": [subprocesses[policy.subprocesses] for policy in BUILT_IN.values()],
        "a leak of process state": [leaks[policy.leaks] for policy in BUILT_IN.values()],
    }
    page = read("docs/categories.md")
    missing = [
        row
        for name, cells in rows.items()
        if (row := f"| {' | '.join((name, *cells))} |".replace("|  |", "| |")) not in page
    ]
    assert missing == []


# links and commands


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_a_file_and_a_heading(page: str) -> None:
    broken = []
    for target in _LINK.findall(prose(read(page))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        known = map(anchor, headings(file.read_text(encoding="utf-8"))) if heading and file.exists() else ()
        if not file.exists() or (heading and heading not in known):
            broken.append(target)
    assert broken == []


def test_every_page_of_the_docs_is_on_the_map() -> None:
    linked = {target.partition("#")[0] for target in _LINK.findall(read("docs/index.md"))}
    assert {path.name for path in DOCS.glob("*.md")} - {"index.md"} - linked == set()


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_mentioned_exist(page: str) -> None:
    mentioned = {
        word for line in code(read(page)) for word in re.findall(r"(?:^|[\s/$])toxscreen ([a-z][a-z-]*)", line)
    }
    assert mentioned - set(COMMANDS) == set()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.must_not_raise
def test_command_lines_are_understood(page: str) -> None:
    for line in code(read(page)):
        # What follows two spaces is an explanation; brackets and dots are not meant to be typed.
        command = re.split(r" {2,}", line.removeprefix("$ "))[0]
        if re.match(r"toxscreen [a-z]", command) and not re.search(r"\.\.\.|\[", command):
            parser().parse_args(shlex.split(command)[1:])
