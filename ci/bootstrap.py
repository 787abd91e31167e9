"""Virtual environments for the scripts beside this file, made with nothing but Python and its own pip.

Importing it on a Python that is too old says so and ends the script with status 2. That is why neither this file nor
the scripts use syntax that an older Python cannot read.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - the scripts are started with whatever `python3` is
    print(
        "%s needs Python 3.11 or newer, this is %s (%s)" % (sys.argv[0], sys.version.split()[0], sys.executable),  # noqa: UP031 - see above
        file=sys.stderr,
    )
    sys.exit(2)

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "ci" / "pins.txt"
STATE = ROOT / ".toxscreen"


def environment(name: str, *arguments: str, pins: Path = PINS) -> Path:
    """A virtual environment with pinned packages, made when it is missing, half made or out of date.

    Args:
        name: of its folder in the project's state folder.
        arguments: what ``pip install`` shall install, under the pins.
        pins: a constraints file.

    Returns:
        The folder in which its programs lie.

    Raises:
        SystemExit: it cannot be made; the reason has been printed.
    """
    folder = STATE / name
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    # Written last: an environment without it was interrupted while it was made.
    stamp = folder / "complete"
    made_of = "\n".join((sys.executable, sys.version, *arguments, pins.read_text(encoding="utf-8")))
    digest = hashlib.sha256(made_of.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest and _starts(programs / "python"):
        return programs
    shutil.rmtree(folder, ignore_errors=True)
    print(f"making {folder.relative_to(ROOT)} ...", flush=True)
    _must([sys.executable, "-m", "venv", str(folder)], "Debian and Ubuntu have it in the package python3-venv")
    install = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _must([*install, "--constraint", str(pins), *arguments], "is a package index reachable?")
    stamp.write_text(digest, encoding="utf-8")
    return programs


def program(name: str, command: str, *arguments: str, pins: Path = PINS) -> Path:
    """A program: the one that is installed already, or else one in a virtual environment of its own.

    Args:
        name: of the environment, see :func:`environment`.
        command: the program's name.
        arguments: what ``pip install`` shall install, under the pins.
        pins: a constraints file.

    Raises:
        SystemExit: the environment cannot be made.
    """
    found = shutil.which(command)
    return Path(found) if found else environment(name, *arguments, pins=pins) / command


def variables(programs: Path) -> dict[str, str]:
    """Environment variables with which the programs of a virtual environment are found first."""
    return {**os.environ, "PATH": str(programs) + os.pathsep + os.environ.get("PATH", "")}


def _starts(python: Path) -> bool:
    """Whether an interpreter still works; the one it was made from may be gone."""
    try:
        return subprocess.run([str(python), "-c", ""], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _must(command: list[str], hint: str) -> None:
    """Run a command; when it fails, print it with a hint and end the script with status 2."""
    status = subprocess.run(command, check=False, cwd=ROOT).returncode
    if status:
        print(f"{sys.argv[0]}: status {status} from: {' '.join(command)}\n  {hint}", file=sys.stderr)
        sys.exit(2)
