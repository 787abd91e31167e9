"""The suite that is hunted through: how its pytest is started, where, and in which environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import toxscreen
from toxscreen import host
from toxscreen.errors import HuntError, Place
from toxscreen.hunt import sandbox
from toxscreen.hunt.copies import Copies
from toxscreen.hunt.tree import made
from toxscreen.model import Frame, Origin, Outcome, Sighting

#: Variables of an outer run that mean nothing, or harm, in a probe.
_NOT_HANDED_ON: Final = ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID")
#: The child's names for its orders and files, see hunt/child.
ORDERS: Final = "TOXSCREEN_HUNT"
COLLECTED, COLLECTING = "collected.json", "collecting"


@dataclass(frozen=True, slots=True)
class Target:
    """A suite, and the interpreter that runs it."""

    #: Where pytest is started.
    root: Path
    #: What to collect; pytest's own settings decide where there is nothing.
    paths: tuple[str, ...] = ()
    #: Options of pytest.
    options: tuple[str, ...] = ()
    python: str = sys.executable
    category: str | None = None
    #: Value of PYTHONHASHSEED.
    hash_seed: str = "0"
    #: Of the project, in which pytest is started; it is started in the project itself without them.
    copies: Copies | None = None
    #: Bubblewrap's program and the hunt's folder, where pytest is started in a sandbox.
    sandbox: tuple[str, Path] | None = None

    def start(
        self,
        orders: dict[str, Any],
        place: Path,
        *,
        files: tuple[str, ...] = (),
        shared: Path | None = None,
        copy: Path | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        """Start pytest with the hunt's child in it.

        Args:
            orders: of the child.
            place: folder for HOME, temporary files and the log of what it prints; made here.
            files: collect these, and not the paths.
            shared: folder for HOME and temporary files, where another process has the same.
            copy: of the project, to start it in.
            pass_fds: descriptors that it inherits.

        Raises:
            HuntError: the interpreter cannot be started.
        """
        own = shared or place
        for each in (place, own / "home", own / "tmp"):
            each.mkdir(parents=True, exist_ok=True)
        category = ("--category", self.category) if self.category else ()
        command = (self.python, "-m", "pytest", "-p", "toxscreen.hunt.child", *category)
        cache = ("-o", f"cache_dir={place / 'cache'}")
        before: list[str] = []
        if self.sandbox is not None:
            # There a copy is seen in the project's own place.
            names = [name for name in made(self.root) if copy is not None]
            before, copy = sandbox.command(self.sandbox[0], self.root, self.sandbox[1], copy, names), None
        orders = {**orders, "root": os.fspath(self.root), "copy": os.fspath(copy) if copy else None}
        with (place / "log").open("wb") as log:
            try:
                return subprocess.Popen(
                    [*before, *command, *cache, *self.options, *(files or self.paths)],
                    cwd=copy or self.root,
                    env=self._environment(orders, place, own, copy),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=pass_fds,
                    start_new_session=True,
                )
            except OSError as error:
                raise HuntError(
                    f"{self.python} cannot be started: {error.strerror}",
                    place=Place(key="toxscreen hunt --python"),
                    hint="name a Python interpreter that has the project's packages and pytest",
                ) from None

    def _environment(self, orders: dict[str, Any], place: Path, own: Path, copy: Path | None) -> dict[str, str]:
        given: Mapping[str, str] = host.environment()
        env = {name: value for name, value in given.items() if name not in _NOT_HANDED_ON}
        if copy is not None and env.get("PYTHONPATH"):
            parts = [Path(part) if part else None for part in env["PYTHONPATH"].split(os.pathsep)]
            env["PYTHONPATH"] = os.pathsep.join(os.fspath(_in_copy(part, self.root, copy) or "") for part in parts)
        if self.python != sys.executable:
            # Of this interpreter's packages, the other one is given this one.
            package = place / "lib" / "toxscreen"
            package.parent.mkdir()
            package.symlink_to(Path(toxscreen.__file__).parent)
            env["PYTHONPATH"] = os.pathsep.join(filter(None, [env.get("PYTHONPATH"), os.fspath(package.parent)]))
        return {
            **env,
            ORDERS: json.dumps(orders),
            "HOME": os.fspath(own / "home"),
            "TMPDIR": os.fspath(own / "tmp"),
            "PYTHONHASHSEED": self.hash_seed,
        }


def _in_copy(path: Path | None, root: Path, copy: Path) -> Path | None:
    """The same path in the copy, where it is one of the project."""
    return copy / path.relative_to(root) if path is not None and path.is_relative_to(root) else path


@dataclass(frozen=True, slots=True)
class Collected:
    """What a suite consists of."""

    node_ids: tuple[str, ...]
    #: File or folder and why it could not be collected.
    broken: tuple[tuple[str, str], ...]
    #: What makes forks of this process doubtful, in words; and what makes them useless.
    hazards: tuple[str, ...] = ()
    unforkable: tuple[str, ...] = ()
    #: Why a copy of the project does not do, in words; nothing where it does.
    elsewhere: str = ""


def read_collected(folder: Path) -> Collected | None:
    """What the child wrote after collecting; None when it did not come that far."""
    try:
        told = json.loads((folder / COLLECTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Collected(
        tuple(told["node_ids"]),
        tuple((name, text) for name, text in told["broken"]),
        tuple(told.get("hazards", ())),
        tuple(told.get("unforkable", ())),
        told.get("elsewhere", ""),
    )


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The lines of a probe that are whole."""
    found = []
    try:
        content = file.read_bytes()
    except OSError:
        return []
    for line in content.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found


def sighting(told: dict[str, Any]) -> Sighting:
    """A line of a probe as what it saw."""
    origin = told.get("origin")
    return Sighting(
        told["node_id"],
        Outcome(told["outcome"]),
        _origin(origin) if origin else None,
        told.get("text"),
        tuple(told.get("touched", ())),
    )


def _origin(told: dict[str, Any]) -> Origin:
    causes = tuple(Frame(each["exception"], each["file"], each["line"]) for each in told["causes"])
    return Origin(told["exception"], told["file"], told["line"], causes)
