from __future__ import annotations

from shop.vouchers import ALPHABET, code, readable


def test_length() -> None:
    assert len(code()) == 8


def test_only_known_characters() -> None:
    assert set(code(100)) <= set(ALPHABET)


def test_a_code_begins_with_a_letter() -> None:
    assert code()[0].isalpha()


def test_groups_of_four() -> None:
    assert readable("ACEH2345") == "ACEH-2345"


def test_a_short_code() -> None:
    assert readable("ACE") == "ACE"
