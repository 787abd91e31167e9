"""Which revision changes are compared with, which lines are new, and of which sources evidence is. With real git."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from toxscreen.analysis import evidence
from toxscreen.analysis.base import find_base
from toxscreen.analysis.changes import find_changes
from toxscreen.errors import BaseError, EvidenceError
from toxscreen.model import Base, Evidence, Missing


class Repository:
    """A repository with one commit on ``main``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.first = self.commit("first", {"app.py": "a = 1\nb = 2\nc = 3\n"})

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.root, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout.strip()

    def commit(self, message: str, files: dict[str, str | bytes]) -> str:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "pr öject"
    root.mkdir()
    return Repository(root)


def test_on_a_branch_it_is_where_the_branch_left_the_default_branch(repository: Repository) -> None:
    repository.git("switch", "-q", "-c", "feature")
    repository.commit("second", {"app.py": "a = 1\nb = 22\nc = 3\nd = 4\n", "new ü.py": "x = 1\ny = 2\n"})
    repository.git("switch", "-q", "main")
    repository.commit("meanwhile", {"other.py": "z = 1\n"})
    repository.git("switch", "-q", "feature")
    base = find_base(repository.root, None, {})
    assert base == Base(repository.first, "merge base with main")
    changes = find_changes(repository.root, base)
    assert changes.lines == {"app.py": {2, 4}, "new ü.py": {1, 2}}
    assert changes.added == {"new ü.py"}
    assert not changes.binary


def test_a_merge_commit_and_a_detached_head_are_compared_alike(repository: Repository) -> None:
    repository.git("switch", "-q", "-c", "feature")
    repository.commit("second", {"app.py": "a = 1\nb = 22\nc = 3\n"})
    repository.git("switch", "-q", "main")
    meanwhile = repository.commit("meanwhile", {"other.py": "z = 1\n"})
    # What CI checks out for a pull request: the branch merged into main, on no branch.
    repository.git("switch", "-q", "--detach", "feature")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "main")
    base = find_base(repository.root, None, {})
    assert base.commit == meanwhile
    assert find_changes(repository.root, base).lines == {"app.py": {2}}


def test_on_the_default_branch_it_is_the_commit_before_or_the_last_one(repository: Repository) -> None:
    second = repository.commit("second", {"app.py": "a = 1\nb = 2\n"})
    base = find_base(repository.root, None, {})
    assert base == Base(repository.first, "the commit before, on main")
    assert find_changes(repository.root, base).lines == {"app.py": frozenset()}
    (repository.root / "app.py").write_text("a = 1\nb = 3\n", encoding="utf-8")
    base = find_base(repository.root, None, {})
    assert base == Base(second, "the last commit")
    assert find_changes(repository.root, base).lines == {"app.py": {2}}


def test_what_was_only_renamed_is_no_change_and_what_is_binary_has_no_lines(repository: Repository) -> None:
    repository.git("mv", "app.py", "moved.py")
    repository.commit("rename", {"picture.bin": b"\0\1\2"})
    (repository.root / "untracked.py").write_text("x = 1\n", encoding="utf-8")
    (repository.root / "untracked.bin").write_bytes(b"\xff\xfe\0")
    changes = find_changes(repository.root, Base(repository.first, ""))
    assert {name: lines for name, lines in changes.lines.items() if lines} == {"untracked.py": {1}}
    assert changes.added == {"picture.bin", "untracked.py", "untracked.bin"}
    assert changes.binary == {"picture.bin", "untracked.bin"}


def test_settings_of_the_user_do_not_change_what_is_read(repository: Repository) -> None:
    repository.commit("second", {"app.py": "a = 1\nb = 2\nc = 4\n"})
    for key, value in {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.external": "false",
        "color.diff": "always",
        "diff.renames": "false",
    }.items():
        repository.git("config", key, value)
    assert find_changes(repository.root, Base(repository.first, "")).lines == {"app.py": {3}}


def test_in_ci_it_is_what_the_change_is_to_be_merged_into(repository: Repository) -> None:
    repository.git("update-ref", "refs/remotes/origin/dev", repository.first)
    repository.commit("second", {"app.py": "a = 2\n"})
    base = find_base(repository.root, None, {"GITHUB_BASE_REF": "dev"})
    assert base == Base(repository.first, "merge base with origin/dev")


def test_where_there_is_no_base_nothing_is_guessed(repository: Repository, tmp_path: Path) -> None:
    def told(root: Path, against: str | None = None) -> list[str]:
        with pytest.raises(BaseError) as raised:
            find_base(root, against, {})
        return raised.value.render().splitlines()

    name = "name a revision that is here: --against REV, or gates.against in pyproject.toml"
    assert told(repository.root) == [
        f"commit {repository.first[:12]} has no parent here [base-missing]",
        f"  {name}",
    ]
    assert told(repository.root, "v9") == ["--against: there is no revision 'v9' [base-missing]", f"  {name}"]
    with pytest.raises(BaseError) as of_the_settings:
        find_base(repository.root, None, {}, "v9")
    where = "pyproject.toml: tool.toxscreen.gates.against"
    assert of_the_settings.value.render().splitlines()[0] == f"{where}: there is no revision 'v9' [base-missing]"
    repository.commit("second", {"app.py": "a = 2\n"})
    repository.git("switch", "-q", "--orphan", "lonely")
    repository.commit("lonely", {"app.py": "a = 3\n"})
    assert told(repository.root)[0] == (
        "the default branch: 'main' and the commit checked out have no common ancestor [base-missing]"
    )
    repository.git("branch", "-q", "-m", "main", "trunk")
    assert told(repository.root)[0] == (
        "there is no default branch to compare with: no origin/HEAD, main or master [base-missing]"
    )
    (tmp_path / "none").mkdir()
    assert told(tmp_path / "none") == [
        "there is no git commit to compare with [base-missing]",
        "  make this folder a git repository and commit",
    ]


def test_a_shallow_clone_is_named_as_the_reason(repository: Repository, tmp_path: Path) -> None:
    repository.commit("second", {"app.py": "a = 2\n"})
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", os.fspath(clone))
    with pytest.raises(BaseError) as raised:
        find_base(clone, None, {})
    assert raised.value.render().splitlines()[0].endswith(" has no parent here: the clone is shallow [base-missing]")
    assert raised.value.hint == (
        "fetch the history: git fetch --unshallow (actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0)"
    )


def test_evidence_is_of_the_sources_that_it_was_made_from(repository: Repository) -> None:
    root, command = repository.root, ("toxscreen", "audit")
    now = evidence.state(root)
    file = evidence.write(root, "audit", {"found": 3}, command, now)
    found = evidence.read(root, "audit", now, ())
    assert isinstance(found, Evidence)
    assert (found.kind, found.state, found.command, found.data) == ("audit", now, command, {"found": 3})

    def reason() -> str:
        missing = evidence.read(root, "audit", evidence.state(root), ())
        assert isinstance(missing, Missing)
        assert missing.command == command
        return missing.reason

    # What a gate writes itself changes nothing.
    repository.commit("ratchet", {"toxscreen-ratchet.txt": "a\n"})
    now = evidence.state(root)
    evidence.write(root, "audit", {}, command, now)
    (root / "toxscreen-ratchet.txt").write_text("b\n", encoding="utf-8")
    assert evidence.state(root) == now
    (root / "app.py").write_text("a = 2\n", encoding="utf-8")
    assert reason().startswith("is of no uncommitted changes, the sources now have the uncommitted changes ")
    repository.git("checkout", "-q", "--", "app.py")
    (root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    assert reason() == ("is of another configuration: a file such as pyproject.toml or tox.ini has changed since")
    (root / "pytest.ini").unlink()
    second = repository.commit("second", {"app.py": "a = 3\n"})
    assert (
        reason() == f"is of commit {now.commit[:12] if now.commit else ''}, the sources are now at commit {second[:12]}"
    )
    assert file.name == "audit.json"


def test_where_git_cannot_tell_what_has_changed_evidence_is_of_other_sources(repository: Repository) -> None:
    root = repository.root
    evidence.write(root, "audit", {}, (), evidence.state(root))
    index = root / ".git/index"
    index.write_bytes(b"torn")
    for _ in range(2):
        missing = evidence.read(root, "audit", evidence.state(root), ())
        assert isinstance(missing, Missing)
        assert missing.reason.startswith(
            "is of no uncommitted changes, the sources now have the uncommitted changes unknown-"
        )
    # What was made meanwhile is of nothing that anybody knows.
    with pytest.raises(EvidenceError, match="the sources changed while the evidence audit was made"):
        evidence.write(root, "audit", {}, (), evidence.state(root))


def test_evidence_without_git_is_none(tmp_path: Path) -> None:
    now = evidence.state(tmp_path)
    evidence.write(tmp_path, "audit", {}, ("toxscreen", "audit"), now)
    told = "is of no commit: without git nobody knows whether the sources have changed since"
    assert evidence.read(tmp_path, "audit", now, ()) == Missing("audit", told, ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "cannot be read (JSONDecodeError: Expecting value: line 1 column 1 (char 0))"),
        ("[]", "cannot be read (TypeError: list indices must be integers or slices, not str)"),
        ('{"schema": 7}', "has schema 7, this toxscreen reads 1"),
        ('{"schema": 1}', "cannot be read (KeyError: 'state')"),
    ],
)
def test_evidence_that_cannot_be_read(tmp_path: Path, content: str, reason: str) -> None:
    file = evidence.folder(tmp_path) / "audit.json"
    file.parent.mkdir(parents=True)
    file.write_text(content, encoding="utf-8")
    now = evidence.state(tmp_path)
    assert evidence.read(tmp_path, "audit", now, ("a", "b")) == Missing("audit", reason, ("a", "b"))


def test_evidence_of_another_kind_under_this_name(tmp_path: Path) -> None:
    now = evidence.state(tmp_path)
    file = evidence.write(tmp_path, "hunt", {}, (), now)
    file.rename(file.with_name("audit.json"))
    assert evidence.read(tmp_path, "audit", now, ()) == Missing("audit", "is evidence of another kind, 'hunt'", ())
    assert json.loads(file.with_name("audit.json").read_text(encoding="utf-8"))["kind"] == "hunt"


def test_evidence_that_cannot_be_kept(repository: Repository) -> None:
    now = evidence.state(repository.root)
    with pytest.raises(EvidenceError) as raised:
        evidence.write(repository.root, "audit", {}, ("toxscreen", "audit"), replace(now, commit="0" * 40))
    assert raised.value.render().splitlines() == [
        ".toxscreen/evidence/audit.json: the sources changed while the evidence audit was made [evidence-unwritable]",
        "  make it again: toxscreen audit",
    ]
    (repository.root / ".toxscreen").mkdir()
    (repository.root / ".toxscreen" / "evidence").write_text("", encoding="utf-8")
    with pytest.raises(EvidenceError) as refused:
        evidence.write(repository.root, "audit", {}, ("toxscreen", "audit"), now)
    assert refused.value.render().splitlines() == [
        ".toxscreen/evidence/audit.json: cannot be written: File exists [evidence-unwritable]",
        "  make room, or let the folder be written to",
    ]
