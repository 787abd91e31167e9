"""Errors: how each is told, how several are, and that every kind has a slug of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from toxscreen import errors
from toxscreen.errors import (
    ConfigError,
    CorruptJournalError,
    ErrorGroup,
    Exit,
    Place,
    PolicyViolation,
    ToxscreenError,
    UnknownKeyError,
    did_you_mean,
    raise_together,
)


def kinds(base: type[ToxscreenError] = ToxscreenError) -> Iterator[type[ToxscreenError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (Place(), ""),
        (Place("a.toml"), "a.toml"),
        (Place("a.toml", line=3), "a.toml:3"),
        (Place("a.toml", "tool.x"), "a.toml: tool.x"),
        (Place("a.toml", "tool.x", 3), "a.toml:3: tool.x"),
        (Place("a.toml", line=0), "a.toml:0"),
        (Place(key="--category"), "--category"),
        (Place(key="--category", line=3), "--category"),
    ],
)
def test_a_place_in_words(place: Place, told: str) -> None:
    assert str(place) == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ToxscreenError("is wrong"), "is wrong [error]"),
        (ToxscreenError("is wrong", hint="mend it"), "is wrong [error]\n  mend it"),
        (ConfigError("is wrong", place=Place("a", "k", 2)), "a:2: k: is wrong [config-invalid]"),
        (UnknownKeyError("is odd", place=Place("a"), hint="try b"), "a: is odd [config-unknown-key]\n  try b"),
    ],
)
def test_an_error_in_words(error: ToxscreenError, told: str) -> None:
    assert error.render() == told
    assert str(error) == told


def test_an_error_keeps_its_parts() -> None:
    error = ConfigError("is wrong", place=Place("a"), hint="mend it")
    assert (error.message, error.place, error.hint, error.exit_status) == (
        "is wrong",
        Place("a"),
        "mend it",
        Exit.UNJUDGED,
    )
    assert error.args == ("is wrong",)
    assert ConfigError("is wrong").place == Place()


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_every_kind_of_error_has_a_slug_of_its_own_and_cannot_be_judged(kind: type[ToxscreenError]) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)*", kind.slug)
    assert [other for other in kinds() if other.slug == kind.slug] == [kind]
    assert kind.exit_status is Exit.UNJUDGED
    assert kind.__doc__


def test_all_errors_of_the_module_belong_to_one_tree() -> None:
    classes = {item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, Exception)}
    assert classes == {kind for kind in kinds() if kind.__module__ == "toxscreen.errors"} | {PolicyViolation}


def test_exit_statuses_are_a_contract() -> None:
    assert {status.name: int(status) for status in Exit} == {
        "CLEAN": 0,
        "FOUND": 1,
        "UNJUDGED": 2,
        "INTERRUPTED": 130,
    }


# several


@pytest.mark.must_not_raise
def test_no_errors_are_not_raised() -> None:
    raise_together([])
    raise_together(iter(()))


def test_one_error_is_raised_as_it_is() -> None:
    error = CorruptJournalError("is torn")
    with pytest.raises(CorruptJournalError) as caught:
        raise_together(iter([error]))
    assert caught.value is error


def test_several_errors_are_told_together_in_their_order() -> None:
    found = [ConfigError("b", hint="do b"), CorruptJournalError("a"), ConfigError("c", place=Place("f", line=1))]
    with pytest.raises(ErrorGroup) as caught:
        raise_together(iter(found))
    assert caught.value.errors == tuple(found)
    assert str(caught.value) == "b [config-invalid]\n  do b\na [journal-corrupt]\nf:1: c [config-invalid]"
    assert (caught.value.message, caught.value.exit_status) == ("3 errors", Exit.UNJUDGED)


# hints


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("unti", ["unit", "perf"], "did you mean 'unit'? known: perf, unit"),
        ("integration", {"integration": 1, "unit": 2}, "did you mean 'integration'? known: integration, unit"),
        ("xyz", ["unit", "perf"], "known: perf, unit"),
        ("", ["unit"], "known: unit"),
        ("Unit", ["unit"], "did you mean 'unit'? known: unit"),
        ("prf", ("perl", "perf"), "did you mean 'perf'? known: perf, perl"),
    ],
)
def test_a_name_like_one_that_exists(name: str, known: list[str], hint: str) -> None:
    assert did_you_mean(name, known) == hint
    assert did_you_mean(name, iter(known)) == hint
