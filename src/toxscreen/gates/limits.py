"""Judges the limits themselves: none may become weaker in the change that they are to judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from toxscreen.model import Finding, Limits, Ruling, Verdict
from toxscreen.settings.gates import GATE_OPTIONS, RATCHET_SCOPES, TABLE, WEAKER

GATE: Final = "coverage-floor"
_FLOOR: Final = "fail_under"


def judge(now: Limits, before: Limits | str) -> Verdict:
    """Whether coverage's floor or a limit of a gate is weaker than on the base.

    Args:
        now: the limits as they are.
        before: those of the base; in words why nobody can tell.
    """
    if isinstance(before, str):
        return Verdict(GATE, Ruling.UNMEASURED, f"nothing to compare with: {before}", source="pyproject.toml")
    weaker = [
        Finding("limit-weaker", key, f"{key} was {_word(old)} and is {_word(new)}", file=now.file)
        for key, old, new in _weaker(now, before)
    ]
    known = {*before.values, *((_FLOOR,) if before.floor is not None else ())}
    told = "; ".join(finding.message for finding in weaker)
    return Verdict(
        GATE,
        Ruling.FAIL if weaker else Ruling.PASS,
        f"{told}, against {before.source}" if weaker else f"{len(known)} limits are no weaker than on {before.source}",
        measured=len(weaker),
        limit=0,
        numerator=len(weaker),
        denominator=len(known),
        expected_denominator=len(known),
        findings=tuple(weaker),
        unit="limits",
        source=f"{now.file}, and that of {before.source}",
    )


def _weaker(now: Limits, before: Limits) -> Iterator[tuple[str, object, object]]:
    if before.floor is not None and (now.floor is None or now.floor < before.floor):
        yield _FLOOR, before.floor, now.floor
    for key, way in WEAKER.items():
        # What is not written down has its default, then as now.
        default = GATE_OPTIONS[key].default
        old, new = before.values.get(key, default), now.values.get(key, default)
        for name, one, other in _pairs(key, old, new):
            if _is_weaker(way, one, other):
                yield f"{TABLE}.{name}", one, other


def _pairs(key: str, old: object, new: object) -> Iterator[tuple[str, object, object]]:
    """The values to compare: those of a table one by one."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name, value in old.items():
            yield f"{key}.{name}", value, new.get(name)
    else:
        yield key, old, new


def _is_weaker(way: str, old: Any, new: Any) -> bool:
    if way == "fewer":
        # Without a list of environments, those are demanded that are there: a list may say it more exactly.
        return not set(old) <= set(new)
    if way == "more":
        return not set(new) <= set(old)
    if way == "narrower":
        return RATCHET_SCOPES.index(new or RATCHET_SCOPES[0]) < RATCHET_SCOPES.index(old or RATCHET_SCOPES[0])
    if old is None:
        return False
    return new is None or (new < old if way == "lower" else new > old)


def _word(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) or "empty" if isinstance(value, tuple | list) else str(value)
