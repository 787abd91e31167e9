"""Released suites of other projects do under our policy what they do without us, and what they did can be replayed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from toxscreen.journal.read import read_run
from toxscreen.journal.store import run_folders
from toxscreen.model import Run, RunState

if TYPE_CHECKING:
    from upstream import Upstream

#: One seed for all runs, so that a red run can be repeated elsewhere; which worker runs what differs all the same.
SEED = 20260


def plain(upstream: Upstream) -> tuple[int, dict[str, str]]:
    """Exit status, and outcomes in order, of serial pytest without any plugin but the one that takes notes."""
    plugins = upstream.around / "plugins"
    plugins.mkdir()
    shutil.copy(Path(__file__).with_name("plain_outcomes.py"), plugins)
    notes = plugins / "outcomes.json"
    variables = {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(plugins),
        "OUTCOMES_FILE": str(notes),
    }
    done = upstream.run("pytest", "-p", "plain_outcomes", set_to=variables, ours=False)
    assert done.exit in {0, 1}, done.output
    return done.exit, json.loads(notes.read_text(encoding="utf-8"))


def recorded(upstream: Upstream, module: str, *arguments: str) -> tuple[Run, int, str]:
    """The one run that a command records under the policy, with the command's exit status and output."""
    before = set(run_folders(upstream.root))
    done = upstream.run(module, *arguments, set_to={"TOXSCREEN_DEFAULT_CATEGORY": "real-world"})
    made = set(run_folders(upstream.root)) - before
    assert len(made) == 1, f"{len(made)} runs were recorded, not one\n{done.output}"
    return read_run(made.pop()), done.exit, done.output


def check_outcomes(expected: dict[str, str], run: Run, output: str) -> None:
    """Every test has the outcome that is expected of it, and no other test ran."""
    found = {node_id: outcome.value for node_id, outcome in run.outcomes.items()}
    differing = [
        f"{node_id}: {expected.get(node_id, 'absent')} -> {found.get(node_id, 'absent')}"
        for node_id in sorted(expected.keys() | found.keys())
        if expected.get(node_id) != found.get(node_id)
    ]
    assert not differing, "\n".join([*differing, output])


def check_journal(run: Run, tests: set[str], output: str) -> None:
    """The journal is whole: every test has exactly one attempt, on exactly one lane, and nothing had to be forgiven."""
    assert run.state is RunState.COMPLETE, output
    assert run.notes == ()
    assert Counter(run.collected) == Counter(tests)
    assert Counter(attempt.node_id for attempt in run.attempts) == Counter(tests)
    assert Counter(node_id for lane in run.order.lanes for node_id in lane.node_ids) == Counter(tests)


def check_order(run: Run, written: list[str]) -> None:
    """Two workers ran it, and not in the order in which it is written."""
    assert [lane.name for lane in run.order.lanes] == ["gw0", "gw1"]
    places = {node_id: place for place, node_id in enumerate(written)}
    for lane in run.order.lanes:
        ran = [places[node_id] for node_id in lane.node_ids]
        assert len(ran) > 1, f"{lane.name} ran {len(ran)} tests"
        assert ran != sorted(ran), f"{lane.name} ran its tests as they are written"


def seconds(run: Run, lane: str) -> float:
    return sum(attempt.seconds for attempt in run.attempts if attempt.lane == lane)


def test_a_released_suite_keeps_its_outcomes_and_can_be_replayed(upstream: Upstream) -> None:
    status, expected = plain(upstream)
    assert len(expected) >= upstream.pin.at_least

    options = ("--category", "real-world", "-n", "2", f"--randomly-seed={SEED}")
    run, exit_status, output = recorded(upstream, "pytest", *options)
    check_outcomes(expected, run, output)
    assert exit_status == run.exit_status == status, output
    assert (run.header.category, run.header.seed, run.header.workers) == ("real-world", SEED, 2)
    check_journal(run, set(expected), output)
    check_order(run, list(expected))

    # One lane, the quicker one: what is compared does not get better by waiting.
    lane = min(run.order.lanes, key=lambda each: seconds(run, each.name))
    again, exit_status, output = recorded(upstream, "toxscreen", "replay", run.id, "--lane", lane.name)
    expected = {node_id: expected[node_id] for node_id in lane.node_ids}
    assert [each.node_ids for each in again.order.lanes] == [lane.node_ids], output
    check_outcomes(expected, again, output)
    assert (again.header.seed, again.header.replay_of) == (SEED, f"{run.id}:{lane.name}")
    check_journal(again, set(expected), output)
    is_red = any(attempt.outcome.red for attempt in again.attempts)
    assert exit_status == again.exit_status == int(is_red), output
