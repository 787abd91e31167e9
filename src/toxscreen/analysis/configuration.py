"""Of which configuration something is. Every run of tests asks, so this knows nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

#: What configures tests and their tools. Git may not know all of it.
_CONFIGURATION: Final = (
    "pyproject.toml",
    "tox.ini",
    "tox.toml",
    "setup.cfg",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".coveragerc",
    "ruff.toml",
    ".ruff.toml",
    "mypy.ini",
    ".mypy.ini",
)


def configuration(root: Path) -> str:
    """A fingerprint of the files that configure tests and tools."""
    digest = hashlib.sha256()
    for name in _CONFIGURATION:
        try:
            content = (root / name).read_bytes()
        except OSError:
            continue
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]
