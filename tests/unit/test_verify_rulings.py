"""What is said of an earlier finding after each thing that may be seen of it now, and how it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toxscreen.cli.hunt import _answer
from toxscreen.cli.hunt_verify import TELLING
from toxscreen.cli.main import main
from toxscreen.cli.output import Output
from toxscreen.errors import Exit
from toxscreen.hunt.hunter import Hunted
from toxscreen.hunt.rulings import is_same, rule, rule_on_chance, rule_on_conflict, weightiest
from toxscreen.hunt.target import Target
from toxscreen.hunt.verify import There, narrows
from toxscreen.model import (
    Code,
    Ended,
    Frame,
    Isolation,
    IsolationKind,
    Origin,
    Outcome,
    Probe,
    Section,
    Sighting,
    Standing,
    Table,
    Verified,
)

A, B = "t.py::test_a", "t.py::test_b"
STILL, FIXED, CHANGED, GONE, UNJUDGED = (
    Standing.STILL_THERE,
    Standing.FIXED,
    Standing.CHANGED,
    Standing.GONE,
    Standing.UNJUDGED,
)
KEY = Origin("KeyError", "t.py", 3)


def saw(outcome: Outcome, origin: Origin | None = None, node_id: str = B) -> Sighting:
    return Sighting(node_id, outcome, origin, f"{origin.exception}: x" if origin else None)


GREEN, SKIPPED, XFAILED, UNSEEN = (
    saw(Outcome.PASSED),
    saw(Outcome.SKIPPED),
    saw(Outcome.XFAILED),
    saw(Outcome.NOT_RUN),
)
RED, MOVED = saw(Outcome.FAILED, KEY), saw(Outcome.FAILED, Origin("KeyError", "t.py", 9))
OTHER, HUNG = saw(Outcome.FAILED, Origin("OSError", "u.py", 4)), saw(Outcome.TIMED_OUT)


def finding(kind: IsolationKind, origin: Origin | None = KEY, text: str = "KeyError: x") -> Isolation:
    has_partners = kind not in {IsolationKind.SELF_POLLUTING, IsolationKind.DETERMINISTIC, IsolationKind.CHANCE}
    return Isolation(kind, B, (A,) if has_partners else (), origin, text, proved=True)


VICTIM = finding(IsolationKind.VICTIM)


@pytest.mark.parametrize(
    ("failing", "passing", "ruled"),
    [
        ([RED, RED], [GREEN, GREEN], (STILL, "fails after them, 2 of 2 times")),
        ([RED, RED], [GREEN, SKIPPED], (STILL, "fails after them, 2 of 2 times")),
        ([MOVED, MOVED], [GREEN, GREEN], (STILL, "fails after them, 2 of 2 times; the line was 3 and is 9 now")),
        ([GREEN, GREEN], [GREEN, GREEN], (FIXED, "passes after them, 2 of 2 times")),
        ([RED, GREEN], [GREEN, GREEN], (CHANGED, "fails after them, 1 of 2 times now (KeyError: x, t.py:3)")),
        ([RED, OTHER], [GREEN, GREEN], (CHANGED, "fails after them in another way: OSError: x, u.py:4")),
        ([HUNG, HUNG], [GREEN, GREEN], (CHANGED, "fails after them in another way: timed-out")),
        ([RED, RED], [RED, RED], (CHANGED, "fails alone as well now, 2 of 2 times (KeyError: x, t.py:3)")),
        ([RED, RED], [GREEN, RED], (CHANGED, "fails alone as well now, 1 of 2 times (KeyError: x, t.py:3)")),
        ([GREEN, GREEN], [RED, RED], (CHANGED, "fails alone now, 2 of 2 times (KeyError: x, t.py:3)")),
        ([SKIPPED, SKIPPED], [GREEN, GREEN], (UNJUDGED, "it is skipped now, which shows nothing")),
        ([GREEN, XFAILED], [GREEN, GREEN], (UNJUDGED, "it is expected to fail now, which shows nothing")),
        ([UNSEEN, UNSEEN], [GREEN, GREEN], (UNJUDGED, "it was not reached, which shows nothing")),
        ([GREEN, GREEN], [GREEN, UNSEEN], (UNJUDGED, "it was not reached, which shows nothing")),
        ([RED, RED], [GREEN, UNSEEN], (UNJUDGED, "it was not reached, which shows nothing")),
    ],
)
def test_a_victim(failing: list[Sighting], passing: list[Sighting], ruled: tuple[Standing, str]) -> None:
    assert rule(VICTIM, failing, passing) == ruled


@pytest.mark.parametrize(
    ("kind", "still", "fixed", "also"),
    [
        (IsolationKind.BRITTLE, "fails alone", "passes alone", "fails after them"),
        (IsolationKind.SELF_POLLUTING, "fails the second time", "passes the second time", "fails the first time"),
        (
            IsolationKind.COLLECTION,
            "fails collected together",
            "passes collected together",
            "fails with its own file only",
        ),
    ],
)
def test_other_kinds_have_other_ways(kind: IsolationKind, still: str, fixed: str, also: str) -> None:
    old = finding(kind)
    assert rule(old, [RED, RED], [GREEN, GREEN]) == (STILL, f"{still}, 2 of 2 times")
    assert rule(old, [GREEN, GREEN], [GREEN, GREEN]) == (FIXED, f"{fixed}, 2 of 2 times")
    assert rule(old, [RED, RED], [RED, RED]) == (
        CHANGED,
        f"{also} as well now, 2 of 2 times (KeyError: x, t.py:3)",
    )


def test_a_test_that_failed_everywhere() -> None:
    old = finding(IsolationKind.DETERMINISTIC)
    assert rule(old, [RED, RED], []) == (STILL, "fails alone, 2 of 2 times")
    assert rule(old, [GREEN, GREEN], []) == (FIXED, "passes alone, 2 of 2 times")
    assert rule(old, [GREEN, RED], []) == (CHANGED, "fails alone, 1 of 2 times now (KeyError: x, t.py:3)")


@pytest.mark.parametrize(
    ("seen", "ruled"),
    [
        ([GREEN] * 10, (FIXED, "passes, 10 of 10 times; chance can be rarer than that")),
        ([GREEN] * 9 + [RED], (STILL, "fails, 1 of 10 times")),
        ([GREEN, OTHER, MOVED], (STILL, "fails, 2 of 3 times")),
        ([GREEN, OTHER], (CHANGED, "fails in another way, 1 of 2 times: OSError: x, u.py:4")),
        ([RED] * 10, (CHANGED, "fails, 10 of 10 times now (KeyError: x, t.py:3)")),
        ([GREEN, UNSEEN], (FIXED, "passes, 1 of 1 times; chance can be rarer than that")),
        ([GREEN, SKIPPED], (UNJUDGED, "it is skipped now, which shows nothing")),
        ([UNSEEN, UNSEEN], (UNJUDGED, "it was not reached, which shows nothing")),
    ],
)
def test_chance(seen: list[Sighting], ruled: tuple[Standing, str]) -> None:
    assert rule_on_chance(finding(IsolationKind.CHANCE), seen) == ruled


PARTNER = saw(Outcome.ERROR, Origin("BusyError", "t.py", 5), A)


@pytest.mark.parametrize(
    ("failures", "alone", "ruled"),
    [
        ([RED, MOVED], [GREEN] * 8, (STILL, "fails side by side, 2 of 2 times")),
        ([RED, PARTNER], [GREEN] * 8, (STILL, f"fails side by side, 2 of 2 times; {A} failed this time")),
        ([PARTNER, PARTNER], [GREEN] * 8, (STILL, f"fails side by side, 2 of 2 times; {A} failed this time")),
        ([None, None], [GREEN] * 8, (FIXED, "neither fails side by side, 2 of 2 times")),
        ([None, RED], [GREEN] * 8, (CHANGED, "fails side by side, 1 of 2 times now (KeyError: x, t.py:3)")),
        ([OTHER, OTHER], [GREEN] * 8, (CHANGED, "fails side by side in another way: OSError: x, u.py:4")),
        ([None, None], [GREEN, RED], (CHANGED, "fails alone now, 1 of 2 times (KeyError: x, t.py:3)")),
        ([None, None], [GREEN, SKIPPED], (UNJUDGED, f"{B}: it is skipped now, which shows nothing")),
    ],
)
def test_a_conflict(failures: list[Sighting | None], alone: list[Sighting], ruled: tuple[Standing, str]) -> None:
    assert rule_on_conflict(finding(IsolationKind.CONFLICT), failures, alone) == ruled


@pytest.mark.parametrize(
    ("origin", "text", "seen", "same"),
    [
        (KEY, "x", RED, True),
        (KEY, "x", MOVED, True),
        (KEY, "x", saw(Outcome.ERROR, Origin("KeyError", "u.py", 3)), False),
        (KEY, "x", saw(Outcome.ERROR, Origin("KeyError", "t.py", 3, (Frame("OSError", "u.py", 4),))), False),
        (KEY, "x", HUNG, False),
        (None, "timed-out", HUNG, True),
        (None, "crashed", HUNG, False),
        (None, "timed-out", RED, False),
        (None, "x", RED, True),
        (KEY, "x", saw(Outcome.FAILED), True),
    ],
)
def test_which_failures_are_the_same(origin: Origin | None, text: str, seen: Sighting, *, same: bool) -> None:
    assert is_same(finding(IsolationKind.VICTIM, origin, text), seen) is same


def test_of_several_looks_the_worst_counts() -> None:
    looks = [(FIXED, "f"), (UNJUDGED, "u"), (CHANGED, "c"), (STILL, "s")]
    for number in range(len(looks)):
        assert weightiest(looks[: number + 1]) == looks[number]


@pytest.mark.parametrize(
    ("name", "is_file", "is_narrowed", "ruled"),
    [
        (A, True, True, None),
        ("t.py", True, False, None),
        (B, False, True, (GONE, "its file is not there any more")),
        (B, True, False, (GONE, "is not in its file any more")),
        (
            B,
            True,
            True,
            (UNJUDGED, "was not collected, for which --category, -k, -m or --deselect may be the reason"),
        ),
        ("broken.py::test_a", True, False, (UNJUDGED, "its file cannot be collected")),
        ("folder/t.py::test_a", True, False, (UNJUDGED, "its file cannot be collected")),
        (
            "u.py::test_a",
            True,
            False,
            (UNJUDGED, "nothing in its file was collected; name its folder (PATH) if it has tests"),
        ),
    ],
)
def test_what_is_not_there(name: str, *, is_file: bool, is_narrowed: bool, ruled: tuple[Standing, str] | None) -> None:
    there = There([A], ["broken.py", "folder"], is_narrowed=is_narrowed)
    assert there.missing(name, is_file=is_file) == ruled


@pytest.mark.parametrize(
    ("options", "category", "narrowed"),
    [((), None, False), (("-p", "no:cov"), None, False), (("-k", "a"), None, True), ((), "unit", True)],
)
def test_what_leaves_out_tests(options: tuple[str, ...], category: str | None, *, narrowed: bool) -> None:
    assert narrows(Target(Path("/shop"), (), options, category=category)) is narrowed


# how it is told


PROBE = Probe((A, B), "fresh", (saw(Outcome.PASSED, node_id=A), RED), Ended.DONE, 0.2, 0)
DONE = {
    STILL: Verified(VICTIM, STILL, "fails after them, 2 of 2 times", (PROBE,)),
    CHANGED: Verified(finding(IsolationKind.CHANCE), CHANGED, "fails, 10 of 10 times now (x)"),
    FIXED: Verified(finding(IsolationKind.BRITTLE), FIXED, "passes alone, 2 of 2 times"),
    GONE: Verified(finding(IsolationKind.CONFLICT), GONE, f"{A}: its file is not there any more"),
    UNJUDGED: Verified(finding(IsolationKind.VICTIM), UNJUDGED, "there was no time left (--budget)"),
}


def hunted(*standings: Standing, is_interrupted: bool = False) -> Hunted:
    verified = tuple(DONE[each] for each in standings)
    return Hunted(3, (), (), (), 0, 4, 1.26, is_interrupted=is_interrupted, verified=verified)


def test_it_is_told_to_people_and_to_programs() -> None:
    answer = _answer(hunted(*DONE), Path("/shop"), {}, TELLING)
    page = answer.page
    assert page.title == "findings in shop: 1 still there, 1 fixed, 1 changed, 1 gone, 1 not judged"
    assert page.notes == ("3 tests, no forked probes, 4 fresh interpreters, 1.3 s",)
    rows = (
        (B, f"fails after {A}", "still there: fails after them, 2 of 2 times"),
        (B, "fails by chance", "changed: fails, 10 of 10 times now (x)"),
        (B, f"fails without {A}", "fixed: passes alone, 2 of 2 times"),
        (B, f"fails beside {A}", f"gone: {A}: its file is not there any more"),
        (B, f"fails after {A}", "not judged: there was no time left (--budget)"),
    )
    assert page.tables == (Table(("Finding", "Then", "Now"), rows),)
    see = Code("see it", "shell", f"pytest -p no:randomly -p no:toxscreen {A} {B}")
    assert page.sections == (Section(B, (see,)),)
    told = json.loads(json.dumps(answer.data))
    assert "findings" not in told
    first = told["verified"][0]
    assert [each["node_ids"] for each in first.pop("probes")] == [[A, B]]
    assert first == {
        "node_id": B,
        "kind": "victim",
        "partners": [A],
        "ruling": "still there",
        "words": "fails after them, 2 of 2 times",
    }
    rulings = ["still there", "changed", "fixed", "gone", "not judged"]
    assert [each["ruling"] for each in told["verified"]] == rulings


def test_it_is_told_to_readers_of_test_results(tmp_path: Path) -> None:
    files = {"junit": Output("x.xml", tmp_path / "x.xml"), "markdown": Output("x.md", tmp_path / "x.md")}
    assert _answer(hunted(*DONE), Path("/shop"), files, TELLING).status is Exit.FOUND
    assert 'tests="5" failures="2" errors="1" skipped="0"' in (tmp_path / "x.xml").read_text(encoding="utf-8")
    assert "still there" in (tmp_path / "x.md").read_text(encoding="utf-8")
    outcomes = [each.outcome.value for each in TELLING.checks(hunted(*DONE))]
    assert outcomes == ["failed", "failed", "passed", "passed", "error"]
    assert TELLING.checks(hunted(STILL))[0].text == (
        f"{B} fails after {A}\nstill there: fails after them, 2 of 2 times\n"
        f"see it: pytest -p no:randomly -p no:toxscreen {A} {B}"
    )


@pytest.mark.parametrize(
    ("standings", "status"),
    [
        ([FIXED, GONE], Exit.CLEAN),
        ([FIXED, UNJUDGED], Exit.UNJUDGED),
        ([FIXED, UNJUDGED, STILL], Exit.FOUND),
        ([CHANGED], Exit.FOUND),
    ],
)
def test_the_exit_status(standings: list[Standing], status: Exit) -> None:
    assert TELLING.status(hunted(*standings)) is status
    assert TELLING.status(hunted(*standings, is_interrupted=True)) is Exit.INTERRUPTED


# what it is given


@pytest.mark.parametrize(
    ("arguments", "content", "told"),
    [
        (
            ["--victim", B],
            None,
            (
                "toxscreen: toxscreen hunt --verify: takes no --victim [config-invalid]\n"
                "  the findings in the file are looked at, all of them\n"
            ),
        ),
        (
            ["--run", "last"],
            None,
            (
                "toxscreen: toxscreen hunt --verify: takes no --run [config-invalid]\n"
                "  the findings in the file are looked at, all of them\n"
            ),
        ),
        (
            [],
            None,
            (
                "toxscreen: {file}: cannot be read: No such file or directory [findings-unusable]\n"
                "  give what `toxscreen hunt --json` printed\n"
            ),
        ),
        (
            [],
            '{"schema": 1, "root": "/gone away", "findings": []}',
            (
                "toxscreen: {file}: root: there is no folder '/gone away' [findings-unusable]\n"
                "  name the project: toxscreen hunt PATH --verify FILE\n"
            ),
        ),
    ],
)
def test_what_cannot_be_verified(
    arguments: list[str], content: str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert main(["hunt", "--verify", str(file), *arguments]) == Exit.UNJUDGED
    assert capsys.readouterr() == ("", told.replace("{file}", str(file)))


def test_a_document_without_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"schema": 1, "root": str(tmp_path), "findings": []}), encoding="utf-8")
    assert main(["hunt", "--json", "--verify", str(file)]) == Exit.CLEAN
    printed = capsys.readouterr()
    assert printed.err == f"{file}: holds no finding\n"
    assert json.loads(printed.out) == {"root": str(tmp_path), "verified": [], "schema": 1}
