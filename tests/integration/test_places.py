"""Both sides of a comparison get a tree and an environment. With real git, venv and pip, without network."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from toxscreen import host
from toxscreen.errors import BaseError, BuildError, ErrorGroup, PlaceError
from toxscreen.model import Revision
from toxscreen.perf.places import PlaceOptions, Places, prepare
from toxscreen.perf.shelf import remove_tree

#: A build backend that lies in the project itself, so that nothing has to be fetched.
_BACKEND = """
    import pathlib, zipfile

    def build_wheel(folder, config_settings=None, metadata_directory=None):
        name = "shop-1-py3-none-any.whl"
        with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
            for file in pathlib.Path("src").rglob("*.py"):
                wheel.writestr(file.relative_to("src").as_posix(), file.read_text("utf-8"))
            about = "Metadata-Version: 2.1\\nName: shop\\nVersion: 1\\n"
            needs = pathlib.Path("needs.txt")
            for need in needs.read_text("utf-8").split() if needs.exists() else ():
                about += f"Requires-Dist: {need}\\n"
            wheel.writestr("shop-1.dist-info/METADATA", about)
            tags = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
            wheel.writestr("shop-1.dist-info/WHEEL", tags)
            wheel.writestr("shop-1.dist-info/RECORD", "")
        return name

    build_editable = build_wheel
"""
_FILES = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": dedent(_BACKEND),
    "src/shop/__init__.py": "REVISION = 1\n",
    ".gitignore": "*.log\n",
}
_WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def wheel(folder: Path, name: str, version: str) -> None:
    """A package that can be installed without network and holds nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")


class Shop:
    """A project that can be installed, in a repository with two commits, below an awkward path."""

    def __init__(self, around: Path, below: str = "") -> None:
        self.top = around / "shöp with space"
        self.root = self.top / below
        self.cache = around / "cäche of mine"
        self.wheels = around / "wheels"
        self.root.mkdir(parents=True)
        wheel(self.wheels, "pytest_benchmark", "5.0")
        self.git("init", "-q", "-b", "main", os.fspath(self.top))
        self.first = self.commit(_FILES)
        self.second = self.commit({"src/shop/__init__.py": "REVISION = 2\n"})
        self.said: list[str] = []

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *_WHO, *arguments], cwd=self.root, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def commit(self, files: Mapping[str, str]) -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "next")
        return self.git("rev-parse", "HEAD")

    @property
    def variables(self) -> dict[str, str]:
        index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": os.fspath(self.wheels), "UV_OFFLINE": "1", "UV_NO_INDEX": "1"}
        index |= {"UV_FIND_LINKS": os.fspath(self.wheels), "UV_CACHE_DIR": os.fspath(self.cache.parent / "uv")}
        # Which of the two installs is said by the test.
        usual = {name: value for name, value in os.environ.items() if name != "PIP_CONFIG_FILE"}
        return {**usual, **index, "PATH": "/usr/bin:/bin", "TOXSCREEN_CACHE": os.fspath(self.cache)}

    @property
    def options(self) -> PlaceOptions:
        return PlaceOptions(variables=self.variables)

    def prepare(self, against: str | None = None, **changes: object) -> Places:
        self.said.clear()
        return prepare(self.root, against, replace(self.options, **changes), self.said.append)  # type: ignore[arg-type]

    def trees(self) -> list[str]:
        """Working trees that git knows besides the user's own."""
        return [
            line for line in self.git("worktree", "list", "--porcelain").split("\n") if line.startswith("worktree ")
        ][1:]

    def kept(self) -> list[str]:
        """Places in the cache, by their kinds."""
        return sorted(each.name[:3] for each in self.cache.glob("*/???-*"))


def installed(python: Path) -> str:
    """The revision that an environment's Python imports, and from where."""
    code = "import shop, pytest_benchmark, sys; print(shop.REVISION, 'site-packages' in shop.__file__)"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


def files(folder: Path) -> dict[str, str]:
    """All files of a folder but git's own and bytecode."""
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    inside = {path.relative_to(folder).as_posix(): path for path in found}
    wanted = {name: path for name, path in inside.items() if not {".git", "__pycache__"} & set(name.split("/"))}
    return {
        name: os.fspath(path.readlink()) if path.is_symlink() else path.read_text() for name, path in wanted.items()
    }


def test_both_sides_are_installed_and_found_again(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    before = files(shop.top), shop.git("status", "--porcelain", "--ignored")
    with shop.prepare() as places:
        base, candidate = places.base, places.candidate
        assert base.revision == Revision("the commit before, on main", shop.first)
        assert candidate.revision == Revision("the working tree", shop.second)
        assert [installed(side.python) for side in (base, candidate)] == ["1 True", "2 True"]
        assert files(base.folder) == _FILES
        assert files(candidate.folder) == {**_FILES, "src/shop/__init__.py": "REVISION = 2\n"}
        assert len(os.fspath(base.folder)) == len(os.fspath(candidate.folder))
        assert len(os.fspath(base.python)) == len(os.fspath(candidate.python))
        assert base.folder.name == candidate.folder.name == shop.top.name
        assert base.folder.is_relative_to(shop.cache)
        assert places.notes == ()
    assert shop.said == [
        f"base: checks out {shop.first[:12]}",
        "base: builds its environment with pip",
        f"candidate: checks out {shop.second[:12]}",
        "candidate: builds its environment with pip",
    ]
    assert (files(shop.top), shop.git("status", "--porcelain", "--ignored")) == before
    # What benchmarks leave behind is gone, and nothing is built again.
    (base.folder / "left.txt").write_text("x", encoding="utf-8")
    (base.folder / "__pycache__").mkdir(exist_ok=True)
    with shop.prepare() as again:
        assert (again.base, again.candidate) == (base, candidate)
        assert files(base.folder) == _FILES
    assert shop.said == ["base: is there already", "candidate: is there already"]
    # What they have changed is made anew.
    (base.folder / "backend.py").write_text("", encoding="utf-8")
    with shop.prepare() as anew:
        assert anew.base.folder != base.folder
        assert files(anew.base.folder) == _FILES
    assert shop.said[:2] == ["base: was there, but has been changed since", f"base: checks out {shop.first[:12]}"]
    assert shop.kept() == ["new", "old"]


def test_the_working_tree_is_measured_as_it_is(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.commit({"gone.txt": "1", "folder/a.txt": "a", "file": "f", "moved.txt": "m", "piped.txt": "p"})
    shop.git("mv", "moved.txt", "moved further.txt")
    shop.write({"src/shop/__init__.py": "REVISION = 3\n", "ünew/data.bin": "d", "a.log": "ignored"})
    shop.write({".toxscreen/x": "x", "__pycache__/a.pyc": "x", "staged.txt": "s"})
    shop.git("add", "staged.txt")
    (shop.root / "gone.txt").unlink()
    shutil.rmtree(shop.root / "folder")
    shop.write({"folder": "now a file"})
    (shop.root / "file").unlink()
    shop.write({"file/inside.txt": "now a folder"})
    (shop.root / "link").symlink_to("backend.py")
    (shop.root / "piped.txt").unlink()
    os.mkfifo(shop.root / "piped.txt")
    script = shop.root / "backend.py"
    script.chmod(0o755)
    with shop.prepare() as places:
        candidate = places.candidate
        assert candidate.revision == Revision("the working tree", shop.git("rev-parse", "HEAD"), dirty=True)
        assert places.base.revision == Revision("the last commit", shop.git("rev-parse", "HEAD"))
        assert files(candidate.folder) == {
            **_FILES,
            "src/shop/__init__.py": "REVISION = 3\n",
            "ünew/data.bin": "d",
            "staged.txt": "s",
            "moved further.txt": "m",
            "folder": "now a file",
            "file/inside.txt": "now a folder",
            "link": "backend.py",
        }
        assert os.access(candidate.folder / "backend.py", os.X_OK)
        assert installed(candidate.python) == "3 True"
        assert installed(places.base.python) == "2 True"
    with shop.prepare() as again:
        assert again.candidate == candidate
    # A file that is neither Python nor tracked is content, too.
    shop.write({"ünew/data.bin": "e"})
    with shop.prepare() as other:
        assert other.candidate.folder != candidate.folder
        assert (other.candidate.folder / "ünew/data.bin").read_text() == "e"


def test_a_hook_of_git_may_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(tmp_path)
    index, head = shop.root / ".git" / "index", shop.git("rev-parse", "HEAD")
    before = index.read_bytes()
    monkeypatch.chdir(shop.root)
    for name, value in {"GIT_DIR": ".git", "GIT_INDEX_FILE": os.fspath(index), "GIT_PREFIX": ""}.items():
        monkeypatch.setenv(name, value)
    with shop.prepare() as places:
        assert [installed(side.python) for side in (places.base, places.candidate)] == ["1 True", "2 True"]
    monkeypatch.undo()
    assert (index.read_bytes(), shop.git("rev-parse", "HEAD")) == (before, head)


def test_changes_that_git_does_not_tell_of_are_not_left_out(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    (shop.root / ".git" / "index").write_bytes(b"damaged")
    with pytest.raises(PlaceError) as raised:
        shop.prepare()
    assert "git does not say what is not committed [perf-place-unusable]" in raised.value.render()


def test_any_revision_can_be_named_and_the_same_one_has_two_places(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.git("tag", "v1", shop.first)
    shop.git("switch", "-q", "-c", "feature", shop.first)
    third = shop.commit({"src/shop/__init__.py": "REVISION = 3\n"})
    # The tip of another branch, and not where the two parted.
    with shop.prepare("main") as places:
        assert places.base.revision == Revision("main", shop.second)
        assert [installed(side.python) for side in (places.base, places.candidate)] == ["2 True", "3 True"]
    with shop.prepare("HEAD") as places:
        assert places.base.revision == Revision("HEAD", third)
        assert places.base.folder != places.candidate.folder
        assert [installed(side.python) for side in (places.base, places.candidate)] == ["3 True", "3 True"]
    with shop.prepare(usual="main", keep=0) as places:
        assert places.base.revision == Revision("main", shop.first)
    assert (shop.kept(), shop.trees()) == ([], [])


def test_a_project_that_is_not_the_top_of_its_repository(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "deep/inside")
    with shop.prepare() as places:
        assert [side.folder.parts[-3:] for side in (places.base, places.candidate)] == [
            (shop.top.name, "deep", "inside")
        ] * 2
        assert [installed(side.python) for side in (places.base, places.candidate)] == ["1 True", "2 True"]


def test_where_there_is_no_base_nothing_is_built(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.git("switch", "-q", "--orphan", "main2")
    shop.git("branch", "-q", "-D", "main")
    shop.git("branch", "-q", "-m", "main")
    first = shop.commit(_FILES)
    name = "name a revision that is here: --against REV, or perf.against in pyproject.toml"
    with pytest.raises(BaseError) as alone:
        shop.prepare()
    assert alone.value.render() == f"commit {first[:12]} has no parent here [base-missing]\n  {name}"
    with pytest.raises(BaseError) as unknown:
        shop.prepare("v9")
    assert unknown.value.render() == f"--against: there is no revision 'v9' [base-missing]\n  {name}"
    with pytest.raises(BaseError) as of_the_settings:
        shop.prepare(usual="v8")
    where = "pyproject.toml: tool.toxscreen.perf.against"
    assert of_the_settings.value.render() == f"{where}: there is no revision 'v8' [base-missing]\n  {name}"
    bare = tmp_path / "archive"
    bare.mkdir()
    for against in (None, "v1"):
        with pytest.raises(BaseError, match="there is no git commit to compare with"):
            prepare(bare, against, shop.options, shop.said.append)
    assert not shop.cache.exists()


def test_a_shallow_clone_says_so(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    clone = tmp_path / "clone"
    shop.git("clone", "-q", "--depth", "1", f"file://{shop.root}", os.fspath(clone))
    with pytest.raises(BaseError) as raised:
        prepare(clone, None, shop.options, shop.said.append)
    assert raised.value.render().startswith(f"commit {shop.second[:12]} has no parent here: the clone is shallow")
    with pytest.raises(BaseError, match="there is no revision 'HEAD~1': the clone is shallow"):
        prepare(clone, "HEAD~1", shop.options, shop.said.append)


def test_a_base_that_lacks_the_project_is_none(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    inner = Shop(tmp_path / "other")
    inner.root = inner.top / "later"
    shutil.copytree(shop.root / "src", inner.root / "src")
    inner.commit({name: content for name, content in _FILES.items() if "/" not in name})
    with pytest.raises(BaseError) as raised:
        inner.prepare()
    assert raised.value.render().splitlines()[0] == "base: the project's folder 'later' is not there [base-missing]"
    assert (inner.kept(), inner.trees()) == ([], [])
    assert inner.said == [f"base: checks out {inner.git('rev-parse', 'HEAD~1')[:12]}"]


def test_a_side_that_cannot_be_built_says_why(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.commit({"needs.txt": "nowhere-to-be-found"})
    shop.commit({"needs.txt": ""})
    with pytest.raises(BuildError) as raised:
        shop.prepare()
    lines = raised.value.render().splitlines()
    assert lines[0] == (
        "base: its environment cannot be built: pip install . pytest-benchmark ended with exit status 1 "
        "[perf-build-failed]"
    )
    assert any("No matching distribution found for nowhere-to-be-found" in line for line in lines)
    log = Path(lines[-1].removeprefix("  the whole log: "))
    assert log.read_text(encoding="utf-8").startswith("$ python -m venv\n$ pip install . pytest-benchmark\n")
    # The other side is kept; what is half built is not.
    assert (shop.kept(), len(shop.trees())) == (["new"], 1)
    shop.write({"needs.txt": "not-there-either"})
    with pytest.raises(ErrorGroup) as both:
        shop.prepare("HEAD~1")
    assert [error.place.key for error in both.value.errors] == ["base", "candidate"]
    with pytest.raises(ErrorGroup) as slow:
        shop.prepare(shop.first, seconds=0.001)
    assert slow.value.render().splitlines()[0] == (
        "base: its environment cannot be built: python -m venv took longer than 0.001 s [perf-build-failed]"
    )


def test_each_revision_has_its_own_dependencies(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for name, version in (("helper", "1.1"), ("helper", "2.0"), ("extra", "1.0")):
        wheel(shop.wheels, name, version)
    second = shop.commit({"needs.txt": "helper<2", "more.txt": "\n"})
    shop.commit({"needs.txt": "helper", "more.txt": "extra\n"})
    with shop.prepare(install=("-r more.txt", "-e .")) as places:
        told = "the environments differ beyond the project itself: extra 1.0 only in the candidate, helper 1.1 -> 2.0"
        assert (places.base.revision.commit, places.notes) == (second, (told,))


def test_constraints_hold_for_both_sides(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for version in ("1.0", "1.1", "2.0"):
        wheel(shop.wheels, "helper", version)
    shop.commit({"needs.txt": "helper<2", ".gitignore": "limits.txt\n"})
    shop.commit({"needs.txt": "helper"})
    shop.write({"limits.txt": "helper==1.0\n"})
    with shop.prepare(constraints=Path("limits.txt")) as places:
        base, candidate = places.base, places.candidate
        assert places.notes == ()
    # Other limits make other environments.
    shop.write({"limits.txt": "helper==1.1\n"})
    with shop.prepare(constraints=Path("limits.txt")) as places:
        assert (places.base != base, places.candidate != candidate, places.notes) == (True, True, ())


def test_what_is_missing_for_building_is_told(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    with pytest.raises(PlaceError) as raised:
        shop.prepare(constraints=Path("none.txt"))
    where = shop.root / "none.txt"
    assert raised.value.render() == f"{where}: cannot be read: No such file or directory [perf-place-unusable]"
    with pytest.raises(PlaceError) as python:
        shop.prepare(python=Path("/no/python"))
    assert python.value.render() == "/no/python: does not start as a Python interpreter [perf-place-unusable]"
    assert shop.kept() == []


def test_packages_released_between_two_builds_are_no_difference(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.commit({"needs.txt": "helper"})
    shop.commit({"src/shop/__init__.py": "REVISION = 3\n"})
    wheel(shop.wheels, "helper", "1.0")
    with shop.prepare() as places:
        base = places.base
    (stamp,) = shop.cache.glob("*/old-*/complete.json")
    text = stamp.read_text(encoding="utf-8")
    built = text.partition('"built": ')[2].partition(",")[0]
    stamp.write_text(text.replace(built, str(float(built) - 86400)), encoding="utf-8")
    wheel(shop.wheels, "helper", "1.1")
    shop.write({"src/shop/__init__.py": "REVISION = 4\n"})
    with shop.prepare("HEAD~1") as again:
        assert again.notes == ()
        assert again.base.folder != base.folder
    assert "base: its packages are of another day than the other side's" in shop.said


def test_a_repository_that_cannot_be_written_to_is_cloned(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    # Permissions do not stop every user; this does.
    (shop.root / ".git/worktrees").write_text("", encoding="utf-8")
    shop.write({"src/shop/__init__.py": "REVISION = 3\n"})
    with shop.prepare() as places:
        assert (places.base.folder / ".git").is_dir()
        assert [installed(side.python) for side in (places.base, places.candidate)] == ["2 True", "3 True"]
    with shop.prepare(keep=0):
        assert shop.said == ["base: is there already", "candidate: is there already"]
    assert shop.kept() == []


def test_a_tree_that_changes_while_it_is_copied_is_copied_again(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write({"src/shop/__init__.py": "REVISION = 3\n"})
    copied = 0

    def tell(text: str) -> None:
        nonlocal copied
        if text.startswith("candidate: checks out"):
            copied += 1
            if copied < until:
                shop.write({"src/shop/__init__.py": f"REVISION = {until + copied}\n"})

    until = 3
    with prepare(shop.root, None, shop.options, tell) as places:
        assert (copied, installed(places.candidate.python)) == (3, "5 True")
    until, copied = 9, 0
    shop.write({"src/shop/__init__.py": "REVISION = 6\n"})
    with pytest.raises(PlaceError) as raised:
        prepare(shop.root, None, shop.options, tell)
    assert raised.value.render() == (
        "the working tree changes while it is copied [perf-place-unusable]\n  measure when nobody writes to it"
    )
    assert (copied, shop.kept(), len(shop.trees())) == (3, ["new", "old"], 2)


def test_who_is_interrupted_leaves_nothing_unfinished(tmp_path: Path) -> None:
    shop = Shop(tmp_path)

    def tell(text: str) -> None:
        if text.startswith("candidate: builds"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(shop.root, None, shop.options, tell)
    assert (shop.kept(), len(shop.trees())) == (["old"], 1)
    with shop.prepare():
        assert shop.said[0] == "base: is there already"


_KILLED = """
    import os, sys
    from pathlib import Path
    from toxscreen.perf.places import PlaceOptions, prepare

    def tell(text):
        print(text, flush=True)
        if sys.argv[2] in text:
            sys.stdin.read()

    prepare(Path(sys.argv[1]), None, PlaceOptions(), tell)
    tell("ready")
"""


@pytest.mark.parametrize("at", ["candidate: builds", "ready"])
def test_what_a_killed_run_leaves_behind_is_removed_or_used(tmp_path: Path, at: str) -> None:
    shop = Shop(tmp_path)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", dedent(_KILLED), os.fspath(shop.root), at],
        env={**shop.variables, "TMPDIR": os.fspath(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert any(at in line for line in process.stdout)
        process.send_signal(signal.SIGKILL)
    assert (shop.kept(), len(list(temporary.iterdir()))) == (["new", "old"], int(at == "ready"))
    left = ["removed what 1 interrupted run has left behind"] if at != "ready" else []
    with shop.prepare() as places:
        assert [installed(side.python) for side in (places.base, places.candidate)] == ["1 True", "2 True"]
        assert (list(temporary.iterdir()), places.work.is_dir()) == ([], True)
    assert not places.work.exists()
    assert shop.said[: len(left) + 1] == [*left, "base: is there already"]
    assert (shop.kept(), len(shop.trees())) == (["new", "old"], 2)
    # Somebody has emptied the cache: git forgets what it knew of it.
    remove_tree(shop.cache)
    with shop.prepare(keep=0):
        assert len(shop.trees()) == 2
    assert (shop.kept(), shop.trees()) == ([], [])


def test_two_runs_do_not_disturb_each_other_and_few_places_are_kept(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    waiting = threading.Event()
    other: list[Places] = []

    def tell(text: str) -> None:
        if text == f"waits for another comparison of this project (process {host.process_id()})":
            waiting.set()

    second = threading.Thread(target=lambda: other.append(prepare(shop.root, None, shop.options, tell)))
    with shop.prepare() as places:
        second.start()
        assert waiting.wait(30)
        assert not other
    second.join(30)
    assert (other[0].base, other[0].candidate) == (places.base, places.candidate)
    other[0].close()
    for revision in (3, 4):
        shop.write({"src/shop/__init__.py": f"REVISION = {revision}\n"})
        with shop.prepare(shop.first, keep=2) as places:
            pass
        assert (shop.kept(), len(shop.trees())) == (["new", "old"], 2)
        assert places.candidate.folder.exists()


def test_places_of_projects_that_are_gone_are_removed(tmp_path: Path) -> None:
    gone, shop = Shop(tmp_path / "a"), Shop(tmp_path / "b")
    shop.cache = gone.cache
    with gone.prepare():
        pass
    (folder,) = gone.cache.iterdir()
    shutil.rmtree(gone.top)
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with shop.prepare():
            assert folder.exists()
    with shop.prepare():
        assert not folder.exists()


def test_another_project_s_folder_in_the_cache_is_in_nobody_s_way(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    (shop.cache / "theirs" / "project").mkdir(parents=True)
    lost = shop.cache / "lost"
    (lost / "lock").mkdir(parents=True)
    (lost / "project").write_bytes(b"/nothing/like/it")
    with shop.prepare() as places:
        assert installed(places.base.python) == "1 True"
    assert {path.name for path in shop.cache.iterdir()} == {"lost", "theirs", places.base.folder.parents[2].name}


def test_a_cache_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.cache.write_text("", encoding="utf-8")
    with pytest.raises(PlaceError) as raised:
        shop.prepare()
    first, second = raised.value.render().splitlines()
    assert first.endswith(": cannot be used: Not a directory [perf-place-unusable]")
    assert second == "  make room, or set TOXSCREEN_CACHE to a folder that can be written to"


def test_an_interpreter_without_pip_gives_each_environment_its_own(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True, timeout=30)
    with shop.prepare(python=tmp_path / "bare/bin/python") as places:
        assert [installed(side.python) for side in (places.base, places.candidate)] == ["1 True", "2 True"]


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not there")
def test_with_uv(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    path = os.pathsep.join((str(Path(shutil.which("uv") or "").parent), "/usr/bin", "/bin"))
    with shop.prepare(variables={**shop.variables, "PATH": path}) as places:
        assert [installed(side.python) for side in (places.base, places.candidate)] == ["1 True", "2 True"]
    assert shop.said[1] == "base: builds its environment with uv"
