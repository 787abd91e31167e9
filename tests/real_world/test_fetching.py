"""How a suite is fetched when no registry answers, or when one gives something else than what is pinned."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from upstream import Cache, Pin

AWAY = "no package registry that has it can be reached: "


@pytest.fixture
def empty_cache(cache: Cache, tmp_path: Path) -> Cache:
    return type(cache)(tmp_path / "cache")


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Keeps the user's registries out; a test says which one there is instead."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("CI", raising=False)
    return monkeypatch


@pytest.fixture
def away(own_registry: pytest.MonkeyPatch) -> None:
    """A registry at a port on which nobody listens."""
    own_registry.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    for name in ("NO_PROXY", "no_proxy"):
        own_registry.setenv(name, "127.0.0.1")


@pytest.fixture
def pin(pins: list[Pin]) -> Pin:
    return pins[0]


def test_without_a_registry_a_developer_is_told_what_is_skipped_and_why(
    empty_cache: Cache, pin: Pin, away: None
) -> None:
    with pytest.raises(pytest.skip.Exception) as skipped:
        empty_cache.sdist(pin)
    message = str(skipped.value)
    assert message.startswith(f"{pin.name} {pin.version} is not in the cache, and {AWAY}")
    assert "Connection refused" in message
    assert list(empty_cache.folder.rglob("*.*")) == []


def test_without_a_registry_continuous_integration_fails(
    empty_cache: Cache, pin: Pin, away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception) as failed:
        empty_cache.sdist(pin)
    message = str(failed.value)
    assert message.startswith(f"{pin.name} {pin.version} is not in the cache, and {AWAY}")
    assert message.endswith("(skipped where CI is not set)")


def test_a_file_in_the_cache_with_another_hash_is_not_used(empty_cache: Cache, pin: Pin, away: None) -> None:
    file = empty_cache.folder / "sdists" / f"{pin.name}-{pin.version}.tar.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"something else")
    with pytest.raises(pytest.skip.Exception, match=AWAY):
        empty_cache.sdist(pin)


def test_another_hash_in_the_registry_is_a_failure_everywhere(
    empty_cache: Cache, pin: Pin, own_registry: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own_registry.setenv("PIP_NO_INDEX", "1")
    own_registry.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / f"{pin.name}-{pin.version}.tar.gz").write_bytes(b"something else")
    with pytest.raises(pytest.fail.Exception) as failed:
        empty_cache.sdist(pin)
    message = str(failed.value)
    assert message.startswith(f"pip could not make {pin.name} {pin.version} ready:\n")
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in message
    assert list(empty_cache.folder.rglob("*.*")) == []
