"""Values of arguments that several commands take."""

from __future__ import annotations

import argparse
import re
from typing import Final

from toxscreen.settings.perf import COARSEST

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """A time such as ``90s``, ``5m`` or ``1h``, in seconds.

    Raises:
        ArgumentTypeError: it is none.
    """
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smh]?)", text)
    if found is None or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 90s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2] or "s"]


def percent(text: str) -> float:
    """A difference such as ``3%`` or ``0.5``, in percent.

    Raises:
        ArgumentTypeError: it is none, or not above 0, or so large that almost anything is less.
    """
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?) ?%?", text)
    if found is None or not 0 < float(found[1]) <= COARSEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no difference such as 3% or 0.5%, at most {COARSEST}%")
    return float(found[1])
