"""One request, answered in this process: tests are run, or what leaks from them is explained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from toxscreen.hunt.child.running import Runner


def answer(
    runner: Runner, request: dict[str, Any], folder: Path, between: Callable[[int, int], None] | None = None
) -> None:
    """Answer a request; what is seen goes to the file that is named after it.

    Args:
        runner: knows the tests.
        request: ``id``, ``node_ids`` and, to look at what leaks, ``explain``.
        folder: of the hunt.
        between: see `Runner.run_all`.
    """
    runner.report_to(folder / f"{request['id']}.jsonl")
    if request.get("explain"):
        # Snapshots of everything: imported only where they are wanted.
        from toxscreen.hunt.child.explaining import explain

        explain(runner, request["node_ids"], request["explain"])
    else:
        runner.run_all(request["node_ids"], between=between)
    runner.write({"end": True})
