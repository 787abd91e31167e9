from __future__ import annotations

import os

import pytest

from shop import words


def test_thanks_name_the_customer() -> None:
    assert words.thanks("Anna").endswith(", Anna!")


def test_english_is_the_default() -> None:
    assert words.thanks("Anna") == "Thank you, Anna!"


@pytest.mark.parametrize("code", ["en", "de", "fr"])
def test_every_language_has_thanks(code: str) -> None:
    assert words.THANKS[code]


def test_german() -> None:
    os.environ["SHOP_LANGUAGE"] = "de"
    assert words.thanks("Anna") == "Vielen Dank, Anna!"


def test_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_LANGUAGE", "fr")
    assert words.language() == "fr"
