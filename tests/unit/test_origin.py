"""The identity of a failure: where it was raised, and from what."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from toxscreen.errors import PolicyViolation
from toxscreen.model import Frame, Origin
from toxscreen.probes.origin import origin_of

HERE = Path(__file__)
ROOT = HERE.parent.parent
FILE = "unit/test_origin.py"


def line_of(marker: str) -> int:
    """The line of this file that ends with a marker."""
    (number,) = (
        number
        for number, line in enumerate(HERE.read_text(encoding="utf-8").splitlines(), 1)
        if line.endswith(f"# {marker}")
    )
    return number


def caught(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError


def deep(error: BaseException) -> None:
    raise error  # raised here


def chained() -> None:
    try:
        deep(KeyError("a"))
    except KeyError as error:
        raise PolicyViolation("b") from error  # chained here


def in_handler() -> None:
    try:
        deep(KeyError("a"))
    except KeyError:
        raise LookupError("b")  # noqa: B904 - without from # in handler


def hidden() -> None:
    try:
        deep(KeyError("a"))
    except KeyError:
        raise LookupError("b") from None  # hidden here


def test_the_innermost_line_counts() -> None:
    assert origin_of(caught(lambda: deep(ValueError("x"))), ROOT) == Origin("ValueError", FILE, line_of("raised here"))


@pytest.mark.parametrize(
    ("call", "exception", "marker", "causes"),
    [
        (chained, "toxscreen.errors.PolicyViolation", "chained here", True),
        (in_handler, "LookupError", "in handler", True),
        (hidden, "LookupError", "hidden here", False),
    ],
)
def test_what_it_was_raised_from_belongs_to_it(
    call: Callable[[], object], exception: str, marker: str, *, causes: bool
) -> None:
    cause = Frame("KeyError", FILE, line_of("raised here"))
    assert origin_of(caught(call), ROOT) == Origin(exception, FILE, line_of(marker), (cause,) if causes else ())


def test_an_explicit_cause_comes_before_the_context() -> None:
    error, cause, context = ValueError(), KeyError(), IndexError()
    error.__cause__, error.__context__ = cause, context
    assert origin_of(error, ROOT) == Origin("ValueError", "", 0, (Frame("KeyError", "", 0),))


def test_at_most_five_causes_are_kept() -> None:
    errors = [ValueError(), *(type(f"E{number}", (Exception,), {"__module__": "m"})() for number in range(9))]
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    assert origin_of(errors[0], ROOT).causes == tuple(Frame(f"m.E{number}", "", 0) for number in range(5))


def test_a_circle_of_causes_ends() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert origin_of(one, ROOT) == Origin("ValueError", "", 0, (Frame("KeyError", "", 0),))
    last = IndexError()
    last.__cause__ = one
    links = (Frame("ValueError", "", 0), Frame("KeyError", "", 0))
    assert origin_of(last, ROOT) == Origin("IndexError", "", 0, links)


def test_the_same_failure_twice_is_one_bug_and_another_line_is_not() -> None:
    first = origin_of(caught(lambda: deep(ValueError("one"))), ROOT)
    assert first == origin_of(caught(lambda: deep(ValueError("two"))), ROOT)
    assert first != origin_of(caught(lambda: int("x")), ROOT)


def test_files_outside_the_root_keep_their_whole_path(tmp_path: Path) -> None:
    assert origin_of(caught(lambda: deep(ValueError())), tmp_path).file == str(HERE)
    error = origin_of(caught(lambda: json.loads("{")), ROOT)
    assert (error.exception, error.file) == ("json.decoder.JSONDecodeError", json.decoder.__file__)


def test_code_without_a_file_is_told_by_the_name_it_has() -> None:
    code = compile("\nraise ValueError", "<made up>", "exec")
    assert origin_of(caught(lambda: exec(code)), ROOT) == Origin("ValueError", "<made up>", 2)


def test_a_class_within_a_function_has_its_whole_name() -> None:
    class Own(Exception):  # noqa: N818 - a name
        pass

    name = f"{__name__}.test_a_class_within_a_function_has_its_whole_name.<locals>.Own"
    assert origin_of(Own(), ROOT) == Origin(name, "", 0)
