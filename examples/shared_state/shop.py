"""Prices and receipts of a shop, in the currency of the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

#: One dict for the whole process: what one test writes into it, the next one reads.
SETTINGS = {"currency": "USD", "decimals": "2"}


@dataclass
class Basket:
    """What a customer wants to buy."""

    #: (name, price in hundredths) of each thing.
    things: list[tuple[str, int]] = field(default_factory=list)

    def add(self, name: str, cents: int) -> None:
        """Put a thing in."""
        self.things.append((name, cents))

    @property
    def total(self) -> int:
        """The sum of all prices, in hundredths."""
        return sum(cents for _, cents in self.things)


def price(cents: int) -> str:
    """A price as the customer reads it."""
    return f"{SETTINGS['currency']} {cents / 100:.{SETTINGS['decimals']}f}"


def receipt(basket: Basket) -> list[str]:
    """The lines of a receipt."""
    return [f"{name}: {price(cents)}" for name, cents in basket.things] + [f"total: {price(basket.total)}"]
