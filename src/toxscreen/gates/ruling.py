"""What several verdicts mean together."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from toxscreen.errors import ConfigError, Exit, Place, did_you_mean, raise_together
from toxscreen.model import Missing, Ruling, Verdict


def unmeasured(gate: str, missing: Missing) -> Verdict:
    """The verdict of a gate whose evidence lacks.

    Args:
        gate: its name.
        missing: the evidence, and what makes it.
    """
    reason = f"the evidence {missing.kind!r} {missing.reason}"
    return Verdict(gate, Ruling.UNMEASURED, reason, source=missing.kind, remedy=missing.command)


def status(verdicts: Sequence[Verdict]) -> Exit:
    """What all verdicts together mean: nothing that was asked is nothing that passed, and without a limit nothing is.

    Args:
        verdicts: of the gates that were asked.
    """
    rulings = {verdict.ruling for verdict in verdicts if verdict.asked}
    if Ruling.FAIL in rulings:
        return Exit.FOUND
    if Ruling.UNMEASURED in rulings or not rulings:
        return Exit.UNJUDGED
    return Exit.CLEAN


def asked(
    verdicts: Sequence[Verdict],
    only: Collection[str],
    off: Collection[str],
    *,
    known: Collection[str],
    families: Collection[str] = (),
) -> list[Verdict]:
    """The verdicts that count.

    Args:
        verdicts: all of them.
        only: gates that somebody named; all where there are none.
        off: gates that the settings switch off.
        known: names of all gates.
        families: those among them that stand for several, each named after it: quality for quality-ruff.

    Raises:
        ConfigError: a gate that does not exist is named, or one that is switched off.
        ErrorGroup: several.
    """
    named = [("toxscreen gate", name) for name in only] + [("gates.off", name) for name in off]
    raise_together(
        ConfigError(f"there is no gate {name!r}", place=Place(key=where), hint=did_you_mean(name, known))
        for where, name in named
        if name not in known
    )
    raise_together(
        ConfigError(f"the gate {name!r} is switched off", place=Place(key="gates.off"), hint="take it out of the list")
        for name in only
        if name in off
    )

    def is_in(names: Collection[str], gate: str) -> bool:
        return gate in names or any(gate.startswith(f"{each}-") for each in families if each in names)

    return [each for each in verdicts if (is_in(only, each.gate) or not only) and not is_in(off, each.gate)]
