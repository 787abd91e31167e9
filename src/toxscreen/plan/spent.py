"""What a test did with its time: computed, slept, let other programs compute, or waited. Pure."""

from __future__ import annotations

from toxscreen.model import Attempt, Spent


def spent(attempt: Attempt) -> Spent | None:
    """The time of one execution, divided.

    What is neither computed nor slept nor computed by other programs was waited. Threads, and programs side by side,
    can compute longer than the test took; nothing was waited then.

    Args:
        attempt: the execution.

    Returns:
        None where nobody measured it: short tests, and records of older versions.
    """
    if attempt.cpu is None:
        return None
    known = attempt.cpu + (attempt.slept or 0.0) + (attempt.children or 0.0)
    return Spent(attempt.cpu, attempt.slept, attempt.children, max(0.0, attempt.seconds - known))


def did(attempt: Attempt) -> str:
    """What took most of a test's time, in a word or two; "-" where nobody knows.

    Args:
        attempt: the execution.
    """
    found = spent(attempt)
    if found is None:
        return "-"
    slept = found.slept or 0.0
    told = {
        "computed": found.cpu,
        f"slept {slept:.1f} s": slept,
        "ran programs": found.children or 0.0,
        # Without a look at sleeping nobody can tell it from waiting; both are called so.
        "waited": found.waited,
    }
    return max(told, key=lambda words: told[words])
