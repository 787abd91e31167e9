"""What holds for every test that starts processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from toxscreen.testing import end_started


@pytest.fixture(autouse=True)
def _nothing_goes_on() -> Iterator[None]:
    """A test that fails does not leave behind what it started."""
    yield
    end_started()
