"""What a customer is about to buy."""

from __future__ import annotations


class Cart:
    """Prices of things, in cents without tax."""

    tax_percent = 20

    def __init__(self) -> None:
        self.prices: list[int] = []

    def add(self, cents: int) -> Cart:
        """Put a thing in."""
        self.prices.append(cents)
        return self

    def tax(self) -> int:
        """The tax on everything, in cents."""
        return sum(self.prices) * self.tax_percent // 100

    def total(self) -> int:
        """What the customer pays, in cents."""
        return sum(self.prices) + self.tax()
