"""toxscreen: a tox-based test system that explains isolation bugs and whose gates fail closed."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
