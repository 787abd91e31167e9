#!/usr/bin/env python3
"""The tables of docs/reference.md that say what the code declares: settings, pytest options, markers, commands.

    ci/reference.py              print them
    ci/reference.py --write      put them into docs/reference.md

It wants to be run where toxscreen is installed. A unit test compares the page with what is made here.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toxscreen import settings
from toxscreen.cli.main import COMMANDS
from toxscreen.pytest_plugin import options
from toxscreen.settings.audit import AUDIT_OPTIONS
from toxscreen.settings.gates import GATE_OPTIONS
from toxscreen.settings.perf import PERF_OPTIONS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference.md"
#: Nothing but the table and a blank line on either side of it lies between the two comments.
_BLOCK = re.compile(r"(?P<begin><!-- generated: (?P<name>[a-z-]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)


def tables() -> dict[str, str]:
    """Every table as Markdown, by its name on the page."""
    return {
        "settings": _settings(settings.TOP_OPTIONS),
        "category-settings": _category_settings(),
        "category-defaults": _category_defaults(),
        "service-settings": _settings(settings.SERVICE_OPTIONS),
        "gate-settings": _gate_settings(),
        "audit-settings": _settings(AUDIT_OPTIONS),
        "perf-settings": _settings(PERF_OPTIONS),
        "pytest-options": _table(
            ("option", "meaning"), ((f"`{flag} {value}`", told) for flag, _, value, told in options.ALL)
        ),
        "markers": _markers(),
        "commands": "\n".join(_command(name) for name in COMMANDS),
    }


def blocks(page: str) -> dict[str, str]:
    """The tables that stand in a page, by name."""
    return {
        match["name"]: match[0].removeprefix(match["begin"]).removesuffix(match["end"]).strip("\n") + "\n"
        for match in _BLOCK.finditer(page)
    }


def written(page: str) -> str:
    """A page with its tables made anew."""
    made = tables()
    return _BLOCK.sub(lambda match: f"{match['begin']}\n{made[match['name']]}\n{match['end']}", page)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def _type(option: settings.Option) -> str:
    """What a value must be, in the words that the error message has for it."""
    try:
        option.parse(object())
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{option.key} takes anything")


def _value(value: object) -> str:
    """A value as TOML."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(_quoted(item) for item in value)}]`"
    return f"`{_quoted(value)}`"


def _quoted(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _settings(declared: Mapping[str, settings.Option]) -> str:
    rows = [
        (
            f"`{option.key}`",
            _type(option),
            _value(option.default) or "none",
            f"`{option.variable}`" if option.variable else "none",
            option.help,
        )
        for option in declared.values()
    ]
    return _table(("key", "type", "default", "environment variable", "meaning"), rows)


def _gate_settings() -> str:
    rows = [
        (f"`{option.key}`", _type(option), _value(option.default or None) or "none", option.help)
        if option.default != 0
        else (f"`{option.key}`", _type(option), "`0`", option.help)
        for option in GATE_OPTIONS.values()
    ]
    return _table(("key", "type", "default", "meaning"), rows)


def _category_settings() -> str:
    rows = [(f"`{option.key}`", _type(option), option.help) for option in settings.CATEGORY_OPTIONS.values()]
    return _table(("key", "type", "meaning"), rows)


def _category_defaults() -> str:
    policies = settings.BUILT_IN.values()
    rows = [(f"`{key}`", *(_value(getattr(policy, key)) for policy in policies)) for key in settings.CATEGORY_OPTIONS]
    return _table(("key", *(f"`{policy.category}`" for policy in policies)), rows)


def _markers() -> str:
    lines = [*options.MARKERS]
    lines += [options.category_line(marker, marker.replace("_", "-")) for marker in options.CATEGORY_MARKERS]
    rows = [(f"`@pytest.mark.{name}`", told.strip()) for name, _, told in (line.partition(":") for line in lines)]
    return _table(("marker", "meaning"), rows)


class _Recorder(argparse.ArgumentParser):
    """Notes the arguments that a command declares, as rows."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []
        super().__init__(add_help=False)

    def add_argument(self, *names: str, **given: Any) -> argparse.Action:
        shown = given.get("metavar") or ""
        if names[0].startswith("-"):
            shown = f"{names[0]} {shown}".strip()
        elif given.get("nargs") in {"?", "*"}:
            shown = f"[{shown}{' ...' if given['nargs'] == '*' else ''}]"
        self.rows.append((f"`{shown}`", given["help"]))
        return super().add_argument(*names, **given)


def _command(name: str) -> str:
    recorder = _Recorder()
    COMMANDS[name].add_arguments(recorder)
    rows = [*recorder.rows, ("`--json`", "print one JSON document on standard output")]
    return (
        f"### toxscreen {name}\n\n{COMMANDS[name].HELP}\n\n    {COMMANDS[name].EXAMPLE}\n\n"
        f"{_table(('argument', 'meaning'), rows)}"
    )


def main(arguments: Sequence[str]) -> int:
    """Print the tables, or put them into the page."""
    if "--write" in arguments:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print("\n".join(f"{name}\n\n{table}" for name, table in tables().items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
