"""JUnit files joined to one: each suite stays as it is, with its machine and time.

The standard library does: what is joined was written by pytest, and no suite is changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET


def joined(files: Iterable[Path]) -> bytes:
    """One document with the suites of all files.

    Args:
        files: with ``testsuites`` or a single ``testsuite`` each.

    Raises:
        OSError: one cannot be read.
        ValueError: one is no JUnit file.
    """
    suites = ET.Element("testsuites", {"name": "pytest tests"})
    for file in files:
        try:
            root = ET.fromstring(file.read_bytes())  # noqa: S314 - expat refuses entities that grow without end
        except ET.ParseError as error:
            raise ValueError(f"{file.name} is no XML: {error}") from None
        if root.tag not in {"testsuites", "testsuite"}:
            raise ValueError(f"{file.name} is no JUnit file, but has {root.tag!r} as its root")
        suites.extend([root] if root.tag == "testsuite" else root)
    # No declaration: a document without one is UTF-8.
    return ET.tostring(suites, encoding="unicode").encode("utf-8", "surrogatepass")
