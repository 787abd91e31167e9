"""How prices are shown."""

from __future__ import annotations

CURRENCY = {"code": "USD", "separator": "."}
