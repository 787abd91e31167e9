"""The ratchet's file, and what is worse than it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toxscreen.errors import ConfigError, ErrorGroup, ToxscreenError
from toxscreen.gates.ratchet import (
    KINDS,
    Change,
    Comparison,
    Key,
    Ratchet,
    compare,
    in_effect,
    looser,
    parse,
    render,
    stricter,
    tightened,
)

HEADER = """\
# What may not get worse: one value a line, sorted, without line numbers.
# Made and made stricter by: toxscreen gate --write-ratchet
"""
NUMBER = "must be a number, 0 or more, with at most two decimal places"
MAKE = "toxscreen gate --write-ratchet"
F401 = Key("quality", "ruff F401 src/x.py:<module>")
C901 = Key("quality", "complexity C901 src/x.py:A.f")
PERCENT = Key("coverage", "src/x.py")

# Every character that the file gives a meaning, some that it cannot hold as they are, and some that it can.
LETTERS = "ab .:\\u0#\t\n\r\x00\x85\u2028\u00a0é\ud800\U0001f600\U000e0001"

relaxed = settings(max_examples=50, database=None, deadline=None)
names = st.text(LETTERS, min_size=1, max_size=8)
MEND = f"correct the line, or remove the file and make it anew: {MAKE}"
keys = st.builds(Key, st.sampled_from(sorted(KINDS)), names)
numbers = st.integers(0, 10**6).map(lambda number: number / 100)
ratchets = st.dictionaries(keys, numbers, max_size=5).map(Ratchet)


def refused(text: str | bytes) -> str:
    with pytest.raises(ToxscreenError) as caught:
        parse(text)
    return caught.value.render()


# the file


def test_file() -> None:
    made = render(Ratchet({F401: 2.0, PERCENT: 87.5, C901: 12.0, Key("excluded", "é a"): 1.0}))
    assert made == (
        HEADER
        + "coverage  src/x.py  87.5\n"
        + "excluded  é a  1\n"
        + "quality  complexity C901 src/x.py:A.f  12\n"
        + "quality  ruff F401 src/x.py:<module>  2\n"
    )


def test_file_of_nothing() -> None:
    assert render(Ratchet()) == HEADER
    assert parse(HEADER) == parse("") == Ratchet()


@relaxed
@given(ratchets)
def test_what_is_written_is_read(ratchet: Ratchet) -> None:
    text = render(ratchet)
    assert parse(text) == ratchet
    assert parse(text.encode()) == ratchet
    assert render(parse(text)) == text
    lines = text.encode().splitlines()
    assert lines[2:] == sorted(lines[2:])
    assert len(lines) == 2 + len(ratchet.values)


@relaxed
@given(ratchets, st.randoms(use_true_random=False))
def test_order_and_repeated_lines_do_not_matter(ratchet: Ratchet, random: Random) -> None:
    lines = render(ratchet).splitlines(keepends=True)
    random.shuffle(lines)
    assert render(parse("".join(lines + lines[:3]))) == render(ratchet)


def test_tabs_spaces_windows_and_comments() -> None:
    text = "\ufeff# of ours\r\n\r\nquality\truff F401 src/x.py:<module>\t2\r\n  coverage    src/x.py   87.5  \r\n"
    assert parse(text) == Ratchet({F401: 2.0, PERCENT: 87.5})


def test_of_a_key_that_stands_twice_the_stricter_value_counts() -> None:
    text = "".join(f"quality  {F401.name}  {count}\ncoverage  src/x.py  {80 + count}\n" for count in (3, 2, 4))
    assert parse(text) == Ratchet({F401: 2.0, PERCENT: 84.0})


def test_marks_of_a_conflict() -> None:
    text = f"<<<<<<< HEAD\nquality  {F401.name}  1\n||||||| base\n=======\nquality  {F401.name}  2\n>>>>>>> other\n"
    with pytest.raises(ErrorGroup) as caught:
        parse(text, "ours.txt")
    told = "holds the mark of a merge conflict that nobody has resolved [config-invalid]"
    hint = (
        "keep the lines of both sides, the stricter value counts; "
        "`toxscreen-ratchet.txt merge=union` in .gitattributes does it"
    )
    assert caught.value.render() == "\n".join(f"ours.txt:{line}: {told}\n  {hint}" for line in (1, 3, 4, 6))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("quality ruff 1", "must be KIND, KEY and VALUE with two spaces between them [config-invalid]"),
        ("quality  ruff", "must be KIND, KEY and VALUE with two spaces between them [config-invalid]"),
        *(
            (
                f"quality  x  {value}",
                f"the value is {value!r}, {NUMBER} [config-invalid]",
            )
            for value in ("-1", "1e3", "nan", "1.234", "٣", "1234567890123", "x")
        ),
    ],
)
def test_lines_that_are_none(line: str, told: str) -> None:
    where = "toxscreen-ratchet.txt:2: "
    assert refused(f"# header\n{line}\n") == f"{where}{told}\n  {MEND}"


def test_unknown_kind() -> None:
    assert refused("qualty  x  1") == (
        "toxscreen-ratchet.txt:1: there is no kind 'qualty' [config-unknown-key]\n"
        "  did you mean 'quality'? known: checked, coverage, excluded, quality"
    )


def test_bytes_that_are_no_text() -> None:
    assert refused(b"# one\nquality  \xff  1\n") == (
        f"toxscreen-ratchet.txt:2: is not UTF-8 [config-invalid]\n  {MEND}"
    )


@relaxed
@given(
    st.lists(st.sampled_from(["quality", "coverage", "  ", "\t", "1", "<<<<<<<", *LETTERS]), max_size=12).map("".join)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except (ConfigError, ErrorGroup):
        return
    assert parse(render(found)) == found


@pytest.mark.parametrize("key", [Key("quality", ""), Key("nothing", "x")])
def test_a_key_that_could_not_be_read_is_not_written(key: Key) -> None:
    with pytest.raises(ValueError, match="is no key"):
        render(Ratchet({key: 1.0}))


@pytest.mark.parametrize("value", [-1.0, 1e15])
def test_a_value_that_could_not_be_read_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="is no value"):
        render(Ratchet({F401: value}))


# comparing


def test_comparison() -> None:
    gone, new = Key("quality", "ruff E501 a.py:f"), Key("quality", "ruff E501 a.py:g")
    base = Ratchet({F401: 2.0, C901: 12.0, PERCENT: 80.0, gone: 1.0})
    assert compare(base, {F401: 3.0, C901: 11.0, PERCENT: 79.0, new: 1.0}) == Comparison(
        worse=(Change(PERCENT, 80.0, 79.0), Change(new, 0.0, 1.0), Change(F401, 2.0, 3.0)),
        better=(Change(C901, 12.0, 11.0), Change(gone, 1.0, 0.0)),
        new=(Change(new, 0.0, 1.0),),
        gone=(Change(gone, 1.0, 0.0),),
    )


def test_a_percentage_that_the_base_does_not_know_is_new_and_better() -> None:
    change = Change(PERCENT, 0.0, 10.0)
    assert compare(Ratchet(), {PERCENT: 10.0}) == Comparison(better=(change,), new=(change,))


def test_a_percentage_that_is_gone_is_not_better() -> None:
    assert compare(Ratchet({PERCENT: 10.0}), {}) == Comparison(gone=(Change(PERCENT, 10.0, 0.0),))


def test_values_are_compared_as_they_are_written() -> None:
    measured = {PERCENT: 200 / 3, F401: 1.004}
    written = parse(render(Ratchet(measured)))
    assert written == Ratchet({PERCENT: 66.66, F401: 1.01})
    assert compare(written, measured) == Comparison()
    assert compare(written, {PERCENT: 66.659, F401: 1.0101}).worse == (
        Change(PERCENT, 66.66, 66.659),
        Change(F401, 1.01, 1.0101),
    )


@relaxed
@given(ratchets, ratchets)
def test_what_is_stricter_never_makes_less_worse(one: Ratchet, other: Ratchet) -> None:
    now = one.values
    strict = in_effect(other, other.where(lambda key: key.name < "m"))
    assert strict is not None
    loose = {change.key for change in compare(other, now).worse}
    assert loose <= {change.key for change in compare(strict, now).worse}


@relaxed
@given(ratchets, ratchets)
def test_nothing_is_worse_than_itself_and_stricter_is_one_of_both(one: Ratchet, other: Ratchet) -> None:
    assert compare(one, one.values).worse == ()
    for key in one.values.keys() & other.values.keys():
        assert stricter(key, one.values[key], other.values[key]) in {one.values[key], other.values[key]}


# two files


def test_without_a_file_on_the_base_nothing_is_looser_and_the_own_file_counts() -> None:
    own = Ratchet({F401: 9.0})
    assert looser(None, own) == ()
    assert in_effect(None, own) == own
    assert compare(None, {F401: 1.0}) == Comparison()


def test_looser_file() -> None:
    base = Ratchet({F401: 2.0, C901: 12.0, PERCENT: 80.0})
    own = Ratchet({F401: 3.0, C901: 11.0, Key("quality", "new"): 1.0})
    assert looser(base, own) == (
        Change(PERCENT, 80.0, 0.0),
        Change(Key("quality", "new"), 0.0, 1.0),
        Change(F401, 2.0, 3.0),
    )
    assert looser(base, None) == (Change(PERCENT, 80.0, 0.0),)
    assert in_effect(base, own) == Ratchet({F401: 2.0, C901: 11.0, PERCENT: 80.0})
    assert in_effect(base, None) == base


@relaxed
@given(ratchets, ratchets)
def test_what_is_written_is_not_looser_than_the_base_but_where_a_subject_is_gone(base: Ratchet, now: Ratchet) -> None:
    left = {change.key for change in looser(base, tightened(base, now.values))}
    assert left <= {change.key for change in compare(base, now.values).gone}
    assert tightened(None, now.values) == now
