"""What a hunt writes for others, and that the fixtures which it proposes do help."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest

from toxscreen.testing import Suite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

TESTS = "tests/unit/test_a.py"
POLLUTED = {
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:benchmark\n",
    "shop/__init__.py": "",
    "shop/state.py": """\
        SETTINGS = {"debug": False}
        PLUGINS = []

        class Cart:
            tax = 20
        """,
    TESTS: """\
        from shop import state

        def test_prices(): assert (state.SETTINGS, state.PLUGINS, state.Cart.tax) == ({"debug": False}, [], 20)

        def test_everything():
            state.SETTINGS["debug"] = True
            state.PLUGINS.append("x")
            state.Cart.tax = 5
        """,
}
VICTIM, POLLUTER = f"{TESTS}::test_prices", f"{TESTS}::test_everything"


def test_what_is_written_and_that_the_proposed_fixtures_help(tmp_path: Path) -> None:
    project = Suite(POLLUTED).at(tmp_path)
    files = ("--markdown", "../hunt.md", "--junit", "../hunt.xml")
    result = project.toxscreen("hunt", "--json", "--jobs", "2", "--victim", VICTIM, *files)
    (finding,) = json.loads(result.expect(exit=1).stdout)["findings"]
    paths = ["shop.state.Cart.tax", "shop.state.PLUGINS", "shop.state.SETTINGS['debug']"]
    assert sorted(each["path"] for each in finding["culprits"]) == paths
    fixture = finding["remedy"]["fixture"]
    assert fixture.count("@pytest.fixture(autouse=True)") == 3

    written = (tmp_path / "hunt.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^  ```python\n(.*?)^  ```$", written, re.DOTALL | re.MULTILINE)
    assert dedent(block) == fixture
    suite = ET.parse(tmp_path / "hunt.xml").getroot()[0]
    cases = [(case.attrib["classname"], case.attrib["name"], *(one.tag for one in case)) for case in suite]
    assert cases == [("hunt.victim", VICTIM, "failure"), ("hunt", "search", "system-out")]

    sequence = ("-p", "no:randomly", POLLUTER, VICTIM)
    project.run(*sequence).expect(exit=1, says=["1 failed, 1 passed"])
    project.write({"conftest.py": fixture})
    project.run(*sequence).expect(exit=0, says=["2 passed"])


def test_a_file_that_cannot_be_written_is_said_before_the_hunt(tmp_path: Path) -> None:
    project = Suite({"tests/unit/test_a.py": "open('ran', 'w').close()\n"}).at(tmp_path)
    result = project.toxscreen("hunt", "--json", "--junit", "none/hunt.xml", "--markdown", ".")
    (first, second) = json.loads(result.expect(exit=2, never_says=["Traceback"]).stdout)["errors"]
    hint = "name a file in a folder that is there"
    assert [(each["slug"], each["place"], each["message"], each["hint"]) for each in (first, second)] == [
        ("report-unwritable", ".", "cannot be written: is no file", hint),
        ("report-unwritable", "none/hunt.xml", "cannot be written: there is no folder none", hint),
    ]
    assert not (project.root / "ran").exists()
