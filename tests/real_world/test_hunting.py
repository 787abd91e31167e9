"""A hunt through released suites of other projects ends clean, or with findings that fresh interpreters confirm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.real_world.conftest import Upstream

#: For the search; the rest of the time limit is for the proof of what it finds.
BUDGET = "20s"
#: Kinds for which fresh interpreters cannot show it both ways: there is one way only.
ONE_WAY = {"deterministic", "chance"}


def hunted(upstream: Upstream, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON document of a hunt; people's text stands after it."""
    done = upstream.run("toxscreen", "hunt", ".", "--json", "--jobs", "2", *arguments)
    assert done.output.startswith("{"), done.output
    document: dict[str, Any] = json.JSONDecoder().raw_decode(done.output)[0]
    return done.exit, document


@pytest.mark.parametrize("upstream", ["h11", "more-itertools", "tomlkit"], indirect=True)
def test_a_hunt_accuses_nobody_without_proof(upstream: Upstream) -> None:
    status, document = hunted(upstream, "--budget", BUDGET)
    assert document["tests"] >= upstream.pin.at_least
    assert document["broken"] == []
    assert document["interrupted"] is False
    assert [each for each in document["findings"] if each["kind"] not in ONE_WAY and not each["proved"]] == []
    assert status == (1 if document["findings"] else 2 if document["cut_short"] else 0), document


@pytest.mark.parametrize("upstream", ["h11"], indirect=True)
def test_a_planted_polluter_is_found_in_a_released_suite(upstream: Upstream) -> None:
    tests = upstream.root / "h11" / "tests"
    (tests / "test_a_victim.py").write_text(
        "import h11._headers\n\n\ndef test_victim():\n    assert not hasattr(h11._headers, 'planted')\n",
        encoding="utf-8",
    )
    (tests / "test_z_polluter.py").write_text(
        "import h11._headers\n\n\ndef test_polluter():\n    h11._headers.planted = 1\n", encoding="utf-8"
    )
    status, document = hunted(upstream, "--victim", "h11/tests/test_a_victim.py::test_victim")
    (finding,) = document["findings"]
    assert (status, finding["kind"], finding["partners"], finding["proved"]) == (
        1,
        "victim",
        ["h11/tests/test_z_polluter.py::test_polluter"],
        True,
    )
    (culprit,) = finding["culprits"]
    assert (culprit["path"], culprit["before"], culprit["after"], culprit["proved"]) == (
        "h11._headers.planted",
        "absent",
        "1",
        True,
    )
