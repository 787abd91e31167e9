"""Other people's suites, each in an environment of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from upstream import Cache, Pin, Upstream, read_pins, ready

from toxscreen.settings import state_folder


@pytest.fixture(scope="session")
def pins() -> list[Pin]:
    return read_pins()


@pytest.fixture(scope="session")
def cache(pytestconfig: pytest.Config) -> Cache:
    return Cache(state_folder(pytestconfig.rootpath) / "cache")


@pytest.fixture(params=read_pins(), ids=lambda pin: pin.name)
def upstream(request: pytest.FixtureRequest, cache: Cache, tmp_path: Path) -> Upstream:
    # A test that is about some of the suites parametrises with their names.
    pin = (
        request.param
        if isinstance(request.param, Pin)
        else next(pin for pin in read_pins() if pin.name == request.param)
    )
    return ready(pin, cache, tmp_path)
