"""A sandbox of bubblewrap: probes may write into the project and the hunt's folder, and nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from toxscreen.errors import HuntError, MissingToolError, Place

_PLACE: Final = Place(key="toxscreen hunt --sandbox")
#: Seconds that a sandbox with nothing in it may take.
_LIMIT: Final = 30.0


def command(program: str, root: Path, folder: Path, copy: Path | None = None, read: Sequence[str] = ()) -> list[str]:
    """What to put before a command, so that it runs in a sandbox.

    Args:
        program: bubblewrap's.
        root: of the project.
        folder: the hunt's own.
        copy: is seen in the place of the project.
        read: names of folders in the project that are seen beside the copy, and not written to.
    """
    inside = [program, "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "--proc", "/proc", "--die-with-parent"]
    inside += ["--bind", os.fspath(copy or root), os.fspath(root)]
    for name in read if copy is not None else ():
        inside += ["--ro-bind", os.fspath(root / name), os.fspath(root / name)]
    return [*inside, "--bind", os.fspath(folder), os.fspath(folder), "--chdir", os.fspath(root), "--"]


def program(root: Path, folder: Path) -> str:
    """Bubblewrap's program, which was seen to work here.

    Args:
        root: of the project.
        folder: the hunt's own.

    Raises:
        MissingToolError: it is not installed.
        HuntError: the system does not let it make a sandbox.
    """
    found = shutil.which("bwrap")
    if found is None:
        raise MissingToolError(
            "bubblewrap is not installed",
            place=_PLACE,
            hint="install it (apt install bubblewrap, dnf install bubblewrap), or hunt without --sandbox",
        )
    try:
        tried = subprocess.run(
            [*command(found, root, folder), "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refused(str(error)) from None
    if tried.returncode:
        raise _refused(tried.stderr.strip() or f"it ended with status {tried.returncode}")
    return found


def _refused(why: str) -> HuntError:
    return HuntError(
        f"bubblewrap is installed, but this system does not let it make a sandbox: {why}",
        place=_PLACE,
        hint="allow user namespaces to this user or container, or hunt without --sandbox",
    )
