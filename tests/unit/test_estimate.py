"""How long tests will take: remembered, or guessed from their neighbours."""

from __future__ import annotations

from toxscreen.model import Case, Duration, Estimate, History
from toxscreen.plan.estimate import NOTHING_KNOWN, estimates

A = [Case(f"test_a.py::test_{number}", "test_a.py") for number in range(4)]
B = Case("test_b.py::test_0", "test_b.py")


def test_what_is_remembered_is_known_and_the_rest_is_guessed_from_the_same_file() -> None:
    history = History({A[0].node_id: Duration(0.0, 1.0, 0.0), A[1].node_id: Duration(1.0, 1.0, 1.0)})
    assert estimates(A, history) == [
        Estimate(1.0, known=True),
        Estimate(3.0, known=True),
        Estimate(2.0, known=False),
        Estimate(2.0, known=False),
    ]


def test_one_slow_neighbour_spoils_no_guess() -> None:
    history = History({case.node_id: Duration(0.0, 0.1, 0.0) for case in A[:2]} | {A[2].node_id: Duration(0, 90.0, 0)})
    assert estimates([*A], history)[3] == Estimate(0.1, known=False)


def test_a_file_without_memory_takes_the_median_of_all() -> None:
    history = History({case.node_id: Duration(0.0, float(number), 0.0) for number, case in enumerate(A[:3])})
    assert estimates([*A[:3], B], history)[3] == Estimate(1.0, known=False)


def test_tests_that_did_not_come_along_are_no_neighbours() -> None:
    history = History({"test_gone.py::test_0": Duration(0.0, 50.0, 0.0)})
    assert estimates([B], history) == [Estimate(NOTHING_KNOWN, known=False)]
