"""Leading a run, in the process that reports to the user: folder and header, workers that come and go, the end."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Generator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from toxscreen import __version__, host
from toxscreen.analysis.configuration import configuration
from toxscreen.guard.pulse import SUFFIX
from toxscreen.guard.watch import GuardProcess
from toxscreen.journal.codec import SCHEMA, header_to_json
from toxscreen.journal.store import COLLECTION, HEADER, LEAD, new_run, prune
from toxscreen.journal.write import Shard
from toxscreen.model import Event, EventKind, Header, Outcome, Selection
from toxscreen.probes.calls import exempt
from toxscreen.pytest_plugin.screen import XDIST_KEY, Screen, is_distributed, tx_count

_TOOLS = ("pytest", "pytest-xdist", "pytest-randomly", "pytest-timeout", "coverage")
#: What only serves while the run goes on.
_PASSING = (".pulse", ".stacks", ".fault", ".claim", ".over", ".alone")


class Lead:
    """Keeps the run's own shard and tells every worker where to write."""

    def __init__(self, config: pytest.Config, screen: Screen) -> None:
        self.config = config
        self.screen = screen
        self._shard: Shard | None = None
        self._guard: GuardProcess | None = None
        self._process = host.process_id()
        self._collected = False
        self._hash_seed_set = False
        #: Text of a worker's death, by the test that it ran.
        self._deaths: dict[str, str] = {}

    # the beginning

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Make the run's folder and header before any worker starts."""
        with exempt():
            self._begin()

    def _begin(self) -> None:
        distributed = is_distributed(self.config)
        if distributed and "PYTHONHASHSEED" not in os.environ and self._seed() is not None:
            # Workers that hash alike collect alike, and a replay can hash like them.
            os.environ["PYTHONHASHSEED"] = str(self._seed())
            self._hash_seed_set = True
        try:
            now = host.CLOCK.wall()
            folder = new_run(self.screen.settings.root, self.screen.category, now)
            (folder / HEADER).write_text(header_to_json(self._header(folder.name, now)), encoding="utf-8")
            self.screen.folder = self.screen.pulses = folder
            self._shard = Shard(folder / f"{LEAD}.jsonl", lock=True)
        except OSError as error:
            self.screen.problems.warn("journal-unwritable", f"the run is not recorded: {error}")
            self.screen.folder = None
            self.screen.pulses = Path(tempfile.mkdtemp(prefix="toxscreen-"))
        if self._needs_guard():
            run = self.screen.folder.name if self.screen.folder else ""
            self._guard = GuardProcess(self.screen.pulses, run, alone=not distributed)
            if self._guard.problem is not None:
                self.screen.problems.warn("guard-missing", self._guard.problem)

    def _needs_guard(self) -> bool:
        chosen = self.screen.chosen
        limited = chosen is None or chosen.timeout.value > 0 or is_distributed(self.config)
        return limited or bool(self.screen.settings.services)

    def _seed(self) -> int | None:
        seed = getattr(self.config.option, "randomly_seed", None)
        return seed if isinstance(seed, int) else None

    def _header(self, run: str, now: float) -> Header:
        config, settings = self.config, self.screen.settings
        folder = os.fspath(config.invocation_params.dir)
        if Path(folder).is_relative_to(settings.root):
            folder = Path(folder).relative_to(settings.root).as_posix()
        variables = host.environment()
        target = self.screen.target
        commit, tree = host.git_head(settings.root)
        return Header(
            schema=SCHEMA,
            run=run,
            category=self.screen.category,
            started=round(now, 3),
            argv=tuple(map(str, config.invocation_params.args)),
            cwd=folder,
            executable=sys.executable,
            seed=self._seed(),
            hash_seed=variables.get("PYTHONHASHSEED"),
            cwd_importable=bool({"", os.fspath(config.invocation_params.dir)}.intersection(sys.path)),
            commit=commit,
            changes=host.git_changes(settings.root),
            workers=tx_count(config) if is_distributed(config) else 0,
            tools={"python": platform.python_version(), "toxscreen": __version__} | _versions(_TOOLS),
            host=host.facts(),
            chosen=self.screen.chosen.told() if self.screen.chosen else {},
            environment=variables.get("TOX_ENV_NAME"),
            replay_of=f"{target.run}:{target.lane}" if target else None,
            paths=tuple(argument for argument in map(str, config.invocation_params.args) if argument in config.args),
            configuration=configuration(settings.root),
            tree=tree,
            shard=str(self.screen.shard) if self.screen.shard else None,
        )

    def pytest_report_header(self) -> list[str]:
        """What was chosen for this run, and from where."""
        chosen = self.screen.chosen
        told = (
            [f"{name} {value}" for name, value in chosen.told().items()]
            if chosen
            else ["every test by its own category"]
        )
        lines = [f"toxscreen: category {self.screen.category}: " + ", ".join(told)]
        if self.screen.target is not None:
            lines.append(f"toxscreen: replay of {self.screen.target}")
        if self.screen.folder is not None:
            lines.append(f"toxscreen: run {self.screen.folder.name}")
        return lines

    # what was collected

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without workers, this process has collected."""
        if not is_distributed(self.config):
            self._note_collection([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Every worker collects the same; the first to say so is believed."""
        self._note_collection(ids)

    def _note_collection(self, node_ids: Sequence[str]) -> None:
        if self._collected or self.screen.folder is None:
            return
        self._collected = True
        try:
            (self.screen.folder / COLLECTION).write_text(json.dumps(list(node_ids), indent=0), encoding="utf-8")
        except OSError as error:
            self.screen.problems.warn("journal-unwritable", f"what was collected is not recorded: {error.strerror}")

    # workers

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where to write."""
        folder, pulses = self.screen.folder, self.screen.pulses
        node.workerinput[XDIST_KEY] = {
            "folder": os.fspath(folder) if folder else None,
            "pulses": os.fspath(pulses) if pulses else None,
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker ended: take over what it has to tell, or find out what it died of."""
        told = getattr(node, "workeroutput", {}).get(XDIST_KEY, {})
        for text in told.get("errors", ()):
            self.screen.problems.add_error(text)
        for slug, text in told.get("warnings", ()):
            self.screen.problems.warn(slug, text)
        self.screen.leaks.extend(told.get("leaks", ()))
        if "selection" in told:
            # Every worker collects the same.
            self.screen.selection = Selection(**told["selection"])
        if not error or error == "keyboard-interrupt" or self.screen.pulses is None:
            return
        from toxscreen.pytest_plugin.death import death_of

        death = death_of(node, self.screen.pulses)
        # The process id may soon belong to somebody else.
        with contextlib.suppress(OSError):
            (self.screen.pulses / f"{node.gateway.id}{SUFFIX}").unlink()
        if death.node_id is not None:
            self._deaths[death.node_id] = death.text
        if not death.recorded:
            self._write(
                Event(
                    EventKind.LANE_DOWN,
                    host.CLOCK.wall(),
                    node.gateway.id,
                    death.node_id,
                    Outcome.CRASHED if death.node_id else None,
                    text=death.text,
                    status=death.status,
                )
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        """Put what is known of a worker's death into the report of the test that it ran."""
        text = self._deaths.get(crashitem) or self._deaths.get(crashitem.rpartition("@")[0])
        if text is not None:
            report.longrepr = f"{report.longrepr}\n{text}"

    # the end

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Write the last line, when the exit status is settled."""
        folder = self.screen.folder
        if folder is not None and not folder.is_dir():
            self.screen.problems.warn("journal-unwritable", f"the run's folder {folder.name} was removed while it ran")
        try:
            return (yield)
        finally:
            self._write_end(session)

    def _write_end(self, session: pytest.Session) -> None:
        """How it ended, and whether it was all that there is to run."""
        selection = self.screen.selection
        if selection is not None:
            from toxscreen.pytest_plugin.narrowing import narrowing

            selection = selection._replace(narrowed=narrowing(self.config, self.screen))
        why = session.shouldfail or session.shouldstop
        self._write(
            Event(
                EventKind.FINISH,
                host.CLOCK.wall(),
                LEAD,
                text=str(why) if why else None,
                status=int(session.exitstatus),
                selection=selection,
            )
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """Dismiss the guard, close the shard, clean up, forget the oldest runs."""
        if host.process_id() != self._process:
            # A test forked, and the child came back from it.
            return
        if self._guard is not None:
            self._guard.bye()
        if self._shard is not None:
            self._shard.close()
        if self._hash_seed_set:
            os.environ.pop("PYTHONHASHSEED", None)
        if self.screen.folder is None:
            if self.screen.pulses is not None:
                shutil.rmtree(self.screen.pulses, ignore_errors=True)
            return
        for suffix in _PASSING:
            for file in self.screen.folder.glob("*" + suffix):
                with contextlib.suppress(OSError):
                    file.unlink()
        prune(self.screen.settings.root, self.screen.settings.retention.value)

    def _write(self, event: Event) -> None:
        if self._shard is not None:
            self._shard.write(event)
            if self._shard.problem is not None:
                self.screen.problems.warn("journal-unwritable", f"the record is not whole: {self._shard.problem}")


def _versions(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
