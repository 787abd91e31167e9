"""How many of each thing are left."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


def take(stock: dict[str, int], thing: str) -> int:
    """Take one thing and say how many are left; warns of the last one."""
    if not stock.get(thing):
        message = f"no {thing} left"
        log.error(message)
        raise LookupError(message)
    stock[thing] -= 1
    if stock[thing] == 0:
        log.warning("that was the last %s", thing)
    return stock[thing]
