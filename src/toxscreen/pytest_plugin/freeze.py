"""What collecting made stays to the end: the garbage collector need not look at it again and again.

A suite of 2,000 tests holds some hundred thousand objects. Every full collection walks over all of them for nothing,
and the last ones, when the interpreter ends, over every module besides: together a sixth of the time of empty tests.
See https://docs.python.org/3/library/gc.html#gc.freeze.
"""

from __future__ import annotations

import atexit
import gc
from typing import Any, ClassVar

import pytest

#: PyPy has a collector of another kind. Tests may replace what is in `gc`.
_freeze: Any = getattr(gc, "freeze", None)
_unfreeze: Any = getattr(gc, "unfreeze", None)


class Freeze:
    """Takes the collected tests out of the garbage collector's sight while they run, and everything at exit."""

    #: Whether an outer session in this process, which runs this one inside a test, did it already.
    _frozen: ClassVar[bool] = False
    _at_exit: ClassVar[bool] = False

    def __init__(self) -> None:
        self._ours = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Free what is garbage by now, then freeze the rest."""
        if _freeze is None or Freeze._frozen or not gc.isenabled():
            return
        Freeze._frozen = self._ours = True
        gc.collect()
        _freeze()
        if not Freeze._at_exit:
            # pytest collected the garbage of the tests before; what is left is alive, and the system takes it back.
            Freeze._at_exit = True
            atexit.register(_freeze)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """The process may live on: let the collector see everything again."""
        if self._ours:
            Freeze._frozen = self._ours = False
            _unfreeze()
