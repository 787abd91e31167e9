"""A matrix as CI systems read it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from toxscreen.model import MatrixRow, Shard


def jobs(rows: Sequence[MatrixRow]) -> list[dict[str, str]]:
    """One job a shard, all values texts: names that a workflow uses as ``matrix.tox`` and so on."""
    return [
        {
            "name": row.tox if row.shards == 1 else f"{row.tox} {number} of {row.shards}",
            "environment": row.environment,
            "python": row.python or "3",
            "tox": row.tox,
            "shard": str(Shard(number, row.shards)),
        }
        for row in rows
        for number in range(1, row.shards + 1)
    ]


def github(rows: Sequence[MatrixRow]) -> str:
    """One line of JSON, for ``fromJSON`` in ``strategy.matrix.include``."""
    return json.dumps(jobs(rows)) + "\n"


def gitlab(rows: Sequence[MatrixRow]) -> str:
    """A child pipeline: a job for each environment and interpreter, parallel over its shards, and one that merges."""
    parts = ["# Made by `toxscreen matrix --gitlab`.\nstages: [shards, whole]\n"]
    for row in rows:
        shards = json.dumps([str(Shard(number, row.shards)) for number in range(1, row.shards + 1)])
        parts.append(
            f"""
{json.dumps(f"tox -e {row.tox}")}:
  stage: shards
  image: python:{row.python or "3"}
  parallel:
    matrix:
      - TOXSCREEN_SHARD: {shards}
  cache:
    key: history
    paths: [.toxscreen/history.json]
    policy: pull
  script:
    - python -m pip install tox
    - {json.dumps(f"tox -e {row.tox}")}
  after_script:
    - mkdir -p shards
    - mv .toxscreen "shards/$CI_JOB_ID"
  artifacts:
    when: always
    paths: [shards]
"""
        )
    python = next((row.python for row in reversed(rows) if row.python), None) or "3"
    parts.append(
        f"""
merge:
  stage: whole
  when: always
  image: python:{python}
  cache:
    key: history
    paths: [.toxscreen/history.json]
  script:
    - python -m pip install toxscreen
    - toxscreen merge shards/*
  artifacts:
    when: always
    paths: [.toxscreen]
"""
    )
    return "".join(parts)
