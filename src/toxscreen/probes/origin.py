"""The identity of a failure, from the exception."""

from __future__ import annotations

import contextlib
import re
import traceback
from pathlib import Path

from toxscreen.model import Frame, Origin

_MOST_CAUSES = 5
#: Files whose frames say how a failure was raised, not where it came from.
_RUNNER = re.compile(r"[\\/](_pytest|pluggy|toxscreen[\\/](pytest_plugin|probes))[\\/]|[\\/]pytest_timeout\.py$")


def origin_of(error: BaseException, root: Path, test: tuple[str, int] = ("", 0)) -> Origin:
    """Which exception was raised, where, and from what.

    Args:
        error: the exception, with its traceback.
        root: files below it are told relative to it.
        test: file and line of the test, which stand for a failure that the runner itself raised.
    """
    first = _frame(error, root, test)
    causes: list[Frame] = []
    seen = {id(error)}
    link = _raised_from(error)
    while link is not None and id(link) not in seen and len(causes) < _MOST_CAUSES:
        seen.add(id(link))
        causes.append(_frame(link, root))
        link = _raised_from(link)
    return Origin(first.exception, first.file, first.line, tuple(causes))


def _raised_from(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _frame(error: BaseException, root: Path, test: tuple[str, int] = ("", 0)) -> Frame:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    steps = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    # Every test that runs out of time fails in the same line of pytest; where it stood is the line before.
    file, line = next((step for step in reversed(steps) if not _RUNNER.search(step[0])), test)
    with contextlib.suppress(ValueError):
        file = Path(file).relative_to(root).as_posix()
    return Frame(name, file, line)
