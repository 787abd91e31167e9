"""Run lanes of an old run again the way it was started, and compare what was recorded then and now."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TextIO

from toxscreen import host
from toxscreen.cli.processes import Ended, Job, run_all
from toxscreen.errors import CorruptJournalError, Exit, Place, ReplayError
from toxscreen.journal.read import read_run
from toxscreen.journal.store import run_folders
from toxscreen.model import Lane, Outcome, Page, Run, RunState
from toxscreen.plan.replay import Likeness, Target, command, likeness, seeds, without_replay
from toxscreen.report.terminal import print_page

#: Seconds for which the guard of a replay that died is given time to write down what it died of.
_LAST_WORDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Repeat:
    """One lane run again."""

    lane: Lane
    ended: Ended
    #: The replay as it was recorded; None when it was not.
    run: Run | None
    likeness: Likeness | None

    def status(self) -> Exit:
        """What the replay's end says: pytest's own exit status, or the test that the process died of."""
        again = self.run
        if again is not None and again.state is RunState.DIED and any(each.outcome.red for each in again.attempts):
            return Exit.FOUND
        return Exit(self.ended.status) if self.ended.status in set(Exit) else Exit.UNJUDGED

    def told(self) -> str:
        """How it went, in one line."""
        compared = str(self.likeness or "it was not recorded, so it was not compared")
        return f"lane {self.lane.name}: {self.ended.told()}; {compared}"

    def data(self) -> dict[str, object]:
        """The same for programs."""
        found = self.likeness
        differences = found.differences if found else ()
        return {
            "lane": self.lane.name,
            "node_ids": list(self.lane.node_ids),
            "command": list(self.ended.job.command),
            "status": self.ended.status,
            "run": self.run.id if self.run else None,
            "same_order": found.same_order if found else None,
            "same_outcomes": found.same_outcomes if found else None,
            "differences": [{"node_id": each.node_id, "then": each.then, "now": each.now} for each in differences],
        }


class Again:
    """An old run about to be run again.

    Args:
        root: the project's root.
        old: the run.
        out: where what pytest says on its standard output goes.

    Raises:
        ReplayError: the folder it was started in is gone.
    """

    def __init__(self, root: Path, old: Run, out: TextIO) -> None:
        self.root = root
        self.old = old
        self.out = out
        self.folder = root / old.header.cwd
        if not self.folder.is_dir():
            place = Place(key=f"run {old.id}")
            raise ReplayError(
                f"was started in {old.header.cwd}, which is no folder any more",
                place=place,
                hint="make the folder again, or run pytest with --screen-replay where you like",
            )
        self._kept = Path(old.header.executable).exists()
        self.executable = old.header.executable if self._kept else sys.executable

    def notes(self) -> list[str]:
        """Where it runs, and what is not as it was."""
        told = [f"in {self.folder} with {self.executable}"]
        if not self._kept:
            told.append(f"not with {self.old.header.executable}, which the run used and which is gone")
        environment, hash_seed = self.old.header.environment, self.old.header.hash_seed
        if environment:
            target = Target(self.old.id, "LANE")
            in_tox = shlex.join(command(target, environment=environment, hash_seed=hash_seed, program=()))
            told.append(f"without the variables that tox sets for {environment}; with them: {in_tox}")
        return told

    def command(self, lane: Lane, *, is_cut: bool) -> tuple[str, ...]:
        """The command line that replays a lane.

        Args:
            lane: what to run.
            is_cut: whether it ends before the old lane did.
        """
        header = self.old.header
        target = Target(self.old.id, lane.name, lane.node_ids[-1] if is_cut else None)
        safe = () if header.cwd_importable else ("-P",)
        return (
            *(self.executable, *safe, "-m", "pytest", "--screen-replay", str(target)),
            *without_replay(header.argv),
        )

    def run(self, lanes: Sequence[Lane], *, is_cut: bool, together: bool) -> tuple[list[Repeat], bool]:
        """Run lanes, let them talk, and compare.

        Args:
            lanes: what to run.
            is_cut: whether the lane ends before the old one did.
            together: whether to keep what each lane says until it ends, so that no two talk at the same time.

        Returns:
            The lanes in the order in which they ended, and whether they were told to stop.
        """
        known = set(run_folders(self.root))
        by_name = {lane.name: lane for lane in lanes}
        repeats: list[Repeat] = []

        def on_end(ended: Ended) -> None:
            lane = by_name[ended.job.name]
            again = self._recorded(lane, known)
            repeats.append(Repeat(lane, ended, again, likeness(self.old, lane, again) if again else None))
            if ended.job.output is not None:
                self._print(ended, ended.job.output)

        with ExitStack() as files:
            jobs = []
            for lane in lanes:
                output = files.enter_context(tempfile.TemporaryFile()) if together else None
                command = self.command(lane, is_cut=is_cut)
                jobs.append(Job(lane.name, command, self.folder, self._environment(lane), output, self.out))
            stopped = run_all(jobs, on_end)
        return repeats, stopped

    def _environment(self, lane: Lane) -> dict[str, str]:
        _, seed = seeds(self.old, lane.name)
        return {**host.environment(), **({} if seed is None else {"PYTHONHASHSEED": seed})}

    def _print(self, ended: Ended, output: IO[bytes]) -> None:
        """All that a lane said, under a title."""
        print_page(Page(f"lane {ended.job.name}: {ended.told()}"), self.out)
        output.seek(0)
        self.out.buffer.write(output.read())
        self.out.buffer.flush()

    def _recorded(self, lane: Lane, known: set[Path]) -> Run | None:
        """The newest run that replays the lane and was not there before."""
        deadline = host.CLOCK.elapsed() + _LAST_WORDS
        for folder in run_folders(self.root):
            try:
                again = read_run(folder) if folder not in known else None
                if again is None or again.header.replay_of != f"{self.old.id}:{lane.name}":
                    continue
                # What killed the process is written down by its guard, which outlives it a moment.
                while _is_cut_off(again) and host.CLOCK.elapsed() < deadline:
                    host.CLOCK.sleep(0.05)
                    again = read_run(folder)
            except CorruptJournalError:
                continue
            return again
        return None


def _is_cut_off(again: Run) -> bool:
    """Whether the process is gone in the middle of a test, and nobody has said why."""
    last = again.attempts[-1] if again.attempts else None
    return again.exit_status is None and last is not None and last.outcome is Outcome.NOT_RUN
