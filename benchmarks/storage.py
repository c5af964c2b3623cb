"""What a stored visit takes: rows and bytes of every table, on both databases. Writes docs/results/storage.md.

    python -m benchmarks.storage [--visits N]

Not part of `make bench`: nothing here is a speed. Starts a PostgreSQL of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from benchmarks.ground import Ground
from tests.postgres import Cluster

RESULTS = Path(__file__).parents[1] / "docs" / "results"


def tables_of(ground: Ground) -> dict[str, tuple[int, int]]:
    """Rows and bytes (indexes and all) of every table that has rows."""
    with ground.office.database.engine.connect() as connection:
        if ground.office.database.is_sqlite:
            names = [row[0] for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
            sizes = {
                row[0]: row[1]
                for row in connection.execute(text("SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s "
                                                   "JOIN sqlite_master m ON m.name = s.name GROUP BY m.tbl_name"))
            }  # fmt: skip
        else:
            rows = connection.execute(
                text("SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
                     "AND relnamespace = 'public'::regnamespace")
            )  # fmt: skip
            sizes = {row[0]: row[1] for row in rows}
            names = list(sizes)
        counts = {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}
    return {name: (counts[name], sizes.get(name, 0)) for name in names if counts[name]}


def grown(ground: Ground, visits: int) -> list[tuple[str, float, float]]:
    """(table, rows a visit, bytes a visit) of so many visits more, the largest first."""
    ground.fill(20)
    before = tables_of(ground)
    ground.fill(visits)
    after = tables_of(ground)
    found = []
    for name, (rows, size) in after.items():
        old_rows, old_size = before.get(name, (0, 0))
        if size - old_size > 0 or rows - old_rows > 0:
            found.append((name, (rows - old_rows) / visits, (size - old_size) / visits))
    return sorted(found, key=lambda each: -each[2])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures both and writes the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storage")
    parser.add_argument("--visits", type=int, default=300)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="qorgan-storage-") as folder:
        (Path(folder) / "one").mkdir()
        (Path(folder) / "other").mkdir()
        sqlite = grown(Ground(Path(folder) / "one"), given.visits)
        cluster = Cluster()
        try:
            ground = Ground(Path(folder) / "other", cluster.new())
            postgres = grown(ground, given.visits)
            ground.office.database.engine.dispose()
        finally:
            cluster.stop()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = ["# storage", "", f"{datetime.now(UTC):%d.%m.%Y %H:%M} UTC. {machine}. {given.visits} visits of 345 "
             "operations on top of 20; ten records share a planned visit. Bytes with indexes.", ""]  # fmt: skip
    for title, found in (("SQLite", sqlite), ("PostgreSQL", postgres)):
        lines += [f"## {title}", "", "| table | rows a visit | bytes a visit |", "|---|---|---|"]
        lines += [f"| {name} | {rows:.2f} | {size:,.0f} |" for name, rows, size in found if size >= 1 or rows >= 0.005]
        lines += [f"| **together** | | **{sum(size for _, _, size in found):,.0f}** |", ""]
    (RESULTS / "storage.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
