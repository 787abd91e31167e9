"""What an earlier hunt printed, read again: all of it that matters, and a word about everything that is wrong in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toxscreen.cli.hunt_page import data
from toxscreen.cli.hunt_verify import root_of
from toxscreen.cli.main import SCHEMA
from toxscreen.errors import FindingsError
from toxscreen.hunt.findings import Found, findings_from, read_findings
from toxscreen.hunt.hunter import Hunted
from toxscreen.model import Culprit, Ended, Frame, Isolation, IsolationKind, Origin, Outcome, Probe, Sighting

ORIGIN = Origin("KeyError", "t.py", 3, (Frame("OSError", "u.py", 4),))
PROOF = (Probe(("t.py::test_b",), "fresh", (Sighting("t.py::test_b", Outcome.FAILED, ORIGIN),), Ended.DONE, 0.2, 0),)
VICTIM = Isolation(
    IsolationKind.VICTIM,
    "t.py::test_b",
    ("t.py::test_a",),
    ORIGIN,
    "KeyError: 'k'",
    (Culprit("app.CACHE['k']", "absent", "1", "module-state", proved=True),),
    proved=True,
    reachable=False,
    note="is noted",
    proof=PROOF,
    cleaner="t.py::test_c",
)
CHANCE = Isolation(IsolationKind.CHANCE, "t.py::test_d", failures=(2, 5))
HINT = "\n  give what `toxscreen hunt --json` printed"


def document() -> dict[str, Any]:
    """What a hunt prints."""
    told = {**data(Hunted(3, (VICTIM, CHANCE), (), (), 1, 2, 3.0), Path("/shop")), "schema": SCHEMA}
    loaded = json.loads(json.dumps(told))
    assert isinstance(loaded, dict)
    return loaded


def message(content: bytes) -> str:
    """What is said of a document that cannot be used."""
    with pytest.raises(FindingsError) as caught:
        findings_from(content, "f.json")
    return caught.value.render()


def test_what_a_hunt_prints_is_read_but_for_its_proofs() -> None:
    content = json.dumps(document()).encode("utf-8-sig")
    assert findings_from(content, "f.json") == Found("/shop", (replace(VICTIM, proof=()), CHANCE))


def test_members_that_are_newer_or_older_do_not_matter() -> None:
    told = document()
    told["new"] = told["findings"][0]["newer"] = told["findings"][0]["origin"]["newest"] = [1]
    for finding in told["findings"]:
        for name in ("cleaner", "remedy", "summary", "command", "reachable", "note", "proof", "failures", "culprits"):
            del finding[name]
    victim = replace(VICTIM, proof=(), cleaner=None, reachable=None, note=None, culprits=())
    found = findings_from(json.dumps(told).encode(), "f.json").findings
    assert found == (victim, replace(CHANCE, failures=None))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", f"f.json:1: is no JSON: Expecting value [findings-unusable]{HINT}"),
        (b'{\n"a": }', f"f.json:2: is no JSON: Expecting value [findings-unusable]{HINT}"),
        (b"\xff", f"f.json: is no JSON: it is not in UTF-8 [findings-unusable]{HINT}"),
        (b"[" * 100_000, f"f.json: is no JSON: is nested too deeply [findings-unusable]{HINT}"),
        (b"[1]", f"f.json: is no object: [1] [findings-unusable]{HINT}"),
        (b'{"schema": 1}', f"f.json: is not what a hunt found: it has no findings [findings-unusable]{HINT}"),
        (
            b'{"errors": [], "schema": 1}',
            (
                "f.json: is not what a hunt found: it has no findings [findings-unusable]\n"
                "  that hunt ended with an error; hunt again"
            ),
        ),
        (
            b'{"findings": [], "schema": 2}',
            "f.json: schema: is 2; this version reads 1 [findings-unusable]\n  hunt again with this version",
        ),
        (b'{"findings": [], "root": "/"}', f"f.json: schema: is missing [findings-unusable]{HINT}"),
        (
            b'{"findings": [], "schema": true}',
            f"f.json: schema: is not a whole number: True [findings-unusable]{HINT}",
        ),
        (b'{"findings": [], "schema": 1}', f"f.json: root: is missing [findings-unusable]{HINT}"),
        (
            b'{"findings": {}, "schema": 1, "root": "/"}',
            f"f.json: findings: is not a list: {{}} [findings-unusable]{HINT}",
        ),
        (
            b'{"findings": [3], "schema": 1, "root": "/"}',
            f"f.json: findings[0]: is no object: 3 [findings-unusable]{HINT}",
        ),
    ],
)
def test_what_is_no_document_of_a_hunt(content: bytes, told: str) -> None:
    assert message(content) == told


def _set(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(finding: dict[str, Any]) -> None:
        finding[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda each: each.pop("node_id"), f"node_id: is missing [findings-unusable]{HINT}"),
        (_set("node_id", 1), f"node_id: is not a text: 1 [findings-unusable]{HINT}"),
        (
            _set("kind", "odd"),
            (
                "kind: is no kind of finding: 'odd' [findings-unusable]\n  known: victim, brittle, self-polluting, "
                "polluted-while-collecting, deterministic, chance, conflict"
            ),
        ),
        (
            _set("partners", []),
            f"partners: has 0, but a finding of kind victim takes others [findings-unusable]{HINT}",
        ),
        (
            lambda each: each.update(kind="conflict", partners=["a", "b"]),
            f"partners: has 2, but a finding of kind conflict takes one other test [findings-unusable]{HINT}",
        ),
        (_set("partners", ["a", None]), f"partners[1]: is not a text: None [findings-unusable]{HINT}"),
        (_set("text", ["x" * 90]), f"text: is not a text: ['{'x' * 35}... [findings-unusable]{HINT}"),
        (_set("origin", "here"), f"origin: is no object: 'here' [findings-unusable]{HINT}"),
        (
            lambda each: each["origin"].update(line="3"),
            f"origin.line: is not a whole number: '3' [findings-unusable]{HINT}",
        ),
        (
            lambda each: each["origin"]["causes"][0].pop("file"),
            f"origin.causes[0].file: is missing [findings-unusable]{HINT}",
        ),
        (
            lambda each: each["culprits"][0].update(proved=1),
            f"culprits[0].proved: is not true or false: 1 [findings-unusable]{HINT}",
        ),
        (_set("failures", [1]), f"failures: is not two whole numbers: [1] [findings-unusable]{HINT}"),
        (_set("failures", [1, True]), f"failures: is not two whole numbers: [1, True] [findings-unusable]{HINT}"),
    ],
)
def test_a_finding_that_is_none(change: Callable[[dict[str, Any]], None], told: str) -> None:
    changed = document()
    change(changed["findings"][0])
    assert message(json.dumps(changed).encode()) == f"f.json: findings[0].{told}"


#: In the place of anything; the last one stands for removing it.
OTHER_VALUES: tuple[object, ...] = (
    None,
    True,
    0,
    -(10**400),
    1.5,
    float("nan"),
    "",
    "\ud800\0",
    [],
    [[]],
    ["x"],
    {},
    {"x": []},
    ...,
)


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each member of a document, and to its members."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*before, key)
        yield from places(value[key], (*before, key))


@pytest.mark.parametrize("other", OTHER_VALUES, ids=ascii)
def test_a_document_in_which_anything_was_replaced_is_read_or_refused(other: object) -> None:
    read = refused = tried = 0
    for *way, last in places(document()):
        tried += 1
        told = document()
        inner: Any = told
        for key in way:
            inner = inner[key]
        if other is ...:
            del inner[last]
        else:
            inner[last] = other
        content = json.dumps(told).encode()
        try:
            found = findings_from(content, "f.json")
        except FindingsError as error:
            refused += error.place.file == "f.json" and error.hint is not None
        else:
            read += all(type(each.node_id) is str and each.kind in IsolationKind for each in found.findings)
    assert min(read, refused) > 0
    assert read + refused == tried


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, told in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(FindingsError) as caught:
            read_findings(path, "f.json")
        assert caught.value.render() == f"f.json: cannot be read: {told} [findings-unusable]{HINT}"


def test_a_file_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f.json").write_bytes(b"[]")
    monkeypatch.setattr("toxscreen.hunt.findings._MOST_BYTES", 1)
    with pytest.raises(FindingsError) as caught:
        read_findings(tmp_path / "f.json", "f.json")
    assert caught.value.render() == f"f.json: is too large for what a hunt found [findings-unusable]{HINT}"


@pytest.mark.parametrize("root", ["/no such folder", ".", "", "/\0", "/\ud800"])
def test_a_project_that_is_not_there(root: str) -> None:
    with pytest.raises(FindingsError) as caught:
        root_of(Found(root, ()), "f.json")
    assert caught.value.render() == (
        f"f.json: root: there is no folder {root!a} [findings-unusable]\n"
        "  name the project: toxscreen hunt PATH --verify FILE"
    )


def test_the_project_of_the_earlier_hunt(tmp_path: Path) -> None:
    assert root_of(Found(str(tmp_path), ()), "f.json") == tmp_path
