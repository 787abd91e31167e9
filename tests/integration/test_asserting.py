"""Which tests of a real run are recorded as asserting nothing."""

from __future__ import annotations

from pathlib import Path

from toxscreen.testing import Suite

FILES = {
    "tests/helpers.py": "def same(one, other):\n    if one != other:\n        raise_(other)\n\n\n"
    "def raise_(other):\n    assert False, other\n\n\ndef look(one):\n    return one\n",
    "src_of_it.py": "def run(value):\n    assert value\n    return value\n",
    "tests/conftest.py": """
        import pytest

        @pytest.fixture
        def checked():
            values = []
            yield values
            assert values

        @pytest.fixture(autouse=True)
        def prepared():
            assert True
            yield
            print("done")

        @pytest.fixture
        def made():
            return 1
        """,
    "tests/unit/test_it.py": """
        import unittest
        from unittest import mock
        import pytest
        from tests.helpers import look, same
        from src_of_it import run

        def test_asserts(): assert run(1)
        def test_raises():
            with pytest.raises(AssertionError): run(0)
        def test_mock():
            called = mock.Mock()
            called(1)
            called.assert_called_once_with(1)
        def test_helper(): same(run(1), 1)
        def test_fixture(checked): checked.append(run(1))
        @mock.patch("src_of_it.run")
        def test_patched(_): assert run
        class TestUnit(unittest.TestCase):
            def test_method(self): self.assertEqual(run(1), 1)
            def test_none_method(self): run(1)
        @pytest.mark.must_not_raise
        def test_marked(): run(1)
        @pytest.mark.parametrize("check", [same])
        def test_parameter(check): check(run(1), 1)

        def test_none(): run(1)
        def test_none_bare(): pass
        def test_none_helper(made): look(run(made))
        @mock.patch("src_of_it.run")
        def test_none_patched(_): run(1)
        @pytest.mark.parametrize("value", [1, 2])
        def test_none_parameter(value): run(value)
        @pytest.mark.parametrize("check", [look])
        def test_none_called(check): check(run(1))
        """,
}


def test_only_tests_that_can_assert_nothing_are_recorded_so(tmp_path: Path) -> None:
    for mode in ("rewrite", "plain"):
        project = Suite({**FILES, "pytest.ini": "[pytest]\npythonpath = .\n"}).at(tmp_path / mode)
        # Nobody looks where nobody asks.
        quiet = project.run("--category", "unit", "-n0", f"--assert={mode}")
        assert {each.asserts_nothing for each in quiet.run.attempts} == {False}
        project.write({"pyproject.toml": "[tool.toxscreen.gates]\nno-assertion = 0\n"})
        result = project.run("--category", "unit", "-n0", f"--assert={mode}")
        assert result.exit == 0, result
        names = {each.node_id.partition("::")[2] for each in result.run.attempts if each.asserts_nothing}
        assert names == {
            "TestUnit::test_none_method",
            "test_none",
            "test_none_bare",
            "test_none_helper",
            "test_none_patched",
            "test_none_parameter[1]",
            "test_none_parameter[2]",
            "test_none_called[look]",
        }
        assert len(result.run.attempts) == 17
