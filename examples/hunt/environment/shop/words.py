"""What the shop says, in the language of the variable SHOP_LANGUAGE."""

from __future__ import annotations

import os

THANKS = {"en": "Thank you", "de": "Vielen Dank", "fr": "Merci"}


def language() -> str:
    """The language of the shop, English if nobody says otherwise."""
    return os.environ.get("SHOP_LANGUAGE", "en")


def thanks(customer: str) -> str:
    """The last line of a letter."""
    return f"{THANKS[language()]}, {customer}!"
