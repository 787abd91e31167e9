"""The machine for one command alone, where somebody hands it out: tox, when its environments run side by side."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from toxscreen.plan.slots import Kind
from toxscreen.slots.address import ADDRESS, ENVIRONMENT, Address
from toxscreen.slots.client import Client

#: What is told where it was promised and not to be had.
LOST: Final = "the comparison did not have the machine to itself: whoever hands it out, tox say, is gone"


@contextlib.contextmanager
def alone(variables: Mapping[str, str]) -> Iterator[str | None]:
    """Nothing else of this tox runs as long as this lasts; it waits for that.

    Args:
        variables: environment variables; they say whom to ask.

    Yields:
        What to tell where somebody should have handed the machine out and did not; None where all is well.
    """
    try:
        address = Address.parse(variables[ADDRESS])
    except (KeyError, ValueError):
        yield None
        return
    client = Client(address, variables.get(ENVIRONMENT, ""))
    try:
        yield None if client.acquire(Kind.ALONE) else LOST
    finally:
        client.leave()
        client.close()
