"""Which revision changes are compared with: one that somebody named, or where the branch left the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from toxscreen import host
from toxscreen.errors import BaseError, Place
from toxscreen.model import Base
from toxscreen.settings import FILE

#: Variables in which CI systems name the branch that a change is to be merged into.
_CI_BRANCHES = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "BITBUCKET_PR_DESTINATION_BRANCH")


def find_revision(root: Path, revision: str) -> Base:
    """A revision that somebody named, as it is: one of another branch, or a release.

    Raises:
        BaseError: there is no such revision.
    """
    commit = host.git_resolve(root, revision)
    if commit is None:
        if host.git_commit(root) is None:
            raise _without_git()
        told = f"there is no revision {revision!r}{_shallow(root)}"
        raise BaseError(told, place=Place(key="--against"), hint=hint_for(root, "perf.against"))
    return Base(commit, revision)


def find_base(
    root: Path,
    against: str | None,
    environment: Mapping[str, str],
    usual: str | None = None,
    *,
    setting: str = "gates.against",
) -> Base:
    """The revision to compare with.

    On a branch it is the commit at which the branch left the default branch. On the default branch itself it is the
    commit before the last one, or the last one where something is not committed yet.

    Args:
        root: the project's root.
        against: a revision that somebody named.
        environment: environment variables; CI systems say there what a change is to be merged into.
        usual: the revision that the settings name, for when nobody named one.
        setting: the key of that setting, below tool.toxscreen.

    Raises:
        BaseError: there is no such revision.
    """
    head = host.git_commit(root)
    if head is None:
        raise _without_git()
    if against is not None:
        return Base(_merge_base(root, head, against, Place(key="--against"), setting), against)
    if usual is not None:
        return Base(_merge_base(root, head, usual, Place(FILE, f"tool.toxscreen.{setting}"), setting), usual)
    branch = next((f"origin/{environment[name]}" for name in _CI_BRANCHES if environment.get(name)), None)
    branch = branch or host.git_default_branch(root)
    if branch is None:
        raise BaseError(
            "there is no default branch to compare with: no origin/HEAD, main or master",
            hint=f"name a revision: --against REV, or {setting} in pyproject.toml",
        )
    parted = _merge_base(root, head, branch, Place(key="the default branch"), setting)
    if parted != head:
        return Base(parted, f"merge base with {branch}")
    if host.git_changes(root) is not None:
        return Base(head, "the last commit")
    parent = host.git_resolve(root, f"{head}^1")
    if parent is None:
        raise BaseError(f"commit {head[:12]} has no parent here{_shallow(root)}", hint=hint_for(root, setting))
    return Base(parent, f"the commit before, on {branch}")


def _merge_base(root: Path, head: str, revision: str, place: Place, setting: str) -> str:
    if host.git_resolve(root, revision) is None:
        raise BaseError(f"there is no revision {revision!r}{_shallow(root)}", place=place, hint=hint_for(root, setting))
    parted = host.git_merge_base(root, head, revision)
    if parted is None:
        told = f"{revision!r} and the commit checked out have no common ancestor{_shallow(root)}"
        raise BaseError(told, place=place, hint=hint_for(root, setting))
    return parted


def _without_git() -> BaseError:
    return BaseError("there is no git commit to compare with", hint="make this folder a git repository and commit")


def _shallow(root: Path) -> str:
    return ": the clone is shallow" if host.git_is_shallow(root) else ""


def hint_for(root: Path, setting: str = "gates.against") -> str:
    """What to do where a revision is not here.

    Args:
        root: the project's root.
        setting: the key that could name another one, below tool.toxscreen.
    """
    if host.git_is_shallow(root):
        return "fetch the history: git fetch --unshallow (actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0)"
    return f"name a revision that is here: --against REV, or {setting} in pyproject.toml"
