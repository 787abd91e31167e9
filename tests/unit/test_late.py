"""Coverage that began after the import: bodies ran whose definitions did not."""

from __future__ import annotations

import pytest

from toxscreen.analysis.late import is_late

SOURCE = '''\
import os

def price(
    amount,
):
    """Words."""
    return amount

@os.fspath
def decorated():
    return 1

def short(): return 2

class Shop:
    def open(self):
        return 3
'''


@pytest.mark.parametrize(
    ("executed", "late"),
    [
        ([], False),
        ([1, 3, 7, 9, 11, 13, 15, 16], False),
        ([1, 3, 9, 13, 15], False),
        ([7], True),
        ([11], True),
        ([9, 11], False),
        ([10, 11], False),
        # A call of what stands in one line cannot be told from its definition.
        ([13], False),
    ],
)
def test_a_body_that_ran_without_its_definition(executed: list[int], late: bool) -> None:  # noqa: FBT001 - a column
    assert is_late(SOURCE, executed) is late


def test_what_is_no_python_is_not_judged() -> None:
    assert not is_late("def broken(:\n    x\n", [2])
