"""Exceptions: what is on purpose, and exceptions that nothing needs any more. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from toxscreen.analysis.discovery.compare import Found
from toxscreen.analysis.discovery.kinds import KINDS
from toxscreen.model import Finding


class Exemption(NamedTuple):
    """One entry of ``allow``: what is found under a slug, for subjects that match."""

    #: As it is written.
    text: str
    slug: str
    pattern: str


def parse(text: str) -> Exemption:
    """An entry such as ``ignored-directory: examples/*  # run by users``.

    Raises:
        ValueError: with the words for "must be ...".
    """
    slug, colon, pattern = re.split(r"\s+#", text, maxsplit=1)[0].partition(":")
    slug, pattern = slug.strip(), pattern.strip()
    if not colon or not pattern or slug not in KINDS:
        raise ValueError(f'"SLUG: PATTERN  # why", with a slug of {", ".join(KINDS)}')
    return Exemption(text, slug, pattern)


def apply(found: Sequence[Found], exemptions: Sequence[Exemption]) -> tuple[tuple[Found, ...], tuple[Found, ...]]:
    """Split what was found.

    Args:
        found: all of it.
        exemptions: what is on purpose.

    Returns:
        What is left, with a finding for each exemption that matched nothing; and what is on purpose.
    """
    patterns = [(each, _pattern(each.pattern)) for each in exemptions]
    used: set[Exemption] = set()
    left: list[Found] = []
    allowed: list[Found] = []
    for each in found:
        finding = each.finding
        fits = {entry for entry, shape in patterns if entry.slug == finding.slug and shape.fullmatch(finding.subject)}
        used |= fits
        (allowed if fits else left).append(each)
    for entry in exemptions:
        # What is skipped depends on the machine: another one may need the entry.
        if entry not in used and entry.slug != "skipped-everywhere":
            told = "is an exception that nothing needs any more"
            left.append(Found(Finding("unused-exception", entry.text, told, file="pyproject.toml")))
    return tuple(left), tuple(allowed)


def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` is anything, ``?`` one character; brackets are themselves, node ids have them."""
    signs = {"*": ".*", "?": "."}
    return re.compile("".join(signs.get(sign, re.escape(sign)) for sign in glob))
