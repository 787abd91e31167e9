"""What `shop --quiet` does."""

from __future__ import annotations

import logging


def be_quiet() -> int:
    """Say nothing but errors from now on; returns the level."""
    logging.getLogger("shop").setLevel(logging.ERROR)
    return logging.ERROR
