"""What cannot be read is told by its name, not by a traceback; for root there are no permissions to try it with."""

from __future__ import annotations

from pathlib import Path

import pytest

from toxscreen.cli import merging
from toxscreen.errors import MergeError


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one/.toxscreen/runs").mkdir(parents=True)

    def refuse(place: Path) -> None:
        raise PermissionError(13, "Permission denied", str(place / "runs"))

    monkeypatch.setattr(merging, "_runs_in", refuse)
    with pytest.raises(MergeError) as caught:
        merging.gather(tmp_path, ["one"])
    assert caught.value.render().splitlines() == [
        f"one: {tmp_path}/one/runs cannot be read: Permission denied [merge-impossible]",
        "  an unpacked archive may have lost permissions: chmod -R u+rX",
    ]
