"""The same burst of eight tablets on PostgreSQL, against SQLite in the same run.

The cluster is made for the run and commits durably (`fsync` and `synchronous_commit` on), on the disk of the others.
Source: PERFORMANCE section 5, SETTLED decision 21.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.ground import Ground
from benchmarks.push_load import Load, load
from tests.postgres import Cluster

DURABLE = ("fsync=on", "synchronous_commit=on", "shared_buffers=128MB")


def _loaded(url: str = "") -> Load:
    with tempfile.TemporaryDirectory(prefix="qorgan-load-") as folder:
        ground = Ground(Path(folder), url)
        found = load(ground)
        ground.office.database.engine.dispose()
    return found


def figures() -> list[Figure]:
    """Visits a second on PostgreSQL as a share of those on SQLite."""
    cluster = Cluster(DURABLE)
    try:
        postgres = _loaded(cluster.new())
    finally:
        cluster.stop()
    sqlite = _loaded()
    note = f"{postgres.rate:.0f} against {sqlite.rate:.0f} visits/s"
    return [
        Figure("visits pushed on PostgreSQL, against SQLite", postgres.rate / sqlite.rate, "x", 0.5, False, note, 0.9)
    ]


if __name__ == "__main__":
    for figure in figures():
        print(figure.line(), figure.note, sep="\t")
