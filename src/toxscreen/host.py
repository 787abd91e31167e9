"""The only reader of clock, cores, environment variables and git.

Facts about the machine come from chains of small providers, the first answer wins. Nothing here decides anything.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from toxscreen.model import RATCHET

try:
    import resource
except ImportError:  # pragma: no cover - Windows
    _usage = None
else:
    _usage, _CHILDREN = resource.getrusage, resource.RUSAGE_CHILDREN

_fstat, _getpid = os.fstat, os.getpid  # tests replace them


def _children() -> float | None:
    if _usage is None:  # pragma: no cover - Windows
        return None
    used = _usage(_CHILDREN)
    return used.ru_utime + used.ru_stime


class Clock(NamedTuple):
    """Early references to the clocks.

    Tests freeze ``time.time`` by replacing module attributes; what hangs on an instance stays real.
    """

    #: Seconds since the epoch.
    wall: Callable[[], float] = time.time
    #: Seconds since some moment, never running backwards.
    elapsed: Callable[[], float] = time.perf_counter
    #: Waits so many seconds.
    sleep: Callable[[float], None] = time.sleep
    #: Seconds that this process has computed, all its threads together.
    computed: Callable[[], float] = time.process_time
    #: Seconds that the processes have computed which it started and waited for; None where the system does not say.
    children: Callable[[], float | None] = _children


CLOCK = Clock()


def environment() -> Mapping[str, str]:
    """The environment variables of this process."""
    return os.environ


def is_ci(variables: Mapping[str, str] | None = None) -> bool:
    """Whether this runs in continuous integration (``CI`` is set, and not to a word for no).

    Args:
        variables: environment to look in; this process's own when left out.
    """
    value = (environment() if variables is None else variables).get("CI", "")
    return value.strip().lower() not in {"", "0", "false", "no", "off"}


# cores


def _cores_of_quota(root: Path) -> int | None:
    """Cores granted by a control group's CPU quota, rounded up; None without a quota."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]
        if quota != "max" and int(period) > 0:
            return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    try:
        quota_us = int((root / "cpu/cpu.cfs_quota_us").read_text())
        period_us = int((root / "cpu/cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return max(1, -(-quota_us // period_us)) if quota_us > 0 and period_us > 0 else None


def _cores_of_affinity() -> int | None:
    """Cores this process may run on; None where the system does not tell."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0)) or None
    return None


def usable_cores() -> tuple[int, ...]:
    """The numbers of the cores this process may run on; none where the system does not tell."""
    if sys.platform == "linux":
        return tuple(sorted(os.sched_getaffinity(0)))
    return ()


def cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """How many tests can run at once: affinity and control-group quota respected, at least 1.

    Args:
        cgroup: where the control group's files lie.
    """
    known = [_cores_of_quota(cgroup), _cores_of_affinity() or os.cpu_count()]
    return min((count for count in known if count is not None), default=1)


def facts() -> dict[str, str]:
    """What is written into a run's header about the machine."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "cores": str(cores()),
    }


def interpreter() -> str:
    """Which Python this is, such as ``CPython 3.14`` or ``CPython 3.14t``, whose measurements are of no other."""
    # Windows has no flags before Python 3.14.
    flags = getattr(sys, "abiflags", "")
    return f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]}{flags}"


# git


#: Variables that name a repository: git sets them where it calls a hook, and they win over the folder asked for.
GIT_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
#: How long git may think, in seconds; and how long it may write a working tree.
_SHORT, _LONG = 30.0, 600.0


def _git(root: Path, *arguments: str, given: bytes | None = None, seconds: float = _SHORT) -> bytes | None:
    """Standard output of a git command that is given some input; None when git is missing, refuses or takes long."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        command = [git, "-C", os.fspath(root), *arguments]
        variables = {name: value for name, value in os.environ.items() if name not in GIT_VARIABLES}
        done = subprocess.run(command, input=given, env=variables, capture_output=True, check=False, timeout=seconds)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def git_commit(root: Path) -> str | None:
    """The commit checked out at ``root``; None without git, repository or commit."""
    answer = _git(root, "rev-parse", "--verify", "HEAD")
    return answer.decode("ascii", "replace").strip() if answer else None


def git_head(root: Path) -> tuple[str | None, str | None]:
    """The commit checked out at ``root`` and git's name for its content, asked for at once; None for what is not there.

    Args:
        root: the project's root.
    """
    answer = (_git(root, "rev-parse", "HEAD", "HEAD^{tree}") or b"").decode("ascii", "replace").split()
    return (answer[0], answer[1]) if len(answer) == 2 else (None, None)  # noqa: PLR2004 - as many as were asked for


def git_changes(root: Path) -> str | None:
    """A fingerprint of what differs from the commit: edits of tracked files and untracked Python files.

    Returns:
        A short digest; None when nothing differs, or without git and a commit. Where git cannot tell, no two answers
        are equal: what cannot be compared has changed.
    """
    # What a gate writes down changes nothing that was measured.
    own = ("--", ":/", f":(exclude,top,glob)**/{RATCHET}")
    edits = _git(root, "diff", "HEAD", "--no-ext-diff", "--no-color", "--binary", *own)
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", "*.py")
    if (edits is None or untracked is None) and git_commit(root) is not None:
        return f"unknown-{os.urandom(4).hex()}"
    if not edits and not untracked:
        return None
    digest = hashlib.sha256(edits or b"")
    for name in sorted((untracked or b"").split(b"\0")):
        if name:
            digest.update(name + b"\0")
            try:
                digest.update((root / os.fsdecode(name)).read_bytes())
            except OSError:
                continue
    return digest.hexdigest()[:16]


def git_toplevel(root: Path) -> Path | None:
    """The top folder of the repository that a folder lies in; None without one."""
    answer = _git(root, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(answer.rstrip(b"\n"))) if answer else None


def git_is_shallow(root: Path) -> bool:
    """Whether the repository has only the end of its history."""
    return _git(root, "rev-parse", "--is-shallow-repository") == b"true\n"


def git_resolve(root: Path, revision: str) -> str | None:
    """The full id of a commit; None where there is no such revision."""
    answer = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return answer.decode("ascii", "replace").strip() if answer else None


def git_merge_base(root: Path, one: str, other: str) -> str | None:
    """The commit at which two revisions parted; None where they have nothing in common or are not there."""
    answer = _git(root, "merge-base", one, other)
    return answer.decode("ascii", "replace").strip() if answer else None


def git_default_branch(root: Path) -> str | None:
    """The branch that others start from: what the remote calls its head, else ``main`` or ``master``."""
    answer = _git(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if answer:
        return answer.decode("utf-8", "replace").strip()
    names = ("origin/main", "origin/master", "main", "master")
    return next((name for name in names if git_resolve(root, name) is not None), None)


def git_diff(root: Path, base: str) -> str | None:
    """What differs between a revision and the files as they are, as a unified diff without context.

    Paths are relative to ``root``; what lies elsewhere in the repository is left out. A renamed file is no new one.

    Args:
        root: the project's root.
        base: the revision.

    Returns:
        None without git or such a revision.
    """
    # The user's own settings must not change the format.
    options = ("--unified=0", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", "--relative")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
    answer = _git(root, "-c", "core.quotePath=false", "diff", *options, *prefixes, "--end-of-options", base, "--", ".")
    return None if answer is None else answer.decode("utf-8", "surrogateescape")


def git_edited(root: Path) -> tuple[str, ...] | None:
    """Tracked files that differ from the commit, added and removed ones included; relative to the repository's top.

    Args:
        root: the repository's top folder.

    Returns:
        None where git does not say.
    """
    return _names(_git(root, "diff", "HEAD", "--name-only", "--no-renames", "--no-ext-diff", "-z"))


def git_untracked(root: Path) -> tuple[str, ...] | None:
    """Files that are neither tracked nor ignored, relative to the root; None where git does not say."""
    return _names(_git(root, "ls-files", "--others", "--exclude-standard", "-z"))


def _names(answer: bytes | None) -> tuple[str, ...] | None:
    return None if answer is None else tuple(os.fsdecode(name) for name in answer.split(b"\0") if name)


def git_files(root: Path, *patterns: str) -> tuple[str, ...] | None:
    """Files that are tracked, or could be, and are there; relative to the root, sorted.

    Args:
        root: the project's root.
        patterns: as git takes them; all files when left out.

    Returns:
        None without git or repository.
    """
    answer = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *patterns)
    if answer is None:
        return None
    names = {os.fsdecode(name) for name in answer.split(b"\0") if name}
    return tuple(sorted(name for name in names if (root / name).is_file()))


def git_show(root: Path, revision: str, path: str) -> bytes | None:
    """The content of a file at a revision; None where it was not there.

    Args:
        root: the project's root.
        revision: the revision.
        path: relative to the root, with forward slashes.
    """
    return _git(root, "show", "--end-of-options", f"{revision}:./{path}")


def git_contents(root: Path, revision: str, wanted: Callable[[str], bool]) -> dict[str, bytes] | None:
    """The content of many files at a revision.

    Args:
        root: the project's root.
        revision: the revision.
        wanted: says of a path, relative to the root with forward slashes, whether its content is wanted.

    Returns:
        Contents by path; None without git or such a revision.
    """
    listed = _git(root, "ls-tree", "-r", "-z", revision)
    if listed is None:
        return None
    names: list[str] = []
    ids: list[bytes] = []
    for entry in filter(None, listed.split(b"\0")):
        about, _, path = entry.partition(b"\t")
        mode, _, object_id = about.split(b" ")
        name = os.fsdecode(path)
        if mode.startswith(b"100") and wanted(name):
            names.append(name)
            ids.append(object_id)
    rest = _git(root, "cat-file", "--batch", given=b"".join(object_id + b"\n" for object_id in ids))
    contents: dict[str, bytes] = {}
    for name in names:
        head, found, rest = (rest or b"").partition(b"\n")
        size = head.split(b" ")[-1]
        if not found or not size.isdigit():
            return None
        contents[name], rest = rest[: int(size)], rest[int(size) + 1 :]
    return contents


def git_ignored(root: Path, *patterns: str) -> tuple[str, ...]:
    """Ignored files, relative to the root.

    Args:
        root: the project's root.
        patterns: that their names match, such as ``*.so``.
    """
    answer = _git(root, "ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *patterns)
    return tuple(os.fsdecode(name) for name in (answer or b"").split(b"\0") if name)


def git_worktrees(root: Path) -> tuple[Path, ...]:
    """The working trees of a repository, also those whose folders are gone."""
    lines = (_git(root, "worktree", "list", "--porcelain", "-z") or b"").split(b"\0")
    return tuple(Path(os.fsdecode(line[9:])) for line in lines if line.startswith(b"worktree "))


#: Without the project's hooks, and without advice.
_QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "advice.detachedHead=false")


def git_add_worktree(root: Path, folder: Path, commit: str) -> bool:
    """Check a commit out into a folder of its own, without the project's hooks.

    Returns:
        Whether it is there.
    """
    return _git(root, *_QUIET, "worktree", "add", "--detach", os.fspath(folder), commit, seconds=_LONG) is not None


def git_add_clone(root: Path, folder: Path, commit: str) -> bool:
    """Check a commit out into a repository of its own, which borrows its objects: nothing is written to this one.

    Returns:
        Whether it is there.
    """
    clone = ("clone", "--quiet", "--shared", "--no-checkout", "--", ".", os.fspath(folder))
    if _git(root, *_QUIET, *clone, seconds=_LONG) is None:
        return False
    return _git(folder, *_QUIET, "checkout", "--quiet", "--detach", commit, seconds=_LONG) is not None


def git_remove_worktree(root: Path, folder: Path) -> None:
    """Take such a folder away, with all that is in it; git knows nothing of it afterwards."""
    _git(root, "worktree", "remove", "--force", "--force", os.fspath(folder))


# running commands


def same_program(name: str) -> bool:
    """Whether typing ``name`` in a shell would start the one installed beside this interpreter."""
    found = shutil.which(name)
    return found is not None and Path(found).parent.resolve() == Path(sys.executable).parent.resolve()


# this process


def process_id() -> int:
    """The id of this process."""
    return _getpid()


def is_running(process: int) -> bool:
    """Whether there is a process of this id."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def place(descriptor: int) -> tuple[int, int] | None:
    """The device and file that a descriptor belongs to; None when it is closed."""
    try:
        status = _fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def busy_seconds() -> float | None:
    """What all cores of the machine together have computed since it started, in seconds; None where nobody tells."""
    try:
        with open("/proc/stat", encoding="ascii") as file:  # noqa: PTH123 - tests replace Path's
            name, *ticks = file.readline().split()
        # proc_stat(5): user, nice, system, idle, iowait, irq, softirq, then what other machines took.
        user, nice, system, _, _, irq, softirq = map(int, ticks[:7])
        return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK") if name == "cpu" else None
    except (OSError, ValueError):
        return None


def open_for_append(path: Path) -> int:
    """A descriptor that appends to a file, which is made when it is missing.

    Raises:
        OSError: it cannot be opened.
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)


def other_stacks() -> str:
    """The stacks of all threads but this one, innermost call last, each under its thread's name."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"thread {names.get(ident, 'not made by Python')} ({ident})\n{''.join(traceback.format_stack(frame)).rstrip()}"
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 - the documented way to other threads' stacks
        if ident != threading.get_ident()
    )
