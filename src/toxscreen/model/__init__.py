"""The nouns of toxscreen: frozen records and enums, standard library only.

This room knows what things are called and what they consist of. It does no input or output and knows neither pytest
nor tox. Import every noun from here. Those of the other files are defined when one of them is asked for: a
run in which nothing fails needs none, and defining them takes longer than all else that is imported for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from toxscreen.model.running import (
    CONFIGURED,
    CONNECTION,
    RATCHET,
    Case,
    Event,
    EventKind,
    Header,
    LeakRule,
    Network,
    OrderKind,
    Outcome,
    Policy,
    Selection,
    Service,
    Sourced,
    Workers,
)

if TYPE_CHECKING:
    from toxscreen.model.failure import Frame, Leak, Origin
    from toxscreen.model.found import (
        Attempt,
        Check,
        Code,
        Conflict,
        Culprit,
        Ended,
        Isolation,
        IsolationKind,
        Lane,
        Order,
        Page,
        Plan,
        Probe,
        Remedy,
        Run,
        RunState,
        Section,
        Sighting,
        Stamp,
        Standing,
        Table,
        Verified,
    )
    from toxscreen.model.judged import (
        Base,
        Changes,
        Evidence,
        Finding,
        Limits,
        Measured,
        Missing,
        Ruling,
        State,
        Verdict,
    )
    from toxscreen.model.paired import Change, Clock, Compared, Comparison, Interval, Memory, Revision, SelfCheck
    from toxscreen.model.progress import Progress, Stage
    from toxscreen.model.required import ChangedFunctions, Function
    from toxscreen.model.sharded import Manifest, MatrixRow, Part, Shard, Share, Workload
    from toxscreen.model.timed import Bound, Bounded, BoundKind, Slice, SliceKind, Spent, Timeline, Track
    from toxscreen.model.timing import Duration, Estimate, FixtureSpan, History, LaneSpan

__all__ = [
    "CONFIGURED",
    "CONNECTION",
    "RATCHET",
    "Attempt",
    "Base",
    "Bound",
    "BoundKind",
    "Bounded",
    "Case",
    "Change",
    "ChangedFunctions",
    "Changes",
    "Check",
    "Clock",
    "Code",
    "Compared",
    "Comparison",
    "Conflict",
    "Culprit",
    "Duration",
    "Ended",
    "Estimate",
    "Event",
    "EventKind",
    "Evidence",
    "Finding",
    "FixtureSpan",
    "Frame",
    "Function",
    "Header",
    "History",
    "Interval",
    "Isolation",
    "IsolationKind",
    "Lane",
    "LaneSpan",
    "Leak",
    "LeakRule",
    "Limits",
    "Manifest",
    "MatrixRow",
    "Measured",
    "Memory",
    "Missing",
    "Network",
    "Order",
    "OrderKind",
    "Origin",
    "Outcome",
    "Page",
    "Part",
    "Plan",
    "Policy",
    "Probe",
    "Progress",
    "Remedy",
    "Revision",
    "Ruling",
    "Run",
    "RunState",
    "Section",
    "Selection",
    "SelfCheck",
    "Service",
    "Shard",
    "Share",
    "Sighting",
    "Slice",
    "SliceKind",
    "Sourced",
    "Spent",
    "Stage",
    "Stamp",
    "Standing",
    "State",
    "Table",
    "Timeline",
    "Track",
    "Verdict",
    "Verified",
    "Workers",
    "Workload",
]

if not TYPE_CHECKING:  # a checker would take any name for a noun

    def __getattr__(name: str) -> object:
        for part in ("failure", "found", "judged", "paired", "progress", "required", "sharded", "timed", "timing"):
            module = import_module(f"{__name__}.{part}")
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
