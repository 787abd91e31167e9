"""``toxscreen perf``: what it asks for, what it keeps and how it ends; the measuring itself is made up here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from compared import FILE, comparison, every_kind, one
from rich.console import Console

from toxscreen import host
from toxscreen.analysis import evidence
from toxscreen.cli import perf, perf_measuring
from toxscreen.cli.main import main
from toxscreen.cli.perf_measuring import Job
from toxscreen.cli.perf_watch import Watch
from toxscreen.errors import PlaceError
from toxscreen.gates.performance import comparisons
from toxscreen.model import Change, Comparison, Evidence, Interval, State
from toxscreen.perf import trend
from toxscreen.perf.comparing import Progress, Standing

Perf = Callable[..., tuple[int, str, str]]
PASSED = comparison(one("test_a"), one("test_b", Change.IMPROVED))
PLACE = "toxscreen: pyproject.toml: tool.toxscreen.perf"
MARKERS = ("unit", "integration", "real_world", "perf")
STATE = State("c" * 40, None, "f")


class Made:
    """Stands for the measuring."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.result = PASSED

    def __call__(self, job: Job, _: Watch) -> Comparison:
        self.jobs.append(job)
        return self.result


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    found = Made()
    monkeypatch.setattr(perf, "_measured", found)
    return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Made) -> Path:
    """A folder with benchmarks, which everybody takes for a commit."""
    (tmp_path / "tests" / "perf").mkdir(parents=True)
    (tmp_path / "tests" / "perf" / "test_speed.py").touch()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evidence, "state", lambda _: STATE)
    monkeypatch.setattr(host, "environment", dict)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Perf:
    def call(*arguments: str) -> tuple[int, str, str]:
        status = main(["perf", *arguments])
        return (status, *capsys.readouterr())

    return call


# what is asked


def test_the_usual_job(project: Path, run: Perf, made: Made) -> None:
    assert run()[0] == 0
    assert made.jobs == [Job(project, None, None, ("tests/perf",), (".",), None, 0.03, 300.0, (), None, (), MARKERS)]


def test_settings_and_arguments(project: Path, run: Perf, made: Made) -> None:
    (project / "pyproject.toml").write_text(
        """
        [tool.toxscreen.gates]
        against = "v0"
        [tool.toxscreen.perf]
        paths = ["bench*"]
        install = [".[fast]"]
        constraints = "pins.txt"
        resolution = 2
        budget = 60
        options = ["-W", "ignore"]
        waits = ["*wait*"]
        [tool.toxscreen.categories.long-running]
        paths = ["tests/long"]
        """,
        encoding="utf-8",
    )
    (project / "bench").mkdir()
    (project / "tests" / "long").mkdir()
    (project / "pins.txt").touch()
    options = ("-W", "ignore")
    markers = (*MARKERS, "long_running")
    usual = Job(
        project, None, "v0", ("bench*",), (".[fast]",), "pins.txt", 0.02, 60.0, options, None, ("*wait*",), markers
    )
    assert run()[0] == 0
    asked = ("--against", "v1", "--select", "fast or slow", "--resolution", "0.5%", "--budget", "2m")
    assert run("bench", "tests/perf/test_speed.py", *asked, "--", "-x")[0] == 0
    assert made.jobs == [
        usual,
        replace(
            usual,
            against="v1",
            paths=("bench", "tests/perf/test_speed.py"),
            resolution=0.005,
            budget=120.0,
            options=(*options, "-x"),
            select="fast or slow",
        ),
    ]


def test_paths_are_those_of_the_folder_one_is_in(
    project: Path, run: Perf, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "tests")
    assert run("perf")[0] == 0
    assert made.jobs[0].paths == ("tests/perf",)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--resolution", "0"], "argument --resolution: '0' is no difference such as 3% or 0.5%, at most 50%"),
        (["--resolution", "60%"], "argument --resolution: '60%' is no difference such as 3% or 0.5%, at most 50%"),
        (["--budget", "never"], "argument --budget: 'never' is no time such as 90s, 5m or 1h"),
    ],
)
def test_options_that_mean_nothing(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["perf", *arguments])
    assert (ended.value.code, capsys.readouterr().err.splitlines()[-1]) == (2, f"toxscreen perf: error: {told}")


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        ("", ["nowhere"], ["toxscreen: toxscreen perf: there is no nowhere [config-invalid]"]),
        ("", ["/"], ["toxscreen: toxscreen perf: / does not belong to {root} [config-invalid]"]),
        (
            '[tool.toxscreen.perf]\npaths = ["b", "x/*.py"]',
            [],
            [f"{PLACE}.paths: there are no benchmarks: nothing here is called b or x/*.py [config-invalid]"],
        ),
        (
            '[tool.toxscreen.perf]\nconstraints = "no.txt"',
            [],
            [f"{PLACE}.constraints: there is no file no.txt [config-invalid]"],
        ),
        (
            "",
            ["--trend", "--against", "main", "--select", "x"],
            [
                "toxscreen: toxscreen perf --trend: takes no --against [config-invalid]",
                "toxscreen perf --trend: takes no --select [config-invalid]",
            ],
        ),
        (
            "",
            ["--svg", "no/where.svg"],
            ["toxscreen: no/where.svg: cannot be written: there is no folder no [report-unwritable]"],
        ),
    ],
)
def test_what_cannot_be_done(
    text: str, arguments: list[str], told: list[str], project: Path, run: Perf, made: Made
) -> None:
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    status, output, errors = run(*arguments)
    lines = [line for line in errors.splitlines() if not line.startswith("  ")]
    assert (status, output, lines, made.jobs) == (2, "", [line.format(root=project.name) for line in told], [])


# what is kept


def test_a_whole_comparison_is_evidence_and_is_remembered(project: Path, run: Perf) -> None:
    status, output, errors = run()
    assert (status, errors) == (0, "")
    assert output.splitlines()[-2:] == [
        "evidence: .toxscreen/evidence/perf.json",
        "picture: .toxscreen/perf/ratios.svg",
    ]
    found = evidence.read(project, "perf", STATE, ())
    assert isinstance(found, Evidence)
    told = comparisons(found)[host.interpreter()]
    assert [(each["node_id"], each["change"]) for each in told["compared"]] == [
        (f"{FILE}::test_a", "same"),
        (f"{FILE}::test_b", "improved"),
    ]
    assert len(trend.read(project)) == 1
    assert (project / ".toxscreen/perf/ratios.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_each_interpreter_has_its_place_in_the_evidence_of_the_same_sources(
    project: Path, run: Perf, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    for name, changes in [("CPython 3.11", None), ("CPython 3.12", None), ("CPython 3.12", None), ("PyPy 3.11", "x")]:
        now = replace(STATE, changes=changes)
        monkeypatch.setattr(evidence, "state", lambda _, now=now: now)
        monkeypatch.setattr(host, "interpreter", lambda name=name: name)
        assert run()[0] == 0
        found = evidence.read(project, "perf", now, ())
        assert isinstance(found, Evidence)
        kept.append(list(comparisons(found)))
    assert kept == [["CPython 3.11"], ["CPython 3.11", "CPython 3.12"], ["CPython 3.11", "CPython 3.12"], ["PyPy 3.11"]]


@pytest.mark.parametrize(
    "arguments", [("--select", "x"), ("tests/perf",), ("--", "-x")], ids=["select", "paths", "options"]
)
def test_a_part_is_no_evidence(arguments: tuple[str, ...], project: Path, run: Perf) -> None:
    assert run(*arguments)[0] == 0
    assert not evidence.folder(project).exists()
    assert trend.read(project) == []


@pytest.mark.parametrize(
    ("result", "status"),
    [(replace(every_kind(), complete=False), 130), (comparison(), 2)],
    ids=["interrupted", "empty"],
)
def test_what_is_not_whole_is_no_evidence(
    result: Comparison, status: int, project: Path, run: Perf, made: Made
) -> None:
    made.result = result
    assert run()[0] == status
    assert not evidence.folder(project).exists()


def test_sources_that_change_meanwhile_make_no_evidence(
    project: Path, run: Perf, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter((STATE, replace(STATE, changes="x")))
    monkeypatch.setattr(evidence, "state", lambda _: next(states))
    status, output, _ = run()
    told = (
        "no evidence for gates: .toxscreen/evidence/perf.json: "
        "the sources changed while the evidence perf was made [evidence-unwritable]"
    )
    assert status == 0
    assert told in output.splitlines()


def test_files_are_written(project: Path, run: Perf, made: Made) -> None:
    made.result = every_kind()
    status, output, errors = run("--json", "--svg", "r.svg", "--markdown", "r.md")
    told = json.loads(output)
    assert (status, told["status"], told["schema"]) == (1, 1, 1)
    assert len(told["compared"]) == 7
    assert errors.startswith("performance: 1 regressed, ")
    assert (project / "r.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert (project / "r.md").read_text(encoding="utf-8").startswith("# performance: 1 regressed, ")


def test_a_file_that_can_no_longer_be_written_is_no_lost_comparison(
    project: Path, run: Perf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(job: Job, watch: Watch) -> Comparison:
        (project / "out").rename(project / "gone")
        return PASSED

    monkeypatch.setattr(perf, "_measured", measured)
    (project / "out").mkdir()
    status, output, _ = run("--svg", "out/r.svg")
    assert status == 2
    assert "out/r.svg: cannot be written: No such file or directory [report-unwritable]" in output


def test_a_picture_that_cannot_be_kept_is_not_told(project: Path, run: Perf) -> None:
    (project / ".toxscreen").mkdir()
    (project / ".toxscreen" / "perf").touch()
    status, output, _ = run()
    assert (status, "picture" in output) == (0, False)


def test_trends(project: Path, run: Perf, made: Made) -> None:
    assert run("--trend")[1].startswith("performance: no trend\n")
    run()
    status, output, _ = run("--trend", "--json")
    assert (status, [each["node_id"] for each in json.loads(output)["chains"]]) == (
        0,
        [f"{FILE}::test_a", f"{FILE}::test_b"],
    )
    status, _, errors = run("--trend", "a.json")
    assert (status, len(made.jobs)) == (2, 1)
    assert errors.startswith("toxscreen: a.json: cannot be read: No such file or directory [benchmarks-unreadable]\n")


def test_what_no_version_of_python_takes_for_a_pattern_is_told(project: Path, run: Perf, made: Made) -> None:
    (project / "pyproject.toml").write_text('[tool.toxscreen.perf]\npaths = ["/tests/*"]\n', encoding="utf-8")
    status, _, errors = run()
    assert (status, made.jobs) == (2, [])
    assert f"{PLACE}.paths: there are no benchmarks: nothing here is called /tests/*" in errors


def test_the_machine_is_asked_for_before_the_places(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise two of one checkout under `tox -p` wait for each other: one has the places, the other its slot."""
    done: list[str] = []

    @contextmanager
    def alone(_: object) -> Iterator[None]:
        done.append("alone")
        yield

    def prepare(*_: object) -> NoReturn:
        done.append("places")
        raise PlaceError("no room")

    monkeypatch.setattr(perf_measuring, "alone", alone)
    monkeypatch.setattr(perf_measuring, "prepare", prepare)
    job = Job(project, None, None, ("tests/perf",), (".",), None, 0.03, 300.0, (), None, (), MARKERS)
    with Watch(Console(file=io.StringIO())) as watch, pytest.raises(PlaceError):
        perf_measuring.measured(job, watch)
    assert done == ["alone", "places"]


# what is shown meanwhile


def test_what_a_terminal_shows() -> None:
    now = 100.0
    watch = Watch(Console(force_terminal=False), lambda: now)
    assert watch.lines() == ["looking for what to compare with ..."]
    watch.step("building the base")
    assert watch.lines() == ["building the base ..."]
    standings = [Standing(f"test_{number}", 0, Change.UNDECIDED, None) for number in range(13)]
    standings[0] = Standing("test_0", 8, Change.SAME, None)
    standings[1] = Standing("test_1", 8, Change.UNDECIDED, Interval(1.02, 0.99, 1.05))
    watch.follow(Progress("measuring 12 benchmarks", 20.0, 60.0, tuple(standings)))
    now = 110.4
    lines = watch.lines()
    assert lines[:3] == [
        "measuring 12 benchmarks: 1 of 13 decided, 30 s left",
        "  test_1  1.020 (0.990 to 1.050), pairs: 8",
        "  test_2  ? (too few pairs), pairs: 0",
    ]
    assert (len(lines), lines[-1]) == (12, "  and 2 more")
    now = 200.0
    assert watch.lines()[0].endswith(", 0 s left")


def test_a_terminal_is_left_as_it_was() -> None:
    stream = io.StringIO()
    with Watch(Console(file=stream, force_terminal=True, width=40)) as watch:
        watch.step("building " + "x" * 100)
    shown = stream.getvalue()
    assert f"building {'x' * 30}\N{HORIZONTAL ELLIPSIS}\n" in shown
    assert shown.endswith("\x1b[2K")


def test_without_a_terminal_there_is_a_line_a_minute() -> None:
    now = [100.0]
    stream = io.StringIO()
    with Watch(Console(file=stream, force_terminal=False, width=20), lambda: now[0]) as watch:
        for moment, words in [(159.0, "first"), (160.0, "a long name of a step"), (219.0, "third")]:
            now[0] = moment
            watch.step(words)
        standings = (Standing("test_a", 8, Change.SAME, None), Standing("test_b", 8, Change.UNDECIDED, None))
        for moment, seconds in [(219.5, 20.0), (220.0, 20.5), (250.0, 50.0)]:
            now[0] = moment
            watch.follow(Progress("measuring 1 benchmark", seconds, 60.0, standings))
    assert stream.getvalue().splitlines() == [
        "a long name of a step ...",
        "measuring 1 benchmark: 1 of 2 decided, 40 s left",
    ]
