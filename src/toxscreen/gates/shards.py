"""Are these shards the whole, each test once? Everything that is against it is told at once.

A red test is not against it: it is as red in the joined run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

from toxscreen.model import Finding, Manifest, Outcome, Part, RunState

_MOST_NAMED: Final = 5
#: Exit statuses of a run that came to its end.
_ENDED: Final = frozenset({0, 1})
_SAME_HISTORY: Final = "give every machine the same .toxscreen/history.json"
#: What all shards must have in common: slug, what it is called, and where it stands.
_COMMON: Final[tuple[tuple[str, str, Callable[[Manifest], object]], ...]] = (
    ("shard-category", "of category", lambda manifest: manifest.category),
    ("shard-commit", "of commit", lambda manifest: manifest.commit),
    ("shard-changes", "of the uncommitted changes", lambda manifest: manifest.changes),
    ("shard-configuration", "of the configuration", lambda manifest: manifest.configuration),
    ("shard-python", "of", lambda manifest: manifest.python),
)


def judge(name: str, parts: Sequence[Part]) -> tuple[Finding, ...]:
    """What keeps shards from being one whole run.

    Args:
        name: what ran: the tox environment, or the category.
        parts: what was found of it, in any order.

    Returns:
        Nothing where they are proved to be disjoint and complete.
    """
    ordered = sorted(parts, key=lambda part: (part.shard, part.source))
    known = [(part, part.manifest) for part in ordered if part.manifest is not None]
    return (
        *_count(name, ordered),
        *_each(name, ordered),
        *_unlike(name, known),
        *_collections(name, known),
        *_doubled(name, ordered),
        *_results(name, known),
        *_nowhere(name, known),
        *_besides(name, ordered),
    )


def _count(name: str, parts: Sequence[Part]) -> Iterable[Finding]:
    """Is there one split, and each of its shards once?"""
    splits = {part.shard.of: part for part in parts}
    if len(splits) > 1:
        told = ", ".join(f"into {of} by {part.source}" for of, part in sorted(splits.items()))
        yield _finding("shard-count", name, f"was split {told}")
        return
    found = Counter(part.shard for part in parts)
    for shard, times in found.items():
        if times > 1:
            places = ", ".join(part.source for part in parts if part.shard == shard)
            yield _finding("shard-doubled", name, f"shard {_told(shard)} is there {times} times: {places}")
    of = parts[0].shard.of
    there = {shard.number for shard in found}
    absent = [number for number in range(1, of + 1) if number not in there]
    if absent:
        yield _finding("shard-missing", name, _absent(absent, of, parts))


def _absent(absent: Sequence[int], of: int, parts: Sequence[Part]) -> str:
    """Which shards are missing, and which tests are theirs as far as the others know."""
    known = [part.manifest for part in parts if part.manifest is not None]
    collected = {node_id for manifest in known for node_id in manifest.collected}
    # One that left no manifest may still say what it was to run.
    theirs = {node_id for part in parts for node_id in part.run.collected}
    left = sorted(collected - theirs - {node_id for manifest in known for node_id in manifest.planned})
    one = len(absent) == 1
    which = f"shard {absent[0]} of {of} is missing" if one else f"shards {_list(map(str, absent))} of {of} are missing"
    if not left:
        return which + ("" if not known or len(known) < len(parts) else ", without a test of its own" if one else "")
    return f"{which}: {'its' if one else 'their'} {_tests_told(left)}"


def _each(name: str, parts: Sequence[Part]) -> Iterable[Finding]:
    """Did each of them come to its end, and is its data as it was then?"""
    for part in parts:
        who = f"shard {_told(part.shard)}"
        run = part.run
        if run.state is RunState.RUNNING:
            yield _finding("shard-unfinished", name, f"{who} still runs", part)
        elif run.state is RunState.DIED:
            yield _finding("shard-unfinished", name, f"{who} died and left no last word", part)
        elif run.exit_status not in _ENDED:
            yield _finding("shard-unfinished", name, f"{who} ended with exit status {run.exit_status}", part)
        if part.manifest is None:
            if run.state not in {RunState.RUNNING, RunState.DIED}:
                told = f": {part.damage[0]}" if part.damage else ""
                yield _finding("shard-unfinished", name, f"{who} left no manifest that can be read{told}", part)
            continue
        for damage in part.damage:
            yield _finding("shard-changed", name, f"the data of {who} changed after its run: {damage}", part)
        if part.manifest.before:
            told = f"{who} measured beside coverage data of something else: {_list(part.manifest.before)}"
            yield _finding("shard-coverage", name, f"{told}; begin with `toxscreen coverage --begin {name}`", part)


def _unlike(name: str, known: Sequence[tuple[Part, Manifest]]) -> Iterable[Finding]:
    """Are all of the same sources, and split and narrowed alike?"""
    for part, manifest in known:
        if manifest.commit is None:
            told = f"shard {_told(part.shard)} is of no commit, so nothing says of which sources: git has to work there"
            yield _finding("shard-commit", name, told, part)
    for part, manifest in known[1:]:
        first, of_first = known[0]
        this, that = f"shard {_told(part.shard)}", f"shard {_told(first.shard)}"
        for slug, what, value in _COMMON:
            mine, other = value(manifest), value(of_first)
            if mine != other:
                told = f"{this} is {what} {_known(mine)}, {that} {what} {_known(other)}"
                yield _finding(slug, name, told, part)
        if manifest.history != of_first.history:
            told = f"{this} was split by another history than {that}: {_SAME_HISTORY}"
            yield _finding("shard-history", name, told, part)
        narrowed, otherwise = _left_out(part), _left_out(first)
        if narrowed != otherwise:
            told = f"{this} left out {narrowed or 'nothing'}, {that} {otherwise or 'nothing'}"
            yield _finding("shard-narrowed", name, told, part)


def _left_out(part: Part) -> str:
    """What was left out before the split, and by whom."""
    selection = part.run.selection
    if selection is None:
        return ""
    told = [f"{count} by {who}" for who, count in sorted(selection.deselected.items())]
    return _list([*told, *sorted(selection.narrowed)], most=len(told) + len(selection.narrowed))


def _collections(name: str, known: Sequence[tuple[Part, Manifest]]) -> Iterable[Finding]:
    """Did all collect the same tests?"""
    for part, manifest in known[1:]:
        first, theirs, mine = known[0][0], set(known[0][1].collected), set(manifest.collected)
        if mine != theirs:
            only = [(part, sorted(mine - theirs)), (first, sorted(theirs - mine))]
            told = "; ".join(f"only in shard {_told(each.shard)}: {_tests_told(ids)}" for each, ids in only if ids)
            message = f"shard {_told(part.shard)} collected other tests than shard {_told(first.shard)}: {told}"
            yield _finding("shard-collection", name, message, part)


def _doubled(name: str, parts: Sequence[Part]) -> Iterable[Finding]:
    """Has each test one shard only?"""
    tests = [
        {attempt.node_id for attempt in part.run.attempts}.union(part.manifest.planned if part.manifest else ())
        for part in parts
    ]
    for (part, mine), (other, theirs) in combinations(zip(parts, tests, strict=True), 2):
        # That a whole shard is there twice is told already.
        both = sorted(mine & theirs) if part.shard != other.shard else []
        if both:
            who = f"shards {part.shard.number} and {_told(other.shard)}"
            yield _finding("shard-test-doubled", name, f"{who} both ran {_tests_told(both)}")


def _results(name: str, known: Sequence[tuple[Part, Manifest]]) -> Iterable[Finding]:
    """Has each test of a shard a result there?"""
    for part, manifest in known:
        results = part.run.outcomes
        ran = {attempt.node_id for attempt in part.run.attempts}
        without = [each for each in manifest.planned if results.get(each, Outcome.NOT_RUN) is Outcome.NOT_RUN]
        if without:
            told = f"shard {_told(part.shard)} has no result of {_tests_told(without)}"
            yield _finding("shard-test-not-run", name, f"{told}, of its {len(manifest.planned)}", part)
        strange = sorted(ran.symmetric_difference(manifest.ran) | ran.difference(manifest.planned))
        if strange:
            told = f"the manifest of shard {_told(part.shard)} and its journal differ in what ran"
            yield _finding("shard-changed", name, f"{told}: {_tests_told(strange)}", part)


def _nowhere(name: str, known: Sequence[tuple[Part, Manifest]]) -> Iterable[Finding]:
    """With all shards there, is each test in one?"""
    if not known or len({part.shard.number for part, _ in known}) < known[0][0].shard.of:
        return
    collected = {node_id for _, manifest in known for node_id in manifest.collected}
    nowhere = sorted(collected.difference(*(manifest.planned for _, manifest in known)))
    if nowhere:
        yield _finding("shard-test-missing", name, f"no shard has {_tests_told(nowhere)}")


def _besides(name: str, parts: Sequence[Part]) -> Iterable[Finding]:
    """Did all measure coverage, and all write JUnit files, or none?"""
    kinds: Mapping[str, Callable[[Part], bool]] = {
        "coverage data": lambda part: bool(part.coverage),
        "JUnit file": lambda part: part.manifest is not None and part.manifest.junit is not None,
    }
    for kind, has in kinds.items():
        there = [part for part in parts if has(part)]
        for part in parts:
            if there and not has(part) and part.manifest is not None and part.manifest.planned:
                told = f"shard {_told(part.shard)} has no {kind}, and shard {_told(there[0].shard)} has"
                yield _finding("shard-data-missing", name, told, part)


def _told(shard: tuple[int, int]) -> str:
    return f"{shard[0]} of {shard[1]}"


def _known(value: object) -> str:
    return "none" if value is None else str(value)


def _tests_told(node_ids: Sequence[str]) -> str:
    return f"{len(node_ids)} test{'' if len(node_ids) == 1 else 's'}: {_list(node_ids)}"


def _list(texts: Iterable[str], most: int = _MOST_NAMED) -> str:
    known = list(texts)
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more} more" if more > 0 else "")


def _finding(slug: str, name: str, message: str, part: Part | None = None) -> Finding:
    return Finding(slug, name, message, None if part is None else f"{part.source}, run {part.run.id}")
