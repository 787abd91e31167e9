from __future__ import annotations

import logging

from shop.quiet import be_quiet


def test_errors_are_worse_than_warnings() -> None:
    assert logging.ERROR > logging.WARNING


def test_quiet_keeps_errors() -> None:
    assert be_quiet() == logging.ERROR
