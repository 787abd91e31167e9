"""Which category a test belongs to: its marker, else the path it lies under, else the default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from toxscreen.errors import CategoryConflictError, NoCategoryError, Place, ToxscreenError
from toxscreen.model import Case, Policy

_GLOB = frozenset("*?[")


def depth_below(file: str, pattern: str) -> int | None:
    """How specific the match of a ``paths`` entry on a file is.

    Args:
        file: path relative to the root, with forward slashes.
        pattern: folder, file or glob pattern.

    Returns:
        The number of path parts that the entry covers; None when the file does not lie under it.
    """
    parts = file.split("/")
    wanted = _normal(pattern).split("/")
    if wanted in ([""], ["."]):
        return 0
    if "**" in wanted:
        return _deep(parts, wanted)
    if len(wanted) > len(parts) or not all(map(fnmatchcase, parts, wanted)):
        return None
    return len(wanted)


def covers(given: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether all that lies under some ``paths`` entries lies under the paths given.

    Args:
        given: relative to the root, with forward slashes.
        wanted: entries; of a glob pattern, the folders before it count.
    """
    folders = [_normal(each).split("/") for each in given]
    return all(
        any(_fixed(pattern)[: len(folder)] == folder or folder in ([""], ["."]) for folder in folders)
        for pattern in wanted
    )


def _fixed(pattern: str) -> list[str]:
    """The parts of an entry before the first one that is a pattern."""
    parts = _normal(pattern).split("/")
    return parts[: next((place for place, part in enumerate(parts) if _GLOB.intersection(part)), len(parts))]


def _normal(pattern: str) -> str:
    """A ``paths`` entry with forward slashes and without what says nothing."""
    return pattern.replace("\\", "/").removeprefix("./").rstrip("/")


def _deep(parts: list[str], wanted: list[str]) -> int | None:
    """:func:`depth_below` for patterns in which ``**`` stands for any number of folders."""
    head, rest = wanted[0], wanted[1:]
    if head != "**":
        if not parts or not fnmatchcase(parts[0], head):
            return None
        deeper = _deep(parts[1:], rest) if rest else 0
        return None if deeper is None else deeper + 1
    if not rest:
        # "tests/**" is no more specific than "tests".
        return 0 if parts else None
    found = (
        None if (deeper := _deep(parts[skipped:], rest)) is None else deeper + skipped for skipped in range(len(parts))
    )
    return next((depth for depth in found if depth is not None), None)


def by_path(file: str, policies: Iterable[Policy]) -> list[str]:
    """The categories whose paths cover a file; of several only those with the most specific entry."""
    depths = [
        (depth, policy.category)
        for policy in policies
        for pattern in policy.paths
        if (depth := depth_below(file, pattern)) is not None
    ]
    most = max((depth for depth, _ in depths), default=0)
    return sorted({category for depth, category in depths if depth == most})


def category_of(case: Case, policies: Mapping[str, Policy], default: str | None) -> str | ToxscreenError:
    """The category of a test, or the error that says why it has none.

    Args:
        case: the test.
        policies: every category's policy.
        default: category of a test that is in none.
    """
    marked = sorted({policy.category for policy in policies.values() if case.markers.intersection(policy.markers)})
    placed = by_path(case.file, policies.values())
    claims = [(name, "its marker") for name in marked] + [(name, "its path") for name in placed if name not in marked]
    if len(claims) == 1:
        return claims[0][0]
    place = Place(case.node_id)
    if claims:
        told = " and ".join(f"{name} by {why}" for name, why in claims)
        return CategoryConflictError(
            f"is {told}", place=place, hint="remove the marker, move the test, or change `paths` of a category"
        )
    if default is not None:
        return default
    return NoCategoryError(
        "belongs to no category",
        place=place,
        hint="move it under a category's path, mark it, or set `default-category` in [tool.toxscreen]",
    )


def belongs_elsewhere(file: str, category: str, policies: Mapping[str, Policy]) -> bool:
    """Whether a file or folder lies under the paths of other categories only, so that it need not be collected.

    A folder that holds paths of the category further down is never elsewhere.
    """
    own = map(_normal, policies[category].paths)
    if any(depth_below(pattern, file) is not None or _GLOB.intersection(pattern) for pattern in own):
        return False
    claimed = by_path(file, policies.values())
    return bool(claimed) and category not in claimed
