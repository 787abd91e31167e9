"""A piece of state that differs from what it was, and how to undo just that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between a snapshot and now."""

    #: Access path, such as ``app.config.SETTINGS['debug']`` or ``os.environ['HOME']``.
    path: str
    #: The value then and now, in words; "absent" where there was or is none.
    before: str
    after: str
    #: What the kind of state is called, and the name of its page in the documentation: "environment", "module-state".
    kind: str
    #: Whether it belongs to the project itself, and not to the standard library or an installed package.
    own: bool
    #: Puts back what was there; None where nobody can, as with a thread. May raise anything.
    undo: Callable[[], None] | None = None
