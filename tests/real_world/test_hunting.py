"""A hunt through released suites of other projects ends clean, or with findings that fresh interpreters confirm."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from upstream import Upstream

#: For the search; the rest of the time limit is for the proof of what it finds.
BUDGET = "20s"
#: Kinds for which fresh interpreters cannot show it both ways: there is one way only.
ONE_WAY = {"deterministic", "chance"}


def hunted(upstream: Upstream, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON document of a hunt, which is not measured; people's text stands after it."""
    done = upstream.run("toxscreen", "hunt", ".", "--json", "--jobs", "2", *arguments, ours=False)
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


#: Where the tests of a suite lie, and a module of its package.
PLANTED = {"h11": ("h11/tests", "h11._headers"), "tomlkit": ("tests", "tomlkit.items")}


@pytest.mark.parametrize("upstream", PLANTED, indirect=True)
def test_a_planted_polluter_is_found_in_a_released_suite(
    upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same search by detect-test-pollution is timed beside it; `-n0` shows the figures."""
    folder, module = PLANTED[upstream.pin.name]
    victim, polluter = f"{folder}/test_a_victim.py::test_victim", f"{folder}/test_z_polluter.py::test_polluter"
    planted = {
        "test_a_victim.py": f"import {module} as it\n\n\ndef test_victim():\n    assert not hasattr(it, 'planted')\n",
        "test_z_polluter.py": f"import {module} as it\n\n\ndef test_polluter():\n    it.planted = 1\n",
    }
    for name, text in planted.items():
        (upstream.root / folder / name).write_text(text, encoding="utf-8")
    began = time.perf_counter()
    status, document = hunted(upstream, "--victim", victim)
    ours = time.perf_counter() - began
    (finding,) = document["findings"]
    assert (status, finding["kind"], finding["partners"], finding["proved"]) == (1, "victim", [polluter], True)
    (culprit,) = finding["culprits"]
    assert (culprit["path"], culprit["before"], culprit["after"], culprit["proved"]) == (
        f"{module}.planted",
        "absent",
        "1",
        True,
    )
    # It loads itself into pytest by its name, which must not be __main__.
    text = "import sys\n\nfrom detect_test_pollution import main\n\nsys.exit(main())\n"
    (upstream.root / "peer.py").write_text(text, encoding="utf-8")
    began = time.perf_counter()
    peer = upstream.run("peer", "--failing-test", victim, "--tests", folder, ours=False)
    theirs = time.perf_counter() - began
    assert f"the polluting test is: {polluter}" in peer.output
    with capsys.disabled():
        sys.stdout.write(f"\n{upstream.pin.name}: toxscreen {ours:.1f} s, detect-test-pollution {theirs:.1f} s\n")
