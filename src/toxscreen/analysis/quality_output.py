"""What tools of code quality print, read into what they found; pure.

Whatever cannot be read is an error, never "nothing was found".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree as ET

#: Ruff's name for what Python cannot parse; the other tools' findings of that kind are called so as well.
SYNTAX: Final = "invalid-syntax"

_COMPLEXITY = re.compile(r"\((\d+) > \d+\)$")
_SOURCE = re.compile(r"Found source: +BuildSource\(path=(?P<path>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"), ")
_FUNCTION = re.compile(r"\(\.\.\.\) at (?P<path>.+):(?P<line>\d+)$", re.DOTALL)


class UnreadableError(Exception):
    """Output that is not what the tool should print."""


class Spot(NamedTuple):
    """Something that a tool says of a line."""

    rule: str
    #: As the tool names it.
    file: str
    line: int
    #: How often, or how complex.
    value: int = 1


def ruff(output: str) -> list[Spot]:
    """The findings of ``ruff check --output-format json``.

    Raises:
        UnreadableError: it is something else.
    """
    return [Spot(*_ruff(each)) for each in _list(output)]


def ruff_complexity(output: str) -> list[Spot]:
    """The same for findings of the rule C901, whose message tells the complexity.

    Raises:
        UnreadableError: it is something else.
    """
    found = []
    for each in _list(output):
        rule, file, line = _ruff(each)
        match = _COMPLEXITY.search(str(each.get("message")))
        if rule == "C901" and not match:
            raise UnreadableError(f"no complexity in {each.get('message')!r}")
        found.append(Spot(rule, file, line, int(match[1]) if match and rule == "C901" else 1))
    return found


def _list(output: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(output)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"no JSON: {error}") from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise UnreadableError("no list of findings")
    return found


def _ruff(found: dict[str, Any]) -> tuple[str, str, int]:
    try:
        # A line in a cell of a notebook is no line of its file.
        line = 0 if found.get("cell") is not None else int(found["location"]["row"])
        return str(found["code"] or SYNTAX), str(found["filename"]), line
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableError(f"a finding without {error}") from None


def mypy(output: str) -> list[Spot]:
    """The errors of ``mypy --output json``; its notes belong to errors.

    Raises:
        UnreadableError: it is something else.
    """
    found = []
    for line in output.splitlines():
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            if told["severity"] == "error":
                found.append(Spot(str(told["code"] or "error"), str(told["file"]), int(told["line"])))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UnreadableError(f"no JSON in the line {line[:80]!r}") from None
    return found


def mypy_sources(log: str) -> list[str]:
    """The files that mypy was asked to check, by what ``mypy --verbose`` logs.

    Raises:
        UnreadableError: a line has another form.
    """
    import ast

    found = []
    for line in log.splitlines():
        if "Found source:" not in line:
            continue
        match = _SOURCE.search(line)
        if match is None:
            raise UnreadableError(f"no path in the line {line[:80]!r}")
        found.append(str(ast.literal_eval(match["path"])))
    return found


def lizard(output: str, limit: int) -> tuple[list[Spot], list[str]]:
    """The functions above a limit, and all files, of ``lizard --xml``.

    Args:
        output: what it printed.
        limit: complexity that is still allowed.

    Raises:
        UnreadableError: it is something else.
    """
    try:
        # Python's parser knows no entities from outside, and the text is that of a program that we have started.
        top = ET.fromstring(output[max(output.find("<?xml"), 0) :])  # noqa: S314 - see above
        measures = {each.get("type"): each for each in top.iter("measure")}
        functions, files = measures.get("Function"), measures["File"]
        found = [_function(each) for each in ([] if functions is None else functions.iter("item"))]
        names = [str(each.attrib["name"]) for each in files.iter("item")]
    except (ET.ParseError, KeyError, IndexError, TypeError, ValueError) as error:
        raise UnreadableError(f"no table of files and functions ({type(error).__name__}: {error})") from None
    return [spot for spot in found if spot.value > limit], names


def _function(item: ET.Element) -> Spot:
    match = _FUNCTION.search(item.attrib["name"])
    if match is None:
        raise UnreadableError(f"no place in {item.attrib['name']!r}")
    values: Sequence[ET.Element] = item.findall("value")
    return Spot("CCN", match["path"], int(match["line"]), int(values[2].text or ""))
