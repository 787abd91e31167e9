"""One run of pytest for a proof: started in a copy of the project, with that copy first on Python's path."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from toxscreen.analysis import proof_reporter

#: Seconds that the changed tests may take.
LIMIT: Final = 600.0
_PLUGIN: Final = "toxscreen_proof_reporter"
#: Variables of a run around this one that mean nothing, or harm, in it.
_NOT_HANDED_ON: Final = ("PYTEST_", "COV_CORE_", "COVERAGE_", "GIT_")
#: Lines of pytest's output that are shown when it did not come to its end.
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What came of the tests of one run; tests are named by function, whatever their parameters."""

    wanted: tuple[str, ...]
    #: Why nothing is known, in words.
    problem: str = ""
    #: Outcomes and reasons of each function's tests.
    outcomes: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    #: Files that could not be collected: ``node``, ``file`` in which the exception was raised, ``why``.
    broken: tuple[dict[str, str], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The functions that pytest took for tests."""
        return frozenset(self.outcomes)

    def failed(self, name: str) -> bool:
        """Whether a test of a function failed."""
        return any(outcome == "failed" for outcome, _ in self.outcomes.get(name, ()))

    def passed(self, name: str) -> bool:
        """Whether a test of a function passed, and none failed."""
        found = [outcome for outcome, _ in self.outcomes.get(name, ())]
        return "passed" in found and "failed" not in found

    def why(self, name: str) -> str:
        """The first failure."""
        return next((why for outcome, why in self.outcomes.get(name, ()) if outcome == "failed"), "")


class Run:
    """Runs tests in a copy.

    Args:
        root: of the project.
        folder: for what the runs need besides.
        tree: the copy.
        source: files whose packages have to come from the copy.
        environment: variables that pytest is given, but for those of an outer run.
    """

    def __init__(
        self, root: Path, folder: Path, tree: Path, source: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._root, self._folder, self._tree = root, folder, tree
        homes = {home for file in source if (home := import_home(file)) is not None and _is_importable(root, *home)}
        self._packages = sorted({package for _, package in homes})
        self._paths = ["src", *sorted({path for path, _ in homes} - {"src"})]
        self._given = environment

    def tests(self, name: str, wanted: Sequence[str]) -> Told:
        """Run tests.

        Args:
            name: of this run.
            wanted: functions, each as its file, two colons and its qualified name.
        """
        place = self._folder / name
        for each in ("home", "tmp", "lib"):
            (place / each).mkdir(parents=True)
        shutil.copyfile(proof_reporter.__file__, place / "lib" / f"{_PLUGIN}.py")
        orders, answer = place / "orders.json", place / "answer.json"
        told = {"wanted": list(wanted), "packages": self._packages, "answer": str(answer), "root": str(self._tree)}
        orders.write_text(json.dumps(told), encoding="utf-8")
        files = sorted({each.partition("::")[0] for each in wanted})
        status = self._start(place, [file for file in files if (self._tree / file).exists()])
        try:
            found = json.loads(answer.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            log = (place / "log").read_text(encoding="utf-8", errors="replace")
            return Told(tuple(wanted), without_answer(name, status, log))
        problem = foreign(found["homes"], self._tree, name)
        outcomes: dict[str, list[tuple[str, str]]] = {}
        for node_id, each in found["tests"].items():
            outcomes.setdefault(proof_reporter.function_of(node_id), []).append((each["outcome"], each["why"]))
        return Told(tuple(wanted), problem, outcomes, tuple(found["broken"]))

    def _start(self, place: Path, files: Sequence[str]) -> int | None:
        """Run pytest to its end; None when it takes too long."""
        options = ["-p", _PLUGIN, "-p", "no:randomly", "-q", "--maxfail=0", "--continue-on-collection-errors"]
        if importlib.util.find_spec("xdist") is not None:
            options += ["-n", "0"]
        options += ["-o", f"cache_dir={place / 'cache'}", f"--rootdir={self._tree}"]
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *options, *files],
                cwd=self._tree,
                env=self._environment(place),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                return process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                return None
            finally:
                _end(process)

    def _environment(self, place: Path) -> dict[str, str]:
        env = {name: value for name, value in self._given.items() if not name.startswith(_NOT_HANDED_ON)}
        paths = [os.fspath(place / "lib"), *(os.fspath(self._tree / path) for path in self._paths)]
        paths += [self._in_copy(part) for part in env.get("PYTHONPATH", "").split(os.pathsep) if part]
        own = {"HOME": place / "home", "USERPROFILE": place / "home"}
        own |= dict.fromkeys(("TMPDIR", "TMP", "TEMP"), place / "tmp")
        return {
            **env,
            **{name: os.fspath(path) for name, path in own.items()},
            proof_reporter.ORDERS: os.fspath(place / "orders.json"),
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
            # Files are replaced between two runs, perhaps by others of the same size in the same second.
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _in_copy(self, part: str) -> str:
        path = Path(part)
        return os.fspath(self._tree / path.relative_to(self._root)) if path.is_relative_to(self._root) else part


def foreign(homes: Mapping[str, str], tree: Path, name: str) -> str:
    """Why what ran is not what was to be run; nothing where it is.

    Args:
        homes: the file that each package was imported from; empty where it is not there.
        tree: the copy.
        name: of the run.
    """
    for package, home in homes.items():
        if home and not Path(home).is_relative_to(os.path.realpath(tree)):
            return f"{package} is imported from {home}, and not from the copy of the project ({name})"
    return ""


def without_answer(name: str, status: int | None, log: str) -> str:
    """Why a run told nothing.

    Args:
        name: of the run.
        status: pytest's exit status; None where it took too long.
        log: what it printed.
    """
    if status is None:
        return f"the changed tests took longer than {LIMIT:g} s ({name})"
    lines = [line for line in log.splitlines() if line.strip()]
    return f"pytest did not come to its end ({name}, exit status {status}): {' / '.join(lines[-_SHOWN:])[:400]}"


def import_home(file: str) -> tuple[str, str] | None:
    """Which folder has to be on Python's path for a source file, and the package or module that it belongs to there.

    Args:
        file: relative to the root, with forward slashes.

    Returns:
        None for what nobody can import from there.
    """
    path = PurePosixPath(file)
    folder, rest = ("src", path.parts[1:]) if path.parts[0] == "src" and len(path.parts) > 1 else (".", path.parts)
    package = rest[0].removesuffix(".py")
    return (folder, package) if package.isidentifier() else None


def _is_importable(root: Path, folder: str, package: str) -> bool:
    """Whether a package or module is surely found there; of a folder alone there may be another one elsewhere."""
    place = root / folder / package
    return folder == "src" or (place / "__init__.py").exists() or place.with_suffix(".py").exists()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a run and whatever it has started."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
