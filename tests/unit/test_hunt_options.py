"""Options of ``toxscreen hunt`` that mean nothing: said before anything is started."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest

from toxscreen.cli.main import main
from toxscreen.hunt.child import pytest_load_initial_conftests


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "never"], "argument --budget: 'never' is no time such as 90s, 5m or 1h"),
        (["--budget", "0"], "argument --budget: '0' is no time such as 90s, 5m or 1h"),
        (["--test-limit", "-1s"], "argument --test-limit: expected one argument"),
        (["--jobs", "0"], "argument --jobs: '0' is no number from 1 to 9999"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'"),
    ],
)
def test_options_that_mean_nothing(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hunt", *arguments])
    stdout, stderr = capsys.readouterr()
    assert (ended.value.code, stdout, stderr.splitlines()[-1]) == (2, "", f"toxscreen hunt: error: {message}")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Namespace(cov_source=["app"], no_cov=False), Namespace(cov_source=["app"], no_cov=True)),
        (Namespace(), Namespace()),
    ],
    ids=["with pytest-cov", "without"],
)
def test_a_probe_measures_nothing_for_pytest_cov(known: Namespace, expected: Namespace) -> None:
    early: Any = SimpleNamespace(known_args_namespace=known)
    next(pytest_load_initial_conftests(early))
    assert known == expected
