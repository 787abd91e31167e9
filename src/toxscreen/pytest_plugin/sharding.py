"""``--screen-shard``: run one of several parts of the tests, and leave a manifest by which a merge proves the whole."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

from toxscreen import host
from toxscreen.analysis import stamp
from toxscreen.analysis.checkpoint import is_measured
from toxscreen.errors import CorruptJournalError, Place, ShardError
from toxscreen.journal import manifest as journal
from toxscreen.journal.codec import header_from_json
from toxscreen.journal.history import digest_of, load_history, read_history, write_history
from toxscreen.journal.read import read_run
from toxscreen.journal.store import HEADER
from toxscreen.model import Case, History, Manifest, Shard
from toxscreen.plan.shard import history_digest, split
from toxscreen.plan.which_shard import VARIABLE
from toxscreen.pytest_plugin.fixtures import telling_cases
from toxscreen.pytest_plugin.screen import XDIST_KEY, Screen, worker_input
from toxscreen.settings import STATE

_KEY: Final = "history"


class Split:
    """Leaves the tests of other shards out, in each process that collects."""

    def __init__(self, screen: Screen, shard: Shard) -> None:
        self.screen = screen
        self.shard = shard

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """After everybody else: what is left now is what the shards have to run together."""
        result = yield
        if not self.screen.problems.errors:
            try:
                self._split(config, items)
            except ShardError as error:
                self.screen.problems.add_error(error.render())
                items.clear()
        return result

    def _split(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        told = {case.node_id: case for case in telling_cases(items)}
        cases = [told.get(item.nodeid) or Case(item.nodeid, item.nodeid.partition("::")[0]) for item in items]
        history = self._history(config)
        mine = set(split(cases, history, self.shard.of)[self.shard.number - 1].node_ids)
        self._tell(cases, history)
        others = [item for item in items if item.nodeid not in mine]
        if others:
            items[:] = [item for item in items if item.nodeid in mine]
            self.screen.other_shards = len(others)
            self.screen.is_splitting = True
            config.hook.pytest_deselected(items=others)
            self.screen.is_splitting = False

    def _history(self, config: pytest.Config) -> History:
        handed = worker_input(config)
        if handed is None:
            known = self.screen.history
            return load_history(self.screen.settings.root, but=self.screen.folder) if known is None else known
        path, digest = handed[XDIST_KEY][_KEY]
        if not digest or digest_of(Path(path)) != digest:
            raise ShardError(
                "a worker cannot read the history by which the tests are split",
                place=Place(path),
                hint="workers of a shard run on one machine, and the folder of the run has to be writable",
            )
        return read_history(Path(path))

    def _tell(self, cases: list[Case], history: History) -> None:
        if self.screen.pulses is None:
            return
        node_ids = (case.node_id for case in cases)
        try:
            journal.write_split(self.screen.pulses, node_ids, history_digest(history, cases), process=host.process_id())
        except OSError as error:
            self.screen.problems.warn("journal-unwritable", f"what was split is not recorded: {error}")


class LeadShard:
    """Has all processes of the run split by one history, and writes the manifest."""

    def __init__(self, config: pytest.Config, screen: Screen, shard: Shard) -> None:
        self.config = config
        self.screen = screen
        self.shard = shard
        self._process = host.process_id()
        self._digest = ""
        self._before: tuple[str, ...] = ()
        self._variable: str | None = None

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        """After the run's folder is made, and before a worker starts."""
        # Suites that tests run in processes of their own are not split.
        self._variable = os.environ.pop(VARIABLE, None)
        self.screen.history = load_history(self.screen.settings.root, but=self.screen.folder)
        state = self.screen.settings.root / STATE
        try:
            before = stamp.data_files(self._measured())
            self._before = tuple(sorted(file.relative_to(state).as_posix() for file in before))
        except OSError as error:
            self.screen.problems.warn("journal-unwritable", f"the coverage data of before cannot be listed: {error}")
        if self.screen.pulses is not None:
            try:
                self._digest = write_history(self.screen.pulses / journal.HISTORY, self.screen.history)
            except OSError as error:
                self.screen.problems.warn("journal-unwritable", f"the history of the run is not recorded: {error}")

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which shard this is, and by which history to split."""
        path = os.fspath(self.screen.pulses / journal.HISTORY) if self.screen.pulses is not None else ""
        node.workerinput[XDIST_KEY] |= {"shard": str(self.shard), _KEY: (path, self._digest)}

    def pytest_report_header(self) -> str:
        """Which part runs here."""
        return f"toxscreen: shard {self.shard}"

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """How much of the whole that was."""
        selection = self.screen.selection
        if selection is None or self.screen.folder is None or self.screen.problems.errors:
            return
        try:
            mine = len(journal.planned(self.screen.folder))
        except (OSError, ValueError):
            return
        terminalreporter.write_line(
            f"toxscreen: shard {self.shard}: {mine} of {mine + selection.other_shards} tests are its own; "
            "`toxscreen merge` joins the shards"
        )

    def pytest_unconfigure(self) -> None:
        """After the run's own files are closed."""
        if host.process_id() != self._process:
            # A test forked, and the child came back from it.
            return
        if self._variable is not None:
            os.environ[VARIABLE] = self._variable
        if self.screen.folder is not None and self.screen.folder.is_dir():
            try:
                journal.write_manifest(self.screen.folder, self._manifest(self.screen.folder))
            except (OSError, ValueError, CorruptJournalError):
                # Without its manifest the merge says that this shard did not end.
                return
            (self.screen.folder / journal.SPLIT).unlink(missing_ok=True)

    def _manifest(self, folder: Path) -> Manifest:
        collected, history = journal.read_split(folder)
        header = header_from_json((folder / HEADER).read_text(encoding="utf-8"))
        state = self.screen.settings.root / STATE
        junit = self._junit(state)
        # What this process measured is only written when it ends.
        own = f".pid{self._process}."
        measured = [file for file in stamp.data_files(self._measured()) if own not in file.name]
        files = [*journal.run_files(folder), *measured]
        files += [file for file in (junit, self._measured() / stamp.FILE) if file is not None and file.is_file()]
        return Manifest(
            schema=journal.SCHEMA,
            run=header.run,
            shard=self.shard,
            category=header.category,
            environment=header.environment,
            commit=header.commit,
            changes=header.changes,
            tree=header.tree,
            configuration=header.configuration,
            seed=header.seed,
            python=host.interpreter(),
            history=history,
            collected=collected,
            planned=journal.planned(folder),
            ran=tuple(sorted({attempt.node_id for attempt in read_run(folder).attempts})),
            files=journal.checksums(state, files),
            junit=junit.relative_to(state).as_posix() if junit is not None else None,
            measuring=self._process if is_measured() else None,
            before=self._before,
        )

    def _junit(self, state: Path) -> Path | None:
        """The JUnit file, where it lies in the state folder."""
        given = getattr(self.config.option, "xmlpath", None)
        if not given:
            return None
        path = (self.config.invocation_params.dir / Path(os.path.expandvars(given)).expanduser()).resolve()
        # Either may be reached through a link.
        inside = path.relative_to(state.resolve()) if path.is_relative_to(state.resolve()) else None
        return state / inside if inside is not None and path.is_file() else None

    def _measured(self) -> Path:
        """Where coverage data of this environment is kept."""
        name = host.environment().get("TOX_ENV_NAME") or self.screen.category
        return stamp.folder(self.screen.settings.root) / name
