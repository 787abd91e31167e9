"""What is told of a hunt, for people and for programs; its arguments and its exit status."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from toxscreen.cli.hunt import _answer, _pointing_to_fixtures, _status
from toxscreen.cli.hunt_page import checks, command, data, page, section, summary, told
from toxscreen.cli.main import parser
from toxscreen.cli.output import Output
from toxscreen.errors import Exit
from toxscreen.hunt.hunter import Hunted
from toxscreen.hunt.tree import ChangedFile
from toxscreen.model import (
    Check,
    Code,
    Culprit,
    Ended,
    Frame,
    Isolation,
    IsolationKind,
    Origin,
    Outcome,
    Page,
    Probe,
    Section,
    Sighting,
    Table,
)
from toxscreen.report import junit, markdown

ROOT = Path("/somewhere/shop")
VICTIM, POLLUTER = "t.py::test_b[x y]", "t.py::test_a"
ORIGIN = Origin("KeyError", "t.py", 3, (Frame("OSError", "u.py", 4),))
CULPRIT = Culprit("app.CACHE['k']", "absent", "1", "module-state", proved=True)
PROOF = (
    Probe(
        (POLLUTER, VICTIM),
        "fresh",
        (
            Sighting(POLLUTER, Outcome.PASSED, touched=("port 8000",)),
            Sighting(VICTIM, Outcome.FAILED, ORIGIN, "KeyError: 'k'"),
        ),
        Ended.DONE,
        0.25,
        0,
    ),
)
FINDING = Isolation(
    IsolationKind.VICTIM,
    VICTIM,
    (POLLUTER,),
    ORIGIN,
    "KeyError: 'k'",
    (CULPRIT,),
    proved=True,
    reachable=True,
    proof=PROOF,
)
BRITTLE = Isolation(IsolationKind.BRITTLE, "t.py::test_c", (POLLUTER,), proved=True, reachable=True)
CHANCE = Isolation(IsolationKind.CHANCE, "t.py::test_d", failures=(2, 5), note="differs with nothing changed")
NOTHING = Hunted(3, (), (), (), 12, 4, 1.26)
#: What helps against FINDING.
HELPS = "seen to help: undoing it before the test; the polluter can use monkeypatch.setitem(app.CACHE, 'k', 1)"
FIXTURE = """\
from unittest import mock

import pytest


@pytest.fixture(autouse=True)
def restore_cache():
    with mock.patch.dict('app.CACHE'):
        yield
"""
START = "  see it: pytest -p no:randomly -p no:toxscreen"


# one finding


@pytest.mark.parametrize(
    ("finding", "lines"),
    [
        pytest.param(
            FINDING,
            [
                "t.py::test_b[x y] fails after t.py::test_a",
                "  app.CACHE['k']: absent -> 1 (proved: undone, the outcome turns)",
                "  KeyError: 'k' (t.py:3)",
                f"{START} t.py::test_a 't.py::test_b[x y]'",
                f"  {HELPS}",
                "  how to mend it: docs/isolation/module-state.md",
            ],
            id="victim",
        ),
        pytest.param(
            Isolation(
                IsolationKind.VICTIM,
                "v",
                ("p", "q", "r"),
                reachable=False,
                cleaner="c",
            ),
            [
                "v fails after p and q and r",
                "  run in between, c keeps it from showing",
                "  random order under pytest-xdist does not meet this sequence; a hand-picked order does",
                f"{START} p q r v",
            ],
            id="victim of several, out of reach",
        ),
        pytest.param(BRITTLE, ["t.py::test_c fails without t.py::test_a", f"{START} t.py::test_c"], id="brittle"),
        pytest.param(
            Isolation(IsolationKind.COLLECTION, "t.py::test_a", ("u.py",), Origin("E", "t.py", 2), "E: x", proved=True),
            ["t.py::test_a fails when collected together with u.py", "  E: x (t.py:2)"],
            id="collection",
        ),
        pytest.param(
            Isolation(IsolationKind.DETERMINISTIC, "t.py::test_a", text="no exception", proved=True),
            ["t.py::test_a fails everywhere: no isolation bug", "  no exception"],
            id="deterministic",
        ),
        pytest.param(
            CHANCE, ["t.py::test_d fails by chance (2 of 5 times)", "  differs with nothing changed"], id="chance"
        ),
        pytest.param(
            replace(CHANCE, failures=(0, 5), note=None),
            ["t.py::test_d fails by chance (0 of 5 times)"],
            id="chance, never",
        ),
        pytest.param(
            Isolation(IsolationKind.CONFLICT, "t.py::test_a", ("t.py::test_b",)),
            ["t.py::test_a fails beside t.py::test_b"],
            id="conflict",
        ),
        pytest.param(
            Isolation(
                IsolationKind.CONFLICT,
                "t.py::test_a",
                ("t.py::test_b",),
                Origin("OSError", "t.py", 9),
                "OSError: in use",
                (Culprit("port 8000", "", "", "files", proved=False),),
                proved=True,
            ),
            [
                "t.py::test_a fails beside t.py::test_b",
                "  both touch port 8000",
                "  OSError: in use (t.py:9)",
                "  how to mend it: docs/isolation/files.md",
            ],
            id="conflict about a port",
        ),
    ],
)
def test_a_finding_in_lines(finding: Isolation, lines: list[str]) -> None:
    assert told(finding) == lines


def test_a_test_that_pollutes_itself_is_told_without_partners_and_without_orders_it_may_meet() -> None:
    first = told(Isolation(IsolationKind.SELF_POLLUTING, "t.py::test_a", proved=True, reachable=False))
    assert first[0] == "t.py::test_a fails the second time in one process"
    assert [line for line in first if "random order" in line] == []


def test_what_was_only_seen_is_not_called_proved_and_each_page_is_named_once() -> None:
    seen = [
        Culprit("os.environ['A']", "'x'", "absent", "environment", proved=False),
        replace(CULPRIT, proved=False),
        Culprit("os.environ['B']", "absent", "'y'", "environment", proved=False),
    ]
    assert told(replace(BRITTLE, culprits=tuple(seen))) == [
        "t.py::test_c fails without t.py::test_a",
        "  os.environ['A']: 'x' -> absent (seen, not proved)",
        "  app.CACHE['k']: absent -> 1 (seen, not proved)",
        "  os.environ['B']: absent -> 'y' (seen, not proved)",
        f"{START} t.py::test_c",
        "  how to mend it: docs/isolation/environment.md",
        "  how to mend it: docs/isolation/module-state.md",
    ]


def test_the_command_holds_node_ids_as_they_are() -> None:
    start = ("pytest", "-p", "no:randomly", "-p", "no:toxscreen")
    assert (command(FINDING), command(BRITTLE)) == ((*start, POLLUTER, VICTIM), (*start, "t.py::test_c"))


# the page


def test_the_page_of_a_hunt_that_found_nothing() -> None:
    found = page(NOTHING, ROOT)
    notes = ("3 tests, 12 forked probes, 4 fresh interpreters, 1.3 s",)
    assert replace(found, title="") == Page("", notes)
    assert found.title.startswith("hunt through shop: no")


def test_the_page_of_a_hunt_that_found_something() -> None:
    unproved = replace(BRITTLE, proved=False, note="forks show it, fresh interpreters do not always")
    second = replace(FINDING, node_id="t.py::test_e", partners=("t.py::test_f",), culprits=(), text=None)
    hunted = replace(NOTHING, tests=1, forked=1, fresh=1, findings=(unproved, FINDING, CHANCE, second))
    assert page(hunted, ROOT) == Page(
        "hunt through shop: 4 findings",
        ("1 test, 1 forked probe, 1 fresh interpreter, 1.3 s",),
        (Table(("Finding", "Tests"), (("victim", "2"), ("brittle", "1"), ("chance", "1"))),),
        sections=(
            section(FINDING),
            section(CHANCE),
            section(second),
            Section(
                "t.py::test_c fails without t.py::test_a",
                (
                    "forks show it, fresh interpreters do not always",
                    Code("see it", "shell", "pytest -p no:randomly -p no:toxscreen t.py::test_c"),
                ),
                "not proved, so take it as a hint",
            ),
        ),
    )


def test_one_finding_is_one() -> None:
    assert page(replace(NOTHING, findings=(CHANCE,)), ROOT) == Page(
        "hunt through shop: 1 finding",
        ("3 tests, 12 forked probes, 4 fresh interpreters, 1.3 s",),
        (Table(("Finding", "Tests"), (("chance", "1"),)),),
        sections=(Section("t.py::test_d fails by chance (2 of 5 times)", ("differs with nothing changed",)),),
    )


def test_the_table_counts_every_kind_in_the_order_of_the_kinds() -> None:
    every = tuple(replace(FINDING, kind=kind) for kind in reversed(IsolationKind))
    (table,) = page(replace(NOTHING, findings=every), ROOT).tables
    assert table == Table(
        ("Finding", "Tests"),
        (
            ("victim", "1"),
            ("brittle", "1"),
            ("self-polluting", "1"),
            ("polluted-while-collecting", "1"),
            ("deterministic", "1"),
            ("chance", "1"),
            ("conflict", "1"),
        ),
    )


def test_what_was_not_collected_what_was_noted_and_what_was_cut_short_is_told_in_this_order() -> None:
    hunted = replace(
        NOTHING,
        tests=0,
        forked=0,
        fresh=0,
        seconds=0.04,
        broken=(("u.py", "ImportError: no x"), ("v.py", "SyntaxError: y")),
        notes=(
            "forks are not used: a is passed forked, failed in a fresh interpreter",
            "interrupted: this was found so far",
        ),
        is_cut=True,
        is_interrupted=True,
    )
    assert page(hunted, ROOT).notes == (
        "no tests, no forked probes, no fresh interpreters, 0.0 s",
        "not collected: u.py: ImportError: no x",
        "not collected: v.py: SyntaxError: y",
        "forks are not used: a is passed forked, failed in a fresh interpreter",
        "interrupted: this was found so far",
        "the search was cut short: more time (--budget) may find more",
    )


# what helps


def test_a_fixture_is_shown_where_there_is_room_and_elsewhere_it_is_said_where() -> None:
    told_page = page(replace(NOTHING, findings=(FINDING,)), ROOT)
    (found,) = told_page.sections
    assert found.lines[4] == Code("or a fixture for conftest.py that restores just this", "python", FIXTURE)
    assert [line for line in found.told if "fixture" in line] == []
    pointed = _pointing_to_fixtures(told_page)
    assert pointed.closing == ("fixtures that restore what leaked: add --markdown FILE or --json",)
    assert replace(pointed, closing=()) == told_page


def test_without_a_fixture_nothing_points_to_one() -> None:
    told_page = page(replace(NOTHING, findings=(BRITTLE, CHANCE)), ROOT)
    assert _pointing_to_fixtures(told_page) == told_page


# for systems that read results of tests


def test_what_is_proved_fails_what_is_not_is_skipped_and_what_could_not_be_judged_is_an_error() -> None:
    unproved = replace(FINDING, proved=False)
    hunted = replace(NOTHING, findings=(FINDING, unproved, CHANCE), broken=(("u.py", "E"),), is_cut=True)
    headline = "t.py::test_b[x y] fails after t.py::test_a"
    by_chance = "t.py::test_d fails by chance (2 of 5 times)"
    failed, skipped, error = Outcome.FAILED, Outcome.SKIPPED, Outcome.ERROR
    assert checks(hunted) == (
        Check("hunt.victim", VICTIM, failed, headline, "\n".join(told(FINDING)), "t.py"),
        Check("hunt.victim", VICTIM, skipped, f"not proved: {headline}", "\n".join(told(unproved)), "t.py"),
        Check("hunt.chance", "t.py::test_d", skipped, by_chance, "\n".join(told(CHANCE)), "t.py"),
        Check("hunt.not-collected", "u.py", error, "E", "E", "u.py"),
        Check("hunt", "search", error, "the search was cut short", "\n".join(page(hunted, ROOT).notes)),
    )


@pytest.mark.parametrize(
    ("hunted", "outcome", "message"),
    [
        pytest.param(NOTHING, Outcome.PASSED, "", id="clean"),
        pytest.param(
            replace(NOTHING, is_interrupted=True), Outcome.ERROR, "the search was interrupted", id="interrupted"
        ),
    ],
)
def test_the_search_itself_is_always_there(hunted: Hunted, outcome: Outcome, message: str) -> None:
    counted = "3 tests, 12 forked probes, 4 fresh interpreters, 1.3 s"
    assert checks(hunted) == (Check("hunt", "search", outcome, message, counted),)


# for programs


def test_the_data_of_a_hunt_holds_every_probe_of_each_proof() -> None:
    hunted = replace(
        NOTHING,
        findings=(FINDING, CHANCE),
        broken=(("u.py", "E"),),
        notes=("n",),
        seconds=1.23456,
        is_interrupted=True,
        changed_files=(ChangedFile("out/a.txt", "created", "copy"),),
    )
    origin = {
        "exception": "KeyError",
        "file": "t.py",
        "line": 3,
        "causes": [{"exception": "OSError", "file": "u.py", "line": 4}],
    }
    assert json.loads(json.dumps(data(hunted, ROOT))) == {
        "root": str(ROOT),
        "tests": 3,
        "findings": [
            {
                "kind": "victim",
                "node_id": VICTIM,
                "partners": [POLLUTER],
                "origin": origin,
                "text": "KeyError: 'k'",
                "culprits": [
                    {"path": "app.CACHE['k']", "before": "absent", "after": "1", "kind": "module-state", "proved": True}
                ],
                "proved": True,
                "reachable": True,
                "failures": None,
                "note": None,
                "cleaner": None,
                "remedy": {
                    "lines": [HELPS],
                    "fixture": FIXTURE,
                },
                "summary": f"{VICTIM} fails after {POLLUTER}: app.CACHE['k'] absent -> 1 (proved)",
                "command": f"pytest -p no:randomly -p no:toxscreen {POLLUTER} '{VICTIM}'",
                "proof": [
                    {
                        "node_ids": [POLLUTER, VICTIM],
                        "how": "fresh",
                        "seen": [
                            {
                                "node_id": POLLUTER,
                                "outcome": "passed",
                                "origin": None,
                                "text": None,
                                "touched": ["port 8000"],
                            },
                            {
                                "node_id": VICTIM,
                                "outcome": "failed",
                                "origin": origin,
                                "text": "KeyError: 'k'",
                                "touched": [],
                            },
                        ],
                        "ended": "done",
                        "seconds": 0.25,
                        "status": 0,
                    }
                ],
            },
            {
                "kind": "chance",
                "node_id": "t.py::test_d",
                "partners": [],
                "origin": None,
                "text": None,
                "culprits": [],
                "proved": False,
                "reachable": None,
                "failures": [2, 5],
                "note": "differs with nothing changed",
                "cleaner": None,
                "remedy": None,
                "summary": "t.py::test_d fails by chance (2 of 5 times): differs with nothing changed",
                "command": None,
                "proof": [],
            },
        ],
        "broken": [{"file": "u.py", "reason": "E"}],
        "notes": ["n"],
        "probes": {"forked": 12, "fresh": 4},
        "seconds": 1.235,
        "cut_short": False,
        "interrupted": True,
        "changed_files": [{"file": "out/a.txt", "change": "created", "where": "copy"}],
    }


def test_the_data_of_a_hunt_that_found_nothing() -> None:
    assert data(replace(NOTHING, is_cut=True), ROOT) == {
        "root": str(ROOT),
        "tests": 3,
        "findings": [],
        "broken": [],
        "notes": [],
        "probes": {"forked": 12, "fresh": 4},
        "seconds": 1.26,
        "cut_short": True,
        "interrupted": False,
        "changed_files": [],
    }


# the exit status


@pytest.mark.parametrize(
    ("hunted", "status"),
    [
        pytest.param(NOTHING, Exit.CLEAN, id="nothing"),
        pytest.param(replace(NOTHING, notes=("n",)), Exit.CLEAN, id="a note"),
        pytest.param(replace(NOTHING, findings=(FINDING,)), Exit.FOUND, id="proved"),
        pytest.param(replace(NOTHING, findings=(replace(FINDING, proved=False),)), Exit.FOUND, id="not proved"),
        pytest.param(
            replace(NOTHING, findings=(Isolation(IsolationKind.DETERMINISTIC, "a"),)), Exit.FOUND, id="a plain failure"
        ),
        pytest.param(replace(NOTHING, broken=(("u.py", "E"),)), Exit.UNJUDGED, id="a file that was not collected"),
        pytest.param(replace(NOTHING, is_cut=True), Exit.UNJUDGED, id="cut short"),
        pytest.param(
            replace(NOTHING, findings=(CHANCE,), broken=(("u.py", "E"),), is_cut=True), Exit.FOUND, id="found, then cut"
        ),
        pytest.param(
            replace(NOTHING, findings=(CHANCE,), is_cut=True, is_interrupted=True), Exit.INTERRUPTED, id="interrupted"
        ),
    ],
)
def test_the_exit_status_of_a_hunt(hunted: Hunted, status: Exit) -> None:
    assert _status(hunted) is status


# what is written


def test_what_is_written_is_all_that_was_found(tmp_path: Path) -> None:
    files = {kind: Output(kind, tmp_path / kind) for kind in ("markdown", "junit")}
    hunted = replace(NOTHING, findings=(FINDING,))
    answer = _answer(hunted, ROOT, files)
    assert (answer.page, answer.data, answer.status) == (page(hunted, ROOT), data(hunted, ROOT), Exit.FOUND)
    assert (tmp_path / "markdown").read_text(encoding="utf-8") == markdown.render(page(hunted, ROOT))
    xml = junit.render("hunt through shop", checks(hunted), 1.26)
    assert (tmp_path / "junit").read_text(encoding="utf-8") == xml


@pytest.mark.parametrize(
    ("hunted", "status"),
    [
        pytest.param(replace(NOTHING, findings=(FINDING,)), Exit.UNJUDGED, id="found"),
        pytest.param(replace(NOTHING, is_interrupted=True), Exit.INTERRUPTED, id="interrupted"),
    ],
)
def test_what_was_found_is_told_although_it_cannot_be_written_any_more(
    hunted: Hunted, status: Exit, tmp_path: Path
) -> None:
    gone = {"markdown": Output("none/hunt.md", tmp_path / "none" / "hunt.md")}
    answer = _answer(hunted, ROOT, gone)
    told_last = (
        "none/hunt.md: cannot be written: No such file or directory [report-unwritable]\n"
        "  name a file in a folder that is there"
    )
    assert answer.page == replace(page(hunted, ROOT), closing=(told_last,))
    assert (answer.data, answer.status) == (data(hunted, ROOT), status)


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        pytest.param(
            replace(FINDING, proved=False),
            f"not proved: {VICTIM} fails after {POLLUTER}: app.CACHE['k'] absent -> 1 (seen, not proved)",
            id="forks only",
        ),
        pytest.param(
            replace(FINDING, culprits=(replace(FINDING.culprits[0], proved=False),)),
            f"{VICTIM} fails after {POLLUTER}: app.CACHE['k'] absent -> 1 (seen, not proved)",
            id="not undone",
        ),
        pytest.param(replace(FINDING, culprits=()), f"{VICTIM} fails after {POLLUTER}", id="nothing seen"),
        pytest.param(
            Isolation(
                IsolationKind.CONFLICT,
                "t.py::test_a",
                ("t.py::test_b",),
                culprits=(Culprit("file x", "one test", "two at a time", "files", proved=False),),
                proved=True,
            ),
            "t.py::test_a fails beside t.py::test_b: file x",
            id="conflict",
        ),
    ],
)
def test_a_finding_in_one_line(finding: Isolation, told: str) -> None:
    assert summary(finding) == told


# the arguments


def test_the_arguments_when_none_are_given() -> None:
    assert vars(parser().parse_args(["hunt"])) == {
        "command": "hunt",
        "json": False,
        "path": None,
        "category": None,
        "victim": None,
        "run": None,
        "verify": None,
        "budget": 300.0,
        "test_limit": 60.0,
        "jobs": None,
        "seed": 1,
        "quick": False,
        "python": None,
        "markdown": None,
        "junit": None,
        "in_place": False,
        "anew": False,
        "sandbox": False,
        "options": [],
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90.0), ("90s", 90.0), ("0.5", 0.5), ("1.5s", 1.5), ("5m", 300.0), ("0.5m", 30.0), ("2h", 7200.0)],
)
@pytest.mark.parametrize(("option", "name"), [("--budget", "budget"), ("--test-limit", "test_limit")])
def test_times(option: str, name: str, text: str, seconds: float) -> None:
    assert vars(parser().parse_args(["hunt", option, text]))[name] == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "0.0m", "s", "5 m", "5d", "5M", "1m30s", ".5", "5.", "1e3", "inf", "5m\n"]
)
@pytest.mark.parametrize("option", ["--budget", "--test-limit"])
def test_what_is_no_time(option: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["hunt", option, text])
    out, error = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert error.splitlines()[-1] == (
        f"toxscreen hunt: error: argument {option}: {text!r} is no time such as 90s, 5m or 1h"
    )


@pytest.mark.parametrize(("text", "jobs"), [("1", 1), ("10", 10), ("9999", 9999)])
def test_numbers_of_jobs(text: str, jobs: int) -> None:
    assert parser().parse_args(["hunt", "--jobs", text]).jobs == jobs


@pytest.mark.parametrize("text", ["", "0", "01", "1.0", "two", "auto", "+1", "10000", " 1"])
def test_what_is_no_number_of_jobs(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["hunt", "--jobs", text])
    out, error = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert error.splitlines()[-1] == f"toxscreen hunt: error: argument --jobs: {text!r} is no number from 1 to 9999"
