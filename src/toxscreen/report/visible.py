"""Text of other people, so that it can be printed and written: what would act or fail is escaped."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Categories of Unicode: control, surrogate, line and paragraph separator.
_ESCAPED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text with control characters, separators and lone surrogates escaped; line breaks and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if char not in "\n\t" and unicodedata.category(char) in _ESCAPED
        else char
        for char in text
    )
