"""Other people's suites: fetched once, checked against their pins, unpacked and installed away from all else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from toxscreen import host

_PINS = Path(__file__).parent.parent / "real_world" / "suites.toml"
#: What a run needs of the environment around it; HOME, TMPDIR and everything else of the user's stay out.
_INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT")
#: How pip says that nobody could be asked, or that whoever was asked does not have it.
_NO_REGISTRY = ("No matching distribution found", "connection broken by", "Max retries exceeded", "HTTP error 5")
#: Seconds that one command may take; the test as a whole is under its category's limit.
_LIMIT = 240.0


@dataclass(frozen=True, slots=True)
class Pin:
    """One released suite."""

    name: str
    version: str
    #: Of its source distribution.
    sha256: str
    #: Tests that it surely has: two runs of nothing would agree as well.
    at_least: int
    #: What its tests import besides itself and pytest.
    requires: tuple[str, ...] = ()
    #: Whether our coverage may be measured while it runs.
    measured: bool = True

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def read_pins() -> list[Pin]:
    """The suites of suites.toml."""
    tables = tomllib.loads(_PINS.read_text(encoding="utf-8"))["suite"]
    return [Pin(**(table | {"requires": tuple(table.get("requires", ()))})) for table in tables]


def digest(file: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


# fetching


def pip(pin: Pin, *arguments: str) -> None:
    """Run the pip of this environment, which knows the user's registry, mirrors, proxies and certificates.

    No registry reachable: the test is skipped on a developer's machine and fails in continuous integration. Whatever
    else goes wrong, such as another hash, fails it everywhere.
    """
    # What pip executes is not to be measured.
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    options = ("--disable-pip-version-check", "--no-input", "--retries=2", "--timeout=15")
    command = [sys.executable, "-m", "pip", *options, *arguments]
    try:
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        _no_registry(pin, f"pip had no answer within {_LIMIT:g} s")
    if done.returncode:
        said = done.stdout + done.stderr
        missing_registry(pin, said)
        pytest.fail(f"pip could not make {pin} ready:\n{said}", pytrace=False)


def missing_registry(pin: Pin, said: str) -> None:
    """End the test, as above, where an installer says that nobody could be asked."""
    reasons = [line.strip() for line in said.splitlines() if any(words in line for words in _NO_REGISTRY)]
    if reasons:
        _no_registry(pin, reasons[0])


def _no_registry(pin: Pin, reason: str) -> NoReturn:
    message = f"{pin} is not in the cache, and no package registry that has it can be reached: {reason}"
    if host.is_ci():
        pytest.fail(f"{message} (skipped where CI is not set)", pytrace=False)
    pytest.skip(message)


@dataclass(frozen=True, slots=True)
class Cache:
    """Source distributions and the wheels built from them; with a full cache no network is needed.

    What is put there appears under its name by a rename, so that two workers or two runs can fetch the same at once.
    """

    folder: Path

    def sdist(self, pin: Pin) -> Path:
        """The pinned source distribution; a file with another hash is fetched again."""
        file = self._made("sdists") / f"{pin.name}-{pin.version}.tar.gz"
        if not file.is_file() or digest(file) != pin.sha256:
            with tempfile.TemporaryDirectory(dir=file.parent, prefix=".fetching-") as name:
                folder = Path(name)
                wanted = folder / "wanted.txt"
                wanted.write_text(f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}\n", encoding="utf-8")
                options = ("--no-deps", "--no-binary", pin.name, "--require-hashes", "--requirement", os.fspath(wanted))
                pip(pin, "download", *options, "--dest", name)
                (fetched,) = folder.glob("*.tar.gz")
                fetched.replace(file)
        return file

    def wheels(self, pin: Pin) -> list[Path]:
        """The wheel of the suite's package, built from its source distribution, and those that its tests require."""
        key = f"{pin.name}-{pin.version}-{pin.sha256[:8]}-{sys.implementation.cache_tag}"
        folder = self._made("wheels") / key
        if not folder.is_dir():
            sdist = self.sdist(pin)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as name:
                built = Path(name) / key
                pip(pin, "wheel", "--no-deps", "--wheel-dir", os.fspath(built), os.fspath(sdist), *pin.requires)
                try:
                    built.rename(folder)
                except OSError:
                    if not folder.is_dir():  # otherwise another worker was faster
                        raise
        return sorted(folder.glob("*.whl"))

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


# unpacking and running


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    exit: int
    output: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """A suite on disk, in a virtual environment, working directory, HOME and TMPDIR of its own."""

    pin: Pin
    #: What the source distribution holds; commands are run here.
    root: Path
    python: Path
    #: HOME and TMPDIR lie here.
    around: Path

    def run(self, module: str, *arguments: str, set_to: Mapping[str, str] | None = None, ours: bool = True) -> Done:
        """Run ``python -m MODULE ARGUMENTS``.

        Args:
            module: what to run.
            arguments: of that module.
            set_to: variables to set besides those that every run has.
            ours: whether toxscreen takes part, so that its coverage may be measured.
        """
        variables = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        for name, folder in (("HOME", "home"), ("TMPDIR", "tmp")):
            (self.around / folder).mkdir(exist_ok=True)
            variables[name] = os.fspath(self.around / folder)
        if ours and self.pin.measured:
            variables |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        done = subprocess.run(
            [os.fspath(self.python), "-m", module, *arguments],
            cwd=self.root,
            env=variables | dict(set_to or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_LIMIT,
        )
        return Done(done.returncode, done.stdout)


def unpack(pin: Pin, sdist: Path, folder: Path) -> Path:
    """Unpack a source distribution and return the one folder in it."""
    with tarfile.open(sdist) as archive:
        # Nothing may land outside the folder. Python before 3.11.4 does not know the filter; there the hash has to do.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
        archive.extractall(folder)
    found = list(folder.iterdir())
    assert len(found) == 1, f"{pin}: one folder was expected in {sdist.name}, found {found}"
    return found[0]


def make_environment(pin: Pin, wheels: list[Path], folder: Path) -> Path:
    """Make a virtual environment with the suite's package in it and return its interpreter."""
    venv.EnvBuilder(symlinks=os.name != "nt").create(folder)
    python = Path(sysconfig.get_path("scripts", "venv", {"base": os.fspath(folder)})) / Path(sys.executable).name
    if not python.exists():
        python = python.with_name("python.exe" if os.name == "nt" else "python")
    install = ("install", "--no-index", "--no-deps", "--no-warn-script-location")
    pip(pin, "--python", os.fspath(python), *install, *map(os.fspath, wheels))
    # pytest, its plugins and the toxscreen under test come from the environment that runs this test: it is that very
    # toxscreen which is to be tested, and downloading the rest four times would prove nothing. They come last, so that
    # the suite's own package wins over a version of it that one of our tools happens to need.
    tools = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    lines = [f"import site; site.addsitedir({tool!r})\n" for tool in tools]
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": os.fspath(folder)}))
    packages.joinpath("zz_tools.pth").write_text("".join(lines), encoding="utf-8")
    return python


def ready(pin: Pin, cache: Cache, folder: Path) -> Upstream:
    """A suite below a folder, ready to be run."""
    root = unpack(pin, cache.sdist(pin), folder / "source")
    python = make_environment(pin, cache.wheels(pin), folder / "venv")
    return Upstream(pin, root, python, folder)
